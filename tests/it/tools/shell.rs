//! What does the model get back from a command?

use mimi::protocol::tool::{Action, ToolOutcome, ToolReport};
use mimi::tools::manifest::Manifest;
use mimi::tools::shell::Shell;
use mimi::tools::{Tool as _, ToolContext};
use serde_json::{Value, json};

use crate::exec::Bench;

fn shell() -> Shell {
    Shell::new(Manifest::parse(include_str!("../../../tools/shell.yaml")).unwrap())
}

async fn call(cx: &ToolContext, arguments: Value) -> ToolReport {
    shell().run(cx, arguments).await.unwrap()
}

#[tokio::test]
async fn the_last_line_says_how_it_ended() {
    let bench = Bench::new();
    let cx = bench.tool_context();
    std::fs::create_dir(cx.workspace.root().join("sub")).unwrap();
    let root = cx.workspace.root().display().to_string();
    let table = [
        (json!({"command": "echo hi"}), "hi\nexit code 0".to_owned(), "1 line"),
        (json!({"command": "true"}), "exit code 0".to_owned(), "0 lines"),
        (json!({"command": "printf x; exit 7"}), "x\nexit code 7".to_owned(), "exit 7"),
        (json!({"command": "kill -9 $$"}), "ended by signal 9 (SIGKILL)".to_owned(), "ended by signal 9 (SIGKILL)"),
        (
            json!({"command": "sleep 1000 &"}),
            "[1 background process ended with the command]\nexit code 0".to_owned(),
            "0 lines",
        ),
        (json!({"command": "pwd", "cwd": "sub"}), format!("{root}/sub\nexit code 0"), "1 line"),
        (json!({"command": "pwd", "cwd": "", "timeout_s": "5"}), format!("{root}\nexit code 0"), "1 line"),
    ];
    for (arguments, text, summary) in table {
        let report = call(&cx, arguments.clone()).await;
        assert_eq!((report.outcome, report.summary.as_str()), (ToolOutcome::Ok { text }, summary), "{arguments}");
    }
}

#[tokio::test]
async fn only_a_command_that_cannot_run_fails() {
    let bench = Bench::new();
    let cx = bench.tool_context();
    let report = call(&cx, json!({"command": "true", "cwd": "gone"})).await;
    assert!(
        matches!(&report.outcome, ToolOutcome::Failed { text } if text.contains("cannot run in the folder")),
        "{report:?}"
    );
    let report = call(&cx, json!({"command": "echo before; sleep 1000", "timeout_s": 1})).await;
    let expected = "before\ntimed out after 1 s and was ended; pass a larger timeout_s if it needs more";
    assert_eq!(report.outcome, ToolOutcome::TimedOut { text: expected.to_owned() });
    cx.cancel.cancel();
    assert_eq!(call(&cx, json!({"command": "sleep 1000"})).await.outcome, ToolOutcome::Cancelled);
}

#[tokio::test]
async fn long_output_names_the_file_that_has_all_of_it() {
    let bench = Bench::new();
    let cx = bench.tool_context();
    let report = call(&cx, json!({"command": "seq 100000"})).await;
    let text = report.outcome.text();
    assert!(text.starts_with("1\n2\n") && text.ends_with("\n100000\nexit code 0") && text.len() < 10_300, "{text}");
    let file = text.split("whole output in ").nth(1).unwrap().split(" ...]").next().unwrap();
    assert!(std::path::Path::new(file).starts_with(&cx.spill_dir));
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 100_000);
}

#[tokio::test]
async fn what_it_would_touch_is_known_beforehand() {
    let bench = Bench::new();
    let cx = bench.tool_context();
    let intent = shell().intent(&cx, &json!({"command": "make\nmake test", "cwd": "."})).unwrap();
    assert_eq!(
        intent.actions,
        [Action::Execute { command: "make\nmake test".to_owned(), cwd: Some(cx.workspace.root().to_path_buf()) }]
    );
    assert_eq!((intent.target.as_str(), intent.is_parallel_safe), ("make (in .)", false));
    for arguments in [
        json!({}),
        json!({"command": "  "}),
        json!({"command": "a\0b"}),
        json!({"command": 3}),
        json!({"command": "ls", "cwd": "/etc"}),
        json!({"command": "ls", "cwd": "../.."}),
        json!({"command": "ls", "unknown": 1}),
    ] {
        assert!(shell().intent(&cx, &arguments).is_err(), "{arguments}");
        assert!(matches!(call(&cx, arguments.clone()).await.outcome, ToolOutcome::Failed { .. }), "{arguments}");
    }
}

#[test]
fn the_manifest_is_small_and_its_examples_parse() {
    let manifest = Manifest::parse(include_str!("../../../tools/shell.yaml")).unwrap();
    let bytes = serde_json::to_string(&manifest.spec()).unwrap().len();
    assert!(bytes < 900, "{bytes}");
    let bench = Bench::new();
    let cx = bench.tool_context();
    for example in &manifest.examples {
        assert!(shell().intent(&cx, example).is_ok(), "{example}");
    }
}
