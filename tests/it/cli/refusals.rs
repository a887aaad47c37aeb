//! Where nobody can approve: what is refused, which rule is named, and does that rule help?

use super::{run_task, scripted, served, told};

/// What a call would do, the rule that allows it, and what is said about it.
const CALLS: [(&str, &str, &str); 5] = [
    (
        "{name: write_file, arguments: {path: b.txt, content: x}}",
        "write:b.txt",
        "x Write b.txt: refused: it changes a file",
    ),
    (
        "{name: shell, arguments: {command: touch b.txt}}",
        "shell:touch b.txt",
        "x Run touch b.txt: refused: `touch` may do more than look",
    ),
    (
        "{name: read_file, arguments: {path: /etc/hostname}}",
        "read:/etc/hostname",
        "x Read /etc/hostname: refused: it reads outside the workspace",
    ),
    (
        "{name: git, arguments: {action: commit, message: m}}",
        "git:commit",
        "x Run git commit: m: refused: it records a commit",
    ),
    (
        "{name: write_file, arguments: {path: .git/hooks/x, content: x}}",
        "write:.git/hooks/x",
        "x Write .git/hooks/x: refused: files there run code",
    ),
];

#[test]
fn a_refusal_names_the_rule_and_the_rule_allows_it() {
    for (call, rule, line) in CALLS {
        let turns = format!("turns: [{{calls: [{call}]}}, {{say: Hm.}}]");
        let env = scripted(&turns);
        env.git_init();
        let outcome = run_task(&env, &[]).fails_with(5);
        let flag = format!("allow it with --allow '{rule}'\n");
        assert!(outcome.stderr.starts_with(line) && outcome.stderr.contains(&flag), "{call}\n{outcome}");
        let end = format!(
            "error: 1 call refused, because nobody could approve\nhint: allow it: mimi run --allow '{rule}' ...\n"
        );
        assert!(outcome.stderr.ends_with(&end), "{call}\n{outcome}");
        assert_eq!(outcome.stdout, "Hm.\n");
        let allowed = run_task(&env, &["--allow", rule]);
        assert_eq!(allowed.code, 0, "{call}\n{allowed}");
        assert!(!allowed.stderr.contains("refused"), "{call}\n{allowed}");
    }
}

#[test]
fn a_mode_decides_what_needs_a_rule() {
    let table = [
        ("auto", CALLS[0].0, 0, "- Wrote b.txt"),
        (
            "auto",
            CALLS[1].0,
            5,
            "x Run touch b.txt: refused: `touch` may do more than look, and nothing confines it here",
        ),
        ("auto", CALLS[4].0, 5, "x Write .git/hooks/x: refused"),
        ("ask", CALLS[0].0, 5, "x Write b.txt: refused: it changes a file"),
        ("plan", CALLS[0].0, 0, "x Write b.txt: refused: plan mode only reads"),
        ("plan", "{name: list_files}", 0, "- Listed"),
        ("plan", "{name: shell, arguments: {command: ls | wc -l}}", 0, "- Ran ls | wc -l"),
        ("plan", CALLS[1].0, 0, "x Run touch b.txt: refused: plan mode only reads"),
        (
            "ask",
            "{name: shell, arguments: {command: ls && make}}",
            5,
            "x Run ls && make: refused: `make` may do more than look",
        ),
        (
            "auto",
            "{name: shell, arguments: {command: echo x > .github/b}}",
            5,
            "x Run echo x > .github/b: refused: files there run code",
        ),
    ];
    for (mode, call, code, line) in table {
        let env = scripted(&format!("turns: [{{calls: [{call}]}}, {{say: Hm.}}]"));
        let outcome = run_task(&env, &["--mode", mode, "--sandbox", "none"]);
        assert_eq!(outcome.code, code, "{mode} {call}\n{outcome}");
        assert!(outcome.stderr.starts_with(line), "{mode} {call}\n{outcome}");
        assert_eq!(env.work().join("b.txt").exists(), line.starts_with("- Wrote"), "{mode} {call}");
    }
}

#[test]
fn the_model_is_told_too_and_goes_on() {
    let (env, server) = served("turns: [{calls: [{name: shell, arguments: {command: 'make x'}}]}, {say: Hm.}]");
    run_task(&env, &[]).fails_with(5);
    let expected = "`shell make x` was refused, because `make` may do more than look and nobody is there to approve it. \
        The user can allow it with --allow 'shell:make x' or in `policy.allow`.";
    assert_eq!(told(&server), [expected]);
}

#[test]
fn what_is_denied_stays_denied_whatever_is_allowed() {
    let env = scripted("turns: [{calls: [{name: read_file, arguments: {path: .env}}]}, {say: Hm.}]");
    env.write(".env", "KEY=secret-value\n");
    let outcome = run_task(&env, &["--allow", "read:.env", "--mode", "auto"]).success();
    let expected = "Hm.\n------- stderr -------\n\
        x Read .env: refused: the file may hold secrets; mimi neither reads nor writes such files\n";
    assert_eq!(outcome.to_string(), expected);
    let env = scripted("turns: [{calls: [{name: shell, arguments: {command: make x}}]}, {say: Hm.}]");
    let outcome = env.run(["run", "x", "--allow", "shell:make x", "--set", "policy.deny=[\"shell:make *\"]"]).outcome();
    assert_eq!(outcome.stderr, "x Run make x: refused: the rule `shell:make *` denies it\n");
}

#[test]
fn a_rule_that_is_not_understood_is_an_error() {
    let outcome = run_task(&scripted("turns: []"), &["--allow", "make everything"]).fails_with(2);
    assert!(outcome.stderr.starts_with("error: the rule `make everything` is not understood: "), "{outcome}");
    assert!(outcome.stderr.contains("\nhint: rules look like `shell:cargo test`"), "{outcome}");
}

#[test]
fn a_question_nobody_can_answer_is_handed_back() {
    let (env, server) =
        served("turns: [{calls: [{name: ask_user, arguments: {question: Which?}}]}, {say: I took the first.}]");
    run_task(&env, &[]).success();
    assert_eq!(told(&server), ["nobody is there to answer; decide yourself, say what you assumed, and go on"]);
}
