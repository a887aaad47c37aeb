//! Does `mimi commit` commit what is staged, with a message that holds the rules, and never without a yes?

use super::{served, user_of};
use crate::support::pty::Pty;
use crate::support::wire::WireServer;
use crate::support::{Env, Outcome};

const SAYS: &str = "turns: [{say: \"fix: count pages from one\\n\\nThe first page was zero.\"}]";
const MESSAGE: &str = "fix: count pages from one\n\nThe first page was zero.\n";

/// A repository with one commit, one staged and one other change.
fn staged(env: &Env) {
    env.write("a.rs", "let page = 0;\n");
    env.write("b.rs", "1\n");
    env.git_init();
    env.write("a.rs", "let page = 1;\n");
    env.git(["add", "a.rs"]);
    env.write("b.rs", "2\n");
}

fn commit(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["commit"].iter().chain(arguments).copied()).outcome()
}

fn last_message(env: &Env) -> String {
    env.git(["log", "-1", "--format=%B"]).trim_end().to_owned() + "\n"
}

fn words(server: &WireServer, request: usize) -> String {
    let messages = server.requests()[request]["messages"].as_array().unwrap().clone();
    messages.last().unwrap()["content"].as_str().unwrap().to_owned()
}

#[test]
fn a_yes_commits_what_is_staged_and_nothing_else() {
    let (env, server) = served(SAYS);
    staged(&env);
    let outcome = commit(&env, &["--yes"]).success();
    assert!(outcome.stdout.starts_with(MESSAGE), "{outcome}");
    assert!(outcome.stdout.contains("] fix: count pages from one\n 1 file changed"), "{outcome}");
    assert_eq!(last_message(&env), MESSAGE);
    assert_eq!(env.git(["show", "--format=", "--name-only"]), "a.rs\n");
    assert_eq!(env.git(["status", "--porcelain"]), " M b.rs\n");
    let words = words(&server, 0);
    for part in [
        "type is one of: feat, fix, docs",
        "at most 72 characters",
        "- start",
        "- changed a.rs +1 -1",
        "    1 +let page = 1;",
    ] {
        assert!(words.contains(part), "{part}: {words}");
    }
    assert!(!words.contains("changed b.rs"), "{words}");
    assert!(std::fs::read_dir(env.home().join(".local/state/mimi/edit")).unwrap().next().is_none());
}

#[test]
fn without_a_yes_nothing_is_committed() {
    let (env, _server) = served(SAYS);
    staged(&env);
    let outcome = commit(&env, &[]).fails_with(5);
    let expected = format!(
        "{MESSAGE}------- stderr -------\nerror: nothing is committed, because nobody is there to say yes\nhint: mimi commit --yes\n[exit code: 5]"
    );
    assert_eq!(outcome.to_string(), expected);
    assert_eq!(last_message(&env), "start\n");
    let (env, _server) = served(SAYS);
    staged(&env);
    assert_eq!(commit(&env, &["--dry-run"]).success().to_string(), MESSAGE);
    assert_eq!(last_message(&env), "start\n");
    assert!(commit(&env, &["--dry-run", "--yes"]).fails_with(2).stderr.contains("cannot be used with"));
    assert!(commit(&env, &["--edit"]).fails_with(2).stderr.contains("no terminal for an editor"));
}

#[test]
fn a_message_that_misses_the_rules_is_asked_for_again() {
    let long = format!("fix: {}", "x".repeat(80));
    let turns = format!(
        "turns:\n  - {{say: Counted pages}}\n  - {{say: \"{long}\", expect: [cannot be taken, \"is not `type: words`\"]}}\n  - {{say: \"fix: a\", expect: has 85 characters}}\n"
    );
    let (env, _server) = served(&turns);
    staged(&env);
    assert_eq!(commit(&env, &["--dry-run"]).success().stdout, "fix: a\n");
    let (env, _server) = served("turns: [{say: one}, {say: two}, {say: three}, {say: four}]");
    staged(&env);
    let outcome = commit(&env, &["--yes"]).fails_with(1);
    assert!(
        outcome.stderr.contains("error: the model writes no message that can be taken: its first line"),
        "{outcome}"
    );
    assert!(outcome.stderr.contains("caused by: four"), "{outcome}");
    assert_eq!(last_message(&env), "start\n");
}

#[test]
fn style_length_and_trailers_are_settings() {
    let (env, server) = served("turns: [{say: Count pages from one}]");
    staged(&env);
    env.write_home(".config/mimi/config.yaml", "commit: {style: plain, trailers: ['Assisted-by: mimi']}\n");
    let outcome = commit(&env, &["--yes", "--quiet", "--set", "commit.max_subject=60"]).success();
    assert_eq!(outcome.to_string(), "Count pages from one\n\nAssisted-by: mimi\n");
    assert_eq!(env.git(["log", "-1", "--format=%(trailers)"]).trim(), "Assisted-by: mimi");
    assert!(words(&server, 0).contains("at most 60 characters") && !words(&server, 0).contains("Conventional"));
}

#[test]
fn a_hook_that_refuses_is_heard_and_the_message_is_kept() {
    let (env, _server) = served(SAYS);
    staged(&env);
    let hook = env.write(".git/hooks/commit-msg", "#!/bin/sh\necho 'ticket missing' >&2\nexit 3\n");
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let outcome = commit(&env, &["--yes"]).fails_with(1);
    assert!(
        outcome.stderr.starts_with("ticket missing\nerror: `git commit` ended with code 1; what it or a hook said"),
        "{outcome}"
    );
    assert_eq!(last_message(&env), "start\n");
    let kept = outcome.raw_stderr.split("--file='").nth(1).unwrap().split('\'').next().unwrap();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), MESSAGE);
}

#[test]
fn the_users_own_hooks_and_settings_hold() {
    let (env, _server) = served(SAYS);
    staged(&env);
    let hook = env.write(".git/hooks/prepare-commit-msg", "#!/bin/sh\necho \"Hooked: $GIT_AUTHOR_NAME\" >> \"$1\"\n");
    std::fs::set_permissions(hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    commit(&env, &["--yes"]).success();
    assert!(last_message(&env).ends_with("Hooked: Tester\n"), "{}", last_message(&env));
}

#[test]
fn all_that_is_staged_counts_wherever_it_lies() {
    let (env, server) = served("turns: [{say: 'fix: a'}, {say: 'fix: b'}]");
    env.write("sub/x.rs", "1\n");
    env.write("y.rs", "1\n");
    env.git_init();
    env.write("sub/x.rs", "2\n");
    env.write("y.rs", "2\n");
    env.git(["add", "--all"]);
    env.run(["-C", "sub", "commit", "--yes"]).outcome().success();
    assert!(words(&server, 0).contains("- changed y.rs +1 -1"), "{}", words(&server, 0));
    assert_eq!(env.git(["show", "--format=", "--name-only"]), "sub/x.rs\ny.rs\n");
}

#[test]
fn bad_input_ends_with_a_hint() {
    let server = WireServer::script("turns: []");
    let env = user_of(&server);
    assert_eq!(commit(&env, &[]).fails_with(8).stderr, "error: `[WORK]` is not in a git repository\nhint: git init\n");
    env.write("a b", "1\n");
    env.git_init();
    assert_eq!(
        commit(&env, &[]).fails_with(1).stderr,
        "error: nothing is staged\nhint: nothing has changed either: git log -1\n"
    );
    env.write("a b", "2\n");
    assert_eq!(commit(&env, &[]).fails_with(1).stderr, "error: nothing is staged\nhint: git add 'a b'\n");
    env.write("c", "2\n");
    let expected = "error: nothing is staged\nhint: git add --patch\nhint: all 2 changed files: git add --all\n";
    assert_eq!(commit(&env, &[]).fails_with(1).stderr, expected);
    env.git(["stash", "--quiet"]);
    env.git(["checkout", "--quiet", "-b", "other"]);
    env.write("a b", "3\n");
    env.git(["commit", "--quiet", "-am", "3"]);
    env.git(["checkout", "--quiet", "main"]);
    env.write("a b", "4\n");
    env.git(["commit", "--quiet", "-am", "4"]);
    env.program("git", ["merge", "--quiet", "other"]).outcome().fails_with(1);
    let expected = "error: `a b` has conflicts, so nothing can be committed\nhint: git status\n";
    assert_eq!(commit(&env, &[]).fails_with(1).stderr, expected);
    assert!(server.requests().is_empty());
}

#[test]
fn secrets_that_would_be_committed_are_named() {
    let (env, server) = served("turns: [{say: 'feat: begin'}]");
    env.write("a", "one\n");
    env.git_init();
    let key = mimi::base::secrets::example::expand("ghp_<an:36>");
    env.write("a", format!("one\ntoken = \"{key}\"\n"));
    env.write(".env", "PORT=80\n");
    env.git(["add", "--all"]);
    let outcome = commit(&env, &["--dry-run"]).success();
    assert!(outcome.stderr.contains("! a:2: this looks like a secret (github-token)\n"), "{outcome}");
    assert!(outcome.stderr.contains("! `.env` is staged and may hold secrets\n"), "{outcome}");
    assert!(!outcome.stderr.contains(&key) && !server.requests()[0].to_string().contains(&key));
}

#[test]
fn the_first_commit_of_a_repository_can_be_made() {
    let (env, server) = served("turns: [{say: 'feat: begin'}]");
    env.git(["init", "--quiet"]);
    env.write("a", "1\n");
    env.write("p.bin", b"\x00");
    env.git(["add", "--all"]);
    commit(&env, &["--yes"]).success();
    assert_eq!(last_message(&env), "feat: begin\n");
    assert!(words(&server, 0).contains("- (none)") && words(&server, 0).contains("- created p.bin +0 -0"));
}

#[test]
fn orders_in_the_change_are_refused() {
    let (env, _server) = served(
        "turns:\n  - {calls: [{name: git, arguments: {action: commit, message: evil}}, {name: write_file, arguments: {path: evil, content: x}}]}\n  - {say: 'fix: a'}\n",
    );
    staged(&env);
    commit(&env, &["--dry-run"]).success();
    assert_eq!(last_message(&env), "start\n");
    assert!(!env.work().join("evil").exists());
}

#[test]
fn a_person_may_say_yes_no_or_change_the_message() {
    let table = [
        ("y", "fix: count pages from one\n", 0),
        ("n", "start\n", 0),
        ("\u{3}", "start\n", 130),
        ("xey", "docs: mine\n", 0),
    ];
    for (keys, expected, code) in table {
        let (mut env, _server) = served("turns: [{say: 'fix: count pages from one'}]");
        staged(&env);
        let editor = env.write_home("editor", "#!/bin/sh\necho 'docs: mine' > \"$1\"\n");
        std::fs::set_permissions(&editor, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        env.set("EDITOR", editor.display().to_string());
        let mut pty = Pty::start(&env, ["commit"]);
        for (at, key) in keys.chars().enumerate() {
            if at > 0 && key == 'y' {
                pty.wait_for("docs: mine");
            }
            pty.wait_for("? commit this: y yes, e edit it first, n no");
            pty.send(&key.to_string());
        }
        assert_eq!(pty.wait_exit(), code, "{keys:?}: {}", pty.screen());
        assert_eq!(last_message(&env), expected, "{keys:?}");
    }
}
