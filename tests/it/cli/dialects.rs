//! Is a model offered the way of changing files that it gets along with, and when does that change?

use mimi::protocol::profile::EditDialect;
use mimi::telemetry::dialects::{Habits, Stated, counters};
use mimi::telemetry::ledger::{Ledger, Place};

use super::{run_task, served};
use crate::db::number;
use crate::support::Env;
use crate::support::wire::WireServer;

const MODEL: &str = "qwen3-coder:30b";

fn ledger_file(env: &Env) -> std::path::PathBuf {
    env.home().join(".local/state/mimi/usage.db")
}

/// Writes down how a model has stated edits.
fn remember(env: &Env, dialect: EditDialect, n_well: usize, n_badly: usize) {
    let place = Place { path: ledger_file(env), project: "/work/a".to_owned(), keep_days: 0 };
    let ledger = Ledger::new(place);
    let all = std::iter::repeat_n(Stated::Well, n_well).chain(std::iter::repeat_n(Stated::Badly, n_badly));
    for name in all.flat_map(|stated| counters(dialect, stated)) {
        ledger.count(MODEL, name);
    }
    ledger.flush();
}

/// The names of the tools for changing files in each request.
fn editors(server: &WireServer) -> Vec<Vec<String>> {
    let all = ["edit_file", "multi_edit", "apply_blocks", "apply_diff", "apply_patch", "write_file"];
    let names = |request: &serde_json::Value| {
        let tools = request["tools"].as_array().unwrap().clone();
        let names = tools.iter().map(|tool| tool["function"]["name"].as_str().unwrap().to_owned());
        names.filter(|name| all.contains(&name.as_str())).collect()
    };
    server.requests().iter().map(names).collect()
}

#[test]
fn a_dialect_that_often_fails_gives_way_to_a_simpler_one_in_the_next_session() {
    let table = [
        (EditDialect::Replace, 10, 4, EditDialect::Replace),
        (EditDialect::Replace, 9, 5, EditDialect::Replace),
        (EditDialect::Replace, 10, 5, EditDialect::Whole),
        (EditDialect::Replace, 11, 5, EditDialect::Replace),
        (EditDialect::Replace, 0, 40, EditDialect::Whole),
        (EditDialect::Patch, 10, 5, EditDialect::Replace),
        (EditDialect::UnifiedDiff, 10, 5, EditDialect::Replace),
        (EditDialect::Whole, 0, 40, EditDialect::Whole),
    ];
    for (dialect, n_well, n_badly, expected) in table {
        let env = Env::new();
        remember(&env, dialect, n_well, n_badly);
        let habits = Habits::read(&ledger_file(&env));
        assert_eq!(habits.offered(MODEL, dialect), expected, "{dialect:?} {n_well} {n_badly}");
        assert_eq!(habits.offered("another", dialect), dialect);
    }
    let env = Env::new();
    remember(&env, EditDialect::Patch, 10, 5);
    remember(&env, EditDialect::Replace, 10, 5);
    assert_eq!(Habits::read(&ledger_file(&env)).offered(MODEL, EditDialect::Patch), EditDialect::Whole);
    assert_eq!(Habits::read(&env.home().join("none")).offered(MODEL, EditDialect::Patch), EditDialect::Patch);
}

#[test]
fn what_is_offered_changes_between_sessions_and_never_within_one() {
    let slip = |animal| {
        format!("{{calls: [{{name: edit_file, arguments: {{path: a, old_string: {animal}, new_string: y}}}}]}}")
    };
    let slips = ["zebra", "giraffe", "elephant"].map(slip).join(",\n    ");
    let (env, server) = served(&format!(
        "turns: [\n    {{calls: [{{name: read_file, arguments: {{path: a}}}}]}},\n    {slips},\n    {{say: done}},\n    {{say: hello}}]"
    ));
    env.write("a", "some text\n");
    // Two slips short of the number from which a dialect gives way.
    remember(&env, EditDialect::Replace, 10, 3);
    run_task(&env, &[]).success();
    let slips = "SELECT sum(n) FROM counter WHERE name = 'edit_replace_slip'";
    assert_eq!(number(&ledger_file(&env), slips), 6);
    assert_eq!(number(&ledger_file(&env), "SELECT sum(n) FROM counter WHERE name = 'edit_replace'"), 16);
    run_task(&env, &[]).success();
    let offered = editors(&server);
    assert!(offered[..5].iter().all(|names| *names == ["edit_file", "write_file"]), "{offered:?}");
    assert_eq!(offered[5], ["write_file"]);
}
