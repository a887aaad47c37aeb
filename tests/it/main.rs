//! Does mimi do what its users are told?
//!
//! The only integration test binary: one folder per feature, one `mod` line each.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failed step ends its test")]
#![allow(clippy::disallowed_methods, reason = "tests are no room: they set up files and run programs themselves")]

mod agent;
mod chat;
mod checkpoint;
mod cli;
mod config;
mod db;
mod doctor;
mod edit;
mod exec;
mod fix;
mod generated;
mod index;
mod model;
mod policy;
mod screens;
mod session;
mod support;
mod telemetry;
mod tidy;
mod tools;
mod workspace;
