//! Does `mimi run` print the answer and nothing else, and pass on what it was given?

use super::{run_task, scripted, served, types};
use crate::support::wire::WireServer;

const READS_AND_ANSWERS: &str = "
turns:
  - {say: \"I look.\\n\", calls: [{name: read_file, arguments: {path: a.txt}}]}
  - {say: It says hi.}
";

#[test]
fn the_answer_is_on_standard_output_and_progress_beside_it() {
    let env = scripted(READS_AND_ANSWERS);
    env.write("a.txt", "hi\n");
    let shown = "I look.\nIt says hi.\n------- stderr -------\n- Read a.txt: 1 line ([TIME])\n";
    assert_eq!(run_task(&env, &[]).to_string(), shown);
    assert_eq!(run_task(&env, &["--quiet"]).to_string(), "I look.\nIt says hi.\n");
}

#[test]
fn a_change_is_shown_as_it_is_made() {
    let env = scripted(
        "
turns:
  - {calls: [{name: write_file, arguments: {path: new.txt, content: \"one\\ntwo\\n\"}}]}
  - {say: Done.}
",
    );
    let outcome = run_task(&env, &["--mode", "auto"]);
    let shown = "Done.\n------- stderr -------\n- Wrote new.txt: created, 2 lines ([TIME])\n    @@ -0,0 +1,2 @@\n    +one\n    +two\n";
    assert_eq!(outcome.to_string(), shown);
    assert_eq!(env.read("new.txt"), "one\ntwo\n");
}

#[test]
fn the_task_may_come_from_anywhere() {
    let table: [(&str, &str, &str); 5] = [
        ("sum up", "", "sum up"),
        ("sum up", "alpha\nbeta\n", "sum up\n\nInput given by the user:\n\nalpha\nbeta"),
        ("sum up", "  \n", "sum up"),
        ("-", "the task itself\n", "the task itself"),
        ("--", "x", "x"),
    ];
    for (task, input, expected) in table {
        let (env, server) = served("turns: [{say: ok}]");
        // `--` ends the options, so that a task may begin with a dash.
        let arguments = if task == "--" { vec!["run", "--", "- x"] } else { vec!["run", task] };
        let expected = if task == "--" { "- x\n\nInput given by the user:\n\nx" } else { expected };
        env.run(arguments).stdin(input).outcome().success();
        let request = &server.requests()[0]["messages"];
        let words = request.as_array().unwrap().last().unwrap()["content"].as_str().unwrap();
        assert_eq!(
            words,
            format!(
                "# Project
top level: (empty folder)

{expected}"
            ),
            "{task}"
        );
    }
}

#[test]
fn input_that_is_no_text_is_passed_on_readable_and_too_much_is_refused() {
    let (env, server) = served("turns: [{say: ok}]");
    env.run(["run", "sum up"]).stdin(b"caf\xe9").outcome().success();
    assert!(server.requests()[0]["messages"].to_string().contains("caf\u{fffd}"));
    let outcome = env.run(["run", "sum up"]).stdin(vec![b'x'; 1024 * 1024 + 1]).outcome().fails_with(2);
    let expected = "error: standard input is longer than 1048576 bytes\n\
        hint: put it into a file of the project and name the file in the task\n";
    assert_eq!(outcome.stderr, expected);
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_task_is_needed() {
    let env = scripted("turns: []");
    for arguments in [["run", ""], ["run", " \n"], ["run", "-"]] {
        let outcome = env.run(arguments).outcome().fails_with(2);
        let expected = "error: the task is empty\nhint: mimi run \"find the cause of the failing test\"\n";
        assert_eq!(outcome.to_string(), format!("------- stderr -------\n{expected}[exit code: 2]"));
    }
}

#[test]
fn the_model_that_is_named_is_the_one_that_is_asked() {
    let server = WireServer::serve(|request, out| match request.path.as_str() {
        "/v1/models" => out.whole(200, "application/json", br#"{"data":[{"id":"big"},{"id":"small"}]}"#),
        _ => {
            out.begin_events();
            out.chunk(b"data: {\"choices\":[{\"delta\":{\"content\":\"ok\"},\"finish_reason\":\"stop\"}]}\n\n");
            out.end();
        }
    });
    let table: [(&[&str], &str); 4] = [
        (&["--model", "small"], "small"),
        (&["-m", "auto/big"], "big"),
        (&["--set", "server.model=small"], "small"),
        (&["--set", "routes.chat=auto/big"], "big"),
    ];
    for (arguments, model) in table {
        let env = super::user_of(&server);
        assert_eq!(run_task(&env, arguments).success().to_string(), "ok\n", "{arguments:?}");
        assert_eq!(server.requests().last().unwrap()["model"], *model, "{arguments:?}");
    }
}

#[test]
fn a_model_that_stands_in_is_named() {
    let server = WireServer::script("{model: llama3.1:8b, turns: [{say: ok}, {say: ok}]}");
    let env = super::user_of(&server);
    let note = "! `qwen3-coder:30b` is not served at http://127.0.0.1:[PORT]/v1, using `llama3.1:8b` for chat\n";
    assert_eq!(run_task(&env, &[]).to_string(), format!("ok\n------- stderr -------\n{note}"));
    assert_eq!(run_task(&env, &["--quiet"]).to_string(), "ok\n");
}

#[test]
fn settings_of_the_command_line_come_first() {
    let env = scripted(READS_AND_ANSWERS);
    env.write("a.txt", "hi\n");
    let outcome = env.run(["run", "x", "--set", "agent.max_steps=1"]).env("MIMI_AGENT_MAX_STEPS", "9").outcome();
    let expected = "I look.\n------- stderr -------\n\
        - Read a.txt: 1 line ([TIME])\n\
        ! stopped: 1 model request in one turn (agent.max_steps)\n\
        error: stopped at a limit: 1 model request in one turn (agent.max_steps)\n[exit code: 7]";
    assert_eq!(outcome.to_string(), expected);
}

#[test]
fn another_folder_can_be_worked_in() {
    let env = scripted(READS_AND_ANSWERS);
    env.write("sub/a.txt", "hi\n");
    for arguments in [["-C", "sub", "run", "x"], ["run", "x", "--cwd", "sub"]] {
        let outcome = env.run(arguments).outcome().success();
        assert_eq!(outcome.stderr, "- Read a.txt: 1 line ([TIME])\n");
    }
    let outcome = env.run(["-C", "gone", "run", "x"]).outcome().fails_with(2);
    assert_eq!(outcome.stderr, "error: cannot work in `gone`\ncaused by: No such file or directory (os error 2)\n");
    let file = env.write("file", "");
    let outcome = env.run(["-C", "file", "run", "x"]).outcome().fails_with(2);
    assert!(outcome.stderr.starts_with("error: cannot work in `"), "{file:?} {outcome}");
}

#[test]
fn the_same_failing_call_ends_the_run() {
    let env = scripted(
        "
turns:
  - {calls: [{name: read_file, arguments: {path: gone}}]}
  - {calls: [{name: read_file, arguments: {path: gone}}]}
  - {calls: [{name: read_file, arguments: {path: gone}}]}
",
    );
    let outcome = run_task(&env, &[]).fails_with(1);
    assert!(outcome.stderr.ends_with("error: stopped: the same call of `read_file` kept failing\n"), "{outcome}");
    assert_eq!(types(&run_task(&env, &["--json"])).iter().filter(|name| *name == "tool_finished").count(), 3);
}
