//! What may a project's own file set?
//!
//! It came with the code, so it may only narrow: lower some limits and add rules that refuse. Everything else, also a limit
//! above the one found, is an error with its place, never skipped in silence.

use std::path::Path;

use crate::base::yaml::{Node, Value};
use crate::config::error::ConfigError;
use crate::config::origin::Source;
use crate::config::range::ZERO_IS_UNLIMITED;
use crate::config::shape::join;

/// Numbers a project may lower; marked `(project)` in `default.yaml`.
pub const MAY_LOWER: &[&str] = &[
    "agent.max_steps",
    "agent.max_tokens",
    "agent.max_seconds",
    "agent.max_same_failures",
    "tools.max_output_bytes",
    "tools.shell_timeout_s",
    "fix.max_rounds",
    "fix.test_timeout_s",
    "fix.max_steps",
    "fix.max_tokens",
    "fix.max_seconds",
    "fix.minimise_s",
    "fix.heartbeat_s",
];
/// Lists a project may add to.
pub const MAY_ADD: &[&str] = &["policy.ask", "policy.deny"];

/// The project's file and what it is laid on.
pub struct Project<'a> {
    /// The tree of the project's file, of valid shape.
    pub tree: &'a Node,
    /// Where it was read.
    pub source: &'a Source,
    /// The values of the layers below.
    pub below: &'a Node,
    /// The file named in hints.
    pub user_file: &'a Path,
}

impl Project<'_> {
    /// Returns every breach, in the order of the file.
    pub fn breaches(&self) -> Vec<ConfigError> {
        let mut breaches = Vec::new();
        self.walk(self.tree, "", &mut breaches);
        breaches
    }

    fn walk(&self, node: &Node, path: &str, breaches: &mut Vec<ConfigError>) {
        for entry in node.entries() {
            let path = join(path, &entry.key);
            if MAY_ADD.contains(&path.as_str()) {
                continue;
            }
            if MAY_LOWER.contains(&path.as_str()) {
                breaches.extend(self.widened(&path, &entry.value));
            } else if leads_to_allowed(&path) {
                self.walk(&entry.value, &path, breaches);
            } else {
                let (key, line, column) = deepest(&path, entry.line, entry.column, &entry.value);
                let origin = self.source.origin(line, column);
                breaches.push(ConfigError::Protected { key, origin, user_file: self.user_file.to_path_buf() });
            }
        }
    }

    /// Returns the breach when a number is above the one the layers below set.
    fn widened(&self, path: &str, node: &Node) -> Option<ConfigError> {
        let below = path.split('.').try_fold(self.below, |node, key| node.get(key)).map(|node| &node.value);
        let (Value::Int(new), Some(Value::Int(old))) = (&node.value, below) else { return None };
        let unlimited = |value: i64| value == 0 && ZERO_IS_UNLIMITED.contains(&path);
        let problem = if unlimited(*old) || (!unlimited(*new) && new <= old) {
            return None;
        } else if unlimited(*new) {
            format!("0 means no limit, {old} is set")
        } else {
            format!("{new} is more than {old}")
        };
        let origin = self.source.origin(node.line, node.column);
        Some(ConfigError::Widened { key: path.to_owned(), problem, origin, user_file: self.user_file.to_path_buf() })
    }
}

/// Says whether a key a project may set lies below `path`.
fn leads_to_allowed(path: &str) -> bool {
    let mut allowed = MAY_LOWER.iter().chain(MAY_ADD);
    allowed.any(|key| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Names the first value below a key, so that the message points at the line that sets something.
fn deepest(path: &str, line: usize, column: usize, node: &Node) -> (String, usize, usize) {
    match node.entries().first() {
        Some(entry) => deepest(&join(path, &entry.key), entry.line, entry.column, &entry.value),
        None => (path.to_owned(), line, column),
    }
}
