//! Do `MIMI_*` variables and flags set what they say?

use mimi::base::fault::{Fault, Kind};
use mimi::protocol::op::Mode;
use mimi::protocol::task::Task;

use crate::config::Machine;

#[test]
fn every_sort_of_value_can_come_from_a_variable() {
    let loaded = Machine::new()
        .var("MIMI_SERVER_URL", "http://dgx:8000/v1")
        .var("MIMI_SERVER_MODEL", "3.5")
        .var("MIMI_AGENT_MODE", "plan")
        .var("MIMI_POLICY_DENY", "[a, 'b: c']")
        .var("MIMI_FIX_TEST_COMMAND", "echo \"a: b\" # {not yaml}")
        .var("MIMI_PROVIDERS", "{dgx: {kind: openai, base_url: 'http://dgx/v1'}}")
        .var("MIMI_PROVIDERS_VLLM_BASE_URL", "http://gpu:8000/v1")
        .var("MIMI_ROUTES_CHAT", "dgx/qwen")
        .var("MIMI_ROUTES_FIX", "[dgx/qwen, vllm/q]")
        .var("MIMI_PROVIDERS_VLLM_TIMEOUTS_IDLE_S", "30")
        .var("MIMI_AGENT_MAX_TOKENS", "")
        .load()
        .unwrap();
    let config = &loaded.config;
    assert_eq!((config.server.url.as_str(), config.server.model.as_str()), ("http://dgx:8000/v1", "3.5"));
    assert_eq!(config.agent.mode, Mode::Plan);
    assert_eq!(config.policy.deny, ["a", "b: c"]);
    assert_eq!(config.fix.test_command, "echo \"a: b\" # {not yaml}");
    assert_eq!(config.providers["vllm"].base_url, "http://gpu:8000/v1");
    assert_eq!(config.providers["dgx"].base_url, "http://dgx/v1");
    assert_eq!(config.providers["vllm"].timeouts.idle_s, Some(30));
    assert_eq!(config.routes[&Task::Chat].0, ["dgx/qwen"]);
    assert_eq!(config.routes[&Task::Fix].0, ["dgx/qwen", "vllm/q"]);
    assert_eq!(loaded.origins.find("agent.mode").unwrap().to_string(), "MIMI_AGENT_MODE");
    assert!(loaded.warnings.is_empty(), "{:?}", loaded.warnings);
}

#[test]
fn wrong_values_name_the_variable_or_the_command_line() {
    let table = [
        (
            "MIMI_AGENT_MAX_STEPS",
            "many SECRET",
            "`agent.max_steps` must be a whole number, found text (MIMI_AGENT_MAX_STEPS)",
        ),
        ("MIMI_AGENT_MAX_STEPS", "0", "`agent.max_steps` must be at least 1 (MIMI_AGENT_MAX_STEPS)"),
        ("MIMI_AGENT_MODE", "SECRET", "`agent.mode` must be one of `plan`, `ask`, `auto` (MIMI_AGENT_MODE)"),
        ("MIMI_POLICY_DENY", "[a", "`policy.deny` is not YAML that can be read"),
        ("MIMI_SERVER_URL", "dgx", "`server.url` must start with http://"),
        ("MIMI_PROVIDERS", "{x: {kynd: 1}}", "unknown key `providers.x.kynd` (MIMI_PROVIDERS)"),
    ];
    for (name, value, message) in table {
        let fault = Machine::new().var(name, value).fault();
        assert!(fault.contains(message) && fault.contains(name) && !fault.contains("SECRET"), "{fault}");
    }
    let fault = Machine::new().flag("agent.max_stpes", "5").fault();
    assert!(
        fault.starts_with("error: unknown key `agent.max_stpes` (command line)\nhint: did you mean `agent.max_steps`?")
    );
    let error = Machine::new().flag("agent.max_steps", "x").load().unwrap_err();
    assert_eq!(Fault::from(error).kind, Kind::Usage);
}

#[test]
fn variables_that_are_no_settings_are_reported_and_stop_nothing() {
    let loaded = Machine::new()
        .user("providers: {dgx: {kind: openai, base_url: 'http://h', api_key_env: MIMI_DGX}}\n")
        .var("MIMI_AGENT_MAX_STEP", "5")
        .var("MIMI_\u{1b}[31m", "5")
        .var("MIMI_UPDATE", "1")
        .var("MIMI_SLOW_TESTS", "1")
        .var("MIMI_API_KEY", "sk-SECRET")
        .var("MIMI_API_KEY_FILE", "/x")
        .var("MIMI_DGX", "sk-SECRET")
        .var("MIMI_DGX_FILE", "/x")
        .var("MIMIC", "1")
        .load()
        .unwrap();
    let warnings = loaded.warnings.join("\n");
    assert_eq!(loaded.warnings.len(), 2, "{warnings}");
    assert!(
        warnings
            .contains("`MIMI_AGENT_MAX_STEP` is not a setting and was ignored; did you mean `MIMI_AGENT_MAX_STEPS`?")
    );
    assert!(!warnings.contains('\u{1b}'));
}

#[test]
fn a_variable_that_is_not_text_is_named() {
    use mimi::config::env::Env;
    use std::os::unix::ffi::OsStringExt as _;
    let machine = Machine::new();
    let odd = std::ffi::OsString::from_vec(vec![b'1', 0xfe]);
    let home: std::ffi::OsString = machine.path("home").into_os_string();
    let env = Env::from_pairs([("HOME", home), ("MIMI_AGENT_MAX_STEPS", odd)]);
    let (dirs, system_file) = (machine.dirs(), machine.system_file());
    let sources = mimi::config::layer::Sources {
        env: &env,
        dirs: &dirs,
        system_file: &system_file,
        project_root: None,
        trusted_hash: None,
        flags: Vec::new(),
    };
    let error = mimi::config::layer::load(&sources).unwrap_err();
    assert_eq!(error.to_string(), "`MIMI_AGENT_MAX_STEPS` is not UTF-8 text");
}
