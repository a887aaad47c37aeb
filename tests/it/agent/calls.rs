//! What becomes of the calls of one answer?

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};

use super::{Stage, assert_some};

fn position(log: &[Event], wanted: impl Fn(&Event) -> bool) -> usize {
    log.iter().position(wanted).unwrap_or_else(|| panic!("it is not in {log:#?}"))
}

#[tokio::test]
async fn reads_run_side_by_side_and_are_reported_in_the_models_order() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: read_file, arguments: {path: a.txt}, id: a}
      - {name: read_file, arguments: {path: missing.txt}, id: b}
      - {name: search, arguments: {pattern: beta}, id: c}
  - {say: done}
",
    );
    let stage = stage.file("a.txt", "alpha\n").file("b.txt", "beta\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered);
    let last_start = talk.log.iter().rposition(|event| matches!(event, Event::ToolStarted { .. })).unwrap();
    let first_end = position(&talk.log, |event| matches!(event, Event::ToolFinished { .. }));
    assert!(last_start < first_end, "all had begun before one ended: {:#?}", talk.log);
    let ends: Vec<String> = talk
        .log
        .iter()
        .filter_map(|event| match event {
            Event::ToolFinished { call, .. } => Some(call.0.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(ends, ["a", "b", "c"]);
    let lines = stage.last_request();
    assert!(
        lines[2].contains("alpha") && lines[3].contains("does not exist") && lines[4].contains("beta"),
        "{lines:#?}"
    );
}

#[tokio::test]
async fn changes_wait_for_what_was_called_before_them() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: read_file, arguments: {path: a.txt}, id: a}
      - {name: edit_file, arguments: {path: a.txt, old_string: one, new_string: two}, id: b}
      - {name: edit_file, arguments: {path: a.txt, old_string: two, new_string: three}, id: c}
      - {name: read_file, arguments: {path: a.txt}, id: d}
  - {say: done}
",
    );
    let stage = stage.file("a.txt", "one\n");
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    talk.say("change it twice").await;
    assert_eq!(stage.read("a.txt"), "three\n");
    let steps: Vec<String> = talk
        .log
        .iter()
        .filter_map(|event| match event {
            Event::ToolStarted { call, .. } => Some(format!("start {call}")),
            Event::ToolFinished { call, .. } => Some(format!("end {call}")),
            _ => None,
        })
        .collect();
    assert_eq!(steps, ["start a", "end a", "start b", "end b", "start c", "end c", "start d", "end d"]);
    assert!(stage.last_request()[5].contains("three"), "{:#?}", stage.last_request());
}

#[tokio::test]
async fn bad_calls_are_told_to_the_model_and_the_rest_runs() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: fly, arguments: {to: moon}}
      - {name: read_file, arguments: '{\"path\": \"a.t'}
      - {name: read_file, arguments: {}}
      - {name: read_file, arguments: {path: a.txt, start_line: [red]}}
      - {name: functions.Read-File, arguments: {path: a.txt}}
      - {name: read_file, arguments: '[1]'}
  - {say: sorry}
",
    );
    let stage = stage.file("a.txt", "alpha\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered);
    let outcomes = talk.outcomes();
    for (at, part) in [
        (0, "fly failed: There is no tool `fly`, so nothing was run. The tools are: read_file"),
        (1, "Received: {\"path\": \"a.t\nIt takes: path (string)"),
        (2, "`read_file` was not run, because of wrong arguments: missing field `path`. It takes: path (string)"),
        (3, "`start_line`"),
        (4, "ok: a.txt, lines 1-1 of 1"),
        (5, "its arguments are not one JSON object: it is another kind of value"),
    ] {
        assert!(outcomes[at].contains(part), "{part}: {outcomes:#?}");
    }
    assert_eq!(stage.last_request().len(), 2 + 6, "one outcome a call");
}

#[tokio::test]
async fn calls_of_one_id_are_told_apart() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: read_file, arguments: {path: a.txt}, id: same}
      - {name: read_file, arguments: {path: b.txt}, id: same}
  - calls: [{name: read_file, arguments: {path: b.txt}, id: same}]
  - {say: done}
",
    );
    let stage = stage.file("a.txt", "alpha\n").file("b.txt", "beta\n");
    assert_eq!(stage.alone(Mode::Ask, &[]).await.say("look").await, TurnEnd::Answered);
    let lines = stage.last_request();
    assert!(lines[2].contains("alpha") && lines[3].contains("beta") && lines[5].contains("beta"), "{lines:#?}");
}

#[tokio::test]
async fn a_small_model_reaches_the_other_tools_through_the_door() {
    let stage = Stage::new(
        "
model: qwen2.5-coder:1.5b
turns:
  - calls: [{name: more_tools, arguments: {}}]
  - expect: ['list_files', 'update_plan']
    calls:
      - {name: more_tools, arguments: {tool: list_files, arguments: {path: '.'}}}
      - {name: more_tools, arguments: {tool: update_plan, arguments: {steps: [{step: look, status: done}]}}}
      - {name: more_tools, arguments: {tool: list_files, path: src}}
      - {name: more_tools, arguments: {tool: more_tools}}
      - {name: git, arguments: {action: commit, message: sneaky}}
  - {say: done}
",
    );
    let stage = stage.file("src/a.rs", "");
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered);
    let names: Vec<String> = stage.requests()[0].tools.iter().map(|tool| tool.name.clone()).collect();
    // The smallest write whole files: they do not copy a place exactly.
    assert_eq!(names, ["read_file", "write_file", "shell", "search", "more_tools"]);
    let outcomes = talk.outcomes();
    assert!(outcomes[1].starts_with("more_tools ok: ") && outcomes[1].contains("src/"), "{outcomes:#?}");
    assert!(outcomes[3].contains("a.rs"), "{outcomes:#?}");
    assert!(outcomes[4].contains("There is no tool `more_tools`"), "{outcomes:#?}");
    assert!(outcomes[5].starts_with("git denied: "), "the policy sees through the door: {outcomes:#?}");
    assert!(talk.log.iter().any(|event| matches!(event, Event::PlanUpdated { .. })));
    let started: Vec<&str> = talk
        .log
        .iter()
        .filter_map(|event| match event {
            Event::ToolStarted { tool, .. } => Some(tool.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(started, ["more_tools", "list_files", "update_plan", "list_files"]);
}

#[tokio::test]
async fn code_is_found_by_meaning_and_mapped_in_a_project_nobody_indexed() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: search_code, arguments: {query: remove entries that have expired}}
      - {name: repo_map, arguments: {focus: [src]}}
      - {name: codebase_search, arguments: {query: 'symbol:evict_expired'}}
  - {say: done}
",
    );
    stage.write(
        "src/cache.py",
        "def evict_expired(entries, now):\n    return [e for e in entries if e.deadline > now]\n",
    );
    let mut talk = stage.alone(Mode::Plan, &[]).await;
    assert_eq!(talk.say("where is it?").await, TurnEnd::Answered);
    let outcomes = talk.outcomes();
    assert!(outcomes[0].starts_with("search_code ok: src/cache.py:1-2  evict_expired"), "{outcomes:#?}");
    assert!(outcomes[1].contains("def evict_expired(entries, now)"), "{outcomes:#?}");
    assert!(outcomes[2].contains("src/cache.py:1-2"), "{outcomes:#?}");
}

#[tokio::test]
async fn a_question_is_answered_by_the_person_and_alone_by_nobody() {
    let script = "
turns:
  - calls: [{name: ask_user, arguments: {question: Which one?, options: [red, blue]}}]
  - {say: done}
";
    let stage = Stage::new(script);
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("paint it").await;
    let asked = talk.until(|event| matches!(event, Event::QuestionAsked { .. })).await;
    let Event::QuestionAsked { call, question } = asked else { panic!("{asked:?}") };
    assert_eq!((question.question.as_str(), question.options.len()), ("Which one?", 2));
    talk.send(Op::Answer { call, text: "blue".to_owned() }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(talk.outcomes(), ["ask_user ok: blue"]);

    let stage = Stage::new(script);
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("paint it").await, TurnEnd::Answered);
    assert_some(&talk.outcomes(), "ask_user failed: nobody is there to answer; decide yourself");
}

#[tokio::test]
async fn the_shell_and_git_are_real() {
    let stage = Stage::new(
        "
turns:
  - calls:
      - {name: shell, arguments: {command: 'echo $((6*7)); exit 3'}}
      - {name: git, arguments: {action: log}}
      - {name: git, arguments: {action: diff}}
  - {say: done}
",
    );
    let stage = stage.file("a.txt", "one\n");
    stage.git(&stage.work, &["init", "--quiet"]);
    stage.git(&stage.work, &["add", "a.txt"]);
    stage.git(&stage.work, &["commit", "--quiet", "-m", "first light"]);
    stage.write("a.txt", "two\n");
    let mut talk = stage.alone(Mode::Ask, &["shell:echo $((6*7)); exit 3"]).await;
    talk.say("look").await;
    let outcomes = talk.outcomes();
    assert_eq!(outcomes[0], "shell ok: 42\nexit code 3");
    assert!(outcomes[1].contains("first light"), "{outcomes:#?}");
    assert!(outcomes[2].contains("+two"), "{outcomes:#?}");
}

#[tokio::test]
async fn output_is_shown_while_a_command_runs_and_the_whole_of_it_can_be_read_later() {
    let stage = Stage::new(
        "
turns:
  - calls: [{name: shell, arguments: {command: seq 1 20000}}]
  - {say: done}
",
    );
    let mut talk = stage.alone(Mode::Ask, &["shell:seq 1 20000"]).await;
    talk.say("count").await;
    assert!(talk.log.iter().any(|event| matches!(event, Event::ToolOutput { text, .. } if text.contains('1'))));
    let outcome = talk.outcomes().remove(0);
    assert!(outcome.len() < 11_000 && outcome.contains("20000"), "{} bytes", outcome.len());
    let spilled = outcome.split_whitespace().find(|word| word.contains("/out/")).unwrap_or_else(|| panic!("{outcome}"));
    let path = spilled.trim_matches(|c: char| !(c.is_alphanumeric() || "/._-".contains(c)));
    let path = path.trim_end_matches(['.', ',']);
    assert!(std::fs::read_to_string(path).unwrap().contains("\n9999\n"), "{path}");
}
