//! What does a file of rules say?
//!
//! `policy.yaml` beside the user's `config.yaml`, `/etc/mimi/policy.yaml`, and a project's `.mimi/policy.yaml`, of which what
//! allows counts only once the user has trusted it. Every rule carries commands it must and must not match; a file whose rules do not do what they say, or
//! that cannot be read, is an error with its line, and nothing runs: a rule lost in silence is a permission.

use std::path::Path;

use serde::Deserialize;

use crate::base::yaml::{self, Node, Value};
use crate::config::file::{self, Guard};
use crate::policy::Ground;
use crate::policy::command::place::{Disk, World};
use crate::policy::command::{self, Reading};
use crate::policy::error::PolicyError;
use crate::policy::path::Names;
use crate::policy::rules::{Force, Line, Rule, Stated, Where};
use crate::policy::words::{Choice, Paths, Spot, WordRule};
use crate::protocol::tool::Action;

/// Most rules of a file.
const MAX_RULES: usize = 1000;

/// What a file may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Allow, ask and refuse: the user's own and the machine's.
    All,
    /// Ask and refuse; what would allow is checked and left out: a project nobody trusts.
    Narrow,
}

/// A rule as it stands in the file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Raw {
    allow: Option<Said>,
    ask: Option<Said>,
    deny: Option<Said>,
    #[serde(default)]
    options: Vec<Choice>,
    #[serde(default)]
    without: Vec<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default)]
    hosts: Vec<String>,
    #[serde(rename = "where")]
    place: Option<Where>,
    why: Option<String>,
    #[serde(rename = "match")]
    matching: Vec<String>,
    not_match: Vec<String>,
}

/// What a rule speaks of.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Said {
    /// A rule in a few characters.
    Short(String),
    /// Words.
    Words(Vec<Choice>),
}

/// Whether the examples of rules are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Examples {
    /// They are.
    Tried,
    /// They were, by a test of mimi.
    Trusted,
}

/// Reads a file of the user or of the machine; no rules when there is none.
pub fn load(path: &Path, ground: &Ground) -> Result<Vec<Stated>, PolicyError> {
    let unreadable = |source| PolicyError::Unreadable { source: Box::new(source) };
    let Some(text) = file::read(path, Guard::Unaltered).map_err(unreadable)? else { return Ok(Vec::new()) };
    read(&text, &path.display().to_string(), Right::All, ground)
}

/// Reads the text of a file named `shown`.
pub fn read(text: &str, shown: &str, right: Right, ground: &Ground) -> Result<Vec<Stated>, PolicyError> {
    let wrong = |line, why: String| PolicyError::BadFile { file: shown.to_owned(), line, why };
    let node = yaml::parse(text).map_err(|error| wrong(error.line, error.message))?;
    if let Some(entry) = node.entries().iter().find(|entry| entry.key != "rules") {
        return Err(wrong(entry.line, format!("unknown key `{}`; `rules` is the only one", entry.key)));
    }
    match (node.get("rules"), &node.value) {
        (Some(rules), _) => parse(rules, shown, right, ground, Examples::Tried),
        (None, Value::Null) => Ok(Vec::new()),
        (None, _) => Err(wrong(node.line, "it has no `rules:`".to_owned())),
    }
}

/// Reads the rules of a file named `shown`.
pub fn parse(
    rules: &Node,
    shown: &str,
    right: Right,
    ground: &Ground,
    examples: Examples,
) -> Result<Vec<Stated>, PolicyError> {
    let wrong = |line, why: String| PolicyError::BadFile { file: shown.to_owned(), line, why };
    let items = match &rules.value {
        Value::List(items) if items.len() <= MAX_RULES => items,
        Value::List(_) => return Err(wrong(rules.line, format!("it has more than {MAX_RULES} rules"))),
        Value::Null => return Ok(Vec::new()),
        _ => return Err(wrong(rules.line, format!("`rules` is {}; a list is expected", rules.kind()))),
    };
    let mut stated = Vec::with_capacity(items.len());
    for item in items {
        let raw: Raw = yaml::from_node(item).map_err(|error| {
            let at = if error.path.is_empty() { String::new() } else { format!("`{}`: ", error.path) };
            wrong(error.line, format!("{at}{}", error.message))
        })?;
        let one = state(&raw, ground).map_err(|why| wrong(item.line, why))?;
        let one = Stated { origin: format!("{shown} line {}", item.line), ..one };
        if examples == Examples::Tried {
            try_examples(&raw, &one, ground).map_err(|why| wrong(item.line, why))?;
        }
        if right == Right::All || one.force != Force::Allow {
            stated.push(one);
        }
    }
    Ok(stated)
}

fn state(raw: &Raw, ground: &Ground) -> Result<Stated, String> {
    let given = [(Force::Allow, &raw.allow), (Force::Ask, &raw.ask), (Force::Deny, &raw.deny)];
    let mut given = given.into_iter().filter_map(|(force, said)| Some((force, said.as_ref()?)));
    let (Some((force, said)), None) = (given.next(), given.next()) else {
        return Err("a rule has one of `allow`, `ask` and `deny`".to_owned());
    };
    let narrows = !(raw.options.is_empty() && raw.without.is_empty() && raw.paths.is_empty() && raw.hosts.is_empty());
    let rule = match said {
        Said::Short(_) if narrows => {
            return Err("`options`, `without`, `paths` and `hosts` go with a list of words".to_owned());
        }
        Said::Short(text) => Rule::parse(text, &ground.root).map_err(|error| error.to_string())?,
        Said::Words(words) => {
            let paths = match raw.paths.is_empty() {
                true => None,
                false => Some(Paths::read(&raw.paths, &ground.root, &ground.home).map_err(|error| error.to_string())?),
            };
            let rule = WordRule {
                words: words.clone(),
                options: raw.options.clone(),
                without: raw.without.clone(),
                paths,
                hosts: raw.hosts.clone(),
            };
            if let Some(problem) = rule.problem(force == Force::Allow) {
                return Err(problem.to_owned());
            }
            Rule::over_words(rule.shown(), rule)
        }
    };
    if force == Force::Allow && raw.place.is_none() {
        return Err("a rule that allows says `where`: `sandbox`, `host` or `any`".to_owned());
    }
    Ok(Stated { rule, force, place: raw.place.unwrap_or_default(), why: raw.why.clone(), origin: String::new() })
}

/// Tries the examples on a disk without files.
fn try_examples(raw: &Raw, stated: &Stated, ground: &Ground) -> Result<(), String> {
    if raw.matching.is_empty() || raw.not_match.is_empty() {
        return Err("`match` and `not_match` need an example each".to_owned());
    }
    let names = Names::load().map_err(|error| error.to_string())?;
    let matches = |example: &String| is_match(stated, example, ground, &names);
    if let Some(missed) = raw.matching.iter().find(|example| !matches(example)) {
        return Err(format!("the rule does not match its own example `{missed}`"));
    }
    match raw.not_match.iter().find(|example| matches(example)) {
        Some(caught) => Err(format!("the rule matches `{caught}`, which stands under `not_match`")),
        None => Ok(()),
    }
}

fn is_match(stated: &Stated, example: &str, ground: &Ground, names: &Names) -> bool {
    let path = crate::base::path::resolve(&ground.root, Path::new(example)).absolute;
    let others = [Action::Read { path: path.clone() }, Action::Write { path }];
    if others.iter().any(|action| stated.rule.covers(action)) {
        return true;
    }
    if stated.rule.text() == "git:commit" {
        return example == "commit";
    }
    let world = World {
        root: &ground.root,
        cwd: &ground.root,
        home: &ground.home,
        readable: &[],
        guarded: &[],
        names,
        disk: &NoDisk,
    };
    let reading: Reading = command::read(example, &world);
    let line = Line { text: example, reading: &reading, spot: Spot { cwd: ground.root.clone() } };
    let action = Action::Execute { command: example.to_owned(), cwd: None };
    match stated.force {
        Force::Allow => {
            let own = || reading.parts.iter().filter(|part| part.is_own);
            stated.rule.covers_line(&line, &action)
                || (reading.doubt.is_none()
                    && own().count() > 0
                    && own().all(|part| stated.rule.covers_part(&line, part)))
        }
        Force::Ask | Force::Deny => stated.rule.speaks_of(&line, &action),
    }
}

/// A disk without files: what a rule means does not hang on what is there.
struct NoDisk;

impl Disk for NoDisk {
    fn follow(&self, path: &Path) -> std::path::PathBuf {
        path.to_path_buf()
    }

    fn list(&self, _: &Path, _: usize) -> Option<Vec<(String, bool)>> {
        Some(Vec::new())
    }

    fn program(&self, _: &str) -> Option<std::path::PathBuf> {
        None
    }

    fn text(&self, _: &Path) -> Option<String> {
        None
    }

    fn exists(&self, _: &Path) -> bool {
        false
    }
}

#[cfg(test)]
#[path = "rule_file_tests.rs"]
mod tests;
