//! Does a shell command really state an edit: `apply_patch <<'EOF'`?
//!
//! Models trained with such a tool run it in any shell. Understood is a command that is nothing else: with `cd x &&` in front,
//! in `bash -lc '...'`, as an argument or through `cat`. The patch is what the model wrote: the shell's substitutions in a
//! here-document without quotes are not made. Must not run anything.

/// Names by which models call the program.
const NAMES: [&str; 3] = ["apply_patch", "applypatch", "apply-patch"];
/// Shells whose `-c` is looked into.
const SHELLS: [&str; 4] = ["bash", "sh", "zsh", "dash"];

/// A command and a patch in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// It applies a patch and does nothing else.
    Patch {
        /// The folder it changes into first.
        folder: Option<String>,
        /// The patch.
        text: String,
    },
    /// It applies a patch among other things, which cannot be taken apart safely.
    Mixed,
}

/// Finds the patch in a command; none when the command calls no such program.
pub fn patch_in(command: &str) -> Option<Command> {
    if !command.contains("*** ") {
        return None;
    }
    let script = unwrapped(command.trim());
    let (folder, rest) = match leading_cd(&script) {
        Some((folder, rest)) => (Some(folder), rest),
        None => (None, script.as_str()),
    };
    match body(rest) {
        Some(text) => Some(Command::Patch { folder, text }),
        None => calls_it(&script).then_some(Command::Mixed),
    }
}

/// Says whether a line of the command begins a call of the program, in front of any here-document.
fn calls_it(script: &str) -> bool {
    let begin = script.find("*** Begin Patch").unwrap_or(script.len());
    let starts_with_name = |part: &str| {
        let part = part.trim_start();
        NAMES.iter().any(|name| {
            part.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '<', '\n', '\t']) || rest.is_empty())
        })
    };
    script[..begin].split(['\n', ';', '&', '|', '(']).any(starts_with_name)
}

/// Takes off `bash -lc '...'` and the form of a list, as often as they are there.
fn unwrapped(command: &str) -> String {
    let mut script = command.to_owned();
    for _ in 0..3 {
        let inner = list(&script).or_else(|| in_shell(&script));
        match inner {
            Some(inner) => inner.trim().clone_into(&mut script),
            None => break,
        }
    }
    script
}

/// Reads `["bash", "-lc", "..."]` or `["apply_patch", "..."]`.
fn list(script: &str) -> Option<String> {
    let words: Vec<String> = serde_json::from_str(script).ok()?;
    match words.as_slice() {
        [name, text] if NAMES.contains(&name.as_str()) => Some(format!("{name} <<'MIMI_PATCH'\n{text}\nMIMI_PATCH")),
        [.., shell, flag, script] if is_shell(shell) && is_flag(flag) => Some(script.clone()),
        _ => None,
    }
}

fn is_shell(word: &str) -> bool {
    SHELLS.contains(&word.rsplit('/').next().unwrap_or(word))
}

fn is_flag(word: &str) -> bool {
    word.starts_with('-') && !word.starts_with("--") && word.ends_with('c')
}

fn in_shell(script: &str) -> Option<String> {
    let (shell, rest) = script.split_once([' ', '\t'])?;
    let (flag, rest) = rest.trim_start().split_once([' ', '\t'])?;
    let (word, rest) = quoted(rest.trim_start())?;
    (is_shell(shell) && is_flag(flag) && rest.trim().is_empty()).then_some(word)
}

/// Reads a quoted word as bash does; returns it and what follows. None without quotes.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut out = String::new();
    let mut rest = text;
    // 'a'\''b' is one word.
    loop {
        if let Some(inner) = rest.strip_prefix('\'') {
            let (word, after) = inner.split_once('\'')?;
            out.push_str(word);
            rest = after;
        } else if let Some(inner) = rest.strip_prefix('"') {
            rest = double_quoted(inner, &mut out)?;
        } else if let Some(after) = rest.strip_prefix("\\'").filter(|_| rest.len() < text.len()) {
            out.push('\'');
            rest = after;
        } else {
            return (rest.len() < text.len()).then_some((out, rest));
        }
    }
}

fn double_quoted<'a>(inner: &'a str, out: &mut String) -> Option<&'a str> {
    let mut chars = inner.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some(&inner[at + 1..]),
            '\\' => match chars.next()?.1 {
                '\n' => {}
                escaped @ ('"' | '\\' | '$' | '`') => out.push(escaped),
                other => out.extend(['\\', other]),
            },
            _ => out.push(c),
        }
    }
    None
}

/// Reads `cd folder &&`.
fn leading_cd(script: &str) -> Option<(String, &str)> {
    let rest = script.strip_prefix("cd ")?.trim_start();
    let (folder, rest) = match quoted(rest) {
        Some(found) => found,
        None => {
            let end = rest.find(|c: char| c.is_whitespace() || "&|;<>()$`*?".contains(c))?;
            (rest[..end].to_owned(), &rest[end..])
        }
    };
    let rest = rest.trim_start().strip_prefix("&&")?;
    (!folder.is_empty()).then(|| (folder, rest.trim_start()))
}

/// Reads the patch of a command that only applies one.
fn body(script: &str) -> Option<String> {
    if let Some(rest) = script.strip_prefix("cat ") {
        let (delimiter, is_stripped, after) = delimiter(rest.trim_start())?;
        let (line, body) = after.split_once('\n')?;
        let name = line.trim().strip_prefix('|')?.trim();
        return NAMES.contains(&name).then(|| document(body, &delimiter, is_stripped))?;
    }
    let name = NAMES.iter().find(|name| script.starts_with(*name))?;
    let rest = script[name.len()..].trim_start_matches([' ', '\t']);
    if rest.starts_with("<<") {
        let (delimiter, is_stripped, after) = delimiter(rest)?;
        let (line, body) = after.split_once('\n')?;
        return line.trim().is_empty().then(|| document(body, &delimiter, is_stripped))?;
    }
    let (text, rest) = quoted(rest)?;
    rest.trim().is_empty().then_some(text)
}

/// Reads `<<'EOF'`: the word, whether tabs in front of lines go (`<<-`), and what follows.
fn delimiter(text: &str) -> Option<(String, bool, &str)> {
    let rest = text.strip_prefix("<<")?;
    let (is_stripped, rest) = rest.strip_prefix('-').map_or((false, rest), |rest| (true, rest));
    let rest = rest.trim_start_matches([' ', '\t', '\\']);
    let (word, rest) = match quoted(rest) {
        Some(found) => found,
        None => {
            let end = rest.find(|c: char| c.is_whitespace() || "|&;<>".contains(c)).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        }
    };
    (!word.is_empty()).then_some((word, is_stripped, rest))
}

/// Returns the lines of a here-document, if nothing stands behind it.
fn document(body: &str, delimiter: &str, is_stripped: bool) -> Option<String> {
    let mut text = String::new();
    let mut lines = body.split('\n');
    for line in lines.by_ref() {
        let line = if is_stripped { line.trim_start_matches('\t') } else { line };
        if line.trim_end_matches('\r') == delimiter {
            return lines.all(|line| line.trim().is_empty()).then_some(text);
        }
        text.push_str(line);
        text.push('\n');
    }
    // A model that ran out of words, or whose closing word stands behind the end marker: bash would read to the end.
    text.contains("*** End Patch").then_some(text)
}

#[cfg(test)]
#[path = "heredoc_tests.rs"]
mod tests;
