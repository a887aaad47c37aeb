//! How is an error, or a place in a file, explained from the command line?

use std::path::Path;
use std::pin::pin;

use crate::app::{AgentOptions, Session};
use crate::base::fault::Fault;
use crate::cli::SandboxArg;
use crate::cli::commands::run::work_until_signal;
use crate::cli::context::{Cx, block_on};
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::Signals;
use crate::policy::path::is_secret;
use crate::protocol::event::{Record, TurnEnd};
use crate::protocol::task::Task;
use crate::strategy::answer::{self, end_fault};
use crate::strategy::explain::{Subject, about_place, about_text, take};

/// Arguments of `mimi explain`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ExplainArgs {
    /// The words of an error, a place such as `src/main.rs:42`, or `-` for standard input
    #[arg(required = true, num_args = 1.., value_name = "ERROR|FILE:LINE|-")]
    pub what: Vec<String>,
    /// Print every event as a line of JSON
    #[arg(long)]
    pub json: bool,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
}

/// Explains it.
pub fn run(cx: &Cx, args: &ExplainArgs) -> Result<(), Fault> {
    let app = cx.app()?;
    let (what, root) = (args.what.join(" "), app.workspace.root());
    let task = match what.trim() {
        "-" => about_text(&take(std::io::stdin().lock(), root)?, &app.workspace, is_secret),
        what => match Subject::of(what, root) {
            Subject::Place { path, line } => about_place(&path, line, &app.workspace, is_secret)?,
            Subject::Text(text) => about_text(&take(text.as_bytes(), Path::new(root))?, &app.workspace, is_secret),
        },
    };
    app.need_sandbox()?;
    let options = AgentOptions::reader(Task::Chat, cx.global.model.clone(), cx.class());
    block_on(async {
        let mut signals = Signals::listen()?;
        let mut session = tokio::select! {
            session = app.start(options) => session?,
            stop = signals.next() => return Err(stop.fault()),
        };
        let ops = session.handle.ops.clone();
        let work = pin!(explain(cx, args, &mut session, task));
        work_until_signal(&mut signals, ops, work).await
    })
}

async fn explain(cx: &Cx, args: &ExplainArgs, session: &mut Session, task: String) -> Result<(), Fault> {
    let mut lines = Lines::new(&cx.out, Channel::Result);
    let mut broken = None;
    let mut show = |record: &Record| if args.json { lines.json(record) } else { lines.show(record) };
    let asked = answer::run(&mut session.handle, task, None, |record| {
        if broken.is_none() {
            broken = show(record).err();
        }
    })
    .await;
    if let Some(fault) = broken {
        return Err(fault);
    }
    let (turn, _) = asked?;
    if !args.json {
        lines.finish_line()?;
    }
    // What was refused on the way is no failure: the explanation is there.
    if turn.end == TurnEnd::Answered { Ok(()) } else { Err(end_fault(turn.end)) }
}
