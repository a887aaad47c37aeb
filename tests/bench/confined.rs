//! What does the sandbox cost a command, and does mimi stay small while one prints without end?

use std::path::Path;
use std::time::{Duration, Instant};

use mimi::exec::environment;
use mimi::exec::run::{Command, Program, Runner};
use mimi::exec::sandbox::probe::{Place, Wanted, choose_anew};
use mimi::exec::sandbox::{Sandbox, Tier};
use tokio_util::sync::CancellationToken;

use crate::process::{Memory, forget_peak, memory, mib};
use crate::user::PROGRAM;
use crate::{Measured, Unit, spread};

const N_WARM_UP: usize = 5;
const N_RUNS: usize = 60;
/// The flood, in bytes.
const FLOOD: u64 = 10_000_000_000;
const LIMIT: Duration = Duration::from_secs(600);

/// Measures what a command takes longer in namespaces than below a supervisor alone.
pub fn full() -> Result<Measured, String> {
    cost(Tier::Full)
}

/// The same behind the walls of Landlock.
pub fn landlock() -> Result<Measured, String> {
    cost(Tier::Landlock)
}

/// Measures what 10 GB of output make mimi grow by.
pub fn flood() -> Result<Measured, String> {
    let (folder, runner) = place(Tier::Full)?;
    forget_peak().map_err(|error| format!("the peak of memory cannot be set back: {error}"))?;
    let before = memory(std::process::id(), Memory::Now).ok_or("no memory to be read")?;
    let started = Instant::now();
    let text = format!("yes 0123456789abcdef | head -c {FLOOD}");
    let output = run(&runner, folder.path(), Program::Shell(text))?;
    let after = memory(std::process::id(), Memory::Peak).ok_or("no memory to be read")?;
    if output != FLOOD {
        return Err(format!("{output} bytes came"));
    }
    let rate = FLOOD as f64 / 1e6 / started.elapsed().as_secs_f64();
    Ok(Measured { value: mib(after.saturating_sub(before)), detail: format!("10 GB at {rate:.0} MB/s") })
}

/// The difference of two medians, taken in turns so that both see the same machine.
fn cost(tier: Tier) -> Result<Measured, String> {
    let (folder, confined) = place(tier)?;
    let free = Runner { sandbox: None, ..confined.clone() };
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for n in 0..N_WARM_UP + N_RUNS {
        for (runner, samples) in [(&confined, &mut with), (&free, &mut without)] {
            let started = Instant::now();
            run(runner, folder.path(), Program::Argv(vec!["true".to_owned()]))?;
            if n >= N_WARM_UP {
                samples.push(started.elapsed().as_secs_f64() * 1000.0);
            }
        }
    }
    let (with, without) = (spread(with, Unit::Milliseconds)?, spread(without, Unit::Milliseconds)?);
    let detail = format!("{:.2} ms against {:.2} ms; {}", with.value, without.value, with.detail);
    Ok(Measured { value: with.value - without.value, detail })
}

fn place(tier: Tier) -> Result<(tempfile::TempDir, Runner), String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let work = folder.path().join("work");
    std::fs::create_dir(&work).map_err(|error| error.to_string())?;
    let vars = [("PATH".to_owned(), std::env::var("PATH").unwrap_or_default())];
    let environment = environment::clean(vars.into_iter(), &[]);
    let place = Place {
        supervisor: PROGRAM.into(),
        environment: environment.clone(),
        workspace: work.clone(),
        kept: folder.path().join("kept.json"),
    };
    let choice = choose_anew(Wanted::Tier(tier), &place);
    if choice.tier != tier {
        return Err(format!("the tier is missing here: {:?}", choice.lacks));
    }
    let mut sandbox = Sandbox::new(tier, &work, &folder.path().join("home"));
    sandbox.bwrap = choice.bwrap;
    sandbox.has_proc = choice.has_proc;
    sandbox.has_walls = choice.landlock.is_some();
    sandbox.locks = folder.path().join("locks");
    Ok((folder, Runner::new(PROGRAM.into(), environment).within(sandbox)))
}

/// Runs a command in the project; returns how much it printed.
fn run(runner: &Runner, folder: &Path, program: Program) -> Result<u64, String> {
    let cwd = folder.join("work");
    let command = Command { program, cwd, timeout: LIMIT, max_output_bytes: 10_000, spill: None };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let output = runtime.block_on(runner.run(command, CancellationToken::new(), None));
    output.map(|output| output.total_bytes).map_err(|error| error.to_string())
}
