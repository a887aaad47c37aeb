//! Where is kept what a person wrote before?
//!
//! One file, as the editor of lines keeps it, so that both faces know the same.

use std::path::Path;

use crate::base::path::{append_to, create_private_dir};

/// The first line of a history file, as the editor of lines writes it.
const HISTORY_MARK: &str = "#V2";

/// Keeps words as [`read`] reads them. The history is a convenience: failing to keep it is no error.
pub fn keep(path: &Path, words: &str) {
    let is_new = !path.exists();
    drop(path.parent().map(create_private_dir));
    let mark = if is_new { format!("{HISTORY_MARK}\n") } else { String::new() };
    let line = words.replace('\\', "\\\\").replace('\n', "\\n");
    drop(append_to(path, format!("{mark}{line}\n").as_bytes()));
}

/// Reads what was written before, as the editor of lines keeps it: one a line, line feeds and backslashes escaped.
pub fn read(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let Some(lines) = text.strip_prefix(HISTORY_MARK) else {
        return text.lines().map(str::to_owned).collect();
    };
    lines.lines().skip(1).map(unescaped).collect()
}

fn unescaped(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut signs = line.chars();
    while let Some(c) = signs.next() {
        match c {
            '\\' => match signs.next() {
                Some('n') => text.push('\n'),
                Some(other) => text.push(other),
                None => text.push('\\'),
            },
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let history = folder.path().join("history");
        let words = ["plain", "two\nlines", r"a \n that is none", "#V2"];
        words.iter().for_each(|words| keep(&history, words));
        assert_eq!(read(&history), words);
    }
}
