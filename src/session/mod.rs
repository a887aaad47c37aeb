//! How does a conversation outlive the process that held it?
//!
//! One append-only file of JSON lines per session, written before the agent acts on what it says, by one process at a
//! time. Everything else is a fold over its records. Must not change a line once written, nor choose what the model sees.
//! Surprising: a file is never unreadable. Lines that are torn, or of a kind unknown to this version, are skipped.
//! To add a fact that survives: an event in `protocol::event`, and its arm in [`transcript`].

pub mod error;
pub mod export;
pub mod fork;
pub mod header;
pub mod journal;
pub mod knowledge;
pub mod list;
pub mod lock;
pub mod reader;
pub mod recorder;
pub mod rewind;
pub mod search;
pub mod title;
pub mod transcript;
