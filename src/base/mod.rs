//! What does every room need, whatever it does?
//!
//! Errors as people read them, text clipping, control strings of tokenizers, secrets, safe paths and atomic writes, exchanging
//! files nobody else touched meanwhile, hashes, located YAML, clock and ids.
//! Must not know any other room, nor start processes, nor touch the network.
//! To add one: a file here, only if at least two rooms above need it.

pub mod attributes;
pub mod beneath;
pub mod clock;
pub mod control;
pub mod entry;
pub mod fault;
pub mod hash;
pub mod look;
pub mod path;
pub mod pending;
pub mod secrets;
pub mod swap;
pub mod text;
pub mod umask;
pub mod yaml;
