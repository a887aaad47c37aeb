//! Which settings come from `MIMI_*` variables and from the command line?
//!
//! `agent.max_steps` is `MIMI_AGENT_MAX_STEPS`; rows of `providers` that exist can be changed the same way
//! (`MIMI_PROVIDERS_VLLM_BASE_URL`). Where a key takes text, the value is taken as it stands, so that no shell command
//! has to be quoted for YAML; everything else is YAML: `[a, b]`.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::text::{nearest, visible};
use crate::base::yaml::{Entry, Node, Value, parse};
use crate::config::env::Env;
use crate::config::error::ConfigError;
use crate::config::origin::{Layer, Source};
use crate::config::shape::Shape;

/// Names the process tree this process belongs to; mimi sets it for the commands it runs.
pub const TREE: &str = "MIMI_TREE";

/// Variables that are no settings: keys of the built-in providers, what mimi tells its own children, and switches of the
/// test suite.
pub const RESERVED: &[&str] = &["MIMI_API_KEY", "MIMI_API_KEY_FILE", TREE, "MIMI_SLOW_TESTS", "MIMI_UPDATE"];

/// One value from outside the files.
#[derive(Debug)]
pub struct Assignment {
    /// A tree with that one value, ready to merge.
    pub tree: Node,
    /// The variable or `command line`.
    pub source: Source,
}

/// What the environment says.
#[derive(Debug, Default)]
pub struct Assigned {
    /// Values in the order of the variables' names.
    pub values: Vec<Assignment>,
    /// Variables that look like ours and are not.
    pub warnings: Vec<String>,
    /// Variables that cannot be used.
    pub problems: Vec<ConfigError>,
}

/// Returns the variable of a key path: `agent.max_steps` is `MIMI_AGENT_MAX_STEPS`.
pub fn variable(path: &str) -> String {
    let name: String =
        path.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' }).collect();
    format!("MIMI_{name}")
}

/// Reads every `MIMI_*` variable; `below` is what the files said, whose providers can be changed.
pub fn from_env(env: &Env, shape: &Shape, below: &Node) -> Assigned {
    let known = known_variables(shape, below);
    let reserved = reserved_variables(below);
    let mut assigned = Assigned::default();
    for (name, value) in env.mimi() {
        let Some(path) = known.get(name) else {
            if !reserved.contains(name) {
                assigned.warnings.push(unknown_variable(name, &known));
            }
            continue;
        };
        let Some(text) = value.to_str() else {
            let problem = "is not UTF-8 text".to_owned();
            assigned.problems.push(ConfigError::Variable { name: name.to_owned(), problem });
            continue;
        };
        let source = Source::new(Layer::Env, name);
        match assign(shape, path, text, &source) {
            Ok(tree) => assigned.values.push(Assignment { tree, source }),
            Err(problems) => assigned.problems.extend(problems),
        }
    }
    assigned
}

/// Reads the key paths and values of the command line.
///
/// # Errors
/// Keys that do not exist and values that do not fit.
pub fn from_flags(flags: &[(String, String)], shape: &Shape) -> Result<Vec<Assignment>, Vec<ConfigError>> {
    let source = Source::new(Layer::Flag, "command line");
    let assign = |(path, value): &(String, String)| {
        Ok(Assignment { tree: assign(shape, path, value, &source)?, source: source.clone() })
    };
    flags.iter().map(assign).collect()
}

/// Builds the tree that sets one key.
fn assign(shape: &Shape, path: &str, text: &str, source: &Source) -> Result<Node, Vec<ConfigError>> {
    let origin = source.origin(0, 0);
    let Some(target) = shape.at(path) else {
        let leaves = shape.leaves();
        let nearest = nearest(path, leaves.iter().map(String::as_str)).map(str::to_owned);
        return Err(vec![ConfigError::UnknownKey { key: visible(path).into_owned(), nearest, origin }]);
    };
    let is_list = text.trim_start().starts_with('[');
    let value = match target {
        Shape::TextOrTexts if !is_list => Node { line: 1, column: 1, value: Value::Text(text.to_owned()) },
        Shape::Text => Node { line: 1, column: 1, value: Value::Text(text.to_owned()) },
        _ => parse(text).map_err(|error| {
            let problem = format!("is not YAML that can be read: {}", error.message);
            vec![ConfigError::WrongValue { key: path.to_owned(), problem, origin }]
        })?,
    };
    let mut problems = Vec::new();
    target.check_at(path, &value, source, &mut problems);
    if problems.is_empty() { Ok(nest(path, value)) } else { Err(problems) }
}

/// Puts a value below the maps of its path.
fn nest(path: &str, value: Node) -> Node {
    path.rsplit('.').fold(value, |value, key| {
        let (line, column) = (value.line, value.column);
        let entry = Entry { key: key.to_owned(), line, column, value };
        Node { line, column, value: Value::Map(vec![entry]) }
    })
}

/// Returns the variable of each key, those of existing provider rows included.
fn known_variables(shape: &Shape, below: &Node) -> BTreeMap<String, String> {
    let rows = below.get("providers").map_or(&[][..], Node::entries);
    let fields = Shape::provider().leaves();
    let of_rows = rows.iter().flat_map(|row| fields.iter().map(move |field| format!("providers.{}.{field}", row.key)));
    shape.leaves().into_iter().chain(of_rows).map(|path| (variable(&path), path)).collect()
}

/// Returns the variables that are ours without being settings: [`RESERVED`] and those providers take keys from.
fn reserved_variables(below: &Node) -> BTreeSet<String> {
    let rows = below.get("providers").map_or(&[][..], Node::entries);
    let named = rows.iter().filter_map(|row| match &row.value.get("api_key_env")?.value {
        Value::Text(name) => Some(name),
        _ => None,
    });
    let of_rows = named.flat_map(|name| [name.clone(), format!("{name}_FILE")]);
    RESERVED.iter().map(|name| (*name).to_owned()).chain(of_rows).collect()
}

fn unknown_variable(name: &str, known: &BTreeMap<String, String>) -> String {
    let near = nearest(name, known.keys().map(String::as_str));
    let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
    format!("the variable `{}` is not a setting and was ignored{near}", visible(name))
}
