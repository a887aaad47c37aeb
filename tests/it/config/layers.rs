//! Does the right layer win, and is every value's origin known?

use mimi::config::origin::Layer;
use mimi::config::schema::{ProviderConfig, ProviderKind};
use mimi::config::ui::ColorChoice;
use mimi::model::providers::http::is_loopback;
use mimi::model::settings::GatewayConfig;
use mimi::protocol::op::Mode;
use mimi::protocol::task::Task;

use crate::config::Machine;

#[test]
fn without_any_file_the_defaults_are_in_use() {
    let loaded = Machine::new().load().unwrap();
    assert_eq!(loaded.config.agent.max_steps, 60);
    assert_eq!(loaded.config.agent.mode, Mode::Ask);
    assert_eq!(loaded.config.ui.color, ColorChoice::Auto);
    assert_eq!(loaded.config.routes.len(), Task::ALL.len());
    let names: Vec<&str> = loaded.config.providers.keys().map(String::as_str).collect();
    assert_eq!(names, ["litellm", "llamacpp", "nim", "ollama", "sglang", "triton", "trtllm", "vllm"]);
    assert!(loaded.warnings.is_empty() && loaded.files.is_empty(), "{:?}", loaded.warnings);
    let native = |(name, row): (&String, &ProviderConfig)| (row.kind != ProviderKind::Openai).then(|| name.clone());
    assert_eq!(loaded.config.providers.iter().filter_map(native).collect::<Vec<_>>(), ["ollama", "triton"]);
}

/// Each step adds a layer on top of those before it.
#[test]
fn each_layer_overrides_those_below_it() {
    let machine = Machine::new();
    let steps = |machine: &Machine| machine.load().unwrap().config.agent.max_steps;
    let layer = |machine: &Machine| machine.load().unwrap().origins.find("agent.max_steps").unwrap().layer;
    assert_eq!((steps(&machine), layer(&machine)), (60, Layer::Default));
    let machine = machine.system("agent: {max_steps: 50}");
    assert_eq!((steps(&machine), layer(&machine)), (50, Layer::System));
    let machine = machine.user("agent: {max_steps: 70}");
    assert_eq!((steps(&machine), layer(&machine)), (70, Layer::User));
    let machine = machine.project("agent: {max_steps: 20}");
    assert_eq!((steps(&machine), layer(&machine)), (20, Layer::Project));
    let machine = machine.var("MIMI_AGENT_MAX_STEPS", "500");
    assert_eq!((steps(&machine), layer(&machine)), (500, Layer::Env));
    let machine = machine.flag("agent.max_steps", "7").flag("agent.max_steps", "8");
    assert_eq!((steps(&machine), layer(&machine)), (8, Layer::Flag));
    assert_eq!(machine.load().unwrap().files.len(), 3);
}

#[test]
fn maps_merge_by_key_lists_replace_and_rules_add_up() {
    let loaded = Machine::new()
        .system(
            "providers: {dgx: {kind: openai, base_url: 'http://dgx:8000/v1', headers: {x-team: core}}}\n\
             policy: {allow: ['shell:make *'], deny: ['shell:rm *']}\ntools: {pass_env: [A, B]}\n",
        )
        .user(
            "providers:\n  dgx: {api_key_env: DGX_KEY, headers: {x-user: me}}\n  ollama: {base_url: 'http://gpu:11434/v1'}\n\
             policy: {allow: ['shell:cargo test']}\ntools: {pass_env: [C]}\n",
        )
        .project("policy:\n  deny:\n    - shell:git push\n")
        .load()
        .unwrap();
    let dgx = &loaded.config.providers["dgx"];
    assert_eq!((dgx.base_url.as_str(), dgx.api_key_env.as_str()), ("http://dgx:8000/v1", "DGX_KEY"));
    assert_eq!(dgx.headers.keys().collect::<Vec<_>>(), ["x-team", "x-user"]);
    assert_eq!(loaded.config.providers["ollama"].base_url, "http://gpu:11434/v1");
    assert_eq!(loaded.config.providers["ollama"].api_key_env, "MIMI_API_KEY");
    assert_eq!(loaded.config.policy.allow, ["shell:make *", "shell:cargo test"]);
    assert_eq!(loaded.config.policy.deny, ["shell:rm *", "shell:git push"]);
    assert_eq!(loaded.config.tools.pass_env, ["C"]);
    let origin = |key: &str| loaded.origins.find(key).map(|o| (o.layer, o.line, o.column)).unwrap();
    assert_eq!(origin("policy.deny[0]").0, Layer::System);
    assert_eq!(origin("policy.deny[1]"), (Layer::Project, 3, 7));
    assert_eq!(origin("providers.dgx.headers.x-team").0, Layer::System);
    assert_eq!(origin("providers.dgx.headers.x-user").0, Layer::User);
    assert_eq!(origin("tools.pass_env[0]"), (Layer::User, 5, 20));
    assert_eq!(origin("providers.vllm.base_url").0, Layer::Default);
    assert_eq!(loaded.origins.find("providers.vllm.base_url").unwrap().file, "config/providers.yaml");
}

#[test]
fn a_section_whose_lines_are_all_commented_out_changes_nothing() {
    let machine = Machine::new()
        .user("agent:\n#  max_steps: 5\npolicy:\n  allow:\n#    - x\nproviders:\n  ollama:\n")
        .project("# nothing here\n");
    let loaded = machine.load().unwrap();
    assert_eq!(loaded.config.agent.max_steps, 60);
    assert!(loaded.config.policy.allow.is_empty());
    assert_eq!(loaded.config.providers["ollama"].base_url, "http://127.0.0.1:11434");
}

#[test]
fn a_route_may_name_a_provider_of_another_layer() {
    let machine = Machine::new()
        .system("routes: {chat: dgx/Qwen/Qwen3-Coder}\n")
        .user("providers: {dgx: {kind: openai, base_url: 'http://dgx/v1'}}\n");
    assert_eq!(machine.load().unwrap().config.routes[&Task::Chat].0, ["dgx/Qwen/Qwen3-Coder"]);
}

#[test]
fn a_list_of_routes_replaces_one_and_one_replaces_a_list() {
    let machine = Machine::new().system("routes: {chat: [vllm/a, ollama/b], fix: vllm/a}\n");
    let machine = machine.user("routes:\n  chat: vllm/c\n  fix:\n    - vllm/a\n    - ollama/b\n");
    let config = machine.load().unwrap().config;
    assert_eq!(
        (&config.routes[&Task::Chat].0[..], &config.routes[&Task::Fix].0[..]),
        (&["vllm/c".to_owned()][..], &["vllm/a".to_owned(), "ollama/b".to_owned()][..])
    );
}

/// Servers of one's own come first, then the known ones of this machine in the order of their numbers.
#[test]
fn the_table_says_which_servers_are_asked_when_none_is_named() {
    let user = "providers:\n  zeus: {kind: openai, base_url: 'http://z/v1'}\n  far: {kind: openai, base_url: 'http://f/v1', search: 0}\n  played: {kind: script, base_url: p.yaml}\n";
    let config = Machine::new().user(user).load().unwrap().config;
    assert_eq!(GatewayConfig::of(&config).search, ["zeus", "ollama", "vllm", "llamacpp", "sglang"]);
    for (name, row) in config.providers.iter().filter(|(_, row)| row.search.is_some_and(|place| place > 0)) {
        assert!(is_loopback(&row.base_url) && !row.title.is_empty(), "{name}");
        assert!(row.priority.is_none() && row.proxy.is_empty(), "{name}: servers not started for it refuse it");
    }
}
