//! Does somebody who goes line by line get to all that full screen has around the conversation?

use crate::chat::Chat;
use crate::support::pty::{Pty, key};

/// An answer that a server has counted.
const ANSWER: &str = "  - {say: hello, usage: {input: 100, output: 7}}\n";

fn text() -> String {
    (1..=40).map(|n| format!("line {n}\n")).collect()
}

/// A repository in which line 3 and line 30 of `a.txt` changed.
fn changed(turns: &str) -> Chat {
    let chat = Chat::new(turns);
    chat.env.write("a.txt", text());
    chat.env.git_init();
    chat.env.write("a.txt", text().replace("line 3\n", "line three\n").replace("line 30\n", "line thirty\n"));
    chat
}

#[test]
fn hunks_are_rejected_and_remarked_on_and_the_model_is_told() {
    let chat = changed("  - say: as you wish\n");
    let mut pty = chat.start();
    pty.line("/diff").wait_for("1 file, +2 -2").wait_for("hunk 1 of 2").wait_for("q leave");
    pty.send("r").wait_for("reason> ").line("too long").wait_for("hunk 2 of 2").wait_for("q leave");
    assert!(!chat.env.read("a.txt").contains("three") && chat.env.read("a.txt").contains("thirty"));
    pty.send("c")
        .wait_for("line, empty")
        .line("30")
        .wait_for("comment> ")
        .line("why in words?")
        .wait_for("of 2 decided");
    pty.send("t").wait_for("as you wish");
    let said = chat.newest();
    for expected in ["too long", "a.txt:30: why in words?", "+line thirty"] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
}

#[test]
fn a_decision_is_undone_and_leaving_says_nothing_to_the_model() {
    let chat = changed("  - say: hello\n");
    let before = chat.env.read("a.txt");
    let mut pty = chat.start();
    pty.line("/diff")
        .wait_for("hunk 1 of 2")
        .wait_for("q leave")
        .send("n")
        .wait_for("1 of 2 decided")
        .wait_for("q leave");
    assert_ne!(chat.env.read("a.txt"), before);
    pty.send("z").wait_for("0 of 2 decided").send("q").wait_for("ask> ");
    assert_eq!(chat.env.read("a.txt"), before);
    pty.line("/diff staged").wait_for("nothing changed").wait_for("ask> ").line("hi").wait_for("hello");
    assert!(chat.newest().ends_with("hi"), "{}", chat.newest());
}

#[test]
fn what_is_staged_is_committed_with_a_message_that_was_shown() {
    let chat = changed("  - say: 'fix: count in words'\n");
    let mut pty = chat.start();
    pty.line("/diff").wait_for("q leave").send("w").wait_for("2 of 2 decided");
    pty.send("m")
        .wait_for("fix: count in words")
        .wait_for("y yes, e edit it first, n no")
        .send("y")
        .wait_for("committed");
    assert_eq!(chat.env.git(["log", "-1", "--format=%s"]), "fix: count in words\n");
    pty.send("q").wait_for("ask> ");
}

#[test]
fn what_fills_the_window_and_what_changed_files_is_listed_and_put_back() {
    let chat =
        Chat::new("  - calls: [{name: write_file, arguments: {path: new.txt, content: hello}}]\n  - say: written\n");
    let mut pty = Pty::start(&chat.env, ["chat", "--inline", "--mode", "auto"]);
    pty.wait_for("auto> ").line("write it").wait_for("written").wait_for("auto> ");
    pty.line("/context").wait_for("how mimi tells the model to work").wait_for("goes back> ").send(key::ENTER);
    pty.wait_for("auto> ").line("/checkpoints").wait_for("checkpoints (1)").wait_for("goes back> ");
    pty.line("1").wait_for("+hello").wait_for("goes back> ");
    pty.line("restore 1").wait_for("y does it> ").line("y").wait_for("1 path put back").wait_for("goes back> ");
    assert!(!chat.env.work().join("new.txt").exists());
    pty.send(key::CTRL_C)
        .wait_for("auto> ")
        .line("/artefacts")
        .wait_for("new.txt")
        .wait_for("goes back> ")
        .send(key::ENTER);
    pty.wait_for("auto> ").line("/find written").wait_for("model: written");
}

#[test]
fn another_session_is_gone_on_with_and_a_file_is_looked_at() {
    let chat = Chat::new("  - say: about the parser\n  - say: about the printer\n");
    chat.env.write("long.txt", (1..=100).map(|n| format!("row {n}\n")).collect::<String>());
    let mut pty = chat.start();
    pty.line("first words")
        .wait_for("about the parser")
        .wait_for("ask> ")
        .line("/new")
        .wait_for("/help lists the commands");
    pty.wait_for("ask> ").line("other words").wait_for("about the printer").wait_for("ask> ");
    pty.line("/sessions").wait_for("sessions (2)").wait_for("goes back> ").line("go 2");
    pty.wait_for("resumed after 1 turn").wait_for("> first words").wait_for("ask> ");
    pty.line("/open long.txt:90").wait_for("row 90").wait_for("row 100").wait_for("ask> ");
    pty.line("/rename the first").wait_for("it is called `the first` now");
}

#[test]
fn what_fills_nothing_of_the_window_is_shown_as_nothing() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = chat.start();
    pty.line("hi").wait_for("hello").wait_for("ask> ");
    pty.line("/context").wait_for("results  0 tokens, 0.0%").wait_for("goes back> ");
}

#[test]
fn a_note_goes_back_with_the_turn() {
    let chat = Chat::new("  - say: hello\n");
    chat.env.write("AGENTS.md", "# Rules\n");
    let mut pty = chat.start();
    pty.line("hi").wait_for("hello").wait_for("ask> ");
    pty.line("# run make").wait_for("note for").line("p").wait_for("/undo takes it back");
    assert!(chat.env.read("AGENTS.md").contains("- run make"));
    pty.wait_for("ask> ").line("/undo").wait_for("turn 1 taken back; restored: AGENTS.md");
    assert_eq!(chat.env.read("AGENTS.md"), "# Rules\n");
}

#[test]
fn a_turn_says_what_it_cost_where_there_are_prices() {
    let chat = Chat::new(&format!("{ANSWER}{ANSWER}"));
    chat.env
        .write_home(".config/mimi/config.yaml", "prices: {'*': {input_per_mtok: 1000.0, output_per_mtok: 1000.0}}\n");
    let mut pty = chat.start();
    pty.line("hi").wait_for("hello").wait_for("written").wait_for(", cost ");
    drop(pty);
    let mut pty = chat.start_full();
    pty.line("hi").wait_until_shown("hello").wait_until_shown("cost 0.11");
}
