//! Which commands can be typed inside a conversation?
//!
//! A table: name, argument, help, and what it means. To add one: a row and an arm in `chat`.

use crate::base::fault::{Fault, Kind};
use crate::base::text::nearest;
use crate::protocol::changes::Source;
use crate::protocol::op::Mode;

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
    /// Summarises the conversation.
    Compact,
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
        name: "/diff",
        argument: "[turn|session|staged|REF|A..B]",
        help: "review changes hunk by hunk; of the working tree when nothing is named",
        read: |argument| Some(Slash::Diff(Source::named(argument))),
    },
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
    Row { name: "/quit", argument: "", help: "leave; the session is kept", read: |_| Some(Slash::Quit) },
];

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
