//! Can a recorded run be gone through again without its server, and does it show where the world differs?

use std::os::unix::fs::PermissionsExt as _;

use serde_json::Value;

use super::{json, scripted, served};
use crate::support::{Env, Outcome};

const CHECK: &str = "cat answer.txt; grep -q good answer.txt";

/// Reads, states an edit that does not fit, leaks a call into its words, and looks at what came of it.
const TURNS: &str = "turns:
  - say: I read it.
    calls: [{name: read_file, arguments: {path: answer.txt}}]
  - calls: [{name: edit_file, arguments: {path: answer.txt, old_string: worse, new_string: good}}]
  - say: \"<tool_call>\\n{\\\"name\\\": \\\"edit_file\\\", \\\"arguments\\\": {\\\"path\\\": \\\"answer.txt\\\", \\\"old_string\\\": \\\"bad\\\", \\\"new_string\\\": \\\"good\\\"}}\\n</tool_call>\"
  - calls: [{name: shell, arguments: {command: cat answer.txt}}]
  - say: It said bad.
";

const STEPS: &str = "   1  check cat answer.txt; grep -q good answer.txt: {check}
   2  check cat answer.txt; grep -q good answer.txt: {check}
   3  request 1: same
   4  read_file answer.txt: {call}
   5  request 2: same
   6  edit_file: {call}
   7  request 3: same
   8  edit_file answer.txt: {call}
   9  request 4: same
  10  shell cat answer.txt: {call}
  11  request 5: same
  12  check cat answer.txt; grep -q good answer.txt: {check}
12 steps as recorded; exit code 0
";

/// A user whose fix was recorded to `fix.rec` in the home folder, and whose server is gone.
fn recorded() -> (Env, String) {
    let (mut env, server) = served(TURNS);
    env.write("answer.txt", "bad\n");
    env.set("MIMI_API_KEY", "sk-0123456789");
    let file = env.home().join("fix.rec").display().to_string();
    let outcome = env.run(["fix", "--test", CHECK, "--record", &file]).outcome().success();
    assert!(outcome.stderr.ends_with("recorded: mimi replay '[HOME]/fix.rec'\n"), "{outcome}");
    drop(server);
    env.write("answer.txt", "bad\n");
    (env, file)
}

fn replay(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["replay"].iter().chain(arguments).copied()).outcome()
}

#[test]
fn a_recorded_fix_is_the_same_without_its_server() {
    let (env, file) = recorded();
    let head = format!("`mimi fix` in [WORK], recorded by mimi {} at [TIME]\n", env!("CARGO_PKG_VERSION"));
    let taken = STEPS.replace("{check}", "as recorded, not run").replace("{call}", "as recorded, not run");
    let outcome = replay(&env, &[&file]).success();
    assert_eq!(outcome.to_string(), format!("{head}{taken}"));
    assert_eq!(env.read("answer.txt"), "bad\n", "something ran");
    // Nothing of the project is needed: another folder does as well.
    let elsewhere = env.run(["replay", &file]).cwd(env.home()).outcome().success();
    assert!(elsewhere.stdout.ends_with(&taken), "{elsewhere}");

    let same = STEPS.replace("{check}", "same").replace("{call}", "same");
    let outcome = replay(&env, &["--quiet", "--tools", "real", &file]).success();
    assert_eq!(outcome.to_string(), format!("{head}{same}"));
    assert_eq!(env.read("answer.txt"), "bad\n", "the copy was not the one worked on");
    replay(&env, &["--tools", "real", "--in-place", &file]).success();
    assert_eq!(env.read("answer.txt"), "good\n");
    let left = std::fs::read_dir(env.home().with_file_name("tmp")).unwrap().count();
    assert_eq!(left, 0, "scratch folders are left");
}

#[test]
fn where_the_world_differs_is_named() {
    let (env, file) = recorded();
    env.write("answer.txt", "bad\nand more\n");
    let outcome = replay(&env, &["--quiet", "--tools", "real", &file]).fails_with(1);
    let error = "error: step 1 of 12 differs from the recording: check cat answer.txt; grep -q good answer.txt\n";
    assert_eq!(outcome.stderr, error);
    let told = "   1  check cat answer.txt; grep -q good answer.txt: differs\n        @@ -1 +1,2 @@\n         bad\n        +and more\n";
    assert!(outcome.stdout.contains(told), "{outcome}");
    assert!(outcome.stdout.contains("   4  read_file answer.txt: differs\n"), "{outcome}");
    assert!(outcome.stdout.contains("   8  edit_file answer.txt: same\n"), "{outcome}");
    let value = json(&replay(&env, &["--json", "--tools", "real", &file]).fails_with(1));
    assert_eq!((&value["is_same"], &value["first_difference"]), (&false.into(), &1.into()));
    assert_eq!(value["steps"][4]["fate"], "differs", "{value}");
}

#[test]
fn another_mimi_would_ask_otherwise() {
    let (env, file) = recorded();
    // As if the mimi of the recording had told the model something else.
    let text = std::fs::read_to_string(&file).unwrap();
    let changed = text.replace("the file says", "the text says").replacen("old_string", "former_string", 1);
    std::fs::write(&file, changed).unwrap();
    let outcome = replay(&env, &[&file]).fails_with(1);
    assert!(outcome.stdout.contains("   3  request 1: differs\n        the tools on offer:\n        @@"), "{outcome}");
    assert!(outcome.stdout.contains("former_string"), "{outcome}");
    let error = "error: step 3 of 12 differs from the recording: request 1\n";
    assert_eq!(outcome.stderr, error);
}

#[test]
fn a_killed_run_leaves_a_recording_that_says_where_it_ends() {
    let env = scripted("turns: [{calls: [{name: read_file, arguments: {path: answer.txt}}]}, {stall: true}]");
    env.write("answer.txt", "bad\n");
    let file = env.home().join("fix.rec").display().to_string();
    let script = format!(
        "{} fix --test '{CHECK}' --record {file} >/dev/null 2>&1 & pid=$!\n\
         until grep -qs '\"type\":\"request\",\"n\":2' {file}; do :; done\nkill -9 $pid; wait $pid 2>/dev/null; true",
        crate::support::PROGRAM
    );
    env.program("bash", ["-c", &script]).outcome().success();
    let outcome = replay(&env, &[&file]).success();
    let end =
        "   5  request 2: the recording ends here\nthe recording ends after step 5: the run did not end by itself\n";
    assert!(outcome.stdout.ends_with(end), "{outcome}");
    // Also where the last line was torn.
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, &text[..text.len() - 10]).unwrap();
    let outcome = replay(&env, &[&file]).success();
    let end = "the recording ends after step 4, in the middle of a line: the run did not end by itself\n";
    assert!(outcome.stdout.ends_with(end), "{outcome}");
}

#[test]
fn keys_and_addresses_never_reach_a_recording() {
    let (mut env, server) = served(TURNS);
    env.write("answer.txt", "bad sk-0123456789\n");
    env.set("MIMI_API_KEY", "sk-0123456789");
    let file = env.home().join("fix.rec");
    env.run(["fix", "--test", CHECK, "--record", &file.display().to_string()]).outcome().success();
    let text = std::fs::read_to_string(&file).unwrap();
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert!(text.contains("bad [secret: own-key "), "{text}");
    for secret in ["sk-0123456789", "uthorization", &server.url()] {
        assert!(!text.contains(secret), "{secret}");
    }
    for line in text.lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap()["type"].is_string(), "{line}");
    }
}

#[test]
fn a_run_can_be_recorded_too() {
    let env = scripted("turns: [{calls: [{name: read_file, arguments: {path: answer.txt}}]}, {say: It says bad.}]");
    env.write("answer.txt", "bad\n");
    let file = env.home().join("run.rec").display().to_string();
    env.run(["run", "what does it say?", "--record", &file, "--quiet"]).outcome().success();
    let outcome = replay(&env, &["--tools", "real", &file]).success();
    assert!(outcome.stdout.ends_with("   3  request 2: same\n3 steps as recorded; exit code 0\n"), "{outcome}");
    env.write("answer.txt", "worse\n");
    let outcome = replay(&env, &["--tools", "real", &file]).fails_with(1);
    assert_eq!(outcome.stderr, "error: step 2 of 3 differs from the recording: read_file answer.txt\n");
    // A model that failed fails again, in the same way.
    let env = scripted("turns: [{error: {status: 400, body: gone}}]");
    let file = env.home().join("run.rec").display().to_string();
    env.run(["run", "do it", "--record", &file]).outcome().fails_with(4);
    let outcome = replay(&env, &[&file]).success();
    assert!(outcome.stdout.ends_with("1 step as recorded; exit code 4\n"), "{outcome}");
}

#[test]
fn what_is_no_recording_is_said_so() {
    let (env, file) = recorded();
    let text = std::fs::read_to_string(&file).unwrap();
    let newer = text.replacen("\"v\":1", "\"v\":99", 1).replacen(env!("CARGO_PKG_VERSION"), "9.9.9", 1);
    let (first, rest) = text.split_once('\n').unwrap();
    let garbled = format!("{first}\n{{\"type\":\n{rest}");
    let table = [
        ("empty", "", 2, "`[HOME]/empty` is empty: nothing was recorded"),
        ("foreign", "{\"v\":1}\n", 2, "`[HOME]/foreign` is no recording of mimi"),
        ("binary", "\u{0}\u{1}", 2, "`[HOME]/binary` is no recording of mimi"),
        ("newer", &newer, 3, "`[HOME]/newer` was recorded by mimi 9.9.9 in format 99, and this mimi reads up to 1"),
        ("garbled", &garbled, 3, "line 2 of the recording `[HOME]/garbled` cannot be read"),
    ];
    for (name, content, code, message) in table {
        let path = env.write_home(name, content).display().to_string();
        let outcome = replay(&env, &[&path]).fails_with(code);
        assert!(outcome.stderr.starts_with(&format!("error: {message}\n")), "{outcome}");
        assert!(outcome.stderr.contains("\nhint: "), "{outcome}");
        assert_eq!(outcome.stdout, "");
    }
    let outcome = replay(&env, &["/nowhere/x"]).fails_with(2);
    assert!(outcome.stderr.starts_with("error: cannot read the recording `/nowhere/x`\n"), "{outcome}");
    // A line of a kind that a later version adds is passed over.
    let later = format!("{first}\n{{\"type\":\"mood\",\"is\":\"good\"}}\n{rest}");
    let path = env.write_home("later", later).display().to_string();
    replay(&env, &[&path]).success();
}

#[test]
fn a_recording_replaces_no_file() {
    let (env, file) = recorded();
    let before = std::fs::read_to_string(&file).unwrap();
    let outcome = env.run(["fix", "--test", CHECK, "--record", &file]).outcome().fails_with(2);
    let error =
        "error: `[HOME]/fix.rec` exists already, and a recording replaces no file\nhint: name another file, or: rm ";
    assert!(outcome.stderr.starts_with(error), "{outcome}");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), before);
    let outcome = env.run(["fix", "--test", CHECK, "--record", "/nowhere/x"]).outcome().fails_with(2);
    assert!(outcome.stderr.starts_with("error: cannot record to `/nowhere/x`\n"), "{outcome}");
}

#[test]
fn a_check_that_passes_is_recorded_too() {
    let env = scripted("turns: []");
    let file = env.home().join("fix.rec").display().to_string();
    env.run(["fix", "--test", "true", "--record", &file]).outcome().success();
    let outcome = replay(&env, &["--quiet", "--tools", "real", &file]).success();
    assert!(outcome.stdout.ends_with("   1  check true: same\n1 step as recorded; exit code 0\n"), "{outcome}");
}
