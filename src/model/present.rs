//! How do servers and routes stand right now, as one answer?
//!
//! What `Gateway::status` gathers for `mimi status`. Only data: the asking is done by `seats` and `gateway`.

use crate::base::fault::Fault;
use crate::model::error::{Cause, ModelError};
use crate::model::route::Route;
use crate::protocol::server::{RouteStatus, ServerStatus};
use crate::protocol::task::Task;

/// What there is now.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// The servers of the configuration.
    pub servers: Vec<ServerStatus>,
    /// What would carry out each task.
    pub routes: Vec<RouteStatus>,
    /// Why nothing would carry out a chat.
    pub failure: Option<ModelError>,
}

impl Status {
    /// Adds what would carry out `task`, for which the model `wanted` is set.
    pub fn add_route(&mut self, task: Task, wanted: String, resolved: Result<Route, ModelError>) {
        let unserved = RouteStatus { task, wanted, provider: None, model: None, window_tokens: None, note: None };
        self.routes.push(match resolved {
            Ok(Route { provider, model, window_tokens, note, .. }) => {
                let (provider, model, window_tokens) = (Some(provider), Some(model), Some(window_tokens));
                RouteStatus { provider, model, window_tokens, note, ..unserved }
            }
            Err(error) => {
                if task == Task::Chat {
                    self.failure = Some(error.clone());
                }
                RouteStatus { note: Some(Fault::from(error).line()), ..unserved }
            }
        });
    }
}

/// Reports a server that had its time and said nothing.
pub fn too_late(task: Task) -> ModelError {
    let source = Cause("the servers did not answer in time".to_owned());
    ModelError::NotConfigured { task: task.name().to_owned(), hints: vec!["mimi doctor".to_owned()], source }
}
