//! Which server takes over when the first of a task's list cannot serve, and when is the first tried again?
//!
//! A list in `routes` is an order of preference. Another place takes over only from a server that is down, lacks the model
//! or has too small a window: a refused request or key is the user's affair and would only move the trouble. Only places
//! of the list are ever taken, so nothing leaves the servers of the configuration. Before a turn begins, what comes earlier
//! in the list is tried again once it has rested.

use tokio::time::{Duration, Instant, timeout};

use crate::base::fault::Fault;
use crate::model::error::ModelError;
use crate::model::gateway::Gateway;
use crate::model::route::Route;
use crate::protocol::task::Task;

/// How long a server that could not serve is left alone before it is tried again.
pub const REST: Duration = Duration::from_secs(30);
/// Time a preferred server has to say that it can serve again: somebody waits for the turn to begin.
const LOOK: Duration = Duration::from_secs(2);

/// Says whether somebody else may take over after this error.
pub fn moves_on(error: &ModelError) -> bool {
    matches!(
        error,
        ModelError::Offline { .. }
            | ModelError::Busy { .. }
            | ModelError::Broken { .. }
            | ModelError::NoModel { .. }
            | ModelError::NotConfigured { .. }
            | ModelError::TooLong { .. }
    )
}

impl Gateway {
    /// Finds the first place of a task's list that can serve, from place number `first` on.
    pub(super) async fn resolve_list(&self, task: Task, first: usize) -> Result<Route, ModelError> {
        let places = self.places(task);
        let mut trouble = None;
        for (rank, place) in places.iter().enumerate().skip(first) {
            match self.resolve_place(task, place).await {
                Ok(route) => {
                    let why = trouble.map(|error| format!("{error}; using `{}` at {}", route.model, route.url));
                    let note = why.or_else(|| route.note.clone());
                    return Ok(Route { rank: Some(rank), note, ..route });
                }
                Err(error) if moves_on(&error) => trouble = trouble.or(Some(error)),
                Err(error) => return Err(error),
            }
        }
        Err(trouble.unwrap_or_else(|| crate::model::discover::nothing_left(task)))
    }

    /// Returns what takes over from `route` after this failure; none when nothing does. `needed_tokens` is what the request
    /// takes: a smaller window would only fail again.
    pub async fn fall_back(&self, task: Task, route: &Route, error: &ModelError, needed_tokens: u64) -> Option<Route> {
        let rank = route.rank.filter(|_| moves_on(error))?;
        self.seats().forget(&route.provider, &route.url);
        self.rest(task, Instant::now() + self.rest_time());
        let mut next = rank + 1;
        while next < self.places(task).len() {
            let found = self.resolve_list(task, next).await.ok()?;
            let is_larger = found.window_tokens
                > needed_tokens.max(if matches!(error, ModelError::TooLong { .. }) { route.window_tokens } else { 0 });
            if is_larger {
                return Some(found);
            }
            next = found.rank? + 1;
        }
        None
    }

    /// Returns the place that is preferred to `route` and can serve again, once it has rested.
    pub async fn preferred_again(&self, task: Task, route: &Route) -> Option<Route> {
        let rank = route.rank.filter(|rank| *rank > 0)?;
        if self.rests_until(task).is_some_and(|until| Instant::now() < until) {
            return None;
        }
        let found = timeout(LOOK, self.resolve_list(task, 0)).await.ok()?.ok();
        let found = found.filter(|found| found.rank.is_some_and(|better| better < rank));
        if found.is_none() {
            self.rest(task, Instant::now() + self.rest_time());
        }
        found
    }
}

/// Tells the user that another server goes on.
pub fn taken_over(error: &ModelError, route: &Route) -> String {
    format!("{}; going on with `{}` at {}", Fault::from(error.clone()).line(), route.model, route.url)
}

/// Tells the user that the preferred server serves again.
pub fn returned(route: &Route) -> String {
    format!("{} serves again; going on with `{}` there", route.url, route.model)
}
