//! Do the commands inside a conversation do what their help says?

use crate::chat::Chat;
use crate::support::pty::{Pty, key};

#[test]
fn a_turn_streams_words_and_shows_tools_in_a_line_each() {
    let chat = Chat::new(
        "  - {say: Let me look., calls: [{name: read_file, arguments: {path: a.txt}}]}\n  - say: It has two lines.\n",
    );
    chat.env.write("a.txt", "one\ntwo\n");
    let mut pty = chat.start();
    pty.line("what is in a.txt?")
        .wait_for("Let me look.")
        .wait_for("- Read a.txt: 2 lines")
        .wait_for("It has two lines.");
    pty.wait_for("ask> ").send(key::CTRL_D).wait_for("to go on: mimi chat --resume ");
    assert_eq!(pty.wait_exit(), 0);
    let screen = pty.screen();
    assert!(screen.starts_with(&format!(
        "mimi {}: qwen3-coder:30b at {}",
        env!("CARGO_PKG_VERSION"),
        chat.server.url()
    )));
}

#[test]
fn help_lists_every_command_and_a_wrong_one_is_corrected() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = chat.start();
    pty.line("/help");
    for row in mimi::tui::slash::help().lines() {
        pty.wait_for(row.trim_end());
    }
    pty.line("/modle").wait_for("there is no command `/modle`").wait_for("did you mean /model?");
    pty.line("/mode fast").wait_for("`/mode` takes plan|ask|auto");
    pty.line("/model").wait_for("qwen3-coder:30b at http://127.0.0.1");
    assert!(chat.server.requests().is_empty(), "none of this is for the model");
    pty.line("/quit").wait_for("to go on");
    assert_eq!(pty.wait_exit(), 0);
}

#[test]
fn modes_decide_what_is_asked() {
    let write =
        |text: &str| format!("  - calls: [{{name: write_file, arguments: {{path: {text}.txt, content: x}}}}]\n");
    let turns = [write("planned"), "  - say: Refused.\n".to_owned(), write("auto"), "  - say: Written.\n".to_owned()];
    let chat = Chat::new(&turns.concat());
    let mut pty = chat.start();
    pty.line("/plan").wait_for("mode: plan").wait_for("plan> ").line("write").wait_for("refused").wait_for("Refused.");
    pty.wait_for("plan> ").line("/mode auto").wait_for("mode: auto").wait_for("auto> ").line("write");
    pty.wait_for("- Wrote auto.txt").wait_for("Written.").wait_for("auto> ");
    pty.line("/plan").wait_for("plan> ").line("/plan").wait_for("ask> ");
    assert_eq!(chat.env.read("auto.txt"), "x");
    assert!(!chat.env.work().join("planned.txt").exists());
}

#[test]
fn undo_takes_back_files_and_words() {
    let chat = Chat::new(
        "  - calls: [{name: write_file, arguments: {path: a.txt, content: new}}]\n  - say: Made it.\n  - say: Again then.\n",
    );
    let mut pty = chat.start();
    pty.line("/undo").wait_for("!").wait_for("ask> ").line("make a.txt").wait_for("+new").wait_for("y once").send("y");
    pty.wait_for("Made it.")
        .wait_for("ask> ")
        .line("/undo")
        .wait_for("turn 1 taken back; restored: a.txt")
        .wait_for("ask> ");
    assert!(!chat.env.work().join("a.txt").exists());
    pty.line("another thing").wait_for("Again then.");
    let request = chat.server.requests().pop().unwrap().to_string();
    assert!(request.contains("another thing") && !request.contains("make a.txt"), "{request}");
}

const SUMMARY: &str = "The user asked for a plan, and one was made: its only step is to look around in the workspace. Nothing was read \
    or changed so far. The next thing to do is that step, and to report what was found there.";

#[test]
fn the_plan_is_shown_and_a_summary_replaces_the_conversation() {
    let chat = Chat::new(&format!(
        "  - calls: [{{name: update_plan, arguments: {{steps: [{{step: look around, status: in_progress}}]}}}}]\n  \
         - say: That is the plan.\n  - say: \"{SUMMARY}\"\n  - say: I remember.\n",
    ));
    let mut pty = chat.start();
    pty.line("make a plan").wait_for("look around").wait_for("That is the plan.").wait_for("ask> ");
    pty.line("/plan").wait_for("look around").wait_for("mode: plan").wait_for("plan> ");
    pty.line("/compact")
        .wait_for("conversation summarised")
        .wait_for("plan> ")
        .line("and now?")
        .wait_for("I remember.");
    let request = chat.server.requests().pop().unwrap().to_string();
    assert!(request.contains("one was made: its only step") && !request.contains("That is the plan."), "{request}");
}

#[test]
fn the_model_can_be_changed_to_one_the_server_has() {
    let chat = Chat::new("  - say: hello\n");
    let mut pty = chat.start();
    pty.line("/model other-model")
        .wait_for("has no model `other-model` (it serves: qwen3-coder:30b)")
        .wait_for("ask> ");
    pty.line("/model qwen3-coder:30b")
        .wait_for("model: qwen3-coder:30b")
        .wait_for("ask> ")
        .line("hi")
        .wait_for("hello");
}

#[test]
fn a_summary_can_be_interrupted() {
    let chat = Chat::new("  - say: hello\n  - {say: The user, stall: true}\n  - say: hello again\n");
    let mut pty = chat.start();
    pty.line("hi").wait_for("hello").wait_for("ask> ").line("/compact");
    wait_for_requests(&chat, 2);
    pty.send(key::CTRL_C).wait_for("not summarised").wait_for("ask> ").line("hi").wait_for("hello again");
}

fn wait_for_requests(chat: &Chat, n_requests: usize) {
    let deadline = std::time::Instant::now() + crate::support::live::PATIENCE;
    while chat.server.raw_requests().len() < n_requests {
        assert!(std::time::Instant::now() < deadline, "the model was not asked");
        std::thread::yield_now();
    }
}

#[test]
fn a_terminal_that_can_do_little_is_enough() {
    let mut chat = Chat::new(
        "  - {say: I write a line that is surely longer than twenty columns., calls: [{name: shell, arguments: {command: tee <<< hi}}]}\n  - say: Done.\n",
    );
    chat.env.set("TERM", "dumb");
    let mut pty = Pty::start(&chat.env, ["chat", "--inline"]);
    pty.resize(20, 5).wait_for("ask> ").line("hello").wait_for("twenty columns.").wait_for("y once").send("y");
    pty.wait_for("Done.")
        .wait_for("ask> ")
        .send(key::CTRL_C)
        .wait_for("Ctrl-D leaves")
        .line("/quit")
        .wait_for("to go on");
    assert_eq!(pty.wait_exit(), 0);
    assert!(!pty.raw().contains(&0x1b), "no escape sequences: {:?}", String::from_utf8_lossy(pty.raw()));
    let chat = Chat::new("  - say: Narrow words are words too.\n");
    let mut narrow = Pty::start(&chat.env, ["chat", "--inline"]);
    narrow.resize(20, 5).wait_for("ask> ").line("hi").wait_for("Narrow words").wait_for("ask> ").line("/quit");
    assert_eq!(narrow.wait_exit(), 0);
}
