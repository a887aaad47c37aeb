//! What may a project's own file set?
//!
//! It came with the code, so by itself it may only narrow: lower some limits and add rules that ask or refuse. What widens
//! or runs something is a [`Want`]: it counts only once the user has trusted these very files (`trust`), and is left out
//! until then. Where keys are sent, and what stands between a command and the machine, a project never says; that is an error
//! with its place.

use std::path::Path;

use crate::base::yaml::{self, Entry, Node, Value};
use crate::config::error::ConfigError;
use crate::config::origin::{Origin, Source};
use crate::config::range::ZERO_IS_UNLIMITED;
use crate::config::shape::join;

/// Numbers a project may lower, and raise once it is trusted; marked `(project)` in `default.yaml`.
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
/// What a project may set once it is trusted; marked `(project, once trusted)` in `default.yaml`. A section stands for all in it.
pub const AFTER_TRUST: &[&str] =
    &["agent.mode", "fix.test_command", "policy.allow", "routes", "server.model", "tools.pass_env"];

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

/// Something a project asks for and gets only when it is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Want {
    /// Path of the key.
    pub key: String,
    /// The value, on one line.
    pub value: String,
    /// Where it stands.
    pub origin: Origin,
}

/// A project's file, taken apart.
#[derive(Debug)]
pub struct Judged {
    /// What counts without trust.
    pub narrowing: Node,
    /// What counts with trust, in the order of the file.
    pub wants: Vec<Want>,
    /// What never counts, in the order of the file.
    pub breaches: Vec<ConfigError>,
}

impl Project<'_> {
    /// Takes the file apart.
    pub fn judge(&self) -> Judged {
        let (mut wants, mut breaches) = (Vec::new(), Vec::new());
        let narrowing = self.walk(self.tree, "", &mut wants, &mut breaches);
        Judged { narrowing, wants, breaches }
    }

    /// Returns what of a section counts without trust.
    fn walk(&self, node: &Node, path: &str, wants: &mut Vec<Want>, breaches: &mut Vec<ConfigError>) -> Node {
        let mut kept = Vec::new();
        for entry in node.entries() {
            let path = join(path, &entry.key);
            let keep = |value: Node| Entry { value, ..entry.clone() };
            if MAY_ADD.contains(&path.as_str()) || (MAY_LOWER.contains(&path.as_str()) && !self.widens(&path, entry)) {
                kept.push(entry.clone());
            } else if MAY_LOWER.contains(&path.as_str()) || AFTER_TRUST.contains(&path.as_str()) {
                wants.push(self.want(path, entry));
            } else if leads_to_allowed(&path) {
                kept.push(keep(self.walk(&entry.value, &path, wants, breaches)));
            } else {
                let (key, line, column) = deepest(&path, entry.line, entry.column, &entry.value);
                let origin = self.source.origin(line, column);
                breaches.push(ConfigError::Protected { key, origin, user_file: self.user_file.to_path_buf() });
            }
        }
        let value = if node.entries().is_empty() { node.value.clone() } else { Value::Map(kept) };
        Node { value, ..node.clone() }
    }

    fn want(&self, key: String, entry: &Entry) -> Want {
        let value = yaml::to_json(&entry.value).to_string();
        Want { key, value, origin: self.source.origin(entry.line, entry.column) }
    }

    /// Says whether a number is above the one the layers below set.
    fn widens(&self, path: &str, entry: &Entry) -> bool {
        let below = path.split('.').try_fold(self.below, |node, key| node.get(key)).map(|node| &node.value);
        let (Value::Int(new), Some(Value::Int(old))) = (&entry.value.value, below) else { return false };
        let is_unlimited = |value: i64| value == 0 && ZERO_IS_UNLIMITED.contains(&path);
        !is_unlimited(*old) && (is_unlimited(*new) || new > old)
    }
}

/// Says whether a key a project may set lies below `path`.
fn leads_to_allowed(path: &str) -> bool {
    let mut allowed = MAY_LOWER.iter().chain(MAY_ADD).chain(AFTER_TRUST);
    allowed.any(|key| key.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
}

/// Names the first value below a key, so that the message points at the line that sets something.
fn deepest(path: &str, line: usize, column: usize, node: &Node) -> (String, usize, usize) {
    match node.entries().first() {
        Some(entry) => deepest(&join(path, &entry.key), entry.line, entry.column, &entry.value),
        None => (path.to_owned(), line, column),
    }
}
