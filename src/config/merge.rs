//! How does a higher layer change what lower layers set?
//!
//! Maps merge by key; scalars and lists replace; the lists of rules grow. Trees have been checked before, so that two
//! values of one key are of one sort.

use crate::base::yaml::{Node, Value};
use crate::config::origin::{Origins, Source};
use crate::config::shape::join;

/// Lists to which each layer adds: a rule can be answered by another rule, never lost.
const GROWING: &[&str] = &["policy.allow", "policy.ask", "policy.deny"];

/// A configuration under construction.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The values so far.
    pub tree: Node,
    /// Where each stands.
    pub origins: Origins,
}

impl Merged {
    /// Starts with nothing set.
    pub fn empty() -> Self {
        Self { tree: Node { line: 1, column: 1, value: Value::Map(Vec::new()) }, origins: Origins::default() }
    }

    /// Lays `over` on top.
    pub fn add(&mut self, over: Node, source: &Source) {
        lay(&mut self.tree, over, "", &mut Notes { source, origins: &mut self.origins });
    }
}

struct Notes<'a> {
    source: &'a Source,
    origins: &'a mut Origins,
}

impl Notes<'_> {
    fn note(&mut self, path: &str, node: &Node) {
        self.origins.set(path, self.source.origin(node.line, node.column));
    }

    /// Notes a value and all below it.
    fn note_all(&mut self, path: &str, node: &Node) {
        self.note(path, node);
        match &node.value {
            Value::Map(entries) => {
                entries.iter().for_each(|entry| self.note_all(&join(path, &entry.key), &entry.value));
            }
            Value::List(items) => {
                items.iter().enumerate().for_each(|(index, item)| self.note_all(&format!("{path}[{index}]"), item));
            }
            _ => {}
        }
    }
}

fn lay(under: &mut Node, over: Node, path: &str, notes: &mut Notes<'_>) {
    match (&mut under.value, over.value) {
        (_, Value::Null) => {}
        (Value::Map(entries), Value::Map(added)) => {
            for new in added {
                let path = join(path, &new.key);
                if let Some(old) = entries.iter_mut().find(|old| old.key == new.key) {
                    lay(&mut old.value, new.value, &path, notes);
                } else {
                    notes.note_all(&path, &new.value);
                    entries.push(new);
                }
            }
        }
        (Value::List(items), Value::List(added)) if GROWING.contains(&path) => {
            for item in added {
                notes.note_all(&format!("{path}[{}]", items.len()), &item);
                items.push(item);
            }
        }
        (_, value) => {
            notes.origins.forget(path);
            *under = Node { line: over.line, column: over.column, value };
            notes.note_all(path, under);
        }
    }
}
