//! What can be typed after `mimi`, and what comes back?
//!
//! Reads the command line, runs one command, prints a failure once, and returns the exit code. Must not hold logic of its
//! own: a command parses, calls `app` or a strategy, and prints.
//! To add a command: `commands/<name>.rs` and a variant of [`Command`]; help, completions and man pages follow by themselves.

pub mod color;
mod colouring;
pub mod commands;
pub mod context;
pub mod cut_off;
pub mod desk;
pub mod editing;
pub mod help;
pub mod output;
pub mod paint;
mod pricing;
pub mod prompt;
pub mod recording;
pub mod render;
pub mod report;
pub mod signal;
pub mod tally;
pub mod trusting;
pub mod writing;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args as _, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};

use crate::base::fault::{Fault, Kind};
use crate::cli::color::ColorArg;
use crate::cli::context::Cx;
use crate::cli::output::Out;
use crate::config::env::Env;

/// Coding agent for the terminal that works with your own model server
///
/// Without a command it starts `mimi chat`. Settings come from flags, MIMI_* variables, the project's .mimi/config.yaml,
/// ~/.config/mimi/config.yaml and /etc/mimi/config.yaml; `mimi config show --origin` tells which.
#[derive(Debug, Parser)]
#[command(name = "mimi", version, disable_help_subcommand = true, after_help = help::exit_codes(), max_term_width = 100)]
pub struct Cli {
    /// Options of every command.
    #[command(flatten)]
    pub global: Global,
    /// The command; `chat` when none.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Options of every command.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Global {
    /// Work in this folder
    #[arg(short = 'C', long, global = true, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub cwd: Option<PathBuf>,
    /// Use this model: `MODEL` or `PROVIDER/MODEL`
    #[arg(short, long, global = true)]
    pub model: Option<String>,
    /// Set a configuration value: `agent.max_steps=20`
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Trust the project's own settings for this once, if they are those with this hash
    #[arg(long, global = true, value_name = "HASH")]
    pub trust_project: Option<String>,
    /// Say only what was asked for: no progress, no notes
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Colour the output
    #[arg(long, global = true, value_name = "WHEN", value_enum)]
    pub color: Option<ColorArg>,
}

/// How commands are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum SandboxArg {
    /// The best that works here
    Auto,
    /// In namespaces of their own, by bubblewrap
    Full,
    /// By Landlock, where namespaces are forbidden
    Landlock,
    /// Not by mimi: this container or virtual machine is the boundary
    External,
    /// Not at all
    None,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Talk with the agent about this project
    Chat(commands::chat::ChatArgs),
    /// Carry out one task and print the answer
    Run(commands::run::RunArgs),
    /// Make a failing check pass
    Fix(Box<commands::fix::FixArgs>),
    /// Have a change judged: what is wrong, where, and why
    Review(commands::review::ReviewArgs),
    /// Go through changes hunk by hunk: accept, reject, edit, stage, or say something to the model
    ReviewDiff(commands::review_diff::ReviewDiffArgs),
    /// Commit what is staged, with a message worded for you
    Commit(commands::commit::CommitArgs),
    /// Have an error or a place in a file explained
    Explain(commands::explain::ExplainArgs),
    /// Go through a recorded run again, without a model server
    Replay(commands::replay::ReplayArgs),
    /// Have a model work on a folder of tasks, and print what came of each
    Eval(commands::eval::EvalArgs),
    /// Get to know mimi in three steps: the server, how it works, something to try
    Onboard(commands::onboard::OnboardArgs),
    /// Watch mimi fix a small project, without any model server
    Demo(commands::demo::DemoArgs),
    /// Take back what the last turns changed, commands included
    Undo(commands::undo::RewindArgs),
    /// Do again what was taken back last
    Redo(commands::undo::RewindArgs),
    /// List, show, compare, restore or prune files as they were before each call
    Checkpoint(commands::checkpoint::CheckpointArgs),
    /// List, search, show, resume, name, fork, export or delete sessions
    Session(commands::session::SessionArgs),
    /// Find code by what it does, by words or by names
    Search(commands::search::SearchArgs),
    /// Build or update the index that `mimi search` asks
    Index(commands::index::IndexArgs),
    /// Show the outline of the project: the definitions that matter most
    Map(commands::map::MapArgs),
    /// Show who uses a definition, what it calls, and which files bring which in
    Graph(commands::graph::GraphArgs),
    /// Show how commands are confined, or run one so
    Sandbox(commands::sandbox::SandboxArgs),
    /// Show, check or edit the configuration
    Config(commands::config::ConfigArgs),
    /// Show what may be done without asking, and why
    Policy(commands::policy::PolicyArgs),
    /// Show what this project's own settings ask for, and trust or forget them
    Trust(commands::trust::TrustArgs),
    /// Store, list or remove keys of model servers
    Auth(commands::auth::AuthArgs),
    /// Show what requests to models took and cost
    Usage(commands::usage::UsageArgs),
    /// Show or empty the kept answers of models
    Cache(commands::cache::CacheArgs),
    /// Check that everything mimi needs is there
    Doctor(commands::doctor::DoctorArgs),
    /// Show what the model servers are, serve and do at this moment
    Status(commands::status::StatusArgs),
    /// Print the completion script of a shell
    Completions(commands::completions::CompletionsArgs),
    /// Print or write the man pages
    Man(commands::man::ManArgs),
}

/// Runs the program and returns its exit code.
pub fn main() -> ExitCode {
    output::install_panic_hook();
    let mut out = Out::process();
    let code = match run(&mut out) {
        Ok(()) => 0,
        Err(fault) => {
            if fault.kind != Kind::BrokenPipe {
                out.fault(&fault);
            }
            fault.kind.exit_code()
        }
    };
    ExitCode::from(code)
}

/// Runs the command. `out` follows the options once they are known, so that a failure is printed as they say.
fn run(out: &mut Out) -> Result<(), Fault> {
    let cli = match parse() {
        Ok(Line::User(cli)) => *cli,
        Ok(Line::Debug(args)) => return commands::debug::run(out, &args),
        Err(error) => return help::print_usage(&error),
    };
    let cx = || -> Result<Cx, Fault> {
        let cx = Cx::new(Env::from_process(), cli.global)?;
        *out = cx.out.clone();
        Ok(cx)
    };
    match cli.command.unwrap_or_else(|| Command::Chat(commands::chat::ChatArgs::unnamed())) {
        Command::Chat(args) => commands::chat::run(&cx()?.with_sandbox(args.sandbox, &args.allow_host), &args),
        Command::Run(args) => commands::run::run(&cx()?.with_sandbox(args.sandbox, &args.allow_host), &args),
        Command::Fix(args) => commands::fix::run(&cx()?.with_sandbox(args.sandbox, &args.allow_host), &args),
        Command::Review(args) => commands::review::run(&cx()?.with_sandbox(args.sandbox, &[]), &args),
        Command::ReviewDiff(args) => commands::review_diff::run(&cx()?, &args),
        Command::Commit(args) => commands::commit::run(&cx()?.with_sandbox(args.sandbox, &[]), &args),
        Command::Explain(args) => commands::explain::run(&cx()?.with_sandbox(args.sandbox, &[]), &args),
        Command::Replay(args) => commands::replay::run(&cx()?.with_sandbox(args.sandbox, &[]), &args),
        Command::Eval(args) => commands::eval::run(&cx()?, &args),
        Command::Onboard(args) => commands::onboard::run(&cx()?, &args),
        Command::Demo(args) => commands::demo::run(&cx()?, &args),
        Command::Undo(args) => commands::undo::undo(&cx()?, &args),
        Command::Redo(args) => commands::undo::redo(&cx()?, &args),
        Command::Checkpoint(args) => commands::checkpoint::run(&cx()?, &args),
        Command::Session(args) => commands::session::run(&cx()?, &args),
        Command::Sandbox(args) => commands::sandbox::run(&cx()?.with_sandbox(args.sandbox, &args.allow_host), &args),
        Command::Search(args) => commands::search::run(&cx()?, &args),
        Command::Index(args) => commands::index::run(&cx()?, &args),
        Command::Map(args) => commands::map::run(&cx()?, &args),
        Command::Graph(args) => commands::graph::run(&cx()?, &args),
        Command::Config(args) => commands::config::run(&cx()?, &args),
        Command::Policy(args) => commands::policy::run(&cx()?, &args),
        Command::Trust(args) => commands::trust::run(&cx()?, &args),
        Command::Auth(args) => commands::auth::run(&cx()?, &args),
        Command::Usage(args) => commands::usage::run(&cx()?, &args),
        Command::Cache(args) => commands::cache::run(&cx()?, &args),
        Command::Doctor(args) => commands::doctor::run(&cx()?, &args),
        Command::Status(args) => commands::status::run(&cx()?, &args),
        // These need no home folder: packages are built where there is none.
        Command::Completions(args) => commands::completions::run(out, &args),
        Command::Man(args) => commands::man::run(out, &args),
    }
}

/// What was typed.
enum Line {
    /// Something for users.
    User(Box<Cli>),
    /// Something for outside test suites, which stands in no help, completion or man page.
    Debug(commands::debug::DebugArgs),
}

fn parse() -> Result<Line, clap::Error> {
    let debug = commands::debug::DebugArgs::augment_args(clap::Command::new("debug").hide(true));
    let mut matches = command_tree().subcommand(debug).try_get_matches()?;
    match matches.subcommand_matches("debug") {
        Some(debug) => commands::debug::DebugArgs::from_arg_matches(debug).map(Line::Debug),
        None => Cli::from_arg_matches_mut(&mut matches).map(|cli| Line::User(Box::new(cli))),
    }
}

/// Returns the command-line tree, for completions and man pages.
pub fn command_tree() -> clap::Command {
    Cli::command()
}
