//! Is a file whole, whenever its writer is killed, and is what the writer left behind cleared away by the next one?
//!
//! A child rewrites a file of 8 MB again and again and is killed (SIGKILL) at a random moment of it. `MIMI_KILLS=1000` makes
//! as many of them as the figure in the documentation; the default keeps the suite quick.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use mimi::base::pending::{Pending, sweep};
use mimi::edit::text_file::TextFile;
use mimi::edit::writer::Writer;

use crate::support::Env;
use crate::support::wire::WireServer;

const N_KILLS: usize = 200;
const N_THREADS: usize = 4;
/// The longest text that is changed: 8 MB.
const N_BYTES: usize = 8_000_000;
/// Names the folder the child works in.
const CHILD: &str = "MIMI_TEST_CHILD";

/// A text of which every line tells its state, so that a mixture of two shows.
fn text(state: u64) -> String {
    let line = format!("state {state:>9} of a file that takes a moment to write\n");
    let mut text = line.repeat(N_BYTES / line.len());
    text.push_str(&"x".repeat(N_BYTES - text.len()));
    text
}

/// Returns the state of a whole text; none when it is torn.
fn state(text: &str) -> Option<u64> {
    let state = text.get(6..15)?.trim().parse().ok()?;
    (text == self::text(state)).then_some(state)
}

/// The child, when it is started as one. As a test of its own it checks that the two functions above belong together.
#[test]
fn child() {
    assert_eq!(state(&text(7)), Some(7));
    assert_eq!(state(&text(7).replacen("7", "8", 1)), None);
    let Ok(folder) = std::env::var(CHILD) else { return };
    let folder = PathBuf::from(folder);
    // As every start of mimi does.
    sweep(&folder.join("pending"));
    let writer = Writer::new(Pending::new(folder.join("pending")));
    let path = folder.join("work/f");
    loop {
        let file = TextFile::load(&path, "f").unwrap();
        let next = text(state(&file.text).unwrap() + 1);
        println!("writing");
        writer.rewrite(&file, &next).unwrap();
    }
}

fn start_child(folder: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "edit::kills::child", "--nocapture"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Waits for the child to begin its next writes.
fn wait_for_writes(child: &mut Child, n_writes: usize) -> BufReader<std::process::ChildStdout> {
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    let mut n_seen = 0;
    while n_seen < n_writes {
        line.clear();
        assert!(lines.read_line(&mut line).unwrap() > 0, "the child ended by itself");
        n_seen += usize::from(line.ends_with("writing\n"));
    }
    lines
}

/// Starts a child, kills it `delay` after it began to write; returns the files it left beside its own.
fn kill_once(folder: &Path, delay: Duration) -> usize {
    let mut child = start_child(folder);
    let lines = wait_for_writes(&mut child, 1);
    // Nobody ever sends: only the time is waited for.
    let (_sender, never) = channel::<()>();
    assert!(never.recv_timeout(delay).is_err());
    child.kill().unwrap();
    child.wait().unwrap();
    drop(lines);
    let text = std::fs::read_to_string(folder.join("work/f")).unwrap();
    assert!(state(&text).is_some(), "torn after {delay:?}: {} bytes, {:?}...", text.len(), &text[..60.min(text.len())]);
    std::fs::read_dir(folder.join("work")).unwrap().count() - 1
}

fn prepare() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("work")).unwrap();
    std::fs::write(folder.path().join("work/f"), text(1)).unwrap();
    folder
}

/// Measures how long a child takes for one write, so that kills fall into all of it.
fn time_of_a_write() -> Duration {
    let folder = prepare();
    let mut child = start_child(&folder.path().canonicalize().unwrap());
    let started = Instant::now();
    drop(wait_for_writes(&mut child, 3));
    child.kill().unwrap();
    child.wait().unwrap();
    started.elapsed() / 3
}

#[test]
fn a_file_is_whole_and_nothing_is_left_whenever_its_writer_is_killed() {
    let n_kills = std::env::var("MIMI_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(N_KILLS);
    let longest = time_of_a_write();
    let (next, n_left) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        let folder = prepare();
        let folder = folder.path().canonicalize().unwrap();
        let names = || std::fs::read_dir(folder.join("work")).unwrap().count();
        loop {
            let n = next.fetch_add(1, Ordering::Relaxed);
            if n >= n_kills {
                break;
            }
            let delay = longest * u32::try_from(n % 97).unwrap() / 96;
            n_left.fetch_add(kill_once(&folder, delay), Ordering::Relaxed);
            sweep(&folder.join("pending"));
            assert_eq!(names(), 1, "the next start leaves nothing behind");
        }
    };
    std::thread::scope(|scope| (0..N_THREADS).for_each(|_| drop(scope.spawn(work))));
    let n_left = n_left.into_inner();
    println!("{n_kills} kills within {longest:?}: 0 torn, {n_left} temporary files left, 0 after the next start");
    assert!(n_left > 0, "no kill fell into a write");
}

#[test]
fn the_next_start_in_any_folder_clears_away_what_a_killed_one_left() {
    let server = WireServer::script("{model: qwen3-coder:30b, turns: [{say: hello}]}");
    let mut env = Env::new();
    env.set("MIMI_SERVER_URL", server.url());
    let (ours, theirs) = (".lib.rs.mimi-1-dead-4", ".lib.rs.mimi-2-dead-4");
    let paths = [ours, theirs].map(|name| env.write(Path::new("src").join(name), "half"));
    // A process that is gone: nobody holds the lock of its book.
    let book = env.home().join(".local/state/mimi/pending/1-dead");
    env.write(&book, paths.map(|path| format!("{}\0", path.display())).concat());
    env.run(["run", "hello"]).outcome().success();
    let names: Vec<_> =
        std::fs::read_dir(env.work().join("src")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, [theirs], "only what bears the mark of the book");
    assert!(!book.exists());
}
