//! Does a key or password leave mimi by any door it should not?
//!
//! The canaries are the examples of every row in `config/secrets.yaml`. They may stand in the session file, which is the
//! user's alone; nowhere else.

use std::path::Path;

use mimi::base::secrets::{self, Table, example::expand};
use serde_json::{Value, json};

use super::{run_task, scripted, served, user_of};
use crate::support::pty::{Pty, key};
use crate::support::wire::WireServer;
use crate::support::{Env, Outcome};

const TABLE: &str = include_str!("../../../config/secrets.yaml");

/// A secret of each kind: the text it stands in, and the secret itself.
fn canaries() -> Vec<(String, String)> {
    let formats = Table::parse(TABLE).unwrap();
    let texts = formats.iter().flat_map(|format| format.matching.clone());
    texts.map(|text| (text.clone(), text[secrets::find(&text)[0].range.clone()].to_owned())).collect()
}

/// Fails if a text holds one of the canaries, whole or a good part of it.
#[track_caller]
fn assert_clean(what: &str, text: &str, canaries: &[(String, String)]) {
    for (said, secret) in canaries {
        // Of a key of several lines each line counts.
        let parts = secret.lines().filter(|line| line.trim().len() >= 16).chain([secret.as_str()]);
        for part in parts {
            assert!(!text.contains(part.trim()), "{what} holds `{part}` of `{said}`");
        }
    }
}

/// Everything in a folder as text, without what is the truth for its owner alone.
fn texts_below(folder: &Path, but: &[&str]) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if but.contains(&name.as_str()) {
            continue;
        }
        if path.is_dir() {
            found.extend(texts_below(&path, but));
        } else {
            let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
            found.push((path.display().to_string(), text));
        }
    }
    found
}

/// The whole of every request a server got.
fn sent(server: &WireServer) -> String {
    server.requests().iter().map(|request| texts(request).join("\n")).collect()
}

/// Every text in a JSON value, unescaped, as a reader of it sees them.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => fields.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

/// The texts of JSON lines or of one JSON value; pieces of a text are also joined, as a reader would.
fn texts_of_json(output: &str) -> String {
    let lines: Vec<Value> = match serde_json::from_str(output) {
        Ok(Value::Array(records)) => records,
        Ok(value) => vec![value],
        Err(_) => output.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
    };
    let pieces: String =
        lines.iter().filter(|line| line["type"] == "text_delta").filter_map(|line| line["text"].as_str()).collect();
    lines.iter().flat_map(texts).chain([pieces]).collect::<Vec<_>>().join("\n")
}

const OWN_KEY: &str = "team-key-0f8a6c5e9b";

/// A session in which secrets of all kinds are read, printed, said by the user and by the model.
fn everything_was_said() -> (Env, WireServer, Outcome, Vec<(String, String)>) {
    let canaries = canaries();
    let all: Vec<&str> = canaries.iter().map(|(text, _)| text.as_str()).collect();
    let (first, rest) = all.split_at(all.len() / 2);
    let turns = json!({"turns": [
        {"say": "I look.\n", "calls": [{"name": "read_file", "arguments": {"path": "first.txt"}}, {"name": "read_file", "arguments": {"path": "rest.txt"}}]},
        {"calls": [{"name": "shell", "arguments": {"command": "cat first.txt"}}, {"name": "shell", "arguments": {"command": format!("echo '{}'", expand("ghp_<an:36>"))}}]},
        {"say": format!("They are:\n{}\nand {OWN_KEY}.", all.join("\n"))},
    ]});
    let (mut env, server) = served(&turns.to_string());
    env.set("MIMI_API_KEY", OWN_KEY).set("MIMI_TOOLS_MAX_OUTPUT_BYTES", "60000");
    env.write("first.txt", first.join("\n"));
    env.write("rest.txt", format!("{}\n{OWN_KEY}\n", rest.join("\n")));
    let task = format!("what of {} and {OWN_KEY}?", expand("npm_<an:36>"));
    let outcome = env.run(["run", &task, "--json", "--mode", "auto", "--allow", "shell:echo *"]).outcome().success();
    let mut canaries = canaries;
    canaries.push((OWN_KEY.to_owned(), OWN_KEY.to_owned()));
    (env, server, outcome, canaries)
}

#[test]
fn sixty_kinds_of_canaries_stay_in_the_session_file() {
    let (env, server, outcome, canaries) = everything_was_said();
    assert!(canaries.len() >= 60, "{}", canaries.len());
    let requests = sent(&server);
    assert_clean("a request", &requests, &canaries);
    assert!(requests.matches(secrets::OPEN).count() > 2 * canaries.len(), "they were looked at at all");
    assert_clean("--json", &texts_of_json(&outcome.raw_stdout), &canaries);
    assert_clean("standard error", &outcome.raw_stderr, &canaries);
    let id = outcome.json_lines().len();
    assert!(id > 10);
    let state = env.home().join(".local/state/mimi");
    let files = texts_below(&state, &["sessions", "checkpoints", "out"]);
    for (path, text) in files.iter().chain(&texts_below(&env.home().join(".cache/mimi"), &[])) {
        assert_clean(path, text, &canaries);
    }
    let session = texts_below(&state.join("sessions"), &[]).remove(0);
    assert!(session.1.contains(&expand("npm_<an:36>")), "the session file keeps what was said");
    let id = Path::new(&session.0).file_stem().unwrap().to_str().unwrap().to_owned();
    for arguments in [vec!["session", "show", &id], vec!["session", "export", &id], vec!["session", "list"]] {
        let shown = env.run(arguments.clone()).outcome().success();
        assert_clean(&arguments.join(" "), &shown.raw_stdout, &canaries);
    }
    for arguments in [
        vec!["session", "show", &id, "--json"],
        vec!["session", "export", &id, "--format", "json"],
        vec!["session", "export", &id, "--format", "jsonl"],
        vec!["session", "list", "--json"],
        vec!["usage", "--json"],
    ] {
        let shown = env.run(arguments.clone()).outcome().success();
        assert_clean(&arguments.join(" "), &texts_of_json(&shown.raw_stdout), &canaries);
    }
    env.run(["session", "export", &id, "--format", "jsonl", "-o", "out.jsonl"]).outcome().success();
    assert_clean("the exported file", &texts_of_json(&env.read("out.jsonl")), &canaries);
}

#[test]
fn a_secret_is_told_of_once() {
    let (_, _, outcome, _) = everything_was_said();
    let lines = outcome.json_lines();
    let told: Vec<&str> =
        lines.iter().filter(|line| line["type"] == "warning").filter_map(|line| line["text"].as_str()).collect();
    let of_secrets: Vec<&&str> = told.iter().filter(|text| text.contains("looks like a secret")).collect();
    // The user's message, each file once, the line that was echoed.
    assert_eq!(of_secrets.len(), 3, "{told:#?}");
    assert!(of_secrets[0].starts_with("your message holds what looks like a secret (npm-token, own-key)"), "{told:#?}");
}

#[test]
fn a_model_edits_around_a_secret_it_was_never_sent() {
    let key = expand("ghp_<an:36>");
    let shown = secrets::veil(&key).into_owned();
    let turns = json!({"turns": [
        {"calls": [{"name": "read_file", "arguments": {"path": "app.conf"}}]},
        {"calls": [{"name": "edit_file", "arguments": {"path": "app.conf", "old_text": format!("token = {shown}\nport = 80"), "new_text": format!("token = {shown}\nport = 8080")}}]},
        {"calls": [{"name": "write_file", "arguments": {"path": "copy.conf", "content": format!("again = {shown}\n")}}]},
        {"calls": [
            {"name": "shell", "arguments": {"command": format!("echo '{shown}' > stolen.txt")}},
            {"name": "write_file", "arguments": {"path": "lost.conf", "content": "x = [secret: github-token 000000]\n"}},
        ]},
        {"say": "done"},
    ]});
    let (env, server) = served(&turns.to_string());
    env.write("app.conf", format!("token = {key}\nport = 80\n"));
    run_task(&env, &["--mode", "auto", "--allow", "shell:echo *"]).success();
    assert_eq!(env.read("app.conf"), format!("token = {key}\nport = 8080\n"));
    assert_eq!(env.read("copy.conf"), format!("again = {key}\n"));
    assert!(!env.work().join("stolen.txt").exists() && !env.work().join("lost.conf").exists());
    let sent = sent(&server);
    assert!(!sent.contains(&key) && sent.contains(&format!("token = {shown}")), "{sent}");
    assert!(sent.contains("a command cannot use a secret") && sent.contains("is not in this conversation"), "{sent}");
}

#[test]
fn what_becomes_of_secrets_in_requests_is_the_users_choice() {
    let key = expand("glpat-<an:20>");
    let turns = json!({"turns": [{"calls": [{"name": "read_file", "arguments": {"path": "a.txt"}}]}, {"say": "done"}]})
        .to_string();
    for (choice, sends, tells) in
        [("warn", true, true), ("allow", true, false), ("redact", false, true), ("refuse", false, true)]
    {
        let (env, server) = served(&turns);
        env.write("a.txt", format!("token = {key}\nport = 80\n"));
        let outcome = run_task(&env, &["--set", &format!("secrets.in_requests={choice}")]).success();
        let sent = sent(&server);
        assert_eq!(sent.contains(&key), sends, "{choice}");
        assert_eq!(sent.contains("port = 80"), choice != "refuse", "{choice}: {sent}");
        assert_eq!(outcome.stderr.contains("looks like a secret (gitlab-token)"), tells, "{choice}: {outcome}");
    }
}

#[test]
fn what_is_approved_is_shown_whole() {
    let command = expand("curl -H 'Authorization: Bearer <an:40>' https://api.example.com/v1/x");
    let turns = json!({"turns": [{"calls": [{"name": "shell", "arguments": {"command": command}}]}, {"say": "done"}]});
    let (env, _server) = served(&turns.to_string());
    let mut pty = Pty::start(&env, ["chat", "--inline"]);
    pty.wait_for("> ").line("go").wait_for(&command).wait_for("y once").send("n").wait_for("done").wait_for("> ");
    pty.send(key::CTRL_D).wait_exit();
}

#[test]
fn a_project_cannot_have_secrets_sent() {
    let env = scripted("turns: [{say: ok}]");
    env.write(".mimi/config.yaml", "secrets: {in_requests: allow}\n");
    let outcome = run_task(&env, &[]);
    assert!(outcome.stderr.contains("`secrets.in_requests` cannot be set by a project"), "{outcome}");
}

#[test]
fn a_server_that_repeats_the_key_does_not_get_it_shown() {
    let body = json!({"error": {"message": format!("Incorrect API key provided: {OWN_KEY}, and <{}>", expand("sk-proj-<an:60>"))}});
    let server = WireServer::answering(401, "application/json", body.to_string());
    let mut env = user_of(&server);
    env.set("MIMI_API_KEY", OWN_KEY);
    for arguments in [&[][..], &["--json"]] {
        let outcome = run_task(&env, arguments).fails_with(4);
        let all = format!("{}{}", outcome.raw_stdout, outcome.raw_stderr);
        assert!(all.contains("[secret: own-key]") && all.contains("[secret: openai-key]"), "{all}");
        assert!(!all.contains(OWN_KEY), "{all}");
    }
}

#[test]
fn a_company_adds_forms_of_its_own() {
    let env = scripted("turns: [{say: ok}]");
    let row = "- {name: acme-key, keywords: [ACME-], regex: 'ACME-[A-Z0-9]{12}', match: ['ACME-<up:12>'], not_match: [ACME-x]}\n";
    env.write_home(".config/mimi/secrets.yaml", row);
    let key = expand("ACME-<up:12>");
    let outcome = env.run(["run", &format!("use {key}")]).outcome().success();
    assert!(outcome.stderr.contains("(acme-key)"), "{outcome}");
    env.write_home(".config/mimi/secrets.yaml", format!("# ours\n{}", row.replace("{12}", "{13}")));
    let outcome = env.run(["run", "x"]).outcome().fails_with(3);
    let line = "error: `acme-key` does not match its own example";
    assert!(outcome.stderr.starts_with(line) && outcome.stderr.contains("secrets.yaml:2:1)"), "{outcome}");
}

#[test]
fn children_see_no_key_in_their_environment_or_in_any_command_line() {
    let names = [
        "GITHUB_TOKEN",
        "NPM_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "OPENAI_API_KEY",
        "DB_PASSWORD",
        "PGPASSWORD",
        "MIMI_API_KEY",
        "SSH_AUTH_SOCK",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "MY_PASSPHRASE",
        "SECRET_KEY_BASE",
        "LC_TOKEN",
        "DOCKER_AUTH_CONFIG",
        "KUBECONFIG",
        "DBUS_SESSION_BUS_ADDRESS",
        "VAULT_TOKEN",
        "XDG_RUNTIME_DIR",
        "GIT_ASKPASS",
        "NETRC",
    ];
    let turns =
        json!({"turns": [{"calls": [{"name": "shell", "arguments": {"command": "sh look.sh"}}]}, {"say": "done"}]});
    for tier in ["auto", "none"] {
        let (mut env, server) = served(&turns.to_string());
        let lines = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'";
        let look = format!(
            "env; tr '\\0' '\\n' </proc/self/environ; {lines} | grep -a '^__'; {lines} | grep -a 'canary-[0-9]'; true\n"
        );
        env.write("look.sh", look);
        for (n, name) in names.iter().enumerate() {
            env.set(name, format!("canary-{n}-of-the-environment"));
        }
        run_task(&env, &["--mode", "auto", "--allow", "shell:sh look.sh", "--sandbox", tier]).success();
        let told = super::told(&server).concat();
        assert!(told.contains("TERM=dumb") && told.contains("__"), "{tier}: it ran, and saw command lines: {told}");
        assert!(!sent(&server).contains("of-the-environment"), "{tier}: {told}");
    }
}
