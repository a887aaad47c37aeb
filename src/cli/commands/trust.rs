//! What does `mimi trust` do?
//!
//! Shows what this project's own files ask for beyond narrowing, and takes or forgets the person's word for it. The word is for
//! these bytes: who gives it without a terminal names their hash.

use std::io::IsTerminal as _;

use clap::{Args, Subcommand};
use serde_json::json;

use crate::base::clock::format_utc;
use crate::base::fault::{Fault, Kind};
use crate::base::text::count;
use crate::cli::context::Cx;
use crate::cli::trusting::{self, Wish};
use crate::config::layer::Loaded;
use crate::config::trust::Trust;

/// Show what this project's own settings ask for, and trust or forget them
#[derive(Debug, Args)]
pub struct TrustArgs {
    /// What to do; `show` when none
    #[command(subcommand)]
    command: Option<TrustCommand>,
}

#[derive(Debug, Subcommand)]
enum TrustCommand {
    /// Show what they ask for, their hash, and what changed since they were trusted
    Show(ShowArgs),
    /// Trust the files as they are, until a byte of them changes
    Accept(AcceptArgs),
    /// Forget that they were trusted
    Forget,
}

#[derive(Debug, Default, Args)]
struct ShowArgs {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
struct AcceptArgs {
    /// Their hash, as `mimi trust show` prints it; without it you are shown them and asked
    #[arg(value_name = "HASH")]
    hash: Option<String>,
}

/// Runs `mimi trust`.
///
/// # Errors
/// Settings that cannot be read, a hash that is not theirs, or nobody to be asked.
pub fn run(cx: &Cx, args: &TrustArgs) -> Result<(), Fault> {
    match &args.command {
        None => show(cx, &ShowArgs::default()),
        Some(TrustCommand::Show(args)) => show(cx, args),
        Some(TrustCommand::Accept(args)) => accept(cx, args),
        Some(TrustCommand::Forget) => {
            let was_trusted = Trust::of(&cx.dirs, &cx.workspace_root).forget()?;
            cx.out.line(if was_trusted { "this project is no longer trusted" } else { "this project was not trusted" })
        }
    }
}

fn show(cx: &Cx, args: &ShowArgs) -> Result<(), Fault> {
    let loaded = cx.load_silently()?;
    let wishes = trusting::wishes(cx, &loaded)?;
    if args.json {
        return show_json(cx, &loaded, &wishes);
    }
    if wishes.is_empty() {
        return cx.out.line("this project's own files ask for nothing that needs your trust");
    }
    let agreed = Trust::of(&cx.dirs, &cx.workspace_root).agreed()?;
    match agreed.filter(|_| loaded.brought.is_trusted()) {
        Some(agreed) => {
            let n = count(wishes.len(), "thing");
            cx.out.line(format!("trusted since {}, with {n}:", format_utc(agreed.at_ms)))?;
            trusting::list(cx, &wishes)?;
        }
        None => trusting::show(cx, &loaded.brought, &wishes)?,
    }
    cx.out.line(format!("hash: {}", loaded.brought.hash()))
}

fn show_json(cx: &Cx, loaded: &Loaded, wishes: &[Wish]) -> Result<(), Fault> {
    let agreed = Trust::of(&cx.dirs, &cx.workspace_root).agreed()?;
    let changes = agreed.as_ref().map(|agreed| trusting::changes(agreed, &loaded.brought)).unwrap_or_default();
    let wishes = wishes.iter().map(|wish| json!({"key": wish.key, "value": wish.value, "place": wish.place}));
    let changes = changes.iter().map(|diff| json!({"file": diff.path, "diff": diff.unified}));
    let value = json!({
        "trusted": loaded.brought.is_trusted(),
        "hash": loaded.brought.hash(),
        "wants": wishes.collect::<Vec<_>>(),
        "trusted_at_ms": agreed.map(|agreed| agreed.at_ms),
        "changed": changes.collect::<Vec<_>>(),
    });
    cx.out.line(value.to_string())
}

fn accept(cx: &Cx, args: &AcceptArgs) -> Result<(), Fault> {
    let loaded = cx.load_silently()?;
    let wishes = trusting::wishes(cx, &loaded)?;
    if wishes.is_empty() {
        return cx.out.line("nothing to trust: this project's own files ask for nothing");
    }
    let hash = loaded.brought.hash();
    match &args.hash {
        Some(given) if *given == hash => {}
        Some(_) => {
            return Err(Fault::new(Kind::Usage, "this project's own files have another hash")
                .hint("look at them: mimi trust show"));
        }
        None if !std::io::stdin().is_terminal() => {
            return Err(Fault::new(Kind::Usage, "nobody is there to look at the files")
                .hint("mimi trust show")
                .hint(format!("mimi trust accept {hash}")));
        }
        None => {
            trusting::show(cx, &loaded.brought, &wishes)?;
            if !trusting::agrees(cx)? {
                return cx.out.line("not trusted");
            }
        }
    }
    trusting::keep(cx, &loaded.brought)?;
    cx.out.line("trusted until a byte of them changes; to forget it: mimi trust forget")
}
