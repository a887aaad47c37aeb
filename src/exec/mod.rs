//! How does a program run so that it can neither hang, flood, escape its end nor see our secrets?
//!
//! The only room that starts processes. Every command runs below a small supervisor (this same binary, re-executed), which
//! owns all its descendants and ends them when the command ends, when it is cancelled, and when mimi itself dies:
//! [`run`] -> `lifeline` -> [`supervise`] in the other process -> `tree`; what is printed comes back through `capture`.
//! Must not decide whether a command may run.
//! What it may see and change is enforced in [`sandbox`], whom it may reach in [`proxy`]. To add a way of running things: a
//! file here.

mod capture;
mod doors;
pub mod environment;
pub mod interactive;
mod lifeline;
pub mod own;
pub mod proxy;
mod report;
pub mod run;
pub mod sandbox;
pub mod so_far;
pub mod supervise;
mod tree;
