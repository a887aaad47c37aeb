//! What does `mimi map` do?
//!
//! Shows the definitions of the project that matter most, within a budget of tokens.

use clap::Args;

use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, visible};
use crate::cli::commands::index::settle;
use crate::cli::context::Cx;
use crate::index::engine::{Index, Settling};
use crate::index::map::Request;
use crate::tui::look::Look;

/// Show the outline of the project: the definitions that matter most
///
/// Files count by how many others use what they define, and more when those in play do (--focus). What the agent's tool
/// `repo_map` shows.
#[derive(Debug, Args)]
pub struct MapArgs {
    /// Take no more tokens than this
    #[arg(long, default_value_t = 1500, value_name = "N", value_parser = clap::value_parser!(u32).range(50..=200_000))]
    tokens: u32,
    /// Files or folders in play: what they use comes first
    #[arg(long, num_args = 1.., value_name = "PATH", value_hint = clap::ValueHint::AnyPath)]
    focus: Vec<String>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Runs `mimi map`.
///
/// # Errors
/// The index cannot be made or read, a path is not in it, or nothing is defined.
pub fn run(cx: &Cx, args: &MapArgs) -> Result<(), Fault> {
    cx.load()?;
    let index = Index::of(&cx.dirs.cache, &cx.workspace_root)?;
    settle(cx, &index, Settling::PLAIN.patience)?;
    let focus = args.focus.iter().map(|path| in_project(cx, path)).collect::<Result<_, _>>()?;
    let map = index.map(&Request { focus, names: Vec::new(), max_tokens: args.tokens as usize })?;
    if args.json {
        let text = serde_json::to_string(&map)
            .map_err(|error| Fault::new(Kind::Bug, "cannot write the map as JSON").cause(error.to_string()))?;
        cx.out.line(text)?;
    } else {
        for file in &map.files {
            cx.out.styled(Look::Bold, visible(&file.path))?;
            for line in &file.lines {
                let text = format!("{}{}", "  ".repeat(line.depth), line.text);
                cx.out.spans(&[(Look::Dim, format!("{:>6} ", line.line)), (Look::Plain, text)])?;
            }
        }
        let (shown, all) = (map.files.len(), count(map.n_files, "file"));
        cx.out.note(format!("{shown} of {all} with definitions, about {} tokens", map.n_tokens));
    }
    if map.files.is_empty() {
        return Err(Fault::new(Kind::Task, "nothing is defined in this project").hint("mimi index --stats"));
    }
    Ok(())
}

/// Returns a path below the root of the project, wherever it is named from.
fn in_project(cx: &Cx, path: &str) -> Result<String, Fault> {
    let whole = cx.workspace_root.join(path).canonicalize();
    let whole = whole.map_err(|error| Fault::io(Kind::Usage, format!("cannot find `{}`", visible(path)), &error))?;
    let below = whole.strip_prefix(&cx.workspace_root);
    below.map(|below| below.to_string_lossy().into_owned()).map_err(|_| {
        Fault::new(Kind::Usage, format!("`{}` is not in the project", visible(path))).hint("mimi map --focus src")
    })
}
