//! How is a terminal told what is no cell: a notification, a text to be copied, a link?
//!
//! By sequences that begin with `OSC`. What goes into them is made harmless first: a terminal would do what a sequence inside
//! says. Which of them a terminal knows is taken from what it calls itself; asked, many never answer. The forms are those of
//! iTerm2 (9), urxvt (777), kitty (99), xterm (52) and VTE (8).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::base::text::{prefix, visible};

/// Bytes of a text that is copied: what xterm and its like take in one sequence, after base64.
const MAX_COPIED_BYTES: usize = 74_000;
/// Bytes of a notification; more is not read.
const MAX_TOLD_BYTES: usize = 200;
/// Sounds the bell.
const BELL: &str = "\x07";
/// Ends an OSC sequence.
const END: &str = "\x1b\\";

/// How a terminal is told to notify.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Notify {
    /// The bell.
    Bell,
    /// iTerm2's form.
    Osc9,
    /// urxvt's form.
    Osc777,
    /// kitty's form.
    Osc99,
    /// Not at all.
    Off,
}

impl Notify {
    /// Finds the form that a terminal of these names takes; the bell where nothing better is known, and in multiplexers,
    /// which swallow the others.
    pub fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
        let term = variable("TERM").unwrap_or_default();
        let program = variable("TERM_PROGRAM").unwrap_or_default();
        if is_set("TMUX") || is_set("STY") || is_set("ZELLIJ") {
            Self::Bell
        } else if is_set("KITTY_WINDOW_ID") || term == "xterm-kitty" {
            Self::Osc99
        } else if term.starts_with("foot") || term.starts_with("rxvt") {
            Self::Osc777
        } else if matches!(program.as_str(), "iTerm.app" | "WezTerm" | "ghostty" | "WarpTerminal") {
            Self::Osc9
        } else {
            Self::Bell
        }
    }

    /// Words a notification.
    pub fn say(self, text: &str) -> String {
        let text = visible(prefix(text, MAX_TOLD_BYTES)).replace([';', '\n'], ",");
        match self {
            Self::Off => String::new(),
            Self::Bell => BELL.to_owned(),
            Self::Osc9 => format!("\x1b]9;mimi: {text}{END}"),
            Self::Osc777 => format!("\x1b]777;notify;mimi;{text}{END}"),
            Self::Osc99 => format!("\x1b]99;;mimi: {text}{END}"),
        }
    }
}

/// Says whether a terminal of these names makes links of text that is marked as one.
pub fn knows_links(variable: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name: &str| variable(name).is_some_and(|value| !value.is_empty());
    let term = variable("TERM").unwrap_or_default();
    let program = variable("TERM_PROGRAM").unwrap_or_default();
    let is_new_vte = variable("VTE_VERSION").and_then(|version| version.parse().ok()).is_some_and(|n: u32| n >= 5000);
    if is_set("TMUX") || is_set("STY") || is_set("ZELLIJ") {
        return false;
    }
    ["xterm-kitty", "foot", "alacritty", "xterm-ghostty"].iter().any(|known| term.starts_with(known))
        || matches!(program.as_str(), "iTerm.app" | "WezTerm" | "ghostty" | "vscode")
        || is_new_vte
        || is_set("WT_SESSION")
        || is_set("KONSOLE_VERSION")
}

/// Words what puts a text into the clipboard, also over SSH; none when it is too long for terminals to take.
pub fn copy(text: &str) -> Option<String> {
    (text.len() <= MAX_COPIED_BYTES).then(|| format!("\x1b]52;c;{}{END}", STANDARD.encode(text)))
}

/// Finds the addresses in a row, as ranges of its characters. Only those that end before the row does: one that is broken
/// over rows would lead elsewhere.
pub fn addresses(row: &[char]) -> Vec<std::ops::Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < row.len() {
        let begins = ["https://", "http://"].iter().any(|mark| starts_with(&row[at..], mark));
        if !begins || (at > 0 && row[at - 1].is_alphanumeric()) {
            at += 1;
            continue;
        }
        let len = row[at..].iter().take_while(|c| c.is_ascii_graphic() && !"<>\"`|{}\\^'".contains(**c)).count();
        let mut end = at + len;
        while end > at && ".,;:!?)]*_".contains(row[end - 1]) {
            end -= 1;
        }
        if at + len < row.len() && end > at + "https://".len() {
            found.push(at..end);
        }
        at += len.max(1);
    }
    found
}

fn starts_with(row: &[char], mark: &str) -> bool {
    row.len() >= mark.len() && row.iter().zip(mark.chars()).all(|(is, expected)| *is == expected)
}

/// Begins a link to an address.
pub fn link(address: &str) -> String {
    format!("\x1b]8;;{address}{END}")
}

/// Ends a link.
pub const LINK_END: &str = "\x1b]8;;\x1b\\";

#[cfg(test)]
mod tests {
    use super::*;

    fn env(pairs: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
        move |name| pairs.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn a_terminal_is_told_in_its_own_form() {
        type Row = (&'static [(&'static str, &'static str)], Notify, bool);
        let table: [Row; 7] = [
            (&[("TERM", "xterm-kitty")], Notify::Osc99, true),
            (&[("TERM", "foot-extra")], Notify::Osc777, true),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], Notify::Osc9, true),
            (&[("TERM", "xterm-256color"), ("VTE_VERSION", "7600")], Notify::Bell, true),
            (&[("TERM", "xterm-256color")], Notify::Bell, false),
            (&[("TERM", "xterm-kitty"), ("TMUX", "x")], Notify::Bell, false),
            (&[], Notify::Bell, false),
        ];
        for (pairs, notify, links) in table {
            assert_eq!((Notify::of(env(pairs)), knows_links(env(pairs))), (notify, links), "{pairs:?}");
        }
    }

    #[test]
    fn nothing_a_model_writes_gets_out_of_a_notification() {
        let evil = "done\x1b\\\x1b]0;owned\x07;x\ny";
        for notify in [Notify::Osc9, Notify::Osc777, Notify::Osc99] {
            let said = notify.say(evil);
            assert_eq!(said.matches('\x1b').count(), 2, "{said:?}");
            assert!(!said.contains('\x07') && !said.contains('\n'), "{said:?}");
        }
        assert_eq!(Notify::Off.say(evil), "");
    }

    #[test]
    fn what_is_copied_is_the_text_and_too_much_is_not() {
        assert_eq!(copy("a\x1b"), Some("\x1b]52;c;YRs=\x1b\\".to_owned()));
        assert_eq!(copy(&"x".repeat(MAX_COPIED_BYTES + 1)), None);
    }

    #[test]
    fn addresses_are_found_where_they_are_whole() {
        let table: [(&str, &[&str]); 6] = [
            ("see https://a.org/x?y=1. And", &["https://a.org/x?y=1"]),
            ("(http://a.org/b) or <https://c.org>", &["http://a.org/b", "https://c.org"]),
            ("xhttps://a.org ", &[]),
            ("https:// ", &[]),
            ("broken https://a.org/long", &[]),
            ("日本 https://a.org ", &["https://a.org"]),
        ];
        for (row, expected) in table {
            let signs: Vec<char> = row.chars().collect();
            let found: Vec<String> = addresses(&signs).into_iter().map(|range| signs[range].iter().collect()).collect();
            assert_eq!(found, expected, "{row}");
        }
    }
}
