//! Do `mimi config` and `mimi auth` print what a user needs?

use std::io::Write;
use std::sync::{Arc, Mutex};

use clap::Parser;
use mimi::base::fault::{Fault, Kind};
use mimi::cli::commands::{auth, config};
use mimi::cli::context::Cx;
use mimi::cli::output::Out;

use crate::config::secrets::FakeRing;
use crate::config::{Machine, chmod, write};

#[derive(Parser)]
enum Line {
    Config(config::ConfigArgs),
    Auth(auth::AuthArgs),
}

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a command printed, with the machine's folder taken out.
#[derive(Debug)]
struct Printed {
    results: String,
    remarks: String,
    fault: Option<Fault>,
}

/// Runs a command line; `key` is what the user types when asked.
fn mimi(machine: &Machine, line: &str, key: &str) -> Printed {
    let (results, remarks) = (Captured::default(), Captured::default());
    let cx = Cx {
        env: machine.env(),
        dirs: machine.dirs(),
        system_file: machine.system_file(),
        workspace_root: machine.path("project"),
        flags: Vec::new(),
        allow_hosts: Vec::new(),
        out: Out::to(results.clone(), remarks.clone()),
        global: mimi::cli::Global::default(),
    };
    let result = match Line::try_parse_from(["mimi"].into_iter().chain(line.split_whitespace())) {
        Ok(Line::Config(args)) => config::run(&cx, &args),
        Ok(Line::Auth(args)) => auth::run_with(&cx, &args, &FakeRing::broken(), &mut || Ok(key.to_owned())),
        Err(error) => panic!("{error}"),
    };
    let root = machine.path("").display().to_string();
    let text = |captured: Captured| String::from_utf8(captured.0.lock().unwrap().clone()).unwrap().replace(&root, "/");
    Printed { results: text(results), remarks: text(remarks), fault: result.err() }
}

#[test]
fn show_prints_all_settings_one_of_them_or_their_origins() {
    let machine = Machine::new()
        .user("agent:\n  max_steps: 70\n")
        .project("policy: {deny: ['shell:git push']}\n")
        .var("MIMI_UI_COLOR", "never");
    let all = mimi(&machine, "config show", "").results;
    assert!(all.contains("agent:\n  mode: ask\n  max_steps: 70\n"), "{all}");
    assert_eq!(mimi(&machine, "config show agent.max_steps", "").results, "70\n");
    assert_eq!(mimi(&machine, "config show ui.color", "").results, "never\n");
    assert_eq!(mimi(&machine, "config show server", "").results, "url: \"\"\nmodel: \"\"\n");
    assert_eq!(
        mimi(&machine, "config show ui --json", "").results,
        "{\n  \"color\": \"never\",\n  \"screen\": \"auto\",\n  \"keys\": \"plain\",\n  \"mouse\": \"auto\",\n  \"notify\": \"auto\",\n  \"notify_after_s\": 10,\n  \"theme\": \"auto\",\n  \"status_command\": \"\",\n  \"walk\": \"first\"\n}\n"
    );
    let origins = mimi(&machine, "config show --origin", "").results;
    let expected = [
        "agent.max_steps: 70 # user /home/.config/mimi/config.yaml:2:14",
        "policy.deny[0]: \"shell:git push\" # project .mimi/config.yaml:1:17",
        "ui.color: \"never\" # env MIMI_UI_COLOR",
        "fix.max_rounds: 5 # default config/default.yaml:",
        "providers.vllm.kind: \"openai\" # default config/providers.yaml:",
    ];
    let squeezed: Vec<String> =
        origins.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    for line in expected {
        assert!(squeezed.iter().any(|found| found.starts_with(line)), "{line}\n{origins}");
    }
    let json = mimi(&machine, "config show agent.max_steps --origin --json", "").results;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["agent.max_steps"]["origin"]["layer"], "user");
    assert_eq!(json["agent.max_steps"]["origin"]["line"], 2);
}

#[test]
fn what_show_prints_is_a_settings_file_that_loads() {
    let machine = Machine::new().user("policy: {allow: ['a: b', 'no', '#x']}\nfix: {test_command: \"a\\nb\"}\nroutes: {chat: [vllm/a, ollama/b]}\nproviders: {vllm: {timeouts: {idle_s: 9}}}\n");
    let all = mimi(&machine, "config show", "").results;
    let again = Machine::new().user(&all);
    assert_eq!(mimi(&again, "config show --json", "").results, mimi(&machine, "config show --json", "").results);
}

#[test]
fn an_unknown_key_names_the_nearest() {
    let fault = mimi(&Machine::new(), "config show agent.max_stpes", "").fault.unwrap();
    assert_eq!((fault.kind, fault.hints[0].as_str()), (Kind::Usage, "mimi config show agent.max_steps"));
}

#[test]
fn check_reports_every_problem_and_says_what_was_read() {
    let fine = mimi(&Machine::new(), "config check", "");
    assert_eq!(fine.results, "ok: no settings file, the defaults are in use\n");
    let machine = Machine::new().system("agent: {max_steps: 5}\n").var("MIMI_AGENT_MOOD", "x");
    let fine = mimi(&machine, "config check", "");
    assert_eq!(fine.results, "ok: /etc/mimi/config.yaml\n");
    assert!(fine.remarks.starts_with("warning: the variable `MIMI_AGENT_MOOD`"), "{}", fine.remarks);
    let machine = machine.user("agent: {max_steps: 0, mood: 1}\n");
    let shown = mimi(&machine, "config show", "").fault.unwrap();
    assert!(shown.hints.contains(&"mimi config check lists all 2 problems".to_owned()), "{shown}");
    let wrong = mimi(&machine, "config check", "");
    assert!(wrong.remarks.contains("must be at least 1") && wrong.remarks.contains("2 problems"), "{}", wrong.remarks);
    let fault = wrong.fault.unwrap();
    assert!(fault.message.starts_with("unknown key `agent.mood`"), "{fault}");
    assert_eq!(fault.kind.exit_code(), 3);
}

#[test]
fn check_judges_one_file_alone_and_a_projects_file_as_such() {
    let machine = Machine::new().user("broken: [\n");
    write(&machine.path("a.yaml"), "agent: {max_steps: 500}\n");
    write(&machine.path("p/.mimi/config.yaml"), "agent: {max_steps: 500}\n");
    let line = |file: &str| format!("config check {}", machine.path(file).display());
    assert_eq!(mimi(&machine, &line("a.yaml"), "").results, "ok: /a.yaml\n");
    let of_project = mimi(&machine, &line("p/.mimi/config.yaml"), "");
    assert_eq!(of_project.results, "ok: /p/.mimi/config.yaml\n");
    assert_eq!(of_project.remarks, "note: only once the project is trusted: agent.max_steps\n");
    write(&machine.path("p/.mimi/config.yaml"), "sandbox: {tier: none}\n");
    let fault = mimi(&machine, &line("p/.mimi/config.yaml"), "").fault.unwrap();
    assert!(fault.message.contains("cannot be set by a project"), "{fault}");
    let fault = mimi(&machine, &line("gone.yaml"), "").fault.unwrap();
    assert!(fault.message.starts_with("cannot read"), "{fault}");
}

#[test]
fn path_prints_one_path_for_scripts_or_all_with_their_state() {
    let machine = Machine::new().project("");
    assert_eq!(mimi(&machine, "config path", "").results, "/home/.config/mimi/config.yaml\n");
    let all = "system  /etc/mimi/config.yaml (missing)\nuser    /home/.config/mimi/config.yaml (missing)\n\
               project /project/.mimi/config.yaml\n";
    assert_eq!(mimi(&machine, "config path --all", "").results, all);
}

#[test]
fn edit_creates_the_file_runs_the_editor_and_checks_the_result() {
    let machine = Machine::new();
    let editor = machine.path("editor");
    write(&editor, "#!/bin/sh\necho \"$1\" > \"$2.arg\"\necho 'agent: {max_stpes: 5}' >> \"$2\"\n");
    chmod(&editor, 0o700);
    let machine = machine.var("EDITOR", "/bin/false");
    let fault = mimi(&machine, "config edit", "").fault.unwrap();
    assert!(fault.message.contains("ended with code 1"), "{fault}");
    let text = std::fs::read_to_string(machine.user_file()).unwrap();
    assert!(text.starts_with("# Settings of mimi") && machine.load().is_ok(), "{text}");

    let visual = format!("{} --wait", editor.display());
    let machine = machine.var("VISUAL", &visual);
    let fault = mimi(&machine, "config edit", "").fault.unwrap();
    assert!(fault.message.starts_with("unknown key `agent.max_stpes`"), "{fault}");
    assert!(fault.hints.contains(&"mimi config edit".to_owned()), "{fault}");
    assert_eq!(std::fs::read_to_string(machine.path("home/.config/mimi/config.yaml.arg")).unwrap(), "--wait\n");

    let machine = machine.var("VISUAL", "no-such-editor-anywhere");
    let fault = mimi(&machine, "config edit", "").fault.unwrap();
    assert!(fault.message.contains("cannot start the editor `no-such-editor-anywhere`"), "{fault}");
}

/// What stands behind `#` in a new file must be right once the `#` is taken away.
#[test]
fn the_examples_of_a_new_file_load_when_uncommented() {
    let text = include_str!("../../../config/new.yaml");
    let uncommented: String = text
        .lines()
        // Prose has one space after the `#`; an example has none, or the two of its indentation.
        .map(
            |line| if line.starts_with("# ") && !line.starts_with("#  ") { line } else { line.trim_start_matches('#') },
        )
        .map(|line| format!("{line}\n"))
        .collect();
    let loaded = Machine::new().user(&uncommented).load().unwrap();
    assert_eq!(loaded.config.server.url, "http://dgx:8000/v1");
}

#[test]
fn auth_stores_lists_and_removes_without_ever_showing_a_key() {
    let machine = Machine::new().user("providers: {dgx: {kind: openai, base_url: 'http://h', api_key_env: DGX_KEY}}\n");
    let file = "/home/.config/mimi/credentials.yaml";
    let mut shown = String::new();
    let mut run = |machine: &Machine, line: &str| {
        let printed = mimi(machine, line, "sk-SECRET\n");
        shown += &format!("{printed:?}");
        printed
    };
    assert!(run(&machine, "auth list").remarks.contains("no keys"));
    assert_eq!(run(&machine, "auth set dgx").results, format!("stored the key of `dgx` in `{file}`\n"));
    let unknown = run(&machine, "auth set other");
    assert!(unknown.remarks.contains("there is no provider `other` yet") && unknown.fault.is_none());
    assert_eq!(run(&machine, "auth list").results, format!("{:<16} `{file}`\n{:<16} `{file}`\n", "dgx", "other"));
    let with_variable = machine.var("DGX_KEY", "sk-SECRET");
    assert!(run(&with_variable, "auth set dgx").remarks.contains("`DGX_KEY` is set and comes first"));
    assert!(run(&with_variable, "auth list").results.starts_with("dgx              the variable `DGX_KEY`\n"));
    assert!(run(&with_variable, "auth remove dgx").results.starts_with("removed the key of `dgx` from"));
    let fault = run(&with_variable, "auth remove dgx").fault.unwrap();
    assert_eq!((fault.message.as_str(), fault.hints[0].as_str()), ("no key of `dgx` is stored", "mimi auth list"));
    assert!(run(&with_variable, "auth set a/b").fault.is_some());
    assert!(!shown.contains("SECRET"), "{shown}");
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    struct Gone;
    impl Write for Gone {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let fault = Out::to(Gone, std::io::sink()).line("x").unwrap_err();
    assert_eq!(fault.kind.exit_code(), 0);
}
