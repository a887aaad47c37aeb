//! How does the user get files back as they were, also those a shell command changed?
//!
//! [`keeper`] brackets every call: an edit by the files it names, a command by a look at the whole workspace ([`walk`], [`scan`],
//! [`tree`]). Contents go to a [`store`] outside the workspace and outside its version control, alone or in a [`pack`]; what
//! each call did is a [`step`]. [`undo`] plans and puts back, [`prune`] keeps the store small. Must not overwrite what somebody
//! else wrote since, nor decide what to take back: the session tells which changes belong to a turn.
//! To add what is kept of a path: a field of [`node::Node`], filled in `tree`, used in `undo`.

pub mod error;
pub mod history;
pub mod keeper;
pub mod node;
pub mod pack;
pub mod prune;
pub mod scan;
pub mod step;
pub mod store;
pub mod tree;
pub mod undo;
pub mod walk;
