//! How does the user get a file back as it was?
//!
//! Keeps the content of files before a call changes them ([`store`]), outside the workspace and outside its version
//! control, and puts it back ([`undo`]). Must not overwrite what somebody else wrote since, nor decide what to take back:
//! the session tells which changes belong to a turn.
//! To add what is kept of a file beside content and mode: a field of `protocol::diff::Change`, filled in `store`, used in `undo`.

pub mod error;
pub mod store;
pub mod undo;
