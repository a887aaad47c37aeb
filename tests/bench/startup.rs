//! How long until mimi has started, and what does it take?

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::fs::{OFlags, fcntl_setfl};

use crate::process::{Memory, memory, mib};
use crate::server::{Server, Turn};
use crate::user::{PROGRAM, User};
use crate::{Measured, Unit, spread};

/// Runs that are thrown away: they fill the page cache.
const N_WARM_UP: usize = 5;
const N_RUNS: usize = 60;
/// Sessions of somebody who works with mimi every day for a year.
const N_SESSIONS: usize = 1000;
/// The peak counts once it has not moved for so long.
const STILL: Duration = Duration::from_millis(30);
const LIMIT: Duration = Duration::from_secs(10);

/// Measures from starting the process to its end; beside it the same of `/bin/true`, the least any process takes.
pub fn time() -> Result<Measured, String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    let own = spread(run_often(&user, Path::new(PROGRAM), &["--version"])?, Unit::Milliseconds)?;
    let floor = spread(run_often(&user, Path::new("/bin/true"), &[])?, Unit::Milliseconds)?;
    Ok(Measured { detail: format!("{}; /bin/true {:.2} ms", own.detail, floor.value), value: own.value })
}

fn run_often(user: &User, program: &Path, arguments: &[&str]) -> Result<Vec<f64>, String> {
    let mut samples = Vec::new();
    for n in 0..N_WARM_UP + N_RUNS {
        let started = Instant::now();
        let status = user.command(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
        let passed = started.elapsed();
        if !status.is_ok_and(|status| status.success()) {
            return Err(format!("{} {} failed", program.display(), arguments.join(" ")));
        }
        if n >= N_WARM_UP {
            samples.push(passed.as_secs_f64() * 1000.0);
        }
    }
    Ok(samples)
}

/// Measures `mimi session list` where there are many sessions.
pub fn list() -> Result<Measured, String> {
    let user = User::new("ada", "project").map_err(|error| error.to_string())?;
    make_sessions(&user, "done")?;
    spread(run_often(&user, Path::new(PROGRAM), &["session", "list"])?, Unit::Milliseconds)
}

/// Makes one session as everybody does, with this answer, and the others from it under other names.
pub fn make_sessions(user: &User, answer: &str) -> Result<(), String> {
    let answer = answer.to_owned();
    let server = Server::start(move |_| Turn::Say(answer.clone())).map_err(|error| error.to_string())?;
    user.run_task(&server.url, "say that it is done", |_| {}).map_err(|error| error.to_string())?;
    let copy = || {
        let folder = user.sessions();
        let first = std::fs::read_dir(&folder)?.next().ok_or(std::io::ErrorKind::NotFound)??.path();
        let (text, id) = (std::fs::read_to_string(&first)?, first.file_stem().unwrap_or_default().to_string_lossy());
        for number in 1..N_SESSIONS {
            // The last digits of an id are random, so these are ids like any other.
            let other = format!("{}{number:05}", &id[..id.len() - 5]);
            std::fs::write(folder.join(format!("{other}.jsonl")), text.replace(&*id, &other))?;
        }
        Ok(())
    };
    copy().map_err(|error: std::io::Error| error.to_string())
}

/// Measures the most memory `--version` holds.
///
/// A process that has ended has no memory left to read, so its output is a pipe that is full already: it stops in its
/// first write, with all its work done, and is looked at there.
pub fn peak() -> Result<Measured, String> {
    let say = |error: std::io::Error| error.to_string();
    let user = User::new("ada", "project").map_err(say)?;
    let (mut reader, mut writer) = std::io::pipe().map_err(say)?;
    fcntl_setfl(&writer, OFlags::NONBLOCK).map_err(|error| error.to_string())?;
    let mut n_filled = 0;
    for size in [4096, 1] {
        while let Ok(n) = writer.write(&[b' '; 4096][..size]) {
            n_filled += n;
        }
    }
    fcntl_setfl(&writer, OFlags::empty()).map_err(|error| error.to_string())?;
    let mut child = user.command(Path::new(PROGRAM)).arg("--version").stdout(writer).spawn().map_err(say)?;
    let found = settled_peak(&mut child);
    let mut printed = Vec::new();
    // Lets it write and end.
    let read = reader.read_to_end(&mut printed);
    let ended = child.wait();
    let bytes = found?;
    read.and(ended.map(|_| ())).map_err(say)?;
    let version = String::from_utf8_lossy(&printed[n_filled.min(printed.len())..]).trim().to_owned();
    Ok(Measured { value: mib(bytes), detail: version })
}

/// Waits until a process that cannot go on has held the same peak for a while.
fn settled_peak(child: &mut std::process::Child) -> Result<u64, String> {
    let deadline = Instant::now() + LIMIT;
    let (mut peak, mut since) = (0, Instant::now());
    while Instant::now() < deadline {
        if child.try_wait().is_ok_and(|status| status.is_some()) {
            return Err("it ended without printing anything".to_owned());
        }
        let now = memory(child.id(), Memory::Peak).unwrap_or_default();
        if now != peak {
            (peak, since) = (now, Instant::now());
        }
        if peak > 0 && since.elapsed() > STILL {
            return Ok(peak);
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    Err(format!("its memory kept moving for {LIMIT:?}"))
}

/// Reads the size of the binary.
pub fn binary_size() -> Result<Measured, String> {
    let size = std::fs::metadata(PROGRAM).map_err(|error| error.to_string())?.len();
    Ok(Measured { value: mib(size), detail: PROGRAM.to_owned() })
}
