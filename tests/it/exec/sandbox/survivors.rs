//! Is everybody gone when a confined command is cut off, or mimi itself?

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use mimi::exec::run::Ending;
use mimi::exec::sandbox::Tier;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::{marked, supervisor};
use super::{Program, Project, Stage};

/// Trees that are cut off.
const N_TREES: usize = 200;

/// Processes that stay if they can: they ignore signals, leave their session, and go on forking.
const TREE: &str = "trap '' TERM INT HUP; (setsid sleep 1000 &); sleep 1000 & nohup setsid sleep 1000 >/dev/null 2>&1 & \
    (trap '' TERM; while :; do sleep 1000; done) & echo ready; while :; do (setsid sleep 1000 &); sleep 0.02; done";

/// Fails when a process of ours is still there after a second.
fn assert_nobody_left(mark: &str, what: &str) {
    let until = Instant::now() + Duration::from_secs(2);
    while !marked(mark).is_empty() {
        assert!(Instant::now() < until, "{what}: left {:?}", marked(mark));
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn nobody_survives_two_hundred_aborted_trees() {
    for tier in [Tier::Full, Tier::Landlock] {
        let Some(stage) = Stage::new(tier, Project::Bare) else { continue };
        let mark = mimi::base::clock::new_id();
        let runner = &stage.runner(&[("MIMI_TEST_MARK", mark.clone())]);
        let stage = &stage;
        let trees = futures_util::stream::iter(0..N_TREES).map(|n| async move {
            let cancel = CancellationToken::new();
            let (progress, mut pieces) = mpsc::channel::<String>(4);
            let running = runner.run(stage.command(Program::Shell(TREE.to_owned())), cancel.clone(), Some(progress));
            // Some as soon as they run, some at any moment of their start.
            let stop = async {
                if n % 2 == 0 {
                    drop(pieces.recv().await);
                } else {
                    drop(tokio::time::timeout(Duration::from_millis(n as u64 % 60), pieces.recv()).await);
                }
                cancel.cancel();
            };
            let (output, ()) = tokio::join!(running, stop);
            assert_eq!(output.unwrap().ending, Ending::Cancelled);
        });
        trees.buffer_unordered(4).collect::<Vec<_>>().await;
        assert_nobody_left(&mark, tier.name());
        let temporary = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
        // Ids grow with time: what others left there before is not of these trees.
        let since = format!("mimi-command-{mark}");
        let own = |name: &str| name.starts_with("mimi-command-") && *name > *since;
        let left: Vec<_> = temporary.filter(|entry| entry.file_name().to_str().is_some_and(own)).collect();
        assert!(left.len() < 20, "{left:?}");
    }
}

#[tokio::test]
async fn what_a_confined_command_leaves_is_counted_and_ended() {
    for tier in [Tier::Full, Tier::Landlock] {
        let Some(stage) = Stage::new(tier, Project::Bare) else { continue };
        let output = stage.run("setsid sleep 1000 & (sleep 1000 &) ; seq 3 > >(sleep 0.01; cat); exit 7").await;
        assert_eq!((output.ending, output.n_leftovers), (Ending::Exited(7), 2), "{tier:?}: {}", output.text);
        assert_eq!(output.text, "1\n2\n3\n");
        let killed = stage.run("kill -9 $$").await;
        assert_eq!(killed.ending, Ending::Signalled(9), "{tier:?}");
    }
}

/// Puts our end of a lifeline into other hands. What builds a process keeps what it was given until it is dropped.
fn hold(ours: UnixStream) -> Child {
    let mut holder = Process::new("sleep");
    holder.arg("1000").stdin(OwnedFd::from(ours)).stdout(Stdio::null()).stderr(Stdio::null());
    holder.spawn().unwrap()
}

#[tokio::test]
async fn nobody_survives_when_mimi_or_the_outer_supervisor_is_killed() {
    for tier in [Tier::Full, Tier::Landlock] {
        let Some(stage) = Stage::new(tier, Project::Bare) else { continue };
        for kills_mimi in [true, false] {
            let mark = mimi::base::clock::new_id();
            let runner = stage.runner(&[("MIMI_TEST_MARK", mark.clone())]);
            let order = runner.order().unwrap();
            let (ours, theirs) = UnixStream::pair().unwrap();
            std::io::Write::write_all(&mut &ours, &order).unwrap();
            let mut holder = hold(ours);
            let mut command = Process::new(supervisor());
            command.args(["__supervise", "--confined", "--", "bash", "-c", TREE]).current_dir(&stage.work);
            command.env_clear().envs(runner.environment.iter().map(|(name, value)| (name, value)));
            let mut outer = command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).spawn().unwrap();
            drop(command);
            let until = Instant::now() + Duration::from_secs(10);
            while marked(&mark).iter().filter(|line| line.starts_with("sleep")).count() < 3 {
                assert!(Instant::now() < until, "never started: {:?}", marked(&mark));
                std::thread::yield_now();
            }
            let killed = if kills_mimi { &mut holder } else { &mut outer };
            killed.kill().unwrap();
            killed.wait().unwrap();
            if !kills_mimi && tier == Tier::Landlock {
                // Without namespaces nothing dies with the outer one; the inner one holds the lifeline and is still there.
                holder.kill().unwrap();
                holder.wait().unwrap();
            }
            assert_nobody_left(&mark, &format!("{tier:?}, mimi killed: {kills_mimi}"));
            drop(holder.kill());
            drop((holder.wait(), outer.wait()));
        }
    }
}
