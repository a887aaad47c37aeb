//! Is the person asked once, shown everything, and asked again when a byte changed?

use crate::chat::Chat;
use crate::support::pty::{Pty, key};

const WISH: &str = "agent: {mode: auto}\nfix: {test_command: make check}\n";

fn start(chat: &Chat) -> Pty {
    Pty::start(&chat.env, ["chat", "--inline"])
}

#[test]
fn a_project_that_asks_for_more_is_shown_whole_before_anything_else() {
    let chat = Chat::new("  - say: Hello.\n");
    chat.env.write(".mimi/config.yaml", WISH);
    let mut pty = start(&chat);
    pty.wait_for("ask for 2 things that only you can grant").wait_for("agent.mode: \"auto\"");
    pty.wait_for("fix.test_command: \"make check\"")
        .wait_for(".mimi/config.yaml:2:7")
        .wait_for("y trust these files")
        .send("n");
    pty.wait_for("mode ask").wait_for("ask> ").line("/quit");
    assert_eq!(pty.wait_exit(), 0);
    let mut pty = start(&chat);
    pty.wait_for("y trust these files").send("xy");
    pty.wait_for("mode auto").wait_for("auto> ").line("/quit");
    assert_eq!(pty.wait_exit(), 0);
    let mut pty = start(&chat);
    pty.wait_for("auto> ").line("/quit");
    assert_eq!(pty.wait_exit(), 0);
    assert!(!pty.screen().contains("y trust"), "{}", pty.screen());
}

#[test]
fn a_changed_byte_asks_again_with_the_difference_and_ctrl_c_leaves() {
    let chat = Chat::new("  - say: Hello.\n");
    chat.env.write(".mimi/config.yaml", WISH);
    let mut pty = start(&chat);
    pty.wait_for("y trust these files").send("y").wait_for("auto> ").line("/quit");
    assert_eq!(pty.wait_exit(), 0);
    chat.env.write(".mimi/config.yaml", WISH.replace("make", "mage"));
    let mut pty = start(&chat);
    pty.wait_for("changed since you trusted it on").wait_for("-fix: {test_command: make check}");
    pty.wait_for("+fix: {test_command: mage check}").wait_for("y trust these files").send(key::CTRL_C);
    assert_eq!(pty.wait_exit(), 130);
    assert!(chat.server.requests().is_empty());
}
