//! Does mimi do what it says, seen from outside?
//!
//! The only integration binary: one module a feature, no shared state.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod edit;
mod tools;
mod workspace;
