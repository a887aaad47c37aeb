//! Do `mimi index` and `mimi search` say what people and scripts need?

use crate::index::FILES;
use crate::support::Env;

fn user() -> Env {
    let env = Env::new();
    FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    env
}

#[test]
fn a_search_shows_place_names_and_lines() {
    let env = user();
    let outcome = env.run(["search", "remove", "expired", "entries", "-n", "1"]).outcome().success();
    assert!(outcome.stdout.starts_with("src/cache.rs:1-6"), "{outcome}");
    assert!(
        outcome.stdout.contains("evict_expired") && outcome.stdout.contains("    4 pub fn evict_expired"),
        "{outcome}"
    );
    let explained = env.run(["search", "HttpClient", "--explain", "--lines", "0"]).outcome().success();
    assert!(explained.stdout.contains("as symbol: words ") && explained.stdout.contains("definition +"), "{explained}");
    assert!(explained.stdout.contains(" % of the question), meaning "), "{explained}");
}

#[test]
fn a_script_gets_json_and_an_exit_code() {
    let env = user();
    let outcome = env.run(["search", "evict_expired", "--json"]).outcome().success();
    let answer: serde_json::Value = serde_json::from_str(&outcome.raw_stdout).unwrap();
    assert_eq!(
        (answer["kind"].as_str(), answer["hits"][0]["hit"]["path"].as_str()),
        (Some("symbol"), Some("src/cache.rs"))
    );
    assert!(answer["hits"][0]["lines"][0]["line"].is_u64() && answer["hits"][0]["hit"]["parts"]["words"].is_number());
    let nothing = env.run(["search", "symbol:nowhere_defined"]).outcome().fails_with(1);
    assert!(
        nothing.stdout.is_empty() && nothing.stderr.contains("nothing found for `symbol:nowhere_defined`"),
        "{nothing}"
    );
    let nothing = env.run(["search", "symbol:nowhere_defined", "--json"]).outcome().fails_with(1);
    assert!(nothing.stdout.contains("\"hits\":[]"), "{nothing}");
    env.run(["search"]).outcome().fails_with(2);
    env.run(["search", "x", "-n", "0"]).outcome().fails_with(2);
}

#[test]
fn the_index_is_built_shown_checked_pruned_and_rebuilt() {
    let env = user();
    let before = env.run(["index", "--status"]).outcome().success();
    assert!(before.stdout.is_empty() && before.stderr.contains("no index of this project yet"), "{before}");
    assert_eq!(env.run(["index", "--status", "--json"]).outcome().success().raw_stdout, "null\n");
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.starts_with("5 files read, 0 files gone, 5 pieces written"), "{built}");
    let status = env.run(["index", "--stats"]).outcome().success();
    assert!(
        status.stdout.contains("files        5")
            && status.stdout.contains("rust 3")
            && status.stdout.contains("static-256-1"),
        "{status}"
    );
    assert!(env.run(["index", "--verify"]).outcome().success().stdout.contains("sound"));
    env.run(["index", "--prune"]).outcome().success();
    let rebuilt = env.run(["index", "--rebuild", "--json"]).outcome().success();
    let object: serde_json::Value = serde_json::from_str(&rebuilt.raw_stdout).unwrap();
    assert_eq!((object["files_parsed"].as_u64(), object["status"]["n_files"].as_u64()), (Some(5), Some(5)));
    env.run(["index", "--verify", "--prune"]).outcome().fails_with(2);
    let folder = env.home().join(".cache/mimi/index");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1);
    assert!(!env.work().join(".mimi").exists(), "nothing is put into the project");
}

#[test]
fn the_folder_that_is_searched_can_be_named_and_must_exist() {
    let env = user();
    let lib = env.work().join("lib");
    let outcome = env
        .run([
            "-C".to_owned(),
            lib.display().to_string(),
            "search".to_owned(),
            "draw line".to_owned(),
            "-n1".to_owned(),
        ])
        .outcome()
        .success();
    assert!(outcome.stdout.starts_with("paint.py:1-3"), "{outcome}");
}
