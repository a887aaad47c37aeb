//! Is every kind of question answered, or told why not?

use crate::index::{FILES, Project};
use crate::support::Env;

fn user() -> Env {
    let env = Env::new();
    FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    env.write("src/open.rs", "pub fn open(path: &str) -> Result<(), String> {\n    Err(format!(\"cannot open the ledger at {path}: it is locked\"))\n}\n");
    env.write("src/net/open.rs", "//! Opens, opens the ledger, opens it again: cannot be locked.\npub fn open() {}\n");
    env
}

#[test]
fn the_places_of_a_trace_come_first_and_the_innermost_before_all() {
    let project = Project::new(FILES);
    let trace = "Traceback (most recent call last):\n  File \"/srv/app/lib/paint.py\", line 1, in main\n    evict_expired remove entries\n  File \"/usr/lib/python3/json.py\", line 9, in x\nKeyError: 'expired entries'";
    assert_eq!(project.paths(trace)[0], "lib/paint.py");
    let trace = "thread 'main' panicked at tests/cache_test.rs:1:5:\nHttpClient request\n   at ./src/net/retry.rs:3:9";
    assert_eq!(project.paths(trace)[..2], ["tests/cache_test.rs", "src/net/retry.rs"]);
    assert_eq!(project.paths("src/net/retry.rs:3")[0], "src/net/retry.rs");
    assert_eq!(project.paths("paint.py")[0], "lib/paint.py");
    let hit = &project.search("retry.rs:3")[0];
    assert!(hit.line <= 3 && 3 <= hit.end_line && hit.parts.place > 0.0, "{hit:?}");
}

#[test]
fn an_error_message_leads_to_the_code_that_writes_it() {
    let env = user();
    let message = "error: cannot open the ledger at /home/x/a.db: it is locked";
    let outcome = env.run(["search", message, "-n1", "--explain"]).outcome().success();
    assert!(outcome.stdout.starts_with("src/open.rs:1-3"), "{outcome}");
    assert!(outcome.stdout.contains("as error: ") && outcome.stdout.contains(", literal +"), "{outcome}");
}

#[test]
fn what_is_nowhere_is_not_found_instead_of_something_near() {
    let env = user();
    for question in [
        "zzzq_xyzzy_plugh",
        "qwertz asdfgh yxcvbn",
        "\u{623}\u{64a}\u{646} \u{62a}\u{62d}\u{630}\u{641}",
        "在哪里删除旧条目",
        "*",
        "\" OR \"",
    ] {
        let outcome = env.run(["search", question]).outcome().fails_with(1);
        assert!(outcome.stdout.is_empty() && outcome.stderr.contains("nothing found for"), "{question}: {outcome}");
    }
    let foreign = env.run(["search", "أين تحذف الإدخالات"]).outcome().fails_with(1);
    assert!(foreign.stderr.contains("ask in English, or with a name from the code"), "{foreign}");
    let german = env.run(["search", "wo wird HttpClient benutzt", "-n1"]).outcome().success();
    assert!(german.stdout.starts_with("src/net/retry.rs"), "{german}");
}

#[test]
fn operators_and_quotes_are_text_like_any_other() {
    let env = user();
    for question in
        ["\"expired\" AND NOT entries*", "NEAR(expired entries, 2)", "text:expired ^entries", "expired') OR 1=1 --"]
    {
        let outcome = env.run(["search", question, "-n1"]).outcome().success();
        assert!(outcome.stdout.starts_with("src/cache.rs"), "{question}: {outcome}");
    }
}

#[test]
fn what_cannot_be_meant_is_said() {
    let env = user();
    let long = format!("remove expired entries {}", "and so on ".repeat(10_000));
    let outcome = env.run(["search", &long, "-n1"]).outcome().success();
    assert!(outcome.stderr.contains("first and last 8000 bytes count"), "{outcome}");
    assert!(outcome.stdout.starts_with("src/cache.rs"), "{outcome}");
    let unknown = env.run(["search", "x lang:pyton"]).outcome().fails_with(2);
    assert!(
        unknown.stderr.contains("no language is called `pyton`") && unknown.stderr.contains("lang:python"),
        "{unknown}"
    );
    let empty = env.run(["search", "path:src"]).outcome().fails_with(1);
    assert!(empty.stderr.contains("no question beside what narrows it"), "{empty}");
    for nothing in ["", "  ", "\n\t"] {
        let empty = env.run(["search", nothing]).outcome().fails_with(2);
        assert!(
            empty.stderr.contains("the question is empty") && empty.stderr.contains("hint: mimi search"),
            "{empty}"
        );
    }
    let quoted = env.run(["search", "path:\"src/net\" request", "-n1"]).outcome().success();
    assert!(quoted.stdout.starts_with("src/net/retry.rs"), "{quoted}");
}
