//! What can this model on this server really do?
//!
//! Asks it a dozen small things that an agent depends on and looks at what comes back: with mimi's own tools, through the
//! same gateway as everything else. One check after the other, so that their times mean something. Must not change the
//! server or the project: no call that a model makes here is ever run.
//! To add a check: a function in `calls` or `facts`, a line in [`examine`], and rows in `config/doctor.yaml` with what to
//! do when it fails.

pub mod calls;
pub mod facts;
pub mod finding;
pub mod question;

use std::sync::Arc;

use crate::base::clock::Clock;
use crate::model::gateway::Gateway;
use crate::model::route::Route;
use crate::protocol::profile::Profile;
use crate::protocol::tool::ToolSpec;
use crate::strategy::conformance::finding::Finding;

/// Who is examined.
pub struct Subject<'a> {
    /// Asks.
    pub gateway: &'a Gateway,
    /// The model for the agent.
    pub route: &'a Route,
    /// All tools, in the order models see them.
    pub tools: Arc<[ToolSpec]>,
    /// The model for completion at a cursor, or why there is none.
    pub fim: Result<Route, String>,
    /// The model for embeddings, or why there is none.
    pub embed: Result<Route, String>,
    /// The kind of the server as rows of `config/doctor.yaml` name it.
    pub server: &'a str,
    /// Tells when the profile was made.
    pub clock: &'a dyn Clock,
}

/// Runs every check and reports each as it is found. What is no longer reached ends the examination.
pub async fn examine(subject: &Subject<'_>, mut report: impl FnMut(Finding)) -> Profile {
    let mut profile = Profile { measured_at_ms: subject.clock.now_ms(), ..Profile::default() };
    let mut tell = |finding: Finding| {
        let is_over = finding.is_unreachable;
        report(finding.with_hints(subject.server));
        is_over
    };
    if tell(facts::window(subject)) || tell(calls::streamed(subject, &mut profile).await) {
        return profile;
    }
    tell(calls::whole(subject, &mut profile).await);
    tell(calls::two(subject, &mut profile).await);
    tell(calls::eight_tools(subject, &mut profile).await);
    tell(calls::edit(subject, &mut profile).await);
    tell(calls::forced(subject, &mut profile).await);
    tell(facts::schema(subject, &mut profile).await);
    tell(facts::prefix(subject, &mut profile).await);
    tell(facts::speed(subject).await);
    tell(facts::fill(subject, &mut profile).await);
    tell(facts::embedding(subject, &mut profile).await);
    profile
}
