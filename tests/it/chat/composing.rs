//! Does what a person writes come out as they meant it: mentions, commands of their own, notes, drafts, what waits?

use std::time::Instant;

use crate::chat::Chat;
use crate::support::LIMIT;
use crate::support::pty::{Pty, key};

/// A PNG file of 2 by 3 pixels, as far as anybody looks.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x03\x08\x02\0\0\0\0\0\0\0\0\0\0\0";

fn is_over(pty: &mut Pty) {
    pty.wait_until("the turn is over", |shown| !shown.contains("esc stops"));
}

#[test]
fn what_is_mentioned_goes_along_once_before_the_words() {
    let chat = Chat::new("  - say: it subtracts\n  - say: still\n");
    chat.env.write("src/calc.py", "def add(a, b):\n    return a - b\n");
    let mut pty = chat.start_full();
    pty.send("what does @ca")
        .wait_until_shown("> src/calc.py")
        .send(key::TAB)
        .wait_until_shown("ask> what does @src/calc.py");
    pty.line("do?").wait_until_shown("it subtracts").wait_until_shown("+ src/calc.py");
    let first = chat.newest();
    assert!(first.contains("return a - b") && first.ends_with("what does @src/calc.py do?"), "{first}");
    is_over(&mut pty);
    pty.line("sure?").wait_until_shown("still");
    let request = chat.server.requests().pop().unwrap();
    assert_eq!(request["messages"].to_string().matches("return a - b").count(), 1);
}

#[test]
fn what_is_mentioned_goes_along_line_by_line_and_in_one_task_too() {
    let chat = Chat::new("  - say: it subtracts\n  - say: it subtracts\n");
    chat.env.write("calc.py", "def add(a, b):\n    return a - b\n");
    let mut pty = chat.start();
    pty.line("what does @calc.py do?").wait_for("it subtracts");
    assert!(chat.newest().contains("return a - b"), "{}", chat.newest());
    chat.env.run(["run", "what does @calc.py do?"]).outcome().success();
    assert!(chat.newest().contains("return a - b"), "{}", chat.newest());
}

#[test]
fn a_command_of_ones_own_runs_unasked_and_its_output_goes_with_the_next_words() {
    let chat = Chat::new("  - say: I see\n");
    let mut pty = chat.start_full();
    pty.line("!echo own-$((40+2))")
        .wait_until_shown("echo own-")
        .wait_until("it ran", |shown| !shown.contains("command runs"));
    pty.line("what was that?").wait_until_shown("I see");
    let newest = chat.newest();
    assert!(newest.contains("own-42") && newest.ends_with("what was that?"), "{newest}");
}

#[test]
fn a_command_of_ones_own_needs_no_mode_but_keeps_to_the_rules() {
    let chat = Chat::new("  - say: hello\n");
    let rule = "rules:\n  - deny: [touch, \"...\"]\n    match: [touch x]\n    not_match: [cat x]\n";
    chat.env.write_home(".config/mimi/policy.yaml", rule);
    let mut pty = Pty::start(&chat.env, ["chat", "--mode", "plan"]);
    pty.wait_until_shown("plan>").line("!touch forbidden.txt").wait_until_shown("refused");
    pty.line("!echo x > made.txt; echo it-is-$((1+1))").wait_until_shown("it-is-2");
    assert!(chat.env.work().join("made.txt").exists() && !chat.env.work().join("forbidden.txt").exists());
}

#[test]
fn a_command_of_ones_own_works_line_by_line_too() {
    let chat = Chat::new("  - say: I see\n");
    let mut pty = chat.start();
    pty.line("!echo own-$((40+2))").wait_for("ask> ").line("and?").wait_for("I see");
    assert!(chat.newest().contains("own-42"), "{}", chat.newest());
}

#[test]
fn a_note_is_kept_where_the_person_says() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = chat.start_full();
    pty.line("# tests run with make").wait_until_shown("note for").send(key::ENTER).wait_until_shown("noted in");
    assert_eq!(chat.env.read("AGENTS.md"), "- tests run with make\n");
}

#[test]
fn what_was_being_written_survives_a_kill() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = chat.start_full();
    pty.send("half a thought").wait_until_shown("ask> half a thought");
    let drafts = chat.env.home().join(".local/state/mimi/drafts");
    let deadline = Instant::now() + LIMIT;
    while std::fs::read_dir(&drafts).map_or(0, Iterator::count) == 0 {
        assert!(Instant::now() < deadline, "no draft was kept");
        pty.look();
    }
    pty.kill();
    pty.wait_exit();
    let mut again = Pty::start(&chat.env, ["chat"]);
    again.wait_until_shown("ask> half a thought");
}

#[test]
fn esc_twice_goes_back_to_an_earlier_message_and_its_words_come_back() {
    let chat = Chat::new("  - say: first answer\n  - say: second answer\n  - say: third answer\n");
    let mut pty = chat.start_full();
    pty.line("one thing").wait_until_shown("first answer");
    is_over(&mut pty);
    pty.line("another thing").wait_until_shown("second answer");
    is_over(&mut pty);
    pty.send(key::ESCAPE).wait_until_shown("once more").send(key::ESCAPE).wait_until_shown("back to before");
    pty.send(key::ENTER).wait_until_shown("words and files").send(key::ENTER);
    pty.wait_until_shown("turn 2 taken back").wait_until_shown("ask> another thing");
    pty.send(key::ENTER).wait_until_shown("third answer");
    let request = chat.server.requests().pop().unwrap();
    let text = request["messages"].to_string();
    assert!(text.contains("first answer") && !text.contains("second answer"), "{text}");
}

#[test]
fn what_is_queued_is_seen_changed_and_dropped() {
    let chat = Chat::new("  - {say: I was about to say, stall: true}\n");
    let mut pty = chat.start_full();
    pty.line("go").wait_until_shown("I was about to say");
    for words in ["first", "second"] {
        pty.send(words).send("\x1b\r").wait_until_shown(&format!("queued: {words}"));
    }
    pty.send("\x1bq").wait_until_shown("for later turns (2)").send("d").wait_until_shown("for later turns (1)");
    pty.send(key::ENTER).wait_until_shown("ask> second");
}

#[test]
fn everything_can_be_done_from_the_palette() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = chat.start_full();
    pty.send("\x10").wait_until_shown("/compact").send("choose the mode").wait_until_shown("> choose the mode");
    pty.send(key::ENTER).wait_until_shown("reads only").send("auto").wait_until_shown("> auto").send(key::ENTER);
    pty.wait_until_shown("auto>");
}

#[test]
fn models_are_chosen_from_those_the_server_has() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = chat.start_full();
    pty.line("/model").wait_until_shown("model (").wait_until_shown("> qwen3-coder:30b");
}

#[test]
fn an_image_goes_to_a_model_that_sees_and_not_to_another() {
    let seeing = Chat::of_model("qwen2.5-vl:7b", "  - say: a dot\n");
    let blind = Chat::new("  - say: a dot\n");
    for chat in [&seeing, &blind] {
        std::fs::write(chat.env.work().join("dot.png"), PNG).unwrap();
    }
    let mut pty = seeing.start_full();
    pty.line("what is @dot.png").wait_until_shown("a dot").wait_until_shown("dot.png, 2 x 3");
    let request = seeing.server.requests().pop().unwrap();
    let content = request["messages"].as_array().unwrap().last().unwrap()["content"].clone();
    assert_eq!(content[0]["type"], "image_url", "{content}");
    assert!(
        content[0]["image_url"]["url"].as_str().unwrap().starts_with("data:image/png;base64,iVBORw0K"),
        "{content}"
    );
    let mut pty = blind.start_full();
    pty.line("what is @dot.png").wait_until_shown("cannot see images").wait_until_shown("ask> what is @dot.png");
    assert!(blind.server.requests().is_empty());
    let stderr = blind.env.run(["run", "what is @dot.png"]).outcome().fails_with(2).stderr;
    assert!(stderr.contains("cannot see images") && stderr.contains("--model"), "{stderr}");
}

#[test]
fn the_keys_of_vi_are_there_for_those_who_want_them() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = Pty::start(&chat.env, ["chat", "--set", "ui.keys=vim"]);
    pty.wait_until_shown("-- INSERT --").send("one two").wait_until_shown("ask> one two").send(key::ESCAPE);
    pty.wait_until_shown("-- NORMAL --")
        .send("0dw")
        .wait_until("the first word is gone", |shown| shown.lines().any(|row| row.trim_end() == "ask> two"));
}
