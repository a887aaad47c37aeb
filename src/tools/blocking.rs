//! How does a tool wait for the file system without holding up the agent?
//!
//! File work runs on a thread of its own. A reading call is left behind when it is cancelled, because a network file system
//! can hang for minutes; a writing one is waited for, because "cancelled" must not be said of a change that still happens.

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::protocol::tool::{ToolOutcome, ToolReport};
use crate::tools::manifest::Manifest;
use crate::tools::{ToolBug, ToolContext, parse_arguments};

/// What a tool does on its thread.
pub type Work<T> = fn(&ToolContext, &T) -> ToolReport;

/// Whether a call may be left behind when it is cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// It only reads.
    Behind,
    /// It writes: its end is waited for.
    Never,
}

/// Parses the arguments and runs `work` on a thread; a panic there is a bug, everything else a report.
pub fn run<'a, T>(
    manifest: &'a Manifest,
    call: (&'a ToolContext, Value),
    leaving: Leaving,
    work: Work<T>,
) -> BoxFuture<'a, Result<ToolReport, ToolBug>>
where
    T: DeserializeOwned + Send + 'static,
{
    Box::pin(async move {
        let (cx, arguments) = call;
        let arguments: T = match parse_arguments(manifest, &arguments) {
            Ok(arguments) => arguments,
            Err(bad) => return Ok(ToolReport::failed(bad.to_string())),
        };
        if cx.cancel.is_cancelled() {
            return Ok(cancelled());
        }
        let own = cx.clone();
        let handle = tokio::task::spawn_blocking(move || work(&own, &arguments));
        let bug = |source| ToolBug { tool: manifest.name.clone(), source: Box::new(source) };
        match leaving {
            Leaving::Never => handle.await.map_err(bug),
            Leaving::Behind => tokio::select! {
                report = handle => report.map_err(bug),
                () = cx.cancel.cancelled() => Ok(cancelled()),
            },
        }
    })
}

/// Reports a call ended by the user.
pub fn cancelled() -> ToolReport {
    ToolReport::of(ToolOutcome::Cancelled, "cancelled")
}
