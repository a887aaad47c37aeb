//! Does what commands changed go back with their turn, and forward again, and is the model told?

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Grant, Mode, Op};

use super::{Stage, Talk, assert_some};

/// Says something and lets every command run.
async fn say(talk: &mut Talk, text: &str) {
    talk.submit(text).await;
    loop {
        let is_stop = |event: &Event| matches!(event, Event::ApprovalAsked { .. } | Event::TurnDone { .. });
        match talk.until(is_stop).await {
            Event::ApprovalAsked { call, .. } => talk.send(Op::Approve { call, grant: Grant::Once }).await,
            Event::TurnDone { end, .. } => return assert_eq!(end, TurnEnd::Answered),
            other => panic!("{other:?}"),
        }
    }
}

async fn rewind(talk: &mut Talk, op: Op) -> (Vec<String>, Vec<String>) {
    talk.send(op).await;
    let is_answer =
        |event: &Event| matches!(event, Event::Undone { .. } | Event::Redone { .. } | Event::Warning { .. });
    match talk.until(is_answer).await {
        Event::Undone { restored, conflicts, .. } | Event::Redone { restored, conflicts, .. } => (restored, conflicts),
        other => panic!("{other:?}"),
    }
}

fn changes(talk: &Talk) -> Vec<Vec<String>> {
    let of = |event: &Event| match event {
        Event::TreeChanged { change, .. } => Some(change.changed.clone()),
        _ => None,
    };
    talk.log.iter().filter_map(of).collect()
}

const WORK: &str = "
turns:
  - calls:
      - {name: shell, arguments: {command: 'printf two > a.txt; rm gone.txt; mkdir -p new/deep; printf x > new/deep/file'}}
      - {name: shell, arguments: {command: 'cat a.txt'}}
      - {name: read_file, arguments: {path: a.txt}}
      - {name: edit_file, arguments: {path: a.txt, old_string: two, new_string: three}}
      - {name: shell, arguments: {command: 'chmod 755 run.sh; ln -s a.txt link; mv b.txt c.txt'}}
  - {say: first}
  - {say: second}
  - {say: third}
";

fn stage() -> Stage {
    let stage = Stage::new(WORK);
    for name in ["a.txt", "gone.txt", "b.txt", "run.sh"] {
        stage.write(name, "one\n");
    }
    stage
}

#[tokio::test]
async fn a_turn_of_commands_and_edits_goes_back_and_forward_as_a_whole() {
    let stage = stage();
    let mut talk = stage.with_person(Mode::Auto).await;
    say(&mut talk, "work").await;
    assert_eq!(stage.read("a.txt"), "three");
    let changed = changes(&talk);
    assert_eq!(
        changed,
        [vec!["a.txt", "gone.txt", "new", "new/deep", "new/deep/file"], vec!["b.txt", "c.txt", "link", "run.sh"]]
    );
    let all = ["a.txt", "b.txt", "c.txt", "gone.txt", "link", "new", "new/deep", "new/deep/file", "run.sh"];
    assert_eq!(rewind(&mut talk, Op::Undo).await, (all.map(str::to_owned).to_vec(), vec![]));
    assert_eq!([stage.read("a.txt"), stage.read("gone.txt"), stage.read("b.txt")], ["one\n"; 3]);
    assert!(!stage.has("new") && !stage.has("link") && !stage.has("c.txt"));
    assert_eq!(rewind(&mut talk, Op::Redo).await.1, [] as [&str; 0]);
    assert_eq!((stage.read("a.txt").as_str(), stage.read("link").as_str()), ("three", "three"));
    assert!(stage.has("new/deep/file") && !stage.has("gone.txt"));
    say(&mut talk, "go on").await;
    let lines = stage.last_request();
    assert!(lines.iter().any(|line| line == "model: first"), "the conversation is there again: {lines:#?}");
    assert!(!lines.last().unwrap().contains("The user took"), "nothing happened behind its back: {lines:#?}");
}

#[tokio::test]
async fn the_model_is_told_with_the_next_words_what_was_taken_back() {
    let stage = stage();
    let mut talk = stage.with_person(Mode::Auto).await;
    say(&mut talk, "work").await;
    stage.write("run.sh", "mine\n");
    let (_, conflicts) = rewind(&mut talk, Op::Undo).await;
    assert_eq!(conflicts, [] as [&str; 0], "only its permissions changed, and these went back");
    stage.write("b.txt", "mine\n");
    rewind(&mut talk, Op::Redo).await;
    assert_eq!(stage.read("b.txt"), "mine\n", "also redo leaves alone what the user wrote");
    rewind(&mut talk, Op::Undo).await;
    say(&mut talk, "something else").await;
    let lines = stage.last_request();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    assert!(lines[0].starts_with("user: # Project") && lines[0].ends_with("something else"), "{lines:#?}");
    assert!(
        lines[0].contains("The user took 1 turn of yours back") && lines[0].contains("new/deep/file"),
        "{lines:#?}"
    );
    say(&mut talk, "and on").await;
    assert_eq!(stage.last_request().last().unwrap(), "user: and on");
}

#[tokio::test]
async fn a_resumed_session_takes_back_and_does_again_what_commands_did() {
    let stage = stage();
    let mut talk = stage.with_person(Mode::Auto).await;
    say(&mut talk, "work").await;
    let id = talk.leave().await;
    let mut talk = stage.resume(&id).await;
    rewind(&mut talk, Op::Undo).await;
    assert_eq!(stage.read("a.txt"), "one\n");
    let id = talk.leave().await;
    let mut talk = stage.resume(&id).await;
    rewind(&mut talk, Op::Redo).await;
    assert_eq!(stage.read("a.txt"), "three");
    talk.send(Op::Redo).await;
    talk.until(|event| matches!(event, Event::Warning { text } if text.contains("nothing to do again"))).await;
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_told_once() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: shell, arguments: {command: 'mkdir target; head -c 2000000 /dev/zero > target/a; echo b > b'}}
      - {name: shell, arguments: {command: 'head -c 2000000 /dev/zero > target/c'}}
  - {say: done}
",
    )
    .file(".gitignore", "target/\n");
    let mut talk = stage.with_person(Mode::Auto).await;
    say(&mut talk, "build").await;
    let told: Vec<String> = talk.warnings().into_iter().filter(|text| text.contains("not kept")).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_some(&told, "`target/a`");
    let (restored, conflicts) = rewind(&mut talk, Op::Undo).await;
    assert_eq!(restored, ["b"]);
    assert_eq!(conflicts, ["target: the folder stays, because other files are in it"]);
    assert!(stage.has("target/a") && stage.has("target/c"));
}

#[tokio::test]
async fn where_a_workspace_is_too_large_commands_run_all_the_same_and_edits_still_go_back() {
    let stage = stage().set("checkpoint.max_files", "2");
    let mut talk = stage.with_person(Mode::Auto).await;
    say(&mut talk, "work").await;
    let told: Vec<String> = talk.warnings().into_iter().filter(|text| text.contains("cannot be taken back")).collect();
    assert_eq!(told.len(), 1, "{told:#?}");
    assert_some(&told, "checkpoint.max_files");
    assert_eq!(rewind(&mut talk, Op::Undo).await.0, ["a.txt"]);
    assert_eq!(stage.read("a.txt"), "two");
}

#[tokio::test]
async fn what_git_recorded_stays_and_is_named() {
    let stage = Stage::new(
        "
turns:
  - {calls: [{name: shell, arguments: {command: 'echo two > a.txt; git -c user.name=T -c user.email=t@e commit -qam two'}}]}
  - {say: done}
",
    )
    .file("a.txt", "one\n");
    stage.git(&stage.work, &["init", "-q"]);
    stage.git(&stage.work, &["add", "."]);
    stage.git(&stage.work, &["commit", "-qm", "one"]);
    let index = std::fs::read(stage.work.join(".git/index"));
    let mut talk = stage.with_person(Mode::Auto).await;
    say(&mut talk, "commit").await;
    assert_ne!(std::fs::read(stage.work.join(".git/index")).ok(), index.ok(), "the commit was made");
    let (restored, conflicts) = rewind(&mut talk, Op::Undo).await;
    assert_eq!(restored, ["a.txt"]);
    assert_some(&conflicts, ".git: what git recorded stays");
    assert_eq!(stage.read("a.txt"), "one\n");
}
