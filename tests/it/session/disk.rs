//! What happens when nothing more can be written?
//!
//! A limit on the size of files stands for a full disk: it holds for root too, and needs no file system of our own.

use serde_json::Value;

use crate::support::live::assert_nobody_left;
use crate::support::wire::WireServer;
use crate::support::{Env, Outcome};

/// Runs mimi where no file may grow beyond so many KiB.
fn run_limited(env: &Env, limit_kib: u32, task: &str) -> Outcome {
    let program = env!("CARGO_BIN_EXE_mimi");
    let script = format!("ulimit -f {limit_kib} && exec {program} run --json --mode auto '{task}'");
    env.program("bash", ["-c", &script]).outcome()
}

fn warnings(outcome: &Outcome) -> Vec<String> {
    let lines = outcome.json_lines();
    let texts = lines.iter().filter(|line| line["type"] == "warning").map(|line| line["text"].as_str().unwrap());
    texts.map(str::to_owned).collect()
}

fn env(server: &WireServer) -> Env {
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", server.url());
    env
}

fn session_text(env: &Env) -> String {
    let folder = env.home().join(".local/state/mimi/sessions");
    let path = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn a_session_that_no_longer_fits_goes_on_and_says_so_once() {
    let long = "many words ".repeat(700);
    let server = WireServer::script(&format!(
        "{{model: qwen3-coder:30b, turns: [{{say: '{long}', calls: [{{name: list_files}}]}}, {{say: still here}}]}}"
    ));
    let env = env(&server);
    let outcome = run_limited(&env, 8, "talk").success();
    let lines = outcome.json_lines();
    let last = lines.last().unwrap();
    assert_eq!((last["type"].as_str(), last["end"]["reason"].as_str()), (Some("turn_done"), Some("answered")));
    // The usage ledger does not fit either, which is said once too.
    let (of_ledger, warnings): (Vec<_>, Vec<_>) =
        warnings(&outcome).into_iter().partition(|text| text.contains("usage.db"));
    assert_eq!((warnings.len(), of_ledger.len()), (1, 1), "{warnings:?} {of_ledger:?}");
    assert!(warnings[0].contains("from here on the session is not kept"), "{warnings:?}");
    // Numbers go on without a gap, and all that was acknowledged before is in the file.
    let numbers: Vec<u64> = lines.iter().map(|line| line["seq"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (1..=lines.len() as u64).collect::<Vec<_>>());
    let kept = session_text(&env);
    let kept: Vec<Value> = kept.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let kept: Vec<&Value> = kept.iter().filter(|line| line.get("seq").is_some()).collect();
    assert!(!kept.is_empty() && kept.len() < lines.len());
    assert_eq!(kept, lines[..kept.len()].iter().collect::<Vec<_>>());
    assert_nobody_left(env.home(), std::time::Duration::from_secs(10));
}

#[test]
fn without_a_place_for_sessions_there_is_one_warning_and_all_works() {
    let server = WireServer::script(
        "{model: qwen3-coder:30b, turns: [{calls: [{name: write_file, arguments: {path: a.txt, content: hello}}]}, {say: done}]}",
    );
    let mut env = env(&server);
    let file = env.write_home("file", "");
    env.set("XDG_STATE_HOME", file.join("state").display().to_string());
    let outcome = env.run(["run", "--json", "--mode", "auto", "write"]).outcome().success();
    let warnings = warnings(&outcome);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("not kept") && warnings[0].contains("XDG_STATE_HOME"), "{warnings:?}");
    assert_eq!(env.read("a.txt"), "hello");
}

#[test]
fn an_edit_that_does_not_fit_leaves_the_file_and_the_model_is_told() {
    let server = WireServer::script(
        "{model: qwen3-coder:30b, turns: [
            {calls: [{name: read_file, arguments: {path: big.txt, end_line: 2}}]},
            {calls: [{name: edit_file, arguments: {path: big.txt, old_string: first, new_string: changed}}]},
            {say: it did not work}]}",
    );
    let env = env(&server);
    // Nothing that gets smaller when it is packed.
    let noise: String = (0..3000_u32).map(|n| mimi::base::hash::of_bytes(&n.to_le_bytes()) + "\n").collect();
    let text = format!("first\n{noise}");
    env.write("big.txt", &text);
    let outcome = run_limited(&env, 100, "edit").success();
    assert!(env.read("big.txt") == text, "the original is kept");
    let names: Vec<_> = std::fs::read_dir(env.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["big.txt"], "nothing is left beside it");
    let told = server.requests().pop().unwrap();
    let told = told["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
    assert!(told.contains("big.txt") && told.contains("File too large"), "{told}");
    let warnings = warnings(&outcome);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("`big.txt` cannot be taken back"), "{warnings:?}");
}

#[test]
fn what_cannot_be_taken_back_is_named_before_it_is_changed() {
    let server = WireServer::script(
        "{model: qwen3-coder:30b, turns: [{calls: [{name: write_file, arguments: {path: folder, content: hello}}]}, {say: oh}]}",
    );
    let env = env(&server);
    env.write("folder/file", "");
    let outcome = env.run(["run", "--json", "--mode", "auto", "write"]).outcome().success();
    assert_eq!(warnings(&outcome), ["the change of `folder` cannot be taken back, because it is not a regular file"]);
}
