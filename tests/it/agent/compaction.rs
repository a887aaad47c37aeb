//! What happens when the window runs short?

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};

use super::{Stage, assert_some};

/// Enough to be taken for a summary.
const SUMMARY: &str =
    "## Goal\nFill the files with what they need, one after the other, until nothing is left to be done.";

fn long(word: &str) -> String {
    format!("{word} and some more words\n").repeat(300)
}

/// A session in a small window: two long files are read, then the summary is due.
fn script(window: u64, rest: &str) -> String {
    format!(
        "
window_tokens: {window}
turns:
  - calls:
      - {{name: update_plan, arguments: {{steps: [{{step: read all, status: in_progress}}]}}}}
      - {{name: write_file, arguments: {{path: new.txt, content: made}}}}
      - {{name: read_file, arguments: {{path: a.txt}}}}
  - calls: [{{name: read_file, arguments: {{path: b.txt}}}}]
{rest}"
    )
}

fn stage(window: u64, rest: &str) -> Stage {
    Stage::new(&script(window, rest))
        .file("AGENTS.md", "Use tabs.\n")
        .file("a.txt", long("alpha"))
        .file("b.txt", long("beta"))
        .file("c.txt", long("gamma"))
}

fn n_summaries(stage: &Stage) -> usize {
    let is_summary = |line: &String| line.starts_with("user: The conversation is about to be replaced");
    stage.requests().iter().filter(|request| super::lines(&request.messages).last().is_some_and(is_summary)).count()
}

#[tokio::test]
async fn in_the_middle_of_a_turn_the_work_goes_on_behind_a_summary() {
    let rest = format!(
        "  - {{when: is about to be replaced, say: {SUMMARY:?}}}
  - {{calls: [{{name: read_file, arguments: {{path: new.txt}}}}]}}
  - {{say: done}}
"
    );
    let stage = stage(13_000, &rest);
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    assert_eq!(talk.say("fill the files, please").await, TurnEnd::Answered, "{:#?}", talk.log);
    let Some(Event::Compacted { before_tokens, after_tokens, .. }) =
        talk.log.iter().find(|event| matches!(event, Event::Compacted { .. }))
    else {
        panic!("{:#?}", talk.log)
    };
    assert!(after_tokens * 2 < *before_tokens, "{before_tokens} to {after_tokens}");
    let lines = stage.last_request();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    for part in ["# AGENTS.md\nUse tabs.", SUMMARY, "[>] read all", "new.txt", "word by word\nfill the files, please"] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
    assert!(!lines[0].contains("alpha"), "{}", lines[0]);
    assert_eq!(stage.unused(), 0);
}

#[tokio::test]
async fn instructions_survive_several_summaries_word_by_word_and_once() {
    let stage = Stage::new(&format!(
        "turns: [{{say: one}}, {{say: {SUMMARY:?}}}, {{say: two}}, {{say: {SUMMARY:?}}}, {{say: three}}]"
    ))
    .file("AGENTS.md", "Use  tabs,\n\n\tnot {{spaces}}.\n");
    let mut talk = stage.with_person(Mode::Ask).await;
    for words in ["first", "second"] {
        talk.say(words).await;
        talk.send(Op::Compact).await;
        talk.until(|event| matches!(event, Event::Compacted { .. })).await;
    }
    talk.say("third").await;
    let lines = stage.last_request();
    assert_eq!(lines[0].matches("Use  tabs,\n\n\tnot {{spaces}}.").count(), 1, "{}", lines[0]);
    assert!(lines[0].ends_with("word by word\nsecond\n\nthird"), "{}", lines[0]);
    assert_eq!(lines.len(), 1, "no two messages of the user in a row: {lines:#?}");
}

#[tokio::test]
async fn words_added_on_the_way_are_carried_over_with_the_request() {
    let stage = Stage::new(&format!(
        "turns: [{{calls: [{{name: ask_user, arguments: {{question: Which?}}}}]}}, {{say: done}}, {{say: {SUMMARY:?}}}]"
    ));
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("paint the house").await;
    let asked = talk.until(|event| matches!(event, Event::QuestionAsked { .. })).await;
    let Event::QuestionAsked { call, .. } = asked else { panic!("{asked:?}") };
    talk.send(Op::Steer { text: "not the door".to_owned() }).await;
    talk.send(Op::Answer { call, text: "blue".to_owned() }).await;
    talk.done().await;
    talk.send(Op::Compact).await;
    let compacted = talk.until(|event| matches!(event, Event::Compacted { .. })).await;
    let Event::Compacted { text, .. } = compacted else { panic!("{compacted:?}") };
    assert!(text.ends_with("paint the house\n\nnot the door"), "{text}");
}

#[tokio::test]
async fn a_summary_that_is_none_ends_the_turn_and_keeps_the_conversation() {
    for bad in ["say: no", "calls: [{name: read_file, arguments: {path: c.txt}}]", "error: {status: 500}"] {
        let n_tries = if bad.starts_with("error") { 5 } else { 1 };
        let rest = format!("  - {{{bad}}}\n").repeat(n_tries);
        let stage = stage(8000, &rest);
        let mut talk = stage.alone(Mode::Auto, &[]).await;
        let end = talk.say("fill the files").await;
        let TurnEnd::Limit { what } = end else { panic!("{bad}: {end:?}") };
        assert!(what.contains("/compact"), "{what}");
        assert_some(&talk.warnings(), "the conversation could not be summarised");
        assert!(!talk.log.iter().any(|event| matches!(event, Event::Compacted { .. })), "{bad}");
    }
}

#[tokio::test]
async fn a_server_that_says_how_small_it_is_is_believed() {
    let body = "This model's maximum context length is 8000 tokens. However, you requested 9000 tokens.";
    let rest = format!(
        "  - {{error: {{status: 400, body: {{error: {{message: \"{body}\"}}}}}}}}
  - {{when: is about to be replaced, say: {SUMMARY:?}}}
  - {{say: done}}
"
    );
    let stage = stage(32_768, &rest);
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    assert_eq!(talk.say("fill the files").await, TurnEnd::Answered, "{:#?}", talk.log);
    assert_some(&talk.warnings(), "from now on 8000 are counted on");
    let windows: Vec<u64> = talk
        .log
        .iter()
        .filter_map(|event| match event {
            Event::Usage { window_tokens, .. } => Some(*window_tokens),
            _ => None,
        })
        .collect();
    assert_eq!(windows, [32_768, 32_768, 8000, 8000]);
    assert!(stage.requests().last().unwrap().max_tokens <= 2000, "an answer leaves room for the question");
    assert_eq!(n_summaries(&stage), 1);
}

#[tokio::test]
async fn it_never_runs_in_circles() {
    // Every answer fills the window again at once.
    let fill =
        "  - {calls: [{name: read_file, arguments: {path: a.txt}}, {name: read_file, arguments: {path: b.txt}}]}\n";
    let turn = format!("  - {{when: is about to be replaced, say: {SUMMARY:?}}}\n{fill}");
    let stage = stage(8000, &turn.repeat(20));
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    let end = talk.say("fill the files").await;
    let TurnEnd::Limit { what } = end else { panic!("{end:?}") };
    assert!(what.contains("window is full"), "{what}");
    assert_eq!(n_summaries(&stage), 1);
}

#[tokio::test]
async fn when_idle_there_may_be_nothing_to_summarise() {
    let stage = Stage::new(&format!("turns: [{{say: hello}}, {{say: {SUMMARY:?}}}, {{say: again}}]"));
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.send(Op::Compact).await;
    talk.until(|event| matches!(event, Event::Warning { text } if text.contains("nothing was answered yet"))).await;
    talk.say("hi").await;
    talk.send(Op::Compact).await;
    talk.submit("kept").await;
    talk.until(|event| matches!(event, Event::Compacted { .. })).await;
    assert_eq!(talk.done().await, TurnEnd::Answered, "words that came meanwhile start a turn");
    let lines = stage.last_request();
    assert!(lines.len() == 1 && lines[0].ends_with("\n\nkept"), "{lines:#?}");
}

#[tokio::test]
async fn a_request_longer_than_the_window_can_be_taken_back() {
    let stage = Stage::new("window_tokens: 16384\nturns: [{say: hello}, {say: fine}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.say("hi").await;
    let end = talk.say(&"several words of a very long request ".repeat(3000)).await;
    let TurnEnd::ModelFailed { hints, .. } = end else { panic!("{end:?}") };
    assert_some(&hints, "/undo");
    talk.send(Op::Undo).await;
    talk.until(|event| matches!(event, Event::Undone { .. })).await;
    assert_eq!(talk.say("short").await, TurnEnd::Answered);
}

#[tokio::test]
async fn a_server_that_refuses_every_length_is_given_up() {
    let refusal =
        "  - {error: {status: 400, body: {error: {message: the prompt is longer than the context length}}}}\n";
    let stage = stage(32_768, &refusal.repeat(20));
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    let end = talk.say("fill the files").await;
    assert!(matches!(end, TurnEnd::Limit { .. } | TurnEnd::ModelFailed { .. }), "{end:?}");
    assert!(stage.requests().len() < 10, "{}", stage.requests().len());
}

#[tokio::test]
async fn a_result_is_taken_out_of_the_window_and_stays_out() {
    let stage = Stage::new(
        "turns: [{calls: [{name: read_file, arguments: {path: a.txt}}]}, {say: read}, {say: still here}, {say: and on}]",
    )
    .file("a.txt", "alpha beta gamma\n".repeat(200));
    let mut talk = stage.with_person(Mode::Auto).await;
    talk.say("read it").await;
    let finished = talk.log.iter().find_map(|event| match event {
        Event::ToolFinished { call, .. } => Some(call.clone()),
        _ => None,
    });
    let call = finished.unwrap();
    talk.send(Op::Drop { call: call.clone() }).await;
    let dropped = talk.until(|event| matches!(event, Event::Dropped { .. })).await;
    let Event::Dropped { freed_tokens, .. } = dropped else { panic!("{dropped:?}") };
    assert!(freed_tokens > 300, "{freed_tokens}");
    for words in ["and now?", "and then?"] {
        talk.say(words).await;
        let sent = stage.last_request().join("\n");
        assert!(!sent.contains("alpha beta") && sent.contains("[left out to make room]"), "{sent}");
    }
    talk.send(Op::Drop { call }).await;
    let again = talk.until(|event| matches!(event, Event::Warning { .. })).await;
    assert!(matches!(&again, Event::Warning { text } if text.contains("not in the window any more")), "{again:?}");
}
