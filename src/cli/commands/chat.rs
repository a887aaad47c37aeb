//! How does a conversation run, line by line?
//!
//! Reads a line, runs a turn, shows its records, asks for approvals with a single key. The full-screen interface will listen
//! to the same records.

use std::io::IsTerminal as _;

use crate::agent::dispatch::Approvals;
use crate::app::{AgentOptions, App, Session};
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::commands::run::ModeArg;
use crate::cli::context::{Cx, runtime};
use crate::cli::output::Style;
use crate::cli::prompt::{Key, Line, Prompt, read_key};
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::{Signals, Stop};
use crate::cli::slash::{self, Slash};
use crate::protocol::event::{Event, Record};
use crate::protocol::message::CallId;
use crate::protocol::op::{Grant, Mode, Op};
use crate::protocol::plan::Plan;
use crate::protocol::task::Task;
use crate::protocol::tool::{Action, Question};

/// Arguments of `mimi chat`.
#[derive(Debug, Default, clap::Args)]
pub struct ChatArgs {
    /// How much may be done without asking
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// Continue this session; without an ID the newest one of this folder
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub resume: Option<String>,
}

impl ChatArgs {
    /// Asks to go on with a session: the one whose id begins so, or the newest of the folder.
    pub fn resuming(id: Option<&str>) -> Self {
        Self { mode: None, resume: Some(id.unwrap_or_default().to_owned()) }
    }
}

/// Holds the conversation.
pub fn run(cx: &Cx, args: &ChatArgs) -> Result<(), Fault> {
    if !std::io::stdin().is_terminal() {
        return Err(Fault::new(Kind::Usage, "`mimi chat` needs a terminal to read from")
            .hint("one task without a conversation: mimi run \"TASK\""));
    }
    let app = cx.app()?;
    runtime()?.block_on(async {
        let session = start(&app, cx, args).await?;
        let mut chat = Chat::new(cx, &app, session)?;
        chat.greet()?;
        let result = chat.converse().await;
        chat.farewell();
        result
    })
}

async fn start(app: &App, cx: &Cx, args: &ChatArgs) -> Result<Session, Fault> {
    let options = AgentOptions {
        task: Task::Chat,
        mode: args.mode.map(Into::into),
        model: cx.global.model.clone(),
        approvals: Approvals::Person,
        allow: Vec::new(),
        answer_schema: None,
    };
    match args.resume.as_deref() {
        None => app.start(options).await,
        Some("") => {
            let newest = crate::session::list::latest(&app.sessions_dir(), app.workspace.root())?.ok_or_else(|| {
                Fault::new(Kind::Usage, "there is no session of this folder yet").hint("start one: mimi chat")
            })?;
            app.resume(&newest.id, options).await
        }
        Some(id) => app.resume(id, options).await,
    }
}

struct Chat<'a> {
    cx: &'a Cx,
    app: &'a App,
    session: Session,
    lines: Lines<'a>,
    prompt: Prompt,
    mode: Mode,
    plan: Option<Plan>,
    signals: Signals,
}

/// Whether the conversation goes on.
#[derive(PartialEq, Eq)]
enum Next {
    Continue,
    Leave,
}

impl<'a> Chat<'a> {
    fn new(cx: &'a Cx, app: &'a App, session: Session) -> Result<Self, Fault> {
        Ok(Self {
            cx,
            app,
            mode: session.mode,
            session,
            lines: Lines::new(&cx.out, Channel::Conversation),
            prompt: Prompt::new(&cx.dirs.state.join("history"))?,
            plan: None,
            signals: Signals::listen()?,
        })
    }

    fn greet(&self) -> Result<(), Fault> {
        let route = &self.session.route;
        let text =
            format!("mimi {}: {} at {}, mode {}", env!("CARGO_PKG_VERSION"), route.model, route.url, self.mode.name());
        self.cx.out.styled(Style::Dim, visible(&text))?;
        self.cx.out.styled(Style::Dim, "/help lists the commands; Ctrl-C interrupts; Ctrl-D leaves")
    }

    fn farewell(&self) {
        self.cx.out.note_styled(Style::Dim, format!("to go on: mimi chat --resume {}", self.session.id));
    }

    async fn converse(&mut self) -> Result<(), Fault> {
        loop {
            self.drain().await?;
            match self.prompt.line(&format!("{}> ", self.mode.name())).await? {
                Line::End => return Ok(()),
                Line::Interrupted => self.cx.out.styled(Style::Dim, "/quit or Ctrl-D leaves")?,
                Line::Text(text) if text.trim().is_empty() => {}
                Line::Text(text) => match slash::parse(&text) {
                    None => self.turn(Op::Submit { text }).await?,
                    Some(Err(fault)) => self.cx.out.styled(Style::Notice, fault.to_string())?,
                    Some(Ok(slash)) => {
                        if self.command(slash).await? == Next::Leave {
                            return Ok(());
                        }
                    }
                },
            }
        }
    }

    /// Shows what the agent reported while nobody asked, such as notices of the start.
    async fn drain(&mut self) -> Result<(), Fault> {
        tokio::task::yield_now().await;
        while let Ok(record) = self.session.handle.records.try_recv() {
            self.lines.show(&record)?;
        }
        Ok(())
    }

    async fn command(&mut self, slash: Slash) -> Result<Next, Fault> {
        match slash {
            Slash::Quit => return Ok(Next::Leave),
            Slash::Help => self.cx.out.line(slash::help())?,
            Slash::Undo => self.operation(Op::Undo).await?,
            Slash::Compact => self.operation(Op::Compact).await?,
            Slash::Mode(mode) => self.set_mode(mode).await?,
            Slash::Plan => {
                if let Some(plan) = &self.plan {
                    self.cx.out.line(visible(plan.to_string().trim_end()))?;
                }
                let mode = if self.mode == Mode::Plan { self.app.config.agent.mode } else { Mode::Plan };
                self.set_mode(mode).await?;
            }
            Slash::Model(None) => {
                self.cx.out.line(format!("{} at {}", self.session.route.model, self.session.route.url))?;
            }
            Slash::Model(Some(model)) => self.operation(Op::SetModel { model }).await?,
        }
        Ok(Next::Continue)
    }

    async fn set_mode(&mut self, mode: Mode) -> Result<(), Fault> {
        self.mode = mode;
        self.operation(Op::SetMode { mode }).await
    }

    /// Sends an operation that is answered by one record.
    async fn operation(&mut self, op: Op) -> Result<(), Fault> {
        self.send(op).await?;
        while let Some(record) = self.session.handle.records.recv().await {
            self.lines.show(&record)?;
            if !matches!(record.event, Event::Usage { .. }) {
                return Ok(());
            }
        }
        Err(gone())
    }

    async fn send(&self, op: Op) -> Result<(), Fault> {
        self.session.handle.ops.send(op).await.map_err(|_| gone())
    }

    /// Runs one turn to its end.
    async fn turn(&mut self, op: Op) -> Result<(), Fault> {
        self.send(op).await?;
        self.cx.out.busy("thinking");
        let mut n_stops = 0;
        loop {
            let record = tokio::select! {
                record = self.session.handle.records.recv() => record.ok_or_else(gone)?,
                stop = self.signals.next() => {
                    n_stops += 1;
                    if stop == Stop::Terminate || n_stops > 1 {
                        return Err(stop.fault());
                    }
                    self.send(Op::Interrupt).await?;
                    continue;
                }
            };
            self.on_record(&record).await?;
            if matches!(record.event, Event::TurnDone { .. }) {
                return Ok(());
            }
        }
    }

    async fn on_record(&mut self, record: &Record) -> Result<(), Fault> {
        self.lines.show(record)?;
        match &record.event {
            Event::ApprovalAsked { call, tool, target, actions, preview, why } => {
                if let Some(diff) = preview {
                    self.lines.preview(diff)?;
                }
                self.approval(call, tool, &what_it_does(target, actions), why).await
            }
            Event::QuestionAsked { call, question } => self.question(call, question).await,
            Event::PlanUpdated { plan } => {
                self.plan = Some(plan.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn approval(&mut self, call: &CallId, tool: &str, what: &str, why: &str) -> Result<(), Fault> {
        self.cx.out.idle();
        self.lines.finish_line()?;
        let verb = self.lines.asking(tool);
        self.cx.out.styled(Style::Bold, format!("? {verb} {}", visible(what)))?;
        self.cx.out.line(format!("  {why}; y once, s for this session, n no, r no with a reason"))?;
        let op = loop {
            match read_key().await? {
                Key::Char('y') => break Op::Approve { call: call.clone(), grant: Grant::Once },
                Key::Char('s') => break Op::Approve { call: call.clone(), grant: Grant::Session },
                Key::Char('n') => break Op::Deny { call: call.clone(), reason: None },
                Key::Char('r') => {
                    let reason = match self.prompt.line("reason> ").await? {
                        Line::Text(text) => Some(text),
                        Line::End | Line::Interrupted => None,
                    };
                    break Op::Deny { call: call.clone(), reason };
                }
                Key::Interrupt => break Op::Interrupt,
                Key::Char(_) | Key::Other => {}
            }
        };
        self.send(op).await
    }

    async fn question(&mut self, call: &CallId, question: &Question) -> Result<(), Fault> {
        self.cx.out.idle();
        self.lines.finish_line()?;
        self.cx.out.styled(Style::Bold, format!("? {}", visible(&question.question)))?;
        for (index, option) in question.options.iter().enumerate() {
            self.cx.out.line(format!("  {}. {}", index + 1, visible(option)))?;
        }
        let op = match self.prompt.line("answer> ").await? {
            Line::Text(text) => Op::Answer { call: call.clone(), text: chosen(question, &text) },
            Line::End | Line::Interrupted => Op::Interrupt,
        };
        self.send(op).await
    }
}

/// Shows the whole command or every path, never a summary: this is what is approved.
fn what_it_does(target: &str, actions: &[Action]) -> String {
    let all = actions.iter().map(|action| match action {
        Action::Read { path } | Action::Write { path } => path.display().to_string(),
        Action::Execute { command } => command.clone(),
        Action::Commit { summary } => summary.clone(),
    });
    let mut all: Vec<String> = all.collect();
    all.dedup();
    if all.is_empty() { target.to_owned() } else { all.join("\n  ") }
}

/// A number chooses an option; anything else is the answer itself.
fn chosen(question: &Question, text: &str) -> String {
    let number: Option<usize> = text.trim().parse().ok();
    let option = number.and_then(|number| question.options.get(number.checked_sub(1)?));
    option.cloned().unwrap_or_else(|| text.to_owned())
}

fn gone() -> Fault {
    Fault::new(Kind::Bug, "the agent ended unexpectedly")
}
