//! Does the examination of a model find what is wrong with it, and is what it finds used from then on?

use std::sync::Arc;

use mimi::base::clock::SystemClock;
use mimi::model::gateway::Gateway;
use mimi::model::providers::script::{Script, ScriptProvider};
use mimi::protocol::profile::{EditDialect, Profile, Support};
use mimi::protocol::task::Task;
use mimi::strategy::conformance::finding::{Finding, Health};
use mimi::strategy::conformance::{Subject, examine};
use mimi::tools::registry::Registry;

use crate::support::Env;
use crate::support::wire::WireServer;

/// What a model answers that does everything right, in the order of the checks.
const GOOD: [&str; 12] = [
    "{calls: [{name: read_file, arguments: {path: notes.txt}}]}",
    "{calls: [{name: read_file, arguments: {path: notes.txt}}]}",
    "{calls: [{name: read_file, arguments: {path: one.txt}}, {name: read_file, arguments: {path: two.txt}}]}",
    "{calls: [{name: read_file, arguments: {path: notes.txt}}]}",
    "{calls: [{name: list_files, arguments: {path: src}}]}",
    "{calls: [{name: search, arguments: {pattern: needle}}]}",
    "{calls: [{name: edit_file, arguments: {path: greet.py, old_string: '\"Hello, \"', new_string: '\"Welcome, \"'}}]}",
    "{calls: [{name: read_file, arguments: {path: notes.txt}}]}",
    "{say: '{\"name\": \"mimi\", \"count\": 3}'}",
    "{say: read, usage: {input: 2000, output: 1}}",
    "{say: read, usage: {input: 2000, output: 1, cached: 1936}}",
    "{say: \"one\\ntwo\\nthree\", usage: {input: 40, output: 6}}",
];

/// The answers of a good model, some of them exchanged.
fn script(changes: &[(usize, &str)], window_tokens: u64) -> String {
    let turns = GOOD.iter().enumerate().map(|(at, good)| {
        let turn = changes.iter().find(|(place, _)| *place == at).map_or(*good, |(_, turn)| turn);
        format!("  - {turn}\n")
    });
    format!("model: gpt-oss-20b\nwindow_tokens: {window_tokens}\nturns:\n{}", turns.collect::<String>())
}

async fn examined(yaml: &str, server: &str) -> (Vec<Finding>, Profile) {
    let provider = Arc::new(ScriptProvider::new(Script::parse(yaml).unwrap()));
    let gateway = Gateway::with_provider("script", provider);
    let route = gateway.resolve(Task::Chat, None).await.unwrap();
    let subject = Subject {
        gateway: &gateway,
        route: &route,
        tools: Registry::new().every_spec(),
        fim: Ok(route.clone()),
        embed: Err("no model for embeddings".to_owned()),
        server,
        clock: &SystemClock,
    };
    let mut findings = Vec::new();
    let profile = examine(&subject, |finding| findings.push(finding)).await;
    (findings, profile)
}

fn of<'f>(findings: &'f [Finding], check: &str) -> &'f Finding {
    findings.iter().find(|finding| finding.check == check).unwrap()
}

#[tokio::test]
async fn a_good_model_passes_every_check_that_its_server_can_take() {
    let (findings, profile) = examined(&script(&[], 65_536), "vllm").await;
    let bad: Vec<&str> = findings.iter().filter(|row| row.health != Health::Good).map(|row| row.check).collect();
    assert_eq!(bad, ["fill", "embedding"], "{findings:#?}");
    let yes =
        [profile.streamed_call, profile.whole_call, profile.two_calls, profile.tool_choice, profile.answer_schema];
    assert_eq!(yes, [Support::Yes; 5]);
    assert_eq!((profile.max_tools, profile.edit_dialect), (None, Some(EditDialect::Replace)));
    assert!(profile.reused_share.is_some_and(|share| share > 0.9));
}

#[tokio::test]
async fn what_is_wrong_is_found_named_and_remembered() {
    let words = "{say: 'I would read it now.'}";
    let other_place = "{calls: [{name: edit_file, arguments: {path: greet.py, old_string: '\"Goodbye, \"', new_string: '\"Welcome, \"'}}]}";
    let (findings, profile) = examined(
        &script(
            &[
                (1, words),
                (2, "{calls: [{name: read_file, arguments: {path: one.txt}}]}"),
                (4, words),
                // The whole file is asked for next, and not written either.
                (6, other_place),
                (7, words),
                (8, words),
                (9, "{say: sure}"),
            ],
            16_384,
        ),
        "vllm",
    )
    .await;
    let health = |check| of(&findings, check).health;
    assert_eq!(health("window"), Health::Weak);
    assert_eq!(health("tool call in pieces"), Health::Good);
    assert_eq!(health("tool call in one piece"), Health::Weak);
    assert!(of(&findings, "tool call in one piece").hints[0].contains("--tool-call-parser"));
    assert!(of(&findings, "two tool calls at once").found.contains("one call at a time"));
    assert_eq!(health("tool calls of eight tools"), Health::Weak);
    assert_eq!(profile.max_tools, Some(6));
    assert_eq!(health("edit"), Health::Broken);
    assert!(of(&findings, "edit").found.contains("changes something else"), "{findings:#?}");
}

#[tokio::test]
async fn a_model_that_cannot_name_a_place_is_asked_for_whole_files() {
    let no_place =
        "{calls: [{name: edit_file, arguments: {path: greet.py, old_string: 'Hi, ', new_string: 'Welcome, '}}]}";
    let written = "{calls: [{name: write_file, arguments: {path: greet.py, content: \"def greet(name):\\n    message = \\\"Welcome, \\\" + name\\n    return message\\n\\n\\ndef part(name):\\n    return \\\"Goodbye, \\\" + name\\n\"}}]}";
    let two = format!("{no_place}\n  - {written}");
    let (findings, profile) = examined(&script(&[(6, &two)], 65_536), "ollama").await;
    assert_eq!((of(&findings, "edit").health, profile.edit_dialect), (Health::Weak, Some(EditDialect::Whole)));
    let offered = Registry::new().specs_for(16, profile.edit_dialect.unwrap());
    assert!(
        offered.iter().all(|tool| tool.name != "edit_file") && offered.iter().any(|tool| tool.name == "write_file")
    );
}

#[tokio::test]
async fn a_server_that_went_away_ends_the_examination() {
    let (findings, _) = examined(&script(&[(0, "{error: offline}")], 65_536), "vllm").await;
    let checks: Vec<&str> = findings.iter().map(|finding| finding.check).collect();
    assert_eq!(checks, ["window", "tool call in pieces"], "{findings:#?}");
}

#[test]
fn doctor_examines_the_model_and_the_next_session_uses_what_was_found() {
    let words = "{say: 'I would read it now.'}";
    let one = "{calls: [{name: read_file, arguments: {path: one.txt}}]}";
    let odd = script(&[(2, one), (3, words), (4, words), (5, words)], 65_536);
    let server = WireServer::script(&format!("{odd}  - {{say: hello}}\n")).for_requests_by_hand();
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", server.url()).set("MIMI_MODEL_MAX_RETRIES", "0");
    let outcome = env.run(["doctor"]).outcome().fails_with(4);
    assert!(outcome.stdout.contains("broken  tool calls of eight tools"), "{outcome}");
    assert!(outcome.stdout.contains("ok      tool call in pieces"), "{outcome}");
    let before = env.run(["doctor", "--quick"]).outcome().success();
    assert!(!before.stdout.contains("tool call"), "{before}");
    env.run(["run", "say hello"]).outcome().success();
    let requests = server.requests();
    let (whole, last) = (&requests[1], requests.last().unwrap());
    assert_eq!(whole["stream"], false);
    assert!(whole.get("stream_options").is_none(), "vLLM refuses it beside `stream: false`");
    assert_eq!(last["tools"].as_array().unwrap().len(), 6, "fewer tools than this family is offered by default");
    assert_eq!(last["parallel_tool_calls"], false, "it made one call where two were asked for");
    assert!(whole.get("parallel_tool_calls").is_none());
}
