//! Which calls run, ask, or are refused?

use super::*;

fn policy(mode: Mode, allow: &[&str], deny: &[&str]) -> Policy {
    let root = Path::new("/w");
    let texts = |rules: &[&str]| rules.iter().map(|rule| (*rule).to_owned()).collect::<Vec<_>>();
    let mut rules = rules::stated(&texts(allow), Force::Allow, "test", root).unwrap();
    rules.extend(rules::stated(&texts(deny), Force::Deny, "test", root).unwrap());
    Policy::new(mode, Ground::new(root.to_path_buf(), PathBuf::from("/home/me")), rules).unwrap()
}

fn read(path: &str) -> Action {
    Action::Read { path: path.into() }
}

fn write(path: &str) -> Action {
    Action::Write { path: path.into() }
}

fn run(command: &str) -> Action {
    Action::Execute { command: command.to_owned(), cwd: None }
}

fn verdict(policy: &Policy, action: &Action) -> &'static str {
    match policy.decide(std::slice::from_ref(action)) {
        Decision::Allow(_) => "allow",
        Decision::Ask { .. } => "ask",
        Decision::Deny { .. } => "deny",
    }
}

#[test]
fn each_mode_judges_as_documented() {
    let commit = Action::Commit { summary: "x".to_owned() };
    let table = [
        (read("/w/src/a.rs"), "allow", "allow", "allow"),
        (read("/etc/hosts"), "ask", "ask", "ask"),
        (read("/w/.env"), "deny", "deny", "deny"),
        (read("/w/a/.ENV.production"), "deny", "deny", "deny"),
        (read("/w/.env.example"), "allow", "allow", "allow"),
        (read("/home/me/.ssh/id_ed25519"), "deny", "deny", "deny"),
        (write("/w/src/a.rs"), "deny", "ask", "allow"),
        (write("/w/.git/hooks/pre-commit"), "deny", "ask", "ask"),
        (write("/w/.mimi/config.yaml"), "deny", "ask", "ask"),
        (write("/tmp/x"), "deny", "ask", "ask"),
        (write("/w/key.pem"), "deny", "deny", "deny"),
        (run("ls"), "allow", "allow", "allow"),
        (run("make"), "deny", "ask", "ask"),
        (run("echo x > a"), "deny", "ask", "allow"),
        (run("echo x > .github/a"), "deny", "ask", "ask"),
        (run("echo x > /tmp/a"), "deny", "ask", "ask"),
        (run("cat .env"), "deny", "deny", "deny"),
        (commit, "deny", "ask", "ask"),
    ];
    for (action, in_plan, in_ask, in_auto) in table {
        for (mode, expected) in [(Mode::Plan, in_plan), (Mode::Ask, in_ask), (Mode::Auto, in_auto)] {
            assert_eq!(verdict(&policy(mode, &[], &[]), &action), expected, "{action:?} in {mode:?}");
        }
    }
}

#[test]
fn rules_cover_what_they_say_and_nothing_else() {
    let table = [
        ("shell:cargo test", run("cargo test"), "allow"),
        ("shell:cargo test", run("cargo test --lib"), "ask"),
        ("shell:cargo test *", run("cargo test --lib"), "allow"),
        ("shell:cargo test *", run("cargo test"), "allow"),
        ("shell:cargo test *", run("cargo testify"), "ask"),
        ("shell:cargo test *", run("cargo test; rm -rf ."), "ask"),
        ("shell:cargo test *", run("cargo test $(rm x)"), "ask"),
        ("shell:cargo test *", run("cargo test\nrm x"), "ask"),
        ("shell:cargo test *", run("cargo test > /etc/x"), "ask"),
        ("write:src/**", write("/w/src/a/b.rs"), "allow"),
        ("write:src/**", write("/w/tests/b.rs"), "ask"),
        ("write:*.md", write("/w/docs/x.md"), "ask"),
        ("read:/etc/hosts", read("/etc/hosts"), "allow"),
        ("read:/**", read("/home/me/.ssh/id_rsa"), "deny"),
        ("git:commit", Action::Commit { summary: String::new() }, "allow"),
    ];
    for (rule, action, expected) in table {
        assert_eq!(verdict(&policy(Mode::Ask, &[rule], &[]), &action), expected, "{rule} on {action:?}");
    }
}

#[test]
fn refusals_win_over_permissions_and_over_other_actions() {
    let policy = policy(Mode::Auto, &["shell:make *"], &["shell:make install", "write:src/gen/**"]);
    assert_eq!(verdict(&policy, &run("make install")), "deny");
    assert_eq!(verdict(&policy, &write("/w/src/gen/x.rs")), "deny");
    let both = policy.decide(&[write("/w/src/x.rs"), write("/w/src/gen/x.rs")]);
    assert!(matches!(both, Decision::Deny { .. }));
}

#[test]
fn refusals_are_not_dodged_by_blanks_and_second_commands() {
    let policy = policy(Mode::Ask, &["shell:make *"], &["shell:make install", "shell:cargo publish *"]);
    let table = [
        ("make  install", "deny"),
        ("true && make install", "deny"),
        ("make install -k", "allow"),
        ("cargo publish --token $T", "deny"),
        ("(cd x; cargo publish)", "deny"),
        ("cargo publisher", "ask"),
        ("echo cargo publish", "allow"),
        ("cargo publish-all", "ask"),
    ];
    for (command, expected) in table {
        assert_eq!(verdict(&policy, &run(command)), expected, "{command}");
    }
}

#[test]
fn the_rule_that_is_named_allows_what_was_asked_and_no_more() {
    let others = [run("rm x"), run("rm -rf *"), write("/w/src/i.ts"), write("/w/src/x.rs")];
    let table = [
        run("make"),
        run("rm *"),
        run("find . -delete -name \\*"),
        run("sed -i 's/a/b/' x"),
        run("tee <<X\nit's\nX"),
        write("/w/src/[id].ts"),
        write("/w/src/*.rs"),
        read("/etc/a{b,c}"),
        Action::Commit { summary: "x".to_owned() },
    ];
    for action in table {
        let Decision::Ask { rules, .. } = policy(Mode::Ask, &[], &[]).decide(std::slice::from_ref(&action)) else {
            panic!("{action:?} asks")
        };
        let policy = policy(Mode::Ask, &[&rules[0]], &[]);
        assert_eq!(verdict(&policy, &action), "allow", "{action:?} by {rules:?}");
        for other in &others {
            assert_eq!(verdict(&policy, other), "ask", "{other:?} by {rules:?}");
        }
    }
}

#[test]
fn what_asks_names_the_rule_that_would_allow_it() {
    let mut policy = policy(Mode::Ask, &[], &[]);
    let action = write("/w/src/a.rs");
    let Decision::Ask { rules, .. } = policy.decide(std::slice::from_ref(&action)) else { panic!("asks") };
    assert_eq!(rules, ["write:src/a.rs"]);
    policy.grant(&action);
    assert_eq!(verdict(&policy, &action), "allow");
    assert_eq!(verdict(&policy, &write("/w/src/b.rs")), "ask");
}

#[test]
fn rules_that_cannot_be_read_are_refused() {
    for rule in ["cargo test", "shell:", "fly:me", "git:push", "write:[", "shell:rm $(x) *"] {
        assert!(Rule::parse(rule, Path::new("/w")).is_err(), "{rule}");
    }
}
