//! Does a running command go to the background for the person at the terminal, and does it end when mimi does?

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::support::live::{PATIENCE, assert_nobody_left, processes_of};
use crate::support::pty::{Pty, key};

const F7: &str = "\x1b[18~";
const CTRL_B: &str = "\x02";
const CTRL_K: &str = "\x0b";
const QUIT: &str = "\x1c";
const SOON: Duration = Duration::from_secs(5);
const TURNS: &str =
    "  - calls: [{name: shell, arguments: {command: 'echo begun; sleep 600'}}]\n  - say: it goes on\n  - say: I see\n";

fn wait_for_command(chat: &Chat) {
    let deadline = Instant::now() + PATIENCE;
    while !runs(chat) {
        assert!(Instant::now() < deadline, "the command never ran");
        std::thread::yield_now();
    }
}

fn runs(chat: &Chat) -> bool {
    processes_of(chat.env.home()).iter().any(|line| line.trim() == "sleep 600")
}

#[test]
fn the_view_of_what_runs_puts_it_behind_shows_it_and_ends_it() {
    let chat = Chat::new(TURNS);
    let mut pty = chat.start_full();
    pty.line("build");
    wait_for_command(&chat);
    pty.send(F7).wait_until_shown("running (1)").send(CTRL_B).wait_until_shown("in the background fo");
    pty.send(key::ESCAPE).wait_until_shown("it goes on").wait_until_shown("1 in the background");
    assert!(runs(&chat), "it goes on");
    pty.send(F7).wait_until_shown("$ echo begun").send(CTRL_K).wait_until_shown("no command runs");
    pty.send(key::ESCAPE)
        .wait_until_shown("it goes on")
        .wait_until("it is over", |shown| !shown.contains("1 in the background"));
    pty.line("and now?").wait_until_shown("I see");
    assert!(chat.newest().contains("into the background is over"), "{}", chat.newest());
}

#[test]
fn line_by_line_a_signal_of_the_terminal_puts_it_behind_and_a_kill_of_mimi_ends_it() {
    let chat = Chat::new(TURNS);
    let mut pty = chat.start();
    pty.line("build");
    wait_for_command(&chat);
    pty.send(QUIT).wait_for("goes on in the background").wait_for("it goes on").wait_for("ask> ");
    assert!(runs(&chat), "it goes on");
    // Not even the supervisor is told.
    let mimi = mimi_of(&chat);
    rustix::process::kill_process(mimi, rustix::process::Signal::KILL).unwrap();
    assert_nobody_left(chat.env.home(), SOON);
    let mut again = Pty::start(&chat.env, ["chat", "--inline", "--resume"]);
    again.wait_for("was running in the background when mimi ended").wait_for("ask> ");
    again.line("what of it?").wait_for("I see");
    assert!(chat.newest().contains("still running in the background when the session ended"), "{}", chat.newest());
}

/// Finds the conversation among the processes of its user.
fn mimi_of(chat: &Chat) -> rustix::process::Pid {
    let mark = format!("HOME={}", chat.env.home().display());
    let read = |pid: &str, name: &str| std::fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let pids =
        std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    let is_chat = |pid: &String| {
        read(pid, "cmdline").ends_with(b"mimi\0chat\0--inline\0")
            && String::from_utf8_lossy(&read(pid, "environ")).contains(&mark)
    };
    let pid = pids.filter(|name| name.parse::<i32>().is_ok()).find(is_chat).unwrap();
    rustix::process::Pid::from_raw(pid.parse().unwrap()).unwrap()
}

#[test]
fn a_session_left_in_good_order_tells_the_end_when_it_goes_on() {
    let chat = Chat::new(TURNS);
    let mut pty = chat.start();
    pty.line("build");
    wait_for_command(&chat);
    pty.send(QUIT).wait_for("it goes on").wait_for("ask> ").send(key::CTRL_D);
    assert_eq!(pty.wait_exit(), 0);
    assert_nobody_left(chat.env.home(), SOON);
    let mut again = Pty::start(&chat.env, ["chat", "--inline", "--resume"]);
    again.wait_for("ask> ").line("what of it?").wait_for("I see");
    assert!(chat.newest().contains("into the background is over"), "{}", chat.newest());
}

#[test]
fn line_by_line_what_runs_is_listed_shown_and_ended() {
    let chat = Chat::new("  - say: I see\n");
    let mut pty = chat.start();
    pty.line("/ps").wait_for("no command runs");
    pty.wait_for("ask> ").line("!echo begun; sleep 600 &").wait_for("goes along with your next words");
    wait_for_command(&chat);
    pty.wait_for("ask> ").line("/ps").wait_for("running (1)").wait_for("in the background for").wait_for("goes back> ");
    pty.line("1").wait_for("$ echo begun").wait_for("goes back> ");
    pty.line("kill 1").wait_for("cancelled, in the background").wait_for("no command runs");
    assert_nobody_left_of_it(&chat);
    pty.wait_for("ask> ").line("and now?").wait_for("I see");
    assert!(chat.newest().contains("into the background is over"), "{}", chat.newest());
}

fn assert_nobody_left_of_it(chat: &Chat) {
    let deadline = Instant::now() + SOON;
    while runs(chat) {
        assert!(Instant::now() < deadline, "the command still runs");
        std::thread::yield_now();
    }
}
