//! Is what is approved what is shown, and nothing more?

use crate::chat::Chat;
use crate::support::pty::key;

fn shell(command: &str) -> String {
    format!("  - calls: [{{name: shell, arguments: {{command: '{command}'}}}}]\n")
}

#[test]
fn a_command_is_shown_whole_and_runs_once() {
    let command =
        "echo one >> log; echo a command that is much longer than any line of a small terminal would ever be >> log";
    let chat = Chat::new(&format!("{}{}  - say: Both done.\n", shell(command), shell(command)));
    let mut pty = chat.start();
    pty.line("write the log").wait_for(&format!("? Run {command}")).wait_for("y once").send("y");
    pty.wait_for("- Ran echo one").wait_for(&format!("? Run {command}")).wait_for("y once").send("y");
    pty.wait_for("Both done.").wait_for("ask> ");
    assert_eq!(chat.env.read("log").lines().count(), 4);
    pty.line("/quit");
    assert_eq!(pty.wait_exit(), 0);
}

#[test]
fn approving_for_the_session_covers_exactly_that_command() {
    let turns = [shell("echo same >> log"), shell("echo same >> log"), shell("echo same >> log; echo more >> log")];
    let chat = Chat::new(&format!("{}  - say: Enough.\n", turns.concat()));
    let mut pty = chat.start();
    pty.line("go").wait_for("? Run echo same >> log").wait_for("y once").send("s");
    pty.wait_for("- Ran").wait_for("- Ran").wait_for("? Run echo same >> log; echo more").wait_for("y once").send("n");
    pty.wait_for("refused").wait_for("Enough.").wait_for("ask> ");
    assert_eq!(chat.env.read("log"), "same\nsame\n");
    assert!(chat.newest().contains("the user refused this call"), "{}", chat.newest());
    assert_eq!(pty.screen().matches("y once").count(), 2);
}

#[test]
fn a_change_is_shown_as_a_diff_and_a_refusal_can_say_why() {
    let chat = Chat::new(
        "  - calls: [{name: read_file, arguments: {path: a.txt}}]\n  \
         - calls: [{name: edit_file, arguments: {path: a.txt, old_string: two, new_string: zwei}}]\n  \
         - calls: [{name: edit_file, arguments: {path: a.txt, old_string: two, new_string: deux}}]\n  \
         - say: As you like.\n",
    );
    chat.env.write("a.txt", "one\ntwo\nthree\n");
    let mut pty = chat.start();
    pty.line("translate").wait_for("- Read a.txt").wait_for("-two").wait_for("+zwei").wait_for("? Edit ");
    pty.wait_for("y once").send("r").wait_for("reason> ").line("use French");
    pty.wait_for("+deux").wait_for("y once");
    assert_eq!(chat.env.read("a.txt"), "one\ntwo\nthree\n", "nothing happens before the answer");
    assert!(chat.newest().ends_with("use French"), "{}", chat.newest());
    pty.send("y").wait_for("- Edited a.txt").wait_for("As you like.").wait_for("ask> ");
    assert_eq!(chat.env.read("a.txt"), "one\ndeux\nthree\n");
}

#[test]
fn keys_pressed_before_the_question_approve_nothing() {
    let chat = Chat::new(&format!("{}  - say: Over.\n", shell("echo ran >> log")));
    let mut pty = chat.start();
    // In one piece with the line that starts the turn: all of it is typed before anything is asked.
    pty.send("go\ryyy").wait_for("? Run echo ran").wait_for("y once").send("n").wait_for("Over.").wait_for("> ");
    assert!(!chat.env.work().join("log").exists());
    assert!(pty.screen().contains("refused"), "{}", pty.screen());
}

#[test]
fn ctrl_c_at_a_question_interrupts_the_turn() {
    let chat = Chat::new(&format!("{}  - say: Still here.\n", shell("echo ran >> log")));
    let mut pty = chat.start();
    pty.line("go").wait_for("y once").send(key::CTRL_C).wait_for("! interrupted").wait_for("ask> ");
    pty.line("are you there?").wait_for("Still here.");
    assert!(!chat.env.work().join("log").exists());
}

#[test]
fn a_question_of_the_model_is_answered_by_number_or_in_words() {
    let ask = "  - calls: [{name: ask_user, arguments: {question: Which one?, options: [left, right]}}]\n";
    let chat = Chat::new(&format!("{ask}{ask}  - say: Thanks.\n"));
    let mut pty = chat.start();
    pty.line("choose").wait_for("? Which one?").wait_for("1. left").wait_for("2. right").wait_for("answer> ").line("2");
    pty.wait_for("? Which one?").wait_for("answer> ");
    assert!(chat.newest().ends_with("right"), "{}", chat.newest());
    pty.line("neither of them").wait_for("Thanks.");
    assert!(chat.newest().ends_with("neither of them"), "{}", chat.newest());
}

/// A file, a model that changes both ends of it, and a chat in which it waits for the approval.
fn two_pieces() -> Chat {
    let content = |first: &str, last: &str| {
        let middle: String = (2..30).map(|n| format!("line {n}\\n")).collect();
        format!("{first}\\n{middle}{last}\\n")
    };
    let chat = Chat::new(&format!(
        "  - calls: [{{name: read_file, arguments: {{path: a.txt}}}}]\n  \
         - calls: [{{name: write_file, arguments: {{path: a.txt, content: \"{}\"}}}}]\n  - say: As you like.\n",
        content("FIRST", "LAST")
    ));
    chat.env.write("a.txt", content("first", "last").replace("\\n", "\n"));
    chat
}

#[test]
fn a_change_is_judged_piece_by_piece() {
    let chat = two_pieces();
    let mut pty = chat.start();
    pty.line("shout").wait_for("+LAST").wait_for("h piece by piece").send("h");
    pty.wait_for("? piece 1 of 2: a.txt").wait_for("+FIRST").wait_for("d leave them").send("r");
    pty.wait_for("reason> ").line("not so loud");
    pty.wait_for("? piece 2 of 2: a.txt").wait_for("d leave them").send("y");
    pty.wait_for("in part, +1 -1").wait_for("As you like.").wait_for("ask> ");
    let text = chat.env.read("a.txt");
    assert!(text.starts_with("first\n") && text.ends_with("LAST\n"), "{text}");
    assert!(chat.newest().contains("(not so loud):\n-first\n+FIRST"), "{}", chat.newest());
}

#[test]
fn a_piece_is_rewritten_in_the_editor() {
    let mut chat = two_pieces();
    let editor = chat.env.write("editor.sh", "#!/bin/sh\nsed -i s/FIRST/Mine/ \"$1\"\n");
    chat.env.set("EDITOR", format!("sh {}", editor.display()));
    let mut pty = chat.start();
    pty.line("shout").wait_for("h piece by piece").send("h");
    pty.wait_for("? piece 1 of 2").wait_for("d leave them").send("e");
    pty.wait_for("? piece 2 of 2").wait_for("d leave them").send("d");
    pty.wait_for("As you like.").wait_for("ask> ");
    let text = chat.env.read("a.txt");
    assert!(text.starts_with("Mine\n") && text.ends_with("last\n"), "{text}");
    assert!(chat.newest().contains("so that it reads:\nMine\nline 2"), "{}", chat.newest());
    let left = std::fs::read_dir(chat.env.home().join(".local/state/mimi/edit")).unwrap().count();
    assert_eq!(left, 0, "the text for the editor stays behind");
}

#[test]
fn on_a_wide_terminal_both_sides_stand_beside_each_other() {
    let chat = two_pieces();
    let mut pty = chat.start();
    pty.resize(160, 50).line("shout").wait_for("1 -first").wait_for("│     1 +FIRST").wait_for("y once").send("n");
    pty.wait_for("As you like.").wait_for("ask> ");
}
