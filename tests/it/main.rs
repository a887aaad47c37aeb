//! Does mimi do what its users are told?
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed step ends its test")]
#![allow(clippy::disallowed_methods, reason = "tests are no room: they set up files and run programs themselves")]

mod model;
mod support;
