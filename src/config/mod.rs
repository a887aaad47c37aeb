//! What is mimi set to, and where did each value come from?
//!
//! Typed settings ([`schema`]), the layers they come from ([`layer`]), folders on disk ([`dirs`]) and keys ([`secret`]).
//! Must not hold live objects: each room receives its own section as plain data. The only room that reads the
//! environment. To add a key: `config/default.yaml` and a field in `schema`, plus a row in `range` if it is a number.

pub mod credentials;
pub mod dirs;
pub mod env;
pub mod error;
pub mod file;
pub mod formats;
pub mod keyring;
pub mod layer;
pub mod merge;
pub mod origin;
pub mod project;
pub mod range;
pub mod schema;
pub mod secret;
pub mod sense;
pub mod shape;
pub mod trust;
pub mod ui;
pub mod variables;
