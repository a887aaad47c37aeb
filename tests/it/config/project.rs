//! Can a project only narrow?

use mimi::base::fault::Fault;
use mimi::base::yaml::{Node, Value, parse};
use mimi::config::error::ConfigError;
use mimi::config::project::{MAY_ADD, MAY_LOWER};
use mimi::config::range::RANGES;

use crate::config::Machine;

const DEFAULT: &str = include_str!("../../../config/default.yaml");

/// Every leaf of the schema with a valid value, as the text of a file.
fn every_key() -> Vec<(String, String)> {
    let mut keys = Vec::new();
    collect(&parse(DEFAULT).unwrap(), "", &mut keys);
    let row = [
        ("kind", "openai"),
        ("base_url", "http://evil/v1"),
        ("api_key_env", "AWS_SECRET_ACCESS_KEY"),
        ("headers.x-team", "evil"),
    ];
    for provider in ["ollama", "evil"] {
        keys.extend(row.map(|(field, value)| (format!("providers.{provider}.{field}"), format!("'{value}'"))));
    }
    keys
}

fn collect(node: &Node, path: &str, keys: &mut Vec<(String, String)>) {
    let value = match &node.value {
        Value::Map(entries) if !entries.is_empty() => {
            let dot = if path.is_empty() { "" } else { "." };
            return entries.iter().for_each(|entry| collect(&entry.value, &format!("{path}{dot}{}", entry.key), keys));
        }
        Value::Map(_) => "{}".to_owned(),
        Value::List(_) => "['shell:rm *']".to_owned(),
        Value::Text(text) => format!("'{text}'"),
        Value::Int(number) => number.to_string(),
        other => panic!("a new sort of default: {other:?}"),
    };
    keys.push((path.to_owned(), value));
}

/// Writes `a.b.c` and a value as nested YAML.
fn nested(path: &str, value: &str) -> String {
    let steps: Vec<&str> = path.split('.').collect();
    let lines = steps.iter().enumerate().map(|(depth, step)| format!("{}{step}:", "  ".repeat(depth)));
    format!("{} {value}\n", lines.collect::<Vec<_>>().join("\n"))
}

/// Also with the very value that is in use: a project has no business naming the key.
#[test]
fn every_key_that_is_not_marked_is_refused_by_name_and_place() {
    let keys = every_key();
    assert!(keys.len() > 35, "{}", keys.len());
    for (key, value) in keys {
        let machine = Machine::new().project(&nested(&key, &value));
        let allowed = MAY_LOWER.contains(&key.as_str()) || MAY_ADD.contains(&key.as_str());
        assert_eq!(machine.load().is_ok(), allowed, "{key}");
        if !allowed {
            let fault = machine.fault();
            let line = key.split('.').count();
            let expected = format!("error: `{key}` cannot be set by a project (.mimi/config.yaml:{line}:");
            assert!(fault.starts_with(&expected), "{fault}");
            assert!(fault.contains("move the line to /home/.config/mimi/config.yaml"), "{fault}");
        }
    }
}

#[test]
fn a_section_that_is_protected_as_a_whole_is_refused_even_when_empty() {
    for text in ["providers: {}\n", "providers:\n", "server:\n", "routes: {}\n", "ui: {}\n"] {
        assert!(matches!(Machine::new().project(text).problems()[..], [ConfigError::Protected { .. }]), "{text}");
    }
}

/// Key, what the user set, what the project sets, whether it is taken.
#[test]
fn a_limit_may_be_lowered_and_never_raised() {
    for key in MAY_LOWER {
        let unlimited = ["agent.max_tokens", "agent.max_seconds"].contains(key);
        let (_, low, high) = RANGES.iter().find(|(name, ..)| name == key).unwrap();
        let middle = (low.max(&1) + high) / 2;
        let mut table = vec![(middle, middle, true), (middle, middle - 1, true), (middle, middle + 1, false)];
        if unlimited {
            table.extend([(0, middle, true), (0, 0, true), (middle, 0, false)]);
        }
        for (user, project, taken) in table {
            let machine =
                Machine::new().user(&nested(key, &user.to_string())).project(&nested(key, &project.to_string()));
            assert_eq!(machine.load().is_ok(), taken, "{key}: {project} over {user}");
            if !taken {
                let fault = machine.fault();
                assert!(fault.starts_with(&format!("error: `{key}` may only be narrowed by a project: ")), "{fault}");
            }
        }
    }
}

#[test]
fn the_message_says_both_values_and_the_place() {
    let fault = Machine::new().project("agent:\n  max_steps: 500\n").fault();
    assert!(fault.starts_with(
        "error: `agent.max_steps` may only be narrowed by a project: 500 is more than 60 (.mimi/config.yaml:2:14)\n"
    ));
    let fault = Machine::new().user("agent: {max_tokens: 9}").project("agent: {max_tokens: 0}").fault();
    assert!(fault.contains("0 means no limit, 9 is set"), "{fault}");
}

#[test]
fn keys_no_schema_knows_are_refused_in_a_project_too() {
    for text in
        ["hooks: {start: evil}\n", "mcp: {servers: {x: {command: evil}}}\n", "api_key: sk\n", "agent.max_steps: 5\n"]
    {
        let problems = Machine::new().project(text).problems();
        assert!(
            problems.iter().any(|problem| matches!(problem, ConfigError::UnknownKey { .. })),
            "{text}: {problems:?}"
        );
    }
}

#[test]
fn rules_that_refuse_are_added_and_rules_that_allow_are_not() {
    let machine = Machine::new().user("policy: {deny: [a]}\n").project("policy: {deny: [b]}\n");
    assert_eq!(machine.load().unwrap().config.policy.deny, ["a", "b"]);
    let machine = Machine::new().project("policy: {deny: [b], allow: ['shell:*']}\n");
    let fault = Fault::from(machine.load().unwrap_err());
    assert!(fault.message.starts_with("`policy.allow` cannot be set by a project"), "{fault}");
}

/// Variables and flags are the user's own word.
#[test]
fn the_user_may_widen_again_above_the_project() {
    let machine = Machine::new().project("agent: {max_steps: 5}\n").var("MIMI_AGENT_MAX_STEPS", "900");
    assert_eq!(machine.load().unwrap().config.agent.max_steps, 900);
}
