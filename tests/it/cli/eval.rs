//! Do the shipped tasks get fixed, and is a folder of tasks worked through whatever happens in one of them?

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::json;
use crate::support::{Env, Outcome};

/// All tasks at once; each builds and tests a small project, on a machine that may be busy.
const LIMIT: Duration = Duration::from_secs(300);

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tasks")
}

/// A user with the toolchains of the machine.
fn user() -> Env {
    let mut env = Env::new();
    let home = std::env::var("HOME").unwrap_or_default();
    for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo"), ("PYENV_ROOT", ".pyenv")] {
        env.set(name, std::env::var(name).unwrap_or_else(|_| format!("{home}/{folder}")));
    }
    env
}

/// Makes a task whose file is to say `good`.
fn task(env: &Env, name: &str, yaml: &str, script: &str) {
    env.write(format!("tasks/{name}/repository/answer.txt"), "bad\n");
    env.write(format!("tasks/{name}/task.yaml"), format!("title: says bad\ncheck: grep -q good answer.txt\n{yaml}"));
    env.write(format!("tasks/{name}/script.yaml"), script);
}

const WRITES_GOOD: &str = "turns: [{calls: [{name: read_file, arguments: {path: answer.txt}}, {name: write_file, arguments: {path: answer.txt, content: \"good\\n\"}}]}, {say: Done.}]";
const SAYS_SO: &str = "turns: [{say: It is fine.}, {say: Really.}, {say: Truly.}]";

fn eval(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["eval", "tasks"].iter().chain(arguments).copied()).limit(LIMIT).outcome()
}

fn endings(value: &Value) -> Vec<(&str, &str)> {
    let tasks = value["tasks"].as_array().unwrap();
    tasks.iter().map(|task| (task["name"].as_str().unwrap(), task["ending"].as_str().unwrap())).collect()
}

/// Lists what lies in a folder, with the contents of files.
fn contents(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(contents(&path)),
            false => found.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    found.sort();
    found
}

#[test]
fn every_shipped_task_is_fixed_by_its_script() {
    let env = user();
    let before = contents(&shipped());
    let folder = shipped().display().to_string();
    let outcome = env.run(["eval", &folder, "--script", "--json", "--jobs", "2"]).limit(LIMIT).outcome();
    let value = json(&outcome);
    let tasks = value["tasks"].as_array().unwrap();
    for task in tasks.iter().filter(|task| task["ending"] == "skipped") {
        eprintln!("task {} is skipped: {}", task["name"], task["why"]);
    }
    let told: Vec<_> = tasks.iter().filter(|task| task["ending"] != "skipped").collect();
    let unfixed: Vec<_> = told.iter().filter(|task| task["ending"] != "fixed").collect();
    assert!(unfixed.is_empty(), "{unfixed:#?}\n{}", outcome.stderr);
    assert_eq!(outcome.code, 0, "{outcome}");
    assert!(tasks.len() >= 12 && told.len() >= 8, "{} of {} tasks ran", told.len(), tasks.len());
    // What the scripts do besides: calls in words, an edit that does not fit, a second round.
    let of = |name: &str, what: &str| {
        tasks.iter().find(|task| task["name"] == name).and_then(|task| task[what].as_u64()).unwrap_or_default()
    };
    assert!(of("js-slug", "recovered") >= 2 || of("js-slug", "requests") == 0, "{value}");
    assert!(of("python-encoding", "edits_refused") >= 1 || of("python-encoding", "requests") == 0, "{value}");
    assert!(of("python-pages", "rounds") == 2 || of("python-pages", "requests") == 0, "{value}");
    assert_eq!(contents(&shipped()), before, "the tasks were touched");
    let left = std::fs::read_dir(env.home().with_file_name("tmp")).unwrap().count();
    assert_eq!(left, 0, "copies are left");
}

#[test]
fn one_task_stops_no_other_and_the_table_says_what_became_of_each() {
    let env = user();
    task(&env, "a-fixed", "language: Text\n", WRITES_GOOD);
    task(&env, "b-stays", "max_rounds: 1\n", SAYS_SO);
    task(&env, "c-lacks", "needs: [surely-no-such-program]\n", WRITES_GOOD);
    task(&env, "d-dies", "", "turns: [{error: {status: 400, body: gone}}]");
    task(&env, "e-hangs", "max_seconds: 1\n", "turns: [{stall: true}]");
    task(&env, "f-green", "", SAYS_SO);
    env.write("tasks/f-green/repository/answer.txt", "good\n");
    let outcome = eval(&env, &["--script"]).fails_with(1);
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    let words: Vec<Vec<&str>> = lines.iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(
        words[0],
        [
            "task",
            "language",
            "result",
            "rounds",
            "requests",
            "tokens",
            "time",
            "own/round",
            "recovered",
            "refused",
            "code"
        ]
    );
    assert_eq!(words[1], ["a-fixed", "Text", "fixed", "1", "2", "0", "[TIME]", "[TIME]", "0", "0", "0"]);
    assert_eq!(words[2][..5], ["b-stays", "not", "fixed", "1", "1"], "{outcome}");
    assert_eq!(words[3], ["c-lacks", "skipped", "-", "-", "-", "-", "-", "-", "-", "-"]);
    assert_eq!((&words[4][..3], words[4].last()), (&["d-dies", "not", "fixed"][..], Some(&"4")));
    assert_eq!((&words[5][..4], words[5].last()), (&["e-hangs", "out", "of", "time"][..], Some(&"-")));
    assert_eq!(words[6][..4], ["f-green", "nothing", "to", "fix"]);
    assert_eq!(lines[7], "1 of 5 fixed by the scripts, 1 not run");
    assert!(outcome.stderr.starts_with("the model's words come from the tasks' scripts; "), "{outcome}");
    assert!(outcome.stderr.contains("c-lacks skipped: `surely-no-such-program` is not installed"), "{outcome}");
    assert!(outcome.stderr.ends_with("error: 4 tasks not fixed\n"), "{outcome}");
    assert_eq!(env.read("tasks/a-fixed/repository/answer.txt"), "bad\n");
    // Nothing of it shows in what the user keeps.
    assert_eq!(env.run(["session", "list", "--all", "--json"]).outcome().stdout, "[]\n");
}

#[test]
fn two_results_can_be_compared() {
    let env = user();
    task(&env, "a", "", WRITES_GOOD);
    task(&env, "b", "max_rounds: 1\n", SAYS_SO);
    let first = eval(&env, &["--script", "--json"]).fails_with(1);
    let file = env.write_home("first.json", &first.raw_stdout).display().to_string();
    let same = eval(&env, &["--script", "--compare", &file]).success();
    assert!(same.stdout.ends_with("\nthe same as before\n"), "{same}");
    env.write("tasks/a/script.yaml", SAYS_SO);
    env.write("tasks/b/script.yaml", WRITES_GOOD);
    let other = eval(&env, &["--script", "--compare", &file]).fails_with(1);
    let told = "\nworse: a: was fixed, is not fixed\nbetter: b: was not fixed, is fixed\nother numbers: a: rounds 1 -> 3, requests 2 -> 3\n";
    assert!(other.stdout.contains(told), "{other}");
    assert!(other.stderr.ends_with("error: 1 task got worse\n"), "{other}");
    let value = json(&eval(&env, &["--script", "--json", "--compare", &file]).fails_with(1));
    assert_eq!(value["compared"]["worse"][0], "a: was fixed, is not fixed");
    for (name, content, code) in [("x", "[]", 2), ("y", &first.raw_stdout.replacen("\"v\": 1", "\"v\": 9", 1), 3)] {
        let path = env.write_home(name, content).display().to_string();
        let outcome = eval(&env, &["--script", "--compare", &path]).fails_with(code);
        assert_eq!(outcome.stdout, "", "{outcome}");
    }
}

#[test]
fn a_real_model_is_asked_where_no_script_is() {
    let (mut env, server) = super::served(WRITES_GOOD);
    env.set("MIMI_API_KEY", "sk-0123456789");
    task(&env, "a", "", "turns: []");
    let record = env.home().join("records").display().to_string();
    let value = json(&eval(&env, &["--json", "--record", &record, "--model", "qwen3-coder:30b"]).success());
    assert_eq!(endings(&value), [("a", "fixed")]);
    assert_eq!((&value["model"], &value["is_scripted"]), (&"qwen3-coder:30b".into(), &false.into()));
    drop(server);
    env.run(["replay", &format!("{record}/a.jsonl")]).outcome().success();
}

#[test]
fn an_interrupt_ends_with_the_table_so_far() {
    let env = user();
    task(&env, "a", "", WRITES_GOOD);
    task(&env, "b", "", "turns: [{stall: true}]");
    task(&env, "c", "", WRITES_GOOD);
    let script = format!(
        "{} eval tasks --script > out 2> err & pid=$!\nuntil grep -q '^a fixed' err; do :; done\nkill -INT $pid; wait $pid",
        crate::support::PROGRAM
    );
    env.program("bash", ["-c", &format!("set -m; {script}")]).limit(LIMIT).outcome().fails_with(130);
    let out = env.read("out");
    assert!(out.contains("\na               fixed"), "{out}");
    assert!(out.contains("\nb               interrupted") && out.contains("\nc               interrupted"), "{out}");
    assert!(out.ends_with("1 of 1 fixed by the scripts, 2 not run\n"), "{out}");
}

#[test]
fn what_is_no_task_is_said_so() {
    let env = user();
    let none = env.run(["eval", "tasks"]).outcome().fails_with(2);
    assert!(none.stderr.starts_with("error: cannot read the tasks in `tasks`\n"), "{none}");
    env.write("tasks/readme.txt", "");
    let none = eval(&env, &[]).fails_with(2);
    assert!(none.stderr.contains("there is no task in `[WORK]/tasks`"), "{none}");
    task(&env, "a", "", WRITES_GOOD);
    let unknown = eval(&env, &["--task", "b"]).fails_with(2);
    assert_eq!(unknown.stderr, "error: there is no task `b`\nhint: there are: a\n");
    task(&env, "a", "colour: red\n", WRITES_GOOD);
    let broken = eval(&env, &[]).fails_with(3);
    assert!(broken.stderr.starts_with("error: the task `a` cannot be read: "), "{broken}");
    task(&env, "a", "needs: [surely-no-such-program]\n", WRITES_GOOD);
    let skipped = eval(&env, &["--script"]).fails_with(8);
    assert!(skipped.stderr.contains("error: no task could be run here\n"), "{skipped}");
}
