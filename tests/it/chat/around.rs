//! Do the views around the conversation work on a real terminal, with real sessions?

use crate::chat::Chat;
use crate::support::pty::{Pty, key};

const F2: &str = "\x1bOQ";
const F5: &str = "\x1b[15~";
const F6: &str = "\x1b[17~";

fn over(pty: &mut Pty) {
    pty.wait_until("the turn is over", |shown| !shown.contains("esc stops"));
}

#[test]
fn another_session_is_gone_on_with_and_the_draft_goes_along() {
    let chat = Chat::new("  - say: about the parser\n  - say: about the printer\n  - say: and on with the parser\n");
    let mut pty = chat.start_full();
    pty.line("first words").wait_until_shown("about the parser");
    over(&mut pty);
    pty.line("/new").wait_until("a new session", |shown| !shown.contains("about the parser"));
    pty.wait_until_shown("ask>").line("other words").wait_until_shown("about the printer");
    over(&mut pty);
    pty.send("a draft").wait_until_shown("ask> a draft");
    pty.send(F2).wait_until_shown("sessions (2)").send("parser").wait_until_shown("sessions (1) parser");
    pty.wait_until_shown("answer: about the parser");
    pty.send(key::ENTER).wait_until_shown("resumed").wait_until_shown("> first words").wait_until_shown("ask> a draft");
    pty.send(key::ENTER).wait_until_shown("and on with the parser");
    let request = chat.server.requests().pop().unwrap().to_string();
    assert!(request.contains("first words") && request.contains("a draft") && !request.contains("other words"));
}

#[test]
fn a_copy_is_gone_on_in_and_the_first_stays_as_it_was() {
    let chat = Chat::new("  - say: one\n  - say: two\n");
    let mut pty = chat.start_full();
    pty.line("first words").wait_until_shown("one");
    over(&mut pty);
    pty.line("/rename the first").wait_until_shown("it is called `the first` now");
    pty.line("/fork").wait_until_shown("resumed").wait_until_shown("> first words");
    pty.line("more words").wait_until_shown("two");
    over(&mut pty);
    pty.send(F2).wait_until_shown("sessions (2)").wait_until_shown("a copy");
    let shown = pty.shown();
    assert_eq!(shown.matches("the first").count(), 2, "{shown}");
}

#[test]
fn a_session_in_use_elsewhere_leaves_the_present_one_as_it_is() {
    let chat = Chat::new("  - say: mine\n  - say: yours\n");
    let mut mine = chat.start_full();
    mine.line("my words").wait_until_shown("mine");
    over(&mut mine);
    let mut yours = chat.start_full();
    yours.line("your words").wait_until_shown("yours");
    over(&mut yours);
    yours.send(F2).wait_until_shown("sessions (2)").send("mine").wait_until_shown("sessions (1) mine");
    yours.send(key::ENTER).wait_until_shown("process ").wait_until_shown("> your words").wait_until_shown("ask>");
}

#[test]
fn what_a_turn_changed_is_put_back_and_the_window_is_seen() {
    let chat =
        Chat::new("  - calls: [{name: write_file, arguments: {path: new.txt, content: hello}}]\n  - say: written\n");
    let mut pty = Pty::start(&chat.env, ["chat", "--mode", "auto"]);
    pty.wait_until_shown("auto>").line("write it").wait_until_shown("written");
    over(&mut pty);
    assert_eq!(chat.env.read("new.txt").trim(), "hello");
    pty.send(F5).wait_until_shown("window").wait_until_shown("how mimi tells the model to work");
    pty.wait_until_shown("results");
    pty.send(key::ESCAPE)
        .wait_until_shown("written")
        .send(F6)
        .wait_until_shown("checkpoints (1)")
        .wait_until_shown("turn 1")
        .wait_until_shown("+hello");
    pty.send("\x12").wait_until_shown("once more").send("\x12").wait_until_shown("1 path put back");
    assert!(!chat.env.work().join("new.txt").exists());
}

#[test]
fn a_command_of_the_users_says_the_line_and_a_projects_never_does() {
    let mut chat = Chat::new("  - say: hello\n");
    chat.env.set("MIMI_UI_STATUS_COMMAND", "tr -d '\\n' | grep -o '\"mode\":\"[a-z]*\"' | sed 's/^/mine: /'");
    let mut pty = chat.start_full();
    pty.wait_until_shown("mine: \"mode\":\"ask\"");
    drop(pty);
    chat.env.write(".mimi/config.yaml", "ui: {status_command: 'touch owned; echo owned'}\n");
    let mut pty = Pty::start(&chat.env, ["chat"]);
    pty.wait_for("ui.status_command");
    assert_eq!(pty.wait_exit(), 3, "{}", pty.screen());
    assert!(!chat.env.work().join("owned").exists());
}

#[test]
fn an_answer_of_the_terminal_that_comes_late_is_not_typed() {
    let mut chat = Chat::new("  - say: hello\n");
    chat.env.set("NO_COLOR", "").set("MIMI_UI_COLOR", "always");
    let mut pty = chat.start_full();
    assert!(pty.raw().windows(6).any(|window| window == b"\x1b]11;?"), "it is asked");
    pty.send("before").wait_until_shown("ask> before");
    pty.send("\x1b]11;rgb:ffff/ffff/ffff\x1b\\").send(" after").wait_until_shown("ask> before after");
}
