//! Does mimi do what its users are told?
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod model;
mod support;
