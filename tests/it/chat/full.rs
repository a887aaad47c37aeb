//! Does the full screen work on a real terminal, from the first frame to what it leaves behind?

use std::time::Instant;

use crate::chat::Chat;
use crate::support::LIMIT;
use crate::support::pty::{Pty, key};

/// Gives the alternate screen back.
const GIVEN_BACK: &[u8] = b"\x1b[?1049l";

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Presses Ctrl-D twice: the first asks whether it was meant.
fn leave(pty: &mut Pty) {
    pty.send(key::CTRL_D).wait_until_shown("once more to leave").send(key::CTRL_D);
}

#[test]
fn words_are_answered_and_the_conversation_stays_in_the_scrollback() {
    let chat = Chat::new("  - say: \"Some **bold** words.\\n\\n- one\\n- two\\n\"\n");
    let mut pty = chat.start_full();
    pty.line("tell me").wait_until_shown("> tell me").wait_until_shown("Some bold words.").wait_until_shown("- two");
    let shown = pty.shown();
    assert!(shown.contains("qwen3-coder:30b  ask"), "{shown}");
    pty.wait_until("the turn is over", |shown| !shown.contains("esc stops"));
    leave(&mut pty);
    assert_eq!(pty.wait_exit(), 0);
    let raw = pty.raw().to_vec();
    let at = raw.windows(GIVEN_BACK.len()).rposition(|window| window == GIVEN_BACK).unwrap();
    let after = String::from_utf8_lossy(&raw[at..]).into_owned();
    assert!(after.contains("> ") && after.contains("tell me") && after.contains("bold"), "{after}");
    assert!(after.contains("to go on: mimi chat --resume "), "{after}");
}

#[test]
fn a_change_is_judged_piece_by_piece() {
    let calls = "  - calls: [{name: read_file, arguments: {path: a.txt}}]\n  - calls: [{name: edit_file, arguments: {path: a.txt, old_string: line 3, new_string: line three}}]\n  - say: as you wish\n";
    let chat = Chat::new(calls);
    let text: String = (1..9).map(|n| format!("line {n}\n")).collect();
    chat.env.write("a.txt", &text);
    let mut pty = chat.start_full();
    pty.line("change it").wait_until_shown("+line three").wait_until_shown("h piece by piece");
    answer(&mut pty, "h", "piece 1 of 1: a.txt");
    pty.send("n").wait_until_shown("left").send(key::ENTER).wait_until_shown("as you wish");
    assert_eq!(chat.env.read("a.txt"), text);
}

/// Presses a key until it is taken: keys that come too soon after a question answer nothing.
fn answer(pty: &mut Pty, key: &str, expected: &str) {
    let deadline = Instant::now() + LIMIT;
    while !pty.shown().contains(expected) {
        assert!(Instant::now() < deadline, "`{key}` was never taken:\n{}", pty.shown());
        pty.send(key).look();
    }
}

#[test]
fn a_killed_conversation_is_shown_again_as_it_was() {
    let chat = Chat::new("  - say: the first answer\n  - {say: I was about to say, stall: true}\n");
    let mut pty = chat.start_full();
    pty.line("one").wait_until_shown("the first answer");
    pty.wait_until("the turn is over", |shown| !shown.contains("esc stops"));
    pty.line("two").wait_until_shown("I was about to say").kill();
    let mut again = Pty::start(&chat.env, ["chat", "--resume"]);
    for words in ["> one", "the first answer", "> two", "I was about to say", "resumed"] {
        again.wait_until_shown(words);
    }
}

#[test]
fn any_size_at_any_moment_is_drawn_anew() {
    let chat = Chat::new("  - say: \"some words that are shown at any width there is\"\n");
    let mut pty = chat.start_full();
    pty.line("tell me").wait_until_shown("any width there is");
    for (columns, rows) in [(1, 1), (3, 2), (200, 60), (20, 5), (40, 12)] {
        pty.resize(columns, rows);
    }
    pty.wait_until_shown("some words that are shown at any width");
    pty.wait_until_shown("ask>");
    leave(&mut pty);
    assert_eq!(pty.wait_exit(), 0);
}

#[test]
fn a_terminal_that_is_gone_ends_it_and_nothing_is_lost() {
    let chat = Chat::new("  - say: kept words\n");
    let mut pty = chat.start_full();
    pty.line("keep this").wait_until_shown("kept words");
    pty.wait_until("the turn is over", |shown| !shown.contains("esc stops"));
    pty.hang_up();
    pty.wait_exit();
    let mut again = Pty::start(&chat.env, ["chat", "--resume"]);
    again.wait_until_shown("> keep this").wait_until_shown("kept words");
}

#[test]
fn what_a_model_prints_does_not_reach_the_terminal() {
    let chat = Chat::new("  - say: \"a\\e[2Jb\\e]0;owned\\ac\\u202ed\"\n");
    let mut pty = chat.start_full();
    pty.line("tell me").wait_until_shown(r"a\x1b[2Jb\x1b]0;owned\x07c\u{202e}d");
    assert!(!has(pty.raw(), b"owned\x07"));
}

#[test]
fn what_is_wrong_with_keys_and_themes_is_said_before_the_screen_is_taken() {
    let table = [
        ("keymap.yaml", "composer:\n  sumbit: [f5]\n", "", "did you mean `submit`?"),
        ("themes/mine.yaml", "accent: {fg: bleu}\n", "ui.theme=mine", "there is no colour `bleu`"),
        ("unused.yaml", "", "ui.theme=drak", "there is no theme `drak`"),
    ];
    for (file, text, set, expected) in table {
        let chat = Chat::new("  - say: hello\n");
        chat.env.write_home(format!(".config/mimi/{file}"), text);
        let set: &[&str] = if set.is_empty() { &[] } else { &["--set", set] };
        let mut pty = Pty::start(&chat.env, [&["chat"], set].concat());
        pty.wait_for(expected);
        assert_eq!(pty.wait_exit(), 3, "{}", pty.screen());
        assert!(!has(pty.raw(), b"\x1b[?1049h"), "the screen was taken");
    }
}

#[test]
fn terminals_that_can_do_no_better_go_line_by_line() {
    for (name, value) in [("TERM", "dumb"), ("TERM", ""), ("LC_ALL", "C")] {
        let mut chat = Chat::new("  - say: hello\n");
        chat.env.set(name, value);
        let mut pty = Pty::start(&chat.env, ["chat"]);
        pty.wait_for("Ctrl-D leaves").wait_for("ask> ");
        assert!(!has(pty.raw(), b"\x1b[?1049h"), "{name}={value}");
    }
}
