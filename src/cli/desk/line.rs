//! What does the user's own command say of the work?
//!
//! `ui.status_command` of the user's configuration, never of a project's: it reads the facts as JSON and prints a line. Confined as
//! every command is, ended after two seconds, run at most every two; of what it prints the first line is shown.

use std::time::Duration;

use crate::base::clock::{Clock as _, SystemClock};
use crate::base::fault::Fault;
use crate::base::text::{first_line, plain, shell_quoted};
use crate::cli::desk::Desk;
use crate::exec::run::{Command, Ending, Program};

/// Time between two runs, in milliseconds.
const EVERY_MS: u64 = 2000;
/// Time a run may take.
const TIMEOUT: Duration = Duration::from_secs(2);
/// Characters of the line that are kept.
const MAX_CHARS: usize = 300;

/// Runs the command and returns its line, or why there is none.
pub(super) async fn said(desk: &Desk<'_>, facts: &str) -> Result<String, String> {
    let since = SystemClock.now_ms().saturating_sub(desk.lined_at.get());
    tokio::time::sleep(Duration::from_millis(EVERY_MS.saturating_sub(since))).await;
    desk.lined_at.set(SystemClock.now_ms());
    let own = &desk.app.config.ui.status_command;
    let command = Command {
        // Commands have no input of their own; bash gives it this one.
        program: Program::Shell(format!("{{ {own}\n}} <<< {}", shell_quoted(facts))),
        cwd: desk.app.workspace.root().to_path_buf(),
        timeout: TIMEOUT,
        max_output_bytes: 4096,
        spill: None,
    };
    let output = desk.app.runner.run(command, tokio_util::sync::CancellationToken::new(), None).await;
    let output = output.map_err(|error| Fault::from(error).line())?;
    match output.ending {
        Ending::Exited(0) => Ok(first_line(&plain(&output.text), MAX_CHARS)),
        Ending::Exited(code) => Err(format!("it ended with code {code}: {}", first_line(&output.text, 100))),
        Ending::TimedOut => Err("it took more than two seconds".to_owned()),
        Ending::Signalled(_) | Ending::Cancelled => Err("it was ended".to_owned()),
    }
}
