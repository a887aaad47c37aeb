//! What does every room need, whatever it does?
//!
//! Errors as people read them, text clipping, safe paths and atomic writes, located YAML, clock and ids.
//! Must not know any other room, nor start processes, nor touch the network.
//! To add one: a file here, only if at least two rooms above need it.

pub mod clock;
pub mod fault;
pub mod hash;
pub mod path;
pub mod text;
pub mod yaml;
