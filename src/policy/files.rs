//! May this file be read or written, where no rule says so?
//!
//! What mimi's own tools do with files, not what a command does. They work outside of any sandbox, so a mode that lets confined
//! commands run lets them write in the workspace and nowhere else.

use std::path::Path;

use crate::policy::rules::Where;
use crate::policy::{Decision, Policy};
use crate::protocol::op::Mode;
use crate::protocol::tool::Action;

impl Policy {
    /// Judges the reading of a file no rule speaks of.
    pub(super) fn decide_read(&self, path: &Path, action: &Action) -> Decision {
        let may = path.starts_with(&self.ground.root) || self.readable.iter().any(|folder| path.starts_with(folder));
        if may { Decision::Allow(Where::Host) } else { self.ask("it reads outside the workspace", action) }
    }

    /// Judges a change of a file no rule speaks of.
    pub(super) fn decide_write(&self, path: &Path, action: &Action) -> Decision {
        if !path.starts_with(&self.ground.root) {
            return self.ask("it writes outside the workspace", action);
        }
        if self.names.is_protected(self.below_root(path)) {
            return self.ask("files there run code or change permissions later", action);
        }
        match self.mode {
            Mode::Auto | Mode::Yolo => Decision::Allow(Where::Host),
            Mode::Ask | Mode::Plan => self.ask("it changes a file", action),
        }
    }

    /// Returns the part of the path the names are checked in: inside the workspace only what lies below it, so that a
    /// workspace that itself stands in a folder called `.docker` stays usable.
    pub(super) fn below_root<'a>(&self, path: &'a Path) -> &'a Path {
        path.strip_prefix(&self.ground.root).unwrap_or(path)
    }
}
