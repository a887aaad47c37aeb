//! Does a newcomer get to know mimi, and does somebody whose terminal went away come back?

use crate::chat::Chat;
use crate::support::Env;
use crate::support::pty::{Pty, key};

#[test]
fn the_walk_comes_before_the_first_conversation_and_once() {
    let mut chat = Chat::new("  - say: hello\n");
    chat.env.set("MIMI_UI_WALK", "first");
    let mut pty = Pty::start(&chat.env, ["chat"]);
    pty.wait_for("step 1 of 3").wait_for("It answers with `qwen3-coder:30b`").wait_for("skips the rest").send(" ");
    pty.wait_for("step 2 of 3")
        .wait_for("skips the rest")
        .send(" ")
        .wait_for("step 3 of 3")
        .wait_for("t asks that now")
        .send(" ");
    pty.wait_until_shown("ask>");
    drop(pty);
    let mut again = Pty::start(&chat.env, ["chat", "--inline"]);
    again.wait_for("ask> ");
    assert!(!again.screen().contains("step 1"), "{}", again.screen());
    let mut asked = Pty::start(&chat.env, ["onboard"]);
    asked.wait_for("step 1 of 3").wait_for("skips the rest").send("s");
    assert_eq!(asked.wait_exit(), 0);
    assert!(!asked.screen().contains("step 2"), "{}", asked.screen());
}

#[test]
fn without_a_server_it_is_said_how_to_name_one() {
    let env = Env::new();
    let walk = env.run(["onboard"]).outcome().success();
    for words in
        ["no model server answers yet", "\n  export MIMI_SERVER_URL=http://dgx:8000/v1\n", "step 3 of 3", "mimi demo"]
    {
        assert!(walk.stdout.contains(words), "{words} in {walk}");
    }
}

#[test]
fn the_last_step_is_tried_at_once_and_a_low_screen_waits_in_between() {
    let chat = Chat::new("  - say: It is empty.\n");
    let mut pty = Pty::start_program(
        &chat.env,
        "bash",
        ["-c", &format!("stty rows 12 cols 40; {} onboard", env!("CARGO_BIN_EXE_mimi"))],
    );
    pty.wait_for("step 1 of 3")
        .wait_for("skips the rest")
        .send(" ")
        .wait_for("step 2 of 3")
        .wait_for("any key shows the rest");
    pty.send(" ")
        .wait_for("goes to the next")
        .wait_for("any key shows the rest")
        .send(" ")
        .wait_for("/help the commands");
    pty.wait_for("skips the rest").send(" ").wait_for("t asks that now").send("t");
    pty.wait_until_shown("It is empty.");
    assert!(chat.newest().ends_with("where would I begin?"), "{}", chat.newest());
}

#[test]
fn of_a_server_that_answers_nothing_is_asked_that_is_known() {
    let chat = Chat::new("  - say: hello\n");
    let walk = chat.env.run(["onboard"]).outcome().success();
    assert!(walk.stdout.contains("It answers with `qwen3-coder:30b`"), "{walk}");
    assert!(!walk.stdout.contains("MIMI_SERVER_URL"), "it is known where the server is: {walk}");
}

#[test]
fn a_session_whose_terminal_went_away_is_offered() {
    let chat = Chat::new("  - say: kept words\n  - say: more\n");
    let mut pty = chat.start_full();
    pty.line("keep this").wait_until_shown("kept words");
    pty.wait_until("the turn is over", |shown| !shown.contains("esc stops"));
    pty.hang_up();
    pty.wait_exit();
    let mut back = Pty::start(&chat.env, [""; 0]);
    back.wait_for("went away").wait_for("keep this").wait_for("[Y/n]").send(key::ENTER);
    back.wait_until_shown("resumed").wait_until_shown("kept words").wait_until_shown("ask>");
    back.hang_up();
    back.wait_exit();
    let mut no = Pty::start(&chat.env, [""; 0]);
    no.wait_for("[Y/n]").send("n").wait_until_shown("f1 lists the keys");
    assert!(!no.shown().contains("kept words"), "{}", no.shown());
    drop(no);
    let mut never = Pty::start(&chat.env, [""; 0]);
    never.wait_until_shown("f1 lists the keys");
    assert!(!never.screen().contains("[Y/n]"), "{}", never.screen());
}
