//! How is text cut, cleaned and compared before somebody reads it?
//!
//! Everything that enters the model's context or the terminal is capped here. Bytes from tools and models pass
//! [`visible`] before a terminal sees them, so that no control sequence of theirs ever works.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Returns the longest prefix of `text` that is at most `max_bytes` long and ends between characters.
pub fn prefix(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// Returns the longest suffix of `text` that is at most `max_bytes` long and starts between characters.
pub fn suffix(text: &str, max_bytes: usize) -> &str {
    &text[text.ceil_char_boundary(text.len().saturating_sub(max_bytes))..]
}

/// Cuts `text` to about `max_bytes` by leaving out its middle, whole lines where there are any.
///
/// `note` is put where the cut is, after the count of lines left out; both are on a line of their own.
pub fn clip_middle<'a>(text: &'a str, max_bytes: usize, note: &str) -> Cow<'a, str> {
    if text.len() <= max_bytes {
        return Cow::Borrowed(text);
    }
    // The end of a build or test log matters more than its start.
    let head = prefix(text, max_bytes / 3);
    let head = head.rfind('\n').map_or(head, |at| &head[..=at]);
    let tail = suffix(text, max_bytes - max_bytes / 3);
    let tail = tail.find('\n').map_or(tail, |at| &tail[at + 1..]);
    let omitted = &text[head.len()..text.len() - tail.len()];
    let lines = omitted.lines().count();
    Cow::Owned(join_clipped(head, &gap_note(lines as u64, omitted.len() as u64, note), tail))
}

/// Says how much is left out where text was cut, always in these words; `note` follows the counts.
pub fn gap_note(n_lines: u64, n_bytes: u64, note: &str) -> String {
    format!("[... {n_lines} lines, {n_bytes} bytes left out{note} ...]")
}

/// Puts `gap` on a line of its own between what is left of a text.
pub fn join_clipped(head: &str, gap: &str, tail: &str) -> String {
    let newline = if head.is_empty() || head.ends_with('\n') { "" } else { "\n" };
    format!("{head}{newline}{gap}\n{tail}")
}

/// Cuts one line to `max_bytes`, saying how much was cut.
pub fn clip_line(line: &str, max_bytes: usize) -> Cow<'_, str> {
    if line.len() <= max_bytes {
        return Cow::Borrowed(line);
    }
    let kept = prefix(line, max_bytes);
    Cow::Owned(format!("{kept}[... {} more bytes]", line.len() - kept.len()))
}

/// Returns the first line, for summaries, cut to `max_chars` characters with an ellipsis.
pub fn first_line(text: &str, max_chars: usize) -> String {
    let line = text.trim().lines().next().unwrap_or_default();
    if line.chars().count() <= max_chars {
        return line.to_owned();
    }
    line.chars().take(max_chars.saturating_sub(1)).chain(['…']).collect()
}

/// Replaces everything a terminal could act on, or a reader could be fooled by, with a visible form.
///
/// Keeps newline and tab. Escape, other C0 and C1 controls become `\x1b`-like text; bidirectional, zero-width and tag
/// characters become `\u{202e}`-like text (Unicode TR 9 and TR 36 name them).
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if !is_hidden(c) {
            out.push(c);
        } else if (c as u32) < 0x100 {
            let _ = write!(out, "\\x{:02x}", c as u32);
        } else {
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        }
    }
    Cow::Owned(out)
}

/// Does the same as [`visible`], but lets colours through: the one filter before a terminal.
///
/// Of all that a terminal acts on only `ESC [ ... m` passes, and of that only what changes how text looks and never whether it
/// can be seen or blinks (of the parameters of ECMA-48 SGR: 0 to 4, 7, 22 to 24, 27 and colours). A sequence that is cut off is shown, not held back.
pub fn coloured(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let (mut out, mut rest) = (String::with_capacity(text.len() + 16), text);
    while let Some(at) = rest.find(is_hidden) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let colour = colour_bytes(rest);
        let taken = if colour > 0 { colour } else { rest.chars().next().map_or(1, char::len_utf8) };
        let (piece, behind) = rest.split_at(taken);
        if colour > 0 {
            out.push_str(piece);
        } else {
            out.push_str(&visible(piece));
        }
        rest = behind;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Returns [`coloured`] text behind which nothing is coloured any more.
pub fn coloured_whole(text: &str) -> String {
    let mut out = coloured(text).into_owned();
    if out.contains('\u{1b}') {
        out.push_str("\u{1b}[0m");
    }
    out
}

/// Longest sequence that is taken for a colour; `38;2;255;255;255` has 16.
const MAX_COLOUR_BYTES: usize = 48;

/// Returns the length of the colour sequence a text begins with; 0 for none.
fn colour_bytes(text: &str) -> usize {
    let Some(inner) = text.strip_prefix("\u{1b}[") else { return 0 };
    let inner = prefix(inner, MAX_COLOUR_BYTES);
    let end = inner.find(|c: char| !c.is_ascii_digit() && c != ';').unwrap_or(inner.len());
    if !inner[end..].starts_with('m') || !are_looks(&inner[..end]) {
        return 0;
    }
    "\u{1b}[".len() + end + "m".len()
}

/// Says whether all parameters of a sequence say how text looks.
fn are_looks(parameters: &str) -> bool {
    let mut numbers = parameters.split(';');
    while let Some(number) = numbers.next() {
        let is_look = match number.parse::<u16>() {
            Err(_) => number.is_empty(),
            Ok(38 | 48) => {
                let n_more = match numbers.next() {
                    Some("5") => 1,
                    Some("2") => 3,
                    _ => return false,
                };
                (0..n_more).all(|_| numbers.next().is_some_and(|level| level.parse::<u8>().is_ok()))
            }
            Ok(number) => matches!(number, 0..=4 | 7 | 22..=24 | 27 | 30..=37 | 39..=47 | 49 | 90..=97 | 100..=107),
        };
        if !is_look {
            return false;
        }
    }
    true
}

/// Says whether a terminal could act on the character, or a reader be fooled by it.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        _ => {
            c.is_control()
                || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
                || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}' | '\u{061c}' | '\u{180e}')
        }
    }
}

/// Removes terminal colours and cursor motion from program output and resolves carriage returns.
///
/// What a progress bar overwrote is dropped, so that the model reads the line as a person would have seen it last.
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        let (body, end) = line.strip_suffix('\n').map_or((line, ""), |body| (body, "\n"));
        let body = body.trim_end_matches('\r');
        let last = body.rsplit('\r').find(|part| !part.is_empty()).unwrap_or_default();
        strip_escapes(last, &mut out);
        out.push_str(end);
    }
    out
}

/// Copies `line` to `out` without ECMA-48 escape sequences (CSI, OSC and two-character ones) and other controls.
fn strip_escapes(line: &str, out: &mut String) {
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\u{1b}' {
            if !c.is_control() || c == '\t' {
                out.push(c);
            }
            continue;
        }
        match chars.next() {
            Some('[') => while chars.next().is_some_and(|c| !('\u{40}'..='\u{7e}').contains(&c)) {},
            // The choice of a character set (`ESC ( B`), which terminfo's `sgr0` holds: intermediates, then one final byte.
            Some(' '..='/') => while chars.next().is_some_and(|c| (' '..='/').contains(&c)) {},
            Some(']' | 'P' | '^' | '_' | 'X') => {
                while let Some(c) = chars.next() {
                    if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}

/// Returns the candidate nearest in spelling to `word`, if any is near enough to be worth naming.
pub fn nearest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let score = |candidate: &str| strsim::jaro_winkler(&word.to_lowercase(), &candidate.to_lowercase());
    candidates
        .into_iter()
        .map(|candidate| (score(candidate), candidate))
        .filter(|(score, _)| *score > 0.75)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

/// Renders a size for people: `12 bytes`, `4.0 kB`, `1.5 GB` (powers of 1000).
pub fn size(bytes: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return count(usize::try_from(bytes).unwrap_or_default(), "byte");
    }
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", units[unit])
}

/// Renders a file name so that it stays on one line: one with control characters is quoted and escaped.
pub fn one_line_name(name: &str) -> Cow<'_, str> {
    if name.chars().any(char::is_control) { Cow::Owned(format!("{name:?}")) } else { Cow::Borrowed(name) }
}

/// Renders a count with its noun: `1 file`, `3 files`.
pub fn count(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// Quotes a text so that a shell reads it as one word.
pub fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Says whether `name` fits `pattern`, in which `*` stands for any text.
pub fn fits(pattern: &str, name: &str) -> bool {
    let Some((head, mut pattern)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut name) = name.strip_prefix(head) else {
        return false;
    };
    while let Some((part, rest)) = pattern.split_once('*') {
        let Some(at) = name.find(part) else {
            return false;
        };
        name = &name[at + part.len()..];
        pattern = rest;
    }
    name.ends_with(pattern)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_keeps_head_and_tail_and_counts_what_is_gone() {
        let text: String = (0..100).map(|n| format!("line {n}\n")).collect();
        let cut = clip_middle(&text, 120, "; see out.txt");
        assert!(cut.starts_with("line 0\n") && cut.ends_with("line 99\n"), "{cut}");
        assert!(cut.contains("lines") && cut.contains("left out; see out.txt ...]"), "{cut}");
        assert!(matches!(clip_middle("short", 120, ""), Cow::Borrowed("short")));
    }

    #[test]
    fn nothing_a_terminal_acts_on_survives() {
        assert_eq!(visible("a\x1b]0;x\x07b"), "a\\x1b]0;x\\x07b");
        assert_eq!(visible("safe\u{202e}evil\u{9b}"), "safe\\u{202e}evil\\x9b");
        assert_eq!(visible("tab\tand\nnewline é"), "tab\tand\nnewline é");
    }

    #[test]
    fn of_all_sequences_only_colours_pass() {
        for kept in [
            "\x1b[0m",
            "\x1b[m",
            "\x1b[1;31m",
            "\x1b[38;5;200m",
            "\x1b[38;2;1;2;255;4m",
            "\x1b[32;7mx\x1b[0m",
            "a\n\tb",
        ] {
            assert_eq!(coloured(kept), kept, "{kept:?}");
        }
        for gone in [
            "\x1b[8m",
            "\x1b[5m",
            "\x1b[1;8m",
            "\x1b[38;5m",
            "\x1b[38;5;300m",
            "\x1b[38;2;1;2m",
            "\x1b[2J",
            "\x1b[?25l",
            "\x1b[",
            "\x1b[31",
            "\x1b]0;title\x07",
            "\x1bc",
            "\u{9b}31m",
            "\x1b[>4m",
            "\x1b[4:3m",
            "\r",
            "\x08",
            "\u{202e}",
            "\u{200b}",
            "\u{e0041}",
        ] {
            let safe = coloured(gone);
            assert_eq!(safe, visible(gone), "{gone:?}");
            assert!(!safe.chars().any(is_hidden));
        }
        assert_eq!(coloured_whole("\x1b[31mred"), "\x1b[31mred\x1b[0m");
        assert_eq!(coloured_whole("plain"), "plain");
    }

    #[test]
    fn program_output_reads_as_it_last_looked() {
        let table = [
            ("\x1b[31mred\x1b[0m\n", "red\n"),
            ("10%\r50%\r100%\r\n", "100%\n"),
            ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x07\n", "link\n"),
            ("no newline", "no newline"),
            ("\x1b[1mbold\x1b(B\x1b[m \x1b)0x", "bold x"),
        ];
        for (raw, expected) in table {
            assert_eq!(plain(raw), expected);
        }
    }

    #[test]
    fn sizes_read_in_the_unit_that_fits() {
        let table = [(1, "1 byte"), (999, "999 bytes"), (1000, "1.0 kB"), (999_990, "1.0 MB"), (1 << 30, "1.1 GB")];
        for (bytes, expected) in table {
            assert_eq!(size(bytes), expected);
        }
    }

    #[test]
    fn the_nearest_word_is_named_only_when_near() {
        assert_eq!(nearest("max_stpes", ["max_steps", "mode"]), Some("max_steps"));
        assert_eq!(nearest("zzz", ["max_steps", "mode"]), None);
    }
}
