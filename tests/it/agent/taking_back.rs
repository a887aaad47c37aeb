//! Does `/undo` bring back the files and the conversation, and nothing that somebody else has written?

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};

use super::{Stage, Talk, assert_some};

const WORK: &str = "
turns:
  - calls:
      - {name: write_file, arguments: {path: new.txt, content: made}}
      - {name: read_file, arguments: {path: a.txt}}
      - {name: edit_file, arguments: {path: a.txt, old_string: one, new_string: two}}
  - {say: first}
  - calls:
      - {name: read_file, arguments: {path: a.txt}}
      - {name: edit_file, arguments: {path: a.txt, old_string: two, new_string: three}}
  - {say: second}
  - {say: third}
";

async fn undo(talk: &mut Talk) -> (u32, Vec<String>, Vec<String>) {
    talk.send(Op::Undo).await;
    match talk.until(|event| matches!(event, Event::Undone { .. } | Event::Warning { .. })).await {
        Event::Undone { turn, restored, conflicts, .. } => (turn, restored, conflicts),
        other => panic!("{other:?}"),
    }
}

async fn two_turns() -> (Stage, Talk) {
    let stage = Stage::new(WORK).file("a.txt", "one\n");
    let mut talk = stage.with_person(Mode::Auto).await;
    talk.say("make it two").await;
    talk.say("make it three").await;
    assert_eq!(stage.read("a.txt"), "three\n");
    (stage, talk)
}

#[tokio::test]
async fn turns_go_back_one_by_one_and_numbers_go_on() {
    let (stage, mut talk) = two_turns().await;
    assert_eq!(undo(&mut talk).await, (2, vec!["a.txt".to_owned()], vec![]));
    assert_eq!((stage.read("a.txt").as_str(), stage.has("new.txt")), ("two\n", true));
    assert_eq!(undo(&mut talk).await, (1, vec!["a.txt".to_owned(), "new.txt".to_owned()], vec![]));
    assert_eq!((stage.read("a.txt").as_str(), stage.has("new.txt")), ("one\n", false));
    talk.send(Op::Undo).await;
    talk.until(|event| matches!(event, Event::Warning { .. })).await;
    talk.say("start over").await;
    assert!(talk.log.iter().any(|event| matches!(event, Event::TurnStarted { turn: 3 })));
    assert_eq!(stage.last_request().len(), 1, "{:#?}", stage.last_request());
}

#[tokio::test]
async fn only_the_last_turn_leaves_the_conversation() {
    let (stage, mut talk) = two_turns().await;
    undo(&mut talk).await;
    talk.say("instead").await;
    let lines = stage.last_request();
    assert_eq!(lines.len(), 7, "{lines:#?}");
    assert_eq!(lines[5], "model: first");
    assert!(lines[6].starts_with("user: [The user took 1 turn of yours back") && lines[6].ends_with("\n\ninstead"));
}

#[tokio::test]
async fn what_somebody_else_has_written_since_stays_and_is_named_with_the_reason() {
    let (stage, mut talk) = two_turns().await;
    stage.write("a.txt", "mine\n");
    let (turn, restored, conflicts) = undo(&mut talk).await;
    assert_eq!((turn, restored, conflicts.len()), (2, vec![], 1));
    let (why, place) = conflicts[0].split_once("; as it was before is in ").unwrap();
    assert_eq!((why, std::fs::read_to_string(place).unwrap().as_str()), ("a.txt: it changed since", "two\n"));
    assert_eq!(stage.read("a.txt"), "mine\n");
}

#[tokio::test]
async fn a_resumed_session_can_take_back_what_the_first_process_did() {
    let (stage, talk) = two_turns().await;
    let id = talk.leave().await;
    let mut talk = stage.resume(&id).await;
    assert_eq!(undo(&mut talk).await.0, 2);
    assert_eq!(undo(&mut talk).await.0, 1);
    assert_eq!(stage.read("a.txt"), "one\n");
    let id = talk.leave().await;
    let mut talk = stage.resume(&id).await;
    assert_eq!(talk.say("start over").await, TurnEnd::Answered);
    assert!(talk.log.iter().any(|event| matches!(event, Event::TurnStarted { turn: 3 })));
    let first = stage.last_request().remove(0);
    assert!(first.starts_with("user: # Project") && first.ends_with("start over"), "{first}");
}

#[tokio::test]
async fn an_interrupted_turn_can_be_taken_back_but_not_a_running_one() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: write_file, arguments: {path: new.txt, content: made}}
      - {name: ask_user, arguments: {question: Go on?}}
",
    );
    let mut talk = stage.with_person(Mode::Auto).await;
    talk.submit("go").await;
    talk.until(|event| matches!(event, Event::QuestionAsked { .. })).await;
    talk.send(Op::Undo).await;
    talk.until(|event| matches!(event, Event::Warning { text } if text.contains("interrupt the turn"))).await;
    assert!(stage.has("new.txt"));
    talk.send(Op::Interrupt).await;
    talk.done().await;
    assert_eq!(undo(&mut talk).await.1, ["new.txt"]);
    assert!(!stage.has("new.txt"));
}

#[tokio::test]
async fn where_nothing_can_be_kept_the_user_is_told_at_the_start() {
    let stage = Stage::new(WORK).file("a.txt", "one\n");
    let state = stage.home.join(".local/state/mimi");
    std::fs::create_dir_all(&state).unwrap();
    std::fs::write(state.join("checkpoints"), "in the way").unwrap();
    let mut talk = stage.with_person(Mode::Auto).await;
    assert_eq!(talk.say("make it two").await, TurnEnd::Answered);
    assert_eq!(stage.read("a.txt"), "two\n");
    assert_some(&talk.warnings(), "changes of this session cannot be taken back");
    talk.send(Op::Undo).await;
    talk.until(|event| matches!(event, Event::Warning { text } if text.contains("no files were kept"))).await;
}
