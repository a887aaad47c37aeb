//! Does a person who comes back find the conversation where it was?

use crate::chat::Chat;
use crate::support::pty::{Pty, key};

fn id_of(pty: &Pty) -> String {
    let screen = pty.screen();
    screen.rsplit_once("--resume ").unwrap().1.split_whitespace().next().unwrap().to_owned()
}

#[test]
fn the_last_turn_is_shown_and_the_conversation_goes_on() {
    let chat = Chat::new(
        "  - say: |-\n      one\n      two\n      three\n      four\n      five\n      six\n      seven\n  - say: We spoke of numbers.\n  - say: Of numbers again.\n",
    );
    let mut pty = chat.start();
    pty.line("count to seven").wait_for("seven").wait_for("ask> ").send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
    let id = id_of(&pty);
    let mut newest = Pty::start(&chat.env, ["chat", "--inline", "--resume"]);
    newest
        .wait_for("resumed after 1 turn:")
        .wait_for("> count to seven")
        .wait_for("(1 line before)")
        .wait_for("  seven");
    newest
        .wait_for("ask> ")
        .line("what was it about?")
        .wait_for("We spoke of numbers.")
        .wait_for("ask> ")
        .send(key::CTRL_D);
    assert_eq!(newest.wait_exit(), 0);
    let request = chat.server.requests().pop().unwrap().to_string();
    assert!(request.contains("count to seven") && request.contains("what was it about?"), "{request}");
    let mut named = Pty::start(&chat.env, ["chat", "--inline", "--resume", &id]);
    named.wait_for("resumed after 2 turns:").wait_for("> what was it about?").wait_for("We spoke of numbers.");
    named.wait_for("ask> ").line("again").wait_for("Of numbers again.");
}

#[test]
fn a_turn_that_was_cut_off_is_shown_as_far_as_it_came() {
    let chat = Chat::new("  - {say: I was about to say, stall: true}\n  - say: where were we\n");
    let mut pty = chat.start();
    pty.line("tell me").wait_for("I was about to say").kill();
    let mut again = Pty::start(&chat.env, ["chat", "--inline", "--resume"]);
    again.wait_for("resumed after 1 turn:").wait_for("> tell me").wait_for("I was about to say").wait_for("ask> ");
    again.line("go on").wait_for("where were we");
}

#[test]
fn a_session_that_is_not_there_or_in_use_is_named() {
    let chat = Chat::new("  - say: hello\n");
    let mut none = Pty::start(&chat.env, ["chat", "--inline", "--resume"]);
    none.wait_for("there is no session of this folder yet").wait_for("mimi chat");
    assert_eq!(none.wait_exit(), 2);
    let mut pty = chat.start();
    pty.line("hi").wait_for("hello").wait_for("ask> ");
    let mut second = Pty::start(&chat.env, ["chat", "--inline", "--resume"]);
    second.wait_for("process ");
    assert_ne!(second.wait_exit(), 0);
    assert!(second.screen().contains("error:"), "{}", second.screen());
}
