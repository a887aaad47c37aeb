//! Where does the program start?
//!
//! Supervisor or command line; everything else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(code) = mimi::exec::supervise::main_if_supervisor(std::env::args_os()) {
        return code;
    }
    mimi::exec::own::close();
    mimi::cli::main()
}
