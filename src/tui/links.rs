//! Which words of a row lead somewhere, and where to?
//!
//! Addresses, and files of the conversation with the line named behind them. Only what is whole in its row: a part of a name would
//! lead elsewhere. Nothing is looked up on the disk: who draws says which names are files.
//! The form of addresses of files is that of RFC 8089; kitty goes to the line that stands behind `#`.

use std::ops::Range;

use crate::tui::telling::addresses;

/// Where names of files lead.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// This machine, as the terminal may know it.
    pub host: String,
    /// The folder that names are relative to, absolute.
    pub root: String,
    /// What the terminal makes of lines.
    pub lines: Lines,
}

/// What a terminal makes of a line behind a file's address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Lines {
    /// It does not know them.
    #[default]
    Unknown,
    /// It goes there.
    Behind,
}

impl Links {
    /// Finds what leads somewhere in a row, one sign a cell; `knows` says whether a name is that of a file.
    pub fn of(&self, row: &[char], knows: &dyn Fn(&str) -> bool) -> Vec<(Range<usize>, String)> {
        let mut found: Vec<(Range<usize>, String)> =
            addresses(row).into_iter().map(|range| (range.clone(), row[range].iter().collect())).collect();
        let n_addresses = found.len();
        for range in names(row) {
            let is_taken =
                found[..n_addresses].iter().any(|(other, _)| other.start < range.end && range.start < other.end);
            let text: String = row[range.clone()].iter().collect();
            let (name, line) = place(&text);
            let name = name.strip_prefix("./").unwrap_or(name);
            if !is_taken && knows(name) {
                found.push((range, self.address(name, line)));
            }
        }
        found
    }

    fn address(&self, name: &str, line: Option<usize>) -> String {
        let path = if name.starts_with('/') { name.to_owned() } else { format!("{}/{name}", self.root) };
        let line = line.filter(|_| self.lines == Lines::Behind).map_or_else(String::new, |line| format!("#{line}"));
        format!("file://{}{}{line}", self.host, escaped(&path))
    }
}

/// Finds the words of a row that may be names of files; one that the end of the row may have cut is none.
fn names(row: &[char]) -> Vec<Range<usize>> {
    let is_part = |c: &char| c.is_alphanumeric() || "/._-+@~:".contains(*c);
    let mut found = Vec::new();
    let mut at = 0;
    while at < row.len() {
        let len = row[at..].iter().take_while(|c| is_part(c)).count();
        let mut end = at + len;
        while end > at && ".:".contains(row[end - 1]) {
            end -= 1;
        }
        if end > at && at + len < row.len() {
            found.push(at..end);
        }
        at += len.max(1);
    }
    found
}

/// Splits a name from the line behind it; a column behind that is left out.
pub fn place(text: &str) -> (&str, Option<usize>) {
    let split = |text: &str| -> Option<(usize, usize)> {
        let at = text.rfind(':')?;
        Some((at, text[at + 1..].parse().ok()?))
    };
    match split(text) {
        None => (text, None),
        Some((end, number)) => match split(&text[..end]) {
            Some((before, line)) => (&text[..before], Some(line)),
            None => (&text[..end], Some(number)),
        },
    }
}

/// Writes what an address cannot hold as it is in its escaped form.
fn escaped(path: &str) -> String {
    let one = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'-' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    path.bytes().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_lead_there_where_they_are_whole() {
        let links = Links { host: "dgx".into(), root: "/home/a b".into(), lines: Lines::Behind };
        let knows = |name: &str| ["src/a.rs", "Makefile", "/etc/hosts"].contains(&name);
        let table: [(&str, &[&str]); 10] = [
            ("- Read src/a.rs: 31 lines", &["src/a.rs > file://dgx/home/a%20b/src/a.rs"]),
            ("at `src/a.rs:12`, and", &["src/a.rs:12 > file://dgx/home/a%20b/src/a.rs#12"]),
            ("(./src/a.rs:12:3).  ", &["./src/a.rs:12:3 > file://dgx/home/a%20b/src/a.rs#12"]),
            (
                "see /etc/hosts or Makefile. ",
                &["/etc/hosts > file://dgx/etc/hosts", "Makefile > file://dgx/home/a%20b/Makefile"],
            ),
            ("cut at the end: src/a.rs", &[]),
            ("other/src/a.rs  ", &[]),
            ("src/a.rs.bak  ", &[]),
            ("and/or b.rs  ", &[]),
            ("https://a.org/src/a.rs  ", &["https://a.org/src/a.rs > https://a.org/src/a.rs"]),
            ("日本 src/a.rs ", &["src/a.rs > file://dgx/home/a%20b/src/a.rs"]),
        ];
        for (row, expected) in table {
            let signs: Vec<char> = row.chars().collect();
            let found = links.of(&signs, &knows);
            let found: Vec<String> = found
                .into_iter()
                .map(|(range, to)| format!("{} > {to}", signs[range].iter().collect::<String>()))
                .collect();
            assert_eq!(found, expected, "{row}");
        }
    }

    #[test]
    fn a_terminal_that_knows_no_lines_is_sent_none() {
        let links = Links { root: "/p".into(), ..Links::default() };
        let row: Vec<char> = "a.rs:7 ".chars().collect();
        assert_eq!(links.of(&row, &|name| name == "a.rs"), [(0..6, "file:///p/a.rs".to_owned())]);
    }
}
