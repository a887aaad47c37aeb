//! Is everything there that mimi needs?
//!
//! Each row says what was checked, what was found and, when something is missing, what to type. Then the model is asked a
//! dozen small things, about a minute long; what it can do is remembered and used from then on. The command fails with the
//! code of the first row that is broken.

use std::io::IsTerminal as _;
use std::time::Duration;

use crate::app::{App, Look};
use crate::base::clock::SystemClock;
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::commands::doctor_egress;
use crate::cli::context::{Cx, runtime};
use crate::cli::output::Style;
use crate::config::dirs::Dirs;
use crate::exec::run::Ending;
use crate::exec::sandbox::Tier;
use crate::model::route::Route;
use crate::protocol::server::ServerKind;
use crate::protocol::task::Task;
use crate::strategy::conformance::finding::Finding;
use crate::strategy::conformance::{self, Subject};
use crate::tools::registry::Registry;

/// Time git may take to say its version.
const GIT_TIMEOUT: Duration = Duration::from_secs(5);

/// Arguments of `mimi doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Print the rows as JSON
    #[arg(long)]
    pub json: bool,
    /// Ask the model nothing: only look whether everything is there
    #[arg(long)]
    pub quick: bool,
    /// List what would be connected to, by whom and what for; connect to nothing
    #[arg(long, conflicts_with = "quick")]
    pub egress: bool,
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

impl From<Finding> for Row {
    fn from(finding: Finding) -> Self {
        let health = match finding.health {
            conformance::finding::Health::Good => Health::Good,
            conformance::finding::Health::Weak => Health::Weak,
            conformance::finding::Health::Broken => Health::Broken(Kind::Model),
        };
        Self { what: finding.check, health, found: finding.found, hints: finding.hints }
    }
}

/// The rows so far; each is shown as soon as it is there, because the whole takes a minute.
struct Report<'a> {
    cx: &'a Cx,
    args: &'a DoctorArgs,
    rows: Vec<Row>,
}

impl Report<'_> {
    fn add(&mut self, row: Row) -> Result<(), Fault> {
        if !self.args.json {
            print_row(self.cx, &row)?;
        }
        self.rows.push(row);
        Ok(())
    }

    fn end(self) -> Result<(), Fault> {
        if self.args.json {
            print_json(self.cx, &self.rows)?;
        }
        let broken = self.rows.iter().find_map(|row| match row.health {
            Health::Broken(kind) => Some((row.what, kind)),
            Health::Good | Health::Weak => None,
        });
        match broken {
            None => Ok(()),
            Some((what, kind)) => Err(Fault::new(kind, format!("{what}: not usable as it is"))),
        }
    }
}

/// Checks everything.
pub fn run(cx: &Cx, args: &DoctorArgs) -> Result<(), Fault> {
    if args.egress {
        return doctor_egress::run(cx, &cx.app()?, args.json);
    }
    let mut report = Report { cx, args, rows: Vec::new() };
    let app = match cx.app() {
        Err(fault) => {
            report.add(Row::broken("configuration", &fault))?;
            None
        }
        Ok(app) => {
            report.add(settings_row(cx))?;
            Some(app)
        }
    };
    report.add(state_row(&cx.dirs))?;
    report.add(terminal_row(cx))?;
    if let Some(app) = app {
        runtime()?.block_on(ask_around(&app, &mut report))?;
    }
    report.end()
}

/// Looks at git and the servers, then examines the model for chat.
async fn ask_around(app: &App, report: &mut Report<'_>) -> Result<(), Fault> {
    report.add(sandbox_row(app, report.cx)?)?;
    report.add(git_row(app).await)?;
    for row in server_rows(app, report.cx).await {
        report.add(row)?;
    }
    let Ok(route) = app.gateway.resolve(Task::Chat, report.cx.global.model.as_deref()).await else { return Ok(()) };
    if report.args.quick {
        return Ok(());
    }
    examine(app, &route, report).await
}

/// Asks the model what an agent needs of it, and keeps what came out.
async fn examine(app: &App, route: &Route, report: &mut Report<'_>) -> Result<(), Fault> {
    let other = async |task| app.gateway.resolve(task, None).await.map_err(|error| Fault::from(error).line());
    let subject = Subject {
        gateway: &app.gateway,
        route,
        tools: Registry::new().every_spec(),
        fim: other(Task::Fim).await,
        embed: other(Task::Embed).await,
        server: kind_name(route),
        clock: &SystemClock,
    };
    let mut failed = Ok(());
    let profile = conformance::examine(&subject, |finding| {
        let added = report.add(Row::from(finding));
        failed = std::mem::replace(&mut failed, Ok(())).and(added);
    })
    .await;
    failed?;
    if let Err(error) = app.profiles().save(&route.url, &route.model, &profile) {
        let folder = app.profiles().folder().display().to_string();
        let fault = Fault::io(Kind::Config, format!("what was found cannot be kept in {folder}"), &error);
        report.add(Row { health: Health::Weak, ..Row::broken("profile", &fault) })?;
    }
    Ok(())
}

/// Returns the kind of the server as rows of `config/doctor.yaml` name it.
fn kind_name(route: &Route) -> &'static str {
    match route.server.kind {
        ServerKind::Ollama => "ollama",
        ServerKind::Vllm | ServerKind::Nim => "vllm",
        ServerKind::Sglang => "sglang",
        ServerKind::LlamaCpp => "llamacpp",
        ServerKind::TensorRtLlm | ServerKind::Triton | ServerKind::LiteLlm | ServerKind::Openai => "any",
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

/// Tries the sandbox anew, since the user may just have mended something.
fn sandbox_row(app: &App, cx: &Cx) -> Result<Row, Fault> {
    let choice = App::choose(&app.config, &cx.env, &cx.dirs, &cx.workspace_root, Look::Anew)?;
    let health = match (choice.is_as_wanted, choice.tier) {
        (false, _) => Health::Broken(Kind::Sandbox),
        (true, Tier::Full) => Health::Good,
        (true, _) => Health::Weak,
    };
    let lacks = choice.lacks.iter().filter(|lack| health != Health::Good || lack.tier == Tier::Full);
    let why = lacks.clone().map(|lack| format!("; {} is missing: {}", lack.tier.name(), lack.says));
    let found = format!("{}{}", choice.words(), why.collect::<String>());
    Ok(Row { what: "sandbox", health, found, hints: lacks.flat_map(|lack| lack.fix.clone()).collect() })
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

fn print_json(cx: &Cx, rows: &[Row]) -> Result<(), Fault> {
    let rows: Vec<_> = rows
        .iter()
        .map(|row| serde_json::json!({"check": row.what, "health": row.health.word(), "found": row.found, "hints": row.hints}))
        .collect();
    cx.out.json(&serde_json::Value::from(rows).to_string())
}

fn print_row(cx: &Cx, row: &Row) -> Result<(), Fault> {
    let style = match row.health {
        Health::Good => Style::Good,
        Health::Weak => Style::Notice,
        Health::Broken(_) => Style::Bad,
    };
    let health = cx.out.paint(style, &format!("{:<7}", row.health.word()));
    cx.out.line(format!("{health} {:<26} {}", row.what, visible(&row.found)))?;
    row.hints.iter().try_for_each(|hint| cx.out.line(format!("{:<8}hint: {}", "", visible(hint))))
}
