//! What is offered while a mention or a command is being written?
//!
//! `@` at the beginning of a word offers files, folders, symbols, sessions, the changes; `/` at the beginning offers the
//! commands, and behind a command its arguments. The offer follows each key and narrows with it; taking it writes the rest.
//! What a mention adds is found when the words are sent, never here. Paths come from [`Want::Files`], what else there is to
//! find from [`Want::Picks`].

use crate::tui::fuzzy;
use crate::tui::key::Key;
use crate::tui::keymap::{Action, View};
use crate::tui::slash;
use crate::tui::state::choices::{Choice, Choices, Then};
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;
use crate::tui::state::{Front, Purpose, State};

/// Rows offered at most; more do not help to choose.
const MAX_OFFERED: usize = 50;
/// Characters before the cursor that are looked at; longer words are none that somebody types.
const MAX_TOKEN: usize = 400;
/// Milliseconds after which the files are listed anew.
const FILES_AGE_MS: u64 = 10_000;
/// What can be mentioned beside files, as it is written, with what it adds.
const KINDS: [(&str, &str); 4] = [
    ("@diff", "what changed since the last commit"),
    ("@codebase", "what the index finds for the words behind it"),
    ("@symbol:", "a function, type or constant by its name"),
    ("@session:", "how another session stands"),
];

/// What is looked for outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickKind {
    /// Functions, types and constants by name.
    Symbol,
    /// Other sessions.
    Session,
}

/// What is offered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picks {
    /// The word that is completed, from its mark to the cursor.
    token: String,
    /// Line and character it begins at.
    from: (usize, usize),
    /// The rows; each writes its words in the place of the token.
    pub choices: Choices,
}

/// What taking an offer is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Taking {
    /// To write on.
    Write,
    /// To send the words, if nothing is left to write.
    Send,
}

/// A word before the cursor that may be completed.
struct Token {
    text: String,
    from: (usize, usize),
    /// The words of its line before it.
    before: String,
}

impl State {
    /// Looks whether the word at the cursor can be completed, and with what; returns what is wanted for that.
    pub(super) fn look_for_picks(&mut self) -> Vec<Cmd> {
        let token = self.token();
        let Some(token) = token else {
            (self.picks, self.shut_picks) = (None, None);
            return Vec::new();
        };
        if self.shut_picks == Some(token.from) {
            self.picks = None;
            return Vec::new();
        }
        self.shut_picks = None;
        let mut cmds = Vec::new();
        let rows = self.rows_for(&token, &mut cmds);
        let Token { text, from, .. } = token;
        self.picks = (!rows.is_empty()).then(|| Picks { token: text, from, choices: Choices::new("", rows) });
        cmds
    }

    fn token(&self) -> Option<Token> {
        if self.purpose != Purpose::Words || self.front != Front::Chat || self.approval().is_some() {
            return None;
        }
        let (line, end) = self.composer.cursor();
        // The editor cannot go further than this within a line.
        if end > usize::from(u16::MAX) {
            return None;
        }
        let start = end.saturating_sub(MAX_TOKEN);
        let before: Vec<char> = self.composer.lines().get(line)?.chars().skip(start).take(end - start).collect();
        let from = begin_of_word(&before);
        let text: String = before[from..].iter().collect();
        let before: String = before[..from].iter().collect();
        let is_command =
            line == 0 && start == 0 && before.is_empty() && text.starts_with('/') && !text[1..].contains('/');
        let is_argument = line == 0 && start == 0 && before.starts_with('/');
        (is_command || is_argument || text.starts_with('@')).then_some(Token {
            text,
            from: (line, start + from),
            before,
        })
    }

    fn rows_for(&mut self, token: &Token, cmds: &mut Vec<Cmd>) -> Vec<Choice> {
        let Some(typed) = token.text.strip_prefix('@') else {
            return if token.before.is_empty() { commands(&token.text[1..]) } else { arguments(token) };
        };
        let kind = [("symbol:", PickKind::Symbol), ("session:", PickKind::Session)];
        if let Some((typed, kind)) = kind.iter().find_map(|(mark, kind)| Some((typed.strip_prefix(mark)?, *kind))) {
            return self.found_outside(&token.text, kind, typed, cmds);
        }
        if self.files_asked_ms.is_none_or(|at| self.now_ms.saturating_sub(at) > FILES_AGE_MS) {
            self.files_asked_ms = Some(self.now_ms);
            cmds.push(Cmd::Want(Want::Files));
        }
        let typed = typed.trim_matches('"');
        let kinds = KINDS.iter().filter(|(name, _)| name[1..].starts_with(typed));
        let kinds = kinds.map(|(name, meaning)| Choice::writing(name, meaning));
        let ranked =
            fuzzy::rank(typed, self.files.iter().map(|path| (path.as_str(), ""))).into_iter().take(MAX_OFFERED);
        kinds.chain(ranked.map(|at| mention(&self.files[at]))).collect()
    }

    /// What was found for this word stays until what is found for the next is there.
    fn found_outside(&mut self, token: &str, kind: PickKind, typed: &str, cmds: &mut Vec<Cmd>) -> Vec<Choice> {
        if self.found.0 != token {
            cmds.push(Cmd::Want(Want::Picks { kind, typed: typed.to_owned(), token: token.to_owned() }));
        }
        self.found.1.clone()
    }

    /// Takes what was found for a word; too late, it is nothing.
    pub(super) fn take_found(&mut self, token: String, rows: Vec<Choice>) -> Vec<Cmd> {
        if self.token().is_some_and(|now| now.text == token) {
            self.found = (token, rows);
            return self.look_for_picks();
        }
        Vec::new()
    }

    pub(super) fn on_picks(&mut self, key: Option<Key>, action: Option<Action>) -> Vec<Cmd> {
        let Some(picks) = &mut self.picks else { return Vec::new() };
        match action {
            Some(Action::Up) => picks.choices.go(-1),
            Some(Action::Down) => picks.choices.go(1),
            Some(Action::Complete) => return self.take_pick(Taking::Write),
            Some(Action::Choose) => return self.take_pick(Taking::Send),
            Some(Action::Close) => {
                self.shut_picks = Some(picks.from);
                self.picks = None;
            }
            _ => {
                let action = key.map_or(action, |key| self.keymap.action(View::Composer, key));
                let cmds = self.on_composer(key, action);
                return cmds.into_iter().chain(self.look_for_picks()).collect();
            }
        }
        Vec::new()
    }

    /// Writes what is chosen. Where it stands there already, or is all there is to say, the words are sent.
    fn take_pick(&mut self, taking: Taking) -> Vec<Cmd> {
        let Some(picks) = self.picks.take() else { return Vec::new() };
        let Some(Choice { label, then: Then::Write(words), .. }) = picks.choices.chosen().cloned() else {
            return Vec::new();
        };
        let is_final = taking == Taking::Send;
        let is_there = picks.token == words || picks.token == label;
        if !(is_final && is_there) {
            let goes_on = words.ends_with(':') || !is_final && words.ends_with('/');
            let gap = if goes_on || words.ends_with(' ') { "" } else { " " };
            self.composer.replace(picks.from, &format!("{words}{gap}"));
        }
        let is_command = picks.from == (0, 0) && label.starts_with('/') && !words.ends_with(' ');
        if is_final && (is_there || is_command) {
            return self.dispatch(None, Some(Action::Submit));
        }
        self.look_for_picks()
    }
}

/// Where the word that ends a line begins; blanks between quotes belong to it.
fn begin_of_word(line: &[char]) -> usize {
    let quote = line.windows(2).rposition(|pair| pair == ['@', '"']);
    if let Some(at) = quote.filter(|at| !line[at + 2..].contains(&'"')) {
        return at;
    }
    line.iter().rposition(|c| c.is_whitespace() || *c == '(').map_or(0, |at| at + 1)
}

fn mention(path: &str) -> Choice {
    let written = if path.contains(char::is_whitespace) { format!("@\"{path}\"") } else { format!("@{path}") };
    Choice::new(path, "", Then::Write(written))
}

/// The commands whose names fit; those that need more are written with room for it.
fn commands(typed: &str) -> Vec<Choice> {
    let ranked = fuzzy::rank(typed, slash::TABLE.iter().map(|row| (row.name, "")));
    let row = |row: &slash::Row| {
        let gap = if row.needs_argument() { " " } else { "" };
        let meaning = format!("{} {}", row.argument, row.help);
        Choice::new(row.name, meaning.trim_start(), Then::Write(format!("{}{gap}", row.name)))
    };
    ranked.into_iter().map(|at| row(&slash::TABLE[at])).collect()
}

/// The arguments of a command that takes one of several words.
fn arguments(token: &Token) -> Vec<Choice> {
    let name = token.before.trim();
    let Some(row) = slash::TABLE.iter().find(|row| row.name == name && row.argument.contains('|')) else {
        return Vec::new();
    };
    let words: Vec<&str> = row.argument.trim_matches(['[', ']']).split('|').collect();
    let ranked = fuzzy::rank(&token.text, words.iter().map(|word| (*word, "")));
    ranked.into_iter().map(|at| Choice::writing(words[at], "")).collect()
}

#[cfg(test)]
#[path = "picks_tests.rs"]
mod tests;
