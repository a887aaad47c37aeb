//! What is said of the command line itself?

use crate::base::fault::{Fault, Kind};
use crate::cli::output;

/// Prints help, version or a usage error as clap words it, and keeps its exit codes: 0 for help, 2 for errors.
pub fn print_usage(error: &clap::Error) -> Result<(), Fault> {
    let is_help = !error.use_stderr();
    match output::print_usage(error) {
        Err(error) => Err(Fault::io(Kind::Bug, "cannot print", &error)),
        Ok(()) if is_help => Ok(()),
        Ok(()) => std::process::exit(i32::from(Kind::Usage.exit_code())),
    }
}

/// Lists the exit codes, below the help.
pub fn exit_codes() -> String {
    let rows = Kind::TABLE.iter().map(|(_, code, meaning)| format!("  {code:>3}  {meaning}"));
    format!("Exit codes:\n{}", rows.collect::<Vec<_>>().join("\n"))
}
