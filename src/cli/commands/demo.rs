//! How does a newcomer see mimi work on a machine without any model server?
//!
//! Writes a small project with a real bug to a scratch folder and runs the real `mimi fix` on it. Only the model's words come
//! from a script, and the user is told so.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, create_private_dir, write_atomic};
use crate::cli::commands::fix::{FixArgs, collector, work};
use crate::cli::commands::fix_show::Show;
use crate::cli::context::{Cx, runtime};
use crate::cli::output::Style;
use crate::cli::report::target::Targets;
use crate::exec::run::Ending;
use crate::model::providers::script::{Script, ScriptProvider};
use crate::strategy::fix::{self, Job, Outcome};

/// The project, file by file.
const FILES: &[(&str, &str)] = &[
    ("Cargo.toml", include_str!("../../../config/demo/project/Cargo.toml.txt")),
    ("src/lib.rs", include_str!("../../../config/demo/project/src/lib.rs")),
    ("tests/pages.rs", include_str!("../../../config/demo/project/tests/pages.rs")),
    (".gitignore", "/target\n"),
];
const SCRIPT: &str = include_str!("../../../config/demo/script.yaml");
const CHECK: &str = "cargo test --offline --quiet";
const TIMEOUT_S: u64 = 300;
/// Time cargo may take to say its version.
const CARGO_TIMEOUT: Duration = Duration::from_secs(20);

/// Arguments of `mimi demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Let the configured model server do the work instead of the bundled script
    #[arg(long)]
    pub live: bool,
}

/// Runs the demo.
pub fn run(cx: &Cx, args: &DemoArgs) -> Result<(), Fault> {
    let folder = write_project()?;
    cx.out.note_styled(Style::Bold, "mimi demo: a small Rust project with two bugs and three red tests");
    cx.out.note(format!("project: {}", folder.display()));
    let app = app(cx, args, &folder)?;
    runtime()?.block_on(need_cargo(&app))?;
    let job = Job {
        command: CHECK.to_owned(),
        folder: app.workspace.root().to_path_buf(),
        max_rounds: 3,
        timeout_s: TIMEOUT_S,
        spill_dir: app.spill_dir(),
    };
    let watched = RefCell::new(collector(&app, Some(&job)));
    let mut show = Show::new(&cx.out, &Targets::new(&[])?)?;
    let outcome = work(cx, &app, (&job, &FixArgs::default()), &watched, &mut show);
    let outcome = outcome.map_err(|fault| explain(fault, args))?;
    finish(cx, &folder, &outcome)
}

fn app(cx: &Cx, args: &DemoArgs, folder: &Path) -> Result<App, Fault> {
    let app = cx.app_in(cx.load()?.config, folder)?;
    if args.live {
        return Ok(app);
    }
    cx.out.note("the model's words come from a bundled script; the tools, the edit and the tests are real");
    let script = Script::parse(SCRIPT)?;
    Ok(app.with_provider("demo", Arc::new(ScriptProvider::new(script))))
}

/// Says so before anything else when the tests cannot run here, for example because rustup has no toolchain.
async fn need_cargo(app: &App) -> Result<(), Fault> {
    let argv = ["cargo", "--version"].map(str::to_owned).to_vec();
    let fault = |cause: String| {
        Fault::new(Kind::Check, "the demo needs `cargo`, and it does not run here")
            .cause(cause)
            .hint("install Rust from https://rustup.rs, or: rustup default stable")
    };
    match app.runner.run_quiet(&argv, app.workspace.root(), CARGO_TIMEOUT).await {
        Ok(output) if output.ending == Ending::Exited(0) => Ok(()),
        Ok(output) => Err(fault(crate::base::text::first_line(output.stderr.trim(), 300))),
        Err(error) => Err(fault(Fault::from(error).line())),
    }
}

fn explain(fault: Fault, args: &DemoArgs) -> Fault {
    match fault.kind {
        Kind::Model if args.live => fault.hint("without a server: mimi demo"),
        _ => fault,
    }
}

/// Writes the project to a fresh folder that only the user may enter.
fn write_project() -> Result<PathBuf, Fault> {
    let folder = std::env::temp_dir().join(format!("mimi-demo-{}", crate::base::clock::new_id()));
    for (name, text) in FILES {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(&folder);
        create_private_dir(parent)
            .and_then(|()| write_atomic(&path, text.as_bytes(), PRIVATE_FILE))
            .map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", path.display()), &error))?;
    }
    Ok(folder)
}

fn finish(cx: &Cx, folder: &Path, outcome: &Outcome) -> Result<(), Fault> {
    match outcome.ending {
        fix::Ending::Fixed => {}
        _ => return Err(Fault::new(Kind::Task, "the demo's tests still fail").cause(outcome.last_run.text.clone())),
    }
    cx.out.line("")?;
    cx.out.styled(Style::Bold, "The change:")?;
    show_change(cx, folder)?;
    cx.out.line("")?;
    cx.out.styled(Style::Bold, format!("The test run after it (`{CHECK}`):"))?;
    cx.out.line(crate::base::text::visible(outcome.last_run.text.trim()))?;
    cx.out.line("")?;
    cx.out.styled(Style::Bold, "Try next:")?;
    cx.out.line("  mimi doctor                      is everything there that mimi needs?")?;
    cx.out.line("  export MIMI_SERVER_URL=http://HOST:8000/v1   name your model server")?;
    cx.out.line("  mimi chat                        talk about your own project; or: mimi fix")
}

fn show_change(cx: &Cx, folder: &Path) -> Result<(), Fault> {
    let (name, before) = FILES[1];
    let after = std::fs::read_to_string(folder.join(name))
        .map_err(|error| Fault::io(Kind::Task, format!("cannot read `{name}`"), &error))?;
    let diff = crate::edit::diff::file_diff(name, Some(before), Some(&after));
    diff.unified.lines().try_for_each(|line| {
        let style = match line.as_bytes().first() {
            Some(b'+') => Style::Good,
            Some(b'-') => Style::Bad,
            _ => Style::Plain,
        };
        cx.out.styled(style, format!("  {line}"))
    })
}
