//! What does the agent decide, input by input?

use super::*;
use crate::agent::batch::Proposal;
use crate::agent::mistakes::MAX_NUDGES;
use crate::model::ToolChoice;
use crate::protocol::attached::Attached;
use crate::protocol::op::Grant;
use crate::protocol::tool::Question;

fn limits() -> Limits {
    Limits { max_steps: 10, max_tokens: 0, max_seconds: 0, max_same_failures: 3, all_steps: 0, all_tokens: 0 }
}

fn machine() -> Machine {
    Machine::new(limits(), None, 0)
}

/// Renders effects in a word or two each, so that a test reads as a list of what happens.
fn words(effects: &[Effect]) -> Vec<String> {
    let word = |effect: &Effect| match effect {
        Effect::Emit(event) => event_word(event),
        Effect::RunOwn(call) => format!("run own {}", call.id),
        Effect::Unsay => "unsay".to_owned(),
        Effect::CallModel(ToolChoice::Auto) => "call model".to_owned(),
        Effect::CallModel(ToolChoice::Required) => "call model, forced".to_owned(),
        Effect::CallModel(ToolChoice::Text) => "call model, calls as text".to_owned(),
        Effect::StopModel => "stop model".to_owned(),
        Effect::Judge(call) => format!("judge {}", call.id),
        Effect::Run(call) => format!("run {call}"),
        Effect::CancelCalls => "cancel calls".to_owned(),
        Effect::Grant(call) => format!("grant {call}"),
        Effect::Agree(call) => format!("agree {call}"),
        Effect::Review(call, answers) => format!("review {call} {}", answers.len()),
        Effect::Compact => "compact".to_owned(),
        Effect::Undo => "undo".to_owned(),
        Effect::Redo => "redo".to_owned(),
        Effect::SetMode(mode) => format!("mode {}", mode.name()),
        Effect::SetModel(model) => format!("model {model}"),
        Effect::StopCall(call) => format!("stop {call}"),
        Effect::Drop(call) => format!("drop {call}"),
        Effect::StartClock | Effect::StopClock | Effect::LookAround => String::new(),
    };
    effects.iter().map(word).filter(|word| !word.is_empty()).collect()
}

fn event_word(event: &Event) -> String {
    match event {
        Event::TurnStarted { turn } => format!("turn {turn}"),
        Event::UserMessage { author, text } => format!("{author:?}: {}", text.lines().next().unwrap_or_default()),
        Event::AssistantMessage { text, .. } => format!("said {text}"),
        Event::ToolStarted { call, .. } => format!("started {call}"),
        Event::ToolFinished { call, outcome, .. } => format!("{call} {}", outcome_word(outcome)),
        Event::ApprovalAsked { call, .. } => format!("ask {call}"),
        Event::QuestionAsked { call, .. } => format!("question {call}"),
        Event::Approved { call, .. } => format!("approved {call}"),
        Event::TurnDone { end, .. } => format!("done {}", end_word(end)),
        Event::Attached { attached } => format!("attached {}", attached.len()),
        Event::Queued { text } => format!("queued {text}"),
        Event::Warning { text } => format!("warning {text}"),
        Event::Compacted { .. } => "compacted".to_owned(),
        Event::PlanUpdated { .. } => "plan".to_owned(),
        _ => String::new(),
    }
}

fn outcome_word(outcome: &ToolOutcome) -> &'static str {
    match outcome {
        ToolOutcome::Ok { .. } => "ok",
        ToolOutcome::Failed { .. } => "failed",
        ToolOutcome::Denied { .. } => "denied",
        ToolOutcome::Cancelled => "cancelled",
        ToolOutcome::TimedOut { .. } => "timed out",
    }
}

fn end_word(end: &TurnEnd) -> &'static str {
    match end {
        TurnEnd::Answered => "answered",
        TurnEnd::Interrupted => "interrupted",
        TurnEnd::Limit { .. } => "limit",
        TurnEnd::Stuck { .. } => "stuck",
        TurnEnd::ModelFailed { .. } => "failed",
    }
}

fn submit(machine: &mut Machine, text: &str) -> Vec<String> {
    words(&machine.step(Input::Op(Op::Submit { text: text.to_owned() })))
}

fn op(machine: &mut Machine, op: Op) -> Vec<String> {
    words(&machine.step(Input::Op(op)))
}

fn id(name: &str) -> CallId {
    CallId(name.to_owned())
}

fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall { id: id(name), name: "shell".to_owned(), arguments: arguments.to_owned() }
}

fn answers(machine: &mut Machine, text: &str, calls: &[&str]) -> Vec<String> {
    let tool_calls = calls.iter().map(|name| call(name, "{}")).collect();
    let answer = Answer { text: text.to_owned(), tool_calls, ..Answer::default() };
    words(&machine.step(Input::Answered(Box::new(answer))))
}

fn proposal(is_parallel_safe: bool) -> Proposal {
    Proposal {
        tool: "shell".to_owned(),
        target: "x".to_owned(),
        actions: Vec::new(),
        previews: Vec::new(),
        is_parallel_safe,
        always: None,
    }
}

fn judged(machine: &mut Machine, name: &str, verdict: Verdict) -> Vec<String> {
    words(&machine.step(Input::Judged { call: id(name), verdict }))
}

fn may_run(machine: &mut Machine, name: &str) -> Vec<String> {
    judged(machine, name, Verdict::Run(proposal(false)))
}

fn may_read(machine: &mut Machine, name: &str) -> Vec<String> {
    judged(machine, name, Verdict::Run(proposal(true)))
}

fn must_ask(machine: &mut Machine, name: &str) -> Vec<String> {
    judged(machine, name, Verdict::Ask { proposal: proposal(false), why: "it runs".to_owned() })
}

fn finished(machine: &mut Machine, name: &str, report: ToolReport) -> Vec<String> {
    words(&machine.step(Input::Finished { call: id(name), report: Box::new(report), duration_ms: 1 }))
}

fn ok() -> ToolReport {
    ToolReport::ok("fine", "fine")
}

#[test]
fn a_question_is_answered_in_one_step() {
    let mut machine = machine();
    assert_eq!(submit(&mut machine, "hi"), ["turn 1", "User: hi", "call model"]);
    assert_eq!(answers(&mut machine, "hello", &[]), ["said hello", "done answered"]);
    assert!(machine.is_idle());
}

#[test]
fn the_project_is_introduced_once_before_the_first_words() {
    let mut machine = Machine::new(limits(), Some("# Project".to_owned()), 0);
    assert_eq!(submit(&mut machine, "hi"), ["turn 1", "Project: # Project", "User: hi", "call model"]);
    answers(&mut machine, "hello", &[]);
    assert_eq!(submit(&mut machine, "again"), ["turn 2", "User: again", "call model"]);
}

#[test]
fn calls_that_change_something_run_one_after_the_other() {
    let mut machine = machine();
    submit(&mut machine, "go");
    assert_eq!(answers(&mut machine, "", &["a", "b"]), ["said ", "judge a"]);
    assert_eq!(may_run(&mut machine, "a"), ["started a", "run a"]);
    assert_eq!(finished(&mut machine, "a", ok()), ["a ok", "judge b"]);
    assert_eq!(may_run(&mut machine, "b"), ["started b", "run b"]);
    assert_eq!(finished(&mut machine, "b", ok()), ["b ok", "call model"]);
}

#[test]
fn reads_run_together_and_report_in_the_models_order() {
    let mut machine = machine();
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a", "b", "c"]);
    assert_eq!(may_read(&mut machine, "a"), ["started a", "run a", "judge b"]);
    assert_eq!(may_read(&mut machine, "b"), ["started b", "run b", "judge c"]);
    assert_eq!(may_run(&mut machine, "c"), Vec::<String>::new(), "a change waits for the reads before it");
    assert_eq!(finished(&mut machine, "b", ok()), ["judge c"], "b is done but a comes first");
    assert_eq!(finished(&mut machine, "a", ok()), ["a ok", "b ok", "judge c"]);
    assert_eq!(may_run(&mut machine, "c"), ["started c", "run c"]);
}

#[test]
fn a_call_waits_for_approval_and_runs_after_it() {
    let mut machine = machine();
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a"]);
    assert_eq!(must_ask(&mut machine, "a"), ["ask a"]);
    let yes = Op::Approve { call: id("a"), grant: Grant::Session };
    assert_eq!(op(&mut machine, yes.clone()), ["approved a", "grant a", "started a", "run a"]);
    assert_eq!(op(&mut machine, yes), Vec::<String>::new(), "a second yes does not run it twice");
}

#[test]
fn a_denied_call_tells_the_model_why() {
    let mut machine = machine();
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a"]);
    must_ask(&mut machine, "a");
    let no = Op::Deny { call: id("a"), reason: Some("use make".to_owned()) };
    assert_eq!(op(&mut machine, no), ["a denied", "call model"]);
}

#[test]
fn a_question_of_the_model_takes_the_answer_as_its_outcome() {
    let mut machine = machine();
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a"]);
    let question = Question { question: "which?".to_owned(), options: Vec::new() };
    assert_eq!(judged(&mut machine, "a", Verdict::Question(question)), ["question a"]);
    assert_eq!(op(&mut machine, Op::Answer { call: id("a"), text: "both".to_owned() }), ["a ok", "call model"]);
}

#[test]
fn an_interrupt_ends_the_stream_at_once() {
    let mut machine = machine();
    submit(&mut machine, "go");
    assert_eq!(op(&mut machine, Op::Interrupt), ["stop model", "done interrupted"]);
    assert_eq!(answers(&mut machine, "too late", &[]), Vec::<String>::new());
    assert_eq!(submit(&mut machine, "next"), ["turn 2", "User: next", "call model"]);
}

#[test]
fn an_interrupt_gives_every_call_exactly_one_outcome() {
    let mut machine = machine();
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a", "b"]);
    may_run(&mut machine, "a");
    assert_eq!(op(&mut machine, Op::Interrupt), ["cancel calls"]);
    let cancelled = ToolReport::of(ToolOutcome::Cancelled, "interrupted");
    assert_eq!(finished(&mut machine, "a", cancelled), ["a cancelled", "b cancelled", "done interrupted"]);
}

#[test]
fn steering_is_delivered_after_the_running_tools_and_queued_words_after_the_turn() {
    let mut machine = machine();
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a"]);
    may_run(&mut machine, "a");
    assert_eq!(op(&mut machine, Op::Queue { text: "then that".to_owned() }), ["queued then that"]);
    assert_eq!(op(&mut machine, Op::Steer { text: "not so fast".to_owned() }), ["queued not so fast"]);
    assert_eq!(finished(&mut machine, "a", ok()), ["a ok", "User: not so fast", "call model"]);
    let after = answers(&mut machine, "done", &[]);
    assert_eq!(after, ["said done", "done answered", "turn 2", "User: then that", "call model"]);
}

fn attached(label: &str) -> Op {
    let one = Attached { label: label.to_owned(), text: label.to_owned(), image: None };
    Op::Attach { attached: vec![one] }
}

#[test]
fn what_is_attached_goes_with_the_next_words_whenever_they_are_said() {
    let mut machine = machine();
    assert!(op(&mut machine, attached("a.rs")).is_empty());
    assert_eq!(submit(&mut machine, "go"), ["turn 1", "attached 1", "User: go", "call model"]);
    op(&mut machine, attached("later"));
    assert_eq!(op(&mut machine, Op::Queue { text: "later".to_owned() }), ["queued later"]);
    op(&mut machine, attached("now"));
    op(&mut machine, Op::Steer { text: "now".to_owned() });
    assert_eq!(answers(&mut machine, "hm", &[]), ["said hm", "attached 1", "User: now", "call model"]);
    let after = answers(&mut machine, "done", &[]);
    assert_eq!(after[2..], ["turn 2", "attached 1", "User: later", "call model"], "{after:?}");
}

#[test]
fn a_command_of_the_users_own_runs_beside_a_turn_and_what_it_printed_waits_for_words() {
    let mut machine = machine();
    submit(&mut machine, "go");
    assert_eq!(op(&mut machine, Op::Run { command: "make".to_owned() }), ["run own user-1-1"]);
    assert_eq!(answers(&mut machine, "done", &[])[1], "done answered");
    assert!(machine.is_idle() && !machine.is_at_rest());
    assert_eq!(op(&mut machine, Op::Interrupt), ["cancel calls"]);
    assert_eq!(finished(&mut machine, "user-1-1", ok()), ["user-1-1 ok"]);
    assert!(machine.is_at_rest());
    assert_eq!(submit(&mut machine, "and?"), ["turn 2", "attached 1", "User: and?", "call model"]);
}

#[test]
fn the_same_failing_call_ends_the_turn_the_third_time() {
    let mut machine = machine();
    submit(&mut machine, "go");
    for round in 1..=3 {
        answers(&mut machine, "", &["a"]);
        may_run(&mut machine, "a");
        let last = finished(&mut machine, "a", ToolReport::failed("no such file"));
        let expected = if round < 3 { "call model" } else { "done stuck" };
        assert_eq!(last.last().map(String::as_str), Some(expected), "round {round}");
    }
}

#[test]
fn limits_end_the_turn_between_steps() {
    let mut machine = Machine::new(Limits { max_steps: 1, ..limits() }, None, 0);
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a"]);
    may_run(&mut machine, "a");
    assert_eq!(finished(&mut machine, "a", ok()), ["a ok", "done limit"]);
    submit(&mut machine, "go");
    assert_eq!(words(&machine.step(Input::TimeUp)), ["stop model", "done limit"]);
}

#[test]
fn broken_arguments_are_told_to_the_model_and_kept_out_of_history() {
    let mut machine = machine();
    submit(&mut machine, "go");
    let answer = Answer { tool_calls: vec![call("a", "{\"command\": \"ls")], ..Answer::default() };
    let effects = machine.step(Input::Answered(Box::new(answer)));
    assert_eq!(words(&effects), ["said ", "judge a"]);
    let judged = effects.iter().find_map(|effect| match effect {
        Effect::Judge(call) => Some(call.arguments.clone()),
        _ => None,
    });
    assert_eq!(judged.as_deref(), Some("{\"command\": \"ls"), "what was received is judged");
    let kept = effects.iter().find_map(|effect| match effect {
        Effect::Emit(Event::AssistantMessage { tool_calls, .. }) => Some(tool_calls[0].arguments.clone()),
        _ => None,
    });
    assert_eq!(kept.as_deref(), Some("{}"));
}

/// Plays an answer of which nothing arrived although it cost this many tokens.
fn nothing(machine: &mut Machine, output_tokens: u64) -> Vec<String> {
    let usage = Usage { output_tokens, ..Usage::default() };
    words(&machine.step(Input::Answered(Box::new(Answer { usage, ..Answer::default() }))))
}

fn malformed(machine: &mut Machine, name: &str) -> Vec<String> {
    let report = Box::new(ToolReport::failed("no such tool"));
    judged(machine, name, Verdict::Refuse { proposal: None, report, why: Refusal::Malformed })
}

#[test]
fn an_empty_answer_is_asked_for_once_more() {
    let mut machine = machine();
    submit(&mut machine, "go");
    assert!(answers(&mut machine, " ", &[])[0].starts_with("Mimi: Your answer was empty"));
    answers(&mut machine, "", &["a"]);
    may_run(&mut machine, "a");
    finished(&mut machine, "a", ok());
    assert!(answers(&mut machine, "", &[])[0].starts_with("Mimi: Your answer was empty"), "something came between");
    assert_eq!(answers(&mut machine, "", &[]).last().map(String::as_str), Some("done limit"));
}

#[test]
fn cut_answers_are_nudged_a_bounded_number_of_times() {
    let mut machine = machine();
    submit(&mut machine, "go");
    for n in 0..=MAX_NUDGES {
        let answer = Answer { text: "half".to_owned(), is_cut: true, ..Answer::default() };
        let last = words(&machine.step(Input::Answered(Box::new(answer))));
        let expected = if n < MAX_NUDGES { "call model" } else { "done limit" };
        assert_eq!(last.last().map(String::as_str), Some(expected), "{n}");
    }
}

#[test]
fn an_answer_that_cost_tokens_and_never_came_is_a_lost_call() {
    let mut machine = machine();
    submit(&mut machine, "go");
    let first = nothing(&mut machine, 50);
    assert!(first[0].starts_with("Mimi: You wrote 50 tokens, but nothing of them arrived"), "{first:?}");
    assert_eq!(first[1], "call model");
    assert_eq!(nothing(&mut machine, 50), ["call model, forced"], "it is told once");
    let third = nothing(&mut machine, 50);
    assert!(third[0].starts_with("Mimi: Your last tool call could not be read"), "{third:?}");
    assert_eq!(third[1], "call model, calls as text");
    assert_eq!(nothing(&mut machine, 50), ["done limit"]);
    submit(&mut machine, "again");
    assert!(nothing(&mut machine, 3)[0].starts_with("Mimi: Your answer was empty"), "a few tokens are no call");
}

#[test]
fn calls_in_the_wrong_form_climb_and_one_in_the_right_form_ends_it() {
    let mut machine = machine();
    submit(&mut machine, "go");
    for expected in ["call model", "call model, forced"] {
        assert_eq!(answers(&mut machine, "", &["a", "b"]), ["said ", "judge a"]);
        assert_eq!(malformed(&mut machine, "a"), ["a failed", "judge b"]);
        assert_eq!(malformed(&mut machine, "b"), ["b failed", expected]);
    }
    answers(&mut machine, "", &["a"]);
    may_run(&mut machine, "a");
    assert_eq!(finished(&mut machine, "a", ToolReport::failed("not found")), ["a failed", "call model"]);
    for _ in 0..4 {
        answers(&mut machine, "", &["a"]);
        malformed(&mut machine, "a");
    }
    assert!(machine.is_idle(), "the fourth in a row ends the turn");
}

#[test]
fn a_server_that_cannot_make_models_call_is_asked_for_plain_text_instead() {
    let mut machine = machine();
    machine.meet_server(Offer { list: "- search: pattern (string)\n".to_owned(), stays_in_prompt: false });
    submit(&mut machine, "go");
    nothing(&mut machine, 50);
    assert_eq!(nothing(&mut machine, 50), ["call model, forced"]);
    let after = machine.step(Input::ChoiceRefused);
    let Effect::Emit(Event::UserMessage { text, .. }) = &after[0] else { panic!("{after:?}") };
    assert!(text.starts_with("Your last tool call could not be read"), "{text}");
    assert!(text.contains("left out:\n\n- search: pattern (string)\n\nNow"), "{text}");
    assert_eq!(words(&after)[1], "call model, calls as text");
    // Nor does it leave them alone: then they are looked for in what it makes of them.
    assert_eq!(words(&machine.step(Input::ChoiceRefused)).last().map(String::as_str), Some("call model"));
}

fn garbled(machine: &mut Machine) -> Vec<String> {
    words(&machine.step(Input::CallsGarbled { message: "it could not read".to_owned(), hints: Vec::new() }))
}

#[test]
fn calls_that_the_server_cannot_read_come_as_text_from_then_on() {
    let mut machine = machine();
    submit(&mut machine, "go");
    let effects = garbled(&mut machine);
    assert_eq!(effects[0], "warning it could not read; from now on mimi reads its calls itself");
    assert!(effects[1].starts_with("Mimi: Your last tool call could not be read"), "{effects:?}");
    assert_eq!(effects[2..], ["call model, calls as text"]);
    answers(&mut machine, "Done.", &[]);
    assert_eq!(submit(&mut machine, "more").last().map(String::as_str), Some("call model, calls as text"));
    // A summary takes away what the model was told.
    machine.step(Input::ContextFull);
    let compaction = Compaction { text: "s".to_owned(), before_tokens: 9, after_tokens: 1 };
    let effects = words(&machine.step(Input::Compacted { result: Ok(compaction), usage: Usage::default() }));
    assert!(effects[1].starts_with("Mimi: Your last tool call could not be read"), "{effects:?}");
    assert_eq!(effects[2], "call model, calls as text");
    // Not even as text: there is nothing left to try.
    let effects = garbled(&mut machine);
    assert!(effects[0] == "done failed" && machine.is_idle(), "{effects:?}");
    // Another server is tried as if nothing had been.
    machine.meet_server(Offer { stays_in_prompt: true, ..Offer::default() });
    assert_eq!(submit(&mut machine, "again").last().map(String::as_str), Some("call model"));
    // There the model still reads of its tools, and goes on in its own way.
    assert_eq!(garbled(&mut machine)[1..], ["call model, calls as text"]);
}

#[test]
fn a_call_taken_out_of_an_example_is_not_run_and_the_model_goes_on() {
    let mut machine = machine();
    submit(&mut machine, "go");
    let quoted =
        Answer { quoted_call: Some("shell".to_owned()), text: "Like this:\n```\n".to_owned(), ..Answer::default() };
    let effects = words(&machine.step(Input::Answered(Box::new(quoted))));
    assert!(effects[1].contains("`shell` that the model showed as an example was not run"), "{effects:?}");
    assert!(effects[2].starts_with("Mimi: A call of `shell` stood in an example"), "{effects:?}");
    assert_eq!(effects[3], "call model");
}

#[test]
fn a_call_cut_off_by_the_length_limit_is_never_run_and_always_told() {
    let mut machine = machine();
    submit(&mut machine, "go");
    let cut = Answer { is_cut: true, cut_call: Some("write_file".to_owned()), ..Answer::default() };
    let effects = words(&machine.step(Input::Answered(Box::new(cut.clone()))));
    assert!(effects[0].starts_with("Mimi: Your call of `write_file` was cut off"), "{effects:?}");
    assert_eq!(effects[1], "call model");
    let effects = machine.step(Input::Answered(Box::new(Answer { tool_calls: vec![call("a", "{}")], ..cut })));
    assert_eq!(words(&effects), ["said ", "judge a"], "the whole call before it is run");
    may_run(&mut machine, "a");
    let effects = finished(&mut machine, "a", ok());
    assert_eq!(effects[0], "a ok");
    assert!(effects[1].starts_with("Mimi: Your call of `write_file` was cut off"), "{effects:?}");
}

#[test]
fn what_a_summary_costs_counts_towards_the_turn() {
    let mut machine = Machine::new(Limits { max_tokens: 1000, ..limits() }, None, 0);
    submit(&mut machine, "go");
    machine.step(Input::ContextFull);
    let done = Compaction { text: "summary".to_owned(), before_tokens: 1000, after_tokens: 100 };
    let usage = Usage { input_tokens: 1000, ..Usage::default() };
    let effects = words(&machine.step(Input::Compacted { result: Ok(done), usage }));
    assert_eq!(effects, ["compacted", "done limit"]);
}

#[test]
fn words_for_the_running_turn_are_said_together() {
    let mut machine = machine();
    submit(&mut machine, "go");
    answers(&mut machine, "", &["a"]);
    may_run(&mut machine, "a");
    for text in ["one", "two"] {
        op(&mut machine, Op::Steer { text: text.to_owned() });
    }
    let effects = machine.step(Input::Finished { call: id("a"), report: Box::new(ok()), duration_ms: 1 });
    let said = effects.iter().find_map(|effect| match effect {
        Effect::Emit(Event::UserMessage { text, .. }) => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(said, Some("one\n\ntwo"));
}

#[test]
fn a_full_window_is_summarised_and_the_turn_goes_on() {
    let mut machine = machine();
    submit(&mut machine, "go");
    assert_eq!(words(&machine.step(Input::ContextFull)), ["compact"]);
    let done = Compaction { text: "summary".to_owned(), before_tokens: 1000, after_tokens: 100 };
    assert_eq!(
        words(&machine.step(Input::Compacted { result: Ok(done), usage: Usage::default() })),
        ["compacted", "call model"]
    );
    let again = words(&machine.step(Input::ContextFull));
    assert_eq!(again, ["done limit"], "it does not summarise twice in a row");
}

#[test]
fn a_failed_request_ends_the_turn_and_leaves_the_agent_usable() {
    let mut machine = machine();
    submit(&mut machine, "go");
    let failed = Input::ModelFailed { message: "down".to_owned(), hints: Vec::new() };
    assert_eq!(words(&machine.step(failed)), ["done failed"]);
    assert_eq!(submit(&mut machine, "again"), ["turn 2", "User: again", "call model"]);
}

#[test]
fn nothing_is_taken_back_while_a_turn_runs() {
    let mut machine = machine();
    assert_eq!(op(&mut machine, Op::Undo), ["undo"]);
    submit(&mut machine, "go");
    assert_eq!(op(&mut machine, Op::Undo), ["warning interrupt the turn before taking it back"]);
}
