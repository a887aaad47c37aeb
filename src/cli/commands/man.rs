//! Where do the man pages come from?

use std::path::{Path, PathBuf};

use crate::base::fault::{Fault, Kind};
use crate::cli::output::Out;

/// Mode of the written pages: everybody may read them.
const PAGE_MODE: u32 = 0o644;

/// Arguments of `mimi man`.
#[derive(Debug, clap::Args)]
pub struct ManArgs {
    /// Write mimi.1 and a page for each command into this folder instead of printing mimi.1
    #[arg(long, value_name = "DIR", value_hint = clap::ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
}

/// Prints or writes the pages.
pub fn run(out: &Out, args: &ManArgs) -> Result<(), Fault> {
    let tree = crate::cli::command_tree();
    let Some(dir) = &args.dir else {
        return out.text(&String::from_utf8_lossy(&page(tree)?));
    };
    crate::base::path::create_dirs(dir)
        .map_err(|error| Fault::io(Kind::Task, format!("cannot create `{}`", dir.display()), &error))?;
    for command in tree.get_subcommands() {
        let name = format!("mimi-{}", command.get_name());
        write(dir, &name, &page(command.clone().display_name(name.clone()))?)?;
    }
    write(dir, "mimi", &page(tree)?)
}

fn page(command: clap::Command) -> Result<Vec<u8>, Fault> {
    let mut bytes = Vec::new();
    clap_mangen::Man::new(command)
        .render(&mut bytes)
        .map_err(|error| Fault::io(Kind::Bug, "cannot write a man page", &error))?;
    Ok(bytes)
}

fn write(dir: &Path, name: &str, page: &[u8]) -> Result<(), Fault> {
    let path = dir.join(format!("{name}.1"));
    crate::base::path::write_atomic(&path, page, PAGE_MODE)
        .map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", path.display()), &error))
}
