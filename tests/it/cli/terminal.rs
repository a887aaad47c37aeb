//! Can bytes of tools, models, servers and file names do anything to the terminal?
//!
//! The filter alone against random bytes, in an emulator that tells what changed; then the real program in front of hostile
//! files, models and servers. `MIMI_FUZZ=1000000` tries as many.

use mimi::base::text::{coloured, coloured_whole, visible};
use serde_json::json;

use super::{scripted, served, user_of};
use crate::support::pty::{Pty, key};
use crate::support::wire::WireServer;
use crate::support::{Env, Outcome};

/// Strings tried in the suite.
const ROUNDS: u64 = 20_000;
const ROWS: u16 = 24;

/// What an emulator was asked for that is more than text and colours.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Heard(Vec<String>);

impl Heard {
    fn note(&mut self, what: impl std::fmt::Debug) {
        self.0.push(format!("{what:?}"));
    }
}

impl vt100::Callbacks for Heard {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.note("bell");
    }
    fn visual_bell(&mut self, _: &mut vt100::Screen) {
        self.note("visual bell");
    }
    fn resize(&mut self, _: &mut vt100::Screen, to: (u16, u16)) {
        self.note(("resize", to));
    }
    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, name: &[u8]) {
        self.note(("icon", name));
    }
    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.note(("title", title));
    }
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, to: &[u8], data: &[u8]) {
        self.note(("clipboard", to, data));
    }
    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, from: &[u8]) {
        self.note(("paste", from));
    }
    fn unhandled_char(&mut self, _: &mut vt100::Screen, c: char) {
        // What the emulator says of a byte that was no character.
        if c != char::REPLACEMENT_CHARACTER {
            self.note(("character", c));
        }
    }
    fn unhandled_control(&mut self, _: &mut vt100::Screen, byte: u8) {
        self.note(("control", byte));
    }
    fn unhandled_escape(&mut self, _: &mut vt100::Screen, first: Option<u8>, second: Option<u8>, byte: u8) {
        self.note(("escape", first, second, byte));
    }
    fn unhandled_csi(&mut self, _: &mut vt100::Screen, first: Option<u8>, second: Option<u8>, _: &[&[u16]], c: char) {
        self.note(("csi", first, second, c));
    }
    fn unhandled_osc(&mut self, _: &mut vt100::Screen, parameters: &[&[u8]]) {
        self.note(("osc", parameters));
    }
}

type Terminal = vt100::Parser<Heard>;

/// Everything about a terminal that is not the text on it.
fn modes(terminal: &Terminal) -> impl PartialEq + std::fmt::Debug + use<> {
    let screen = terminal.screen();
    (
        (screen.alternate_screen(), screen.application_keypad(), screen.application_cursor(), screen.hide_cursor()),
        (screen.bracketed_paste(), screen.mouse_protocol_mode(), screen.mouse_protocol_encoding(), screen.size()),
        (
            screen.fgcolor(),
            screen.bgcolor(),
            screen.bold(),
            screen.dim(),
            screen.italic(),
            screen.underline(),
            screen.inverse(),
        ),
        terminal.callbacks().0.clone(),
    )
}

/// What strings are made of, the likely ones several times.
const PIECES: &[&[u8]] = &[
    b"\x1b",
    b"\x1b[",
    b"\x1b]",
    b"\x1bP",
    b"\x1b_",
    b"\x1b^",
    b"\x1bX",
    b"\x1b\\",
    b"\x1b(",
    b"\x1b#",
    b"\x9b",
    b"\x9d",
    b"\x90",
    b"\x9c",
    "\u{9b}".as_bytes(),
    "\u{9d}".as_bytes(),
    "\u{90}".as_bytes(),
    "\u{85}".as_bytes(),
    b"\x07",
    b"\x08",
    b"\x0e",
    b"\x0f",
    b"\x0b",
    b"\x0c",
    b"\r",
    b"\n",
    b"\t",
    b"\x7f",
    b"\x00",
    b"\x18",
    b"\x1a",
    b"\x05",
    b"0",
    b"1",
    b"5",
    b"9",
    b"38",
    b"48",
    b";",
    b":",
    b"?",
    b">",
    b"<",
    b"=",
    b"!",
    b"$",
    b" ",
    b"m",
    b"m",
    b"A",
    b"H",
    b"J",
    b"K",
    b"L",
    b"S",
    b"T",
    b"h",
    b"l",
    b"r",
    b"s",
    b"u",
    b"t",
    b"n",
    b"c",
    b"p",
    b"q",
    b"x",
    b"text",
    b"\x1b[31m",
    b"\x1b[8m",
    b"\x1b[38;5;1m",
    b"\x1b[0m",
    b"\x1b[2J",
    b"\x1b[1;1H",
    b"\x1b[3;5r",
    b"\x1b[?1049h",
    b"\x1b[?25l",
    b"\x1b[?1003h",
    b"\x1b[?2004h",
    b"\x1b[5i",
    b"\x1b[!p",
    b"\x1b[>4;2m",
    b"\x1b[20h",
    b"\x1b[6n",
    b"\x1bc",
    b"\x1bM",
    b"\x1b7",
    b"\x1b8",
    b"\x1b(0",
    b"\x1b]0;title\x07",
    b"\x1b]52;c;aGk=\x07",
    b"\x1b]4;1;#f00\x1b\\",
    b"\x1b]8;;http://x\x1b\\",
    b"\x1bPq#0\x1b\\",
    b"\x1b_G\x1b\\",
    "\u{202e}".as_bytes(),
    "\u{2066}".as_bytes(),
    "\u{200b}".as_bytes(),
    "\u{feff}".as_bytes(),
    "\u{e0041}".as_bytes(),
    "é".as_bytes(),
    "日".as_bytes(),
    "\u{301}".as_bytes(),
    b"\xff",
    b"\xc3",
    b"\xf0\x9f",
];

/// A generator anybody can repeat: xorshift, with the number of the string as its seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % below
    }

    fn string(&mut self) -> Vec<u8> {
        let n_pieces = 1 + self.roll(14);
        let mut bytes = Vec::new();
        for _ in 0..n_pieces {
            match self.roll(8) {
                0 => bytes.push(self.roll(256) as u8),
                _ => bytes.extend_from_slice(PIECES[self.roll(PIECES.len())]),
            }
        }
        bytes
    }
}

/// Draws a text below a line of our own, as a terminal driver hands it on.
fn draw(terminal: &mut Terminal, text: &str) {
    terminal.process(b"\x1bcABOVE\r\n");
    terminal.process(text.replace('\n', "\r\n").as_bytes());
}

#[test]
fn random_bytes_change_nothing_of_a_terminal_but_the_text_below_the_cursor() {
    let rounds = std::env::var("MIMI_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(ROUNDS);
    let mut terminal = vt100::Parser::new_with_callbacks(ROWS, 80, 0, Heard::default());
    draw(&mut terminal, "");
    let fresh = modes(&terminal);
    let mut n_coloured = 0_u64;
    for round in 1..=rounds {
        let bytes = Dice(round.wrapping_mul(0x9e37_79b9_7f4a_7c15)).string();
        let text = String::from_utf8_lossy(&bytes);
        for shown in [coloured_whole(&text), visible(&text).into_owned()] {
            n_coloured += u64::from(shown.contains('\x1b'));
            draw(&mut terminal, &shown);
            assert_eq!(modes(&terminal), fresh, "{round}: {bytes:?}");
            let (row, _) = terminal.screen().cursor_position();
            assert!(row >= 1, "{round}: {bytes:?}");
            if row < ROWS - 1 {
                let above = terminal.screen().rows(0, 80).next().unwrap();
                assert_eq!(above, "ABOVE", "{round}: {bytes:?}");
            }
            // Were the region that scrolls another one, or characters drawn from another set, this would not end at the bottom.
            terminal.process(
                b"\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\n\r\nlqk",
            );
            assert_eq!(terminal.screen().cursor_position(), (ROWS - 1, 3), "{round}: {bytes:?}");
            assert_eq!(terminal.screen().rows(0, 80).last().unwrap(), "lqk", "{round}: {bytes:?}");
        }
    }
    assert!(n_coloured > rounds / 100, "colours came through in {n_coloured}");
    println!("{rounds} random strings: 0 changes of terminal state; colours in {n_coloured}");
}

#[test]
fn the_emulator_would_notice() {
    for hostile in [
        "\x1b]0;t\x07",
        "\x1b[?1049h",
        "\x1b[?25l",
        "\x1b]52;c;aGk=\x07",
        "\x1b[?1003h",
        "\x1b=",
        "\x07",
        "\x1b]4;1;#f00\x07",
        "\x1b[31m",
    ] {
        let mut terminal = vt100::Parser::new_with_callbacks(ROWS, 80, 0, Heard::default());
        draw(&mut terminal, "");
        let fresh = modes(&terminal);
        draw(&mut terminal, hostile);
        assert_ne!(modes(&terminal), fresh, "{hostile:?}");
    }
}

/// Title, clipboard, alternate screen, mouse, clearing, scroll region, conceal, C1, bidi, tag and zero-width characters.
const HOSTILE: &str = "\x1b]0;HACKED\x07\x1b]52;c;aGFja2Vk\x07\x1b[?1049h\x1b[?1003h\x1b[2J\x1b[H\x1b[2;5r\x1b[8m\u{9b}31m\u{202e}txt\u{e0041}\u{200b}\rSPOOF\x08";

/// Fails unless all an output does to a terminal is text and colours.
#[track_caller]
fn assert_tame(what: &str, output: &Outcome) {
    for (stream, text) in [("stdout", &output.raw_stdout), ("stderr", &output.raw_stderr)] {
        assert_eq!(coloured(text), text.as_str(), "{what}: {stream}");
    }
}

/// Writes a script with every character spelled out that YAML forbids.
fn script(turns: &serde_json::Value) -> String {
    let spell = |c: char| if c.is_ascii() { c.to_string() } else { format!("\\U{:08x}", u32::from(c)) };
    turns.to_string().chars().map(spell).collect()
}

fn hostile_name(end: &str) -> String {
    format!("evil{}{end}", HOSTILE.replace('/', "|"))
}

#[test]
fn hostile_files_and_models_reach_no_terminal_by_any_command() {
    let (name, other) = (hostile_name(".txt"), hostile_name(".md"));
    let turns = json!({"turns": [
        {"think": HOSTILE, "say": format!("{HOSTILE}\n"), "calls": [
            {"name": "write_file", "arguments": {"path": name, "content": HOSTILE}},
            {"name": "shell", "arguments": {"command": format!("printf '{HOSTILE}'; echo '{HOSTILE}' >&2; exit 3")}},
            {"name": format!("tool{HOSTILE}"), "arguments": {"x": HOSTILE}},
            {"name": "update_plan", "arguments": {"steps": [{"text": HOSTILE, "status": "done"}]}},
            {"name": "read_file", "arguments": {"path": format!("none{HOSTILE}")}},
            {"name": "git", "arguments": {"action": "status"}},
        ]},
        {"say": format!("done {HOSTILE}")},
    ]});
    let env = scripted(&script(&turns));
    env.write(&other, HOSTILE);
    env.write("AGENTS.md", HOSTILE);
    env.git_init();
    let task = format!("task {HOSTILE}");
    let run = |extra: &[&str]| {
        let arguments = ["run", &task, "--mode", "auto", "--allow", "shell:printf *", "--color", "always"];
        env.run(arguments.iter().chain(extra).copied()).outcome()
    };
    assert_tame("run", &run(&[]));
    let json_run = run(&["--json"]);
    assert_tame("run --json", &json_run);
    assert!(json_run.json_lines().len() > 10);
    let id = env.home().join(".local/state/mimi/sessions");
    let id = std::fs::read_dir(id).unwrap().flatten().next().unwrap().path();
    let id = id.file_stem().unwrap().to_str().unwrap();
    let hostile_key = format!("a{HOSTILE}=1");
    let commands: Vec<Vec<&str>> = vec![
        vec!["session", "list"],
        vec!["session", "list", "--json"],
        vec!["session", "show", id],
        vec!["session", "show", id, "--json"],
        vec!["session", "export", id, "--format", "jsonl"],
        vec!["session", "show", HOSTILE],
        vec!["checkpoint", "list"],
        vec!["checkpoint", "list", "--json"],
        vec!["checkpoint", "show", HOSTILE],
        vec!["undo", "--yes"],
        vec!["redo", "--yes"],
        vec!["policy", "test", HOSTILE],
        vec!["policy", "explain", HOSTILE],
        vec!["policy", "test", HOSTILE, "--json"],
        vec!["sandbox", "run", "--", "printf", "%s", HOSTILE],
        vec!["config", "show", HOSTILE],
        vec!["run", "x", "--set", &hostile_key],
        vec!["run", "x", "--model", HOSTILE],
        vec!["run", "x", "--allow", HOSTILE],
        vec!["run", "x", "-C", HOSTILE],
        vec!["auth", "remove", HOSTILE],
        vec!["fix", "--test", HOSTILE],
        vec![HOSTILE],
        vec!["run", "x", "--nope", HOSTILE],
        vec!["doctor", "--quick"],
        vec!["usage"],
    ];
    for command in commands {
        let outcome = env.run(command.iter().copied().chain(["--color", "always"])).outcome();
        assert_tame(&format!("{command:?}"), &outcome);
        let outcome = env.run(command.iter().copied()).outcome();
        assert_tame(&format!("{command:?}"), &outcome);
        assert!(!outcome.stderr.contains("bug in mimi"), "{outcome}");
    }
    // Last, because a file that cannot be read stops everything.
    env.write_home(".config/mimi/config.yaml", json!({ HOSTILE: HOSTILE }).to_string());
    for command in [["config", "check"], ["config", "show"], ["session", "list"]] {
        assert_tame("config", &env.run(command).outcome());
    }
}

#[test]
fn hostile_servers_reach_no_terminal() {
    let error = json!({"error": {"message": HOSTILE, "type": HOSTILE}}).to_string();
    for status in [400, 401, 404, 418] {
        let server = WireServer::answering(status, "application/json", error.clone());
        let env = user_of(&server);
        for arguments in [&["run", "x"][..], &["status"], &["doctor", "--quick"], &["run", "x", "--json"]] {
            assert_tame(&format!("{status} {arguments:?}"), &env.run(arguments.iter().copied()).outcome());
        }
    }
    // Names of models, and text that is no JSON at all.
    let names = json!({"data": [{"id": HOSTILE}, {"id": format!("two{HOSTILE}")}]}).to_string();
    let server = WireServer::serve(move |request, out| match request.path.as_str() {
        "/v1/models" => out.whole(200, "application/json", names.as_bytes()),
        _ => out.whole(500, "text/html", HOSTILE.as_bytes()),
    });
    let env = user_of(&server);
    for arguments in
        [&["status"][..], &["status", "--json"], &["doctor", "--quick"], &["run", "x"], &["run", "x", "-m", "no"]]
    {
        assert_tame(&format!("{arguments:?}"), &env.run(arguments.iter().copied()).outcome());
    }
}

#[test]
fn a_chat_stays_in_charge_of_its_terminal() {
    let name = hostile_name(".txt");
    let turns = json!({"turns": [
        {"think": HOSTILE, "say": format!("Look: {HOSTILE}\n"), "calls": [
            {"name": "write_file", "arguments": {"path": name, "content": format!("one\n{HOSTILE}\n")}},
            {"name": "shell", "arguments": {"command": format!("printf '%s' '{HOSTILE}'")}},
        ]},
        {"say": format!("done {HOSTILE}")},
    ]});
    let (mut env, _server) = served(&script(&turns));
    env.set("MIMI_UI_COLOR", "always");
    let mut pty = Pty::start(&env, ["chat", "--inline"]);
    pty.wait_for("> ").line("go");
    pty.wait_for("y once").send("y").wait_for("y once").send("y").wait_for("done ").wait_for("> ").send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
    let raw = String::from_utf8_lossy(pty.raw()).into_owned();
    for part in [
        "\x1b]",
        "\x1b[?1049h",
        "\x1b[?1003h",
        "\x1b[2J",
        "\x1b[2;5r",
        "\x1b[8m",
        "\u{9b}",
        "\u{202e}",
        "\u{e0041}",
        "\u{200b}",
        "\x07",
        "\x08",
        "\rSPOOF",
    ] {
        assert!(!raw.contains(part), "{part:?} reached the terminal");
    }
    assert!(raw.contains("\\x1b]0;HACKED\\x07"), "it is shown instead: {raw}");
    let mut terminal = vt100::Parser::new_with_callbacks(30, 100, 0, Heard::default());
    terminal.process(pty.raw());
    let screen = terminal.screen();
    assert!(!screen.alternate_screen() && !screen.hide_cursor() && !screen.bracketed_paste(), "left as it was found");
    let is_ours = |heard: &&String| !heard.starts_with("(\"csi\"");
    assert_eq!(terminal.callbacks().0.iter().find(is_ours), None, "{:?}", terminal.callbacks());
    drop(env);
}

#[test]
fn what_is_typed_by_a_hostile_env_is_shown_tame() {
    let env = Env::new();
    for (variable, value) in
        [("MIMI_AGENT_MODE", HOSTILE), ("MIMI_SERVER_URL", HOSTILE), ("TERM", HOSTILE), ("EDITOR", HOSTILE)]
    {
        for arguments in [&["doctor", "--quick"][..], &["run", "x"], &["config", "show", "--origin"]] {
            assert_tame(variable, &env.run(arguments.iter().copied()).env(variable, value).outcome());
        }
    }
}
