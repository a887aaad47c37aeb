//! May this command line run?
//!
//! Each of its commands is judged on its own, and the strictest answer is that of the line: what refuses, then what asks, then
//! what allows. A command runs unasked when it only looks, or when a rule covers it, and when what it writes may be written;
//! in the mode `auto` also when it is confined and does not need what is outside of its walls.

use std::path::{Path, PathBuf};

use crate::policy::command::table::Table;
use crate::policy::command::{MAX_BYTES, Part, Standing, hidden};
use crate::policy::host;
use crate::policy::rules::{Force, Line, Where};
use crate::policy::words::Spot;
use crate::policy::{Decision, PLAN, Policy};
use crate::protocol::op::Mode;
use crate::protocol::tool::Action;

/// Folders of which a confined command has its own.
const OWN_FOLDERS: [&str; 3] = ["/tmp", "/var/tmp", "/dev/shm"];
/// What `git` does over the network.
const GIT_REMOTE: [&str; 6] = ["clone", "fetch", "ls-remote", "pull", "push", "send-pack"];

impl Policy {
    /// Judges a command line: each of its commands on its own, the strictest answer for all.
    pub(super) fn decide_command(&self, text: &str, cwd: &Path, action: &Action) -> Decision {
        let (reading, place) = (self.read(text, cwd), self.place());
        let line = Line { text, reading: &reading, spot: Spot { cwd: cwd.to_path_buf() } };
        if let Some(stated) = self.stated(Force::Deny, place).find(|stated| stated.rule.speaks_of(&line, action)) {
            return Decision::Deny { why: stated.reason() };
        }
        if let Some(why) = reading.parts.iter().find_map(|part| match &part.standing {
            Standing::Refused(why) => Some(why.clone()),
            _ => None,
        }) {
            return Decision::Deny { why };
        }
        if self.mode == Mode::Plan {
            let only_looks =
                reading.doubt.is_none() && reading.parts.iter().all(|part| looks(part) && part.writes.is_empty());
            return if only_looks { Decision::Allow(place) } else { Decision::Deny { why: PLAN.to_owned() } };
        }
        if self.granted.iter().any(|rule| rule.covers_line(&line, action)) {
            return Decision::Allow(place);
        }
        if let Some(stated) = self.stated(Force::Ask, place).find(|stated| stated.rule.speaks_of(&line, action)) {
            return self.ask(&stated.reason(), action);
        }
        let mut allowing = self.stated(Force::Allow, place);
        if self.mode == Mode::Yolo || allowing.any(|stated| stated.rule.covers_line(&line, action)) {
            return Decision::Allow(place);
        }
        match self.objection(&line) {
            Some(why) if self.mode == Mode::Auto => self.decide_in_auto(&why, &line, action),
            Some(why) => self.ask(&why, action),
            None => Decision::Allow(place),
        }
    }

    /// Judges a line to which there is an objection, where only what leaves the sandbox is to be asked about.
    fn decide_in_auto(&self, objection: &str, line: &Line<'_>, action: &Action) -> Decision {
        match self.place() {
            Where::Sandbox => match self.beyond(line) {
                Some(why) => self.ask(&why, action),
                None => Decision::Allow(Where::Sandbox),
            },
            _ => self.ask(&format!("{objection}, and nothing confines it here"), action),
        }
    }

    /// Returns why a line may not run unasked: of the line, or of the first command in it that neither only looks nor is
    /// covered by a rule.
    pub(super) fn objection(&self, line: &Line<'_>) -> Option<String> {
        let place = self.place();
        let allows = |part: &Part| self.stated(Force::Allow, place).any(|stated| stated.rule.covers_part(line, part));
        let parts = &line.reading.parts;
        let of_part = |part: &Part| match &part.standing {
            _ if looks(part) || allows(part) => None,
            Standing::Doubt(why) | Standing::Refused(why) => Some(why.clone()),
            Standing::Looks => part.doubt.clone(),
        };
        // What is odd about the whole line first: it may be what the rest hides behind.
        let of_line = line.reading.doubt.clone();
        let of_writes = || parts.iter().flat_map(|part| &part.writes).find_map(|path| self.unwritten(path));
        of_line.or_else(|| parts.iter().find_map(of_part)).or_else(of_writes)
    }

    /// Returns why a confined line needs something its walls keep from it, or cannot be told to a person as it is.
    fn beyond(&self, line: &Line<'_>) -> Option<String> {
        let is_long = || (line.text.len() > MAX_BYTES).then(|| format!("it is longer than {MAX_BYTES} bytes"));
        let parts = &line.reading.parts;
        let is_own = |path: &&PathBuf| OWN_FOLDERS.iter().any(|folder| path.starts_with(folder));
        let of_writes = || {
            let outside = parts.iter().flat_map(|part| &part.outside).filter(|path| !is_own(path));
            parts.iter().flat_map(|part| &part.writes).chain(outside).find_map(|path| self.unwritten(path))
        };
        // The network of a machine that was declared to be the boundary is what somebody made of it.
        let lack = if self.tier.confines() { ", and the sandbox has none" } else { "" };
        let dials = || parts.iter().find_map(dials).map(|what| format!("it needs the network for `{what}`{lack}"));
        hidden(line.text).or_else(is_long).or_else(of_writes).or_else(dials)
    }

    /// Returns why a file may not be written unasked.
    fn unwritten(&self, path: &Path) -> Option<String> {
        match self.decide_one(&Action::Write { path: path.to_path_buf() }) {
            Decision::Allow(_) => None,
            Decision::Ask { why, .. } | Decision::Deny { why } => Some(format!("{why}: `{}`", path.display())),
        }
    }
}

fn looks(part: &Part) -> bool {
    part.standing == Standing::Looks && part.doubt.is_none()
}

/// Returns the program or the host by which a command would use the network, by its words alone.
fn dials(part: &Part) -> Option<String> {
    let table = Table::get()?;
    if looks(part) {
        return None;
    }
    part.layers.iter().find_map(|words| {
        let name = words.first().and_then(|word| table.bare(&word.text))?;
        let has_remote = || words.iter().skip(1).any(|word| GIT_REMOTE.contains(&word.text.as_str()));
        let is_remote = table.is_fetcher(name) || table.is_sender(name) || (name == "git" && has_remote());
        let address = || {
            let mut texts = words.iter().skip(1).map(|word| word.text.as_str());
            texts.find_map(|text| host::of(&text[text.find("://").map(|_| 0)?..]))
        };
        if is_remote { Some(name.to_owned()) } else { address() }
    })
}
