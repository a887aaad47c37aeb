//! Is this the whole new content of a file, or did the writer leave parts out?
//!
//! Models that rewrite a long file like to write `// ... rest of the code` for what they did not change, or to forget it
//! without a word. Both destroy work, so both are refused; a change that means it can be made piece by piece.

use crate::edit::EditError;
use crate::edit::line_ends::{LfView, to_lf, with_end};

/// Files up to this many lines may shrink as they like: they fit on a few screens and are easily seen to be whole.
const SMALL_FILE_LINES: usize = 100;
/// Percentage of its lines a longer file must keep.
const MIN_KEPT_PERCENT: usize = 70;

/// What starts a comment, or stands alone, in the languages models write.
const COMMENT_STARTS: [&str; 11] = ["//", "#", "/*", "<!--", "--", ";", "%", "{/*", "\"\"\"", "...", "…"];
/// Words that, beside an ellipsis in a comment, say that something stays as it was.
const REST_WORDS: [&str; 12] = [
    "rest of",
    "existing",
    "unchanged",
    "remaining",
    "remains",
    "same as before",
    "as before",
    "omitted",
    "previous code",
    "other code",
    "code here",
    "keep the",
];

/// Checks that `new` does not leave parts of `old` out; `old` is empty for a new file.
pub fn check_whole(old: &str, new: &str) -> Result<(), EditError> {
    if let Some((index, line)) = new.lines().enumerate().find(|(_, line)| is_elision(line) && !has_line(old, line)) {
        return Err(EditError::Elided { line: index + 1, text: line.trim().chars().take(80).collect() });
    }
    let (old_lines, new_lines) = (old.lines().count(), new.lines().count());
    if old_lines > SMALL_FILE_LINES && new_lines * 100 < old_lines * MIN_KEPT_PERCENT {
        return Err(EditError::Shrunk { old_lines, new_lines });
    }
    Ok(())
}

/// Says whether a line is a comment that stands for code left out.
fn is_elision(line: &str) -> bool {
    let line = line.trim().to_lowercase();
    COMMENT_STARTS.iter().any(|start| line.starts_with(start))
        && (line.contains("...") || line.contains('…'))
        && REST_WORDS.iter().any(|word| line.contains(word))
}

fn has_line(text: &str, line: &str) -> bool {
    text.lines().any(|other| other.trim() == line.trim())
}

/// Gives content written with line feeds the line ends and the final newline of the file it replaces.
pub fn in_style_of(old: &str, new: &str) -> String {
    let view = LfView::new(old);
    let new = to_lf(new);
    let mut text = with_end(&new, view.usual_end()).into_owned();
    let has_final_end = |text: &str| text.ends_with('\n') || text.ends_with(view.usual_end());
    if has_final_end(old) && !text.is_empty() && !has_final_end(&text) {
        text.push_str(view.usual_end());
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_that_stand_for_code_are_told_from_comments() {
        let table = [
            ("// ... rest of the code", true),
            ("    # ... existing code ...", true),
            ("/* ... unchanged ... */", true),
            ("<!-- … remaining markup … -->", true),
            ("{/* ... rest of component */}", true),
            ("... (rest of the file remains the same)", true),
            ("-- ... other code here", true),
            ("// the rest of the arguments follow", false),
            ("let rest = [...existing];", false),
            ("# waiting...", false),
            ("println!(\"... existing\");", false),
        ];
        for (line, expected) in table {
            assert_eq!(is_elision(line), expected, "{line}");
            assert_eq!(check_whole("", &format!("a\n{line}\n")).is_err(), expected, "{line}");
            assert!(check_whole(line, &format!("a\n{line}\n")).is_ok(), "a line that was there may stay: {line}");
        }
    }

    #[test]
    fn a_long_file_may_not_lose_a_third_unnoticed() {
        let lines = |n: usize| "x\n".repeat(n);
        for (old, new, is_refused) in
            [(101, 70, true), (101, 71, false), (100, 1, false), (0, 5, false), (300, 209, true)]
        {
            assert_eq!(check_whole(&lines(old), &lines(new)).is_err(), is_refused, "{old} -> {new}");
        }
    }

    #[test]
    fn a_rewrite_takes_over_line_ends_and_final_newline() {
        let table = [
            ("a\r\nb\r\n", "x\ny", "x\r\ny\r\n"),
            ("a\r\nb\r\n", "x\r\ny\r\n", "x\r\ny\r\n"),
            ("a\nb", "x\ny\n", "x\ny\n"),
            ("a\n", "", ""),
            ("", "x", "x"),
        ];
        for (old, new, expected) in table {
            assert_eq!(in_style_of(old, new), expected);
        }
    }
}
