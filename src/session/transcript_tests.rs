//! Which conversation do given events add up to?

use proptest::prelude::*;

use super::*;
use crate::protocol::message::Image;
use crate::protocol::tree::TreeChange;

fn call(id: &str) -> ToolCall {
    ToolCall { id: CallId(id.into()), name: "shell".into(), arguments: "{}".into() }
}

fn says(text: &str, calls: &[&str]) -> Event {
    let tool_calls = calls.iter().map(|id| call(id)).collect();
    Event::AssistantMessage { text: text.into(), reasoning: String::new(), tool_calls }
}

fn hears(author: Author, text: &str) -> Event {
    Event::UserMessage { author, text: text.into() }
}

fn user(text: &str) -> Event {
    hears(Author::User, text)
}

fn finished(id: &str, text: &str) -> Event {
    Event::ToolFinished {
        call: CallId(id.into()),
        tool: "shell".into(),
        outcome: ToolOutcome::Ok { text: text.into() },
        summary: String::new(),
        diffs: vec![FileDiff { path: format!("{text}.rs"), added: 1, ..FileDiff::default() }],
        seen: Vec::new(),
        duration_ms: 1,
    }
}

fn start(turn: u32) -> Event {
    Event::TurnStarted { turn }
}

fn done(turn: u32, end: TurnEnd) -> Event {
    Event::TurnDone { turn, end, steps: 1, usage: Usage::default(), refused: 0 }
}

fn delta(text: &str) -> Event {
    Event::TextDelta { text: text.into() }
}

fn undone(turn: u32) -> Event {
    let conflicts = vec!["kept.rs: it changed since".into()];
    Event::Undone { turn, restored: Vec::new(), conflicts, checkpoint: None }
}

fn redone(turn: u32) -> Event {
    Event::Redone { turn, restored: Vec::new(), conflicts: Vec::new(), checkpoint: None }
}

/// Something the person attached, with an image.
fn attached(text: &str) -> Event {
    let image = Image { media_type: "image/png".into(), data: text.into(), width: 1, height: 1 };
    let attached = vec![Attached { label: text.into(), text: text.into(), image: Some(image) }];
    Event::Attached { attached }
}

#[test]
fn what_is_attached_stands_before_the_words_in_one_message_and_goes_with_their_turn() {
    let events = [start(1), attached("a.png"), user("what is it?"), says("a dot", &[]), done(1, TurnEnd::Answered)];
    let held = fold(&events);
    let Message::User { text, images } = &held.messages[0] else { panic!("{:?}", held.messages) };
    assert_eq!((text.as_str(), images.len()), ("a.png\n\nwhat is it?", 1));
    assert_eq!(held.title.as_deref(), Some("what is it?"));
    let again = [&events[..], &[compacted(), start(2), attached("b.png"), user("and it?"), undone(2)]].concat();
    let held = fold(&again);
    assert!(matches!(&held.messages[0], Message::User { images, .. } if images.is_empty()), "{:?}", held.messages);
}

fn compacted() -> Event {
    Event::Compacted { text: "summary".into(), before_tokens: 9, after_tokens: 1 }
}

fn fold(events: &[Event]) -> Transcript {
    let mut transcript = Transcript::default();
    for (at, event) in events.iter().enumerate() {
        transcript.apply(&Record { v: 1, seq: at as u64 + 1, at_ms: at as u64, event: event.clone() });
    }
    transcript
}

/// The conversation in short: `u:` user, `a:` assistant with its calls, `t:` outcome.
fn short(transcript: &Transcript) -> Vec<String> {
    let render = |message: &Message| match message {
        Message::System { text } => format!("s:{text}"),
        Message::User { text, .. } => format!("u:{text}"),
        Message::Assistant { text, tool_calls } => {
            let calls: Vec<&str> = tool_calls.iter().map(|call| call.id.0.as_str()).collect();
            format!("a:{text}[{}]", calls.join(","))
        }
        Message::Tool { call_id, text, .. } if text == ToolOutcome::Cancelled.text() => format!("t:{call_id}=-"),
        Message::Tool { call_id, text, .. } => format!("t:{call_id}={text}"),
    };
    transcript.messages.iter().map(render).collect()
}

#[test]
fn events_become_the_conversation_the_model_must_see() {
    let table: &[(&str, &[Event], &[&str])] = &[
        (
            "facts join the words that follow them, and only those",
            &[hears(Author::Project, "facts"), user("hi"), user("more"), hears(Author::Mimi, "note"), user("x")],
            &["u:facts\n\nhi", "u:more", "u:note", "u:x"],
        ),
        (
            "a note between keeps facts and words apart",
            &[hears(Author::Project, "facts"), hears(Author::Mimi, "note"), user("hi")],
            &["u:facts", "u:note", "u:hi"],
        ),
        (
            "outcomes stand in the order of the calls",
            &[user("go"), says("", &["a", "b"]), finished("b", "2"), finished("a", "1"), says("done", &[])],
            &["u:go", "a:[a,b]", "t:a=1", "t:b=2", "a:done[]"],
        ),
        (
            "a missing outcome is a cancelled one",
            &[user("go"), says("x", &["a", "b"]), finished("a", "1"), user("again")],
            &["u:go", "a:x[a,b]", "t:a=1", "t:b=-", "u:again"],
        ),
        (
            "the first outcome counts, and one without a call is nobody's",
            &[says("", &["a"]), finished("a", "1"), finished("a", "2"), finished("z", "3")],
            &["a:[a]", "t:a=1"],
        ),
        (
            "ids that come again belong to the latest answer",
            &[says("", &["0"]), finished("0", "1"), says("", &["0", "0"]), finished("0", "2"), finished("0", "3")],
            &["a:[0]", "t:0=1", "a:[0,0]", "t:0=2", "t:0=3"],
        ),
        ("an empty answer is none", &[user("go"), says(" \n", &[]), user("hm")], &["u:go", "u:hm"]),
        (
            "what an interrupted answer showed stays said",
            &[start(1), user("go"), delta("I w"), delta("ill"), done(1, TurnEnd::Interrupted)],
            &["u:go", "a:I will[]"],
        ),
        (
            "an answer sent again replaces what was streamed",
            &[start(1), delta("old"), Event::StreamReset, done(1, TurnEnd::Interrupted)],
            &[],
        ),
        (
            "a finished answer is not repeated by an interruption",
            &[start(1), delta("hi"), says("hi", &["a"]), done(1, TurnEnd::Interrupted)],
            &["a:hi[a]", "t:a=-"],
        ),
        (
            "a summary replaces everything",
            &[user("go"), says("x", &["a"]), compacted(), finished("a", "1")],
            &["u:summary"],
        ),
    ];
    for (name, events, expected) in table {
        assert_eq!(short(&fold(events)), *expected, "{name}");
    }
}

#[test]
fn taking_a_turn_back_returns_to_the_state_before_it() {
    let first = [start(1), hears(Author::Project, "facts"), user("one"), says("ok", &[]), done(1, TurnEnd::Answered)];
    let plan = Event::PlanUpdated { plan: Plan::default() };
    let second =
        [start(2), user("two"), plan, says("", &["a"]), finished("a", "new"), finished("a", "kept"), undone(2)];
    let before = fold(&first);
    let after = fold(&[&first[..], &second].concat());
    assert_eq!(after.messages, before.messages);
    assert_eq!((after.plan, after.last_user_text), (None, Some("one".into())));
    assert_eq!(after.files_changed, ["kept.rs"], "a file in conflict is still changed");
    assert_eq!(after.turns, 2, "numbers are not used twice");
    assert_eq!(fold(&[&first[..], &second, &[undone(1)]].concat()).messages, []);
}

#[test]
fn a_turn_begins_with_its_first_message_whichever_event_comes_first() {
    let events = [
        hears(Author::Project, "facts"),
        start(1),
        user("one"),
        done(1, TurnEnd::Answered),
        user("two"),
        start(2),
        says("x", &[]),
        undone(2),
    ];
    assert_eq!(short(&fold(&events)), ["u:facts\n\none"]);
    let joined = [start(1), hears(Author::Project, "facts"), start(2), user("one"), undone(2)];
    assert_eq!(short(&fold(&joined)), ["u:facts"], "joined words leave the facts when they go");
    let again = [&joined[..], &[user("other")]].concat();
    assert_eq!(short(&fold(&again)), ["u:facts\n\nother"]);
}

#[test]
fn after_a_summary_only_later_turns_can_be_taken_back() {
    let turn = |n| [start(n), user("go"), says("ok", &[]), done(n, TurnEnd::Answered)];
    assert!(matches!(fold(&[]).undoable(), Err(SessionError::NothingToUndo)));
    let events = [&turn(1)[..], &turn(2), &[compacted()]].concat();
    assert!(matches!(fold(&events).undoable(), Err(SessionError::Summarised { turn: 2 })));
    let events = [&events[..], &turn(3)].concat();
    assert_eq!(fold(&events).undoable().unwrap(), 3);
    let events = [&events[..], &[undone(3)]].concat();
    assert_eq!(short(&fold(&events)), ["u:summary"]);
    assert!(matches!(fold(&events).undoable(), Err(SessionError::Summarised { turn: 2 })));
    // A summary made before a turn said anything leaves that turn whole.
    let events = [&turn(1)[..], &[start(2), compacted(), user("go"), says("ok", &[])]].concat();
    assert_eq!(fold(&events).undoable().unwrap(), 2);
    assert_eq!(short(&fold(&[&events[..], &[undone(2)]].concat())), ["u:summary"]);
    // One made in its middle does not.
    let events = [&turn(1)[..], &[start(2), user("go"), compacted(), says("ok", &[])]].concat();
    assert!(matches!(fold(&events).undoable(), Err(SessionError::Summarised { turn: 2 })));
}

#[test]
fn changes_of_a_turn_are_found_and_go_with_it() {
    let change = |turn, name: &str| Event::Checkpointed {
        turn,
        path: name.into(),
        before: None,
        after: Some("h".into()),
        mode: None,
    };
    let (changed, not_kept) = (Vec::new(), Vec::new());
    let what = TreeChange { checkpoint: "c".into(), changed, n_changed: 1, n_ignored: 0, not_kept };
    let tree = Event::TreeChanged { turn: 2, call: None, change: what };
    let mut transcript = fold(&[start(1), change(1, "/a"), start(2), change(2, "/b"), tree]);
    let paths = |transcript: &Transcript, turn| {
        let path = |kept| match kept {
            Kept::File(change) => change.path,
            Kept::Tree(name) => name.into(),
        };
        transcript.kept_since(turn).into_iter().map(path).collect::<Vec<_>>()
    };
    assert_eq!(paths(&transcript, 2), [std::path::Path::new("/b"), std::path::Path::new("c")]);
    transcript.apply(&Record { v: 1, seq: 9, at_ms: 9, event: undone(2) });
    assert_eq!(paths(&transcript, 1), [std::path::Path::new("/a")]);
}

#[test]
fn the_rest_of_the_state_follows_the_latest_word() {
    let transcript = fold(&[
        Event::Queued { text: "later".into() },
        Event::Queued { text: "never".into() },
        user("first\nline two"),
        Event::ModeChanged { mode: Mode::Plan },
        Event::ModelChanged { model: "p/m".into() },
        user("now and later"),
        delta("cut"),
    ]);
    assert_eq!(transcript.title.as_deref(), Some("first"));
    assert_eq!(transcript.queued, ["never"]);
    assert_eq!((transcript.mode, transcript.model.as_deref()), (Some(Mode::Plan), Some("p/m")));
    assert_eq!(transcript.partial.as_deref(), Some("cut"));
    assert_eq!(transcript.last_at_ms, 6);
}

fn any_event() -> impl Strategy<Value = Event> {
    let id = prop_oneof![Just("a"), Just("b"), Just("c")];
    prop_oneof![
        (1_u32..6).prop_map(start),
        (1_u32..6).prop_map(|turn| done(turn, TurnEnd::Answered)),
        (1_u32..6).prop_map(|turn| done(turn, TurnEnd::Interrupted)),
        (1_u32..6).prop_map(undone),
        (1_u32..6).prop_map(redone),
        "[a-zé]{0,4}".prop_map(|text| user(&text)),
        "[a-zé]{0,4}".prop_map(|text| hears(Author::Project, &text)),
        "[a-z ]{0,3}".prop_map(|text| delta(&text)),
        ("[a-z ]{0,3}", prop::collection::vec(id.clone(), 0..4)).prop_map(|(text, ids)| says(&text, &ids)),
        (id, "[a-z]{1,3}").prop_map(|(id, text)| finished(id, &text)),
        Just(compacted()),
        Just(Event::StreamReset),
    ]
}

proptest! {
    // A failing case becomes a row above, not a file beside the sources.
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn in_any_order_of_events_every_call_has_exactly_one_outcome(events in prop::collection::vec(any_event(), 0..60)) {
        let transcript = fold(&events);
        let mut expected: std::collections::VecDeque<CallId> = Default::default();
        for message in &transcript.messages {
            if let Message::Tool { call_id, .. } = message {
                prop_assert_eq!(Some(call_id.clone()), expected.pop_front());
                continue;
            }
            prop_assert!(expected.is_empty(), "an outcome is missing before {:?}", message);
            if let Message::Assistant { text, tool_calls } = message {
                prop_assert!(!text.trim().is_empty() || !tool_calls.is_empty());
                expected.extend(tool_calls.iter().map(|call| call.id.clone()));
            }
        }
        prop_assert!(expected.is_empty());
    }

    #[test]
    fn replaying_what_was_written_gives_what_was_held(events in prop::collection::vec(any_event(), 0..40)) {
        let written: Vec<String> = events.iter().enumerate().map(|(at, event)| {
            serde_json::to_string(&Record { v: 1, seq: at as u64, at_ms: at as u64, event: event.clone() }).unwrap()
        }).collect();
        let mut replayed = Transcript::default();
        for line in &written {
            replayed.apply(&serde_json::from_str(line).unwrap());
        }
        prop_assert_eq!(replayed, fold(&events));
    }

    #[test]
    fn a_turn_taken_back_leaves_no_trace_in_the_conversation(
        before in prop::collection::vec(any_event(), 0..20),
        within in prop::collection::vec(any_event(), 0..20),
    ) {
        let is_inner = |event: &Event| {
            let is_rewind = matches!(event, Event::Undone { .. } | Event::Redone { .. });
            !is_rewind && !matches!(event, Event::TurnStarted { .. } | Event::Compacted { .. })
        };
        let before = [&before[..], &[done(5, TurnEnd::Answered)]].concat();
        let within: Vec<Event> = within.into_iter().filter(is_inner).collect();
        let turn = [&before[..], &[start(9)], &within, &[undone(9)]].concat();
        let held = fold(&before);
        // Words said between the turns belong to the turn they come before.
        let expected = match &held.early {
            Some(_) => fold(&[&before[..], &[start(9), undone(9)]].concat()),
            None => held,
        };
        prop_assert_eq!(fold(&turn).messages, expected.messages);
    }

    #[test]
    fn what_is_taken_back_and_done_again_is_as_it_was(events in prop::collection::vec(any_event(), 0..30)) {
        let events = [&events[..], &[start(9), user("do it"), done(9, TurnEnd::Answered)]].concat();
        let before = fold(&events);
        let mut turns: Vec<u32> = Vec::new();
        let mut rewound = events;
        while let Ok(turn) = fold(&rewound).undoable() {
            turns.push(turn);
            rewound.push(undone(turn));
        }
        rewound.extend(turns.iter().rev().map(|turn| redone(*turn)));
        let after = fold(&rewound);
        prop_assert_eq!(&after.messages, &before.messages);
        prop_assert_eq!(after.undoable().ok(), before.undoable().ok());
        let rest = |held: Transcript| (held.plan, held.opening, held.files_changed, held.checkpoints, held.last_user_text);
        prop_assert!(after.news.is_empty());
        prop_assert_eq!(rest(after), rest(before));
    }
}

fn kept(turn: u32, id: &str, promised: Option<&str>) -> Event {
    let (before, promised) = (Some("old".to_owned()), promised.map(str::to_owned));
    Event::FileKept { turn, call: CallId(id.into()), path: "/w/a.rs".into(), before, promised, mode: Some(0o644) }
}

#[test]
fn a_change_is_open_until_its_call_has_ended() {
    let checkpointed = Event::Checkpointed {
        turn: 1,
        path: "/w/a.rs".into(),
        before: Some("old".into()),
        after: Some("new".into()),
        mode: None,
    };
    type Row<'a> = (&'a [Event], &'a [Option<&'a str>], usize);
    let table: &[Row<'_>] = &[
        (&[start(1), kept(1, "a", Some("new"))], &[Some("new")], 0),
        // Without a promise it claims nothing, so that taking it back touches only a file that did not change.
        (&[start(1), kept(1, "a", None)], &[Some("old")], 0),
        (&[start(1), kept(1, "a", Some("new")), checkpointed], &[], 1),
        (&[start(1), kept(1, "a", Some("new")), finished("a", "x")], &[], 0),
        (&[start(1), kept(1, "a", Some("new")), finished("b", "x")], &[Some("new")], 0),
        (&[start(1), kept(1, "a", Some("new")), start(2)], &[], 0),
        (&[start(1), kept(1, "a", Some("new")), undone(1)], &[], 0),
    ];
    for (events, open, n_changes) in table {
        let transcript = fold(events);
        let after: Vec<_> = transcript.unfinished.iter().map(|open| open.change.after.as_deref()).collect();
        assert_eq!((after.as_slice(), transcript.checkpoints.len()), (*open, *n_changes), "{events:?}");
    }
}
