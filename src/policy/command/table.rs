//! What does `config/programs.yaml` say about a program?

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::text::fits;

/// What an operand is to the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A file whose content is shown.
    Read,
    /// A file or folder of which only names and sizes are shown.
    Names,
    /// Words.
    Text,
    /// A whole number of few digits.
    Number,
    /// A revision of git, or a path below the folder.
    Revision,
    /// Nothing may stand there.
    None,
}

/// What follows an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing.
    Nothing,
    /// A value, joined to it or as the next word.
    Value,
    /// A file that is read, as a value.
    File(Kind),
    /// Perhaps a value behind `=`.
    Perhaps,
}

/// How options are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Letters may be joined; two dashes start a long name.
    #[default]
    Usual,
    /// One dash starts a long name.
    Long,
    /// As usual, but only in front of the first operand.
    First,
    /// Nothing is an option.
    None,
}

/// Functions that look at the words themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "each is named after the program it looks at")]
pub enum Check {
    Echo,
    Printf,
    Test,
    Expr,
    Find,
    Sed,
    Awk,
    Jq,
    Cd,
    Date,
    Git,
    RefFormat,
    GitList,
    GitRemote,
    GitStash,
    GitReflog,
    GitWorktree,
    GitConfig,
}

impl Check {
    /// Says whether the function judges all words by itself, without options and operands.
    pub fn is_whole(self) -> bool {
        matches!(self, Self::Echo | Self::Printf | Self::Test | Self::Expr | Self::Find | Self::Cd)
    }
}

/// A program or sub-command.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schema {
    names: Vec<String>,
    #[serde(default)]
    options: Options,
    /// Kinds of operands; the last holds for all that follow.
    #[serde(default)]
    pub operands: Vec<Kind>,
    /// Most operands.
    pub max: Option<usize>,
    /// Options in place of the first operand.
    #[serde(default)]
    pub unless: Names,
    /// Options that go through folders, or `always`.
    #[serde(default)]
    pub walks: Names,
    /// How options are written.
    #[serde(default)]
    pub style: Style,
    /// What looks at the words themselves.
    pub check: Option<Check>,
    /// Sub-commands; without any the program has none.
    #[serde(default)]
    pub commands: Vec<Self>,
}

/// A program that starts another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wrapper {
    names: Vec<String>,
    options: Options,
    /// Operands in front of the program.
    #[serde(default)]
    pub operands: usize,
    /// Whether `NAME=value` may stand in front of the program.
    #[serde(default)]
    pub assignments: bool,
    /// Options with which it starts nothing and only says what a name means.
    #[serde(default)]
    pub lookup: Names,
    /// Whether what it starts is looked at for refusals only.
    #[serde(default)]
    pub sees: bool,
}

impl Wrapper {
    /// Returns what follows an option.
    pub fn option(&self, name: &str) -> Option<Takes> {
        self.options.get(name)
    }
}

impl Schema {
    /// Returns what follows an option; none for options that are not known.
    pub fn option(&self, name: &str) -> Option<Takes> {
        self.options.get(name)
    }

    /// Returns the row of a sub-command.
    pub fn command(&self, name: &str) -> Option<&Self> {
        self.commands.iter().find(|row| row.names.iter().any(|own| own == name))
    }

    /// Returns the kind of an operand.
    pub fn kind(&self, index: usize) -> Kind {
        self.operands.get(index).or(self.operands.last()).copied().unwrap_or(Kind::None)
    }
}

/// Names of options in one text.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "String")]
pub struct Names(Vec<String>);

impl From<String> for Names {
    fn from(text: String) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }
}

impl Names {
    /// Says whether the name is among them.
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|own| own == name)
    }
}

/// Options by name.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "String")]
struct Options(HashMap<String, Takes>);

impl From<String> for Options {
    fn from(text: String) -> Self {
        let read = |word: &str| {
            let (name, takes) = if let Some(name) = word.strip_suffix("[=]") {
                (name, Takes::Perhaps)
            } else if let Some(name) = word.strip_suffix("=read") {
                (name, Takes::File(Kind::Read))
            } else if let Some(name) = word.strip_suffix("=names") {
                (name, Takes::File(Kind::Names))
            } else if let Some(name) = word.strip_suffix('=') {
                (name, Takes::Value)
            } else {
                (word, Takes::Nothing)
            };
            (name.to_owned(), takes)
        };
        Self(text.split_whitespace().map(read).collect())
    }
}

impl Options {
    fn get(&self, name: &str) -> Option<Takes> {
        self.0.get(name).copied()
    }
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    programs: Vec<Schema>,
    wrappers: Vec<Wrapper>,
    shells: Vec<String>,
    interpreters: Vec<String>,
    fetchers: Vec<String>,
    senders: Vec<String>,
    assignments: Vec<String>,
    system: Vec<String>,
    builtins: Vec<String>,
}

static TABLE: LazyLock<Option<Table>> = LazyLock::new(|| Table::read().ok());

impl Table {
    /// Returns the compiled-in table; none when it is broken, which a test rules out.
    pub fn get() -> Option<&'static Self> {
        TABLE.as_ref()
    }

    fn read() -> Result<Self, crate::base::yaml::YamlError> {
        crate::base::yaml::from_str(include_str!("../../../config/programs.yaml"))
    }

    /// Returns the row of a program.
    pub fn program(&self, name: &str) -> Option<&Schema> {
        self.programs.iter().find(|row| row.names.iter().any(|own| own == name))
    }

    /// Returns the row of a wrapper.
    pub fn wrapper(&self, name: &str) -> Option<&Wrapper> {
        self.wrappers.iter().find(|row| row.names.iter().any(|own| own == name))
    }

    /// Says whether it is a shell.
    pub fn is_shell(&self, name: &str) -> bool {
        has(&self.shells, name)
    }

    /// Says whether it runs what it is given. A version behind the name does not matter.
    pub fn is_interpreter(&self, name: &str) -> bool {
        has(&self.interpreters, name)
            || has(&self.interpreters, name.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.'))
    }

    /// Says whether it fetches from elsewhere.
    pub fn is_fetcher(&self, name: &str) -> bool {
        has(&self.fetchers, name)
    }

    /// Says whether it sends or shows whatever it is given.
    pub fn is_sender(&self, name: &str) -> bool {
        has(&self.senders, name)
    }

    /// Says whether a variable may be set in front of a command.
    pub fn is_harmless(&self, variable: &str) -> bool {
        self.assignments.iter().any(|own| fits(own, variable))
    }

    /// Says whether it is part of bash.
    pub fn is_builtin(&self, name: &str) -> bool {
        has(&self.builtins, name)
    }

    /// Takes the folder off a program of the system; none for a path that leads elsewhere.
    pub fn bare<'a>(&self, program: &'a str) -> Option<&'a str> {
        match program.rsplit_once('/') {
            None => Some(program),
            Some((folder, name)) if has(&self.system, folder) => Some(name),
            Some(_) => None,
        }
    }
}

fn has(names: &[String], name: &str) -> bool {
    names.iter().any(|own| own == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    fn options(row: &Schema) -> usize {
        row.options.0.len() + row.commands.iter().map(options).sum::<usize>()
    }

    #[test]
    fn the_table_can_be_read_and_names_nothing_twice() {
        let table = Table::read().unwrap();
        let mut seen = HashSet::new();
        let names =
            table.programs.iter().flat_map(|row| &row.names).chain(table.wrappers.iter().flat_map(|row| &row.names));
        for name in names {
            assert!(seen.insert(name), "{name} stands there twice");
        }
        println!("{} programs, {} options", table.programs.len(), table.programs.iter().map(options).sum::<usize>());
    }

    #[test]
    fn options_that_write_or_run_are_in_no_row() {
        let table = Table::get().unwrap();
        let bad = [
            ("sort", "-o"),
            ("sort", "--output"),
            ("sort", "--compress-program"),
            ("sort", "-T"),
            ("uniq", "-o"),
            ("sed", "-i"),
            ("sed", "--in-place"),
            ("sed", "-f"),
            ("rg", "-z"),
            ("rg", "--pre"),
            ("rg", "--hostname-bin"),
            ("fd", "-x"),
            ("fd", "-X"),
            ("file", "-C"),
            ("file", "-f"),
            ("file", "-z"),
            ("jq", "-f"),
            ("jq", "-L"),
            ("tail", "-f"),
            ("tail", "-F"),
            ("tail", "--follow"),
            ("tree", "-o"),
            ("date", "-s"),
            ("date", "--set"),
            ("xxd", "-r"),
            ("wc", "--files0-from"),
            ("sort", "--files0-from"),
            ("du", "--files0-from"),
            ("grep", "-R"),
        ];
        for (program, option) in bad {
            assert_eq!(table.program(program).and_then(|row| row.option(option)), None, "{program} {option}");
        }
        let git = table.program("git").unwrap();
        for option in ["-C", "-c", "--git-dir", "--work-tree", "--exec-path", "-p", "--paginate"] {
            assert_eq!(git.option(option), None, "git {option}");
        }
        for command in ["log", "diff", "show", "grep", "blame"] {
            for option in [
                "--output",
                "-o",
                "--ext-diff",
                "--textconv",
                "--show-signature",
                "-O",
                "--open-files-in-pager",
                "--no-index",
            ] {
                let takes = git.command(command).and_then(|row| row.option(option));
                assert_eq!(takes, None, "git {command} {option}");
            }
        }
    }
}
