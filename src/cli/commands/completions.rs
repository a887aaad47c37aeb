//! Where does the completion script of a shell come from?

use crate::base::fault::Fault;
use crate::cli::output::Out;

/// Arguments of `mimi completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    pub shell: clap_complete::Shell,
}

/// Prints the script.
pub fn run(out: &Out, args: &CompletionsArgs) -> Result<(), Fault> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut crate::cli::command_tree(), "mimi", &mut script);
    out.text(&String::from_utf8_lossy(&script))
}
