//! How is one task carried out without a conversation?

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};

use crate::agent::dispatch::{Approvals, allow_flags};
use crate::app::{AgentOptions, App, Bounds, Session};
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::SandboxArg;
use crate::cli::context::{Cx, block_on};
use crate::cli::recording;
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::Signals;
use crate::context::prompt;
use crate::protocol::event::{Record, TurnEnd};
use crate::protocol::op::{Mode, Op};
use crate::protocol::task::Task;
use crate::strategy::answer::{self, AnswerSchema};

/// Bytes read from a pipe; more is refused rather than silently cut.
const MAX_INPUT_BYTES: u64 = 1024 * 1024;

/// Arguments of `mimi run`.
#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// The task; `-` takes it from standard input
    pub task: String,
    /// How much may be done without asking: what would be asked is refused, as nobody is there to answer
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// Allow what this rule covers: `shell:cargo test`, `shell:make *`, `write:src/**`, `git:commit`
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
    /// Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Print every event as a line of JSON instead of the answer
    #[arg(long)]
    pub json: bool,
    /// Make the answer one JSON value that follows the JSON schema in this file
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub output_schema: Option<PathBuf>,
    /// Record what is exchanged with models and tools to a new file, for `mimi replay`
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    pub record: Option<PathBuf>,
}

/// How much the agent may do without asking.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum ModeArg {
    /// Read only
    Plan,
    /// Ask before writing and running
    Ask,
    /// Write in the workspace and run what is confined without asking
    Auto,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::Plan => Self::Plan,
            ModeArg::Ask => Self::Ask,
            ModeArg::Auto => Self::Auto,
        }
    }
}

/// Carries out the task.
pub fn run(cx: &Cx, args: &RunArgs) -> Result<(), Fault> {
    let task = task_words(&args.task)?;
    let schema = args.output_schema.as_deref().map(read_schema).transpose()?;
    let compiled = schema.as_ref().map(AnswerSchema::compile).transpose()?;
    let app = cx.app()?;
    app.need_sandbox()?;
    let order = recording::Order { command: "run", job: None, allow: args.allow.clone() };
    let app = recording::begin(app, args.record.as_ref(), order)?;
    let result = work(cx, &app, args, task, compiled.as_ref());
    recording::end(cx, &app.tape, &result);
    result
}

fn work(cx: &Cx, app: &App, args: &RunArgs, task: String, schema: Option<&AnswerSchema>) -> Result<(), Fault> {
    let options = AgentOptions {
        task: Task::Chat,
        mode: args.mode.map(Into::into),
        model: cx.global.model.clone(),
        approvals: Approvals::Nobody,
        allow: args.allow.clone(),
        class: cx.class(),
        bounds: Bounds::default(),
    };
    block_on(async {
        let mut signals = Signals::listen()?;
        let mut session = tokio::select! {
            session = app.start(options) => session?,
            stop = signals.next() => return Err(stop.fault()),
        };
        let gathered = app.gather(&args.task, Some(&session.route.model)).await?;
        for wrong in &gathered.trouble {
            cx.out.note(visible(wrong));
        }
        if !gathered.attached.is_empty() {
            drop(session.handle.ops.send(Op::Attach { attached: gathered.attached }).await);
        }
        let mut view = View::new(cx, args, schema.is_some());
        let ops = session.handle.ops.clone();
        let work = pin!(carry_out(&mut session, task, schema, &mut view));
        work_until_signal(&mut signals, ops, work).await
    })
}

/// Interrupts the agent on the first signal and lets it bring its turn to an end; that signal is how the command ended.
pub(super) async fn work_until_signal(
    signals: &mut Signals,
    ops: tokio::sync::mpsc::Sender<Op>,
    mut work: Pin<&mut impl Future<Output = Result<(), Fault>>>,
) -> Result<(), Fault> {
    let stop = tokio::select! {
        result = &mut work => return result,
        stop = signals.next() => stop,
    };
    drop(ops.send(Op::Interrupt).await);
    signals.last_words(work).await;
    Err(stop.fault())
}

async fn carry_out(
    session: &mut Session,
    task: String,
    schema: Option<&AnswerSchema>,
    view: &mut View<'_>,
) -> Result<(), Fault> {
    let mut broken = None;
    let result = answer::run(&mut session.handle, task, schema, |record| {
        if broken.is_none() {
            broken = view.show(record).err();
        }
    })
    .await;
    if let Some(fault) = broken {
        return Err(fault);
    }
    let (turn, value) = result?;
    view.finish(value.as_ref())?;
    match turn.end {
        TurnEnd::Answered if turn.refused > 0 => Err(Fault::new(
            Kind::Denied,
            format!(
                "{} refused, because nobody could approve",
                crate::base::text::count(turn.refused as usize, "call")
            ),
        )
        .hint(format!("allow it: mimi run {} ...", allow_flags(&turn.missing_rules)))),
        TurnEnd::Answered => Ok(()),
        end => Err(answer::end_fault(end)),
    }
}

/// Where the records go.
struct View<'a> {
    cx: &'a Cx,
    lines: Lines<'a>,
    is_json: bool,
}

impl<'a> View<'a> {
    fn new(cx: &'a Cx, args: &RunArgs, has_schema: bool) -> Self {
        // With a schema the words of the model are drafts until one of them follows it.
        let channel = if has_schema { Channel::Progress } else { Channel::Result };
        Self { cx, lines: Lines::new(&cx.out, channel), is_json: args.json }
    }

    fn show(&mut self, record: &Record) -> Result<(), Fault> {
        if self.is_json { self.lines.json(record) } else { self.lines.show(record) }
    }

    fn finish(&mut self, value: Option<&serde_json::Value>) -> Result<(), Fault> {
        match value {
            Some(value) if !self.is_json => self.cx.out.line(value.to_string()),
            _ => self.lines.finish_line(),
        }
    }
}

/// Joins the task with what is piped in. A task of `-` is read from standard input, typed or piped.
fn task_words(task: &str) -> Result<String, Fault> {
    let is_typed = std::io::stdin().is_terminal();
    let input = if is_typed && task != "-" { String::new() } else { read_input()? };
    match (task.trim(), input.trim()) {
        ("", _) | ("-", "") => {
            Err(Fault::new(Kind::Usage, "the task is empty").hint("mimi run \"find the cause of the failing test\""))
        }
        ("-", input) => Ok(input.to_owned()),
        (_, "") => Ok(task.to_owned()),
        (_, input) => Ok(prompt::TASK_STDIN.render(&[task, input])),
    }
}

fn read_input() -> Result<String, Fault> {
    let mut bytes = Vec::new();
    std::io::stdin()
        .take(MAX_INPUT_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| Fault::io(Kind::Usage, "cannot read standard input", &error))?;
    if bytes.len() as u64 > MAX_INPUT_BYTES {
        return Err(Fault::new(Kind::Usage, format!("standard input is longer than {MAX_INPUT_BYTES} bytes"))
            .hint("put it into a file of the project and name the file in the task"));
    }
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_schema(path: &Path) -> Result<serde_json::Value, Fault> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| Fault::io(Kind::Usage, format!("cannot read the schema `{}`", path.display()), &error))?;
    serde_json::from_str(&text).map_err(|error| {
        Fault::new(Kind::Usage, format!("the schema `{}` is not JSON", path.display())).cause(error.to_string())
    })
}
