//! What may come between the gateway and a provider, or in the place of finding one?
//!
//! For recordings: everything that is exchanged is seen, and a run that is played goes where the recorded one did. Must not
//! change what is exchanged.

use std::sync::Arc;

use crate::model::Provider;
use crate::model::gateway::Gateway;
use crate::model::route::Route;

/// Puts something between the gateway and each provider, such as what writes their exchanges down.
pub type Around = Arc<dyn Fn(Arc<dyn Provider>) -> Arc<dyn Provider> + Send + Sync>;

impl Gateway {
    /// Has every exchange from now on pass through `around`; the first one named stays. Answers come from no cache then:
    /// what is not exchanged would not be seen.
    pub fn pass_through(&self, around: Around) {
        drop(self.around.set(around));
    }

    /// Sends every task to `route`, without finding out anything about it.
    #[must_use]
    pub fn settled_on(mut self, route: Route) -> Self {
        self.settled = Some(route);
        self
    }
}
