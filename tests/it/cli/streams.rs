//! Does an answer that breaks off anywhere cost a repetition and nothing else?

use super::{run_task, served, user_of};
use crate::support::wire::WireServer;

const ANSWER: &str = "think: Hm., say: The answer., calls: [{name: list_files}], usage: {input: 5, output: 3}";

#[test]
fn a_stream_cut_at_any_event_is_asked_for_again() {
    // Each cut waits a little before it asks again, so they wait together.
    std::thread::scope(|scope| {
        for cut in 0..9 {
            scope.spawn(move || {
                let turns = format!("turns: [{{{ANSWER}, drop_after: {cut}}}, {{{ANSWER}}}, {{say: Done.}}]");
                let (mut env, server) = served(&turns);
                env.set("MIMI_MODEL_MAX_RETRIES", "1");
                env.write("a.txt", "");
                let outcome = run_task(&env, &["--json"]).success();
                let requests = server.raw_requests();
                let lines = outcome.json_lines();
                let said: Vec<&str> = lines
                    .iter()
                    .filter(|line| line["type"] == "assistant_message")
                    .map(|line| line["text"].as_str().unwrap())
                    .collect();
                assert_eq!(said, ["The answer.", "Done."], "cut after {cut}");
                // After the finish reason nothing is missing.
                let is_cut = lines.iter().any(|line| line["type"] == "retrying");
                assert_eq!(requests.len(), if is_cut { 3 } else { 2 }, "cut after {cut}");
                assert!(is_cut || cut >= 6, "cut after {cut} went unnoticed");
                if is_cut {
                    assert!(requests[0] == requests[1], "cut after {cut}: the request changed");
                }
                assert_eq!(lines.iter().filter(|line| line["type"] == "tool_finished").count(), 1, "cut after {cut}");
            });
        }
    });
}

#[test]
fn a_stream_that_is_cut_every_time_is_an_error() {
    let (env, _server) = served("turns: [{say: Half an answer, drop_after: 1}]");
    let outcome = run_task(&env, &[]).fails_with(4);
    let expected = "Half an\n------- stderr -------\n\
        error: the answer of the model server at http://127.0.0.1:[PORT]/v1 broke off: unexpected EOF during chunk size line\n\
        hint: mimi doctor\n[exit code: 4]";
    assert_eq!(outcome.to_string(), expected);
}

#[test]
fn a_stream_without_a_finish_reason_is_not_taken_for_an_answer() {
    let (env, _server) = served("turns: [{say: Looks whole., finish: none}]");
    let outcome = run_task(&env, &[]).fails_with(4);
    let expected = "error: the answer of the model server at http://127.0.0.1:[PORT]/v1 broke off: it ended without a finish reason\n\
        hint: mimi doctor\n";
    assert_eq!(outcome.stderr, expected);
}

#[test]
fn a_server_that_gives_up_and_one_that_says_nothing() {
    let (env, _server) = served("turns: [{say: A, finish: abort}]");
    let outcome = run_task(&env, &[]).fails_with(4);
    assert!(outcome.stderr.contains("broke off: the server gave up before its end\n"), "{outcome}");
    let server = WireServer::serve(|_, out| out.raw(b"SSH-2.0-OpenSSH_9.2\r\n"));
    let outcome = run_task(&user_of(&server), &[]).fails_with(4);
    assert!(outcome.stderr.starts_with("error: "), "{outcome}");
    assert!(outcome.stderr.contains("invalid HTTP version parsed"), "{outcome}");
}

#[test]
fn an_answer_cut_by_its_length_is_gone_on_with() {
    let (env, server) = served("turns: [{say: 'One, ', finish: length}, {say: two., expect: cut}]");
    let outcome = run_task(&env, &[]).success();
    assert!(outcome.stdout.starts_with("One, "), "{outcome}");
    assert!(outcome.stdout.ends_with("two.\n"), "{outcome}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn empty_answers_end_at_a_limit() {
    let (env, _server) = served("turns: [{}, {}, {}, {}, {}, {}]");
    let outcome = run_task(&env, &[]).fails_with(7);
    assert!(outcome.stderr.contains("error: stopped at a limit: "), "{outcome}");
    assert_eq!(outcome.stdout, "");
}
