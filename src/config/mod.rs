//! What is mimi set to, and where did each value come from?
//!
//! Typed settings ([`schema`]), the layers they come from ([`layer`]), folders on disk ([`dirs`]) and keys ([`secret`]).
//! Must not hold live objects: each room receives its own section as plain data. The only room that reads the
//! environment. To add a key: `config/default.yaml` and a field in `schema`.

pub mod dirs;
pub mod layer;
pub mod schema;
pub mod secret;
