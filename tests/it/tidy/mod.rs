//! Does the tree still follow the house rules?
//!
//! Every rule is one test that reads the repository and lists each breach with file, line and what to do instead. Each
//! rule is also run on small bad samples, so that a rule which stopped biting fails as well.
//! To add one: a function from sources to breaches in the file of its kind, a test on the tree, a test on samples.

mod heads;
mod homes;
mod layers;
mod sizes;
mod source;
mod starts;
mod tree;
mod words;

use std::path::PathBuf;

/// Returns the folder that holds `Cargo.toml`.
///
/// Asked at run time first, so that the compiled test can be pointed at another checkout of the same house.
fn root() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
}

/// Fails with all breaches of one rule at once, each on a line of its own.
#[track_caller]
fn assert_none(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "\n{rule}\n{} breaches:\n{}\n", breaches.len(), breaches.join("\n"));
}
