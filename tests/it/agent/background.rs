//! Does a command that the user puts behind the turn go on there, and is everybody told the truth about it?

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::message::CallId;
use mimi::protocol::op::{Mode, Op};
use mimi::protocol::tool::ToolOutcome;

use super::{Stage, Talk, assert_some, word};

/// Prints, waits for the file `go`, writes a file and prints again.
const COMMAND: &str = "echo begun; until [ -e go ]; do sleep 0.02; done; echo made > out.txt; echo over; exit 3";

fn stage(rest: &str) -> Stage {
    Stage::new(&format!("turns:\n  - calls: [{{name: shell, arguments: {{command: '{COMMAND}'}}}}]\n{rest}"))
}

async fn begin(stage: &Stage) -> (Talk, CallId) {
    let mut talk = stage.alone(Mode::Auto, &[&format!("shell:{COMMAND}")]).await;
    talk.submit("build it").await;
    let begun = talk.until(|event| matches!(event, Event::ToolOutput { text, .. } if text.contains("begun"))).await;
    let Event::ToolOutput { call, .. } = begun else { panic!("{begun:?}") };
    (talk, call)
}

async fn ended(talk: &mut Talk) -> (CallId, ToolOutcome, String) {
    match talk.until(|event| matches!(event, Event::BackgroundEnded { .. })).await {
        Event::BackgroundEnded { behind, outcome, summary, .. } => (behind, outcome, summary),
        other => panic!("{other:?}"),
    }
}

fn name_of(talk: &Talk) -> CallId {
    let name = |event: &Event| match event {
        Event::Backgrounded { behind, .. } => Some(behind.clone()),
        _ => None,
    };
    talk.log.iter().find_map(name).unwrap()
}

#[tokio::test]
async fn the_turn_goes_on_at_once_and_the_end_comes_with_the_next_words() {
    let stage = stage("  - {say: it builds}\n  - {say: I see}\n");
    let (mut talk, call) = begin(&stage).await;
    talk.send(Op::Background { call }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    let told = stage.last_request().pop().unwrap();
    assert!(told.contains("put this command into the background") && told.ends_with("begun\n"), "{told}");
    assert!(!stage.has("out.txt"));
    stage.write("go", "");
    let (name, outcome, summary) = ended(&mut talk).await;
    assert_eq!((name, word(&outcome), summary.as_str()), (name_of(&talk), "ok", "exit 3"));
    assert_eq!(stage.read("out.txt"), "made\n");
    talk.say("and now?").await;
    let told = stage.last_request().pop().unwrap();
    assert!(told.contains(&format!("`{COMMAND}`")) && told.contains("over\nexit code 3"), "{told}");
    assert!(told.ends_with("and now?"), "{told}");
    let changed = talk.log.iter().any(|event| matches!(event, Event::TreeChanged { turn: 1, .. }));
    assert!(changed, "what it wrote can be taken back with its turn");
}

#[tokio::test]
async fn within_a_turn_the_end_comes_with_the_next_step() {
    let wait = "until [ -e on ]; do sleep 0.02; done";
    let rest = format!(
        "  - calls: [{{name: shell, arguments: {{command: '{wait}'}}}}]\n  - {{say: done}}\n  - {{say: nothing more}}\n"
    );
    let stage = stage(&rest);
    let rules = [format!("shell:{COMMAND}"), format!("shell:{wait}")];
    let mut talk = stage.alone(Mode::Auto, &[&rules[0], &rules[1]]).await;
    talk.submit("build it").await;
    let begun = talk.until(|event| matches!(event, Event::ToolOutput { .. })).await;
    let Event::ToolOutput { call, .. } = begun else { panic!("{begun:?}") };
    talk.send(Op::Background { call }).await;
    talk.until(|event| matches!(event, Event::ToolStarted { target, .. } if target.contains("-e on"))).await;
    stage.write("go", "");
    ended(&mut talk).await;
    stage.write("on", "");
    assert_eq!(talk.done().await, TurnEnd::Answered);
    let told = stage.last_request().pop().unwrap();
    assert!(told.starts_with("user: ") && told.contains("is over") && told.contains("exit code 3"), "{told}");
    talk.say("once more").await;
    assert_eq!(stage.last_request().pop().unwrap(), "user: once more", "it is told once");
}

#[tokio::test]
async fn an_interrupt_leaves_it_alone_and_ending_it_by_name_ends_it() {
    let stage = stage("  - {say: half, stall: true}\n  - {say: fine}\n");
    let (mut talk, call) = begin(&stage).await;
    talk.send(Op::Background { call }).await;
    talk.until(|event| matches!(event, Event::TextDelta { .. })).await;
    talk.send(Op::Interrupt).await;
    assert_eq!(talk.done().await, TurnEnd::Interrupted);
    let name = name_of(&talk);
    talk.send(Op::Undo).await;
    talk.until(|event| matches!(event, Event::Undone { .. } | Event::Warning { .. })).await;
    assert_some(&talk.warnings(), "still running in the background");
    talk.send(Op::Stop { call: name.clone() }).await;
    let (ended, outcome, _) = ended(&mut talk).await;
    assert_eq!((ended, outcome), (name, ToolOutcome::Cancelled));
    assert!(!stage.has("out.txt"));
}

#[tokio::test]
async fn leaving_ends_it_in_good_order_and_what_cannot_go_behind_stays() {
    let stage = stage("  - {say: it builds}\n");
    let (mut talk, call) = begin(&stage).await;
    talk.send(Op::Background { call: CallId("other".to_owned()) }).await;
    talk.until(|event| matches!(event, Event::Warning { .. })).await;
    assert_some(&talk.warnings(), "only a command that runs");
    talk.send(Op::Background { call }).await;
    talk.done().await;
    drop(talk.session.handle.ops);
    let mut last = Vec::new();
    while let Some(record) = talk.session.handle.records.recv().await {
        last.push(record.event);
    }
    let end = last.iter().find(|event| matches!(event, Event::BackgroundEnded { .. }));
    assert!(matches!(end, Some(Event::BackgroundEnded { outcome: ToolOutcome::Cancelled, .. })), "{last:#?}");
}

#[tokio::test]
async fn a_session_that_was_cut_off_says_what_was_running() {
    let stage = stage("  - {say: it builds}\n  - {say: I see}\n");
    let (mut talk, call) = begin(&stage).await;
    talk.send(Op::Background { call }).await;
    talk.done().await;
    let id = talk.session.id.clone();
    let folder = stage.home.join(".local/state/mimi/sessions");
    let file = find(&folder, &id);
    let cut = std::fs::read(&file).unwrap();
    talk.leave().await;
    // As a kill leaves it: nobody wrote how it ended.
    std::fs::write(&file, cut).unwrap();
    let mut talk = stage.resume(&id).await;
    let (_, outcome, summary) = ended(&mut talk).await;
    assert_eq!((outcome, summary.as_str()), (ToolOutcome::Cancelled, "was running in the background when mimi ended"));
    talk.say("what came of it?").await;
    let told = stage.last_request().pop().unwrap();
    assert!(told.contains("still running in the background when the session ended"), "{told}");
    talk.leave().await;
    let mut talk = stage.resume(&id).await;
    talk.submit("again").await;
    talk.until(|event| matches!(event, Event::TurnStarted { .. })).await;
    assert!(!talk.log.iter().any(|event| matches!(event, Event::BackgroundEnded { .. })), "it is told once");
}

/// Finds the file of a session.
fn find(folder: &std::path::Path, id: &str) -> std::path::PathBuf {
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            match entry.path().is_dir() {
                true => folders.push(entry.path()),
                false if name.contains(id) && name.ends_with(".jsonl") => return entry.path(),
                false => {}
            }
        }
    }
    panic!("no file of {id}")
}

#[tokio::test]
async fn a_command_of_the_users_own_goes_behind_with_an_ampersand() {
    let stage = Stage::new("turns: [{say: I see}, {say: and that}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.send(Op::Run { command: format!("{COMMAND} &") }).await;
    talk.until(|event| matches!(event, Event::Backgrounded { .. })).await;
    talk.say("hello").await;
    assert_some(&[stage.last_request().pop().unwrap()], "put this command into the background");
    stage.write("go", "");
    ended(&mut talk).await;
    talk.say("and now?").await;
    assert_some(&[stage.last_request().pop().unwrap()], "exit code 3");
}

#[tokio::test]
async fn what_others_changed_meanwhile_is_not_taken_for_what_it_did() {
    let rest = "  - calls: [{name: read_file, arguments: {path: a.txt}}]
  - calls:
      - {name: edit_file, arguments: {path: a.txt, old_string: one, new_string: two}}
      - {name: edit_file, arguments: {path: a.txt, old_string: two, new_string: three}}
  - {say: edited}
";
    let stage = stage(rest).file("a.txt", "one\n");
    let (mut talk, call) = begin(&stage).await;
    talk.send(Op::Background { call }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(stage.read("a.txt"), "three\n");
    stage.write("go", "");
    ended(&mut talk).await;
    talk.send(Op::Undo).await;
    match talk.until(|event| matches!(event, Event::Undone { .. })).await {
        Event::Undone { restored, conflicts, .. } => {
            assert!(conflicts.is_empty(), "{conflicts:?}");
            assert!(restored.contains(&"a.txt".to_owned()) && restored.contains(&"out.txt".to_owned()), "{restored:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!((stage.read("a.txt").as_str(), stage.has("out.txt")), ("one\n", false));
}

#[tokio::test]
async fn a_wish_that_comes_before_the_command_has_begun_is_kept() {
    let stage = stage("  - {say: it builds}\n  - {say: I see}\n");
    let mut talk = stage.alone(Mode::Auto, &[&format!("shell:{COMMAND}")]).await;
    talk.submit("build it").await;
    let started = talk.until(|event| matches!(event, Event::ToolStarted { .. })).await;
    let Event::ToolStarted { call, .. } = started else { panic!("{started:?}") };
    talk.send(Op::Background { call }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert!(stage.last_request().pop().unwrap().contains("put this command into the background"));
    assert!(talk.warnings().is_empty(), "{:?}", talk.warnings());
    stage.write("go", "");
    assert_eq!(ended(&mut talk).await.2, "exit 3");
}
