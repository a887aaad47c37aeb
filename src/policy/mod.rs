//! May this be done?
//!
//! [`Policy::decide`] judges the actions a call would carry out: the strictest answer of all wins. It must not run, read
//! or write anything, and text of the model is never an argument for permission. What nobody thought of asks.
//! To add a rule kind: a variant in [`rules`]. To protect a name: a line in `config/policy.yaml`.

pub mod path;
pub mod rules;

use std::path::PathBuf;

use crate::base::fault::{Explain, Kind};
use crate::policy::path::Names;
use crate::policy::rules::Rule;
use crate::protocol::op::Mode;
use crate::protocol::tool::Action;

/// The answer for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may run.
    Allow,
    /// The user must say so first.
    Ask {
        /// Why, for the person asked.
        why: String,
        /// The rules that would allow it from now on.
        rules: Vec<String>,
    },
    /// It may not run.
    Deny {
        /// Why, for the model and the user.
        why: String,
    },
}

/// Why a policy cannot be built.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// A rule cannot be read.
    #[error("the rule `{rule}` is not understood: {why}")]
    BadRule {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        why: String,
    },
    /// The compiled-in table is broken.
    #[error("config/policy.yaml is broken: {0}")]
    Table(String),
}

impl Explain for PolicyError {
    fn kind(&self) -> Kind {
        match self {
            Self::BadRule { .. } => Kind::Config,
            Self::Table(_) => Kind::Bug,
        }
    }

    fn hints(&self) -> Vec<String> {
        vec![
            "rules look like `shell:cargo test`, `shell:make *`, `write:src/**`, `read:/etc/hosts`, `git:commit`"
                .to_owned(),
        ]
    }
}

/// What may be done in one session.
#[derive(Debug)]
pub struct Policy {
    /// How much may be done without asking.
    pub mode: Mode,
    root: PathBuf,
    /// Folders outside the workspace that may be read, such as the session's own spilled outputs.
    readable: Vec<PathBuf>,
    allow: Vec<Rule>,
    deny: Vec<Rule>,
    names: Names,
}

impl Policy {
    /// Builds the policy for the workspace at `root` from rule texts.
    pub fn new(mode: Mode, root: PathBuf, allow: &[String], deny: &[String]) -> Result<Self, PolicyError> {
        let parse = |texts: &[String]| texts.iter().map(|text| Rule::parse(text, &root)).collect::<Result<Vec<_>, _>>();
        let (allow, deny) = (parse(allow)?, parse(deny)?);
        Ok(Self { mode, root, readable: Vec::new(), allow, deny, names: Names::load()? })
    }

    /// Lets a folder outside the workspace be read.
    pub fn allow_reading(&mut self, folder: PathBuf) {
        self.readable.push(folder);
    }

    /// Allows exactly this action for the rest of the session.
    pub fn grant(&mut self, action: &Action) {
        self.allow.push(Rule::exactly(action));
    }

    /// Judges a call by everything it would touch.
    pub fn decide(&self, actions: &[Action]) -> Decision {
        let mut asked: Option<(String, Vec<String>)> = None;
        for action in actions {
            match self.decide_one(action) {
                Decision::Allow => {}
                Decision::Ask { why, rules } => match &mut asked {
                    Some((_, all)) => all.extend(rules),
                    None => asked = Some((why, rules)),
                },
                denied @ Decision::Deny { .. } => return denied,
            }
        }
        asked.map_or(Decision::Allow, |(why, rules)| Decision::Ask { why, rules })
    }

    fn decide_one(&self, action: &Action) -> Decision {
        if let Some(why) = self.refusal(action) {
            return Decision::Deny { why };
        }
        if self.allow.iter().any(|rule| rule.covers(action)) {
            return Decision::Allow;
        }
        match action {
            Action::Read { path } if self.may_read(path) => Decision::Allow,
            Action::Read { .. } => self.ask("it reads outside the workspace", action),
            Action::Write { path } => self.decide_write(path, action),
            Action::Execute { .. } => self.ask("it runs a command", action),
            Action::Commit { .. } => self.ask("it records a commit", action),
        }
    }

    /// Returns why an action is refused whatever the user's rules allow.
    fn refusal(&self, action: &Action) -> Option<String> {
        if let Some(rule) = self.deny.iter().find(|rule| rule.forbids(action)) {
            return Some(format!("the rule `{}` denies it", rule.text()));
        }
        if let Action::Read { path } | Action::Write { path } = action
            && self.names.is_secret(self.below_root(path))
        {
            return Some("the file may hold secrets; mimi neither reads nor writes such files".to_owned());
        }
        if self.mode == Mode::Plan && !matches!(action, Action::Read { .. }) {
            return Some("plan mode only reads; say what you would do instead".to_owned());
        }
        None
    }

    fn decide_write(&self, path: &std::path::Path, action: &Action) -> Decision {
        if !path.starts_with(&self.root) {
            return self.ask("it writes outside the workspace", action);
        }
        if self.names.is_protected(self.below_root(path)) {
            return self.ask("files there run code or change permissions later", action);
        }
        match self.mode {
            Mode::Auto => Decision::Allow,
            Mode::Ask | Mode::Plan => self.ask("it changes a file", action),
        }
    }

    fn may_read(&self, path: &std::path::Path) -> bool {
        path.starts_with(&self.root) || self.readable.iter().any(|folder| path.starts_with(folder))
    }

    /// Returns the part of the path the names are checked in: inside the workspace only what lies below it, so that a
    /// workspace that itself stands in a folder called `.docker` stays usable.
    fn below_root<'a>(&self, path: &'a std::path::Path) -> &'a std::path::Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }

    fn ask(&self, why: &str, action: &Action) -> Decision {
        Decision::Ask { why: why.to_owned(), rules: vec![rules::relative_rule(action, &self.root)] }
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
