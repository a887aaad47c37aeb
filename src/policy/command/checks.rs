//! Which words of these programs make them more than onlookers?
//!
//! For programs whose words are a language of their own, or follow no usual rule of options.

use std::sync::LazyLock;

use regex::Regex;

use crate::policy::command::arguments::{Call, Taken, doubt, file, unknown};
use crate::policy::command::place::Place;
use crate::policy::command::scan::Word;
use crate::policy::command::table::{Check, Kind};
use crate::policy::command::{Standing, git};

/// What `find` may be told without doing more than finding; `=` takes a word, `=number`, `=names` and `=format` judged ones.
const FIND: &[(&str, &str)] = &[
    ("-name", "="),
    ("-iname", "="),
    ("-path", "="),
    ("-ipath", "="),
    ("-wholename", "="),
    ("-regex", "="),
    ("-iregex", "="),
    ("-regextype", "="),
    ("-type", "="),
    ("-size", "="),
    ("-mtime", "="),
    ("-mmin", "="),
    ("-atime", "="),
    ("-ctime", "="),
    ("-amin", "="),
    ("-cmin", "="),
    ("-newer", "=names"),
    ("-maxdepth", "=number"),
    ("-mindepth", "=number"),
    ("-perm", "="),
    ("-user", "="),
    ("-group", "="),
    ("-links", "="),
    ("-inum", "="),
    ("-printf", "=format"),
    ("-prune", ""),
    ("-print", ""),
    ("-print0", ""),
    ("-ls", ""),
    ("-depth", ""),
    ("-xdev", ""),
    ("-mount", ""),
    ("-empty", ""),
    ("-executable", ""),
    ("-readable", ""),
    ("-writable", ""),
    ("-quit", ""),
    ("-true", ""),
    ("-false", ""),
    ("-nouser", ""),
    ("-nogroup", ""),
    ("-not", ""),
    ("-a", ""),
    ("-and", ""),
    ("-o", ""),
    ("-or", ""),
    ("!", ""),
    ("(", ""),
    (")", ""),
    (",", ""),
    ("-daystart", ""),
];

/// Judges programs that have no options and operands in the usual sense.
pub fn whole(call: &Call<'_>, check: Check, words: &[Word]) -> Result<(), Standing> {
    match check {
        Check::Echo => echo(words),
        Check::Printf => printf(words),
        Check::Test => test(call, words),
        Check::Find => find(call, words),
        Check::Cd => cd(call, words),
        _ => literal(words),
    }
}

/// Judges what options and operands do not say.
pub fn rest(call: &Call<'_>, check: Check, taken: &Taken<'_>) -> Result<(), Standing> {
    let operands = || taken.operands.iter().map(|word| word.text.as_str());
    match check {
        Check::Sed => sed(taken),
        Check::Awk => awk(taken),
        Check::Jq => jq(taken),
        Check::Date if operands().any(|text| !text.starts_with('+')) => {
            Err(doubt("`date` may set the clock".to_owned()))
        }
        Check::RefFormat
        | Check::GitList
        | Check::GitRemote
        | Check::GitStash
        | Check::GitReflog
        | Check::GitWorktree
        | Check::GitConfig => git::rest(call, check, taken),
        _ => Ok(()),
    }
}

fn literal(words: &[Word]) -> Result<(), Standing> {
    words.iter().find(|word| !word.is_literal()).map_or(Ok(()), |word| Err(unknown(word)))
}

fn echo(words: &[Word]) -> Result<(), Standing> {
    if let Some(word) = words.iter().find(|word| word.unknown.is_some()) {
        return Err(unknown(word));
    }
    let escapes = words.iter().take_while(|word| word.text.starts_with('-')).any(|word| word.text.contains('e'));
    words.iter().try_for_each(|word| controls(&word.text, escapes))
}

fn printf(words: &[Word]) -> Result<(), Standing> {
    literal(words)?;
    let mut words = words.iter().map(|word| word.text.as_str()).skip_while(|text| *text == "--");
    let format = words.next().unwrap_or_default();
    if format.starts_with('-') {
        return Err(doubt(format!("`printf {format}` may set a variable")));
    }
    print_format(format)?;
    let escapes = format.contains("%b");
    words.try_for_each(|text| controls(text, escapes))
}

/// A format that prints its arguments and nothing a terminal would act on.
fn print_format(format: &str) -> Result<(), Standing> {
    static CONVERSION: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^%(%|[-+ #0']{0,5}[0-9]{0,3}(\.[0-9]{0,3})?[a-mo-zA-Z])").ok());
    controls(format, true)?;
    let odd = || doubt(format!("the format `{format}` may do more than print"));
    for (at, _) in format.match_indices('%') {
        // The second of `%%` is looked at too: as a conversion it is judged more strictly than it is read.
        let is_second = format[..at].ends_with('%');
        if !is_second && !CONVERSION.as_ref().is_some_and(|known| known.is_match(&format[at..])) {
            return Err(odd());
        }
    }
    Ok(())
}

/// Refuses what a terminal would act on, written out or as an escape.
fn controls(text: &str, reads_escapes: bool) -> Result<(), Standing> {
    let found = || Err(doubt("it prints characters that a terminal acts on".to_owned()));
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return found();
    }
    let mut chars = text.chars();
    while let Some(c) = chars.next().filter(|_| reads_escapes) {
        if c == '\\' && !matches!(chars.next(), Some('n' | 't' | '\\' | '"' | '\'') | None) {
            return found();
        }
    }
    Ok(())
}

/// `test` and `[`: bash computes subscripts, also those in quotes.
fn test(call: &Call<'_>, words: &[Word]) -> Result<(), Standing> {
    for word in words {
        if !word.is_literal() {
            return Err(unknown(word));
        }
        let text = word.text.as_str();
        if text != "[" && text != "]" && text.contains('[') || text == "-v" || text == "-R" {
            return Err(doubt(format!("bash may compute `{text}`")));
        }
        // Whether something is there tells little, but not of places outside.
        if text.contains('/') {
            file(call, Kind::Names, word)?;
        }
    }
    Ok(())
}

fn find(call: &Call<'_>, words: &[Word]) -> Result<(), Standing> {
    let mut rest = words.iter().peekable();
    while rest.next_if(|word| matches!(word.text.as_str(), "-P" | "-H")).is_some() {}
    while let Some(word) = rest.next_if(|word| !word.text.starts_with(['-', '!', '(', ')', ','])) {
        file(call, Kind::Names, word)?;
    }
    while let Some(word) = rest.next() {
        if !word.is_literal() {
            return Err(unknown(word));
        }
        let row = FIND.iter().find(|(name, _)| *name == word.text);
        let Some((_, takes)) = row else {
            return Err(doubt(format!("`find` may do more than find with `{}`", word.text)));
        };
        if takes.is_empty() {
            continue;
        }
        let Some(value) = rest.next() else { return Err(doubt(format!("`{}` lacks its value", word.text))) };
        match *takes {
            "=names" => file(call, Kind::Names, value)?,
            _ if !value.is_literal() => return Err(unknown(value)),
            "=number" if value.text.len() > 4 || !value.text.bytes().all(|byte| byte.is_ascii_digit()) => {
                return Err(doubt(format!("`{}` is no depth", value.text)));
            }
            "=format" => controls(&value.text, true)?,
            _ => {}
        }
    }
    Ok(())
}

fn cd(call: &Call<'_>, words: &[Word]) -> Result<(), Standing> {
    let [target] = words else { return Err(doubt("it changes to a folder that is not named".to_owned())) };
    if !target.is_literal() {
        return Err(unknown(target));
    }
    let leaves = |folder: &std::path::PathBuf| call.world.find(folder, &target.text).place != Place::Inside;
    match target.text.starts_with('-') || call.folders.iter().any(leaves) {
        true => Err(doubt(format!("it changes to a folder outside the workspace: `{}`", target.text))),
        false => Ok(()),
    }
}

fn sed(taken: &Taken<'_>) -> Result<(), Standing> {
    let given = taken.options.iter().filter(|(name, _)| name == "-e" || name == "--expression");
    let mut scripts: Vec<&str> = given.filter_map(|(_, value)| value.as_deref()).collect();
    if scripts.is_empty() {
        scripts.extend(taken.operands.first().map(|word| word.text.as_str()));
    }
    let odd = |script: &&str| !only_prints(script);
    match scripts.into_iter().find(odd) {
        Some(script) => Err(doubt(format!("the script `{script}` may do more than print"))),
        None => Ok(()),
    }
}

/// Says whether a script of `sed` only prints, deletes and replaces in what it shows. Whatever GNU sed could read in two ways
/// is left out: sets that hold the separator, comments, blocks, files, new lines.
fn only_prints(script: &str) -> bool {
    let mut rest = script.trim();
    while !rest.is_empty() {
        let Some(after) = address(rest) else { return false };
        let after = match after.trim_start().strip_prefix(',') {
            Some(second) => address(second.trim_start()).filter(|left| left.len() < second.trim_start().len()),
            None => Some(after),
        };
        let Some(after) = after else { return false };
        let after = after.trim_start();
        let after = after.strip_prefix('!').unwrap_or(after);
        let mut chars = after.chars();
        let left = match chars.next() {
            Some('p' | 'd' | 'q' | '=' | 'P' | 'D') => Some(chars.as_str()),
            Some('s') => replacement(chars.as_str()),
            _ => None,
        };
        let Some(left) = left else { return false };
        let left = left.trim_start();
        match left.strip_prefix(';') {
            Some(next) => rest = next.trim_start(),
            None if left.is_empty() => return true,
            None => return false,
        }
    }
    true
}

/// Takes an address off, if one stands there.
fn address(text: &str) -> Option<&str> {
    match text.chars().next() {
        Some('0'..='9') => Some(text.trim_start_matches(|c: char| c.is_ascii_digit() || c == '~')),
        Some('+') => Some(text[1..].trim_start_matches(|c: char| c.is_ascii_digit())),
        Some('$') => Some(&text[1..]),
        Some('/') => delimited(&text[1..], '/'),
        _ => Some(text),
    }
}

/// Takes a pattern and its separator off.
fn delimited(text: &str, separator: char) -> Option<&str> {
    let mut chars = text.char_indices();
    let mut in_set = false;
    while let Some((at, c)) = chars.next() {
        match c {
            '\n' => return None,
            '\\' => drop(chars.next().filter(|(_, c)| *c != '\n')?),
            '[' => in_set = true,
            ']' => in_set = false,
            _ if c == separator && in_set => return None,
            _ if c == separator => return Some(&text[at + c.len_utf8()..]),
            _ => {}
        }
    }
    None
}

/// `/from/to/flags` behind an `s`.
fn replacement(text: &str) -> Option<&str> {
    let separator = text.chars().next().filter(|c| c.is_ascii_punctuation() && !matches!(c, '\\' | '[' | ']' | ';'))?;
    let to = delimited(&text[1..], separator)?;
    let flags = delimited(to, separator)?;
    let left = flags.trim_start_matches(|c: char| matches!(c, 'g' | 'p' | 'i' | 'I') || c.is_ascii_digit());
    Some(left)
}

fn awk(taken: &Taken<'_>) -> Result<(), Standing> {
    static PRINTS: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let field = r"\$(?:[0-9]{1,3}|NF)|NR|NF";
        let when = r#"(?:NR ?(?:==|!=|<=|>=|<|>) ?[0-9]{1,9}|/[\w .,:=#@-]*/) ?"#;
        Regex::new(&format!(r"^ ?(?:{when})?(?:\{{ ?print(?: ?(?:{field})(?:(?: ?, ?| )(?:{field}))*)? ?;? ?\}})? ?$"))
            .ok()
    });
    let script = taken.operands.first().map_or("", |word| word.text.as_str());
    if !PRINTS.as_ref().is_some_and(|known| known.is_match(script)) {
        return Err(doubt("the script of `awk` may do more than print fields".to_owned()));
    }
    match taken.operands.iter().skip(1).any(|word| word.text.contains('=')) {
        true => Err(doubt("`awk` takes a word with `=` for a variable".to_owned())),
        false => Ok(()),
    }
}

fn jq(taken: &Taken<'_>) -> Result<(), Standing> {
    let filter = taken.operands.first().map_or("", |word| word.text.as_str());
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = filter.split(|c: char| !is_word(c));
    match words
        .into_iter()
        .find(|word| matches!(*word, "env" | "ENV" | "import" | "include" | "input_filename" | "modulemeta"))
    {
        Some(word) => Err(doubt(format!("`{word}` of `jq` reads more than its input"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_sed_that_only_print_are_told_from_others() {
        let table = [
            ("5p", true),
            ("1,20p", true),
            ("$p", true),
            ("/foo/p", true),
            ("/a/,/b/p", true),
            ("s/a/b/", true),
            ("s/a/b/g", true),
            ("s|a/b|c|gp", true),
            ("1d;s/x/y/", true),
            ("/^#/d", true),
            ("10q", true),
            ("1!d", true),
            ("s/[0-9]*//", true),
            ("2,+3p", true),
            ("1e touch x", false),
            ("s/a/b/e", false),
            ("s/a/b/w out", false),
            ("w out", false),
            ("r /etc/passwd", false),
            ("1r x", false),
            ("e", false),
            ("p;e", false),
            ("s/[/]/e;e x/", false),
            ("/a/{p}", false),
            ("p\nw x", false),
            ("s/a/b/\nw x", false),
            ("s/a\\\n/b/", false),
            ("a\\x", false),
            ("s;a;b;", false),
            ("y/a/b/", false),
            ("p}", false),
            ("s/x/y/ge", false),
            ("s,x,y,w f", false),
            ("1~2p", true),
            ("#n", false),
            ("$!N", false),
            ("", true),
        ];
        for (script, expected) in table {
            assert_eq!(only_prints(script), expected, "{script}");
        }
    }

    #[test]
    fn formats_that_a_terminal_acts_on_are_found() {
        let table = [
            ("%s\\n", true),
            ("%5.2f|%-10s", true),
            ("100%%\\n", true),
            ("\\033[0m", false),
            ("\\x1b", false),
            ("\\220", false),
            ("%n", false),
            ("%*d", false),
            ("%99999d", false),
            ("%(x)T", false),
            ("\\e", false),
            ("%", false),
            ("a\\", true),
        ];
        for (format, expected) in table {
            assert_eq!(print_format(format).is_ok(), expected, "{format}");
        }
    }
}
