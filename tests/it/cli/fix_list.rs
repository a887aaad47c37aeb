//! Do arrays of jobs get through a list of repositories, whatever becomes of single ones?

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::scripted;
use crate::support::{Env, Outcome};

/// Five repositories: one that passes, three that a model mends, one whose folder is not there. The third waits for a file.
fn five() -> Env {
    let turn = "{calls: [{name: write_file, arguments: {path: new.txt, content: \"good\\n\"}}]}";
    let env = scripted(&format!("turns: [{turn}, {{say: done}}]"));
    for name in ["a", "b", "c", "d"] {
        env.write(format!("repos/{name}/answer.txt"), "bad\n");
    }
    env.write("repos/a/new.txt", "good\n");
    let check = "grep good new.txt";
    let wait = "touch begun; [ ! -e ../../hold ] || sleep 600; grep good new.txt";
    let rows = [("a", check), ("b", check), ("c", wait), ("gone", check), ("d", check)];
    let list: String = rows.iter().map(|(name, check)| format!("repos/{name}\t{check}\n")).collect();
    env.write("list.txt", format!("# five\n{list}"));
    env
}

fn fix(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["fix", "--repo-list", "list.txt"].iter().chain(arguments).copied()).outcome()
}

/// Returns the words for the endings by repository.
fn endings(report: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(report).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let rows = report["repositories"].as_array().unwrap().iter();
    rows.map(|row| (text(&row["path"]), text(&row["report"]["ending"]["word"]))).collect()
}

fn pairs(rows: &[(&str, &str)]) -> Vec<(String, String)> {
    rows.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect()
}

#[test]
fn two_shares_make_one_report_and_nothing_is_done_twice() {
    let env = five();
    // Share 1 has lines 1, 3 and 5; share 2 the others, of which one is not there.
    let first = fix(&env, &["--shard", "1/2", "--output", "json"]).success();
    let done = [("repos/a", "nothing_to_do"), ("repos/c", "fixed"), ("repos/d", "fixed")];
    assert_eq!(endings(&first.raw_stdout), pairs(&done));
    let second = fix(&env, &["--shard", "2/2"]).fails_with(1);
    assert!(second.stderr.contains("cannot work in"), "{second}");
    std::fs::remove_file(env.work().join("repos/c/begun")).unwrap();
    // All of it again: only what was not there is tried, and the report is of the whole list.
    env.write("repos/gone/new.txt", "good\n");
    let whole = fix(&env, &["--output", "json", "--output", "junit=all.xml", "--output", "text=all.txt"]).success();
    let done = [
        ("repos/a", "nothing_to_do"),
        ("repos/b", "fixed"),
        ("repos/c", "fixed"),
        ("repos/gone", "nothing_to_do"),
        ("repos/d", "fixed"),
    ];
    assert_eq!(endings(&whole.raw_stdout), pairs(&done));
    assert!(!env.work().join("repos/c/begun").exists(), "{whole}");
    assert!(
        env.read("all.xml").contains("<testsuites name=\"mimi fix\" tests=\"5\" failures=\"0\" errors=\"0\""),
        "{}",
        env.read("all.xml")
    );
    assert!(env.read("all.txt").ends_with("3 fixed, 2 nothing to do\n"), "{}", env.read("all.txt"));
}

#[test]
fn after_a_kill_the_same_command_goes_on() {
    let env = five();
    let hold = env.write("hold", "");
    let mut child = std::process::Command::new(crate::support::PROGRAM)
        .args(["fix", "--repo-list", "list.txt", "--shard", "1/2"])
        .current_dir(env.work())
        .env_clear()
        .envs(env.vars())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while !env.work().join("repos/c/begun").exists() {
        assert!(Instant::now() < deadline && child.try_wait().unwrap().is_none(), "it did not get there");
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_file(hold).unwrap();
    env.write("repos/a/new.txt", "bad again, but done before\n");
    let outcome = fix(&env, &["--shard", "1/2", "--output", "json"]).success();
    let done = [("repos/a", "nothing_to_do"), ("repos/c", "fixed"), ("repos/d", "fixed")];
    assert_eq!(endings(&outcome.raw_stdout), pairs(&done));
    let report: Value = serde_json::from_str(&outcome.raw_stdout).unwrap();
    let left: Vec<&Value> = report["left"].as_array().unwrap().iter().map(|item| &item["path"]).collect();
    assert_eq!(left, [&json!("repos/b"), &json!("repos/gone")]);
}

#[test]
fn wrong_shares_and_lists_are_wrong_usage() {
    let env = five();
    let table: [(&[&str], &str); 4] = [
        (&["--shard", "3/2"], "write it as `I/N`"),
        (&["--test", "true"], "cannot be used with"),
        (&["--patch", "x"], "cannot be used with"),
        (&["--output", "json", "--output", "text"], "cannot both go to standard output"),
    ];
    for (arguments, words) in table {
        let outcome = fix(&env, arguments).fails_with(2);
        assert!(outcome.stderr.contains(words), "{outcome}");
    }
    let outcome = env.run(["fix", "--repo-list", "none.txt"]).outcome().fails_with(2);
    assert!(outcome.stderr.contains("cannot read the list"), "{outcome}");
}
