//! Does the program keep, on its real command line, what README promises?
//!
//! Every test here runs the binary as a user would. The model's words come from a script: in the process, as a provider the
//! user has configured, or from a server that plays the script over HTTP.

mod another_server;
mod apply_patch;
mod calls;
mod commands;
mod commit;
mod debug;
mod demo;
mod dialects;
mod egress;
mod eval;
mod explain;
mod files;
mod fix;
mod fix_list;
mod fix_patch;
mod fix_pipelines;
mod fix_report;
mod fix_same;
mod json;
mod machine;
mod ollama;
mod output;
mod policy;
mod private;
mod recorded;
mod refusals;
mod replay;
mod review;
mod run;
mod schema;
mod secrets;
mod servers;
mod sessions;
mod settings;
mod status;
mod streams;
mod terminal;
mod trust;
mod undo;
mod usage;

use mimi::model::providers::script::Script;
use serde_json::Value;

use crate::support::wire::WireServer;
use crate::support::{Env, Outcome};

/// A user whose configuration names a script as the model of every task.
fn scripted(turns: &str) -> Env {
    let env = Env::new();
    let script = env.write_home("script.yaml", turns);
    let config = format!(
        "providers: {{played: {{kind: script, base_url: {}}}}}\nroutes: {{chat: played/script, fix: played/script}}\n",
        script.display()
    );
    env.write_home(".config/mimi/config.yaml", config);
    env
}

/// A user and a server that plays the script under the name of the model that mimi asks for by default.
fn served(turns: &str) -> (Env, WireServer) {
    let script = Script { model: "qwen3-coder:30b".to_owned(), ..Script::parse(turns).unwrap() };
    let server = WireServer::start(script);
    (user_of(&server), server)
}

/// A user who has named this server, and who sees the first failure at once instead of after several tries.
fn user_of(server: &WireServer) -> Env {
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", server.url()).set("MIMI_MODEL_MAX_RETRIES", "0");
    env
}

/// What the model was told about its calls before its last answer, in their order.
fn told(server: &WireServer) -> Vec<String> {
    let requests = server.requests();
    let messages = requests.last().unwrap()["messages"].as_array().unwrap().clone();
    let last_calls = messages.iter().rposition(|message| message["role"] == "assistant").unwrap();
    let results = messages[last_calls + 1..].iter().filter(|message| message["role"] == "tool");
    results.map(|message| message["content"].as_str().unwrap().to_owned()).collect()
}

/// Runs `mimi run` with one task.
fn run_task(env: &Env, arguments: &[&str]) -> Outcome {
    env.run(["run", "do it"].iter().chain(arguments).copied()).outcome()
}

/// The types of the lines of `--json` output.
fn types(outcome: &Outcome) -> Vec<String> {
    let name = |line: Value| line["type"].as_str().unwrap().to_owned();
    outcome.json_lines().into_iter().map(name).collect()
}

/// Reads standard output as one JSON value.
fn json(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.raw_stdout).unwrap_or_else(|error| panic!("{error}: {outcome}"))
}
