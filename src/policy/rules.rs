//! How is a rule written, and what does it cover?
//!
//! In a few characters (`shell:cargo test *`, `write:src/**`), or as words with alternatives in a rule file. `shell:` takes a
//! whole command, or the first words of one followed by ` *`; every command of a line is matched on its own, so that
//! `cargo test; rm -rf .` is not covered because it also starts with `cargo test`. A command that really ends in ` *` is
//! written ` \*`. Paths take globs.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::policy::command::scan::Word;
use crate::policy::command::{Part, Reading, Standing};
use crate::policy::error::PolicyError;
use crate::policy::words::{Spot, WordRule};
use crate::protocol::tool::Action;

/// Characters that make a shell do more than start one program with plain words.
const SHELL_SYNTAX: &[char] = &[
    ';', '&', '|', '<', '>', '$', '`', '(', ')', '{', '}', '[', ']', '*', '?', '~', '!', '#', '\\', '"', '\'', '\n',
    '\r', '=',
];

/// Characters between which the commands of a line stand.
const COMMAND_ENDS: &[char] = &[';', '&', '|', '(', ')', '{', '}', '`', '\n', '\r'];

/// What a rule is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Force {
    /// It allows.
    Allow,
    /// It asks, whatever else allows.
    Ask,
    /// It refuses.
    Deny,
}

impl Force {
    /// Returns the word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Ask => "ask",
            Self::Deny => "deny",
        }
    }
}

/// Where something runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// In the sandbox.
    Sandbox,
    /// With all the user may do.
    Host,
    /// In either.
    #[default]
    Any,
}

/// A rule, what it is for, and where it was stated.
#[derive(Debug, Clone)]
pub struct Stated {
    /// The rule.
    pub rule: Rule,
    /// What it is for.
    pub force: Force,
    /// Where what it covers must run.
    pub place: Where,
    /// Why, in the words of who stated it.
    pub why: Option<String>,
    /// Where it was stated: `--allow`, a file and its line.
    pub origin: String,
}

impl Stated {
    /// Says why it refuses or asks.
    pub fn reason(&self) -> String {
        match &self.why {
            Some(why) => why.clone(),
            None => format!(
                "the rule `{}` {}",
                self.rule.text(),
                if self.force == Force::Deny { "denies it" } else { "asks" }
            ),
        }
    }
}

/// A command line as rules see it.
#[derive(Debug)]
pub struct Line<'a> {
    /// As bash will read it.
    pub text: &'a str,
    /// As it was read.
    pub reading: &'a Reading,
    /// Where it runs.
    pub spot: Spot,
}

/// One rule, as written and as understood.
#[derive(Debug, Clone)]
pub struct Rule {
    text: String,
    pattern: Pattern,
}

#[derive(Debug, Clone)]
enum Pattern {
    Read(GlobMatcher),
    Write(GlobMatcher),
    /// The whole command.
    Command(String),
    /// The first words of a plain command.
    FirstWords(Vec<String>),
    /// Words with alternatives.
    Words(Box<WordRule>),
    Commit,
    /// Exactly this action, granted by the user for the session.
    Exactly(Action),
}

impl Rule {
    /// Reads a rule; relative paths are below `root`.
    pub fn parse(text: &str, root: &Path) -> Result<Self, PolicyError> {
        let bad = |why: &str| PolicyError::BadRule { rule: text.to_owned(), why: why.to_owned() };
        let (kind, body) = text.split_once(':').ok_or_else(|| bad("it has no `kind:` in front"))?;
        let body = body.trim();
        if body.is_empty() {
            return Err(bad("nothing follows the colon"));
        }
        let glob = |body: &str| path_glob(body, root).map_err(|error| bad(&error.to_string()));
        let pattern = match kind.trim() {
            "read" => Pattern::Read(glob(body)?),
            "write" => Pattern::Write(glob(body)?),
            "shell" => command_pattern(body).map_err(bad)?,
            "git" if body == "commit" => Pattern::Commit,
            "git" => return Err(bad("`git:` knows only `commit`")),
            _ => return Err(bad("the kind is none of `read`, `write`, `shell`, `git`")),
        };
        Ok(Self { text: text.to_owned(), pattern })
    }

    /// Builds the rule that covers exactly this action.
    pub fn exactly(action: &Action) -> Self {
        Self { text: action.rule(), pattern: Pattern::Exactly(action.clone()) }
    }

    /// Builds a rule over words; `text` is how it is shown.
    pub fn over_words(text: String, rule: WordRule) -> Self {
        Self { text, pattern: Pattern::Words(Box::new(rule)) }
    }

    /// Returns the rule as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Says whether the rule covers something that is no command.
    pub fn covers(&self, action: &Action) -> bool {
        match (&self.pattern, action) {
            (Pattern::Exactly(granted), action) => granted == action,
            (Pattern::Read(glob), Action::Read { path }) | (Pattern::Write(glob), Action::Write { path }) => {
                glob.is_match(path)
            }
            (Pattern::Commit, Action::Commit { .. }) => true,
            _ => false,
        }
    }

    /// Says whether the rule, as one that allows, covers a line as a whole.
    pub fn covers_line(&self, line: &Line<'_>, action: &Action) -> bool {
        match &self.pattern {
            Pattern::Command(whole) => line.text.trim() == whole,
            Pattern::Exactly(granted) => granted == action,
            _ => false,
        }
    }

    /// Says whether the rule, as one that allows, covers one command of a line.
    pub fn covers_part(&self, line: &Line<'_>, part: &Part) -> bool {
        let may = part.is_own && part.doubt.is_none() && !matches!(part.standing, Standing::Refused(_));
        match &self.pattern {
            Pattern::Command(whole) => {
                may && line.text.get(part.range.clone()).is_some_and(|text| text.trim() == whole)
            }
            Pattern::FirstWords(first) => {
                let starts = |words: &Vec<Word>| {
                    words.iter().all(Word::is_literal)
                        && words.len() >= first.len()
                        && words.iter().zip(first).all(|(word, own)| word.text == *own)
                };
                may && part.layers.iter().take(part.n_allowable).any(starts)
            }
            Pattern::Words(rule) => rule.covers(part, &line.spot),
            _ => false,
        }
    }

    /// Says whether the rule, meant as a refusal or a question, speaks of this line. Wider than what allows: what a permission
    /// must not reach because of a `;` or a second blank, a refusal must not miss for the same reason.
    pub fn speaks_of(&self, line: &Line<'_>, action: &Action) -> bool {
        let words: Vec<&str> = match &self.pattern {
            Pattern::Command(whole) => whole.split_whitespace().collect(),
            Pattern::FirstWords(words) => words.iter().map(String::as_str).collect(),
            Pattern::Words(rule) => return line.reading.parts.iter().any(|part| rule.speaks_of(part, &line.spot)),
            _ => return self.covers_line(line, action),
        };
        let is_whole = matches!(self.pattern, Pattern::Command(_));
        let is_meant = |given: &[&str]| given.starts_with(&words) && (!is_whole || given.len() == words.len());
        self.covers_line(line, action)
            || line.text.split(COMMAND_ENDS).any(|part| is_meant(&part.split_whitespace().collect::<Vec<_>>()))
            || line.reading.parts.iter().flat_map(|part| &part.layers).any(|layer| {
                let mut texts: Vec<&str> = layer.iter().map(|word| word.text.as_str()).collect();
                if let Some(program) = texts.first_mut() {
                    *program = program.rsplit('/').next().unwrap_or_default();
                }
                is_meant(&texts)
            })
    }
}

/// Reads rules written in a few characters.
pub fn stated(texts: &[String], force: Force, origin: &str, root: &Path) -> Result<Vec<Stated>, PolicyError> {
    let state = |text: &String| {
        let rule = Rule::parse(text, root)?;
        Ok(Stated { rule, force, place: Where::Any, why: None, origin: origin.to_owned() })
    };
    texts.iter().map(state).collect()
}

/// Returns the rule that would allow this action and no other, with paths relative to the workspace where they are inside.
pub fn relative_rule(action: &Action, root: &Path) -> String {
    let relative = |path: &Path| globset::escape(&path.strip_prefix(root).unwrap_or(path).display().to_string());
    match action {
        Action::Read { path } => format!("read:{}", relative(path)),
        Action::Write { path } => format!("write:{}", relative(path)),
        Action::Execute { command, .. } => exact_command(command),
        Action::Commit { .. } => action.rule(),
    }
}

/// Returns the rule for exactly this command.
pub fn exact_command(command: &str) -> String {
    match split_last_star(command.trim()) {
        Some((words, slashes)) => format!("shell:{words} \\{slashes}*"),
        None => format!("shell:{command}"),
    }
}

/// Takes a last word `*`, `\*`, `\\*`, ... off a command: what stands before it, and its backslashes.
fn split_last_star(command: &str) -> Option<(&str, &str)> {
    let (words, last) = command.rsplit_once(' ')?;
    let slashes = last.strip_suffix('*')?;
    slashes.bytes().all(|byte| byte == b'\\').then_some((words, slashes))
}

fn path_glob(body: &str, root: &Path) -> Result<GlobMatcher, globset::Error> {
    let pattern = match body.starts_with('/') {
        true => body.to_owned(),
        // The root itself may hold characters that mean something in a glob.
        false => format!("{}/{body}", globset::escape(&root.to_string_lossy())),
    };
    Ok(GlobBuilder::new(&pattern).literal_separator(true).build()?.compile_matcher())
}

/// Says whether a shell does nothing with the command but start one program with these words.
pub fn is_plain(command: &str) -> bool {
    !command.contains(SHELL_SYNTAX) && !command.chars().any(char::is_control)
}

fn command_pattern(body: &str) -> Result<Pattern, &'static str> {
    let words = match split_last_star(body) {
        None => return Ok(Pattern::Command(body.to_owned())),
        Some((words, "")) => words,
        // One backslash says that the star is meant as it stands.
        Some((words, slashes)) => return Ok(Pattern::Command(format!("{words} {}*", &slashes[1..]))),
    };
    if !is_plain(words) {
        return Err("before ` *` only plain words may stand");
    }
    Ok(Pattern::FirstWords(words.split_whitespace().map(str::to_owned).collect()))
}

/// Returns the folder a command runs in.
pub fn folder<'a>(cwd: Option<&'a PathBuf>, root: &'a Path) -> &'a Path {
    cwd.map_or(root, PathBuf::as_path)
}
