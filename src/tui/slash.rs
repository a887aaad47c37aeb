//! Which commands can be typed inside a conversation?
//!
//! A table: name, argument, help, and what it means. To add one: a row and an arm in `chat`.

use crate::base::fault::{Fault, Kind};
use crate::base::text::nearest;
use crate::protocol::changes::Source;
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
    /// Reviews changes.
    Diff(Source),
    /// Copies the last answer, or a piece of code in it.
    Copy(Option<u32>),
    /// Mentions a file.
    Attach(Option<String>),
    /// Summarises the conversation.
    Compact,
    /// Goes somewhere around the conversation.
    Around(Go),
}

/// One row of the table.
pub struct Row {
    /// Name with its slash.
    pub name: &'static str,
    /// What it has to do with, for the help.
    pub group: &'static str,
    /// Argument, for the help.
    pub argument: &'static str,
    /// What it does.
    pub help: &'static str,
    read: fn(&str) -> Option<Slash>,
}

impl Row {
    /// Says whether the command is nothing without an argument.
    pub fn needs_argument(&self) -> bool {
        !self.argument.is_empty() && !self.argument.starts_with('[')
    }
}

/// Every command.
pub const TABLE: &[Row] = &[
    Row { name: "/help", group: "mimi", argument: "", help: "list these commands", read: |_| Some(Slash::Help) },
    Row {
        name: "/plan",
        group: "work",
        argument: "",
        help: "show the plan; plan mode (reads only) on or off",
        read: |_| Some(Slash::Plan),
    },
    Row {
        name: "/mode",
        group: "work",
        argument: "plan|ask|auto|yolo",
        help: "how much is done without asking",
        read: read_mode,
    },
    Row { name: "/model", group: "work", argument: "[NAME]", help: "show or change the model", read: read_model },
    Row {
        name: "/attach",
        group: "work",
        argument: "[PATH]",
        help: "a file or an image goes along with the next words",
        read: |argument| Some(Slash::Attach((!argument.is_empty()).then(|| argument.to_owned()))),
    },
    Row {
        name: "/copy",
        group: "work",
        argument: "[N]",
        help: "copy the last answer, or the Nth piece of code in it",
        read: |argument| match argument {
            "" => Some(Slash::Copy(None)),
            n => n.parse().ok().filter(|n| *n > 0).map(|n| Slash::Copy(Some(n))),
        },
    },
    Row {
        name: "/diff",
        group: "work",
        argument: "[turn|session|staged|REF|A..B]",
        help: "review changes hunk by hunk; of the working tree when nothing is named",
        read: |argument| Some(Slash::Diff(Source::named(argument))),
    },
    Row {
        name: "/undo",
        group: "turns",
        argument: "[N]",
        help: "take back the last turn, or N of them: files and words",
        read: |argument| read_turns(argument).map(Slash::Undo),
    },
    Row {
        name: "/redo",
        group: "turns",
        argument: "[N]",
        help: "do again what was taken back last",
        read: |argument| read_turns(argument).map(Slash::Redo),
    },
    Row {
        name: "/compact",
        group: "context",
        argument: "",
        help: "summarise the conversation to make room",
        read: |_| Some(Slash::Compact),
    },
    Row {
        name: "/sessions",
        group: "sessions",
        argument: "[WORDS]",
        help: "sessions of this project, or those in which the words were said",
        read: |words| board(Board::Sessions, words),
    },
    Row {
        name: "/new",
        group: "sessions",
        argument: "",
        help: "go on in a new session",
        read: |_| Some(Slash::Around(Go::New)),
    },
    Row {
        name: "/fork",
        group: "sessions",
        argument: "[TURN]",
        help: "go on in a copy of this session, up to the end of a turn",
        read: read_fork,
    },
    Row {
        name: "/rename",
        group: "sessions",
        argument: "NAME",
        help: "name this session",
        read: |name| Some(Slash::Around(Go::Rename(name.to_owned()))),
    },
    Row {
        name: "/export",
        group: "sessions",
        argument: "[FILE]",
        help: "write this session as Markdown",
        read: |file| Some(Slash::Around(Go::Export(file.to_owned()))),
    },
    Row {
        name: "/find",
        group: "context",
        argument: "[WORDS]",
        help: "find words in this conversation",
        read: |words| Some(Slash::Around(Go::Find(words.to_owned()))),
    },
    Row { name: "/open", group: "work", argument: "FILE[:LINE]", help: "look at a file", read: read_open },
    Row {
        name: "/artefacts",
        group: "work",
        argument: "",
        help: "files changed, searches and plans of this session",
        read: |words| board(Board::Made, words),
    },
    Row {
        name: "/context",
        group: "context",
        argument: "",
        help: "what fills the window; take something out of it",
        read: |words| board(Board::Context, words),
    },
    Row {
        name: "/checkpoints",
        group: "work",
        argument: "",
        help: "files as they were before each call; put them back",
        read: |words| board(Board::Checkpoints, words),
    },
    Row {
        name: "/ps",
        group: "work",
        argument: "",
        help: "what runs now; end it",
        read: |words| board(Board::Running, words),
    },
    Row {
        name: "/level",
        group: "mimi",
        argument: "[simple|advanced|expert]",
        help: "how much stands beside the conversation",
        read: read_level,
    },
    Row {
        name: "/layout",
        group: "mimi",
        argument: "[chat|build|debug]",
        help: "what stands beside it",
        read: read_layout,
    },
    Row { name: "/quit", group: "mimi", argument: "", help: "leave; the session is kept", read: |_| Some(Slash::Quit) },
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

/// Lists the commands for `/help`, by what they have to do with.
pub fn help() -> String {
    let mut groups: Vec<&str> = TABLE.iter().map(|row| row.group).collect();
    let mut seen = std::collections::BTreeSet::new();
    groups.retain(|group| seen.insert(*group));
    let of = |group: &str| {
        let rows = TABLE.iter().filter(|row| row.group == group);
        let rows =
            rows.map(|row| format!("  {:<22}  {}", format!("{} {}", row.name, row.argument).trim_end(), row.help));
        format!("{group}\n{}", rows.collect::<Vec<_>>().join("\n"))
    };
    groups.into_iter().map(of).collect::<Vec<_>>().join("\n")
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
