//! How is a rule written, and what does it cover?
//!
//! `shell:` takes a whole command, or the first words of one followed by ` *`; the latter never covers a command with
//! shell syntax in it, since `cargo test; rm -rf .` also starts with `cargo test`. A command that really ends in ` *` is
//! written ` \*`. Paths take globs.

use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};

use crate::policy::PolicyError;
use crate::protocol::tool::Action;

/// Characters that make a shell do more than start one program with plain words.
const SHELL_SYNTAX: &[char] = &[
    ';', '&', '|', '<', '>', '$', '`', '(', ')', '{', '}', '[', ']', '*', '?', '~', '!', '#', '\\', '"', '\'', '\n',
    '\r', '=',
];

/// Characters between which the commands of a line stand.
const COMMAND_ENDS: &[char] = &[';', '&', '|', '(', ')', '{', '}', '`', '\n', '\r'];

/// One rule, as written and as understood.
#[derive(Debug)]
pub struct Rule {
    text: String,
    pattern: Pattern,
}

#[derive(Debug)]
enum Pattern {
    Read(GlobMatcher),
    Write(GlobMatcher),
    /// The whole command.
    Command(String),
    /// The first words of a plain command.
    FirstWords(Vec<String>),
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

    /// Returns the rule as written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Says whether the rule, meant as a refusal, speaks of this action. Wider than [`Rule::covers`]: what a permission must
    /// not reach because of a `;` or a second blank, a refusal must not miss for the same reason.
    pub fn forbids(&self, action: &Action) -> bool {
        let words = match &self.pattern {
            Pattern::Command(whole) => whole.split_whitespace().map(str::to_owned).collect(),
            Pattern::FirstWords(words) => words.clone(),
            _ => return self.covers(action),
        };
        let Action::Execute { command } = action else { return false };
        let is_whole = matches!(self.pattern, Pattern::Command(_));
        self.covers(action)
            || command.split(COMMAND_ENDS).any(|part| {
                let given: Vec<&str> = part.split_whitespace().collect();
                given.starts_with(&words.iter().map(String::as_str).collect::<Vec<_>>())
                    && (!is_whole || given.len() == words.len())
            })
    }

    /// Says whether the rule speaks of this action.
    pub fn covers(&self, action: &Action) -> bool {
        match (&self.pattern, action) {
            (Pattern::Exactly(granted), action) => granted == action,
            (Pattern::Read(glob), Action::Read { path }) | (Pattern::Write(glob), Action::Write { path }) => {
                glob.is_match(path)
            }
            (Pattern::Command(whole), Action::Execute { command }) => command.trim() == whole,
            (Pattern::FirstWords(words), Action::Execute { command }) => starts_with_words(command, words),
            (Pattern::Commit, Action::Commit { .. }) => true,
            _ => false,
        }
    }
}

/// Returns the rule that would allow this action and no other, with paths relative to the workspace where they are inside.
pub fn relative_rule(action: &Action, root: &Path) -> String {
    let relative = |path: &Path| globset::escape(&path.strip_prefix(root).unwrap_or(path).display().to_string());
    match action {
        Action::Read { path } => format!("read:{}", relative(path)),
        Action::Write { path } => format!("write:{}", relative(path)),
        Action::Execute { command } => match split_last_star(command.trim()) {
            Some((words, slashes)) => format!("shell:{words} \\{slashes}*"),
            None => action.rule(),
        },
        Action::Commit { .. } => action.rule(),
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

fn starts_with_words(command: &str, words: &[String]) -> bool {
    if !is_plain(command) {
        return false;
    }
    let mut given = command.split_whitespace();
    words.iter().all(|word| given.next() == Some(word))
}
