//! How does a conversation end, and what is left of it?

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::support::live::assert_nobody_left;
use crate::support::pty::{Pty, key};

/// A hang-up is noticed at once; this is for a machine that has other things to do.
const SOON: Duration = Duration::from_secs(5);

const HANG: &str = "  - calls: [{name: shell, arguments: {command: 'echo begun; (setsid sleep 600 &); sleep 600'}}]\n";

#[test]
fn ctrl_c_interrupts_the_turn_and_the_conversation_goes_on() {
    let chat = Chat::new(&format!("  - {{say: I think about, stall: true}}\n{HANG}  - say: Fine.\n"));
    let mut pty = chat.start();
    pty.line("first").wait_for("I think about").send(key::CTRL_C).wait_for("! interrupted").wait_for("ask> ");
    pty.line("second").wait_for("y once").send("y");
    wait_for_command(&chat);
    pty.send(key::CTRL_C).wait_for("! interrupted").wait_for("ask> ");
    pty.line("third").wait_for("Fine.").wait_for("ask> ").send(key::CTRL_C).wait_for("/quit or Ctrl-D leaves");
    pty.wait_for("ask> ").send(key::CTRL_D).wait_for("to go on: mimi chat --resume ");
    assert_eq!(pty.wait_exit(), 0);
    assert_nobody_left(chat.env.home(), SOON);
    let request = chat.server.requests().pop().unwrap().to_string();
    assert!(request.contains("I think about"), "what the person saw is part of the conversation: {request}");
}

/// Waits until the command of the model runs.
fn wait_for_command(chat: &Chat) {
    let deadline = Instant::now() + crate::support::live::PATIENCE;
    while !crate::support::live::processes_of(chat.env.home()).iter().any(|line| line.contains("sleep 600")) {
        assert!(Instant::now() < deadline, "the command never ran");
        std::thread::yield_now();
    }
}

/// Ways to lose the terminal, by the state the chat is in.
#[test]
fn a_hang_up_ends_everything_wherever_it_comes() {
    type Reach = fn(&Chat, &mut Pty);
    let states: [(&str, Reach); 4] = [
        ("prompt", |_, _| {}),
        ("half a line", |_, pty| {
            pty.send("half a li").wait_for("half a li");
        }),
        ("approval", |_, pty| {
            pty.line("go").wait_for("y once");
        }),
        ("command", |chat, pty| {
            pty.line("go").wait_for("y once").send("y");
            wait_for_command(chat);
        }),
    ];
    for (what, reach) in states {
        let chat = Chat::new(HANG);
        let mut pty = chat.start();
        reach(&chat, &mut pty);
        let since = Instant::now();
        pty.hang_up();
        assert_nobody_left(chat.env.home(), SOON);
        println!("hang-up at {what}: all gone after {:?}", since.elapsed());
    }
}

#[test]
fn being_told_to_end_leaves_the_terminal_as_it_was() {
    let chat = Chat::new("  - say: hello\n");
    let program = env!("CARGO_BIN_EXE_mimi");
    let script = format!("stty -a > before; {program} chat --inline; echo code $?; stty -a > after; echo compared");
    let mut pty = Pty::start_program(&chat.env, "bash", ["-c", &script]);
    pty.wait_for("ask> ").send("half a li").wait_for("half a li");
    let pid = pid_of_chat(&chat);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    pty.wait_for("code 143").wait_for("compared");
    assert_eq!(chat.env.read("before"), chat.env.read("after"));
    assert!(pty.raw().windows(8).any(|bytes| bytes == b"\x1b[?2004l"), "pastes are not bracketed any more");
}

#[test]
fn being_told_to_end_gives_the_full_screen_back() {
    let chat = Chat::new("  - say: hello\n");
    let program = env!("CARGO_BIN_EXE_mimi");
    let script = format!("stty -a > before; {program} chat; echo code $?; stty -a > after; echo compared");
    let mut pty = Pty::start_program(&chat.env, "bash", ["-c", &script]);
    pty.wait_until_shown("ask>").send("half a li").wait_until_shown("half a li");
    rustix::process::kill_process(pid_of_chat(&chat), rustix::process::Signal::TERM).unwrap();
    pty.wait_for("code 143").wait_for("compared");
    assert_eq!(chat.env.read("before"), chat.env.read("after"));
    for mode in [b"\x1b[?2004l".as_slice(), b"\x1b[?1049l", b"\x1b[?25h"] {
        assert!(pty.raw().windows(mode.len()).any(|bytes| bytes == mode), "{}", mode.escape_ascii());
    }
}

fn pid_of_chat(chat: &Chat) -> rustix::process::Pid {
    let mark = format!("HOME={}", chat.env.home().display());
    let processes = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let is_chat = |folder: &std::path::PathBuf| {
        let read = |name| std::fs::read(folder.join(name)).unwrap_or_default();
        let line = String::from_utf8_lossy(&read("cmdline")).into_owned();
        (line.ends_with("mimi\0chat\0") || line.ends_with("mimi\0chat\0--inline\0"))
            && String::from_utf8_lossy(&read("environ")).contains(&mark)
    };
    let folder = processes.into_iter().find(is_chat).unwrap();
    rustix::process::Pid::from_raw(folder.file_name().unwrap().to_str().unwrap().parse().unwrap()).unwrap()
}
