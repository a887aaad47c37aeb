//! Does a call that the server left in the words run exactly once, and does nothing run that was only shown?

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::message::Message;
use mimi::protocol::op::Mode;

use super::{Stage, Talk, assert_some};

/// All that was streamed to the person watching.
fn streamed(talk: &Talk) -> String {
    let delta = |event: &Event| match event {
        Event::TextDelta { text } => Some(text.clone()),
        _ => None,
    };
    talk.log.iter().filter_map(delta).collect()
}

#[tokio::test]
async fn a_call_whose_opener_was_lost_runs_once_and_stands_in_the_history_as_a_call() {
    let stage = Stage::new(
        "
turns:
  - say: |
      I append a line:

      <function=shell>
      <parameter=command>
      echo once | tee -a log.txt
      </parameter>
      </function>
      </tool_call>
  - {expect: once, say: It is there.}
",
    );
    let mut talk = stage.alone(Mode::Auto, &["shell:echo once | tee -a log.txt"]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered, "{:#?}", talk.log);
    assert_eq!(stage.read("log.txt"), "once\n");
    assert_eq!(streamed(&talk), "I append a line:It is there.");
    let messages = stage.requests().last().unwrap().messages.clone();
    let Message::Assistant { text, tool_calls } = &messages[messages.len() - 2] else { panic!("{messages:#?}") };
    assert_eq!(text, "I append a line:");
    assert_eq!(tool_calls[0].name, "shell");
    assert_eq!(tool_calls[0].arguments, r#"{"command":"echo once | tee -a log.txt"}"#);
    let Message::Tool { call_id, .. } = &messages[messages.len() - 1] else { panic!("{messages:#?}") };
    assert_eq!(*call_id, tool_calls[0].id);
}

#[tokio::test]
async fn ids_of_recovered_calls_never_repeat() {
    let turn = "  - {say: \"<tool_call>\\n{\\\"name\\\": \\\"read_file\\\", \\\"arguments\\\": {\\\"path\\\": \\\"a\\\"}}\\n</tool_call>\"}\n";
    let stage = Stage::new(&format!("turns:\n{}  - {{say: done}}\n", turn.repeat(3))).file("a", "x\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    let requests = stage.requests();
    let ids: std::collections::BTreeSet<String> = requests
        .last()
        .unwrap()
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Tool { call_id, .. } => Some(call_id.0.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ids.len(), 3, "{ids:?}");
}

#[tokio::test]
async fn a_call_that_broke_off_is_not_run_and_the_model_is_told() {
    for finish in ["length", "stop"] {
        let stage = Stage::new(&format!(
            "
turns:
  - say: |-
      Writing.

      <tool_call>
      <function=write_file>
      <parameter=path>
      half.txt
      </parameter>
      <parameter=content>
      the first half
    finish: {finish}
  - {{expect: \"call of `write_file` was cut off\", say: I split it.}}
"
        ));
        let mut talk = stage.alone(Mode::Auto, &[]).await;
        assert_eq!(talk.say("go").await, TurnEnd::Answered, "{:#?}", talk.log);
        assert!(!stage.has("half.txt"), "{finish}");
        assert_eq!(streamed(&talk), "Writing.I split it.", "{finish}");
    }
}

#[tokio::test]
async fn a_whole_looking_call_at_the_length_limit_is_not_run() {
    let stage = Stage::new(
        "
turns:
  - {say: \"{\\\"name\\\": \\\"write_file\\\", \\\"arguments\\\": {\\\"path\\\": \\\"x\\\", \\\"content\\\": \\\"y\\\"}}\", finish: length}
  - {expect: \"was cut off\", say: again}
",
    );
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    assert!(!stage.has("x"));
}

#[tokio::test]
async fn markup_that_is_shown_stays_words_and_nothing_runs() {
    let said = "You write:\n\n```xml\n<tool_call>\n<function=shell>\n<parameter=command>\ntouch ran\n</parameter>\n</function>\n</tool_call>\n```\n\nor `<function=shell>` alone.";
    let stage = Stage::new(&format!("turns:\n  - {{say: {}}}\n", serde_json::to_string(said).unwrap()));
    let mut talk = stage.alone(Mode::Auto, &["shell:touch *"]).await;
    assert_eq!(talk.say("how do calls look?").await, TurnEnd::Answered);
    assert_eq!(streamed(&talk), said);
    assert!(!stage.has("ran"));
    assert!(!talk.log.iter().any(|event| matches!(event, Event::ToolStarted { .. })));
}

#[tokio::test]
async fn a_call_the_server_reported_too_runs_once() {
    let stage = Stage::new(
        "
turns:
  - say: \"<tool_call>\\n{\\\"name\\\": \\\"shell\\\", \\\"arguments\\\": {\\\"command\\\": \\\"echo one >> n.txt\\\"}}\\n</tool_call>\"
    calls: [{name: shell, arguments: {command: echo one >> n.txt}}]
  - {say: done}
",
    );
    let mut talk = stage.alone(Mode::Auto, &["shell:echo one >> n.txt"]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    assert_eq!(stage.read("n.txt"), "one\n");
    assert_eq!(streamed(&talk), "done");
}

#[tokio::test]
async fn arguments_of_the_server_are_repaired_and_good_ones_kept_byte_for_byte() {
    let good = "{ \\\"path\\\" :  \\\"a.txt\\\" }";
    let stage = Stage::new(&format!(
        "
turns:
  - calls:
      - {{name: Read-File, arguments: \"{{'path': 'a.txt', 'start_line': '1',}}\"}}
      - {{name: read_file, arguments: \"{good}\"}}
  - {{expect: alpha, say: done}}
"
    ));
    let stage = stage.file("a.txt", "alpha\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    assert!(talk.outcomes().iter().all(|outcome| outcome.starts_with("read_file ok")), "{:#?}", talk.outcomes());
    let lines = stage.last_request();
    assert_some(&lines, r#"[read_file {"path":"a.txt","start_line":1}] [read_file { "path" :  "a.txt" }]"#);
}

#[tokio::test]
async fn an_answer_asked_for_again_leaves_nothing_of_the_first_behind() {
    let stage = Stage::new(
        "
turns:
  - {say: \"<tool_call>\\n{\\\"name\\\": \\\"shell\\\", \\\"arguments\\\": {\\\"command\\\": \\\"touch first\\\"}}\", drop_after: 9}
  - {say: the second}
",
    );
    let mut talk = stage.alone(Mode::Auto, &["shell:touch *"]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    assert!(!stage.has("first"));
    assert_eq!(streamed(&talk), "the second");
}
