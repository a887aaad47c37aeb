//! Do these words of a program only look?
//!
//! Options are allowed one by one, abbreviations never; operands are judged by their kind, files by where they lead.

use std::path::{Path, PathBuf};

use crate::policy::command::place::{Place, World};
use crate::policy::command::scan::Word;
use crate::policy::command::table::{Check, Kind, Schema, Style, Takes};
use crate::policy::command::{Standing, checks, git, glob};

/// Most files and folders that are looked at for secrets before a search through folders runs unasked.
const MAX_WALKED: usize = 20_000;
/// Longest number in a word: what counts further is not for looking.
const MAX_DIGITS: usize = 6;

/// A program about to be judged.
pub struct Call<'a> {
    /// The world around it.
    pub world: &'a World<'a>,
    /// Every folder it may run in.
    pub folders: &'a [PathBuf],
    /// Whether the line changed the folder.
    pub has_moved: bool,
    /// Its name.
    pub name: &'a str,
}

/// A program's words, taken apart.
#[derive(Debug, Default)]
pub struct Taken<'a> {
    /// Options by name with their values.
    pub options: Vec<(String, Option<String>)>,
    /// Everything else.
    pub operands: Vec<&'a Word>,
}

impl Taken<'_> {
    /// Says whether an option was given.
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(own, _)| own == name)
    }
}

/// Says that it only looks, or why not.
pub fn judge(call: &Call<'_>, schema: &Schema, words: &[Word]) -> Result<(), Standing> {
    if let Some(check) = schema.check.filter(|check| check.is_whole()) {
        return checks::whole(call, check, words);
    }
    let taken = if schema.check == Some(Check::Git) {
        return git::judge(call, schema, words);
    } else {
        take(call, schema, words)?
    };
    judge_taken(call, schema, &taken)
}

/// Judges words that were taken apart.
pub fn judge_taken(call: &Call<'_>, schema: &Schema, taken: &Taken<'_>) -> Result<(), Standing> {
    let is_shifted = taken.options.iter().any(|(name, _)| schema.unless.has(name));
    let first = usize::from(is_shifted);
    for (index, word) in taken.operands.iter().enumerate() {
        operand(call, schema.kind(index + first), word)?;
    }
    if let Some(max) = schema.max.filter(|max| taken.operands.len() > *max) {
        return Err(doubt(format!("`{}` does more with more than {max} operands", call.name)));
    }
    if let Some(check) = schema.check {
        checks::rest(call, check, taken)?;
    }
    if schema.walks.has("always") || taken.options.iter().any(|(name, _)| schema.walks.has(name)) {
        let is_file = |index: usize| schema.kind(index + first) == Kind::Read;
        let roots =
            taken.operands.iter().enumerate().filter(|(index, _)| is_file(*index)).map(|(_, word)| word.text.as_str());
        walk(call, roots.collect(), taken)?;
    }
    Ok(())
}

/// Takes the words apart; an option that is not in the row asks.
pub fn take<'a>(call: &Call<'_>, schema: &Schema, words: &'a [Word]) -> Result<Taken<'a>, Standing> {
    let mut taken = Taken::default();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let is_over = schema.style == Style::First && !taken.operands.is_empty();
        let is_option = word.text.starts_with('-') && word.text.len() > 1 && schema.style != Style::None && !is_over;
        if !is_option {
            taken.operands.push(word);
            continue;
        }
        if !word.is_literal() {
            return Err(unknown(word));
        }
        if word.text == "--" {
            taken.operands.extend(rest);
            break;
        }
        let n = taken.options.len();
        let Some(needs) = option(schema, &word.text, &mut taken.options) else {
            return Err(doubt(format!("`{}` is not among the options of `{}` that only look", word.text, call.name)));
        };
        if needs {
            let value = rest.next().ok_or_else(|| doubt(format!("`{}` lacks its value", word.text)))?;
            if !value.is_literal() {
                return Err(unknown(value));
            }
            if let Some(last) = taken.options.last_mut() {
                last.1 = Some(value.text.clone());
            }
        }
        for (name, value) in &taken.options[n..] {
            if let (Some(Takes::File(kind)), Some(value)) = (schema.option(name), value) {
                path(call, kind, value)?;
            }
        }
    }
    Ok(taken)
}

/// Reads one word as options. Returns whether the last takes the next word; none when any is not known.
fn option(schema: &Schema, text: &str, found: &mut Vec<(String, Option<String>)>) -> Option<bool> {
    let is_number = text[1..].bytes().all(|byte| byte.is_ascii_digit());
    if is_number && schema.option("-#").is_some() {
        found.push(("-#".to_owned(), Some(text[1..].to_owned())));
        return Some(false);
    }
    let is_long = text.starts_with("--") || schema.style == Style::Long;
    if let Some((name, value)) = text.split_once('=').filter(|_| is_long) {
        let takes = schema.option(name)?;
        found.push((name.to_owned(), Some(value.to_owned())));
        return (takes != Takes::Nothing).then_some(false);
    }
    if let Some(takes) = schema.option(text) {
        found.push((text.to_owned(), None));
        return Some(matches!(takes, Takes::Value | Takes::File(_)));
    }
    if is_long {
        return None;
    }
    let letters = &text[1..];
    for (at, letter) in letters.char_indices() {
        let name = format!("-{letter}");
        let takes = schema.option(&name)?;
        let value = &letters[at + letter.len_utf8()..];
        if matches!(takes, Takes::Nothing | Takes::Perhaps) {
            found.push((name, None));
        } else {
            found.push((name, (!value.is_empty()).then(|| value.to_owned())));
            return Some(value.is_empty());
        }
    }
    Some(false)
}

fn operand(call: &Call<'_>, kind: Kind, word: &Word) -> Result<(), Standing> {
    match kind {
        Kind::None => Err(doubt(format!("`{}` does more with `{}`", call.name, word.text))),
        Kind::Read | Kind::Names => file(call, kind, word),
        Kind::Text if word.is_literal() => Ok(()),
        Kind::Number if word.is_literal() && is_small(&word.text) => Ok(()),
        Kind::Number if word.is_literal() => Err(doubt(format!("`{}` may never end with `{}`", call.name, word.text))),
        Kind::Revision if word.is_literal() => revision(call, &word.text),
        Kind::Text | Kind::Number | Kind::Revision => Err(unknown(word)),
    }
}

/// Judges a file or a pattern of files.
pub fn file(call: &Call<'_>, kind: Kind, word: &Word) -> Result<(), Standing> {
    if word.unknown.is_some() || word.is_range {
        // What is known of it may be enough to refuse.
        path(call, kind, &word.text).map_or_else(
            |standing| match standing {
                Standing::Refused(_) => Err(standing),
                _ => Ok(()),
            },
            Ok,
        )?;
        return Err(unknown(word));
    }
    let Some(pattern) = &word.pattern else { return path(call, kind, &word.text) };
    for folder in call.folders {
        let Some(names) = glob::expand(call.world, folder, pattern) else {
            return Err(doubt(format!("`{}` stands for too many files", word.text)));
        };
        if kind == Kind::Read && names.is_empty() && glob::may_be_secret(pattern, call.world.names) {
            return Err(doubt(format!("`{}` may stand for a file with secrets", word.text)));
        }
        for name in &names {
            if name.starts_with('-') {
                return Err(doubt(format!("`{}` stands for `{name}`, which is no file to the program", word.text)));
            }
            path(call, kind, name)?;
        }
    }
    Ok(())
}

fn path(call: &Call<'_>, kind: Kind, text: &str) -> Result<(), Standing> {
    for folder in call.folders {
        let found = call.world.find(folder, text);
        match found.place {
            Place::Nowhere | Place::Inside => {}
            // Its name is no secret.
            Place::Secret if kind == Kind::Names && found.path.starts_with(call.world.root) => {}
            Place::Secret => return Err(Standing::Refused(secret(&found.path))),
            Place::Listed if kind == Kind::Names => {}
            Place::Listed | Place::Outside => {
                return Err(doubt(format!("it reads outside the workspace: `{}`", found.path.display())));
            }
        }
    }
    Ok(())
}

/// Judges what is a revision or a path below the folder; a path behind a colon is one too.
fn revision(call: &Call<'_>, text: &str) -> Result<(), Standing> {
    let inner = text.split_once(':').map_or("", |(_, path)| path);
    for part in [text, inner] {
        let leaves = Path::new(part).components().any(|part| part.as_os_str() == "..");
        if leaves || part.starts_with('/') {
            path(call, Kind::Read, part)?;
            return Err(doubt(format!("`{text}` may lead outside the workspace")));
        }
        if call.world.names.is_secret(Path::new(part)) {
            return Err(Standing::Refused(secret(Path::new(part))));
        }
    }
    Ok(())
}

/// Looks through the folders a search would go through for files with secrets.
fn walk(call: &Call<'_>, roots: Vec<&str>, taken: &Taken<'_>) -> Result<(), Standing> {
    let roots = if roots.is_empty() { vec!["."] } else { roots };
    // ripgrep leaves hidden files out unless it is told otherwise.
    let skips_hidden = call.name == "rg" && !["--hidden", "-.", "-u", "--no-ignore"].iter().any(|name| taken.has(name));
    let mut left = MAX_WALKED;
    let folders = call.folders.iter();
    let mut open: Vec<PathBuf> = folders.flat_map(|folder| roots.iter().map(|root| folder.join(root))).collect();
    while let Some(folder) = open.pop() {
        let entries = call.world.disk.list(&folder, left);
        let Some(entries) = entries else {
            return Err(doubt("there are too many files to see whether any holds secrets".to_owned()));
        };
        left -= entries.len().min(left);
        for (name, is_folder) in entries {
            let is_hidden = name.starts_with('.') && skips_hidden;
            if is_hidden || name == ".git" {
                continue;
            }
            if call.world.names.is_secret(Path::new(&name)) {
                let shown = folder.join(&name);
                return Err(doubt(format!("it goes through folders with secrets in them: `{}`", shown.display())));
            }
            if is_folder {
                open.push(folder.join(name));
            }
        }
    }
    Ok(())
}

/// Returns every part of a word that may be a path to a program that is not known.
pub fn paths_in(text: &str) -> impl Iterator<Item = &str> {
    let behind = |sign: char| text.split_once(sign).map(|(_, rest)| rest);
    let joined = text.strip_prefix('-').and_then(|rest| rest.get(1..)).filter(|rest| rest.starts_with(['/', '.', '~']));
    let all = [Some(text), behind('='), behind('@'), behind(':'), text.split(':').next(), joined];
    let trimmed = all.into_iter().flatten().map(|part| part.trim_start_matches('@'));
    trimmed.filter(|part| !part.is_empty() && !part.contains("://") && !part.starts_with("//"))
}

/// Says that a file may hold secrets.
pub fn secret(path: &Path) -> String {
    format!("it reaches for `{}`, which may hold secrets", path.display())
}

/// Says that a word is known only when it runs.
pub fn unknown(word: &Word) -> Standing {
    match &word.pattern {
        Some(_) => doubt(format!("`{}` may stand for file names; quote it if it should not", word.text)),
        None => doubt(format!("what `{}` stands for is known only when it runs", word.text)),
    }
}

/// A reason to ask.
pub fn doubt(why: String) -> Standing {
    Standing::Doubt(why)
}

fn is_small(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = digits.splitn(2, '.');
    let is_number =
        |part: &str| !part.is_empty() && part.len() <= MAX_DIGITS && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.all(is_number)
}
