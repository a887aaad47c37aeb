//! Which keys are there, and what sort of value does each take?
//!
//! Read off the compiled-in `default.yaml`, so that no second list of keys exists. The rows of `providers`, their
//! `headers` and the rows of `prices` have names users choose; every other map is closed.

use crate::base::text::{nearest, visible};
use crate::base::yaml::{Entry, Node, Value};
use crate::config::error::ConfigError;
use crate::config::origin::Source;
use crate::config::range;

/// What stands below one key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shape {
    /// Text.
    Text,
    /// A whole number; its range stands in [`range`].
    Number,
    /// A number that may have a fraction and is not negative.
    Amount,
    /// `true` or `false`.
    Switch,
    /// A list of texts.
    Texts,
    /// A text, or a list of texts.
    TextOrTexts,
    /// A map with exactly these keys.
    Section(Vec<(String, Self)>),
    /// A map whose keys the user chooses.
    Open(Box<Self>),
}

impl Shape {
    /// Builds the shape of the whole configuration from its default tree.
    pub fn of_config(default: &Node) -> Self {
        let mut shape = Self::of(default);
        if let Self::Section(sections) = &mut shape {
            for (name, section) in sections.iter_mut() {
                match (name.as_str(), section) {
                    ("providers", section) => *section = Self::Open(Box::new(Self::provider())),
                    ("prices", section) => *section = Self::Open(Box::new(Self::price())),
                    ("routes", Self::Section(tasks)) => {
                        tasks.iter_mut().for_each(|(_, route)| *route = Self::TextOrTexts);
                    }
                    _ => {}
                }
            }
        }
        shape
    }

    /// Returns the shape of one row of `providers`.
    pub fn provider() -> Self {
        let numbers = |names: &[&str]| names.iter().map(|name| ((*name).to_owned(), Self::Number)).collect::<Vec<_>>();
        let words = ["field", "header"].map(|name| (name.to_owned(), Self::Text));
        let priority = words.into_iter().chain(numbers(&["interactive", "ci", "background"])).collect();
        let fields = [
            ("kind", Self::Text),
            ("base_url", Self::Text),
            ("api_key_env", Self::Text),
            ("headers", Self::Open(Box::new(Self::Text))),
            ("title", Self::Text),
            ("search", Self::Number),
            ("timeouts", Self::Section(numbers(&["connect_s", "first_byte_s", "idle_s"]))),
            ("priority", Self::Section(priority)),
            ("metrics_url", Self::Text),
            ("proxy", Self::Text),
            ("text_tensor", Self::Text),
            ("vector_tensor", Self::Text),
            ("num_ctx", Self::Number),
            ("think", Self::Text),
        ];
        Self::Section(fields.map(|(name, shape)| (name.to_owned(), shape)).into())
    }

    /// Returns the shape of one row of `prices`.
    pub fn price() -> Self {
        let fields = ["input_per_mtok", "cached_per_mtok", "output_per_mtok", "per_gpu_second"];
        Self::Section(fields.map(|name| (name.to_owned(), Self::Amount)).into())
    }

    fn of(node: &Node) -> Self {
        match &node.value {
            Value::Map(entries) => {
                Self::Section(entries.iter().map(|entry| (entry.key.clone(), Self::of(&entry.value))).collect())
            }
            Value::List(_) => Self::Texts,
            Value::Int(_) | Value::Float(_) => Self::Number,
            Value::Bool(_) => Self::Switch,
            Value::Text(_) | Value::Null => Self::Text,
        }
    }

    /// Returns what stands at a key path such as `agent.max_steps`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |shape, key| match shape {
            Self::Section(keys) => keys.iter().find(|(name, _)| name == key).map(|(_, shape)| shape),
            Self::Open(row) => Some(row.as_ref()),
            _ => None,
        })
    }

    /// Returns the path of every key that takes a value of its own; an open map counts as one.
    pub fn leaves(&self) -> Vec<String> {
        let mut leaves = Vec::new();
        self.collect_leaves("", &mut leaves);
        leaves
    }

    fn collect_leaves(&self, path: &str, leaves: &mut Vec<String>) {
        match self {
            Self::Section(keys) => keys.iter().for_each(|(key, shape)| shape.collect_leaves(&join(path, key), leaves)),
            _ => leaves.push(path.to_owned()),
        }
    }

    /// Compares a tree with the shape and adds what is wrong to `problems`.
    pub fn check(&self, node: &Node, source: &Source, problems: &mut Vec<ConfigError>) {
        Walk { source, problems }.value(self, node, "");
    }

    /// As [`Shape::check`] for the value of the key at `path`.
    pub fn check_at(&self, path: &str, node: &Node, source: &Source, problems: &mut Vec<ConfigError>) {
        Walk { source, problems }.value(self, node, path);
    }

    /// Says what the shape takes, for messages.
    fn expected(&self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "a whole number",
            Self::Amount => "a number that is not negative",
            Self::Switch => "true or false",
            Self::Texts => "a list of texts",
            Self::TextOrTexts => "text or a list of texts",
            Self::Section(_) | Self::Open(_) => "a map of keys",
        }
    }
}

/// Appends a key to a path, made fit for a message.
pub fn join(path: &str, key: &str) -> String {
    let key = visible(key);
    if path.is_empty() { key.into_owned() } else { format!("{path}.{key}") }
}

struct Walk<'a> {
    source: &'a Source,
    problems: &'a mut Vec<ConfigError>,
}

impl Walk<'_> {
    fn value(&mut self, shape: &Shape, node: &Node, path: &str) {
        match (shape, &node.value) {
            (Shape::Section(keys), Value::Map(entries)) => {
                for entry in entries {
                    self.closed(keys, entry, path);
                }
            }
            (Shape::Open(row), Value::Map(entries)) => {
                for entry in entries {
                    self.value(row, &entry.value, &join(path, &entry.key));
                }
            }
            (Shape::Texts | Shape::TextOrTexts, Value::List(items)) => {
                for (index, item) in items.iter().enumerate() {
                    self.value(&Shape::Text, item, &format!("{path}[{index}]"));
                }
            }
            (Shape::Number, Value::Int(value)) => {
                if let Some(problem) = range::problem(path, *value) {
                    self.wrong(path, problem, node);
                }
            }
            (Shape::Amount, Value::Float(amount)) if *amount >= 0.0 => {}
            // A section or list with all its lines commented out sets nothing.
            (Shape::Amount, Value::Int(0..))
            | (Shape::Text | Shape::TextOrTexts, Value::Text(_))
            | (Shape::Switch, Value::Bool(_))
            | (Shape::Section(_) | Shape::Open(_) | Shape::Texts, Value::Null) => {}
            (Shape::Text | Shape::TextOrTexts, Value::Int(_) | Value::Float(_) | Value::Bool(_)) => {
                self.wrong(path, format!("must be text, found {}: put it in quotes", node.kind()), node);
            }
            _ if path.is_empty() => self.wrong("the file", format!("must hold keys, found {}", node.kind()), node),
            _ => self.wrong(path, format!("must be {}, found {}", shape.expected(), node.kind()), node),
        }
    }

    /// Checks one entry of a map that has exactly these keys.
    fn closed(&mut self, keys: &[(String, Shape)], entry: &Entry, path: &str) {
        if let Some((_, shape)) = keys.iter().find(|(name, _)| *name == entry.key) {
            self.value(shape, &entry.value, &join(path, &entry.key));
            return;
        }
        let nearest = nearest(&entry.key, keys.iter().map(|(name, _)| name.as_str()));
        self.problems.push(ConfigError::UnknownKey {
            key: join(path, &entry.key),
            nearest: nearest.map(|key| join(path, key)),
            origin: self.source.origin(entry.line, entry.column),
        });
    }

    fn wrong(&mut self, key: &str, problem: String, node: &Node) {
        let origin = self.source.origin(node.line, node.column);
        self.problems.push(ConfigError::WrongValue { key: key.to_owned(), problem, origin });
    }
}
