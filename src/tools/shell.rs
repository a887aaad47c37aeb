//! How does the model run a command?
//!
//! The command runs to its end in the workspace: no input, no terminal, a time limit, and nothing left behind. A command that
//! fails is an answer like any other; only one that cannot run at all is a failure of the call. A command that does nothing
//! but apply a patch is no command: it goes the way of an edit.

use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::fault::Fault;
use crate::base::{clock, text};
use crate::edit::change::ChangeSet;
use crate::edit::parse::heredoc;
use crate::exec::run::{Command, Ending, ExecError, Output, Program};
use crate::protocol::profile::EditDialect;
use crate::protocol::tool::{Action, Intent, ToolOutcome, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::change;
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};

/// Longest time a call may ask for, in seconds. Whoever needs more should not run it in a turn.
const MAX_TIMEOUT_S: u64 = 3600;
/// Longest form of a command shown to the person watching, in characters.
const TARGET_CHARS: usize = 120;

/// The tool.
pub struct Shell {
    manifest: Manifest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "cmd")]
    command: String,
    #[serde(default, deserialize_with = "lenient::text", alias = "workdir")]
    cwd: Option<String>,
    #[serde(default, deserialize_with = "lenient::count")]
    timeout_s: Option<usize>,
}

impl Shell {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }

    /// Returns the edit that the command states, if it is nothing but one.
    fn edit(&self, cx: &ToolContext, arguments: &Value) -> Option<Result<ChangeSet, BadCall>> {
        let call: Arguments = parse_arguments(&self.manifest, arguments).ok()?;
        match heredoc::patch_in(&call.command)? {
            heredoc::Command::Patch { folder, text } => Some(change::stated(&Value::String(text)).map(|mut set| {
                set.put_below(&folder.unwrap_or_default());
                set.put_below(&cx.workspace.resolve(call.cwd.as_deref().unwrap_or("")).display());
                set
            })),
            heredoc::Command::Mixed => {
                let words = "a patch can only be applied by a command that does nothing else; only `cd folder &&` may stand \
                             in front of `apply_patch`. Run the other commands in a call of their own";
                Some(Err(BadCall::Unfit { dialect: EditDialect::Patch, words: words.to_owned() }))
            }
        }
    }

    fn parse(&self, cx: &ToolContext, arguments: &Value) -> Result<(Command, String), BadCall> {
        let Arguments { command, cwd, timeout_s } = parse_arguments(&self.manifest, arguments)?;
        if command.trim().is_empty() || command.contains('\0') {
            return Err(BadCall::Impossible(
                "`command` is empty or holds a zero byte; pass the text bash should read".to_owned(),
            ));
        }
        let folder = cx.workspace.resolve(cwd.as_deref().unwrap_or(""));
        if !folder.is_inside() {
            let cwd = folder.display();
            return Err(BadCall::Impossible(format!(
                "`cwd` {cwd} is outside the project; pass a folder relative to the project"
            )));
        }
        let first = text::first_line(&command, TARGET_CHARS);
        let target = cwd.map_or(first.clone(), |_| format!("{first} (in {})", folder.display()));
        let timeout =
            timeout_s.map_or(cx.limits.shell_timeout, |s| Duration::from_secs((s as u64).clamp(1, MAX_TIMEOUT_S)));
        let command = Command {
            program: Program::Shell(command),
            cwd: folder.absolute,
            timeout,
            max_output_bytes: cx.limits.max_output_bytes,
            spill: Some(cx.spill_dir.join(format!("shell-{}.txt", clock::new_id()))),
        };
        Ok((command, target))
    }
}

impl Tool for Shell {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        if let Some(set) = self.edit(cx, arguments) {
            return change::intent(cx, &set?);
        }
        let (command, target) = self.parse(cx, arguments)?;
        let actions = match command.program {
            Program::Shell(text) => vec![Action::Execute { command: text, cwd: Some(command.cwd) }],
            Program::Argv(_) => Vec::new(),
        };
        Ok(Intent { target, actions, ..Intent::default() })
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        if let Some(set) = self.edit(cx, &arguments) {
            return change::run_later(cx, &self.manifest, set);
        }
        Box::pin(async move {
            let command = match self.parse(cx, &arguments) {
                Ok((command, _)) => command,
                Err(bad) => return Ok(ToolReport::failed(bad.to_string())),
            };
            let timeout = command.timeout;
            let progress = Some(cx.progress.clone());
            let result = cx.runner.run_seen(command, cx.cancel.clone(), progress, &cx.so_far).await;
            Ok(report(result, timeout))
        })
    }
}

fn report(result: Result<Output, ExecError>, timeout: Duration) -> ToolReport {
    let output = match result {
        Ok(output) => output,
        Err(error) => return ToolReport::failed(Fault::from(error).words()),
    };
    match output.ending {
        Ending::Exited(code) => {
            let n_lines = output.text.lines().count();
            let summary = if code == 0 { text::count(n_lines, "line") } else { format!("exit {code}") };
            ToolReport::ok(told(&output, &format!("exit code {code}")), summary)
        }
        Ending::Signalled(signal) => {
            let ending = format!("ended by signal {}", signal_name(signal));
            ToolReport::ok(told(&output, &ending), ending)
        }
        Ending::TimedOut => {
            let ending = format!(
                "timed out after {} s and was ended; pass a larger timeout_s if it needs more",
                timeout.as_secs()
            );
            let summary = format!("timed out after {} s", timeout.as_secs());
            ToolReport::of(ToolOutcome::TimedOut { text: told(&output, &ending) }, summary)
        }
        Ending::Cancelled => ToolReport::of(ToolOutcome::Cancelled, "cancelled"),
    }
}

/// Puts the ending on the last line, where a reader looks for it, behind the output.
fn told(output: &Output, ending: &str) -> String {
    let newline = if output.text.is_empty() || output.text.ends_with('\n') { "" } else { "\n" };
    let leftovers = match output.n_leftovers {
        0 => String::new(),
        n => {
            let processes =
                if n == 1 { "1 background process".to_owned() } else { format!("{n} background processes") };
            format!("[{processes} ended with the command]\n")
        }
    };
    let network = output.network.notes();
    format!("{}{newline}{network}{leftovers}{ending}", output.text)
}

/// Renders a signal with its name where it is one of those commands die of.
fn signal_name(signal: i32) -> String {
    let name = match signal {
        2 => "SIGINT",
        6 => "SIGABRT",
        8 => "SIGFPE",
        9 => "SIGKILL",
        11 => "SIGSEGV",
        13 => "SIGPIPE",
        15 => "SIGTERM",
        _ => return signal.to_string(),
    };
    format!("{signal} ({name})")
}
