//! Where does the process start?

use std::process::ExitCode;

fn main() -> ExitCode {
    mimi::exec::supervise::main_if_supervisor(std::env::args_os()).unwrap_or(ExitCode::SUCCESS)
}
