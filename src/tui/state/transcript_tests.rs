use super::*;
use crate::protocol::event::TurnEnd;
use crate::protocol::message::Usage;

fn record(seq: u64, event: Event) -> Record {
    Record { v: 1, seq, at_ms: 1000 * seq, event }
}

fn transcript(events: Vec<Event>) -> Transcript {
    let mut transcript = Transcript::new(VerbTable::new());
    for (seq, event) in events.into_iter().enumerate() {
        transcript.take(&record(seq as u64, event));
    }
    transcript
}

fn kinds(transcript: &Transcript) -> Vec<String> {
    let name = |item: &Item| match &item.what {
        What::Person(text) => format!("person {text}"),
        What::Words { text, is_open } => format!("words {text}{}", if *is_open { " ..." } else { "" }),
        What::Thought { text, from_ms, to_ms } => format!("thought {text} {:?}", to_ms.map(|to| to - from_ms)),
        What::Call(call) => format!("call {} {}", call.target, call.output),
        What::Plan(plan) => format!("plan {}", plan.steps.len()),
        What::Changed { files, added, removed } => format!("changed {files} +{added} -{removed}"),
        What::Note { text, .. } => format!("note {text}"),
    };
    transcript.items().iter().map(name).collect()
}

fn text(text: &str) -> Event {
    Event::TextDelta { text: text.to_owned() }
}

fn thinks(text: &str) -> Event {
    Event::ReasoningDelta { text: text.to_owned() }
}

fn said(text: &str) -> Event {
    Event::AssistantMessage { text: text.to_owned(), reasoning: String::new(), tool_calls: Vec::new() }
}

fn call_id() -> CallId {
    CallId("c1".to_owned())
}

fn proposed(target: &str) -> Event {
    Event::ToolProposed { call: call_id(), tool: "read_file".into(), target: target.into(), actions: Vec::new() }
}

fn done(end: TurnEnd) -> Event {
    Event::TurnDone { turn: 1, end, steps: 1, usage: Usage::default(), refused: 0 }
}

#[test]
fn pieces_of_an_answer_become_one_item() {
    let events = vec![
        Event::UserMessage { author: Author::User, text: "do it".to_owned() },
        thinks("hm "),
        thinks("well"),
        text("one "),
        text("two"),
        said("one two"),
        done(TurnEnd::Answered),
    ];
    assert_eq!(kinds(&transcript(events)), ["person do it", "thought hm well Some(2000)", "words one two"]);
}

#[test]
fn what_did_not_stream_is_shown_too() {
    let event = Event::AssistantMessage { text: "one".into(), reasoning: "hm".into(), tool_calls: Vec::new() };
    assert_eq!(kinds(&transcript(vec![event])), ["thought hm Some(0)", "words one"]);
}

#[test]
fn an_answer_that_breaks_off_goes_and_comes_again() {
    let events = vec![text("one tw"), Event::StreamReset, text("one two"), said("one two")];
    assert_eq!(kinds(&transcript(events)), ["note (the answer broke off; asking again)", "words one two"]);
}

#[test]
fn an_answer_of_calls_alone_leaves_no_words() {
    let events = vec![text("\n"), said("\n"), proposed("a.rs")];
    assert_eq!(kinds(&transcript(events)), ["call a.rs "]);
}

#[test]
fn a_call_keeps_the_end_of_what_it_printed() {
    let mut events = vec![proposed("make")];
    let line = format!("{}\n", "x".repeat(999));
    events.extend((0..100).map(|_| Event::ToolOutput { call: call_id(), text: line.clone() }));
    events.push(Event::ToolOutput { call: call_id(), text: "the end".to_owned() });
    let transcript = transcript(events);
    let What::Call(call) = &transcript.items()[0].what else { panic!("a call") };
    assert!(call.output.len() <= MAX_OUTPUT_BYTES && call.output.ends_with("the end"));
    assert_eq!(call.n_output_bytes, 100_007);
}

#[test]
fn why_a_turn_ended_is_said() {
    let ends = [
        (TurnEnd::Interrupted, "note ! interrupted"),
        (TurnEnd::Limit { what: "50 steps".into() }, "note ! stopped: 50 steps"),
        (
            TurnEnd::ModelFailed { message: "no answer".into(), hints: vec!["mimi doctor".into()] },
            "note error: no answer\nhint: mimi doctor",
        ),
    ];
    for (end, expected) in ends {
        assert_eq!(kinds(&transcript(vec![text("so"), done(end)])), ["words so", expected]);
    }
}
