//! What is left when mimi is killed, at any moment?
//!
//! The real binary works against a model server on the wire and is killed after so many bytes of its output were read:
//! everywhere in the run, inside lines, while files are written and while a command runs. Then it must all be there.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::Value;

use crate::session::resumed::Resumed;
use crate::support::Env;
use crate::support::live::{Live, assert_nobody_left};
use crate::support::wire::WireServer;

const N_KILLS: usize = 200;
/// Kills at the very end of the output, where a command runs that never ends by itself.
const N_IN_COMMAND: usize = 20;
/// What the last command says before it hangs.
const HANGS: &str = "hangs now";
const N_THREADS: usize = 4;
const N_LINES: usize = 1500;

/// Reads, edits in one and in several calls, a new file, commands with children, words; last a command that hangs.
fn script() -> String {
    let notes: String = (0..600).map(|n| format!("note {n} of many\\n")).collect();
    format!(
        r#"
model: qwen3-coder:30b
turns:
  - think: Let me look around first.
    say: I read the file.
    calls:
      - {{name: read_file, arguments: {{path: src/lib.rs, start_line: 1, end_line: 3}}}}
      - {{name: list_files, arguments: {{}}}}
  - calls: [{{name: edit_file, arguments: {{path: src/lib.rs, old_string: state 0, new_string: state 1}}}}]
  - calls: [{{name: shell, arguments: {{command: bash steps.sh}}}}]
  - say: Two more edits, one after the other, and a new file.
    calls:
      - {{name: edit_file, arguments: {{path: src/lib.rs, old_string: state 1, new_string: state 2}}}}
      - {{name: edit_file, arguments: {{path: src/lib.rs, old_string: state 2, new_string: state 3}}}}
      - {{name: write_file, arguments: {{path: notes/new.txt, content: "{notes}"}}}}
  - say: Half of the work is done, the other half follows; these words come in many small pieces.
    calls: [{{name: edit_file, arguments: {{path: src/lib.rs, old_string: state 3, new_string: state 4}}}}]
  - calls: [{{name: write_file, arguments: {{path: notes/new.txt, content: "short\n"}}}}]
  - calls: [{{name: edit_file, arguments: {{path: src/lib.rs, old_string: state 4, new_string: state 5}}}}]
  - calls: [{{name: shell, arguments: {{command: bash hang.sh}}}}]
"#
    )
}

fn source(state: usize) -> String {
    let lines: String = (0..N_LINES).map(|n| format!("// line {n} of a file that takes a moment to write\n")).collect();
    format!("// state {state}\n{lines}")
}

fn set_up(url: &str) -> Env {
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", url);
    env.write("src/lib.rs", source(0));
    env.write("steps.sh", "(sleep 600 &)\nfor n in 1 2 3 4 5 6 7 8; do echo step $n; done");
    env.write("hang.sh", "setsid sleep 600 &\n(sleep 600 &)\necho hangs now\nsleep 600");
    env
}

fn start(env: &Env) -> Live {
    env.run(["run", "--json", "--mode", "auto", "--allow", "shell:bash *", "change the state"]).start()
}

/// Numbers that look random and are the same in every run of the test (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit as u64) as usize
    }
}

/// Chooses after how many bytes to kill: any line is as likely as any other, and so is any byte of it.
fn kill_points(output: &str) -> Vec<usize> {
    let lines: Vec<&str> = output.split_inclusive('\n').collect();
    let mut dice = Dice(2026);
    let anywhere = (0..N_KILLS - N_IN_COMMAND).map(|_| {
        let line = dice.below(lines.len());
        let before: usize = lines[..line].iter().map(|line| line.len()).sum();
        before + dice.below(lines[line].len())
    });
    anywhere.chain(std::iter::repeat_n(usize::MAX, N_IN_COMMAND)).collect()
}

/// Which part of the run was cut off, for the table at the end.
type Seen = BTreeMap<String, usize>;

#[test]
fn nothing_acknowledged_is_lost_wherever_it_is_killed() {
    let server = WireServer::replaying(&script());
    let env = set_up(&server.url());
    let mut whole = start(&env);
    whole.wait_for(HANGS);
    let output = whole.output();
    whole.kill();
    let points = kill_points(&output);
    let next = AtomicUsize::new(0);
    let work = || {
        let mut seen = Seen::new();
        while let Some(n_bytes) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
            *seen.entry(kill_once(&server.url(), *n_bytes)).or_default() += 1;
        }
        seen
    };
    let mut seen = Seen::new();
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..N_THREADS).map(|_| scope.spawn(work)).collect();
        for (part, n) in threads.into_iter().flat_map(|thread| thread.join().unwrap()) {
            *seen.entry(part).or_default() += n;
        }
    });
    println!("killed {N_KILLS} times; last event kept: {seen:?}");
    assert_eq!(seen.values().sum::<usize>(), N_KILLS);
    assert!(seen.get("tool_output").is_some_and(|n| *n >= N_IN_COMMAND), "while a command ran: {seen:?}");
    for part in ["text_delta", "phase_changed", "tool_started", "file_kept"] {
        assert!(seen.contains_key(part), "kills are spread over the run: {seen:?}");
    }
}

/// Runs, kills, checks everything; returns the kind of the last event in the session file.
fn kill_once(url: &str, n_bytes: usize) -> String {
    let env = set_up(url);
    let mut run = start(&env);
    run.read_bytes(n_bytes, HANGS);
    run.kill();
    let shown = whole_lines(&run.output());
    let kept = session_file(&env).map(|path| (records(&path), path));
    let Some((kept, path)) = kept else {
        assert!(shown.is_empty(), "shown and in no file: {shown:?}");
        return "no session".to_owned();
    };
    for record in &shown {
        let seq = record["seq"].as_u64().unwrap();
        assert_eq!(kept.get(&seq), Some(record), "killed after {n_bytes} bytes");
    }
    let numbers: Vec<u64> = kept.keys().copied().collect();
    assert_eq!(numbers, (1..=kept.len() as u64).collect::<Vec<_>>(), "killed after {n_bytes} bytes");
    // What was running takes its masks away before it is gone.
    assert_nobody_left(env.home(), Duration::from_secs(10));
    check_files(&env);
    check_commands(&env, &path);
    check_resumed(&env, &path);
    assert_nobody_left(env.home(), Duration::from_secs(10));
    kept.values().last().map_or_else(|| "none".to_owned(), |record| record["type"].as_str().unwrap().to_owned())
}

/// Reads the lines that came whole; what follows the last newline was cut off by the kill.
fn whole_lines(output: &str) -> Vec<Value> {
    let whole = &output[..output.rfind('\n').map_or(0, |at| at + 1)];
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn session_file(env: &Env) -> Option<PathBuf> {
    let folder = env.home().join(".local/state/mimi/sessions");
    let mut files = std::fs::read_dir(folder).ok()?.map(|entry| entry.unwrap().path());
    let file = files.next();
    assert_eq!(files.next(), None, "one run, one session");
    file
}

/// Reads the records of a session file by their place; other lines and a torn last one are none.
fn records(path: &Path) -> BTreeMap<u64, Value> {
    let text = String::from_utf8(std::fs::read(path).unwrap()).unwrap();
    let values = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    values.filter_map(|value| Some((value.get("seq")?.as_u64()?, value))).collect()
}

/// Every file is as one of the writes left it, or as it was.
fn check_files(env: &Env) {
    let text = env.read("src/lib.rs");
    let state: usize = text.lines().next().unwrap().strip_prefix("// state ").unwrap().parse().unwrap();
    assert!(text == source(state), "src/lib.rs is torn");
    if let Ok(notes) = std::fs::read_to_string(env.work().join("notes/new.txt")) {
        assert!(notes == "short\n" || notes.lines().count() == 600 && notes.ends_with("note 599 of many\n"));
    }
}

fn check_commands(env: &Env, path: &Path) {
    let id = path.file_stem().unwrap().to_str().unwrap();
    env.run(["session", "show", id]).outcome().success();
    let list = env.run(["session", "list", "--all", "--json"]).outcome().success();
    let list: Vec<Value> = serde_json::from_str(&list.raw_stdout).unwrap();
    assert_eq!(list.len(), 1);
    assert_eq!(list[0]["id"], id);
}

/// The session goes on with a conversation servers accept, and all of it can be taken back.
fn check_resumed(env: &Env, path: &Path) {
    let id = path.file_stem().unwrap().to_str().unwrap();
    let mut resumed = Resumed::start(env, id, "turns: [{say: I go on.}]");
    let messages = resumed.say("go on");
    assert!(messages.last().unwrap().text().ends_with("go on"), "{messages:?}");
    resumed.undo_all();
    assert!(env.read("src/lib.rs") == source(0), "taken back, the file is not as it was: {}", env.read("src/lib.rs"));
    assert!(!env.work().join("notes/new.txt").exists(), "taken back, the new file is still there");
    for folder in ["", "src", "notes"] {
        let names = std::fs::read_dir(env.work().join(folder)).into_iter().flatten().flatten();
        let left: Vec<_> =
            names.map(|entry| entry.file_name()).filter(|name| name.as_encoded_bytes()[0] == b'.').collect();
        assert!(left.is_empty(), "{folder}: {left:?}");
    }
}
