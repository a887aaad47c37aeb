//! Do `mimi usage` and `mimi cache` show what was used and kept, and survive what happens to the files?

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use mimi::base::clock::SystemClock;
use mimi::model::cache::{self, Cache};
use mimi::protocol::task::Task;
use tokio_util::sync::CancellationToken;

use super::{json, run_task, served, user_of};
use crate::db::{check, number};
use crate::support::Env;
use crate::support::wire::WireServer;

fn ledger(env: &Env) -> std::path::PathBuf {
    env.home().join(".local/state/mimi/usage.db")
}

const TURNS: &str = "turns: [
    {calls: [{name: list_files}], usage: {input: 1200, output: 20}},
    {say: done, usage: {input: 1300, output: 30, cached: 1200}}]";

#[test]
fn before_the_first_request_a_friendly_line_says_so() {
    let env = Env::new();
    for arguments in [&["usage"][..], &["usage", "--by", "model"], &["usage", "--since", "7d"]] {
        let outcome = env.run(arguments.to_vec()).outcome().success();
        assert!(outcome.stdout.is_empty() && outcome.stderr.starts_with("No requests"), "{outcome}");
    }
    assert_eq!(env.run(["usage", "--json"]).outcome().success().raw_stdout, "[]\n");
    assert!(!ledger(&env).exists(), "looking makes nothing");
}

#[test]
fn wrong_arguments_are_wrong_usage() {
    let env = Env::new();
    for arguments in [
        &["usage", "--by", "week"][..],
        &["usage", "--since", "yesterday"],
        &["usage", "--since", "2026-02-30"],
        &["usage", "x"],
        &["cache"],
        &["cache", "drop"],
    ] {
        let outcome = env.run(arguments.to_vec()).outcome().fails_with(2);
        assert!(outcome.stdout.is_empty() && !outcome.stderr.is_empty(), "{outcome}");
    }
}

#[test]
fn a_run_is_counted_and_shown_by_each_side() {
    let (env, _server) = served(TURNS);
    run_task(&env, &[]).success();
    let table = env.run(["usage", "--by", "model"]).outcome().success();
    insta::assert_snapshot!(shape(&table.stdout), @r"
    model                   requests  tokens in  cached  tokens out  first token  tokens/s
    server/qwen3-coder:30b         2       2500     48%          50              #         #
    ");
    let by_task = env.run(["usage", "--by", "task", "--since", "1d"]).outcome().success();
    assert!(by_task.stdout.lines().nth(1).unwrap().starts_with("chat "), "{by_task}");
    let by_project = env.run(["usage", "--by", "project"]).outcome().success();
    assert!(by_project.stdout.lines().nth(1).unwrap().starts_with("[WORK] "), "{by_project}");
    let rows = json(&env.run(["usage", "--json"]).outcome().success());
    let row = &rows[0];
    assert_eq!(rows.as_array().unwrap().len(), 1);
    assert_eq!((&row["requests"], &row["answered"], &row["retries"]), (&2.into(), &2.into(), &0.into()));
    assert_eq!(
        (&row["input_tokens"], &row["cached_tokens"], &row["output_tokens"]),
        (&2500.into(), &1200.into(), &50.into())
    );
    let mut names: Vec<&String> = row.as_object().unwrap().keys().collect();
    names.sort();
    let expected = "answered cached_tokens cost first_token_ms input_tokens key output_tokens prefill_ms queue_ms recovered \
                    requests retries tokens_per_second";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    let session = "SELECT count(*) FROM request WHERE length(session) = 36";
    assert_eq!(number(&ledger(&env), session), 2);
}

/// Replaces measured times, at the place where they stand.
fn shape(table: &str) -> String {
    let varying = regex::Regex::new(r"\s+(\S+)\s+(\S+)$").unwrap();
    let lines = table.lines().enumerate().map(|(n, line)| match n {
        0 => line.to_owned(),
        _ => varying
            .replace(line, |found: &regex::Captures| {
                let width = found[0].len() - 10;
                format!("{:>width$}{:>10}", "#", "#")
            })
            .into_owned(),
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn costs_are_shown_where_there_are_prices_and_what_has_none_is_named() {
    let (env, _server) = served(TURNS);
    run_task(&env, &[]).success();
    env.write_home(".config/mimi/config.yaml", "prices: {'qwen3*': {input_per_mtok: 1000, output_per_mtok: 2000.5}}\n");
    let priced = env.run(["usage"]).outcome().success();
    assert!(priced.stdout.lines().next().unwrap().ends_with("cost"), "{priced}");
    assert!(priced.stdout.lines().nth(1).unwrap().ends_with(" 2.60"), "{priced}");
    env.write_home(".config/mimi/config.yaml", "prices: {other: {per_gpu_second: 1}}\n");
    let other = env.run(["usage"]).outcome().success();
    assert!(other.stdout.lines().nth(1).unwrap().ends_with(" -"), "{other}");
    assert!(other.stderr.contains("server/qwen3-coder:30b"), "{other}");
}

#[test]
fn prices_that_make_no_sense_are_refused_with_their_place() {
    let env = Env::new();
    for (row, expected) in [
        ("{input_per_mtok: -1}", "must be a number that is not negative"),
        ("{input_per_mtok: cheap}", "must be a number that is not negative, found text"),
        ("{input: 1}", "unknown key `prices.m.input`"),
        ("5", "must be a map of keys"),
    ] {
        env.write_home(".config/mimi/config.yaml", format!("prices: {{m: {row}}}\n"));
        let outcome = env.run(["usage"]).outcome().fails_with(3);
        assert!(outcome.stderr.contains(expected) && outcome.stderr.contains("config.yaml:1:"), "{outcome}");
    }
}

#[test]
fn failures_are_counted_and_shown() {
    let server = WireServer::answering(400, "application/json", "{\"error\":{\"message\":\"no\"}}");
    let env = user_of(&server);
    run_task(&env, &["--model", "m"]).fails_with(4);
    let outcome = env.run(["usage"]).outcome().success();
    let words: Vec<&str> = outcome.stdout.lines().nth(1).unwrap().split_whitespace().skip(1).collect();
    assert_eq!(words, ["1", "1", "0", "0", "-", "-"], "{outcome}");
}

#[test]
fn runs_at_the_same_time_are_all_counted() {
    const N_RUNS: usize = 8;
    let server = WireServer::replaying(&format!("model: qwen3-coder:30b\n{TURNS}"));
    let env = user_of(&server);
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..N_RUNS).map(|_| scope.spawn(|| run_task(&env, &[]).success())).collect();
        for run in runs {
            let outcome = run.join().unwrap();
            assert!(!outcome.stderr.contains("kept"), "{outcome}");
        }
    });
    assert_eq!(number(&ledger(&env), "SELECT count(*) FROM request"), 2 * N_RUNS as i64);
    assert_eq!(number(&ledger(&env), "SELECT count(DISTINCT session) FROM request"), N_RUNS as i64);
    assert_eq!(check(&ledger(&env)), "ok");
}

/// Killed after more and more of its output was read, also while it opens and writes the ledger.
#[test]
fn a_ledger_of_runs_that_were_killed_is_sound_and_has_what_was_written() {
    const N_KILLS: usize = 25;
    let turns: String = (0..12).map(|n| format!("{{say: step {n}, calls: [{{name: list_files}}]}}, ")).collect();
    let server = WireServer::replaying(&format!("model: qwen3-coder:30b\nturns: [{turns} {{say: done}}]"));
    let env = user_of(&server);
    let whole = env.run(["run", "--json", "x"]).outcome().success().raw_stdout.len();
    let mut before = number(&ledger(&env), "SELECT count(*) FROM request");
    assert_eq!(before, 13);
    for n in 0..N_KILLS {
        let mut run = env.run(["run", "--json", "x"]).start();
        run.read_bytes(whole * n / N_KILLS + 1, "turn_done");
        run.kill();
        let now = number(&ledger(&env), "SELECT count(*) FROM request");
        assert!(now >= before && now <= before + 13, "{before} {now}");
        before = now;
        assert_eq!(check(&ledger(&env)), "ok");
    }
    crate::support::live::assert_nobody_left(env.home(), Duration::from_secs(20));
    assert!(before > 13 + N_KILLS as i64, "most requests before the kill were kept: {before}");
    env.run(["usage"]).outcome().success();
}

#[test]
fn a_damaged_ledger_is_named_and_kept_and_a_newer_one_refused() {
    let (env, _server) = served(TURNS);
    run_task(&env, &[]).success();
    // What the log holds would mend it.
    ["-wal", "-shm"]
        .iter()
        .for_each(|ending| drop(std::fs::remove_file(format!("{}{ending}", ledger(&env).display()))));
    std::fs::write(ledger(&env), "no database ".repeat(1000)).unwrap();
    let outcome = env.run(["usage"]).outcome().success();
    assert!(outcome.stderr.contains("warning: the usage ledger was damaged; it is kept as "), "{outcome}");
    assert!(ledger(&env).with_file_name("usage.db.damaged-1").exists());
    let connection = rusqlite::Connection::open(ledger(&env)).unwrap();
    connection.execute_batch("PRAGMA user_version = 50").unwrap();
    drop(connection);
    let outcome = env.run(["usage"]).outcome().fails_with(3);
    assert_eq!(
        outcome.stderr,
        "error: the database `[HOME]/.local/state/mimi/usage.db` is of version 50, this mimi knows versions up to 1\n\
         hint: update mimi, or put the file away: mv [HOME]/.local/state/mimi/usage.db [HOME]/.local/state/mimi/usage.db.newer\n"
    );
}

/// Keeps an answer as a process of this user would.
fn keep_a_title(env: &Env, server: &WireServer) {
    let folder = env.home().join(".cache/mimi");
    let cache = Arc::new(Cache::new(folder, 1_000_000, Arc::new(SystemClock)));
    let gateway = crate::model::gateway_at(&server.url(), crate::model::LIMITS).with_cache(cache);
    let request = mimi::model::Request {
        task: Task::Title,
        temperature: Some(0.0),
        ..crate::model::request("name this session")
    };
    let route = crate::model::unchecked_route(&server.url());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let progress = gateway.stream(&route, request, CancellationToken::new()).collect::<Vec<_>>();
    crate::model::outcome(&runtime.block_on(progress)).unwrap();
}

#[test]
fn the_cache_is_shown_and_emptied() {
    let env = Env::new();
    let empty = env.run(["cache", "stats"]).outcome().success();
    assert_eq!(
        (empty.stdout.as_str(), empty.stderr.as_str()),
        ("", "Nothing is kept in [HOME]/.cache/mimi/responses.db.\n")
    );
    assert_eq!(env.run(["cache", "clear"]).outcome().success().stdout, "deleted 0 entries\n");
    assert!(!cache::file(&env.home().join(".cache/mimi")).exists());
    let body = "{\"choices\":[{\"message\":{\"content\":\"A title\"},\"finish_reason\":\"stop\"}]}";
    let server = WireServer::answering(200, "application/json", body);
    keep_a_title(&env, &server);
    insta::assert_snapshot!(env.run(["cache", "stats"]).outcome().success().stdout, @r"
           1  304 bytes  words    m
           1  304 bytes  of 256.0 MB in [HOME]/.cache/mimi/responses.db
    ");
    let stats = json(&env.run(["cache", "stats", "--json"]).outcome().success());
    assert_eq!((&stats["entries"], &stats["max_bytes"]), (&1.into(), &256_000_000.into()));
    assert_eq!((&stats["parts"][0]["kind"], &stats["parts"][0]["model"]), (&"words".into(), &"m".into()));
    assert_eq!(env.run(["cache", "clear", "--json"]).outcome().success().stdout, "{\"deleted\":1}\n");
    assert_eq!(json(&env.run(["cache", "stats", "--json"]).outcome().success())["entries"], 0);
}
