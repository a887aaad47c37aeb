//! What does each command do?
//!
//! One file a command: its arguments, whose doc comments are the help text, and `run`. To add one: a file here and a variant
//! of `cli::Command`.

pub mod auth;
pub mod cache;
pub mod chat;
mod chat_around;
mod chat_asks;
mod chat_lines;
mod chat_own;
mod chat_screen;
mod chat_start;
pub mod checkpoint;
pub mod commit;
pub mod completions;
pub mod config;
pub mod debug;
pub mod debug_edit;
pub mod debug_policy;
pub mod demo;
pub mod doctor;
pub mod doctor_egress;
pub mod eval;
pub mod eval_search;
pub mod explain;
pub mod fix;
mod fix_after;
pub mod fix_checks;
mod fix_list;
mod fix_pulse;
mod fix_review;
mod fix_show;
pub mod graph;
pub mod index;
pub mod man;
pub mod map;
pub mod onboard;
mod pieces;
pub mod policy;
pub mod replay;
pub mod review;
pub mod review_diff;
mod review_lines;
pub mod run;
pub mod sandbox;
pub mod search;
pub mod session;
pub mod status;
pub mod trust;
pub mod undo;
pub mod usage;
