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

/// Command, what becomes of it in auto mode where nothing confines, and where something does.
#[test]
fn in_auto_mode_what_is_confined_runs_and_what_needs_the_outside_asks() {
    let long = format!("echo {}; make", "x".repeat(10_000));
    let table = [
        ("ls", "allow", "allow"),
        ("make test", "ask", "allow"),
        ("cargo build && ./target/debug/x", "ask", "allow"),
        ("python3 - <<X\nprint(1)\nX", "ask", "allow"),
        ("make > out.txt 2>&1", "ask", "allow"),
        ("echo $(make) | tee x", "ask", "allow"),
        ("for f in *; do sed -i s/a/b/ $f; done", "ask", "allow"),
        ("rm -rf build", "ask", "allow"),
        ("git commit -m x", "ask", "allow"),
        ("make > /tmp/log", "ask", "allow"),
        ("make > ../log", "ask", "ask"),
        ("make > ~/log", "ask", "ask"),
        ("make > .github/x", "ask", "ask"),
        ("make > src/gen/x", "ask", "ask"),
        ("curl https://example.com/", "ask", "ask"),
        ("cd x && wget -q example.com/x", "ask", "ask"),
        ("timeout 5 ssh host x", "ask", "ask"),
        ("git push origin main", "ask", "ask"),
        ("git -C sub fetch", "ask", "ask"),
        ("make URL=x https://example.com/x", "ask", "ask"),
        ("make \u{202e}x", "ask", "ask"),
        (long.as_str(), "ask", "ask"),
        ("deploy now", "ask", "ask"),
        ("make install", "deny", "deny"),
        ("rm -rf /", "deny", "deny"),
        ("cat .env", "deny", "deny"),
        ("cat ~/.ssh/id_ed25519", "deny", "deny"),
    ];
    for (command, unconfined, confined) in table {
        let policy = |mode, tier| {
            let mut policy = policy(mode, &[], &["shell:make install", "write:src/gen/**"]).confined_by(tier);
            let ask = rules::stated(&["shell:deploy *".to_owned()], Force::Ask, "test", Path::new("/w")).unwrap();
            policy.rules.extend(ask);
            policy
        };
        let of = |mode, tier| verdict(&policy(mode, tier), &run(command));
        assert_eq!(of(Mode::Auto, Tier::None), unconfined, "{command} without a sandbox");
        for tier in [Tier::Full, Tier::Landlock, Tier::External] {
            assert_eq!(of(Mode::Auto, tier), confined, "{command} in {tier:?}");
            assert_eq!(of(Mode::Ask, tier), of(Mode::Ask, Tier::None), "{command}: a sandbox changes nothing of `ask`");
            assert_eq!(of(Mode::Plan, tier), of(Mode::Plan, Tier::None), "{command}: nor of `plan`");
        }
    }
}

#[test]
fn the_reason_says_that_nothing_confines_or_what_the_sandbox_lacks() {
    let why = |tier, command| match policy(Mode::Auto, &[], &[]).confined_by(tier).decide(&[run(command)]) {
        Decision::Ask { why, .. } => why,
        other => panic!("{command}: {other:?}"),
    };
    assert_eq!(why(Tier::None, "make"), "`make` may do more than look, and nothing confines it here");
    let network = "it needs the network for `curl`, and the sandbox has none";
    assert_eq!(why(Tier::Full, "make && curl x.org"), network);
    let outside = why(Tier::Full, "make > /srv/x");
    assert_eq!(outside, "it writes outside the workspace: `/srv/x`");
    let policy = policy(Mode::Auto, &["shell:make"], &[]).confined_by(Tier::Full);
    assert_eq!(policy.decide(&[run("make all")]), Decision::Allow(Where::Sandbox));
    let told = |command| policy.explain(command, Path::new("/w")).why;
    assert_eq!(told("make"), "every command in it only looks or is covered by a rule");
    assert_eq!(told("make all"), "it is confined (full), and the mode `auto` asks about nothing that is");
}

#[test]
fn a_rule_holds_only_where_it_says() {
    let stated = |force, place| {
        let rule = rules::stated(&["shell:make *".to_owned()], force, "test", Path::new("/w")).unwrap();
        rule.into_iter().map(|rule| Stated { place, ..rule }).collect::<Vec<_>>()
    };
    // The rule, its place, what becomes of the command on the host and in the sandbox.
    let table = [
        (Force::Allow, Where::Sandbox, "ask", "allow"),
        (Force::Allow, Where::Host, "allow", "ask"),
        (Force::Allow, Where::Any, "allow", "allow"),
        (Force::Deny, Where::Sandbox, "ask", "deny"),
        (Force::Deny, Where::Host, "deny", "ask"),
        (Force::Deny, Where::Any, "deny", "deny"),
    ];
    for (force, place, on_host, in_sandbox) in table {
        for (tier, expected) in [(Tier::None, on_host), (Tier::Full, in_sandbox), (Tier::External, in_sandbox)] {
            let ground = Ground::new("/w".into(), "/home/me".into());
            let policy = Policy::new(Mode::Ask, ground, stated(force, place)).unwrap().confined_by(tier);
            assert_eq!(verdict(&policy, &run("make x")), expected, "{force:?} {place:?} in {tier:?}");
        }
    }
}
