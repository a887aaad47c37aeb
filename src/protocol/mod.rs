//! What words do the rooms speak to each other in?
//!
//! Plain data: operations in, events out, messages, tool calls, plans. Must not do I/O, read a clock or be async.
//! What is serialised here is a public contract (`mimi run --json`, the session files): fields are added, never
//! renamed, and [`event::SCHEMA_VERSION`] moves when a reader must change.
//! To add one: a type here only when two rooms exchange it.

pub mod attached;
pub mod changes;
pub mod diff;
pub mod event;
pub mod failure;
pub mod finding;
pub mod fix_report;
pub mod message;
pub mod notice;
pub mod op;
pub mod path;
pub mod plan;
pub mod profile;
pub mod review;
pub mod server;
pub mod task;
pub mod tool;
pub mod tree;
pub mod usage;
pub mod wait;
