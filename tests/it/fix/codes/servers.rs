//! What when there is no model, or it fails on the way?

use super::{CHECK, ends, fix, program, read, red, write};
use crate::support::Env;
use crate::support::wire::WireServer;

const NOBODY: &[&str] = &["--set", "server.url=http://127.0.0.1:1/v1", "--model", "auto/x"];

/// A linter that finds lines with `bad`, and a fixer beside it that mends so many of them.
fn with_fixer(env: &Env, mends: &str) -> String {
    env.write("ruff.toml", "");
    env.write("a.py", "bad = 1\nok = 2\n");
    env.write("b.py", "bad = 3\n");
    program(env, ".venv/bin/ruff", &format!("[ \"$1\" = check ] && sed -i s/bad/good/ {mends}; exit 0"));
    let shows = r"grep -n bad a.py b.py | sed 's/:.*//; s/$/:1:1: E1 it is bad/'";
    format!("{shows}; ! grep -q bad a.py b.py")
}

#[test]
fn nobody_answers() {
    let env = red("[]");
    let outcome = fix(&env, NOBODY);
    ends(
        &env,
        &outcome,
        4,
        &[
            "cannot reach the model server at http://127.0.0.1:1/v1",
            "still failing: `cat answer.txt; grep -q good answer.txt`: 1 failure",
        ],
    );
    assert_eq!(env.read("answer.txt"), "bad\n");
}

#[test]
fn nobody_answers_and_fixers_are_enough() {
    let env = red("[]");
    let check = with_fixer(&env, "a.py b.py");
    let outcome = env.run(["fix", "--lint", &check].iter().chain(NOBODY).copied()).outcome();
    ends(&env, &outcome, 0, &["fixer ruff check --fix: 2 failures before, 0 after: kept", "fixed without a model"]);
    assert_eq!((env.read("a.py").as_str(), env.read("b.py").as_str()), ("good = 1\nok = 2\n", "good = 3\n"));
}

#[test]
fn nobody_answers_and_fixers_are_not_enough() {
    let env = red("[]");
    let check = with_fixer(&env, "a.py");
    let outcome = env.run(["fix", "--lint", &check].iter().chain(NOBODY).copied()).outcome();
    ends(&env, &outcome, 4, &["2 failures before, 1 after: kept", "still failing: `", "cannot reach the model server"]);
    assert_eq!((env.read("a.py").as_str(), env.read("b.py").as_str()), ("good = 1\nok = 2\n", "bad = 3\n"));
}

#[test]
fn a_fixer_that_makes_it_worse_is_taken_back() {
    let env = red("[]");
    let check = with_fixer(&env, "a.py; echo bad >> b.py; echo 'bad: 1' >> c.py");
    let check = check.replace("b.py", "b.py $(ls c.py 2>/dev/null)");
    let outcome = env.run(["fix", "--lint", &check, "--max-rounds", "0"]).outcome();
    ends(&env, &outcome, 1, &["taken back", "no model was asked (--max-rounds 0)"]);
    assert_eq!((env.read("a.py").as_str(), env.read("b.py").as_str()), ("bad = 1\nok = 2\n", "bad = 3\n"));
    assert!(!env.work().join("c.py").exists());
}

#[test]
fn the_server_dies_after_an_edit() {
    let env = red(&format!(
        "[{{calls: [{}, {}]}}, {{error: {{status: 400, body: gone}}}}]",
        read("answer.txt"),
        write("answer.txt", "better\n")
    ));
    let outcome = fix(&env, &[]);
    ends(&env, &outcome, 4, &["refused the request (400): gone", "hint: mimi doctor"]);
    assert_eq!(env.read("answer.txt"), "better\n");
}

#[test]
fn the_server_dies_after_the_work_was_done() {
    let env = red(&format!(
        "[{{calls: [{}, {}]}}, {{error: {{status: 400, body: gone}}}}]",
        read("answer.txt"),
        write("answer.txt", "good\n")
    ));
    let outcome = fix(&env, &[]);
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
}

#[test]
fn the_key_is_refused() {
    let server = WireServer::answering(401, "application/json", "{\"error\": {\"message\": \"no\"}}");
    let env = red("[]");
    let outcome = fix(&env, &["--set", &format!("server.url={}", server.url()), "--model", "auto/m"]);
    ends(&env, &outcome, 4, &["refused the key (401)"]);
}

#[test]
fn the_server_stays_overloaded_until_the_time_is_up() {
    let server = WireServer::answering(503, "application/json", "{}");
    let env = red("[]");
    let url = format!("server.url={}", server.url());
    let outcome = fix(&env, &["--set", &url, "--model", "auto/m", "--max-time", "1500ms"]);
    ends(&env, &outcome, 1, &["still fails", "stopped at a limit: [TIME] (--max-time)"]);
}

#[test]
fn the_model_does_not_exist() {
    let server = WireServer::answering(200, "application/json", "{}");
    let env = red("[]");
    let outcome = fix(&env, &["--set", &format!("server.url={}", server.url()), "--model", "auto/other"]);
    ends(&env, &outcome, 4, &["other"]);
    assert!(!CHECK.is_empty());
}
