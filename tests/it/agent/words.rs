//! Do words that come while a turn runs reach the model when they should, and what is said of the numbers?

use mimi::protocol::event::{Author, Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};

use super::{Stage, Talk, assert_some, options};
use crate::support::wire::WireServer;
use mimi::agent::dispatch::Approvals;

#[tokio::test]
async fn steering_comes_after_the_running_tools_and_queued_words_after_the_turn() {
    let stage = Stage::new(
        "
turns:
  - calls: [{name: ask_user, arguments: {question: Which?}}]
  - {say: as you wish}
  - {say: and that}
  - {say: and more}
",
    );
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("go").await;
    let asked = talk.until(|event| matches!(event, Event::QuestionAsked { .. })).await;
    let Event::QuestionAsked { call, .. } = asked else { panic!("{asked:?}") };
    talk.send(Op::Queue { text: "then that".to_owned() }).await;
    talk.submit("and more").await;
    talk.send(Op::Steer { text: "not so fast".to_owned() }).await;
    talk.send(Op::Answer { call, text: "both".to_owned() }).await;
    for _ in 0..3 {
        assert_eq!(talk.done().await, TurnEnd::Answered);
    }
    let expected = [
        "tool: both",
        "user: not so fast",
        "model: as you wish",
        "user: then that",
        "model: and that",
        "user: and more",
    ];
    assert_eq!(stage.last_request()[2..], expected);
    assert!(talk.log.iter().any(|event| matches!(event, Event::TurnStarted { turn: 2 })));
}

#[tokio::test]
async fn the_estimate_follows_the_servers_count() {
    let turns =
        "  - {calls: [{name: read_file, arguments: {path: a.txt}}], usage: {input: 4000, output: 10, cached: 900}}\n";
    let stage = Stage::new(&format!("turns:\n{}  - {{say: done}}\n", turns.repeat(12))).file("a.txt", "x\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    let counts: Vec<(u64, u64, u64)> = talk
        .log
        .iter()
        .filter_map(|event| match event {
            Event::Usage { usage, context_tokens, window_tokens, .. } => {
                Some((usage.cached_tokens, *context_tokens, *window_tokens))
            }
            _ => None,
        })
        .collect();
    assert_eq!(counts.len(), 13);
    assert_eq!(counts[0], (900, 4010, 32_768));
    // The last answer came without counts: what stands there is estimated, by a factor learned from the others.
    assert!((3600..4800).contains(&counts[12].1), "{counts:?}");
}

#[tokio::test]
async fn a_server_that_cuts_the_prompt_is_found_out() {
    let text = "some words of a long file\n".repeat(300);
    let stage = Stage::new(
        "
turns:
  - {calls: [{name: read_file, arguments: {path: a.txt}}, {name: read_file, arguments: {path: b.txt}}], usage: {input: 2400}}
  - {calls: [{name: read_file, arguments: {path: a.txt}}], usage: {input: 2048}}
  - {say: what was the task?, usage: {input: 2048}}
",
    );
    let stage = stage.file("a.txt", &text).file("b.txt", &text);
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    talk.say("go").await;
    let told: Vec<String> = talk.warnings();
    assert_eq!(told.len(), 1, "once: {told:#?}");
    assert!(told[0].contains("the server read 2048 tokens of a prompt of about"), "{told:?}");
    assert!(
        told[0].contains("OLLAMA_CONTEXT_LENGTH=") && told[0].contains("--set model.window_tokens=2048"),
        "{told:?}"
    );
}

#[tokio::test]
async fn the_same_agent_works_over_http() {
    let server = WireServer::script(
        "
model: qwen3-coder:30b
turns:
  - {think: hm, say: I look., calls: [{name: read_file, arguments: {path: a.txt}}, {name: search, arguments: {pattern: al}}]}
  - {error: {status: 503, body: {error: busy}, retry_after_s: 0}}
  - {expect: alpha, calls: [{name: edit_file, arguments: {path: a.txt, old_string: alpha, new_string: omega}}]}
  - {say: done, usage: {input: 3000, output: 5}}
",
    );
    let stage = Stage::new("turns: []").file("a.txt", "alpha\n").set("server.url", &server.url());
    let mut app = stage.app();
    let env = mimi::config::env::Env::from_pairs([("HOME", stage.home.display().to_string())]);
    let plain = mimi::app::App::new(
        app.config.clone(),
        &env,
        app.dirs.clone(),
        &stage.work,
        mimi::exec::sandbox::probe::Choice::unconfined(),
    )
    .unwrap();
    app.gateway = plain.gateway.clone();
    let mut talk = Talk::new(app.start(options(Mode::Auto, Approvals::Nobody)).await.unwrap());
    assert_eq!(talk.session.route.model, "qwen3-coder:30b");
    assert_eq!(talk.say("change it").await, TurnEnd::Answered, "{:#?}", talk.log);
    assert_eq!(stage.read("a.txt"), "omega\n");
    assert_eq!(server.requests().len(), 4);
    let bodies = server.raw_requests();
    assert_eq!(bodies[1], bodies[2], "the same bytes again after a failure that passed");
}

#[tokio::test]
async fn a_dead_server_ends_the_turn_with_what_to_type_and_the_agent_stays() {
    let stage = Stage::new("turns: [{error: offline}, {say: back}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    let end = talk.say("go").await;
    let TurnEnd::ModelFailed { message, hints } = end else { panic!("{end:?}") };
    assert!(message.contains("cannot reach the model server"), "{message}");
    assert_some(&hints, "MIMI_SERVER_URL");
    assert_eq!(talk.say("again").await, TurnEnd::Answered);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_again_and_only_the_second_is_kept() {
    let stage = Stage::new("turns: [{say: half of it, drop_after: 1}, {say: the whole}, {say: fine}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered);
    assert!(talk.log.iter().any(|event| matches!(event, Event::StreamReset)));
    talk.say("again").await;
    assert_eq!(stage.last_request()[1..], ["model: the whole", "user: again"]);
}

#[tokio::test]
async fn another_model_gets_its_own_tools_and_is_kept_when_the_session_is_resumed() {
    let stage = Stage::new("turns: [{say: one}, {say: two}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.say("go").await;
    talk.send(Op::SetModel { model: "nothing".to_owned() }).await;
    talk.until(|event| matches!(event, Event::Warning { text } if text.contains("has no model `nothing`"))).await;
    talk.send(Op::SetModel { model: "script".to_owned() }).await;
    talk.until(|event| matches!(event, Event::ModelChanged { .. })).await;
    let id = talk.leave().await;
    assert_eq!(stage.resume(&id).await.session.route.model, "script");
}

#[tokio::test]
async fn facts_come_from_the_project_and_words_from_the_user() {
    let stage = Stage::new("turns: [{say: hello}]");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    talk.say("hi").await;
    let authors: Vec<Author> = talk
        .log
        .iter()
        .filter_map(|event| match event {
            Event::UserMessage { author, .. } => Some(*author),
            _ => None,
        })
        .collect();
    assert_eq!(authors, [Author::Project, Author::User]);
}
