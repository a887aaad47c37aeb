//! Does `mimi fix` leave a true report, in every form that was asked for?

use serde_json::{Value, json};

use super::scripted;
use crate::support::report::checked;
use crate::support::{Env, Outcome};

/// Fails until the file says `good`.
const CHECK: &str = "grep good answer.txt";
const WRITES_GOOD: &str = "{name: write_file, arguments: {path: answer.txt, content: \"good\\n\"}}";

/// A project whose check fails, and a model that says these turns.
pub(super) fn red(turns: &str) -> Env {
    let env = scripted(&format!("turns: {turns}"));
    env.write("answer.txt", "bad\n");
    env
}

/// A model that mends it in one round.
pub(super) fn mended() -> String {
    format!("[{{calls: [{{name: read_file, arguments: {{path: answer.txt}}}}, {WRITES_GOOD}]}}, {{say: It said bad.}}]")
}

pub(super) fn fix(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["fix", "--test", CHECK].iter().chain(arguments).copied()).outcome()
}

fn steps(report: &Value) -> Vec<&str> {
    report["steps"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect()
}

#[test]
fn the_report_tells_each_step_and_how_it_ended() {
    let env = red(&mended());
    let outcome = fix(&env, &["--output", "json", "--max-rounds", "3"]).success();
    let report = checked(&outcome.raw_stdout);
    assert_eq!(steps(&report), ["reproduce", "flaky_run", "agent", "rerun"]);
    assert_eq!(report["ending"], json!({"code": 0, "word": "fixed"}));
    assert_eq!(report["job"]["checks"], json!([{"kind": "test", "command": CHECK}]));
    assert_eq!(report["budgets"][0], json!({"name": "rounds", "used": 1.0, "limit": 3.0}));
    assert_eq!(report["files"], json!([{"path": "answer.txt", "kind": "changed", "added": 1, "removed": 1}]));
    assert_eq!(report["budgets"][1], json!({"name": "steps", "used": 2.0}));
    assert_eq!((&report["model"]["name"], &report["model"]["requests"]), (&json!("script"), &json!(2)));
    assert_eq!(report["answer"], "It said bad.");
    let agent = &report["steps"][2];
    assert_eq!((&agent["calls"], &agent["edits"], &agent["edits_refused"]), (&json!(2), &json!(1), &json!(0)));
    let id = report["session"].as_str().unwrap();
    let sessions = env.run(["session", "list", "--json"]).outcome().success().raw_stdout;
    assert!(sessions.contains(id), "{sessions}");
}

#[test]
fn every_ending_has_a_report() {
    let limit = ["--set", "agent.max_steps=1"];
    let better = "{name: write_file, arguments: {path: answer.txt, content: \"better\\n\"}}";
    let read = "{name: read_file, arguments: {path: answer.txt}}";
    let denied = "[{calls: [{name: shell, arguments: {command: tee answer.txt <<< good}}]}, {say: no}]".to_owned();
    let table: [(String, &[&str], u8, &str); 6] = [
        ("[{say: It is fine.}]".to_owned(), &["--max-rounds", "1"], 1, "not_fixed"),
        (format!("[{{calls: [{read}, {better}]}}]"), &limit, 7, "budget_ended"),
        (denied, &["--sandbox", "none"], 5, "refused"),
        ("[{error: {status: 400, body: gone}}]".to_owned(), &[], 4, "model_failed"),
        ("[]".to_owned(), &["--test", "nosuchprogram"], 8, "check_not_run"),
        ("[]".to_owned(), &["--test", "true"], 0, "nothing_to_do"),
    ];
    for (turns, arguments, code, word) in table {
        let env = red(&turns);
        let named = if arguments.contains(&"--test") { vec!["fix"] } else { vec!["fix", "--test", CHECK] };
        let outputs = ["--output", "json", "--output", "text=r.txt", "--output", "sarif=r.sarif"];
        let outcome = env
            .run(named.into_iter().chain(arguments.iter().copied()).chain(outputs))
            .outcome()
            .fails_with(i32::from(code));
        let report = checked(&outcome.raw_stdout);
        assert_eq!((&report["ending"]["code"], &report["ending"]["word"]), (&json!(code), &json!(word)), "{outcome}");
        // What a person is told on standard error stands in the report, and so does what to do next.
        let message = report["ending"]["message"].as_str().unwrap_or_default();
        assert!(outcome.raw_stderr.contains(message), "{outcome}");
        for hint in report["next"].as_array().into_iter().flatten() {
            assert!(outcome.raw_stderr.contains(&format!("hint: {}", hint.as_str().unwrap())), "{outcome}");
        }
        assert!(env.read("r.txt").contains(&format!("(exit code {code}, {word})")), "{}", env.read("r.txt"));
        // To a code host a run that could not begin is no run without findings.
        let sarif: Value = serde_json::from_str(&env.read("r.sarif")).unwrap();
        let is_done = &sarif["runs"][0]["invocations"][0]["executionSuccessful"];
        assert_eq!(is_done, &json!(matches!(code, 0 | 1 | 7)), "{word}: {sarif}");
    }
}

#[test]
fn where_no_check_is_found_the_report_says_so() {
    let env = scripted("turns: []");
    let outcome = env.run(["fix", "--output", "json"]).outcome().fails_with(8);
    let report = checked(&outcome.raw_stdout);
    assert_eq!((&report["job"]["checks"], &report["ending"]["word"]), (&json!([]), &json!("check_not_run")));
}

#[test]
fn events_end_with_the_report() {
    let env = red(&mended());
    let outcome = fix(&env, &["--output", "jsonl", "--output", "jsonl=deep/events.jsonl"]).success();
    assert_eq!(outcome.raw_stderr, "");
    assert_eq!(outcome.raw_stdout, env.read("deep/events.jsonl"));
    let report = checked(outcome.raw_stdout.lines().last().unwrap());
    assert_eq!((&report["type"], &report["ending"]["word"]), (&json!("fix_report"), &json!("fixed")));
}

#[test]
fn outputs_that_would_mix_are_wrong_usage() {
    let env = red("[]");
    let table: [(&[&str], &str); 5] = [
        (&["--output", "json", "--output", "text"], "`json` and `text` cannot both go to standard output"),
        (&["--json", "--output", "sarif"], "`sarif` and `jsonl` cannot both go to standard output"),
        (&["--output", "json=a", "--output", "text=a"], "two outputs would go to `a`"),
        (&["--output", "jsn"], "there is no format `jsn`; did you mean `json`?"),
        (&["--output", "json="], "`json=` names no file"),
    ];
    for (arguments, words) in table {
        let outcome = fix(&env, arguments).fails_with(2);
        assert!(outcome.stderr.contains(words), "{outcome}");
    }
    // Nothing was done.
    assert!(!env.work().join("a").exists());
}

#[test]
fn annotations_go_to_the_log_and_the_summary_to_its_file() {
    // What a check prints must not become a command of the runner.
    let check = "echo '::add-mask::x'; echo 'a.py:3: error: 100% wrong, a:b  [misc]'; false";
    let mut env = red("[{say: '::set-output name=x::y'}]");
    let summary = env.write("summary.md", "before\n");
    env.set("GITHUB_STEP_SUMMARY", summary.display().to_string()).set("GITHUB_ACTIONS", "true");
    let arguments = ["fix", "--test", check, "--max-rounds", "1", "--output", "github"];
    let outcome = env.run(arguments).outcome().fails_with(1);
    let lines: Vec<&str> = outcome.raw_stdout.lines().collect();
    assert!(lines[0].starts_with("::error title=mimi fix%3A not fixed::the check"), "{outcome}");
    assert_eq!(lines[1], "::error file=a.py,line=3,title=100%25 wrong%2C a%3Ab::100%25 wrong, a:b", "{outcome}");
    let commands = |line: &&str| line.trim_start().starts_with("::");
    assert_eq!(outcome.raw_stderr.lines().filter(commands).count(), 0, "{outcome}");
    let summary = env.read("summary.md");
    assert!(summary.starts_with("before\n## mimi fix: not fixed\n"), "{summary}");
}

#[test]
fn several_forms_go_to_files_at_once() {
    let env = red(&mended());
    let forms = ["json=out/r.json", "markdown=out/r.md", "sarif=out/r.sarif", "junit=out/r.xml", "text=out/r.txt"];
    let arguments: Vec<&str> = forms.iter().flat_map(|form| ["--output", *form]).collect();
    let outcome = fix(&env, &arguments).success();
    assert_eq!(outcome.stdout, format!("fixed in 1 round: `{CHECK}` passes\n\nIt said bad.\n"));
    checked(&env.read("out/r.json"));
    assert!(env.read("out/r.md").starts_with("## mimi fix: fixed\n"), "{}", env.read("out/r.md"));
    let sarif: Value = serde_json::from_str(&env.read("out/r.sarif")).unwrap();
    assert_eq!((&sarif["version"], &sarif["runs"][0]["results"]), (&json!("2.1.0"), &json!([])));
    assert!(env.read("out/r.xml").contains("<testsuite name=\"grep good answer.txt\" tests=\"1\" failures=\"0\""));
}
