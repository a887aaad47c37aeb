//! Does mimi do what its user sees? The only integration binary; folders are features.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod exec;
