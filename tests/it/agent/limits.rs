//! When does a turn end although the model would go on?

use std::time::Duration;

use mimi::model::ask::Retry;
use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};
use mimi::protocol::wait::WaitState;

use super::Stage;

fn same_call(call: &str, n: usize) -> String {
    let turn = format!("  - {{calls: [{call}], usage: {{input: 3000, output: 10}}}}\n");
    format!("turns:\n{}  - {{say: done}}\n", turn.repeat(n))
}

const READ: &str = "{name: read_file, arguments: {path: a.txt}}";

#[track_caller]
fn limit(end: TurnEnd) -> String {
    match end {
        TurnEnd::Limit { what } => what,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn steps_and_tokens_end_a_turn_between_steps_and_the_next_turn_starts_anew() {
    let stage = Stage::new(&same_call(READ, 4)).set("agent.max_steps", "2").file("a.txt", "x\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(limit(talk.say("go").await), "2 model requests in one turn (agent.max_steps)");
    assert_eq!(talk.outcomes().len(), 2, "the calls of the last answer have their outcomes");
    limit(talk.say("go on").await);
    assert_eq!(talk.say("finish").await, TurnEnd::Answered);

    let stage = Stage::new(&same_call(READ, 4)).set("agent.max_tokens", "6000").file("a.txt", "x\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    let what = limit(talk.say("go").await);
    assert_eq!(what, "6020 tokens in one turn (agent.max_tokens is 6000)");
}

#[tokio::test]
async fn the_same_failure_three_times_ends_the_turn() {
    let missing = "{name: read_file, arguments: {path: missing.txt}}";
    let stage = Stage::new(&same_call(missing, 3));
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Stuck { tool: "read_file".to_owned() });
    assert_eq!(stage.requests().len(), 3);
    assert_eq!(talk.say("well?").await, TurnEnd::Answered, "the conversation stays usable");
}

#[tokio::test]
async fn the_clock_ends_a_turn_and_nothing_after_it() {
    let stage = Stage::new("turns: [{say: wait, stall: true}, {say: fine}, {say: slow, stall: true}]");
    let stage = stage.set("agent.max_seconds", "1");
    let notice = Duration::from_millis(1200);
    let mut talk = stage.through(|gateway| gateway.with_retry(Retry { notice, ..Retry::default() })).await;
    assert_eq!(limit(talk.say("go").await), "1 second in one turn (agent.max_seconds)");
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
    // The clock of the turn before must not stop this: it is still going on when that clock has run out.
    talk.send(Op::Compact).await;
    let is_late = |event: &Event| matches!(event, Event::Waiting(wait) if wait.state == WaitState::Paused);
    talk.until(is_late).await;
    assert!(!talk.warnings().iter().any(|text| text.contains("interrupted")), "{:?}", talk.warnings());
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_ended_and_the_model_told() {
    let call = "{name: shell, arguments: {command: 'echo begun; sleep 600', timeout_s: 1}}";
    let stage = Stage::new(&same_call(call, 1));
    let mut talk = stage.alone(Mode::Ask, &["shell:echo begun; sleep 600"]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    assert!(talk.outcomes()[0].starts_with("shell timed out: begun\ntimed out after 1 s"), "{:?}", talk.outcomes());
}

#[tokio::test]
async fn empty_and_cut_answers_are_nudged_and_then_given_up() {
    let stage = Stage::new("turns: [{say: ' '}, {say: half, finish: length}, {say: whole}]");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    let lines = stage.last_request();
    assert_eq!(lines[1], "model: [no answer]");
    assert!(lines[2].starts_with("user: Your answer was empty"), "{lines:#?}");
    assert_eq!(lines[3], "model: half");
    assert!(lines[4].starts_with("user: Your answer was cut off"), "{lines:#?}");

    let stage = Stage::new("turns: [{say: ' '}, {say: ' '}, {say: late}]");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(limit(talk.say("go").await), "2 empty answers in a row");
    assert_eq!(stage.unused(), 1);
}

#[tokio::test]
async fn a_call_cut_off_by_the_length_limit_is_never_run() {
    let stage = Stage::new(
        "
turns:
  - {finish: length, calls: [{name: write_file, arguments: {path: a.txt, content: half}}]}
  - {say: in parts then}
",
    );
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    talk.say("write").await;
    assert!(!stage.has("a.txt"));
    assert!(stage.last_request()[2].contains("Your call of `write_file` was cut off"), "{:#?}", stage.last_request());
}
