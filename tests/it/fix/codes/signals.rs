//! What when it is told to stop, in each of its phases?

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use super::{CHECK, MINE, program, read, red, write};
use crate::support::Env;
use crate::support::live::{Live, PATIENCE, assert_nobody_left};

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)];

/// Waits for a file that a program makes once it is where the test wants it.
fn wait_for(path: &Path) {
    let deadline = Instant::now() + PATIENCE;
    while !path.exists() {
        assert!(Instant::now() < deadline, "{} never came", path.display());
        std::thread::yield_now();
    }
}

/// Sends a signal, and fails unless it ends with the code, says so, and leaves nobody behind and the user's work alone.
fn stop(env: &Env, mut live: Live, (signal, code): (Signal, i32)) {
    live.signal(signal);
    let (ended, _) = live.wait_exit();
    assert_eq!(ended, code, "{signal:?}: {}\n{}", live.output(), live.stderr());
    assert!(!live.stderr().contains("a bug in mimi"), "{}", live.stderr());
    assert_nobody_left(env.home(), Duration::from_secs(10));
    assert_eq!(env.read("mine.txt"), MINE);
}

#[test]
fn while_the_check_runs() {
    for signal in SIGNALS {
        let env = red("[]");
        let live = env.run(["fix", "--test", "touch started; sleep 600"]).start();
        wait_for(&env.work().join("started"));
        stop(&env, live, signal);
    }
}

#[test]
fn while_the_model_answers() {
    for signal in SIGNALS {
        let env = red("[{say: let me think, stall: true}]");
        let mut live = env.run(["fix", "--json", "--test", CHECK]).start();
        live.wait_for("text_delta");
        stop(&env, live, signal);
        assert_eq!(env.read("answer.txt"), "bad\n");
    }
}

#[test]
fn while_the_agent_runs_a_command() {
    let env = red("[{calls: [{name: shell, arguments: {command: 'touch started; sleep 600'}}]}]");
    let live = env.run(["fix", "--test", CHECK, "--allow", "shell:touch *", "--allow", "shell:sleep *"]).start();
    wait_for(&env.work().join("started"));
    stop(&env, live, SIGNALS[0]);
}

#[test]
fn while_a_fixer_works_which_is_taken_back() {
    let env = red("[]");
    env.write("ruff.toml", "");
    env.write("a.py", "bad = 1\n");
    program(&env, ".venv/bin/ruff", "sed -i s/bad/half/ a.py; touch started; sleep 600");
    let live = env.run(["fix", "--lint", "! grep -q bad a.py"]).start();
    wait_for(&env.work().join("started"));
    stop(&env, live, SIGNALS[0]);
    assert_eq!(env.read("a.py"), "bad = 1\n");
}

#[test]
fn while_changes_are_dropped_on_trial_which_come_back() {
    let calls = [read("answer.txt"), write("answer.txt", "good\n"), write("extra.txt", "extra\n")];
    let env = red(&format!("[{{calls: [{}]}}, {{say: done}}]", calls.join(", ")));
    let check = "grep -q good answer.txt || exit 1; [ -e extra.txt ] && exit 0; touch started; sleep 600";
    let live = env.run(["fix", "--test", check]).start();
    wait_for(&env.work().join("started"));
    stop(&env, live, SIGNALS[1]);
    assert_eq!((env.read("answer.txt").as_str(), env.read("extra.txt").as_str()), ("good\n", "extra\n"));
}

#[test]
fn while_the_check_runs_after_a_change_which_stays() {
    let calls = [read("answer.txt"), write("answer.txt", "better\n")];
    let env = red(&format!("[{{calls: [{}]}}, {{say: done}}]", calls.join(", ")));
    let live = env.run(["fix", "--test", "grep -q better answer.txt || exit 1; touch started; sleep 600"]).start();
    wait_for(&env.work().join("started"));
    stop(&env, live, SIGNALS[0]);
    assert_eq!(env.read("answer.txt"), "better\n");
}
