//! How does a tool work whose arguments state a change in one dialect?
//!
//! The tools of a dialect differ in their arguments only. Each is offered to models that write it best; all are understood
//! from every model, also with the arguments of another one. Everything else happens in [`change`].

use std::marker::PhantomData;

use futures_util::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::edit::change::ChangeSet;
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::change::{self, stated};
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, parse_arguments};

/// Arguments that state a change.
pub trait Statement: DeserializeOwned {
    /// Renders the change as [`stated`] reads it.
    fn into_change(self) -> Value;
}

/// The tool whose arguments are `A`.
pub struct Stating<A> {
    manifest: Manifest,
    arguments: PhantomData<fn() -> A>,
}

impl<A: Statement> Stating<A> {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest, arguments: PhantomData }
    }

    fn read(&self, arguments: &Value) -> Result<ChangeSet, BadCall> {
        match parse_arguments::<A>(&self.manifest, arguments) {
            Ok(call) => stated(&call.into_change()),
            Err(bad) => stated(arguments).map_err(|_| bad),
        }
    }
}

impl<A: Statement> Tool for Stating<A> {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        change::intent(cx, &self.read(arguments)?)
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        change::run_later(cx, &self.manifest, self.read(&arguments))
    }
}
