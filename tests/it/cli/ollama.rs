//! Does the main job run to its end against an Ollama, with all the ways in which it loses and breaks answers?

use serde_json::Value;

use crate::support::ollama::{OllamaServer, Setting};
use crate::support::{Env, Outcome};

/// Fails until the file says `good`, and shows what it says.
const CHECK: &str = "cat answer.txt; grep -q good answer.txt";
const READS: &str = "{calls: [{name: read_file, arguments: {path: answer.txt}}]}";
const WRITES: &str = "{calls: [{name: write_file, arguments: {path: answer.txt, content: \"good\\n\"}}]}";

/// A user with a project whose check fails, who has named this server in one of the ways people do.
fn user_of(url: &str) -> Env {
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", url).set("MIMI_MODEL_MAX_RETRIES", "1");
    env.write("answer.txt", "bad\n");
    env
}

/// An Ollama that talks to agents only.
fn with(setting: Setting, yaml: &str) -> OllamaServer {
    OllamaServer::with(setting, yaml).for_sessions()
}

fn playing(yaml: &str) -> OllamaServer {
    with(Setting::default(), yaml)
}

fn fix(env: &Env) -> Outcome {
    env.run(["fix", "--test", CHECK]).outcome()
}

fn paths(server: &OllamaServer) -> Vec<String> {
    let mut paths: Vec<String> = server.wire.received().into_iter().map(|request| request.path).collect();
    paths.retain(|path| path.contains("chat"));
    paths.dedup();
    paths
}

#[test]
fn red_turns_green_whichever_address_was_named() {
    for path in ["", "/v1"] {
        let server = playing(&format!("turns: [{READS}, {WRITES}, {{say: It said bad.}}]"));
        let env = user_of(&format!("{}{path}", server.url()));
        let outcome = fix(&env).success();
        assert_eq!(outcome.stdout, format!("fixed in 1 round: `{CHECK}` passes\n\nIt said bad.\n"));
        assert_eq!(env.read("answer.txt"), "good\n");
        assert_eq!(paths(&server), ["/api/chat"], "the native wire");
        assert_eq!(server.loads(), 1, "no request made it load the model anew");
    }
}

#[test]
fn it_is_found_on_this_machine_and_read_in_its_own_words() {
    let call = "<tool_call>\\n<function=read_file>\\n<parameter=path>\\nanswer.txt\\n</parameter>\\n</function>\\n</tool_call>";
    let server = playing(&format!("turns: [{{think: Hm., say: \"{call}\"}}, {{expect: bad, say: It says bad.}}]"));
    let env = user_of("");
    let nobody = "{base_url: 'http://127.0.0.1:2/v1'}";
    env.write_home(
        ".config/mimi/config.yaml",
        format!(
            "providers: {{ollama: {{base_url: '{}/v1'}}, vllm: {nobody}, llamacpp: {nobody}, sglang: {nobody}}}",
            server.url()
        ),
    );
    let outcome = env.run(["run", "what does it say?"]).without("MIMI_SERVER_URL").outcome().success();
    assert_eq!(outcome.stdout, "It says bad.\n");
    let found = "! found Ollama at http://127.0.0.1:[PORT], using qwen3-coder:30b\n";
    assert!(outcome.stderr.starts_with(found), "{outcome}");
    assert_eq!(paths(&server), ["/api/chat"]);
}

/// A call whose opening tag got lost, so that Ollama passes all of it on as words.
fn leaked(tool: &str, arguments: &[(&str, &str)]) -> String {
    let parameters: String =
        arguments.iter().map(|(name, value)| format!("<parameter={name}>\\n{value}\\n</parameter>\\n")).collect();
    format!("Let me see.\\n\\n<function={tool}>\\n{parameters}</function>\\n</tool_call>")
}

#[test]
fn calls_that_leak_into_the_words_do_the_whole_job() {
    let read = leaked("read_file", &[("path", "answer.txt")]);
    let edit = leaked("edit_file", &[("path", "answer.txt"), ("old_string", "bad"), ("new_string", "good")]);
    let check = leaked("shell", &[("command", CHECK)]);
    let server = playing(&format!(
        "turns: [{{say: \"{read}\"}}, {{expect: bad, say: \"{edit}\"}}, {{say: \"{check}\"}}, {{expect: good, say: It said bad.}}]"
    ));
    let env = user_of(&server.url());
    let outcome = fix(&env).success();
    assert_eq!(outcome.stdout, format!("fixed in 1 round: `{CHECK}` passes\n\nIt said bad.\n"));
    assert_eq!(env.read("answer.txt"), "good\n");
    assert!(!outcome.stderr.contains("<function") && !outcome.stderr.contains("tool_call>"), "{outcome}");
    let last = server.wire.requests().pop().unwrap();
    let calls: Vec<&Value> = calls_of(&last);
    assert_eq!(calls, ["read_file", "edit_file", "shell"], "they stand in the history as what they are");
}

/// Names of the calls in the conversation of a request.
fn calls_of(request: &Value) -> Vec<&Value> {
    let messages = request["messages"].as_array().unwrap();
    let calls = messages.iter().filter_map(|message| message["tool_calls"].as_array()).flatten();
    calls.map(|call| &call["function"]["name"]).collect()
}

#[test]
fn a_call_that_ollama_swallows_is_asked_for_once_more() {
    let swallowed = "{say: '<tool_call> <function=read_file>', usage: {input: 2000, output: 40}}";
    let server = playing(&format!(
        "turns: [{swallowed}, {{expect: nothing of them arrived, calls: [{{name: read_file, arguments: {{path: answer.txt}}}}]}}, {WRITES}, {{say: Done.}}]"
    ));
    fix(&user_of(&server.url())).success();
}

#[test]
fn invalid_calls_lead_to_a_schema_and_then_to_plain_text() {
    let bad = "{calls: [{name: read_fil, arguments: {path: answer.txt}}]}";
    let held = r#"{say: '{"name": "read_fil", "arguments": {"path": "answer.txt"}}'}"#;
    let plain = |tool, arguments: &[(&str, &str)]| leaked(tool, arguments).replace("\\n</tool_call>", "");
    let read = plain("read_file", &[("path", "answer.txt")]);
    let write = plain("write_file", &[("path", "answer.txt"), ("content", "good")]);
    let server = playing(&format!(
        "turns: [{bad}, {bad}, {held}, {{expect: '- edit_file: path (string)', say: \"{read}\"}}, {{say: \"{write}\"}}, {{say: Done.}}]"
    ));
    let env = user_of(&server.url());
    let outcome = fix(&env).success();
    assert_eq!(env.read("answer.txt"), "good\n", "{outcome}");
    let requests = server.wire.requests();
    let kind = |request: &Value| match (request.get("format"), request.get("tools")) {
        (Some(_), _) => "schema",
        (None, Some(_)) => "tools",
        (None, None) => "text",
    };
    let kinds: Vec<&str> = requests.iter().filter(|request| request.get("messages").is_some()).map(kind).collect();
    assert_eq!(kinds, ["tools", "tools", "schema", "text", "text", "text"]);
}

#[test]
fn a_model_whose_calls_ollama_never_reads_writes_them_as_text() {
    let broken = "{say: '<tool_call> <function=write_file> <parameter=path> </function> </tool_call>'}";
    let read = leaked("read_file", &[("path", "answer.txt")]);
    let server = playing(&format!(
        "turns: [{broken}, {broken}, {{expect: '- shell: command', say: \"{read}\"}}, {{say: \"{}\"}}, {{say: Done.}}]",
        leaked("write_file", &[("path", "answer.txt"), ("content", "good")])
    ));
    let env = user_of(&server.url());
    let outcome = fix(&env).success();
    assert_eq!(env.read("answer.txt"), "good\n", "{outcome}");
    assert!(outcome.stderr.contains("from now on mimi reads its calls itself"), "{outcome}");
}

#[test]
fn a_call_ollama_cannot_read_and_a_full_queue_cost_one_repetition() {
    let broken = "{say: '<tool_call> <function=write_file> <parameter=path> </function> </tool_call>'}";
    let server = playing(&format!("turns: [{broken}, {READS}, {WRITES}, {{say: Done.}}]"));
    let env = user_of(&server.url());
    let outcome = fix(&env).success();
    assert!(outcome.stderr.contains("error parsing tool call: XML syntax error"), "{outcome}");
    let full = Setting { full_for: 1, ..Setting::default() };
    let server = with(full, &format!("turns: [{READS}, {WRITES}, {{say: Done.}}]"));
    let outcome = fix(&user_of(&server.url())).success();
    assert!(outcome.stderr.contains("maximum pending requests exceeded"), "{outcome}");
}

#[test]
fn an_old_version_without_ids_does_the_same_job() {
    let old = Setting { is_old: true, ..Setting::default() };
    let read = "{name: read_file, arguments: {path: answer.txt}}";
    let two = format!("{{calls: [{read}, {read}]}}");
    let server = with(old, &format!("turns: [{two}, {WRITES}, {{say: Done.}}]"));
    fix(&user_of(&server.url())).success();
}

#[test]
fn a_model_that_is_not_there_is_said_with_what_is() {
    let server = playing("turns: []");
    let outcome = user_of(&server.url()).run(["run", "--model", "qwen3-coder:31b", "x"]).outcome().fails_with(4);
    let expected = "error: the model server at http://127.0.0.1:[PORT]/v1 has no model `qwen3-coder:31b`\n\
        hint: it serves: qwen3-coder:30b, qwen2.5-coder:1.5b, nomic-embed-text:latest\n\
        hint: try: --model qwen3-coder:30b\n";
    assert_eq!(outcome.stderr, expected);
}
