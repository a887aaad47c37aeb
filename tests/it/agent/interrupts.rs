//! Does an interrupt at any moment leave a conversation that can go on, each call with exactly one outcome?

use std::time::{Duration, Instant};

use mimi::model::retry::Retry;
use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};

use super::{Stage, Talk, word};

/// Ends the turn and says how long that took.
async fn interrupt(talk: &mut Talk) -> Duration {
    let started = Instant::now();
    talk.send(Op::Interrupt).await;
    assert_eq!(talk.done().await, TurnEnd::Interrupted);
    started.elapsed()
}

#[tokio::test]
async fn during_the_stream_what_was_seen_is_kept() {
    let stage = Stage::new("turns: [{say: half a sentence, stall: true}, {say: fine}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("go").await;
    talk.until(|event| matches!(event, Event::TextDelta { text } if text.ends_with("ce"))).await;
    let took = interrupt(&mut talk).await;
    assert!(took < Duration::from_millis(200), "{took:?}");
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
    assert_eq!(stage.last_request()[1..], ["model: half a sentence", "user: again"]);
}

#[tokio::test]
async fn before_the_first_word_the_gap_is_filled_and_nothing_is_invented() {
    let stage = Stage::new("turns: [{stall: true}, {say: fine}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("go").await;
    talk.until(|event| matches!(event, Event::PhaseChanged { .. })).await;
    interrupt(&mut talk).await;
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
    assert_eq!(stage.last_request()[1..], ["model: [no answer]", "user: again"]);
}

#[tokio::test]
async fn during_a_command_the_command_ends_and_later_calls_do_not_begin() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: read_file, arguments: {path: a.txt}}
      - {name: shell, arguments: {command: 'echo begun; exec sleep 600'}}
      - {name: write_file, arguments: {path: never.txt, content: x}}
  - {say: fine}
",
    );
    let stage = stage.file("a.txt", "alpha\n");
    let mut talk = stage.alone(Mode::Auto, &["shell:echo begun; exec sleep 600"]).await;
    talk.submit("go").await;
    talk.until(|event| matches!(event, Event::ToolOutput { text, .. } if text.contains("begun"))).await;
    let took = interrupt(&mut talk).await;
    assert!(took < Duration::from_millis(600), "{took:?}");
    let words: Vec<&str> = talk
        .log
        .iter()
        .filter_map(|event| match event {
            Event::ToolFinished { outcome, .. } => Some(word(outcome)),
            _ => None,
        })
        .collect();
    assert_eq!(words, ["ok", "cancelled", "cancelled"]);
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
    assert!(!stage.has("never.txt"));
    assert_eq!(stage.last_request().len(), 6);
}

#[tokio::test]
async fn one_command_is_ended_and_the_turn_goes_on() {
    let stage = Stage::new(
        "
turns:
  - calls: [{name: shell, arguments: {command: 'echo begun; exec sleep 600'}}]
  - {say: I see}
",
    );
    let mut talk = stage.alone(Mode::Auto, &["shell:echo begun; exec sleep 600"]).await;
    talk.submit("go").await;
    let begun = talk.until(|event| matches!(event, Event::ToolOutput { text, .. } if text.contains("begun"))).await;
    let Event::ToolOutput { call, .. } = begun else { panic!("{begun:?}") };
    talk.send(Op::Stop { call }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    let ended = talk.log.iter().find_map(|event| match event {
        Event::ToolFinished { outcome, .. } => Some(word(outcome)),
        _ => None,
    });
    assert_eq!(ended, Some("cancelled"));
    assert!(stage.last_request().last().unwrap().contains("interrupted this call"), "{:?}", stage.last_request());
}

#[tokio::test]
async fn while_an_approval_or_a_question_waits() {
    let calls = ["{name: shell, arguments: {command: make}}", "{name: ask_user, arguments: {question: Which?}}"];
    for call in calls {
        let stage = Stage::new(&format!("turns: [{{calls: [{call}, {call}]}}, {{say: fine}}]"));
        let mut talk = stage.with_person(Mode::Ask).await;
        talk.submit("go").await;
        let waits = |event: &Event| matches!(event, Event::ApprovalAsked { .. } | Event::QuestionAsked { .. });
        let asked = talk.until(waits).await;
        interrupt(&mut talk).await;
        let (Event::ApprovalAsked { call, .. } | Event::QuestionAsked { call, .. }) = asked else { panic!() };
        // An answer that comes too late changes nothing.
        talk.send(Op::Answer { call, text: "late".to_owned() }).await;
        assert_eq!(talk.say("again").await, TurnEnd::Answered);
        assert_eq!(talk.outcomes().len(), 2);
        assert_eq!(stage.last_request().len(), 5, "{:#?}", stage.last_request());
    }
}

#[tokio::test]
async fn while_a_busy_server_is_waited_for() {
    let stage = Stage::new("turns: [{error: {status: 503}}, {say: fine}]");
    let hour = Duration::from_secs(3600);
    let mut talk =
        stage.through(|gateway| gateway.with_retry(Retry { base: hour, cap: hour, ..Retry::default() })).await;
    talk.submit("go").await;
    talk.until(|event| matches!(event, Event::Retrying { attempt: 1, .. })).await;
    interrupt(&mut talk).await;
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
}

#[tokio::test]
async fn while_the_conversation_is_summarised() {
    let stage = Stage::new("turns: [{say: one}, {say: half a summary, stall: true}, {say: fine}, {say: also}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.say("go").await;
    talk.send(Op::Compact).await;
    talk.submit("kept for later").await;
    talk.until(|event| matches!(event, Event::Queued { .. })).await;
    talk.send(Op::Interrupt).await;
    talk.until(|event| matches!(event, Event::Warning { text } if text.contains("was not summarised"))).await;
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
    assert_eq!(talk.done().await, TurnEnd::Answered, "what was kept follows");
    let lines = stage.last_request();
    assert_eq!(lines[1..], ["model: one", "user: again", "model: fine", "user: kept for later"]);
}

#[tokio::test]
async fn a_front_end_that_goes_away_ends_the_turn_and_its_commands() {
    let command = "echo $$ > pid; echo begun; exec sleep 600";
    let stage = Stage::new(&format!("turns: [{{calls: [{{name: shell, arguments: {{command: '{command}'}}}}]}}]"));
    let mut talk = stage.alone(Mode::Auto, &[&format!("shell:{command}")]).await;
    talk.submit("go").await;
    talk.until(|event| matches!(event, Event::ToolOutput { .. })).await;
    let pid = stage.read("pid").trim().to_owned();
    talk.leave().await;
    let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    assert!(line.is_empty(), "{}", String::from_utf8_lossy(&line));
}

#[tokio::test]
async fn a_second_interrupt_changes_nothing() {
    let stage = Stage::new("turns: [{say: words, stall: true}, {say: fine}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.send(Op::Interrupt).await;
    talk.submit("go").await;
    talk.until(|event| matches!(event, Event::TextDelta { .. })).await;
    interrupt(&mut talk).await;
    talk.send(Op::Interrupt).await;
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
}
