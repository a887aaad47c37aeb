//! What does `mimi policy` do?
//!
//! Shows the rules that hold here, says what would become of a command and why, and forgets what was agreed to for always.
//! It judges for the sandbox that works here, runs nothing of what it judges, and asks no model.

use clap::{Args, Subcommand};
use serde_json::json;

use crate::app::{App, Look};
use crate::base::clock::{Clock as _, SystemClock, format_utc};
use crate::base::fault::{Fault, Kind};
use crate::base::text::{shell_quoted, visible};
use crate::cli::commands::run::ModeArg;
use crate::cli::context::Cx;
use crate::cli::output::Style;
use crate::policy::explain::Explained;
use crate::policy::kept::Kept;
use crate::policy::rules::Where;
use crate::policy::{Policy, layers};

/// Show what may be done without asking, and why
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do
    #[command(subcommand)]
    command: PolicyCommand,
}

#[derive(Debug, Subcommand)]
enum PolicyCommand {
    /// List the rules that hold in this folder: yours, the project's, those agreed to for always, and mimi's own
    List(ListArgs),
    /// Say whether a command would run, ask or be refused
    Test(TestArgs),
    /// Say it for each part of a command, and what decides
    Explain(TestArgs),
    /// Forget rules that were agreed to for always in this repository
    Forget(ForgetArgs),
}

#[derive(Debug, Args)]
struct ListArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct TestArgs {
    /// The command, as one word
    #[arg(value_name = "COMMAND")]
    text: String,
    /// In this mode instead of the configured one
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct ForgetArgs {
    /// The rule, as `mimi policy list` shows it
    #[arg(value_name = "RULE", required_unless_present = "all")]
    rule: Option<String>,
    /// Forget all of them
    #[arg(long, conflicts_with = "rule")]
    all: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs `mimi policy`.
///
/// # Errors
/// Rules that cannot be read, a rule to forget that is not there, or standard output that cannot be written.
pub fn run(cx: &Cx, args: &PolicyArgs) -> Result<(), Fault> {
    match &args.command {
        PolicyCommand::List(args) => list(cx, args),
        PolicyCommand::Test(args) => test(cx, args),
        PolicyCommand::Explain(args) => explain(cx, args),
        PolicyCommand::Forget(args) => forget(cx, args),
    }
}

fn policy(cx: &Cx, mode: Option<ModeArg>) -> Result<Policy, Fault> {
    let config = cx.load()?.config;
    let path = cx.env.get("PATH").unwrap_or_default().to_owned();
    let ground = layers::ground(&cx.workspace_root, &cx.dirs, &path);
    let rules = layers::collect(&ground, &cx.dirs, &config.policy, &[])?;
    let tier = App::choose(&config, &cx.env, &cx.dirs, &cx.workspace_root, Look::Kept)?.tier;
    Ok(Policy::new(mode.map_or(config.agent.mode, Into::into), ground, rules)?.confined_by(tier))
}

fn list(cx: &Cx, args: &ListArgs) -> Result<(), Fault> {
    let policy = policy(cx, None)?;
    let agreed = Kept::of(&cx.dirs, &cx.workspace_root).agreed(SystemClock.now_ms())?;
    let until = |text: &str| agreed.iter().find(|agreed| agreed.rule == text).map(|agreed| agreed.until_ms);
    if args.json {
        let rows = policy.rules().iter().map(|stated| {
            json!({
                "verdict": stated.force, "rule": stated.rule.text(), "where": stated.place, "why": stated.why,
                "origin": stated.origin, "until_ms": until(stated.rule.text()),
            })
        });
        return cx.out.json(&json!(rows.collect::<Vec<_>>()).to_string());
    }
    for stated in policy.rules() {
        let place = match stated.place {
            Where::Any => "",
            Where::Sandbox => " (in the sandbox)",
            Where::Host => " (outside the sandbox)",
        };
        let end = until(stated.rule.text()).map(|at| format!(", until {}", format_utc(at))).unwrap_or_default();
        cx.out.line(visible(&format!("{:5} {}{place}", stated.force.name(), stated.rule.text())))?;
        cx.out.styled(Style::Dim, visible(&format!("      {}{end}", stated.origin)))?;
    }
    Ok(())
}

fn test(cx: &Cx, args: &TestArgs) -> Result<(), Fault> {
    let explained = policy(cx, args.mode)?.explain(&args.text, &cx.workspace_root);
    if args.json {
        return cx.out.json(&json!({"verdict": explained.verdict, "why": explained.why}).to_string());
    }
    cx.out.line(visible(&format!("{}: {}", explained.verdict.name(), explained.why)))
}

fn explain(cx: &Cx, args: &TestArgs) -> Result<(), Fault> {
    let policy = policy(cx, args.mode)?;
    let Explained { verdict, why, parts, rules } = policy.explain(&args.text, &cx.workspace_root);
    if args.json {
        let parts = parts.iter().map(|part| json!({"command": part.text, "verdict": part.verdict, "why": part.why}));
        let parts: Vec<_> = parts.collect();
        return cx.out.json(&json!({"verdict": verdict, "why": why, "parts": parts, "rules": rules}).to_string());
    }
    cx.out.styled(Style::Bold, visible(&format!("{}: {why}", verdict.name())))?;
    for part in parts {
        cx.out.line(visible(&format!("  {:5} {}: {}", part.verdict.name(), part.text.replace('\n', " "), part.why)))?;
    }
    for rule in &rules {
        cx.out.line(visible(&format!("  it would run with --allow {}", shell_quoted(rule))))?;
    }
    Ok(())
}

fn forget(cx: &Cx, args: &ForgetArgs) -> Result<(), Fault> {
    let kept = Kept::of(&cx.dirs, &cx.workspace_root);
    let gone = kept.forget(args.rule.as_deref(), SystemClock.now_ms())?;
    if let (Some(rule), true) = (&args.rule, gone.is_empty()) {
        let message = format!("no rule `{rule}` was agreed to in this repository");
        return Err(Fault::new(Kind::Usage, message).hint("list them: mimi policy list"));
    }
    if args.json {
        return cx.out.json(&json!(gone).to_string());
    }
    gone.iter().try_for_each(|agreed| cx.out.line(visible(&format!("forgot {}", agreed.rule))))
}
