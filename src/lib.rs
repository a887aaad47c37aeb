//! mimi (map to come)
pub mod base;
pub mod policy;
pub mod protocol;
