//! What does the agent do only when it may, and what never?

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Grant, Mode, Op};
use rustix::fs::{CWD, RenameFlags, renameat_with};

use super::{Stage, Talk, assert_some};

/// A script with one call in each of `n` answers.
fn calls(call: &str, n: usize) -> String {
    let turn = format!("  - calls: [{call}]\n");
    format!("turns:\n{}  - {{say: done}}\n", turn.repeat(n))
}

const WRITE: &str = "{name: write_file, arguments: {path: new.txt, content: hello}}";

async fn alone(call: &str, mode: Mode) -> (Stage, Talk) {
    let stage = Stage::new(&calls(call, 1)).file("a.txt", "alpha\n").file("key.pem", "KEY\n").file(".env", "KEY=1\n");
    std::fs::write(stage.home.join("outside.txt"), "outside\n").unwrap();
    std::os::unix::fs::symlink(stage.home.join("outside.txt"), stage.work.join("out.txt")).unwrap();
    std::os::unix::fs::symlink(".env", stage.work.join("innocent.txt")).unwrap();
    std::os::unix::fs::symlink(&stage.home, stage.work.join("up")).unwrap();
    let mut talk = stage.alone(mode, &[]).await;
    assert_eq!(talk.say("do it").await, TurnEnd::Answered);
    (stage, talk)
}

#[tokio::test]
async fn what_nobody_can_approve_is_refused_with_the_rule_that_would_allow_it() {
    let table = [
        (
            WRITE,
            Mode::Ask,
            "denied: `write_file new.txt` was refused, because it changes a file",
            "--allow 'write:new.txt'",
        ),
        (WRITE, Mode::Plan, "denied: `write_file new.txt` was refused: plan mode only reads", ""),
        (
            "{name: shell, arguments: {command: \"touch 'it'\"}}",
            Mode::Auto,
            "denied: `shell touch 'it'` was refused, because `touch` may do more than look",
            r"--allow 'shell:touch '\''it'\'''",
        ),
        (
            "{name: read_file, arguments: {path: ../outside.txt}}",
            Mode::Auto,
            "it reads outside the workspace",
            "--allow",
        ),
        ("{name: read_file, arguments: {path: out.txt}}", Mode::Auto, "it reads outside the workspace", "--allow"),
        (
            "{name: write_file, arguments: {path: up/x.txt, content: x}}",
            Mode::Auto,
            "it writes outside the workspace",
            "",
        ),
        ("{name: read_file, arguments: {path: .env}}", Mode::Auto, "may hold secrets", ""),
        ("{name: read_file, arguments: {path: innocent.txt}}", Mode::Auto, "may hold secrets", ""),
        ("{name: read_file, arguments: {path: key.pem}}", Mode::Auto, "may hold secrets", ""),
        ("{name: write_file, arguments: {path: .git/hooks/pre-commit, content: x}}", Mode::Auto, "run code", "--allow"),
        ("{name: write_file, arguments: {path: .mimi/config.yaml, content: x}}", Mode::Auto, "change permissions", ""),
    ];
    for (call, mode, why, rule) in table {
        let (stage, talk) = alone(call, mode).await;
        let outcomes = talk.outcomes();
        assert_some(&outcomes, why);
        assert_some(&outcomes, rule);
        assert!(outcomes[0].contains(" denied: "), "{outcomes:?}");
        assert!(!stage.has("new.txt") && !stage.has(".git") && !stage.has(".mimi"), "{call}");
        assert!(!stage.home.join("x.txt").exists());
    }
}

#[tokio::test]
async fn in_auto_mode_files_of_the_workspace_are_written_at_once() {
    let (stage, talk) = alone(WRITE, Mode::Auto).await;
    assert_eq!(stage.read("new.txt"), "hello");
    assert!(talk.outcomes()[0].starts_with("write_file ok: "), "{:?}", talk.outcomes());
}

#[tokio::test]
async fn secrets_are_not_found_by_searching_either() {
    let (_stage, talk) = alone("{name: search, arguments: {pattern: KEY}}", Mode::Auto).await;
    let outcomes = talk.outcomes();
    assert_some(&outcomes, "no line matches `KEY`");
    assert_some(&outcomes, "1 file not searched, for they may hold secrets");
}

#[tokio::test]
async fn a_person_approves_once_or_for_the_session_or_says_why_not() {
    let stage = Stage::new(&calls("{name: shell, arguments: {command: tee <<< hi}}", 4));
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("greet").await;
    let (call, why) = talk.asked().await;
    assert_eq!(why, "`tee` may do more than look");
    let reason = Some("use printf".to_owned());
    talk.send(Op::Deny { call, reason }).await;
    let (call, _) = talk.asked().await;
    talk.send(Op::Approve { call, grant: Grant::Once }).await;
    let (call, _) = talk.asked().await;
    talk.send(Op::Approve { call, grant: Grant::Session }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered, "the fourth is not asked about");
    let hi = "shell ok: hi\nexit code 0";
    assert_eq!(talk.outcomes(), ["shell denied: the user refused this call: use printf", hi, hi, hi]);
}

#[tokio::test]
async fn the_change_that_is_approved_is_shown_before() {
    let script = "
turns:
  - calls:
      - {name: read_file, arguments: {path: a.txt}}
      - {name: edit_file, arguments: {path: a.txt, old_string: one, new_string: two}}
  - {say: done}
";
    let stage = Stage::new(script).file("a.txt", "one\n");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("change it").await;
    let asked = talk.until(|event| matches!(event, Event::ApprovalAsked { .. })).await;
    let Event::ApprovalAsked { call, preview, .. } = asked else { panic!("{asked:?}") };
    assert!(preview.unwrap().unified.contains("-one\n+two"));
    assert_eq!(stage.read("a.txt"), "one\n");
    talk.send(Op::Approve { call, grant: Grant::Once }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(stage.read("a.txt"), "two\n");
}

#[tokio::test]
async fn a_link_swapped_while_the_person_thinks_does_not_carry_the_approval_along() {
    let stage =
        Stage::new(&calls("{name: write_file, arguments: {path: sub/x.txt, content: hello}}", 1)).file("sub/y", "");
    let elsewhere = stage.home.join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("write").await;
    let (call, _) = talk.asked().await;
    std::fs::remove_dir_all(stage.work.join("sub")).unwrap();
    std::os::unix::fs::symlink(&elsewhere, stage.work.join("sub")).unwrap();
    talk.send(Op::Approve { call, grant: Grant::Once }).await;
    talk.done().await;
    assert_some(&talk.outcomes(), "what this call would touch changed since it was checked");
    assert!(!elsewhere.join("x.txt").exists());
}

#[tokio::test]
async fn a_script_exchanged_while_the_person_thinks_is_not_run_and_asked_about_again() {
    for command in ["sh run.sh", "cd . && sh ./run.sh"] {
        let stage = Stage::new(&calls(&format!("{{name: shell, arguments: {{command: {command}}}}}"), 3))
            .file("run.sh", "echo harmless\n");
        let mut talk = stage.with_person(Mode::Ask).await;
        talk.submit("run it").await;
        let (call, _) = talk.asked().await;
        stage.write("run.sh", "echo evil\n");
        talk.send(Op::Approve { call, grant: Grant::Once }).await;
        let (call, _) = talk.asked().await;
        // Written anew with the same bytes it is the same.
        stage.write("run.sh", "echo evil\n");
        talk.send(Op::Approve { call, grant: Grant::Once }).await;
        let (call, _) = talk.asked().await;
        std::fs::remove_file(stage.work.join("run.sh")).unwrap();
        talk.send(Op::Approve { call, grant: Grant::Once }).await;
        talk.done().await;
        let refused = "shell failed: `run.sh`, which this call runs, changed since it was checked, so it was not run; call it again";
        assert_eq!(talk.outcomes(), [refused, "shell ok: evil\nexit code 0", refused], "{command}");
    }
}

#[tokio::test]
async fn a_script_that_an_earlier_call_of_the_same_answer_wrote_runs_as_it_was_written() {
    let script = "
turns:
  - calls:
      - {name: write_file, arguments: {path: run.sh, content: 'echo new'}}
      - {name: shell, arguments: {command: sh run.sh}}
  - {say: done}
";
    let stage = Stage::new(script);
    let mut talk = stage.alone(Mode::Auto, &["shell:sh run.sh"]).await;
    talk.say("write and run").await;
    assert_some(&talk.outcomes(), "shell ok: new");
}

#[tokio::test]
async fn the_mode_changes_from_the_next_call_on_and_outlives_the_session() {
    let stage = Stage::new(
        "
turns:
  - calls: [{name: write_file, arguments: {path: a, content: x}}]
  - {say: no}
  - calls: [{name: write_file, arguments: {path: b, content: x}}]
  - {say: yes}
",
    );
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    talk.send(Op::SetMode { mode: Mode::Plan }).await;
    talk.say("one").await;
    talk.send(Op::SetMode { mode: Mode::Auto }).await;
    talk.say("two").await;
    assert_eq!((stage.has("a"), stage.has("b")), (false, true));
    let id = talk.leave().await;
    let options =
        mimi::app::AgentOptions { mode: None, ..super::options(Mode::Ask, mimi::agent::dispatch::Approvals::Nobody) };
    let resumed = stage.app().resume(&id, options).await.unwrap();
    assert_eq!(resumed.mode, Mode::Auto);
}

#[tokio::test]
async fn a_folder_exchanged_for_a_link_between_check_and_deed_leads_nothing_outside() {
    let call = |n: usize| format!("{{name: write_file, arguments: {{path: sub/n{n}, content: x}}}}");
    let calls: Vec<String> = (0..100).map(call).collect();
    let stage = Stage::new(&format!("turns: [{{calls: [{}]}}, {{say: done}}]", calls.join(", "))).file("sub/f", "");
    let outside = stage.home.join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::os::unix::fs::symlink(&outside, stage.work.join("trap")).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let (sub, trap) = (stage.work.join("sub"), stage.work.join("trap"));
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    let exchanger = std::thread::spawn({
        let (is_over, sub, trap) = (is_over.clone(), sub.clone(), trap.clone());
        move || {
            while !is_over.load(Ordering::Relaxed) {
                renameat_with(CWD, &sub, CWD, &trap, RenameFlags::EXCHANGE).unwrap();
                std::thread::yield_now();
            }
        }
    });
    let end = talk.say("write").await;
    is_over.store(true, Ordering::Relaxed);
    exchanger.join().unwrap();
    assert_eq!(end, TurnEnd::Answered);
    let n_written = talk.outcomes().iter().filter(|outcome| outcome.starts_with("write_file ok")).count();
    assert!(n_written > 0, "nothing was written at all");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0, "written outside");
    let real = if sub.is_symlink() { trap } else { sub };
    assert_eq!(std::fs::read_dir(real).unwrap().count(), n_written + 1);
}
