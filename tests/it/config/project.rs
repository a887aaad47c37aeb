//! Can a project only narrow, and get more only for the bytes its user trusted?

use mimi::base::fault::Fault;
use mimi::base::yaml::{Node, Value, parse};
use mimi::config::error::ConfigError;
use mimi::config::layer::Loaded;
use mimi::config::project::{AFTER_TRUST, MAY_ADD, MAY_LOWER};
use mimi::config::range::RANGES;
use mimi::config::range::ZERO_IS_UNLIMITED;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;

use crate::config::Machine;

const DEFAULT: &str = include_str!("../../../config/default.yaml");

/// Every leaf of the schema with a valid value, as the text of a file.
pub(super) fn every_key() -> Vec<(String, String)> {
    let mut keys = Vec::new();
    collect(&parse(DEFAULT).unwrap(), "", &mut keys);
    let row = [
        ("kind", "openai"),
        ("base_url", "http://evil/v1"),
        ("api_key_env", "AWS_SECRET_ACCESS_KEY"),
        ("headers.x-team", "evil"),
        ("proxy", "http://evil"),
        ("metrics_url", "http://evil"),
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

/// Says whether a key, or the section it stands in, is in a list.
fn is_in(list: &[&str], key: &str) -> bool {
    list.iter().any(|own| key.strip_prefix(own).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// Also with the very value that is in use: a project has no business naming the key.
#[test]
fn every_key_that_is_not_marked_is_refused_by_name_and_place_trusted_or_not() {
    let keys = every_key();
    assert!(keys.len() > 35, "{}", keys.len());
    let mut n_never = 0;
    for (key, value) in keys {
        let machine = Machine::new().project(&nested(&key, &value));
        let allowed = [MAY_LOWER, MAY_ADD, AFTER_TRUST].iter().any(|list| is_in(list, &key));
        assert_eq!(machine.load().is_ok(), allowed, "{key}");
        if !allowed {
            n_never += 1;
            let fault = machine.fault();
            let line = key.split('.').count();
            let expected = format!("error: `{key}` cannot be set by a project (.mimi/config.yaml:{line}:");
            assert!(fault.starts_with(&expected), "{fault}");
            assert!(fault.contains("move the line to /home/.config/mimi/config.yaml"), "{fault}");
            assert_eq!(machine.trusted().fault(), fault, "{key} when trusted");
        }
    }
    println!("{n_never} keys no project may set, trusted or not");
}

#[test]
fn where_keys_go_and_what_confines_is_never_for_a_project_to_say() {
    for key in [
        "server.url",
        "sandbox.tier",
        "sandbox.writable",
        "policy.always_days",
        "session.keep_days",
        "ui.color",
        "ui.status_command",
    ] {
        assert!(every_key().iter().any(|(known, _)| known == key), "{key}");
        assert!(![MAY_LOWER, MAY_ADD, AFTER_TRUST].iter().any(|list| is_in(list, key)), "{key}");
    }
    for (key, _) in every_key().iter().filter(|(key, _)| key.starts_with("providers.") || key.starts_with("sandbox.")) {
        assert!(![MAY_LOWER, MAY_ADD, AFTER_TRUST].iter().any(|list| is_in(list, key)), "{key}");
    }
}

#[test]
fn a_section_that_is_protected_as_a_whole_is_refused_even_when_empty() {
    for text in ["providers: {}\n", "providers:\n", "sandbox:\n", "prices: {}\n", "ui: {}\n"] {
        assert!(matches!(Machine::new().project(text).problems()[..], [ConfigError::Protected { .. }]), "{text}");
    }
}

/// Key, what the user set, what the project sets, whether it is taken without trust.
#[test]
fn a_limit_may_be_lowered_and_is_raised_only_once_trusted() {
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
            let loaded = machine.load().unwrap();
            assert_eq!(value(&loaded, key), if taken { project } else { user }, "{key}: {project} over {user}");
            let wants: Vec<String> = loaded.wants.iter().map(|want| format!("{}: {}", want.key, want.value)).collect();
            assert_eq!(wants, if taken { vec![] } else { vec![format!("{key}: {project}")] });
            assert_eq!(value(&machine.trusted().load().unwrap(), key), project, "{key} when trusted");
        }
    }
}

fn value(loaded: &Loaded, key: &str) -> i64 {
    let all = serde_json::to_value(&loaded.config).unwrap();
    all.pointer(&format!("/{}", key.replace('.', "/"))).and_then(Json::as_i64).unwrap()
}

const WIDE: &str = "agent: {mode: auto, max_steps: 500, max_same_failures: 1}
fix: {test_command: make evil}
policy: {allow: ['shell:make *'], deny: ['shell:make install']}
routes: {chat: ollama/x}
tools: {pass_env: [AWS_PROFILE]}
";

#[test]
fn what_needs_trust_is_told_with_its_place_and_the_narrow_rest_counts() {
    let machine = Machine::new().project(WIDE);
    let loaded = machine.load().unwrap();
    let wants: Vec<String> =
        loaded.wants.iter().map(|want| format!("{} {} {}", want.key, want.value, want.origin)).collect();
    let expected = [
        "agent.mode \"auto\" .mimi/config.yaml:1:9",
        "agent.max_steps 500 .mimi/config.yaml:1:21",
        "fix.test_command \"make evil\" .mimi/config.yaml:2:7",
        "policy.allow [\"shell:make *\"] .mimi/config.yaml:3:10",
        "routes {\"chat\":\"ollama/x\"} .mimi/config.yaml:4:1",
        "tools.pass_env [\"AWS_PROFILE\"] .mimi/config.yaml:5:9",
    ];
    assert_eq!(wants, expected);
    let config = &loaded.config;
    assert_eq!((config.agent.max_steps, config.agent.max_same_failures), (60, 1));
    assert_eq!((config.policy.allow.len(), config.policy.deny.len()), (0, 1));
    assert!(config.fix.test_command.is_empty() && config.tools.pass_env.is_empty());
    let machine = machine.trusted();
    let config = machine.load().unwrap().config;
    assert_eq!((config.agent.max_steps, config.policy.allow.len()), (500, 1));
    assert_eq!((config.fix.test_command.as_str(), config.tools.pass_env.len()), ("make evil", 1));
    assert_eq!(config.routes[&mimi::protocol::task::Task::Chat].0, ["ollama/x"]);
}

/// Each byte of a trusted file, changed on its own.
#[test]
fn every_changed_byte_takes_the_trust_away() {
    let machine = Machine::new().project(WIDE).trusted();
    assert!(machine.load().unwrap().brought.is_trusted());
    for at in 0..WIDE.len() {
        let mut bytes = WIDE.as_bytes().to_vec();
        bytes[at] ^= 1;
        crate::config::write(&machine.project_file(), &bytes);
        let Ok(loaded) = machine.load() else { continue };
        assert!(!loaded.brought.is_trusted() && loaded.config.fix.test_command.is_empty(), "byte {at}");
    }
    crate::config::write(&machine.project_file(), WIDE);
    assert!(machine.load().unwrap().brought.is_trusted());
}

#[test]
fn keys_no_schema_knows_are_refused_in_a_project_too() {
    for text in
        ["hooks: {start: evil}\n", "mcp: {servers: {x: {command: evil}}}\n", "api_key: sk\n", "agent.max_steps: 5\n"]
    {
        for machine in [Machine::new().project(text), Machine::new().project(text).trusted()] {
            let problems = machine.problems();
            assert!(
                problems.iter().any(|problem| matches!(problem, ConfigError::UnknownKey { .. })),
                "{text}: {problems:?}"
            );
        }
    }
}

#[test]
fn rules_that_refuse_are_added_and_rules_that_allow_wait_for_trust() {
    let machine = Machine::new().user("policy: {deny: [a]}\n").project("policy: {deny: [b]}\n");
    assert_eq!(machine.load().unwrap().config.policy.deny, ["a", "b"]);
    let machine = Machine::new().project("policy: {deny: [b], allow: ['shell:*'], always_days: 9}\n");
    let fault = Fault::from(machine.load().unwrap_err());
    assert!(fault.message.starts_with("`policy.always_days` cannot be set by a project"), "{fault}");
}

/// Variables and flags are the user's own word.
#[test]
fn the_user_may_widen_again_above_the_project() {
    let machine = Machine::new().project("agent: {max_steps: 5}\n").var("MIMI_AGENT_MAX_STEPS", "900");
    assert_eq!(machine.load().unwrap().config.agent.max_steps, 900);
}

/// A value of a key that some file could hold.
fn any_value(key: &str) -> BoxedStrategy<String> {
    match RANGES.iter().find(|(name, ..)| *name == key) {
        Some((_, low, high)) => (*low..=*high).prop_map(|number| number.to_string()).boxed(),
        None => proptest::sample::select(vec![
            "auto",
            "plan",
            "ask",
            "none",
            "external",
            "''",
            "'x'",
            "[]",
            "['shell:*']",
            "['a', 'b']",
            "{}",
            "{chat: ollama/x}",
            "{evil: {kind: openai, base_url: 'http://evil/v1'}}",
            "0",
            "1",
            "7",
            "true",
            "'ollama/x'",
        ])
        .prop_map(str::to_owned)
        .boxed(),
    }
}

/// Some keys of the schema with values.
fn any_settings(keys: Vec<String>) -> BoxedStrategy<Vec<(String, String)>> {
    let one = proptest::sample::select(keys).prop_flat_map(|key| {
        let value = any_value(&key);
        (Just(key), value)
    });
    proptest::collection::vec(one, 1..5).prop_map(without_doubles).boxed()
}

/// Writes each top-level section once, as YAML wants it.
fn without_doubles(mut settings: Vec<(String, String)>) -> Vec<(String, String)> {
    let section = |key: &str| key.split('.').next().unwrap().to_owned();
    settings.sort_by_key(|(key, _)| section(key));
    settings.dedup_by_key(|(key, _)| section(key));
    settings
}

/// Says whether what the project makes of the settings is nowhere wider than without it.
fn narrower(without: &Json, with: &Json, path: &str) -> Result<(), String> {
    if without == with {
        return Ok(());
    }
    match (without, with) {
        (Json::Object(old), Json::Object(new)) if old.len() == new.len() => old.iter().try_for_each(|(key, old)| {
            let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            narrower(old, new.get(key).unwrap_or(&Json::Null), &path)
        }),
        (Json::Array(old), Json::Array(new)) if MAY_ADD.contains(&path) && new.starts_with(old) => Ok(()),
        (Json::Number(old), Json::Number(new)) if MAY_LOWER.contains(&path) => {
            let rank = |number: &serde_json::Number| match number.as_i64() {
                Some(0) if ZERO_IS_UNLIMITED.contains(&path) => i64::MAX,
                number => number.unwrap_or(i64::MAX),
            };
            if rank(new) <= rank(old) { Ok(()) } else { Err(format!("{path}: {new} over {old}")) }
        }
        _ => Err(format!("{path}: {with} over {without}")),
    }
}

/// Loads without the project, with it, and with it trusted.
fn check(user: &[(String, String)], project: &[(String, String)]) -> Result<&'static str, TestCaseError> {
    let text =
        |settings: &[(String, String)]| settings.iter().map(|(key, value)| nested(key, value)).collect::<String>();
    let as_json = |loaded: &Loaded| serde_json::to_value(&loaded.config).unwrap();
    let machine = Machine::new().user(&text(user));
    let Ok(without) = machine.load().map(|loaded| as_json(&loaded)) else { return Ok("the user's own file is wrong") };
    let machine = machine.project(&text(project));
    let Ok(loaded) = machine.load() else { return Ok("refused") };
    let with = as_json(&loaded);
    prop_assert!(narrower(&without, &with, "").is_ok(), "{:?} in {project:?}", narrower(&without, &with, ""));
    let Ok(trusted) = machine.trusted().load() else { return Ok("of no sense once trusted") };
    for (key, _) in every_key() {
        let at = format!("/{}", key.replace('.', "/"));
        let trusted = as_json(&trusted);
        let is_same = without.pointer(&at) == trusted.pointer(&at);
        let may = [MAY_LOWER, MAY_ADD, AFTER_TRUST].iter().any(|list| is_in(list, &key));
        prop_assert!(is_same || may, "{key} by {project:?}");
    }
    Ok("taken")
}

/// Project files made up at random.
const N_FILES: usize = 300;

#[test]
fn no_protected_key_is_ever_set_by_a_project() {
    let mut counts = std::collections::BTreeMap::<&str, u32>::new();
    let mut runner = TestRunner::deterministic();
    let every: Vec<String> = every_key().into_iter().map(|(key, _)| key).collect();
    let marked = || every.iter().filter(|key| [MAY_LOWER, MAY_ADD, AFTER_TRUST].iter().any(|list| is_in(list, key)));
    let numbers = || MAY_LOWER.iter().map(|key| (*key).to_owned());
    let of_user = any_settings(numbers().collect());
    let of_project =
        [any_settings(every.clone()), any_settings(marked().cloned().collect()), any_settings(numbers().collect())];
    for round in 0..N_FILES {
        let mut sample =
            |strategy: &BoxedStrategy<Vec<(String, String)>>| strategy.new_tree(&mut runner).unwrap().current();
        let (user, project) = (sample(&of_user), sample(&of_project[round % 3]));
        match check(&user, &project) {
            Ok(what) => *counts.entry(what).or_default() += 1,
            Err(error) => panic!("{error}"),
        }
    }
    println!("{N_FILES} random project files: {counts:?}, 0 protected keys set");
    assert!(counts.get("taken").is_some_and(|n| *n > 50), "{counts:?}");
}

/// Slips of one character in names of keys and in words, and lines lost.
#[test]
fn a_settings_file_with_a_mistake_in_it_is_never_weaker() {
    let own = "agent:\n  mode: plan\n  max_steps: 5\npolicy:\n  deny: ['shell:git push *']\n  ask: ['shell:make *']\nsandbox:\n  tier: full\n";
    let strict = Machine::new().user(own).load().unwrap().config;
    let (mut refused, mut same) = (0, 0);
    let is_text_of_a_rule = |at: usize| own[at..].starts_with('\'') || own[..at].matches('\'').count() % 2 == 1;
    for at in (0..own.len()).filter(|at| !is_text_of_a_rule(*at)) {
        for change in [None, Some("x"), Some(":"), Some(" "), Some("\n"), Some("#"), Some("'"), Some("\t")] {
            let text =
                format!("{}{}{}", &own[..at], change.unwrap_or_default(), &own[at + usize::from(change.is_none())..]);
            let Ok(loaded) = Machine::new().user(&text).load() else {
                refused += 1;
                continue;
            };
            // A word that became a comment or a line that became another key's is a file somebody may have meant.
            if change == Some("#")
                || change.is_none() && own[at..].starts_with(char::is_numeric)
                || change == Some("\n")
            {
                continue;
            }
            same += 1;
            let config = loaded.config;
            assert_eq!(
                (config.policy.deny, config.policy.ask),
                (strict.policy.deny.clone(), strict.policy.ask.clone()),
                "{text}"
            );
            assert_eq!((config.agent.mode, config.sandbox.tier), (strict.agent.mode, strict.sandbox.tier), "{text}");
        }
    }
    println!("{} settings files with a mistake: {refused} refused, {same} used and no weaker", refused + same);
    assert!(refused > 200, "{refused}");
}
