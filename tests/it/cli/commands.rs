//! Do the commands beside the work itself do what their help says?

use super::{scripted, served, user_of};
use crate::support::Env;
use crate::support::wire::WireServer;

#[test]
fn doctor_finds_everything_in_order() {
    let (env, _server) = served("turns: []");
    let outcome = env.run(["doctor", "--quick"]).outcome().success();
    let line = |start: &str| outcome.stdout.lines().find(|line| line.contains(start)).unwrap().to_owned();
    // Which sandbox there is, and whether that counts as good, is the machine's affair.
    let (git, sandbox) = (line("ok      git"), line(" sandbox "));
    let is_root = rustix::process::geteuid().is_root();
    let user = if is_root { line("weak    user") + "\n" } else { String::new() };
    let expected = format!(
        "ok      configuration              [HOME]/.config/mimi/config.yaml (not there; the defaults are used)\n\
         ok      sessions                   [HOME]/.local/state/mimi/sessions\n\
         ok      terminal                   none; output is plain\n\
         {sandbox}\n\
         {user}\
         {git}\n\
         ok      model for chat             qwen3-coder:30b at http://127.0.0.1:[PORT]/v1 (262144 tokens)\n\
         ok      model for fix              qwen3-coder:30b at http://127.0.0.1:[PORT]/v1 (262144 tokens)\n"
    );
    let without_hints: String = outcome
        .to_string()
        .lines()
        .filter(|line| !line.trim().starts_with("hint:"))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(without_hints, expected);
    let json = env.run(["doctor", "--quick", "--json"]).outcome().success().json_lines().remove(0);
    let rows = json.as_array().unwrap();
    assert_eq!(rows.len(), 7 + usize::from(is_root));
    assert!(
        rows.iter()
            .all(|row| row["health"] == "ok" || row["check"] == "sandbox" || (is_root && row["check"] == "user")),
        "{json}"
    );
}

#[test]
fn doctor_says_what_is_broken_and_what_to_type() {
    let env = Env::new();
    let outcome = env.run(["doctor", "--quick"]).outcome().fails_with(4);
    let expected = "broken  model for chat             cannot reach the model server at http://127.0.0.1:1/v1: Connection refused (os error 111)\n        \
        hint: check that the server runs: curl http://127.0.0.1:1/v1/models\n        \
        hint: name another one: export MIMI_SERVER_URL=http://HOST:PORT/v1\n\
        broken  model for fix              as model for chat\n";
    assert!(outcome.stdout.contains(expected), "{outcome}");
    assert_eq!(outcome.stderr, "error: model for chat: not usable as it is\n");
    let json = env.run(["doctor", "--quick", "--json"]).outcome().fails_with(4).json_lines().remove(0);
    let row = json.as_array().unwrap().iter().find(|row| row["check"] == "model for chat").unwrap().clone();
    assert_eq!((&row["health"], row["hints"].as_array().unwrap().len()), (&"broken".into(), 2), "{row}");
}

#[test]
fn doctor_works_where_little_else_does() {
    let table: [(&str, &str, i32, &str); 3] = [
        ("broken settings", "server: [", 3, "broken  configuration              "),
        (
            "an unknown key",
            "servr: {}",
            3,
            "broken  configuration              unknown key `servr` ([HOME]/.config/mimi/config.yaml:1:1)\n",
        ),
        ("a model nobody serves", "server: {model: gone}", 4, "hint: it serves: qwen3-coder:30b"),
    ];
    for (case, settings, code, expected) in table {
        let (env, _server) = served("turns: []");
        env.write_home(".config/mimi/config.yaml", settings);
        let outcome = env.run(["doctor", "--quick"]).outcome();
        assert_eq!(outcome.code, code, "{case}: {outcome}");
        assert!(outcome.stdout.contains(expected), "{case}: {outcome}");
    }
    let (env, _server) = served("turns: []");
    let tools = env.home().join("bin");
    std::fs::create_dir(&tools).unwrap();
    let outcome = env.run(["doctor", "--quick"]).env("PATH", tools.display().to_string()).outcome().success();
    assert!(
        outcome.stdout.contains(
            "weak    git                        not found; the git tool cannot work\n        hint: install git\n"
        ),
        "{outcome}"
    );
    let outcome = env.run(["doctor", "--quick"]).env("XDG_STATE_HOME", "/dev/null").outcome().success();
    assert!(
        outcome.stdout.contains("weak    sessions                   /dev/null/mimi cannot be written"),
        "{outcome}"
    );
}

#[test]
fn completions_and_man_pages_need_neither_home_nor_settings() {
    let env = Env::new();
    env.write_home(".config/mimi/config.yaml", "broken: [");
    let table: [(&[&str], &str); 6] = [
        (&["completions", "bash"], "complete -F _mimi"),
        (&["completions", "zsh"], "#compdef mimi"),
        (&["completions", "fish"], "complete -c mimi"),
        (&["man"], ".TH mimi 1"),
        (&["--version"], concat!("mimi ", env!("CARGO_PKG_VERSION"), "\n")),
        (&["--help"], "Exit codes:\n    0  done"),
    ];
    for (arguments, expected) in table {
        for outcome in [env.run(arguments.to_vec()).outcome(), env.run(arguments.to_vec()).without("HOME").outcome()] {
            assert_eq!((outcome.stderr.as_str(), outcome.code), ("", 0), "{arguments:?}: {outcome}");
            assert!(outcome.stdout.contains(expected), "{arguments:?}: {outcome}");
        }
    }
    env.run(["man", "--dir", "pages"]).without("HOME").outcome().success();
    for page in ["mimi.1", "mimi-run.1", "mimi-fix.1", "mimi-session.1"] {
        assert!(env.read(format!("pages/{page}")).contains(".SH NAME"), "{page}");
    }
}

#[test]
fn a_conversation_needs_a_terminal() {
    let env = scripted("turns: []");
    let table: [&[&str]; 4] = [&[], &["chat"], &["session", "resume"], &["chat", "--resume"]];
    for arguments in table {
        let outcome = env.run(arguments.to_vec()).stdin("hello\n").outcome().fails_with(2);
        let expected = "error: `mimi chat` needs a terminal to read from\n\
            hint: one task without a conversation: mimi run \"TASK\"\n";
        assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("", expected), "{arguments:?}");
    }
}

#[test]
fn wrong_command_lines_end_with_two_and_say_what_is_right() {
    let env = scripted("turns: []");
    let table: [(&[&str], &str); 9] = [
        (&["rum"], "tip: a similar subcommand exists: 'run'"),
        (&["run"], "the following required arguments were not provided:\n  <TASK>"),
        (&["run", "a", "b"], "unexpected argument 'b' found"),
        (&["run", "x", "--mod", "auto"], "tip: a similar argument exists: '--mode'"),
        (&["run", "x", "--mode", "fast"], "[possible values: plan, ask, auto]"),
        (&["fix", "--max-rounds", "many"], "invalid value 'many' for '--max-rounds <N>'"),
        (&["--color", "blue", "doctor"], "[possible values: auto, always, never]"),
        (
            &["run", "x", "--set", "agent.max_steps"],
            "error: `--set agent.max_steps` has no value\nhint: --set agent.max_steps=20\n",
        ),
        (&["session"], "Usage: mimi session"),
    ];
    for (arguments, expected) in table {
        let outcome = env.run(arguments.to_vec()).outcome().fails_with(2);
        assert_eq!(outcome.stdout, "", "{arguments:?}");
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {outcome}");
    }
}

#[test]
fn keys_are_stored_listed_used_and_removed() {
    let server = WireServer::serve(|request, out| match request.header("authorization") {
        Some("Bearer s3cret") => out.whole(200, "application/json", br#"{"data":[{"id":"m"}]}"#),
        _ => out.whole(401, "application/json", br#"{"error":"Unauthorized"}"#),
    });
    let env = user_of(&server);
    env.write_home(
        ".config/mimi/config.yaml",
        format!(
            "providers: {{box: {{kind: openai, base_url: '{}'}}}}\nroutes: {{chat: box/m, fix: box/m}}",
            server.url()
        ),
    );
    let refused = env.run(["doctor", "--quick"]).outcome().fails_with(4);
    assert!(refused.stdout.contains("refused the key (401)"), "{refused}");
    let stored = env.run(["auth", "set", "box"]).stdin("s3cret\n").outcome().success();
    assert!(!stored.to_string().contains("s3cret"), "{stored}");
    let listed = env.run(["auth", "list"]).outcome().success();
    assert!(listed.stdout.contains("box") && !listed.to_string().contains("s3cret"), "{listed}");
    env.run(["doctor", "--quick"]).outcome().success();
    env.run(["auth", "remove", "box"]).outcome().success();
    env.run(["doctor", "--quick"]).outcome().fails_with(4);
}
