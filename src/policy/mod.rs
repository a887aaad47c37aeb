//! May this be done?
//!
//! [`Policy::decide`] judges the actions a call would carry out: the strictest answer of all wins. It looks at the disk to
//! see where paths lead, and must not run or write anything; text of the model is never an argument for permission. What
//! nobody thought of asks.
//! To add a kind of rule: a variant in [`rules`]. To protect a name, or to refuse a command for everybody: a line in
//! `config/policy.yaml`. To let a program that only looks run unasked: a row in `config/programs.yaml`.

pub mod command;
pub mod commands;
pub mod error;
pub mod explain;
pub mod files;
pub mod host;
pub mod kept;
pub mod layers;
pub mod offer;
pub mod path;
pub mod rule_file;
pub mod rules;
pub mod words;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use crate::base::yaml::{self, Node};
use crate::exec::sandbox::Tier;
use crate::policy::command::place::{Disk, World};
use crate::policy::command::{Reading, disk::RealDisk};
use crate::policy::error::PolicyError;
use crate::policy::path::Names;
use crate::policy::rule_file::{Examples, Right};
use crate::policy::rules::{Force, Rule, Stated, Where};
use crate::protocol::op::Mode;
use crate::protocol::tool::Action;

/// The answer for one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It may run, there.
    Allow(Where),
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

/// Where the judged actions take place.
#[derive(Clone)]
pub struct Ground {
    /// The workspace, links followed.
    pub root: PathBuf,
    /// The home folder.
    pub home: PathBuf,
    /// Folders only mimi itself writes.
    pub guarded: Vec<PathBuf>,
    /// The disk.
    pub disk: Arc<dyn Disk>,
}

impl Ground {
    /// A workspace on this machine, without anything of mimi's own to guard.
    pub fn new(root: PathBuf, home: PathBuf) -> Self {
        Self { root, home, guarded: Vec::new(), disk: Arc::new(RealDisk::default()) }
    }
}

/// What may be done in one session.
pub struct Policy {
    /// How much may be done without asking.
    pub mode: Mode,
    /// What confines commands.
    tier: Tier,
    ground: Ground,
    /// Folders outside the workspace that may be read, such as the session's own spilled outputs.
    readable: Vec<PathBuf>,
    rules: Vec<Stated>,
    /// What the user allowed for the session.
    granted: Vec<Rule>,
    names: Arc<Names>,
}

/// The rules of mimi itself.
static OWN: LazyLock<Result<Node, String>> = LazyLock::new(|| {
    let table = yaml::parse(include_str!("../../config/policy.yaml")).map_err(|error| error.to_string())?;
    table.get("rules").cloned().ok_or_else(|| "it has no rules".to_owned())
});

/// Reads the rules of mimi itself.
pub fn own_rules(ground: &Ground, examples: Examples) -> Result<Vec<Stated>, PolicyError> {
    let node = OWN.as_ref().map_err(|why| PolicyError::Table(why.clone()))?;
    rule_file::parse(node, "mimi's own rules,", Right::All, ground, examples)
        .map_err(|error| PolicyError::Table(error.to_string()))
}

impl Policy {
    /// Builds the policy of a workspace from the rules of the user; mimi's own come with it. Nothing confines commands until
    /// [`Self::confined_by`] says so.
    pub fn new(mode: Mode, ground: Ground, rules: Vec<Stated>) -> Result<Self, PolicyError> {
        let mut all = own_rules(&ground, Examples::Trusted)?;
        all.extend(rules);
        let (tier, readable, granted, names) = (Tier::None, Vec::new(), Vec::new(), Names::load()?);
        Ok(Self { mode, tier, ground, readable, rules: all, granted, names })
    }

    /// Judges commands as ones that this tier confines. One that was declared counts as one of mimi's: whoever declared it
    /// answers for the machine.
    #[must_use]
    pub fn confined_by(self, tier: Tier) -> Self {
        Self { tier, ..self }
    }

    /// Returns where commands run.
    pub fn place(&self) -> Where {
        if self.tier == Tier::None { Where::Host } else { Where::Sandbox }
    }

    /// Lets a folder outside the workspace be read.
    pub fn allow_reading(&mut self, folder: PathBuf) {
        self.readable.push(folder);
    }

    /// Returns every rule, mimi's own first.
    pub fn rules(&self) -> &[Stated] {
        &self.rules
    }

    /// Allows exactly this action for the rest of the session.
    pub fn grant(&mut self, action: &Action) {
        self.granted.push(Rule::exactly(action));
    }

    /// Allows what a rule covers that the user just agreed to; one that cannot be read allows nothing.
    pub fn agree(&mut self, rule: &str) {
        let origin = "agreed to in chat";
        self.rules
            .extend(rules::stated(&[rule.to_owned()], Force::Allow, origin, &self.ground.root).unwrap_or_default());
    }

    /// Judges a call by everything it would touch.
    pub fn decide(&self, actions: &[Action]) -> Decision {
        let mut asked: Option<(String, Vec<String>)> = None;
        let mut place = Where::Host;
        for action in actions {
            match self.decide_one(action) {
                Decision::Allow(Where::Sandbox) => place = Where::Sandbox,
                Decision::Allow(_) => {}
                Decision::Ask { why, rules } => match &mut asked {
                    Some((_, all)) => all.extend(rules),
                    None => asked = Some((why, rules)),
                },
                denied @ Decision::Deny { .. } => return denied,
            }
        }
        asked.map_or(Decision::Allow(place), |(why, rules)| Decision::Ask { why, rules })
    }

    /// Returns the files of the workspace that a command writes by redirection, absolute.
    pub fn led_into(&self, action: &Action) -> Vec<PathBuf> {
        let Action::Execute { command, cwd } = action else { return Vec::new() };
        let reading = self.read(command, rules::folder(cwd.as_ref(), &self.ground.root));
        reading.parts.into_iter().flat_map(|part| part.writes).collect()
    }

    /// Reads a command as it would be judged.
    pub fn read(&self, command: &str, cwd: &Path) -> Reading {
        let world = World {
            root: &self.ground.root,
            cwd,
            home: &self.ground.home,
            readable: &self.readable,
            guarded: &self.ground.guarded,
            names: &self.names,
            disk: self.ground.disk.as_ref(),
        };
        command::read(command, &world)
    }

    fn decide_one(&self, action: &Action) -> Decision {
        if let Action::Execute { command, cwd } = action {
            return self.decide_command(command, rules::folder(cwd.as_ref(), &self.ground.root), action);
        }
        if let Some(why) = self.refusal(action) {
            return Decision::Deny { why };
        }
        if self.granted.iter().any(|rule| rule.covers(action)) {
            return Decision::Allow(Where::Host);
        }
        if let Some(stated) = self.stated(Force::Ask, Where::Host).find(|stated| stated.rule.covers(action)) {
            return self.ask(&stated.reason(), action);
        }
        let mut allowing = self.stated(Force::Allow, Where::Host);
        if self.mode == Mode::Yolo || allowing.any(|stated| stated.rule.covers(action)) {
            return Decision::Allow(Where::Host);
        }
        match action {
            Action::Read { path } => self.decide_read(path, action),
            Action::Write { path } => self.decide_write(path, action),
            Action::Execute { .. } => self.ask("it runs a command", action),
            Action::Commit { .. } => self.ask("it records a commit", action),
        }
    }

    /// Returns the rules of one kind that hold in a place. What mimi does itself, it does on the host.
    fn stated(&self, force: Force, place: Where) -> impl Iterator<Item = &Stated> {
        let holds = move |stated: &Stated| stated.place == Where::Any || stated.place == place;
        self.rules.iter().filter(move |stated| stated.force == force && holds(stated))
    }

    /// Returns why an action is refused whatever the user's rules allow.
    fn refusal(&self, action: &Action) -> Option<String> {
        if let Some(stated) = self.stated(Force::Deny, Where::Host).find(|stated| stated.rule.covers(action)) {
            return Some(stated.reason());
        }
        if let Action::Read { path } | Action::Write { path } = action
            && self.names.is_secret(self.below_root(path))
        {
            return Some("the file may hold secrets; mimi neither reads nor writes such files".to_owned());
        }
        if self.mode == Mode::Plan && !matches!(action, Action::Read { .. }) {
            return Some(PLAN.to_owned());
        }
        None
    }

    fn ask(&self, why: &str, action: &Action) -> Decision {
        Decision::Ask { why: why.to_owned(), rules: vec![rules::relative_rule(action, &self.ground.root)] }
    }
}

/// Why plan mode refuses.
pub(super) const PLAN: &str = "plan mode only reads; say what you would do instead";

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
