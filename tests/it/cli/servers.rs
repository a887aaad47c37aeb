//! Whatever is wrong with the server: is it said what, why, and what to type, with exit code 4?

use std::net::TcpListener;

use super::{run_task, user_of};
use crate::support::Env;
use crate::support::wire::WireServer;

const SSE: &str = "text/event-stream";
const JSON: &str = "application/json";

/// Asks a server that answers every chat request like this, for the one model it has.
fn ask(status: u16, content_type: &'static str, body: &str) -> String {
    let server = WireServer::answering(status, content_type, body);
    let outcome = run_task(&user_of(&server), &["--model", "m"]).fails_with(4);
    assert_eq!(outcome.stdout, "", "{status} {body}");
    outcome.stderr.replace("http://127.0.0.1:[PORT]/v1", "URL")
}

#[test]
fn nobody_answers() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let outcome = Env::new().run(["run", "x"]).env("MIMI_SERVER_URL", format!("http://127.0.0.1:{port}")).outcome();
    let expected = "------- stderr -------\n\
        error: cannot reach the model server at http://127.0.0.1:[PORT]/v1\n\
        caused by: Connection refused (os error 111)\n\
        hint: check that the server runs: curl http://127.0.0.1:[PORT]/v1/models\n\
        hint: name another one: export MIMI_SERVER_URL=http://HOST:PORT/v1\n[exit code: 4]";
    assert_eq!(outcome.to_string(), expected);
    let outcome = Env::new()
        .run(["run", "x"])
        .env("MIMI_SERVER_URL", "http://no-such-host.invalid:8000/v1")
        .outcome()
        .fails_with(4);
    assert!(
        outcome
            .stderr
            .starts_with("error: cannot reach the model server at http://no-such-host.invalid:8000/v1\ncaused by: "),
        "{outcome}"
    );
}

/// The known servers, as they are asked when nothing is configured, moved to where nobody listens.
#[test]
fn with_nothing_configured_three_lines_say_how_to_name_a_server() {
    let env = Env::new();
    env.write_home(
        ".config/mimi/config.yaml",
        "providers:\n  ollama: {base_url: 'http://127.0.0.1:2/v1'}\n  vllm: {base_url: 'http://127.0.0.1:3/v1'}\n  llamacpp: {base_url: 'http://127.0.0.1:4/v1'}\n  sglang: {base_url: 'http://127.0.0.1:5/v1'}\n",
    );
    for arguments in [&["run", "x"][..], &["fix", "--test", "false"]] {
        let outcome = env.run(arguments.to_vec()).without("MIMI_SERVER_URL").outcome().fails_with(4);
        let task = if arguments[0] == "run" { "chat" } else { "fix" };
        let expected = format!(
            "error: no model server was found for `{task}`\n\
             caused by: Ollama at http://127.0.0.1:2: nobody answers; vLLM at http://127.0.0.1:3/v1: nobody answers; \
             llama.cpp at http://127.0.0.1:4/v1: nobody answers; SGLang at http://127.0.0.1:5/v1: nobody answers\n\
             hint: name a server: export MIMI_SERVER_URL=http://HOST:8000/v1\n\
             hint: or in ~/.config/mimi/config.yaml: server: {{url: \"http://HOST:8000/v1\"}}\n\
             hint: or see mimi work without one: mimi demo\n"
        );
        assert!(outcome.stderr.ends_with(&expected), "{outcome}");
    }
}

#[test]
fn a_server_on_this_machine_is_found_and_named() {
    let server = WireServer::script("{model: 'qwen3-coder:30b', turns: [{say: ok}]}");
    let env = Env::new();
    let settings = format!(
        "providers: {{ollama: {{base_url: 'http://127.0.0.1:2/v1'}}, vllm: {{base_url: '{}'}}, llamacpp: {{base_url: 'http://127.0.0.1:4/v1'}}}}",
        server.url()
    );
    env.write_home(".config/mimi/config.yaml", settings);
    let outcome = env.run(["run", "x"]).without("MIMI_SERVER_URL").outcome().success();
    let expected = "ok\n------- stderr -------\n! found vLLM at http://127.0.0.1:[PORT]/v1, using qwen3-coder:30b\n";
    assert_eq!(outcome.to_string(), expected);
}

/// Error bodies as each server sends them, and the words shown.
#[test]
fn every_servers_refusal_is_shown_in_its_own_words() {
    let table = [
        (
            "vLLM",
            400,
            r#"{"object":"error","message":"bad n","type":"BadRequestError","param":null,"code":400}"#,
            "bad n",
        ),
        (
            "vLLM 0.10",
            400,
            r#"{"error":{"message":"bad n","type":"BadRequestError","param":null,"code":400}}"#,
            "bad n",
        ),
        (
            "SGLang",
            400,
            r#"{"object":"error","message":"bad n","type":"Bad Request","param":null,"code":400}"#,
            "bad n",
        ),
        ("llama.cpp", 400, r#"{"error":{"code":400,"message":"bad n","type":"invalid_request_error"}}"#, "bad n"),
        (
            "Ollama",
            400,
            r#"{"error":{"message":"bad n","type":"invalid_request_error","param":null,"code":null}}"#,
            "bad n",
        ),
        ("Ollama native", 400, r#"{"error":"bad n"}"#, "bad n"),
        ("FastAPI", 422, r#"{"detail":[{"loc":["body","n"],"msg":"bad n","type":"value_error"}]}"#, "body.n: bad n"),
        (
            "LiteLLM",
            400,
            r#"{"error":{"message":"litellm.BadRequestError: bad n","type":null,"param":null,"code":"400"}}"#,
            "litellm.BadRequestError: bad n",
        ),
        ("Google", 400, r#"[{"error":{"code":400,"message":"bad n","status":"INVALID_ARGUMENT"}}]"#, "bad n"),
        ("plain text", 400, "bad n\n", "bad n"),
        ("nothing", 400, "", "400 Bad Request without further words"),
        ("escape sequences", 400, "\u{1b}]0;owned\u{7}bad n", "\\x1b]0;owned\\x07bad n"),
    ];
    for (server, status, body, words) in table {
        let expected =
            format!("error: the model server at URL refused the request ({status}): {words}\nhint: mimi doctor\n");
        assert_eq!(ask(status, JSON, body), expected, "{server}");
    }
}

#[test]
fn other_answers_that_are_none() {
    let page = "<!DOCTYPE html><html><head><title>Sign in</title></head></html>";
    let table = [
        (
            401,
            JSON,
            r#"{"error":"Unauthorized"}"#,
            "the model server at URL refused the key (401): Unauthorized\nhint: export MIMI_API_KEY=...\nhint: or store it: mimi auth set server\n",
        ),
        (
            403,
            JSON,
            "forbidden",
            "the model server at URL refused the key (403): forbidden\nhint: export MIMI_API_KEY=...\nhint: or store it: mimi auth set server\n",
        ),
        (
            404,
            JSON,
            r#"{"error":{"message":"The model `m` does not exist.","code":404}}"#,
            "the model server at URL has no model `m`\nhint: it serves: m\n",
        ),
        (
            404,
            "text/plain",
            "404 page not found",
            "the model server at URL refused the request (404): 404 page not found; is the base URL complete? most end in /v1\nhint: mimi doctor\n",
        ),
        (
            502,
            "text/html",
            "<html><head><title>502 Bad Gateway</title></head></html>",
            "the model server at URL is not able to answer now (502 Bad Gateway): a web page titled `502 Bad Gateway`\nhint: mimi doctor\n",
        ),
        (
            200,
            "text/html",
            page,
            "what answers at URL is no model server: it sent a web page titled `Sign in`\nhint: mimi doctor\n",
        ),
        (
            200,
            JSON,
            r#"{"ok":true}"#,
            "what answers at URL is no model server: it sent {\"ok\":true}\nhint: mimi doctor\n",
        ),
        (
            200,
            SSE,
            "",
            "the answer of the model server at URL broke off: it ended without a finish reason\nhint: mimi doctor\n",
        ),
        (
            200,
            SSE,
            "data: [DONE]\n\n",
            "the answer of the model server at URL broke off: it ended without a finish reason\nhint: mimi doctor\n",
        ),
        (
            200,
            SSE,
            "data: {\"error\":{\"message\":\"out of memory\",\"code\":400}}\n\n",
            "the model server at URL refused the request (400): out of memory\nhint: mimi doctor\n",
        ),
    ];
    for (status, content_type, body, expected) in table {
        assert_eq!(ask(status, content_type, body), format!("error: {expected}"), "{status} {body}");
    }
}

#[test]
fn a_model_that_is_not_there_is_answered_with_those_that_are() {
    let server = WireServer::script("{model: 'qwen3-coder:30b', turns: []}");
    let outcome = run_task(&user_of(&server), &["--model", "qwen3-coder:3b"]).fails_with(4);
    let expected = "error: the model server at http://127.0.0.1:[PORT]/v1 has no model `qwen3-coder:3b`\n\
        hint: it serves: qwen3-coder:30b\nhint: try: --model qwen3-coder:30b\n";
    assert_eq!(outcome.stderr, expected);
    assert!(server.requests().is_empty());
}

#[test]
fn a_busy_server_is_asked_again() {
    let server =
        WireServer::script("{model: 'qwen3-coder:30b', turns: [{error: {status: 503, body: loading}}, {say: ok}]}");
    let mut env = user_of(&server);
    env.set("MIMI_MODEL_MAX_RETRIES", "1");
    let outcome = run_task(&env, &[]).success();
    assert_eq!(outcome.stdout, "ok\n");
    let note = "! the model server at http://127.0.0.1:[PORT]/v1 is not able to answer now (503 Service Unavailable): loading; try 1 of 1 in [TIME]\n";
    assert_eq!(outcome.stderr, note);
    let requests = server.raw_requests();
    assert!(requests.len() == 2 && requests[0] == requests[1]);
}

#[test]
fn whole_json_instead_of_a_stream_is_an_answer() {
    let body = r#"{"choices":[{"message":{"role":"assistant","content":"Hi."},"finish_reason":"stop"}]}"#;
    let server = WireServer::answering(200, JSON, body);
    assert_eq!(run_task(&user_of(&server), &["--model", "m"]).to_string(), "Hi.\n");
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = WireServer::script("turns: [{say: stolen}]");
    let target = format!("{}/chat/completions", elsewhere.url());
    let location = target.clone();
    let server = WireServer::serve(move |request, out| match request.path.as_str() {
        "/v1/models" => out.whole(200, JSON, br#"{"data":[{"id":"m"}]}"#),
        _ => out.with_headers(307, &[("location", &location)], b""),
    });
    let outcome = run_task(&user_of(&server), &["--model", "m"]).fails_with(4);
    assert!(
        outcome
            .raw_stderr
            .contains(&format!("it redirects to {target}; mimi does not follow, name that address instead")),
        "{outcome}"
    );
    assert!(elsewhere.received().is_empty());
}

#[test]
fn proxies_of_the_environment_see_nothing() {
    let proxy = WireServer::answering(502, "text/plain", "a proxy saw the request");
    let (mut env, server) = super::served("turns: [{say: direct}]");
    let address = proxy.url().replace("/v1", "");
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        env.set(name, &*address);
    }
    assert_eq!(run_task(&env, &[]).to_string(), "direct\n");
    assert_eq!((server.requests().len(), proxy.received().len()), (1, 0));
}

#[test]
fn a_slot_of_a_killed_process_goes_to_the_next_at_once() {
    let server = WireServer::script("turns: [{say: begun, stall: true}, {say: my turn}]");
    let mut user = user_of(&server);
    user.set("MIMI_MODEL_MAX_IN_FLIGHT", "1");
    let mut first = user.run(["run", "--json", "x"]).start();
    first.wait_for("begun");
    let mut second = user.run(["run", "--json", "x"]).start();
    second.wait_for("\"held\"");
    first.kill();
    second.wait_for("my turn");
    assert_eq!(second.wait_exit().0, 0, "{}", second.stderr());
}
