//! How does an outside suite ask for the verdict on a command?
//!
//! For `mimi debug policy`. Takes what is left out as it would be: the folder mimi runs in, and no rules. Rules come in every
//! form people write them in; nothing of the user's own settings counts.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Value, json};

use crate::base::fault::Fault;
use crate::base::yaml::{self, Node};
use crate::exec::sandbox::Tier;
use crate::policy::command::disk::RealDisk;
use crate::policy::rule_file::{Examples, Right};
use crate::policy::rules::{Force, Stated, stated};
use crate::policy::{Decision, Ground, Policy, rule_file};
use crate::protocol::op::Mode;
use crate::protocol::tool::Action;

/// Where programs are looked for; the usual places.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";

/// One line.
#[derive(Debug, Deserialize)]
struct Case {
    command: String,
    #[serde(default)]
    cwd: Option<String>,
    #[serde(default)]
    root: Option<String>,
    #[serde(default)]
    home: Option<String>,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default)]
    sandbox: Option<Tier>,
    #[serde(default)]
    rules: Value,
}

/// Judges one line of JSON.
pub fn judge(line: &str) -> Result<Value, String> {
    let case: Case = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let here = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    let cwd = crate::base::path::resolve(&here, Path::new(case.cwd.as_deref().unwrap_or("."))).absolute;
    let root = case
        .root
        .as_deref()
        .map_or_else(|| cwd.clone(), |root| crate::base::path::resolve(&here, Path::new(root)).absolute);
    let home = PathBuf::from(case.home.as_deref().unwrap_or("/home/me"));
    let disk = std::sync::Arc::new(RealDisk { path: std::env::split_paths(PATH).collect() });
    let ground = Ground { disk, ..Ground::new(root, home) };
    let rules = rules(&case.rules, &ground)?;
    let policy = Policy::new(case.mode.unwrap_or_default(), ground, rules).map_err(words)?;
    let policy = policy.confined_by(case.sandbox.unwrap_or(Tier::None));
    let action = Action::Execute { command: case.command.clone(), cwd: Some(cwd.clone()) };
    let (verdict, why) = match policy.decide(std::slice::from_ref(&action)) {
        Decision::Allow(_) => ("allow", policy.why_allowed(&case.command, &cwd)),
        Decision::Ask { why, .. } => ("ask", why),
        Decision::Deny { why } => ("deny", why),
    };
    Ok(json!({ "verdict": verdict, "why": why }))
}

fn words(error: impl Into<Fault>) -> String {
    error.into().words()
}

/// Reads rules: texts like `allow git log *` or `shell:make *`, maps of lists by `allow`, `ask` and `deny`, or rules as in a file.
fn rules(value: &Value, ground: &Ground) -> Result<Vec<Stated>, String> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::String(text) => {
            text.lines().filter(|line| !line.trim().is_empty()).try_fold(Vec::new(), |mut all, line| {
                all.extend(short(line, Force::Allow, ground)?);
                Ok(all)
            })
        }
        Value::Array(items) => items.iter().try_fold(Vec::new(), |mut all, item| {
            all.extend(rules(item, ground)?);
            Ok(all)
        }),
        Value::Object(map) if map.contains_key("match") && map.contains_key("not_match") => long(value, ground),
        Value::Object(map) => {
            let forces = [("allow", Force::Allow), ("ask", Force::Ask), ("deny", Force::Deny)];
            let mut all = Vec::new();
            for (name, force) in forces {
                for text in texts(map.get(name)) {
                    all.extend(short(&text, force, ground)?);
                }
            }
            let named =
                ["decision", "verdict", "action", "effect", "force"].iter().find_map(|key| map.get(*key)?.as_str());
            let force = forces.iter().find(|(name, _)| Some(*name) == named).map(|(_, force)| *force);
            let patterns =
                ["rule", "pattern", "command", "prefix", "tokens", "words"].iter().filter_map(|key| map.get(*key));
            for pattern in patterns {
                let text = match pattern {
                    Value::Array(words) => words.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "),
                    other => other.as_str().unwrap_or_default().to_owned(),
                };
                all.extend(short(&text, force.unwrap_or(Force::Allow), ground)?);
            }
            if all.is_empty() && !map.is_empty() { Err(format!("no rule is understood in {value}")) } else { Ok(all) }
        }
        other => Err(format!("`rules` are texts, not {other}")),
    }
}

fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    }
}

/// A rule in a few characters, perhaps with its force in front and without its kind.
fn short(text: &str, force: Force, ground: &Ground) -> Result<Vec<Stated>, String> {
    let text = text.trim();
    let text = text.strip_prefix("rule:").map_or(text, str::trim);
    let named = [("allow", Force::Allow), ("ask", Force::Ask), ("deny", Force::Deny)];
    let (force, body) = named
        .iter()
        .find_map(|(name, force)| Some((*force, text.strip_prefix(name)?.strip_prefix([' ', ':'])?.trim())))
        .unwrap_or((force, text));
    let has_kind = ["shell:", "read:", "write:", "git:"].iter().any(|kind| body.starts_with(kind));
    let full = if has_kind { body.to_owned() } else { format!("shell:{body}") };
    stated(&[full], force, "the line", &ground.root).map_err(words)
}

/// A rule as it stands in a file.
fn long(value: &Value, ground: &Ground) -> Result<Vec<Stated>, String> {
    let mut value = value.clone();
    if let Some(map) = value.as_object_mut() {
        map.entry("where").or_insert_with(|| json!("any"));
    }
    let text = yaml::to_string(&json!([value])).map_err(|error| error.to_string())?;
    let node: Node = yaml::parse(&text).map_err(|error| error.to_string())?;
    rule_file::parse(&node, "the line,", Right::All, ground, Examples::Tried).map_err(words)
}
