//! What do Ctrl-C, SIGTERM and a hang-up do while something is under way?
//!
//! A command holds a pipe of the test, which everything it starts inherits: that it closes is proof that all of it is gone.

use std::cell::OnceCell;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{CWD, FileType, Mode as FileMode, OFlags, mknodat, open};
use rustix::process::Signal;

use crate::session::resumed::{app, options};
use crate::support::Env;
use crate::support::live::{Live, assert_nobody_left};
use crate::support::wire::WireServer;

/// It takes a fraction of a second; this is for a machine that has other things to do.
const SOON: Duration = Duration::from_secs(5);

const SIGNALS: [(Signal, i32); 3] = [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 143)];

/// Waits for a command to take hold of a pipe, and later for the end of it and of all it started. A pipe and no connection,
/// since commands have no network.
struct Hold {
    pipe: OnceCell<File>,
}

impl Hold {
    fn new() -> Self {
        Self { pipe: OnceCell::new() }
    }

    /// Writes a script that takes hold, starts children that try to stay, and never ends.
    fn script(&self, env: &Env) {
        let path = env.work().join("held");
        mknodat(CWD, &path, FileType::Fifo, FileMode::from(0o600), 0).unwrap();
        // Open before anybody writes, so that nothing they wrote is lost when they are gone.
        let pipe = open(&path, OFlags::RDONLY | OFlags::NONBLOCK, FileMode::empty()).unwrap();
        self.pipe.set(pipe.into()).unwrap();
        let text = "exec 3<>held\n(setsid sleep 600 &)\nsleep 600 &\n\
             trap '' INT HUP TERM\necho held >&3\necho held\nsleep 600; sleep 600";
        env.write("hold.sh", text);
    }

    fn started(&self) -> &File {
        let mut pipe = self.pipe.get().unwrap();
        assert!(wait(pipe, PollFlags::IN, Duration::from_secs(20)), "never took hold");
        let mut word = [0; 5];
        pipe.read_exact(&mut word).unwrap();
        pipe
    }
}

/// Waits for something to happen on a pipe.
fn wait(pipe: &File, what: PollFlags, time: Duration) -> bool {
    let until = Instant::now() + time;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let mut one = [PollFd::new(pipe, what)];
        let n = poll(&mut one, Some(&left.try_into().unwrap()));
        if one[0].revents().intersects(what) || left.is_zero() {
            return one[0].revents().intersects(what);
        }
        assert!(matches!(n, Ok(_) | Err(rustix::io::Errno::INTR)), "{n:?}");
    }
}

/// Fails unless everybody who holds the pipe is gone soon.
fn assert_let_go(pipe: &File, what: &str) {
    assert!(wait(pipe, PollFlags::HUP, SOON), "{what}: the command is still there");
}

fn env(url: &str) -> Env {
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", url);
    env
}

/// Sends the signal and checks the end.
fn ends(run: &mut Live, (signal, code): (Signal, i32), what: &str) {
    run.signal(signal);
    let (ended, time) = run.wait_exit();
    assert_eq!(ended, code, "{what}: {}", run.stderr());
    assert!(time < SOON, "{what}: {time:?}");
    println!("{what}, {signal:?}: ended after {time:?}");
}

/// Returns how the last turn of the only session ended, and its messages.
fn last_turn(env: &Env) -> (Option<TurnEnd>, usize) {
    let folder = env.home().join(".local/state/mimi/sessions");
    let path = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut end = None;
    mimi::session::reader::each_record(&path, |record| {
        if let Event::TurnDone { end: how, .. } = &record.event {
            end = Some(how.clone());
        }
    })
    .unwrap();
    (end, mimi::session::reader::load(&path).unwrap().transcript.messages.len())
}

#[test]
fn a_stalled_answer_ends_at_once_and_is_kept() {
    for signal in SIGNALS {
        let server =
            WireServer::script("{model: qwen3-coder:30b, turns: [{say: I begin to think about it, stall: true}]}");
        let env = env(&server.url());
        let mut run = env.run(["run", "--json", "take your time"]).start();
        run.wait_for("text_delta");
        ends(&mut run, signal, "stalled answer");
        assert_nobody_left(env.home(), SOON);
        let (end, n_messages) = last_turn(&env);
        assert_eq!(end, Some(TurnEnd::Interrupted));
        assert_eq!(n_messages, 2, "the words said so far are part of the conversation");
    }
}

#[test]
fn a_server_that_never_answers_does_not_hold_mimi() {
    for signal in SIGNALS {
        let (asked, was_asked) = std::sync::mpsc::channel();
        let server = WireServer::serve(move |_, out| {
            asked.send(()).ok();
            out.hang();
        });
        let env = env(&server.url());
        let mut run = env.run(["run", "anything"]).start();
        was_asked.recv_timeout(SOON).unwrap();
        ends(&mut run, signal, "no answer at all");
    }
}

#[test]
fn a_running_command_ends_with_all_it_started() {
    for signal in SIGNALS {
        let server = WireServer::script(
            "{model: qwen3-coder:30b, turns: [{calls: [{name: shell, arguments: {command: bash hold.sh}}]}]}",
        );
        let (env, hold) = (env(&server.url()), Hold::new());
        hold.script(&env);
        let mut run = env.run(["run", "--json", "--allow", "shell:bash *", "hold"]).start();
        let held = hold.started();
        ends(&mut run, signal, "running command");
        assert_let_go(held, "running command");
        assert_nobody_left(env.home(), SOON);
        assert_eq!(last_turn(&env).0, Some(TurnEnd::Interrupted));
        assert!(run.output().contains("\"status\":\"cancelled\""), "{}", run.output());
    }
}

#[test]
fn the_check_of_a_fix_ends_with_all_it_started() {
    for signal in SIGNALS {
        let (env, hold) = (env("http://127.0.0.1:1/v1"), Hold::new());
        hold.script(&env);
        let mut run = env.run(["fix", "--test", "bash hold.sh"]).start();
        let held = hold.started();
        ends(&mut run, signal, "check");
        assert_let_go(held, "check");
        assert_nobody_left(env.home(), SOON);
    }
}

#[test]
fn the_agent_of_a_fix_ends_in_good_order() {
    for signal in SIGNALS {
        let server = WireServer::script(
            "{model: qwen3-coder:30b, turns: [{calls: [{name: shell, arguments: {command: bash hold.sh}}]}]}",
        );
        let (env, hold) = (env(&server.url()), Hold::new());
        hold.script(&env);
        let mut run = env.run(["fix", "--json", "--test", "false", "--allow", "shell:bash *"]).start();
        let held = hold.started();
        ends(&mut run, signal, "agent of a fix");
        assert_let_go(held, "agent of a fix");
        assert_eq!(last_turn(&env).0, Some(TurnEnd::Interrupted));
    }
}

#[test]
fn a_second_signal_is_not_slower_than_the_first() {
    let server = WireServer::script(
        "{model: qwen3-coder:30b, turns: [{calls: [{name: shell, arguments: {command: bash hold.sh}}]}]}",
    );
    let (env, hold) = (env(&server.url()), Hold::new());
    hold.script(&env);
    let mut run = env.run(["run", "--json", "--allow", "shell:bash *", "hold"]).start();
    let held = hold.started();
    run.signal(Signal::INT);
    ends(&mut run, (Signal::INT, 130), "second Ctrl-C");
    assert_let_go(held, "second Ctrl-C");
}

/// Interrupts a turn once `is_under_way` says so; returns the time to its end.
fn interrupt(server: &WireServer, env: &Env, is_under_way: fn(&Event) -> bool) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let app = app(env, &server.url());
    runtime.block_on(async {
        let mut session = app.start(options(Mode::Auto)).await.unwrap();
        session.handle.ops.send(Op::Submit { text: "go".to_owned() }).await.unwrap();
        let mut since = None;
        loop {
            let event = session.handle.records.recv().await.unwrap().event;
            if since.is_none() && is_under_way(&event) {
                since = Some(Instant::now());
                session.handle.ops.send(Op::Interrupt).await.unwrap();
            }
            if let Event::TurnDone { end, .. } = event {
                assert_eq!(end, TurnEnd::Interrupted);
                return since.unwrap().elapsed();
            }
        }
    })
}

#[test]
fn an_interrupt_stops_stream_and_command_within_a_moment() {
    let stalls = WireServer::script("{model: qwen3-coder:30b, turns: [{say: I begin, stall: true}]}");
    let env = Env::new();
    let stream = interrupt(&stalls, &env, |event| matches!(event, Event::TextDelta { .. }));
    let runs = WireServer::script(
        "{model: qwen3-coder:30b, turns: [{calls: [{name: shell, arguments: {command: bash hold.sh}}]}]}",
    );
    let hold = Hold::new();
    hold.script(&env);
    let command = interrupt(&runs, &env, |event| matches!(event, Event::ToolOutput { .. }));
    assert_let_go(hold.started(), "interrupted command");
    println!("interrupt to the end of the turn: stream {stream:?}, command {command:?} (goal: 200 ms)");
    assert!(stream < Duration::from_secs(2) && command < Duration::from_secs(2), "{stream:?} {command:?}");
}

#[test]
fn a_hold_is_noticed_when_it_ends() {
    let (env, hold) = (Env::new(), Hold::new());
    hold.script(&env);
    let mut holder = File::options().write(true).open(env.work().join("held")).unwrap();
    holder.write_all(b"held\n").unwrap();
    let held = hold.started();
    assert!(!wait(held, PollFlags::HUP, Duration::from_millis(1)), "still held");
    drop(holder);
    assert_let_go(held, "holder");
}
