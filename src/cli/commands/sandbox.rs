//! How are commands confined on this machine, and what does that look like from inside?

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::app::{App, Look};
use crate::base::fault::{Fault, Kind};
use crate::base::text::{coloured_whole, visible};
use crate::cli::SandboxArg;
use crate::cli::context::{Cx, block_on};
use crate::cli::output::Style;
use crate::exec::run::{Command, Ending, Program};
use crate::exec::sandbox::probe::Choice;

/// Bytes of a command's output that are shown.
const MAX_OUTPUT_BYTES: usize = 1024 * 1024;
/// Hosts that are listed below it.
const MAX_HOSTS: usize = 20;

/// Arguments of `mimi sandbox`.
#[derive(Debug, clap::Args)]
pub struct SandboxArgs {
    /// What to do
    #[command(subcommand)]
    pub action: Action,
    /// Confine this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum, global = true)]
    pub sandbox: Option<SandboxArg>,
    /// Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`
    #[arg(long, value_name = "HOST", global = true)]
    pub allow_host: Vec<String>,
}

/// What to do with the sandbox.
#[derive(Debug, clap::Subcommand)]
pub enum Action {
    /// Try which sandbox works here, and say what to do where a better one is missing
    Probe {
        /// Print the result as JSON
        #[arg(long)]
        json: bool,
    },
    /// Run a command as the shell tool would, without asking
    Run {
        /// The program and its arguments
        #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true, value_name = "COMMAND")]
        command: Vec<String>,
    },
}

/// Does it.
pub fn run(cx: &Cx, args: &SandboxArgs) -> Result<(), Fault> {
    match &args.action {
        Action::Probe { json } => {
            let config = cx.load()?.config;
            let choice = App::choose(&config, &cx.env, &cx.dirs, &cx.workspace_root, Look::Anew)?;
            if *json {
                cx.out.json(&as_json(&choice).to_string())?;
            } else {
                show(cx, &choice)?;
            }
            App::new(config, &cx.env, cx.dirs.clone(), &cx.workspace_root, choice)?.need_sandbox().map_err(short)
        }
        Action::Run { command } => {
            let app = cx.app()?;
            app.need_sandbox()?;
            run_in(cx, &app, command)
        }
    }
}

/// What is missing has been said in full.
fn short(fault: Fault) -> Fault {
    Fault { causes: Vec::new(), hints: Vec::new(), ..fault }
}

fn as_json(choice: &Choice) -> serde_json::Value {
    serde_json::json!({
        "tier": choice.tier.name(),
        "is_as_wanted": choice.is_as_wanted,
        "bwrap": choice.bwrap,
        "has_proc": choice.has_proc,
        "landlock": choice.landlock,
        "lacks": choice.lacks,
    })
}

fn show(cx: &Cx, choice: &Choice) -> Result<(), Fault> {
    let style = if choice.tier.confines() { Style::Good } else { Style::Notice };
    cx.out.styled(style, format!("commands are confined by: {}", choice.words()))?;
    for lack in &choice.lacks {
        cx.out.line(format!("{} is missing: {}", lack.tier.name(), visible(&lack.says)))?;
        if !lack.detail.is_empty() {
            cx.out.line(format!("  it said: {}", visible(&lack.detail)))?;
        }
        lack.fix.iter().try_for_each(|fix| cx.out.line(format!("  hint: {}", visible(fix))))?;
    }
    Ok(())
}

fn run_in(cx: &Cx, app: &App, argv: &[String]) -> Result<(), Fault> {
    let command = Command {
        program: Program::Argv(argv.to_vec()),
        cwd: app.workspace.root().to_path_buf(),
        timeout: Duration::from_secs(app.config.tools.shell_timeout_s),
        max_output_bytes: MAX_OUTPUT_BYTES,
        spill: None,
    };
    let output = block_on(async { Ok(app.runner.run(command, CancellationToken::new(), None).await?) })?;
    let text = output.text.trim_end_matches('\n');
    if !text.is_empty() {
        cx.out.line(coloured_whole(text))?;
    }
    for line in output.network.lines(MAX_HOSTS) {
        cx.out.note(format!("network: {}", visible(&line)));
    }
    let name = argv.first().map_or("", String::as_str);
    match output.ending {
        Ending::Exited(0) => Ok(()),
        Ending::Exited(code) => Err(Fault::new(Kind::Task, format!("`{name}` ended with exit code {code}"))),
        Ending::Signalled(signal) => Err(Fault::new(Kind::Task, format!("`{name}` was ended by signal {signal}"))),
        Ending::TimedOut => Err(Fault::new(Kind::Budget, format!("`{name}` took too long"))
            .hint("mimi sandbox run --set tools.shell_timeout_s=3600 ...")),
        Ending::Cancelled => Err(Fault::new(Kind::Interrupted, "interrupted")),
    }
}
