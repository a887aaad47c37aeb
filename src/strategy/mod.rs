//! Which recipe turns one command of the user into turns of the agent?
//!
//! A strategy drives an agent through its handle and looks at the world in between. It must not print: it reports to the
//! listener it is given. To add one: a file here and a command in `cli/commands`.

pub mod answer;
pub mod commit_message;
pub mod conformance;
pub mod detect;
pub mod deterministic;
pub mod eval;
pub mod explain;
pub mod failure;
pub mod fix;
pub mod fix_report;
pub mod git_commit;
pub mod patch;
pub mod repo_list;
pub mod review;
pub mod runner;
