//! Is every mistake in a file answered with its place, its cause and what to do?

use crate::config::{Machine, chmod, write};

/// Loads each text as the user's file; the heading must hold message and place, the whole the hint, and nothing a secret.
fn assert_named(table: &[(&str, &str, &str, &str)]) {
    let mut wrong = Vec::new();
    for (text, message, place, hint) in table {
        let fault = Machine::new().user(text).fault();
        let heading = fault.lines().next().unwrap();
        let placed = heading.contains(&format!("/home/.config/mimi/config.yaml{place}"));
        if !(placed && heading.contains(message) && fault.contains(hint)) || fault.contains("SECRET") {
            wrong.push(format!("{text}{place} {fault}\n"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Text of the user's file; what the message must hold.
#[test]
fn mistakes_in_a_file_are_named_with_line_column_and_key() {
    let table = [
        ("agent:\n  max_stpes: 5\n", "unknown key `agent.max_stpes`", ":2:3)", "did you mean `agent.max_steps`?"),
        ("agnet: {}\n", "unknown key `agnet`", ":1:1)", "did you mean `agent`?"),
        ("zzz: 1\n", "unknown key `zzz`", ":1:1)", "mimi config show"),
        ("routes:\n  chatt: a/b\n", "unknown key `routes.chatt`", ":2:3)", "did you mean `routes.chat`?"),
        (
            "providers: {x: {kind: openai, base_url: 'http://h', api_key: sk-SECRET}}\n",
            "unknown key `providers.x.api_key`",
            ":1:53)",
            "did you mean `providers.x.api_key_env`?",
        ),
        ("agent: {max_steps: many}\n", "`agent.max_steps` must be a whole number, found text", ":1:20)", ""),
        ("agent: {max_steps: 1.5}\n", "found a number with a fraction", ":1:20)", ""),
        ("agent:\n  max_steps:\n", "must be a whole number, found nothing", ":2:3)", ""),
        ("agent: {max_steps: 0}\n", "`agent.max_steps` must be at least 1", ":1:20)", ""),
        ("model: {max_output_tokens: 0}\n", "`model.max_output_tokens` must be at least 1", ":1:28)", ""),
        ("fix: {test_timeout_s: -3}\n", "must be at least 1", ":1:23)", ""),
        ("session: {keep_days: 99999999}\n", "must be at most 36500", ":1:22)", ""),
        ("agent: 5\n", "`agent` must be a map of keys, found a whole number", ":1:8)", ""),
        ("policy: {allow: shell:ls}\n", "`policy.allow` must be a list of texts, found text", ":1:17)", ""),
        ("policy: {allow: [[a]]}\n", "`policy.allow[0]` must be text, found a list", ":1:18)", ""),
        ("server: {model: 3.5}\n", "must be text, found a number with a fraction: put it in quotes", ":1:17)", ""),
        ("agent: {mode: yolo}\n", "must be one of `plan`, `ask`, `auto` (", ":1:15)", "mimi config edit"),
        ("ui: {color: no}\n", "must be one of `auto`, `always`, `never`", ":1:13)", ""),
        (
            "providers: {x: {kind: soap, base_url: 'http://h'}}\n",
            "`providers.x.kind` must be one of `openai`",
            ":1:23)",
            "",
        ),
        ("providers: {x: {kind: openai}}\n", "`providers.x` is wrong: missing field `base_url`", ":1:16)", ""),
        (
            "providers: {x: {kind: openai, base_url: h}}\n",
            "`providers.x.base_url` must start with http://",
            ":1:41)",
            "",
        ),
        (
            "providers: {x: {kind: openai, base_url: 'http://u:SECRET@h'}}\n",
            "must not hold a user or password",
            ":1:41)",
            "",
        ),
        (
            "providers: {x: {kind: openai, base_url: 'http://h', api_key_env: sk-SECRET}}\n",
            "must be the name of an environment variable, not the key itself",
            ":1:66)",
            "",
        ),
        (
            "providers:\n  ollama:\n    headers:\n      Authorization: Bearer SECRET\n",
            "`providers.ollama.headers.Authorization` would hold a secret: name a variable in `api_key_env`",
            ":4:22)",
            "",
        ),
        ("providers: {auto: {kind: openai, base_url: 'http://h'}}\n", "`providers.auto` is no name", ":1:19)", ""),
        ("providers: {server: {kind: openai, base_url: 'http://h'}}\n", "`providers.server` is no name", ":1:21)", ""),
        ("routes: {chat: qwen}\n", "`routes.chat` must be `provider/model`", ":1:16)", ""),
        ("routes: {chat: olama/qwen}\n", "names the provider `olama`", ":1:16)", ""),
        ("server: {url: dgx}\n", "`server.url` must start with http://", ":1:15)", ""),
        ("agent: [\n", "unclosed bracket", ":1:8)", "mimi config edit"),
        ("agent: {}\nagent: {}\n", "duplicate key `agent`", ":2:1)", ""),
        ("\tagent: 1\n", "", ":1:", ""),
        ("- a\n", "`the file` must hold keys, found a list", ":1:1)", ""),
        ("just text with SECRET\n", "`the file` must hold keys, found text", ":1:1)", ""),
        ("a: &x [1, 2]\nb: [*x, *x]\n", "anchors (`&`) and aliases (`*`) are not supported", ":1:7)", ""),
    ];
    assert_named(&table);
}

#[test]
fn mistakes_in_routes_and_rows_of_providers_are_named_the_same_way() {
    let table = [
        ("routes: {chat: []}\n", "`routes.chat` is an empty list", ":1:16)", ""),
        ("routes: {chat: 3}\n", "`routes.chat` must be text, found a whole number", ":1:16)", ""),
        ("routes: {chat: {a: b}}\n", "`routes.chat` must be text or a list of texts, found a map", ":1:16)", ""),
        ("routes: {chat: [vllm/a, 5]}\n", "`routes.chat[1]` must be text, found a whole number", ":1:25)", ""),
        (
            "routes:\n  fix:\n    - vllm/a\n    - vlm/b\n",
            "`routes.fix[1]` names the provider `vlm`, which is not in `providers`; did you mean `vllm`?",
            ":4:7)",
            "mimi config edit",
        ),
        ("routes: {chat: [vllm/a, '']}\n", "`routes.chat[1]` must be `provider/model`", ":1:25)", ""),
        ("routes: {chat: [vllm/a, vllm/a]}\n", "`routes.chat[1]` stands in the list twice", ":1:25)", ""),
        ("providers: {vllm: {search: -1}}\n", "`providers.vllm.search` must be at least 0", ":1:28)", ""),
        ("providers: {vllm: {search: yes}}\n", "must be a whole number, found text", ":1:28)", ""),
        (
            "providers: {vllm: {timeouts: {idle_s: 0}}}\n",
            "`providers.vllm.timeouts.idle_s` must be at least 1",
            ":1:39)",
            "",
        ),
        (
            "providers: {vllm: {timeouts: {idle: 9}}}\n",
            "unknown key `providers.vllm.timeouts.idle`",
            ":1:31)",
            "did you mean `providers.vllm.timeouts.idle_s`?",
        ),
        (
            "providers: {vllm: {priority: {field: priority, ci: 1}}}\n",
            "`providers.vllm.priority` is wrong: missing field `interactive`",
            ":1:30)",
            "",
        ),
        (
            "providers: {vllm: {priority: {interactive: 0, ci: 1, background: 2}}}\n",
            "`providers.vllm.priority` must name either the `field` of the body or the `header`",
            ":1:30)",
            "",
        ),
        (
            "providers: {vllm: {priority: {field: messages, interactive: 0, ci: 1, background: 2}}}\n",
            "cannot use the field `messages`",
            ":1:30)",
            "",
        ),
        (
            "providers: {vllm: {priority: {header: x-api-key, interactive: 0, ci: 1, background: 2}}}\n",
            "has a header that would hold a secret",
            ":1:30)",
            "",
        ),
        (
            "providers: {vllm: {priority: {field: p, interactive: 0, ci: 1, background: 99999999999}}}\n",
            "`providers.vllm.priority.background` must be at most 2147483647",
            ":1:76)",
            "",
        ),
        (
            "providers: {vllm: {proxy: 'proxy:3128'}}\n",
            "`providers.vllm.proxy` must start with http:// or https://, like http://proxy:3128",
            ":1:27)",
            "",
        ),
        (
            "providers: {vllm: {proxy: 'http://u:SECRET@proxy:3128'}}\n",
            "`providers.vllm.proxy` must not hold a user or password",
            ":1:27)",
            "",
        ),
    ];
    assert_named(&table);
}

#[test]
fn all_problems_of_all_files_are_found_at_once() {
    let machine = Machine::new()
        .system("agent: {max_steps: -1, mood: 1}\n")
        .user("nonsense: 1\n")
        .project("ui: {color: never}\nserver: {url: 'http://evil'}\n")
        .var("MIMI_AGENT_MAX_TOKENS", "x");
    assert_eq!(machine.problems().len(), 6, "{:#?}", machine.problems());
}

/// The file is there and is no file of settings.
#[test]
fn files_that_cannot_be_settings_are_refused_by_name() {
    let table: [(&str, &[u8], &str); 3] = [
        ("not UTF-8", b"agent:\n  mode: \xff\n", "is not UTF-8 text (line 2)"),
        ("ten megabytes", &[b'#'; 10 * 1024 * 1024], "is larger than 262144 bytes"),
        ("zero bytes", b"agent: \0\n", ""),
    ];
    for (name, bytes, message) in table {
        let machine = Machine::new();
        write(&machine.user_file(), bytes);
        let fault = machine.fault();
        assert!(fault.contains(message) && fault.contains("/home/.config/mimi/config.yaml"), "{name}: {fault}");
    }
}

#[test]
fn a_folder_or_device_where_a_file_is_expected_is_refused_without_waiting() {
    let machine = Machine::new();
    std::fs::create_dir_all(machine.user_file()).unwrap();
    let fault = machine.fault();
    assert!(fault.contains("cannot read `/home/.config/mimi/config.yaml`"), "{fault}");
    assert!(fault.contains("caused by: it is a folder") && fault.contains("hint: ls -ld "), "{fault}");

    let machine = Machine::new();
    std::fs::create_dir_all(machine.project_file().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("/dev/zero", machine.project_file()).unwrap();
    assert!(machine.fault().contains("it is not a regular file"), "{}", machine.fault());
}

#[test]
fn an_unreadable_file_is_an_error_for_everybody_but_root() {
    let machine = Machine::new().user("agent: {max_steps: 5}\n");
    chmod(&machine.user_file(), 0o000);
    if std::fs::read(machine.user_file()).is_ok() {
        return; // Root reads everything.
    }
    let fault = machine.fault();
    assert!(fault.contains("cannot read") && fault.contains("Permission denied"), "{fault}");
}

#[test]
fn a_plain_file_or_dangling_link_in_the_way_counts_as_no_settings() {
    let machine = Machine::new();
    write(&machine.path("project/.mimi"), "a file");
    std::fs::create_dir_all(machine.user_file().parent().unwrap()).unwrap();
    std::os::unix::fs::symlink("nowhere", machine.user_file()).unwrap();
    assert!(machine.load().unwrap().files.is_empty());
}

#[test]
fn a_system_file_that_others_can_change_is_refused() {
    for mode in [0o620, 0o602, 0o666] {
        let machine = Machine::new().system("agent: {max_steps: 5}\n");
        chmod(&machine.system_file(), mode);
        let fault = machine.fault();
        assert!(fault.contains("`/etc/mimi/config.yaml` can be changed by others than its owner"), "{fault}");
        assert!(fault.contains("hint: sudo chmod go-w /etc/mimi/config.yaml"), "{fault}");
    }
    let machine = Machine::new().system("agent: {max_steps: 5}\n");
    chmod(&machine.system_file(), 0o644);
    assert_eq!(machine.load().unwrap().config.agent.max_steps, 5);
}

#[test]
fn a_user_file_that_everybody_can_change_is_refused() {
    let machine = Machine::new().user("agent: {max_steps: 5}\n");
    chmod(&machine.user_file(), 0o646);
    assert!(machine.fault().contains("hint: chmod o-w "), "{}", machine.fault());
    chmod(&machine.user_file(), 0o664);
    assert_eq!(machine.load().unwrap().config.agent.max_steps, 5);
}

#[test]
fn a_system_file_of_another_user_is_refused() {
    let machine = Machine::new().system("agent: {max_steps: 5}\n");
    if std::os::unix::fs::chown(machine.system_file(), Some(12_345), None).is_err() {
        return; // Only root can give files away; the rule itself has a unit test.
    }
    assert!(machine.fault().contains("belongs to another user"), "{}", machine.fault());
}

#[test]
fn keys_with_control_characters_cannot_act_on_the_terminal() {
    let fault = Machine::new().project("\"\\e]0;owned\\a\": 1\n").fault();
    assert!(fault.contains("\\x1b]0;owned\\x07") && !fault.contains('\u{1b}'), "{fault:?}");
}
