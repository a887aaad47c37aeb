//! Which commands can be typed inside a conversation?
//!
//! A table: name, argument, help, and what it means. To add one: a row and an arm in `chat`.

use crate::base::fault::{Fault, Kind};
use crate::base::text::nearest;
use crate::protocol::op::Mode;
use crate::tui::state::around::board::Kind as Board;
use crate::tui::state::around::go::Go;
use crate::tui::state::around::level::{Level, Preset};

/// A command typed in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slash {
    /// Lists the commands.
    Help,
    /// Leaves.
    Quit,
    /// Takes back so many of the last turns.
    Undo(u32),
    /// Does so many turns again that were taken back.
    Redo(u32),
    /// Shows the plan and switches plan mode on or off.
    Plan,
    /// Shows or changes the model.
    Model(Option<String>),
    /// Changes the mode.
    Mode(Mode),
    /// Summarises the conversation.
    Compact,
    /// Goes somewhere around the conversation.
    Around(Go),
}

/// One row of the table.
pub struct Row {
    /// Name with its slash.
    pub name: &'static str,
    /// Argument, for the help.
    pub argument: &'static str,
    /// What it does.
    pub help: &'static str,
    read: fn(&str) -> Option<Slash>,
}

/// Every command.
pub const TABLE: &[Row] = &[
    Row { name: "/help", argument: "", help: "list these commands", read: |_| Some(Slash::Help) },
    Row {
        name: "/plan",
        argument: "",
        help: "show the plan; plan mode (reads only) on or off",
        read: |_| Some(Slash::Plan),
    },
    Row { name: "/mode", argument: "plan|ask|auto|yolo", help: "how much is done without asking", read: read_mode },
    Row { name: "/model", argument: "[NAME]", help: "show or change the model", read: read_model },
    Row {
        name: "/undo",
        argument: "[N]",
        help: "take back the last turn, or N of them: files and words",
        read: |argument| read_turns(argument).map(Slash::Undo),
    },
    Row {
        name: "/redo",
        argument: "[N]",
        help: "do again what was taken back last",
        read: |argument| read_turns(argument).map(Slash::Redo),
    },
    Row {
        name: "/compact",
        argument: "",
        help: "summarise the conversation to make room",
        read: |_| Some(Slash::Compact),
    },
    Row {
        name: "/sessions",
        argument: "[WORDS]",
        help: "sessions of this project, or those in which the words were said",
        read: |words| board(Board::Sessions, words),
    },
    Row { name: "/new", argument: "", help: "go on in a new session", read: |_| Some(Slash::Around(Go::New)) },
    Row {
        name: "/fork",
        argument: "[TURN]",
        help: "go on in a copy of this session, up to the end of a turn",
        read: read_fork,
    },
    Row {
        name: "/rename",
        argument: "NAME",
        help: "name this session",
        read: |name| Some(Slash::Around(Go::Rename(name.to_owned()))),
    },
    Row {
        name: "/export",
        argument: "[FILE]",
        help: "write this session as Markdown",
        read: |file| Some(Slash::Around(Go::Export(file.to_owned()))),
    },
    Row {
        name: "/find",
        argument: "[WORDS]",
        help: "find words in this conversation",
        read: |words| Some(Slash::Around(Go::Find(words.to_owned()))),
    },
    Row { name: "/open", argument: "FILE[:LINE]", help: "look at a file", read: read_open },
    Row {
        name: "/artefacts",
        argument: "",
        help: "files changed, searches and plans of this session",
        read: |words| board(Board::Made, words),
    },
    Row {
        name: "/context",
        argument: "",
        help: "what fills the window; take something out of it",
        read: |words| board(Board::Context, words),
    },
    Row {
        name: "/checkpoints",
        argument: "",
        help: "files as they were before each call; put them back",
        read: |words| board(Board::Checkpoints, words),
    },
    Row { name: "/ps", argument: "", help: "what runs now; end it", read: |words| board(Board::Running, words) },
    Row {
        name: "/level",
        argument: "[simple|advanced|expert]",
        help: "how much stands beside the conversation",
        read: read_level,
    },
    Row { name: "/layout", argument: "[chat|build|debug]", help: "what stands beside it", read: read_layout },
    Row { name: "/quit", argument: "", help: "leave; the session is kept", read: |_| Some(Slash::Quit) },
];

fn board(kind: Board, words: &str) -> Option<Slash> {
    Some(Slash::Around(Go::Board(kind, words.to_owned())))
}

fn read_fork(argument: &str) -> Option<Slash> {
    let turn = if argument.is_empty() { None } else { Some(argument.parse().ok().filter(|turn| *turn > 0)?) };
    Some(Slash::Around(Go::Fork(turn)))
}

fn read_open(argument: &str) -> Option<Slash> {
    (!argument.is_empty()).then(|| Slash::Around(Go::Open(argument.to_owned())))
}

fn read_level(argument: &str) -> Option<Slash> {
    let level = if argument.is_empty() { None } else { Some(Level::named(argument)?) };
    Some(Slash::Around(Go::Level(level)))
}

fn read_layout(argument: &str) -> Option<Slash> {
    let preset = if argument.is_empty() { None } else { Some(Preset::named(argument)?) };
    Some(Slash::Around(Go::Preset(preset)))
}

fn read_mode(argument: &str) -> Option<Slash> {
    [Mode::Plan, Mode::Ask, Mode::Auto, Mode::Yolo].into_iter().find(|mode| mode.name() == argument).map(Slash::Mode)
}

fn read_turns(argument: &str) -> Option<u32> {
    if argument.is_empty() { Some(1) } else { argument.parse().ok().filter(|turns| *turns > 0) }
}

fn read_model(argument: &str) -> Option<Slash> {
    Some(Slash::Model((!argument.is_empty()).then(|| argument.to_owned())))
}

/// Reads a line; none when it is not a command but words for the model. A path such as `/etc/hosts is odd` is words.
pub fn parse(line: &str) -> Option<Result<Slash, Fault>> {
    let line = line.trim();
    let name = line.split_whitespace().next()?;
    let is_command_like = name.starts_with('/') && !name[1..].contains('/') && name.len() > 1;
    if !is_command_like {
        return None;
    }
    let Some(row) = TABLE.iter().find(|row| row.name == name) else {
        let near = nearest(name, TABLE.iter().map(|row| row.name));
        let fault = Fault::new(Kind::Usage, format!("there is no command `{name}`"));
        return Some(Err(
            fault.hint(near.map_or_else(|| "/help lists them".to_owned(), |near| format!("did you mean {near}?")))
        ));
    };
    let argument = line[name.len()..].trim();
    let wrong = || Fault::new(Kind::Usage, format!("`{name}` takes {}", row.argument));
    Some((row.read)(argument).ok_or_else(wrong))
}

/// Lists the commands for `/help`.
pub fn help() -> String {
    let rows = TABLE.iter().map(|row| format!("{:<22} {}", format!("{} {}", row.name, row.argument), row.help));
    rows.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_words() {
        let table = [
            ("/quit", Some(true)),
            ("  /model qwen3 ", Some(true)),
            ("/mode fast", Some(false)),
            ("/undo 2", Some(true)),
            ("/redo", Some(true)),
            ("/undo 0", Some(false)),
            ("/undo it", Some(false)),
            ("/qiut", Some(false)),
            ("/fork 3", Some(true)),
            ("/fork x", Some(false)),
            ("/open", Some(false)),
            ("/level expert", Some(true)),
            ("/layout wide", Some(false)),
            ("/etc/hosts looks odd", None),
            ("fix it", None),
            ("/", None),
        ];
        for (line, expected) in table {
            assert_eq!(parse(line).map(|result| result.is_ok()), expected, "{line}");
        }
        assert_eq!(parse("/model qwen3"), Some(Ok(Slash::Model(Some("qwen3".to_owned())))));
    }

    #[test]
    fn names_are_unique_and_each_stands_in_the_help() {
        let mut names: Vec<_> = TABLE.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
        assert!(TABLE.iter().all(|row| help().contains(row.help)));
    }
}
