
//! mimi (map to come)
pub mod base;
pub mod checkpoint;
pub mod config;
pub mod context;
pub mod edit;
pub mod exec;
pub mod model;
pub mod policy;
pub mod protocol;
pub mod session;
pub mod tools;
pub mod workspace;
