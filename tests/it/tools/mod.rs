//! What do the tools do, called the way the agent calls them?

mod change;
mod edit_file;
mod git;
mod list_files;
mod plan_and_question;
mod read_file;
mod registry;
mod search;
mod search_code;
mod shell;
pub mod support;
mod write_file;
