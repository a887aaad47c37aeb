//! What is in a folder?
//!
//! A tree a few levels deep, or the paths that match a pattern. Full folders are cut one by one, so that a heap of
//! generated files does not crowd out the rest.

use std::fmt::Write as _;
use std::ops::ControlFlow;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::text::{count, one_line_name};
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::blocking::{self, Leaving};
use crate::tools::manifest::Manifest;
use crate::tools::target::{missing, read_actions};
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};
use crate::workspace::walk::{Entry, EntryKind, Walk};

/// Levels shown unless others are asked for.
const DEFAULT_DEPTH: usize = 2;
/// Entries shown of one folder in a tree.
const MAX_PER_FOLDER: usize = 60;
/// Entries shown in all.
const MAX_ENTRIES: usize = 400;
/// Bytes returned: with the closing note below the 10 kB a call hands to the model.
const MAX_BYTES: usize = 9_400;

/// Lists folders.
pub struct ListFiles {
    manifest: Manifest,
}

impl ListFiles {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(default, alias = "directory", alias = "dir", alias = "folder", deserialize_with = "lenient::text")]
    path: Option<String>,
    #[serde(default, alias = "max_depth", deserialize_with = "lenient::count")]
    depth: Option<usize>,
    #[serde(default, alias = "pattern", deserialize_with = "lenient::text")]
    glob: Option<String>,
}

impl Arguments {
    fn path(&self) -> &str {
        self.path.as_deref().unwrap_or(".")
    }
}

impl Tool for ListFiles {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let call: Arguments = parse_arguments(&self.manifest, arguments)?;
        let target = cx.workspace.resolve(call.path());
        let glob = call.glob.as_ref().map(|glob| format!(" {glob}")).unwrap_or_default();
        Ok(Intent {
            target: format!("{}{glob}", target.display()),
            actions: read_actions(cx, &target),
            is_parallel_safe: true,
            ..Intent::default()
        })
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        blocking::run(&self.manifest, (cx, arguments), Leaving::Behind, list)
    }
}

fn list(cx: &ToolContext, call: &Arguments) -> ToolReport {
    let target = cx.workspace.resolve(call.path());
    if !target.absolute.is_dir() {
        let is_there = target.absolute.symlink_metadata().is_ok();
        return ToolReport::failed(match is_there {
            true => format!("`{}` is not a folder; read it with `read_file`", call.path()),
            false => missing(&cx.workspace, call.path()),
        });
    }
    let walk = Walk::new(cx.workspace.root(), &target.absolute);
    let depth = call.depth.or(if call.glob.is_some() { None } else { Some(DEFAULT_DEPTH) });
    let walk = depth.map_or(walk.clone(), |depth| walk.max_depth(depth.max(1)));
    let walk = match call.glob.as_deref().map_or(Ok(walk.clone()), |glob| walk.matching(glob)) {
        Ok(walk) => walk,
        Err(error) => return ToolReport::failed(format!("{error}; write it like `*.rs` or `src/**/*.{{ts,tsx}}`")),
    };
    let mut listing = Listing::default();
    let n_unreadable = walk.visit(&mut |entry| {
        if cx.cancel.is_cancelled() || listing.is_full {
            return ControlFlow::Break(());
        }
        if call.glob.is_some() {
            listing.push_path(&entry);
        } else {
            listing.push_node(&entry);
        }
        ControlFlow::Continue(())
    });
    if cx.cancel.is_cancelled() { blocking::cancelled() } else { listing.report(&target.display(), n_unreadable) }
}

/// What was listed so far.
#[derive(Default)]
struct Listing {
    text: String,
    n_entries: usize,
    is_full: bool,
    /// Entries met in the folder being listed at each depth.
    met: Vec<usize>,
    /// Depth below which nothing is shown, because the folder above was cut.
    hidden_below: Option<usize>,
}

impl Listing {
    fn push_path(&mut self, entry: &Entry) {
        if entry.kind != EntryKind::Folder {
            self.push(&format!("{}{}\n", one_line_name(&entry.relative.to_string_lossy()), mark(entry)));
        }
    }

    fn push_node(&mut self, entry: &Entry) {
        // The walk goes depth first: an entry ends all folders deeper than its own.
        self.close_folders(entry.depth);
        self.met.resize(entry.depth, 0);
        self.met[entry.depth - 1] += 1;
        if self.hidden_below.is_some_and(|depth| entry.depth > depth) {
            return;
        }
        self.hidden_below = None;
        if self.met[entry.depth - 1] > MAX_PER_FOLDER {
            self.hidden_below = Some(entry.depth);
            return;
        }
        let name = entry.relative.file_name().unwrap_or_default().to_string_lossy();
        let indent = "  ".repeat(entry.depth - 1);
        self.push(&format!("{indent}{}{}\n", one_line_name(&name), mark(entry)));
    }

    /// Ends the folders from `depth` levels down, saying how much of each was left out.
    fn close_folders(&mut self, depth: usize) {
        while self.met.len() > depth {
            let n_met = self.met.pop().unwrap_or_default();
            if n_met > MAX_PER_FOLDER {
                let indent = "  ".repeat(self.met.len());
                self.text.push_str(&format!("{indent}[{} more]\n", n_met - MAX_PER_FOLDER));
            }
        }
    }

    fn push(&mut self, line: &str) {
        if self.n_entries == MAX_ENTRIES || self.text.len() + line.len() > MAX_BYTES {
            self.is_full = true;
            return;
        }
        self.n_entries += 1;
        self.text.push_str(line);
    }

    fn report(mut self, name: &str, n_unreadable: usize) -> ToolReport {
        if !self.is_full {
            self.close_folders(0);
        }
        if self.n_entries == 0 {
            return ToolReport::ok(
                format!("`{name}` has no files to list (ignored and hidden ones are left out)"),
                "empty",
            );
        }
        if self.is_full {
            self.text.push_str("[there are more; narrow the list with path, depth or glob]\n");
        }
        if n_unreadable > 0 {
            let _ = writeln!(self.text, "[{} could not be read]", count(n_unreadable, "folder"));
        }
        ToolReport::ok(self.text, count(self.n_entries, "entry").replace("entrys", "entries"))
    }
}

/// Returns what shows after a name that it is not a plain file.
fn mark(entry: &Entry) -> String {
    match entry.kind {
        EntryKind::File => String::new(),
        EntryKind::Folder => "/".to_owned(),
        EntryKind::Other => " (not a file)".to_owned(),
        EntryKind::Link => match entry.path.read_link() {
            Ok(target) => format!(" -> {}", one_line_name(&target.to_string_lossy())),
            Err(_) => " (link)".to_owned(),
        },
    }
}
