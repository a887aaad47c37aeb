//! Is every process gone that a command started, however it tried to stay?

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use mimi::exec::run::Ending;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Bench, marked, supervisor};

/// Ways to stay, with how many processes stay.
const STAYERS: [(&str, usize); 8] = [
    ("sleep 1000 &", 1),
    ("sleep 1000 & sleep 1000 & disown -a", 2),
    ("nohup sleep 1000 >/dev/null 2>&1 &", 1),
    ("setsid sleep 1000 &", 1),
    ("(setsid sleep 1000 >/dev/null 2>&1 </dev/null & exit 0)", 1),
    ("(trap '' TERM HUP INT; sleep 1000 & wait; wait) & sleep 0.05", 2),
    ("sleep 1000 & kill -STOP $!", 1),
    ("for n in $(seq 50); do (setsid sleep 1000 &); done", 50),
];

#[tokio::test]
async fn daemons_end_with_the_command_and_are_counted() {
    let bench = Bench::new();
    for (text, n_stayers) in STAYERS {
        let output = bench.run(&format!("{text}\necho over")).await;
        assert_eq!((output.ending, output.text.as_str()), (Ending::Exited(0), "over\n"), "{text}");
        assert_eq!(output.n_leftovers, n_stayers, "{text}");
        assert!(output.duration < Duration::from_secs(1), "{text}: {:?}", output.duration);
        bench.assert_nobody_left(Duration::from_secs(1), text);
    }
}

#[tokio::test]
async fn a_killed_supervisor_takes_the_command_with_it() {
    let bench = Bench::new();
    let output = bench.run("sleep 1000 & echo before; kill -9 $PPID; sleep 1000").await;
    assert_eq!((output.ending, output.text.as_str()), (Ending::Signalled(9), "before\n"));
    bench.assert_nobody_left(Duration::from_secs(1), "killed supervisor");
}

#[tokio::test]
async fn a_dropped_call_ends_its_command() {
    let bench = Bench::new();
    let (progress, mut pieces) = mpsc::channel::<String>(16);
    let running = bench.runner.run(
        bench.command("trap '' TERM; setsid sleep 1000 & echo ready; sleep 1000"),
        CancellationToken::new(),
        Some(progress),
    );
    tokio::select! {
        _ = running => panic!("it ended by itself"),
        piece = pieces.recv() => assert_eq!(piece.unwrap(), "ready\n"),
    }
    bench.assert_nobody_left(Duration::from_secs(1), "dropped");
}

/// Starts the supervisor as mimi would, with the lifeline in the hands of another process, and waits until it runs.
fn start_below_a_holder(bench: &Bench, text: &str) -> (Child, Child) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut holder = Command::new("sleep");
    holder.arg("1000").stdin(OwnedFd::from(ours)).stdout(Stdio::null()).stderr(Stdio::null());
    let holder = holder.spawn().unwrap();
    let mut command = Command::new(supervisor());
    command.args(["__supervise", "--", "bash", "-c", text]).env("MIMI_TEST_MARK", bench.mark());
    let supervisor = command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(10);
    while marked(bench.mark()).iter().filter(|line| line.starts_with("sleep")).count() < 3 {
        assert!(Instant::now() < until, "never started: {:?}", marked(bench.mark()));
        std::thread::yield_now();
    }
    (holder, supervisor)
}

#[test]
fn nobody_survives_mimi_killed_with_signal_9() {
    let bench = Bench::new();
    let text = "trap '' TERM HUP INT; sleep 1000 & setsid sleep 1000 & (setsid nohup sleep 1000 &); sleep 1000";
    let (mut holder, mut supervisor) = start_below_a_holder(&bench, text);
    holder.kill().unwrap();
    holder.wait().unwrap();
    bench.assert_nobody_left(Duration::from_secs(1), "killed mimi");
    supervisor.wait().unwrap();
}
