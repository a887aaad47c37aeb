//! What did mimi use, and what did it cost?
//!
//! The usage [`ledger`] keeps one row for each request to a model; [`report`] adds them up, [`price`] says what they cost.
//! Must not slow a turn: rows are written on a thread of their own. Nothing leaves this machine.
//! To add a fact: a field of `protocol::usage`, a migration at the end of [`ledger::MIGRATIONS`], a column of the report.

pub mod dialects;
pub mod ledger;
pub mod price;
pub mod report;
