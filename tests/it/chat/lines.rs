//! Is what is typed and pasted one message, and is it remembered?

use std::os::unix::fs::PermissionsExt as _;

use crate::chat::Chat;
use crate::support::pty::key;

#[test]
fn a_paste_of_several_lines_stays_one_message() {
    let chat = Chat::new("  - say: I see.\n  - say: I see more.\n");
    let mut pty = chat.start();
    pty.send("\x1b[200~first line\nsecond line\n/quit\x1b[201~").wait_for("/quit").send(key::ENTER).wait_for("I see.");
    assert!(chat.newest().ends_with("first line\nsecond line\n/quit"), "{}", chat.newest());
    pty.wait_for("ask> ").line("it goes on \\").wait_for("... ").line("here \\").wait_for("... ").line("and ends");
    pty.wait_for("I see more.");
    assert!(chat.newest().ends_with("it goes on \nhere \nand ends"), "{}", chat.newest());
}

#[test]
fn lines_are_remembered_for_the_next_chat_and_for_nobody_else() {
    let chat = Chat::new("  - say: Once.\n  - say: Twice.\n");
    let mut pty = chat.start();
    pty.line("a line to remember").wait_for("Once.").wait_for("ask> ").send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
    let history = chat.env.home().join(".local/state/mimi/history");
    assert!(std::fs::read_to_string(&history).unwrap().contains("a line to remember"));
    assert_eq!(std::fs::metadata(&history).unwrap().permissions().mode() & 0o777, 0o600);
    let mut pty = chat.start();
    pty.send(key::UP).wait_for("a line to remember").send(key::ENTER).wait_for("Twice.");
    assert!(chat.newest().ends_with("a line to remember"), "{}", chat.newest());
}

#[test]
fn two_chats_do_not_forget_each_others_lines() {
    let chat = Chat::new("  - say: One.\n  - say: Two.\n");
    let (mut first, mut second) = (chat.start(), chat.start());
    first.line("from the first").wait_for("One.").wait_for("ask> ");
    second.line("from the second").wait_for("Two.").wait_for("ask> ");
    for pty in [&mut first, &mut second] {
        pty.send(key::CTRL_D);
        assert_eq!(pty.wait_exit(), 0);
    }
    let history = std::fs::read_to_string(chat.env.home().join(".local/state/mimi/history")).unwrap();
    assert!(history.contains("from the first") && history.contains("from the second"), "{history}");
}

#[test]
fn a_line_that_begins_like_a_path_is_for_the_model() {
    let chat = Chat::new("  - say: It is a folder.\n");
    let mut pty = chat.start();
    pty.line("").wait_for("ask> ").line("/etc/hosts looks odd").wait_for("It is a folder.");
    assert!(chat.newest().ends_with("/etc/hosts looks odd"), "{}", chat.newest());
}
