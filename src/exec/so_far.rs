//! What has a command printed that still runs?
//!
//! A window into what [`super::run`] keeps of the output: whoever holds it may look while the command goes on, and sees the same
//! clipped text that the end would bring. Surprising: before the command has begun, and after its end, there is nothing to see.

use std::sync::{Arc, Mutex, PoisonError};

use crate::exec::capture::Peep;

/// What a command printed so far. Clones look at the same command.
#[derive(Debug, Clone, Default)]
pub struct SoFar(Arc<Mutex<Option<Peep>>>);

impl SoFar {
    /// Returns the text as a reader with little room should see it; none unless the command runs.
    pub fn text(&self) -> Option<String> {
        self.peep().as_ref().and_then(Peep::text)
    }

    /// Says whether the command runs.
    pub fn is_running(&self) -> bool {
        self.peep().is_some()
    }

    pub(super) fn watch(&self, peep: Option<Peep>) {
        *self.peep() = peep;
    }

    fn peep(&self) -> std::sync::MutexGuard<'_, Option<Peep>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
