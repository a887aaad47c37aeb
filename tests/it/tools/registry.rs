//! Are tools, manifests and what the model is told the same thing?

use std::collections::BTreeSet;

use mimi::protocol::profile::EditDialect;
use mimi::tools::manifest::Manifest;
use mimi::tools::registry::Registry;
use serde_json::{Map, Value, json};

use super::support::Bench;

const CORE: [&str; 6] = ["read_file", "edit_file", "write_file", "shell", "search", "more_tools"];

fn root() -> &'static std::path::Path {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn wire_bytes(registry: &Registry, names: &[&str]) -> usize {
    let specs = names.iter().map(|name| registry.get(name).unwrap().manifest().spec());
    let tools: Vec<Value> = specs.map(|spec| json!({ "type": "function", "function": spec })).collect();
    serde_json::to_string(&tools).unwrap().len()
}

#[test]
fn every_manifest_has_a_row_and_a_file_of_its_name() {
    let registry = Registry::new();
    let files = std::fs::read_dir(root().join("tools")).unwrap();
    let stems = files.filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".yaml").map(str::to_owned));
    let stems: BTreeSet<String> = stems.collect();
    assert_eq!(stems, registry.names().into_iter().map(str::to_owned).collect());
    for stem in stems {
        let manifest = std::fs::read_to_string(root().join(format!("tools/{stem}.yaml"))).unwrap();
        assert_eq!(Manifest::parse(&manifest).unwrap().name, stem);
        assert!(root().join(format!("src/tools/{stem}.rs")).is_file(), "{stem}.rs is missing");
    }
}

#[test]
fn every_example_is_a_call_the_tool_accepts() {
    let bench = Bench::new(&[]);
    for name in bench.registry.names() {
        let tool = bench.registry.get(name).unwrap();
        assert!(!tool.manifest().examples.is_empty(), "{name} has no example");
        for example in &tool.manifest().examples {
            if let Err(bad) = tool.intent(&bench.cx, example) {
                let text = bad.to_string();
                assert!(!text.starts_with("wrong arguments"), "{name}: {text}");
            }
        }
    }
}

/// Makes a value a schema allows.
fn sample(schema: &Value) -> Value {
    match schema["type"].as_str() {
        Some("integer") => json!(1),
        Some("boolean") => json!(true),
        Some("array") => json!([]),
        Some("object") => json!({}),
        _ => schema["enum"].get(0).cloned().unwrap_or_else(|| json!("x")),
    }
}

/// Returns the names in the "expected one of" of serde's message about an unknown field.
fn accepted(message: &str) -> BTreeSet<String> {
    let list = message.split("expected ").nth(1).unwrap_or_default();
    let list = list.split(". It takes").next().unwrap_or_default();
    list.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_schema_names_exactly_what_is_accepted_aliases_aside() {
    let bench = Bench::new(&[]);
    for name in bench.registry.names() {
        let tool = bench.registry.get(name).unwrap();
        let properties = tool.manifest().parameters["properties"].as_object().unwrap();
        let all: Map<String, Value> = properties.iter().map(|(name, schema)| (name.clone(), sample(schema))).collect();
        let with = |key: &str, value: &Value| {
            let mut arguments = all.clone();
            arguments.insert(key.to_owned(), value.clone());
            tool.intent(&bench.cx, &Value::Object(arguments)).err().map(|bad| bad.to_string()).unwrap_or_default()
        };
        let accepted = accepted(&with("no_such_field", &json!("x")));
        for property in properties.keys() {
            assert!(accepted.contains(property), "{name} does not accept its own `{property}`: {accepted:?}");
        }
        for alias in accepted.iter().filter(|field| !properties.contains_key(*field)) {
            let clashes = all.values().any(|value| with(alias, value).contains("duplicate field"));
            assert!(clashes, "{name} accepts `{alias}`, which is not in its schema");
        }
        assert_eq!(tool.manifest().parameters["additionalProperties"], json!(false), "{name}");
    }
}

#[test]
fn what_every_prompt_starts_with_is_small_and_never_varies() {
    let registry = Registry::new();
    let core = wire_bytes(&registry, &CORE[..5]);
    assert!(core < 3600, "the core tools take {core} bytes");
    let shown = registry.specs(20);
    let names: Vec<&str> = shown.iter().map(|spec| spec.name.as_str()).chain(["more_tools"]).collect();
    let all = wire_bytes(&registry, &names);
    assert!(all < 7000, "all tools take {all} bytes");
    for budget in [0, 6, 20] {
        let bytes = |registry: &Registry| serde_json::to_string(&registry.specs(budget)).unwrap();
        assert_eq!(bytes(&registry), bytes(&Registry::new()));
        let volatile =
            ["/home", "/work", "/root", "/tmp", "202", env!("CARGO_PKG_VERSION"), env!("CARGO_MANIFEST_DIR")];
        assert!(!volatile.iter().any(|fact| bytes(&registry).contains(fact)));
    }
}

#[test]
fn a_model_with_a_small_budget_sees_the_core_and_the_door() {
    let registry = Registry::new();
    let names = |budget| registry.specs(budget).iter().map(|spec| spec.name.clone()).collect::<Vec<_>>();
    assert_eq!(names(5), CORE);
    assert_eq!(names(10), CORE);
    let all = names(11);
    assert_eq!((all.len(), all.contains(&"more_tools".to_owned())), (11, false));
    assert_eq!(all[..5], CORE[..5]);
}

#[test]
fn the_spellings_of_models_find_their_tool() {
    let registry = Registry::new();
    let table = [
        ("read_file", Some("read_file")),
        ("Read_File", Some("read_file")),
        ("read-file", Some("read_file")),
        ("readFile", Some("read_file")),
        ("functions.read_file", Some("read_file")),
        ("default_api:shell", Some("shell")),
        (" shell ", Some("shell")),
        ("apply_patch", Some("apply_patch")),
        ("applypatch", Some("apply_patch")),
        ("functions.apply-patch", Some("apply_patch")),
        ("MultiEdit", Some("multi_edit")),
        ("str_replace", Some("edit_file")),
        ("replace_in_file", Some("apply_blocks")),
        ("functions.", None),
        ("read", None),
        ("", None),
    ];
    for (spelling, expected) in table {
        assert_eq!(registry.resolve(spelling).map(|tool| tool.manifest().name.as_str()), expected, "{spelling}");
        assert_eq!(registry.get(spelling).is_some(), expected == Some(spelling), "{spelling}");
    }
    let text = registry.unwrap("reed", json!({})).err().unwrap().to_string();
    assert!(text.starts_with("unknown tool `reed`; the tools are: read_file, edit_file,"), "{text}");
}

#[test]
fn the_door_stands_for_the_tool_behind_it() {
    let registry = Registry::new();
    let table = [
        (json!({}), Ok(("more_tools", json!({})))),
        (json!({"tool": null}), Ok(("more_tools", json!({})))),
        (json!({"tool": "list_files"}), Ok(("list_files", json!({})))),
        (json!({"tool": "list_files", "arguments": {"path": "src"}}), Ok(("list_files", json!({"path": "src"})))),
        (json!({"tool": "List-Files", "args": "{\"path\": \"src\"}"}), Ok(("list_files", json!({"path": "src"})))),
        (json!({"tool": "list_files", "path": "src"}), Ok(("list_files", json!({"path": "src"})))),
        (json!({"tool": "read_file", "arguments": {"path": "a"}}), Ok(("read_file", json!({"path": "a"})))),
        (json!({"tool": "more_tools"}), Err("unknown tool `more_tools`")),
        (json!({"tool": "rm"}), Err("unknown tool `rm`")),
        (json!({"tool": 3}), Err("wrong arguments for `more_tools` at `tool`")),
    ];
    for (arguments, expected) in table {
        match (registry.unwrap("more_tools", arguments.clone()), expected) {
            (Ok((tool, inner)), Ok(wanted)) => {
                assert_eq!((tool.manifest().name.as_str(), inner), wanted, "{arguments}");
            }
            (Err(bad), Err(start)) => assert!(bad.to_string().starts_with(start), "{arguments}: {bad}"),
            (got, wanted) => panic!("{arguments}: {:?} is not {wanted:?}", got.map(|(_, inner)| inner)),
        }
    }
}

#[test]
fn the_door_lists_what_is_behind_it() {
    let bench = Bench::new(&[]);
    let listing = bench.ok("more_tools", json!({}));
    let description = &bench.registry.get("more_tools").unwrap().manifest().description;
    let all = bench.registry.specs(20);
    for hidden in all.iter().map(|spec| spec.name.as_str()).filter(|name| !CORE.contains(name)) {
        assert!(listing.contains(&format!("{hidden}: ")), "{listing}");
        assert!(description.contains(hidden), "the door does not name {hidden}");
    }
    assert!(listing.contains("path? (string), depth? (integer)"), "{listing}");
}

#[test]
fn a_model_is_offered_the_one_tool_for_its_dialect() {
    let registry = Registry::new();
    let table = [
        (EditDialect::Replace, Some("edit_file")),
        (EditDialect::MultiReplace, Some("multi_edit")),
        (EditDialect::Blocks, Some("apply_blocks")),
        (EditDialect::UnifiedDiff, Some("apply_diff")),
        (EditDialect::Patch, Some("apply_patch")),
        (EditDialect::Whole, None),
    ];
    let all: Vec<&str> = table.iter().filter_map(|row| row.1).collect();
    assert_eq!(table.map(|row| row.0).len(), EditDialect::ALL.len());
    for budget in [6, 20] {
        let usual: Vec<String> = registry.specs(budget).iter().map(|spec| spec.name.clone()).collect();
        for (dialect, tool) in table {
            let specs = registry.specs_for(budget, dialect);
            let names: Vec<&str> = specs.iter().map(|spec| spec.name.as_str()).collect();
            let expected: Vec<&str> =
                usual.iter().filter_map(|name| if name == "edit_file" { tool } else { Some(name.as_str()) }).collect();
            assert_eq!(names, expected, "{dialect:?}");
            let write = specs.iter().find(|spec| spec.name == "write_file").unwrap();
            let named: Vec<&&str> = all.iter().filter(|tool| write.description.contains(**tool)).collect();
            assert_eq!(named, tool.iter().collect::<Vec<_>>(), "{}", write.description);
            assert!(write.description.ends_with('.') && wire_bytes(&registry, &names) < 8000, "{dialect:?}");
        }
    }
}
