//! Do the compiled-in tables and the typed schema say the same?

use mimi::base::yaml::{Node, Value, parse, to_json};
use mimi::config::range::{RANGES, ROW_RANGES};
use mimi::config::schema::{Config, Priority, ProviderConfig, ProviderKind, Think, Timeouts};
use mimi::config::shape::Shape;

use crate::config::Machine;

const DEFAULT: &str = include_str!("../../../config/default.yaml");

fn paths(value: &serde_json::Value, path: &str, found: &mut Vec<String>) {
    match value {
        serde_json::Value::Object(map) if !map.is_empty() => {
            map.iter().for_each(|(key, value)| paths(value, &format!("{path}.{key}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn default_yaml_and_the_schema_have_the_same_keys() {
    let mut written = to_json(&parse(DEFAULT).unwrap());
    let config: Config = serde_json::from_value(written.clone()).unwrap();
    let mut typed = serde_json::to_value(config).unwrap();
    let (mut in_file, mut in_struct) = (Vec::new(), Vec::new());
    paths(&written.take(), "", &mut in_file);
    paths(&typed.take(), "", &mut in_struct);
    in_file.sort();
    in_struct.sort();
    assert_eq!(in_file, in_struct);
    assert!(in_file.len() > 30);
}

#[test]
fn the_shape_of_a_provider_is_that_of_its_struct() {
    let timeouts = Timeouts { connect_s: Some(1), first_byte_s: Some(1), idle_s: Some(1) };
    let (field, header) = (String::new(), String::new());
    let priority = Some(Priority { field, header, interactive: 0, ci: 5, background: 10 });
    let (num_ctx, think) = (Some(4096), Some(Think::Off));
    let bare = ProviderConfig::new(ProviderKind::Openai, "");
    let row = ProviderConfig { search: Some(1), timeouts, priority, num_ctx, think, ..bare };
    let mut fields = Vec::new();
    paths(&serde_json::to_value(row).unwrap(), "", &mut fields);
    let shape: Vec<String> = Shape::provider().leaves().iter().map(|leaf| format!(".{leaf}")).collect();
    assert_eq!(shape, fields);
}

fn numbers(node: &Node, path: &str, found: &mut Vec<(String, i64)>) {
    for entry in node.entries() {
        let path = if path.is_empty() { entry.key.clone() } else { format!("{path}.{}", entry.key) };
        match entry.value.value {
            Value::Int(number) => found.push((path, number)),
            _ => numbers(&entry.value, &path, found),
        }
    }
}

#[test]
fn every_number_has_a_range_that_holds_its_default() {
    let mut found = Vec::new();
    numbers(&parse(DEFAULT).unwrap(), "", &mut found);
    let mut names: Vec<&str> = RANGES.iter().map(|(name, ..)| *name).collect();
    for (key, number) in &found {
        let (_, low, high) = RANGES.iter().find(|(name, ..)| name == key).unwrap_or_else(|| panic!("no range: {key}"));
        assert!((low..=high).contains(&number), "{key}");
        names.retain(|name| name != key);
    }
    assert!(names.is_empty(), "ranges of keys that are gone: {names:?}");
}

#[test]
fn every_number_of_a_provider_has_a_range() {
    let shape = Shape::provider();
    let numbers: Vec<String> =
        shape.leaves().into_iter().filter(|leaf| shape.at(leaf) == Some(&Shape::Number)).collect();
    assert_eq!(numbers, ROW_RANGES.iter().map(|(name, ..)| *name).collect::<Vec<_>>());
}

/// The ends of each range must fit the type of the struct, or the message would come from elsewhere.
#[test]
fn the_ends_of_every_range_load() {
    for (key, low, high) in RANGES {
        for value in [low, high] {
            let loaded = Machine::new().flag(key, &value.to_string()).load();
            assert!(loaded.is_ok(), "{key}: {value}: {:?}", loaded.err());
        }
    }
}

/// A comment stands above each key, or above the section whose first key it is; `routes` is one table.
#[test]
fn every_key_of_default_yaml_is_explained_by_a_comment() {
    let mut explained = false;
    let mut section = "";
    for line in DEFAULT.lines() {
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            explained = text.starts_with('#');
        } else if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            section = name;
        } else {
            assert!(explained || section == "routes", "no comment above `{text}` of `{section}`");
            explained = false;
        }
    }
}

#[test]
fn keys_marked_for_projects_are_those_a_project_may_set() {
    use mimi::config::project::{AFTER_TRUST, MAY_ADD, MAY_LOWER};
    let (mut always, mut once_trusted) = (Vec::new(), Vec::new());
    let mut section = "";
    let mut comment = String::new();
    for line in DEFAULT.lines().skip_while(|line| !line.is_empty()) {
        let text = line.trim_start();
        if text.starts_with('#') {
            comment.push_str(text);
        } else if let Some((key, _)) = text.split_once(':') {
            let name = if line == text { key.to_owned() } else { format!("{section}.{key}") };
            section = if line == text { key } else { section };
            match () {
                () if comment.contains("(project, once trusted)") => once_trusted.push(name),
                () if comment.contains("(project") => always.push(name),
                () => {}
            }
            comment.clear();
        }
    }
    let sorted = |keys: &[&str]| keys.iter().map(|key| (*key).to_owned()).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(always.into_iter().collect::<std::collections::BTreeSet<_>>(), sorted(&[MAY_LOWER, MAY_ADD].concat()));
    assert_eq!(once_trusted.into_iter().collect::<std::collections::BTreeSet<_>>(), sorted(AFTER_TRUST));
}
