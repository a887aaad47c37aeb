//! May this command line run?
//!
//! Each of its commands is judged on its own, and the strictest answer is that of the line: what refuses, then what asks, then
//! what allows. A command runs unasked when it only looks, or when a rule covers it, and when what it writes may be written.

use std::path::{Path, PathBuf};

use crate::policy::command::{Part, Standing};
use crate::policy::rules::{Force, Line, Where};
use crate::policy::words::Spot;
use crate::policy::{Decision, PLAN, Policy};
use crate::protocol::op::Mode;
use crate::protocol::tool::Action;

impl Policy {
    /// Judges a command line: each of its commands on its own, the strictest answer for all.
    pub(super) fn decide_command(&self, text: &str, cwd: &Path, action: &Action) -> Decision {
        let reading = self.read(text, cwd);
        let line = Line { text, reading: &reading, spot: Spot { cwd: cwd.to_path_buf() } };
        if let Some(stated) = self.stated(Force::Deny).find(|stated| stated.rule.speaks_of(&line, action)) {
            return Decision::Deny { why: stated.reason() };
        }
        if let Some(why) = reading.parts.iter().find_map(|part| match &part.standing {
            Standing::Refused(why) => Some(why.clone()),
            _ => None,
        }) {
            return Decision::Deny { why };
        }
        let looks = |part: &Part| part.standing == Standing::Looks && part.doubt.is_none();
        if self.mode == Mode::Plan {
            let only_looks =
                reading.doubt.is_none() && reading.parts.iter().all(|part| looks(part) && part.writes.is_empty());
            return if only_looks { Decision::Allow(Where::Host) } else { Decision::Deny { why: PLAN.to_owned() } };
        }
        if self.granted.iter().any(|rule| rule.covers_line(&line, action)) {
            return Decision::Allow(Where::Host);
        }
        if let Some(stated) = self.stated(Force::Ask).find(|stated| stated.rule.speaks_of(&line, action)) {
            return self.ask(&stated.reason(), action);
        }
        if self.stated(Force::Allow).any(|stated| stated.rule.covers_line(&line, action)) {
            return Decision::Allow(Where::Host);
        }
        match self.objection(&line, looks) {
            Some(why) => self.ask(&why, action),
            None => Decision::Allow(Where::Host),
        }
    }

    /// Returns why a line may not run unasked: of the line, or of the first command in it that neither only looks nor is
    /// covered by a rule.
    fn objection(&self, line: &Line<'_>, looks: impl Fn(&Part) -> bool) -> Option<String> {
        let allows = |part: &Part| self.stated(Force::Allow).any(|stated| stated.rule.covers_part(line, part));
        let parts = &line.reading.parts;
        let of_part = |part: &Part| match &part.standing {
            _ if looks(part) || allows(part) => None,
            Standing::Doubt(why) | Standing::Refused(why) => Some(why.clone()),
            Standing::Looks => part.doubt.clone(),
        };
        let unwritten = |path: &PathBuf| {
            let action = Action::Write { path: path.clone() };
            match self.decide_one(&action) {
                Decision::Allow(_) => None,
                Decision::Ask { why, .. } | Decision::Deny { why } => Some(format!("{why}: `{}`", path.display())),
            }
        };
        let by_parts = parts.iter().find_map(of_part);
        by_parts
            .or_else(|| line.reading.doubt.clone())
            .or_else(|| parts.iter().flat_map(|part| &part.writes).find_map(unwritten))
    }
}
