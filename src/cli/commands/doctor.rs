//! Is everything there that mimi needs?
//!
//! Each row says what was checked, what was found and, when something is missing, what to type. The command fails with the
//! code of the first row that is broken.

use std::io::IsTerminal as _;
use std::time::Duration;

use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::context::{Cx, runtime};
use crate::cli::output::Style;
use crate::config::dirs::Dirs;
use crate::exec::run::Ending;
use crate::protocol::task::Task;

/// Time git may take to say its version.
const GIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Arguments of `mimi doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Print the rows as JSON
    #[arg(long)]
    pub json: bool,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Health {
    Good,
    /// Works, but not as well as it could.
    Weak,
    /// Does not work; the exit code follows.
    Broken(Kind),
}

impl Health {
    fn word(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Weak => "weak",
            Self::Broken(_) => "broken",
        }
    }
}

/// One checked thing.
struct Row {
    what: &'static str,
    health: Health,
    found: String,
    hints: Vec<String>,
}

impl Row {
    fn good(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, health: Health::Good, found: found.into(), hints: Vec::new() }
    }

    /// Refers to an earlier row that found the same.
    fn unless_like(self, earlier: Option<&Self>) -> Self {
        match earlier {
            Some(row) if row.found == self.found => {
                Self { found: format!("as {}", row.what), hints: Vec::new(), ..self }
            }
            _ => self,
        }
    }

    fn broken(what: &'static str, fault: &Fault) -> Self {
        let found = std::iter::once(&fault.message).chain(&fault.causes).cloned().collect::<Vec<_>>().join(": ");
        Self { what, health: Health::Broken(fault.kind), found, hints: fault.hints.clone() }
    }
}

/// Checks everything.
pub fn run(cx: &Cx, args: &DoctorArgs) -> Result<(), Fault> {
    let mut rows = Vec::new();
    match cx.app() {
        Err(fault) => rows.push(Row::broken("configuration", &fault)),
        Ok(app) => {
            rows.push(settings_row(cx));
            runtime()?.block_on(async {
                rows.extend(server_rows(&app, cx).await);
                rows.push(git_row(&app).await);
            });
        }
    }
    rows.push(state_row(&cx.dirs));
    rows.push(terminal_row(cx));
    print(cx, args, &rows)?;
    let broken = rows.iter().find_map(|row| match row.health {
        Health::Broken(kind) => Some((row.what, kind)),
        Health::Good | Health::Weak => None,
    });
    match broken {
        None => Ok(()),
        Some((what, kind)) => Err(Fault::new(kind, format!("{what}: not usable as it is"))),
    }
}

fn settings_row(cx: &Cx) -> Row {
    let file = cx.dirs.config_file();
    let note = if file.exists() { "" } else { " (not there; the defaults are used)" };
    Row::good("configuration", format!("{}{note}", file.display()))
}

/// Asks for the server of each task that matters from the start, and whether it has the model. What is said once is not
/// said again.
async fn server_rows(app: &App, cx: &Cx) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for (task, what) in [(Task::Chat, "model for chat"), (Task::Fix, "model for fix")] {
        rows.push(match app.gateway.resolve(task, cx.global.model.as_deref()).await {
            Ok(route) => Row::good(what, format!("{} at {} ({} tokens)", route.model, route.url, route.window_tokens)),
            Err(error) => Row::broken(what, &Fault::from(error)).unless_like(rows.first()),
        });
    }
    rows
}

async fn git_row(app: &App) -> Row {
    let argv = ["git", "--version"].map(str::to_owned).to_vec();
    match app.runner.run_quiet(&argv, app.workspace.root(), GIT_TIMEOUT).await {
        Ok(output) if output.ending == Ending::Exited(0) => {
            Row::good("git", String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        _ => Row {
            what: "git",
            health: Health::Weak,
            found: "not found; the git tool cannot work".to_owned(),
            hints: vec!["install git".to_owned()],
        },
    }
}

fn state_row(dirs: &Dirs) -> Row {
    let state = &dirs.state;
    let probe = state.join(format!(".probe-{}", std::process::id()));
    let written = crate::base::path::create_private_dir(state)
        .and_then(|()| crate::base::path::write_atomic(&probe, b"", crate::base::path::PRIVATE_FILE))
        .and_then(|()| std::fs::remove_file(&probe));
    match written {
        Ok(()) => Row::good("sessions", dirs.sessions().display().to_string()),
        Err(error) => Row {
            what: "sessions",
            health: Health::Weak,
            found: format!("{} cannot be written ({error}); sessions are not kept", state.display()),
            hints: vec!["export XDG_STATE_HOME=/a/folder/you/can/write".to_owned()],
        },
    }
}

fn terminal_row(cx: &Cx) -> Row {
    let term = cx.env.get("TERM").unwrap_or("not set");
    if !std::io::stdout().is_terminal() {
        return Row::good("terminal", "none; output is plain");
    }
    let size = crossterm::terminal::size().map_or_else(|_| "unknown size".to_owned(), |(w, h)| format!("{w}x{h}"));
    Row::good("terminal", format!("{term}, {size}"))
}

fn print(cx: &Cx, args: &DoctorArgs, rows: &[Row]) -> Result<(), Fault> {
    if args.json {
        let rows: Vec<_> = rows
            .iter()
            .map(|row| serde_json::json!({"check": row.what, "health": row.health.word(), "found": row.found, "hints": row.hints}))
            .collect();
        return cx.out.line(serde_json::Value::from(rows).to_string());
    }
    for row in rows {
        let style = match row.health {
            Health::Good => Style::Good,
            Health::Weak => Style::Notice,
            Health::Broken(_) => Style::Bad,
        };
        let health = cx.out.paint(style, &format!("{:<7}", row.health.word()));
        cx.out.line(format!("{health} {:<15} {}", row.what, visible(&row.found)))?;
        row.hints.iter().try_for_each(|hint| cx.out.line(format!("{:<8}hint: {}", "", visible(hint))))?;
    }
    Ok(())
}
