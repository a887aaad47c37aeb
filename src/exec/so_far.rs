//! What has a command printed that still runs?
//!
//! A window into what [`super::run`] keeps of the output: whoever holds it may look while the command goes on, and sees the same
//! clipped text that the end would bring. Surprising: before the command has begun, and after its end, there is nothing to see.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::exec::capture::Peep;

/// What a command printed so far. Clones look at the same command.
#[derive(Debug, Clone, Default)]
pub struct SoFar {
    peep: Arc<Mutex<Option<Peep>>>,
    begun: Arc<Notify>,
}

impl SoFar {
    /// Returns the text as a reader with little room should see it; none unless the command runs.
    pub fn text(&self) -> Option<String> {
        self.peep().as_ref().and_then(Peep::text)
    }

    /// Waits until the command has begun; for ever where none does.
    pub async fn begun(&self) {
        self.begun.notified().await;
    }

    pub(super) fn watch(&self, peep: Option<Peep>) {
        let has_begun = peep.is_some();
        *self.peep() = peep;
        if has_begun {
            // Kept for whoever waits later.
            self.begun.notify_one();
        }
    }

    fn peep(&self) -> std::sync::MutexGuard<'_, Option<Peep>> {
        self.peep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
