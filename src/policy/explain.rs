//! What would become of a command, and why?
//!
//! The same judgement as [`Policy::decide`], told part by part for a person who asks.

use std::path::Path;

use crate::policy::command::Standing;
use crate::policy::rules::{Force, Line};
use crate::policy::words::Spot;
use crate::policy::{Decision, Policy};
use crate::protocol::op::Mode;
use crate::protocol::tool::Action;

/// A judgement with its reasons.
#[derive(Debug)]
pub struct Explained {
    /// What would become of it.
    pub verdict: Force,
    /// Why.
    pub why: String,
    /// The same for each command in it.
    pub parts: Vec<ExplainedPart>,
    /// Rules that would allow it, where it asks.
    pub rules: Vec<String>,
}

/// One command of a line.
#[derive(Debug)]
pub struct ExplainedPart {
    /// Its text.
    pub text: String,
    /// What would become of it alone.
    pub verdict: Force,
    /// Why.
    pub why: String,
}

impl Policy {
    /// Judges a command in a folder and says why.
    pub fn explain(&self, command: &str, cwd: &Path) -> Explained {
        let action = Action::Execute { command: command.to_owned(), cwd: Some(cwd.to_path_buf()) };
        let (verdict, why, rules) = match self.decide(std::slice::from_ref(&action)) {
            Decision::Allow(_) => (Force::Allow, self.why_allowed(command, cwd), Vec::new()),
            Decision::Ask { why, rules } => (Force::Ask, why, rules),
            Decision::Deny { why } => (Force::Deny, why, Vec::new()),
        };
        let reading = self.read(command, cwd);
        let line = Line { text: command, reading: &reading, spot: Spot { cwd: cwd.to_path_buf() } };
        let by_rule = |part| {
            let mut allowing =
                self.stated(Force::Allow, self.place()).filter(|stated| stated.rule.covers_part(&line, part));
            allowing.next().map(|stated| format!("the rule `{}` ({})", stated.rule.text(), stated.origin))
        };
        let own = reading.parts.iter().filter(|part| part.is_own);
        let parts = own.map(|part| {
            let text = command.get(part.range.clone()).unwrap_or(command).to_owned();
            let (verdict, why) = match (&part.standing, by_rule(part)) {
                (Standing::Refused(why), _) => (Force::Deny, why.clone()),
                (_, Some(rule)) => (Force::Allow, rule),
                (Standing::Doubt(why), None) => (Force::Ask, why.clone()),
                (Standing::Looks, None) => match &part.doubt {
                    Some(why) => (Force::Ask, why.clone()),
                    None => (Force::Allow, "it only looks".to_owned()),
                },
            };
            ExplainedPart { text, verdict, why }
        });
        Explained { verdict, why, parts: parts.collect(), rules }
    }

    /// Says why a command that is allowed is.
    pub fn why_allowed(&self, command: &str, cwd: &Path) -> String {
        if self.mode == Mode::Yolo {
            return "the mode `yolo` allows what no rule refuses".to_owned();
        }
        let reading = self.read(command, cwd);
        let line = Line { text: command, reading: &reading, spot: Spot { cwd: cwd.to_path_buf() } };
        let action = Action::Execute { command: command.to_owned(), cwd: Some(cwd.to_path_buf()) };
        let mut allowing = self.stated(Force::Allow, self.place());
        if allowing.any(|stated| stated.rule.covers_line(&line, &action)) || self.objection(&line).is_none() {
            return "every command in it only looks or is covered by a rule".to_owned();
        }
        format!("it is confined ({}), and the mode `auto` asks about nothing that is", self.tier.name())
    }
}
