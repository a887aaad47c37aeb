//! Does a newcomer without a model server see a red project turn green?

use crate::support::{Env, Outcome};

/// A user whose toolchain is the one that builds mimi.
fn newcomer() -> Env {
    let mut env = Env::new();
    for (name, folder) in [("RUSTUP_HOME", ".rustup"), ("CARGO_HOME", ".cargo")] {
        let home = std::env::var("HOME").unwrap_or_default();
        env.set(name, std::env::var(name).unwrap_or_else(|_| format!("{home}/{folder}")));
    }
    env
}

/// Names the scratch folder, whose name is new each time.
fn demo(env: &Env, arguments: &[&str]) -> Outcome {
    let mut outcome = env.run(["demo"].iter().chain(arguments).copied()).outcome();
    let tmp = env.home().with_file_name("tmp").display().to_string();
    outcome.stderr = outcome.stderr.replace(&tmp, "[TMP]");
    outcome
}

#[test]
fn a_red_project_turns_green() {
    let env = newcomer();
    let outcome = demo(&env, &[]).success();
    let progress = "mimi demo: a small Rust project with two bugs and three red tests\n\
        project: [TMP]/mimi-demo-[ID]\n\
        the model's words come from a bundled script; the tools, the edit and the tests are real\n\
        check `cargo test --offline --quiet` fails with exit code 101 ([TIME])\n    tests/pages.rs:";
    assert!(outcome.stderr.starts_with(progress), "{outcome}");
    // The tests run at once, so that their order is another each time.
    for line in [
        "    tests/pages.rs:12: the_last_page_may_be_short: assertion `left == right` failed\n",
        "- Read src/lib.rs: 17 lines ([TIME])\n- Read tests/pages.rs: 18 lines ([TIME])\n",
    ] {
        assert!(outcome.stderr.contains(line), "{line} in\n{outcome}");
    }
    assert!(outcome.stderr.ends_with("check `cargo test --offline --quiet` passes ([TIME])\n"), "{outcome}");
    for part in [
        "The change:\n  --- a/src/lib.rs\n",
        "\n  -    let start = number * size;\n  +    let start = number.saturating_sub(1) * size;\n",
        "The test run after it (`cargo test --offline --quiet`):\n",
        "test result: ok. 3 passed; 0 failed",
        "Try next:\n  mimi doctor ",
    ] {
        assert!(outcome.stdout.contains(part), "{part:?} is missing:\n{outcome}");
    }
    // What is shown is what stands in the folder, and the folder is the user's alone.
    use std::os::unix::fs::PermissionsExt as _;
    let tmp = env.home().with_file_name("tmp");
    let folder = std::fs::read_dir(tmp).unwrap().map(|entry| entry.unwrap().path()).next().unwrap();
    assert!(std::fs::read_to_string(folder.join("src/lib.rs")).unwrap().contains("div_ceil(size)"));
    assert_eq!(folder.metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert!(env.work().read_dir().unwrap().next().is_none(), "the demo touched the user's folder");
}

#[test]
fn without_a_working_cargo_it_says_what_to_install() {
    let mut env = Env::new();
    let tools = env.home().join("bin");
    std::fs::create_dir(&tools).unwrap();
    env.set("PATH", tools.display().to_string());
    let outcome = demo(&env, &[]).fails_with(8);
    let expected = "error: the demo needs `cargo`, and it does not run here\ncaused by: ";
    assert!(outcome.stderr.contains(expected), "{outcome}");
    assert!(
        outcome.stderr.ends_with("\nhint: install Rust from https://rustup.rs, or: rustup default stable\n"),
        "{outcome}"
    );
}

#[test]
fn live_without_a_server_names_the_way_without_one() {
    let outcome = demo(&newcomer(), &["--live"]).fails_with(4);
    assert!(!outcome.stderr.contains("bundled script"), "{outcome}");
    assert!(outcome.stderr.contains("\nerror: cannot reach the model server at http://127.0.0.1:1/v1\n"), "{outcome}");
    assert!(outcome.stderr.ends_with("hint: without a server: mimi demo\n"), "{outcome}");
}
