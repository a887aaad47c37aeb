//! What does the model read of a repository, and what does a commit record?

use mimi::protocol::tool::{Action, ToolOutcome, ToolReport};
use mimi::tools::git::Git;
use mimi::tools::manifest::Manifest;
use mimi::tools::{Tool as _, ToolContext};
use serde_json::{Value, json};

use crate::exec::Bench;
use crate::workspace::git::Repository;

fn git() -> Git {
    Git::new(Manifest::parse(include_str!("../../../tools/git.yaml")).unwrap())
}

async fn call(cx: &ToolContext, arguments: Value) -> ToolReport {
    git().run(cx, arguments).await.unwrap()
}

async fn text(cx: &ToolContext, arguments: Value) -> String {
    match call(cx, arguments.clone()).await.outcome {
        ToolOutcome::Ok { text } => text,
        other => panic!("{arguments}: {other:?}"),
    }
}

async fn failure(cx: &ToolContext, arguments: Value) -> String {
    match call(cx, arguments.clone()).await.outcome {
        ToolOutcome::Failed { text } => text,
        other => panic!("{arguments}: {other:?}"),
    }
}

#[tokio::test]
async fn reads_look_like_gits_own() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    assert_eq!(text(&cx, json!({"action": "status"})).await, "## main\n M a.txt\nA  b.txt\n?? c d.txt");
    let diff = text(&cx, json!({"action": "diff", "path": ""})).await;
    assert!(diff.starts_with("a.txt +1 -0\n\ndiff --git a/a.txt b/a.txt\n") && diff.ends_with("+three\n"), "{diff}");
    assert!(text(&cx, json!({"action": "diff", "staged": "true"})).await.starts_with("b.txt +1 -0"));
    assert_eq!(text(&cx, json!({"action": "diff", "path": "c d.txt"})).await, "no differences");
    let log = text(&cx, json!({"action": "log", "max_count": 1})).await;
    assert!(log.ends_with(" Ada: second change\n") && log.lines().count() == 1, "{log}");
    assert!(text(&cx, json!({"action": "show"})).await.contains("second change"));
    let blame = text(&cx, json!({"action": "blame", "path": "a.txt", "lines": "1-2"})).await;
    assert!(blame.lines().count() == 2 && blame.contains(" Ada 2\t2\n"), "{blame}");
}

#[tokio::test]
async fn failures_tell_the_model_what_would_work() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    let table = [
        (json!({"action": "show", "rev": "nope"}), "there is no revision `nope`; hint: git log"),
        (json!({"action": "show", "rev": "--help"}), "is no revision: it starts with a dash"),
        (json!({"action": "blame"}), "pass `path`"),
        (json!({"action": "blame", "path": "a.txt", "lines": "x"}), "such as 10,40"),
        (
            json!({"action": "blame", "path": "a.txt", "lines": "9,9"}),
            "git blame failed: fatal: file a.txt has only 3 lines",
        ),
        (json!({"action": "diff", "path": "../../etc"}), "outside the project"),
        (json!({"action": "diff", "rev": "HEAD", "staged": true}), "not both"),
        (json!({"action": "commit"}), "needs a `message`"),
        (json!({"action": "push"}), "unknown variant `push`"),
    ];
    for (arguments, expected) in table {
        let words = failure(&cx, arguments.clone()).await;
        assert!(words.contains(expected), "{arguments}: {words}");
    }
    let bench = Bench::new();
    let words = failure(&bench.tool_context(), json!({"action": "status"})).await;
    assert!(words.contains("is not in a git repository"), "{words}");
}

#[tokio::test]
async fn a_long_answer_is_kept_in_a_file() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    repository.write("a.txt", &"changed line\n".repeat(5000));
    let diff = text(&cx, json!({"action": "diff"})).await;
    assert!(diff.len() < 10_300 && diff.starts_with("a.txt +5000 -2\n"), "{}", &diff[..100]);
    let file = diff.split("whole output in ").nth(1).unwrap().split(" ...]").next().unwrap();
    assert!(std::fs::read_to_string(file).unwrap().len() > 60_000);
}

#[tokio::test]
async fn reads_may_run_together_and_a_commit_is_asked_about() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    for example in &Manifest::parse(include_str!("../../../tools/git.yaml")).unwrap().examples {
        let intent = git().intent(&cx, example).unwrap();
        let is_commit = example["action"] == "commit";
        assert_eq!(intent.is_parallel_safe, !is_commit, "{example}");
        if is_commit {
            let summary = "Fix the parser (src/parser.rs)".to_owned();
            assert_eq!(intent.actions, [Action::Commit { summary }], "{example}");
        } else {
            let root = cx.workspace.root();
            let named = example.get("path").and_then(Value::as_str).map(|path| root.join(path));
            let read = std::iter::once(root.to_path_buf()).chain(named).map(|path| Action::Read { path });
            assert_eq!(intent.actions, read.collect::<Vec<_>>(), "{example}");
        }
    }
}

#[tokio::test]
async fn a_commit_records_what_is_staged() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    let words = text(&cx, json!({"action": "commit", "message": "add b\n\nbecause"})).await;
    assert!(words.contains("] add b\n"), "{words}");
    assert_eq!(repository.git("show --name-only --format=%B"), "add b\n\nbecause\n\n\nb.txt\n");
    let words = failure(&cx, json!({"action": "commit", "message": "again"})).await;
    assert!(words.starts_with("nothing was committed (exit code 1)\n"), "{words}");
}

#[tokio::test]
async fn a_commit_of_paths_takes_new_and_deleted_files_and_nothing_else() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    std::fs::remove_file(repository.root.join("a.txt")).unwrap();
    text(&cx, json!({"action": "commit", "message": "--amend", "paths": ["c d.txt", "a.txt"]})).await;
    assert_eq!(repository.git("show --name-status --format=%s"), "--amend\n\nD\ta.txt\nA\tc d.txt\n");
    assert_eq!(repository.git("status --short"), "A  b.txt\n");
}

#[tokio::test]
async fn a_commit_that_cannot_be_signed_says_why_and_what_helps() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    for settings in ["gpg.program /bin/false", "gpg.format ssh; git config user.signingKey /nonexistent/key.pub"] {
        repository.git(&format!("config commit.gpgsign true; git config {settings}"));
        let words = failure(&cx, json!({"action": "commit", "message": "signed"})).await;
        assert!(words.starts_with("nothing was committed (exit code 128)\n"), "{words}");
        assert!(words.contains("[commits are signed here") && words.contains("commit.gpgsign"), "{words}");
    }
    assert_eq!(repository.git("log --oneline | wc -l").trim(), "2");
}

#[tokio::test]
async fn hooks_of_the_user_run_and_may_refuse() {
    let repository = Repository::new();
    let cx = repository.bench.tool_context();
    repository.write(".git/hooks/pre-commit", "#!/bin/sh\nread -r answer || echo the hook says no\nexit 1\n");
    repository.git("--version; chmod +x .git/hooks/pre-commit");
    let words = failure(&cx, json!({"action": "commit", "message": "try"})).await;
    assert_eq!(words, "nothing was committed (exit code 1)\nthe hook says no");
    assert_eq!(repository.git("log --oneline | wc -l").trim(), "2");
}

#[tokio::test]
async fn what_may_be_secret_is_named_and_never_shown() {
    let repository = Repository::empty();
    for (name, text) in [("a.txt", "plain one\n"), (".env", "KEY=hush\n"), ("deploy/id_rsa", "hush hush\n")] {
        repository.write(name, text);
    }
    repository.git("add -f . && git commit -qm all");
    repository.write("a.txt", "plain two\n");
    repository.write(".env", "KEY=hush again\n");
    let cx = repository.bench.tool_context();
    for arguments in [json!({"action": "show"}), json!({"action": "diff"}), json!({"action": "diff", "rev": "HEAD"})] {
        let shown = text(&cx, arguments.clone()).await;
        assert!(shown.contains("+plain") && shown.contains(".env"), "{arguments}: {shown}");
        assert!(
            shown.contains("[not shown, for it may hold secrets]") && !shown.contains("hush"),
            "{arguments}: {shown}"
        );
    }
    // What is named is for the policy, which knows no exception.
    let root = cx.workspace.root().to_path_buf();
    for arguments in [json!({"action": "show", "rev": "HEAD:.env"}), json!({"action": "blame", "path": ".env"})] {
        let actions = git().intent(&cx, &arguments).unwrap().actions;
        assert!(actions.contains(&Action::Read { path: root.join(".env") }), "{actions:?}");
    }
}
