//! What when a budget ends before the work does?

use super::{ends, fix, read, red, write, writes};

fn better() -> String {
    format!("{{calls: [{}, {}]}}", read("answer.txt"), write("answer.txt", "better\n"))
}

#[test]
fn the_rounds_end_without_progress() {
    let env = red("[{say: no}, {say: no}]");
    let outcome = fix(&env, &["--max-rounds", "2"]);
    ends(&env, &outcome, 1, &["still fails after 2 rounds", "hint: give it more rounds: mimi fix --max-rounds 10"]);
}

#[test]
fn the_rounds_end_with_progress() {
    let check = "for n in 1 2; do grep -q fixed$n answer.txt || echo \"not ok $n case $n\"; done; [ $(grep -c fixed answer.txt) = 2 ]";
    let env = red(&format!("[{}]", writes(&[("answer.txt", "fixed1\n")])));
    let outcome = env.run(["fix", "--test", check, "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 7, &["stopped at a limit: 1 round (--max-rounds)"]);
    assert_eq!(env.read("answer.txt"), "fixed1\n");
}

#[test]
fn the_steps_end() {
    let env = red(&format!("[{}, {{say: more}}]", better()));
    let outcome = fix(&env, &["--max-steps", "1"]);
    ends(&env, &outcome, 7, &["stopped at a limit: 1 model request in all (--max-steps)"]);
    assert_eq!(env.read("answer.txt"), "better\n");
}

#[test]
fn the_steps_end_between_two_rounds() {
    let env = red(&format!("[{}, {{say: more}}, {{say: even more}}]", better()));
    let outcome = fix(&env, &["--max-steps", "2"]);
    ends(&env, &outcome, 7, &["stopped at a limit: 2 model requests (--max-steps)"]);
}

#[test]
fn the_steps_end_just_when_it_is_done() {
    let env = red(&format!("[{{calls: [{}, {}]}}]", read("answer.txt"), write("answer.txt", "good\n")));
    let outcome = fix(&env, &["--max-steps", "1"]);
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
}

#[test]
fn the_tokens_end() {
    let turn = better().replacen("{calls", "{usage: {input: 900, output: 100, cached: 0}, calls", 1);
    let env = red(&format!("[{turn}, {{say: more}}]"));
    let outcome = fix(&env, &["--max-tokens", "1000"]);
    ends(&env, &outcome, 7, &["1000 tokens in all (--max-tokens is 1000)"]);
    assert_eq!(env.read("answer.txt"), "better\n");
}

#[test]
fn the_time_ends_while_the_model_thinks() {
    let env = red(&format!("[{}, {{say: hm, stall: true}}]", better()));
    let outcome = fix(&env, &["--max-time", "2500ms"]);
    ends(&env, &outcome, 7, &["stopped at a limit: [TIME] (--max-time)"]);
    assert_eq!(env.read("answer.txt"), "better\n", "nothing better is known, so it stays");
}

#[test]
fn the_time_ends_in_the_first_check() {
    let env = red("[]");
    let outcome = env.run(["fix", "--test", "sleep 600", "--max-time", "1s"]).outcome();
    ends(&env, &outcome, 8, &["did not end within 1 seconds"]);
}

#[test]
fn the_cost_ends() {
    let turn = better().replacen("{calls", "{usage: {input: 1000000, output: 0, cached: 0}, calls", 1);
    let env = red(&format!("[{turn}, {{say: more}}]"));
    let config = env.read(env.home().join(".config/mimi/config.yaml"));
    env.write_home(".config/mimi/config.yaml", config + "prices: {\"played/*\": {input_per_mtok: 0.5}}\n");
    let outcome = fix(&env, &["--max-cost", "0.5"]);
    assert!([1, 7].contains(&outcome.code), "{outcome}");
    ends(&env, &outcome, outcome.code, &["stopped at a limit: a cost of 0.50 (--max-cost 0.5)"]);
}

#[test]
fn the_cost_cannot_be_kept() {
    let env = red("[]");
    let outcome = fix(&env, &["--max-cost", "1"]);
    ends(&env, &outcome, 3, &["--max-cost cannot be kept: `played/script` has no price"]);
}

#[test]
fn a_line_says_now_and_then_that_it_still_works() {
    let env = red("[]");
    env.write("answer.txt", "good\n");
    let check = "i=0; while ! [ -s beat ] && [ $i -lt 14 ]; do i=$((i+1)); read -t 0.1 < <(sleep 1); done; true";
    let outcome = env.run(["fix", "--test", check, "--set", "fix.heartbeat_s=1"]).outcome();
    ends(&env, &outcome, 0, &["still at it ([TIME]): 0 model requests, running `i=0;"]);
    let outcome = env.run(["fix", "--test", check, "--set", "fix.heartbeat_s=1", "--quiet"]).outcome();
    assert!(!outcome.stderr.contains("still at it"), "{outcome}");
}
