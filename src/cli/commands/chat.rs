//! How does a conversation run, line by line?
//!
//! Reads a line, runs a turn, shows its records, asks for approvals with a single key. The full screen (`chat_screen`) listens to
//! the same records.

use std::io::IsTerminal as _;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::reviewing::Reviewing;
use crate::app::{App, Session};
use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, first_line, visible};
use crate::cli::SandboxArg;
use crate::cli::commands::chat_asks::Asked;
use crate::cli::commands::chat_screen;
use crate::cli::commands::chat_start;
use crate::cli::commands::review_diff;
use crate::cli::commands::run::ModeArg;
use crate::cli::context::{Cx, block_on};
use crate::cli::prompt::{Key, Line, Prompt, forget_typed};
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::{GRACE, Signals, Stop};
use crate::cli::trusting;
use crate::cli::writing;
use crate::config::schema::SandboxTier;
use crate::protocol::diff::FileDiff;
use crate::protocol::event::{Event, Record};
use crate::protocol::op::{Mode, Op};
use crate::protocol::plan::Plan;
use crate::tui::look::Look;
use crate::tui::slash::{self, Slash};
use crate::tui::state::asking::what_it_does;
use crate::tui::state::outside::{Given, NotePlace};
use crate::tui::state::saying;

/// Characters of the person's last words shown when a session is gone on with.
const RECAP_CHARS: usize = 200;
/// Lines of the answer shown then.
const RECAP_LINES: usize = 6;
const HOW_TO_LEAVE: &str = "/quit or Ctrl-D leaves";

/// Arguments of `mimi chat`.
#[derive(Debug, Default, clap::Args)]
pub struct ChatArgs {
    /// How much may be done without asking
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// Continue this session; without an ID the newest one of this folder
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub resume: Option<String>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
    /// Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Go line by line instead of in full screen: for screen readers, recordings and simple terminals
    #[arg(long)]
    pub inline: bool,
    /// Words to begin with, from whoever opens the conversation.
    #[arg(skip)]
    pub first: Option<String>,
    /// Whether `mimi` alone was typed: then a session that was cut off is offered.
    #[arg(skip)]
    pub may_offer: bool,
}

impl ChatArgs {
    /// What `mimi` alone means.
    pub fn unnamed() -> Self {
        Self { may_offer: true, ..Self::default() }
    }

    /// Asks to go on with a session: the one whose id begins so, or the newest of the folder.
    pub fn resuming(id: Option<&str>) -> Self {
        Self { resume: Some(id.unwrap_or_default().to_owned()), ..Self::default() }
    }
}

/// Holds the conversation.
pub fn run(cx: &Cx, args: &ChatArgs) -> Result<(), Fault> {
    if !std::io::stdin().is_terminal() {
        return Err(Fault::new(Kind::Usage, "`mimi chat` needs a terminal to read from")
            .hint("one task without a conversation: mimi run \"TASK\""));
    }
    // They are theirs, and what they approve must be seen whole.
    cx.out.show_secrets();
    let app = cx.app_of(trusting::settled(cx)?)?;
    // Without a sandbox a person can still look at each command; a tier they named is not taken for another.
    if app.config.sandbox.tier != SandboxTier::Auto {
        app.need_sandbox()?;
    }
    block_on(async {
        let (mut session, options) = chat_start::begin(cx, &app, args).await?;
        if let Some(text) = args.first.clone() {
            session.handle.ops.send(Op::Submit { text }).await.map_err(|_| gone())?;
        }
        if chat_screen::is_wanted(cx, app.config.ui.screen, args.inline) {
            let mut signals = Signals::listen()?;
            let result = chat_screen::converse(cx, &app, &mut session, &options, &mut signals).await;
            chat_start::note_cut_off(cx, &session.id, &result);
            leave(cx, session).await;
            return result;
        }
        let mut chat = Chat::new(cx, &app, session)?;
        chat.greet()?;
        let result = chat.converse().await;
        chat_start::note_cut_off(cx, &chat.session.id, &result);
        chat.leave().await;
        result
    })
}

/// A conversation and the terminal it is held on.
pub(super) struct Chat<'a> {
    pub(super) cx: &'a Cx,
    pub(super) app: &'a App,
    session: Session,
    pub(super) lines: Lines<'a>,
    pub(super) prompt: Prompt,
    mode: Mode,
    plan: Option<Plan>,
    pub(super) signals: Signals,
    /// Times Ctrl-C was pressed since the last line.
    n_interrupts: u32,
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
            prompt: Prompt::new(&cx.dirs.history_file())?,
            plan: None,
            signals: Signals::listen()?,
            n_interrupts: 0,
        })
    }

    fn greet(&self) -> Result<(), Fault> {
        let route = &self.session.route;
        let text = format!(
            "mimi {}: {} at {}, mode {}, sandbox {}",
            env!("CARGO_PKG_VERSION"),
            route.model,
            route.url,
            self.mode.name(),
            self.app.choice.tier.name()
        );
        self.cx.out.styled(Look::Dim, visible(&text))?;
        self.cx.out.styled(Look::Dim, "/help lists the commands; Ctrl-C interrupts; Ctrl-D leaves")?;
        self.recap()
    }

    /// Shows where a session that is gone on with stands.
    fn recap(&self) -> Result<(), Fault> {
        let Some(recap) = &self.session.recap else { return Ok(()) };
        let out = &self.cx.out;
        out.styled(Look::Dim, format!("resumed after {}:", count(recap.turns as usize, "turn")))?;
        if let Some(request) = &recap.request {
            out.styled(Look::Dim, format!("> {}", visible(&first_line(request, RECAP_CHARS))))?;
        }
        let answer = recap.answer.as_deref().unwrap_or("(not answered)").trim();
        let lines: Vec<&str> = answer.lines().collect();
        // The end is where the work stands.
        let (cut, shown) = lines.split_at(lines.len().saturating_sub(RECAP_LINES));
        if !cut.is_empty() {
            out.styled(Look::Dim, format!("  ({} before)", count(cut.len(), "line")))?;
        }
        shown.iter().try_for_each(|line| out.styled(Look::Dim, format!("  {}", visible(line))))
    }

    async fn leave(self) {
        leave(self.cx, self.session).await;
    }

    async fn converse(&mut self) -> Result<(), Fault> {
        loop {
            self.drain().await?;
            self.n_interrupts = 0;
            match self.line(&format!("{}> ", self.mode.name())).await? {
                Line::End => return Ok(()),
                Line::Interrupted => self.cx.out.styled(Look::Dim, HOW_TO_LEAVE)?,
                Line::Text(text) if text.trim().is_empty() => {}
                Line::Text(text) if saying::own_command(&text).is_some() => self.run_own(&text).await?,
                Line::Text(text) if saying::note(&text).is_some() => self.keep_note(&text).await?,
                Line::Text(text) => match slash::parse(&text) {
                    None => self.say(text).await?,
                    Some(Err(fault)) => self.cx.out.styled(Look::Notice, fault.to_string())?,
                    Some(Ok(slash)) => {
                        if self.command(slash).await? == Next::Leave {
                            return Ok(());
                        }
                    }
                },
            }
        }
    }

    /// Reads a line, unless the terminal goes away or mimi is told to end.
    pub(super) async fn line(&mut self, prompt: &str) -> Result<Line, Fault> {
        let mut reading = pin!(self.prompt.line(prompt));
        loop {
            tokio::select! {
                line = &mut reading => return line,
                stop = self.signals.next() => match stop {
                    // From a simple terminal, where Ctrl-C is no key for the editor: the line is still being read.
                    Stop::Interrupt => self.cx.out.styled(Look::Dim, HOW_TO_LEAVE)?,
                    Stop::Terminate => return Err(stop.fault()),
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
            Slash::Diff(source) => {
                let set = Reviewing::new(Some(&self.session.id)).load(self.app, &source).await;
                match set {
                    Ok(set) if set.files.is_empty() => {
                        self.cx.out.styled(Look::Dim, format!("nothing changed: {}", source.words()))?;
                    }
                    Ok(set) => review_diff::print(self.cx, &set)?,
                    Err(fault) => self.cx.out.fault(&fault),
                }
            }
            Slash::Undo(turns) => self.operation(Op::Undo, turns).await?,
            Slash::Redo(turns) => self.operation(Op::Redo, turns).await?,
            Slash::Compact => self.operation(Op::Compact, 1).await?,
            Slash::Around(go) => {
                let text = format!("that is a view of the full screen; here: {}", go.elsewhere());
                self.cx.out.styled(Look::Dim, text)?;
            }
            Slash::Copy(_) => {
                self.cx.out.styled(Look::Dim, "line by line the terminal itself copies: select the text")?;
            }
            Slash::Attach(path) => {
                let path = path.unwrap_or_else(|| "PATH".to_owned());
                self.cx.out.styled(Look::Dim, visible(&format!("write @{path} where you speak of it")))?;
            }
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
            Slash::Model(Some(model)) => self.operation(Op::SetModel { model }, 1).await?,
        }
        Ok(Next::Continue)
    }

    /// Says words, with what they mention. Where that cannot be had they are not sent.
    async fn say(&mut self, text: String) -> Result<(), Fault> {
        let gathered = match self.app.gather(&text, Some(&self.session.route.model)).await {
            Ok(gathered) => gathered,
            Err(fault) => return self.cx.out.styled(Look::Bad, visible(&fault.words())),
        };
        for wrong in &gathered.trouble {
            self.cx.out.styled(Look::Notice, visible(&format!("! {wrong}")))?;
        }
        if !gathered.attached.is_empty() {
            self.send(Op::Attach { attached: gathered.attached }).await?;
        }
        self.turn(Op::Submit { text }).await
    }

    /// Runs a command of the person's own; what it prints goes along with their next words.
    async fn run_own(&mut self, text: &str) -> Result<(), Fault> {
        let command = saying::own_command(text).unwrap_or_default().to_owned();
        self.send(Op::Run { command }).await?;
        loop {
            let record = self.next_record().await?;
            self.lines.show(&record)?;
            if matches!(&record.event, Event::ToolFinished { call, .. } if call.is_of_user()) {
                return Ok(());
            }
        }
    }

    /// Keeps a note where the person says.
    async fn keep_note(&mut self, text: &str) -> Result<(), Fault> {
        let note = saying::note(text).unwrap_or_default().to_owned();
        let answer = self.line("note for: p the project, m me (all your projects)> ").await?;
        let place = match answer {
            Line::Text(answer) if answer.trim() == "p" => NotePlace::Project,
            Line::Text(answer) if answer.trim() == "m" => NotePlace::User,
            _ => return self.cx.out.styled(Look::Dim, "nothing was noted"),
        };
        match writing::notes::keep(self.app, note, place).await {
            Given::Done(said) => self.cx.out.styled(Look::Dim, visible(&said)),
            Given::Failed(wrong) => self.cx.out.styled(Look::Bad, visible(&wrong)),
            _ => Ok(()),
        }
    }

    async fn set_mode(&mut self, mode: Mode) -> Result<(), Fault> {
        if mode == Mode::Yolo && !self.confirms_yolo().await? {
            return self.cx.out.styled(Look::Dim, format!("mode {} stays", self.mode.name()));
        }
        self.mode = mode;
        self.operation(Op::SetMode { mode }, 1).await
    }

    /// Sends an operation that is answered by one record; again as often as wanted while each takes a turn back or does one again.
    async fn operation(&mut self, op: Op, times: u32) -> Result<(), Fault> {
        for _ in 0..times {
            self.send(op.clone()).await?;
            let record = loop {
                let record = self.next_record().await?;
                self.lines.show(&record)?;
                if !matches!(record.event, Event::Usage { .. }) {
                    break record;
                }
            };
            match record.event {
                Event::Undone { .. } | Event::Redone { .. } => {}
                Event::ModelChanged { model } => self.session.route.model = model,
                _ => break,
            }
        }
        Ok(())
    }

    /// Waits for the next record. The first Ctrl-C meanwhile interrupts the agent, the second leaves.
    async fn next_record(&mut self) -> Result<Record, Fault> {
        loop {
            let stop = tokio::select! {
                record = self.session.handle.records.recv() => return record.ok_or_else(gone),
                stop = self.signals.next() => stop,
            };
            self.n_interrupts += 1;
            if stop == Stop::Terminate || self.n_interrupts > 1 {
                return Err(stop.fault());
            }
            self.send(Op::Interrupt).await?;
        }
    }

    pub(super) async fn send(&self, op: Op) -> Result<(), Fault> {
        self.session.handle.ops.send(op).await.map_err(|_| gone())
    }

    /// Runs one turn to its end.
    async fn turn(&mut self, op: Op) -> Result<(), Fault> {
        self.send(op).await?;
        self.cx.out.busy("thinking");
        let mut next = None;
        loop {
            let record = match next.take() {
                Some(record) => record,
                None => self.next_record().await?,
            };
            self.on_record(&record).await?;
            match record.event {
                Event::TurnDone { .. } => return Ok(()),
                Event::Retrying { .. } => next = self.wait_out().await?,
                _ => {}
            }
        }
    }

    /// Listens for Esc and Ctrl-C while a failed request waits to be sent again; either interrupts the turn at once. Other keys
    /// are lost. Returns the record that ended the wait.
    async fn wait_out(&mut self) -> Result<Option<Record>, Fault> {
        loop {
            let give_up = Arc::new(AtomicBool::new(false));
            let mut reading = pin!(self.prompt.key(give_up.clone()));
            let ended = tokio::select! {
                key = &mut reading => match key? {
                    Key::Interrupt => break,
                    Key::Char(_) | Key::Other => continue,
                },
                record = self.session.handle.records.recv() => Ok(record),
                stop = self.signals.next() => Err(stop),
            };
            // It must be gone before somebody else reads or writes, because the terminal is raw until then.
            give_up.store(true, Ordering::Relaxed);
            reading.await?;
            match ended {
                Ok(record) => return record.map(Some).ok_or_else(gone),
                Err(Stop::Terminate) => return Err(Stop::Terminate.fault()),
                Err(Stop::Interrupt) => break,
            }
        }
        self.n_interrupts += 1;
        self.send(Op::Interrupt).await?;
        Ok(None)
    }

    async fn on_record(&mut self, record: &Record) -> Result<(), Fault> {
        self.lines.show(record)?;
        match &record.event {
            Event::ApprovalAsked { call, tool, target, actions, preview, more, why, always } => {
                self.cx.out.idle();
                forget_typed();
                let previews: Vec<&FileDiff> = preview.as_deref().into_iter().chain(more).collect();
                self.lines.previews(&previews)?;
                self.approval(Asked {
                    call,
                    tool,
                    what: what_it_does(target, actions),
                    why,
                    previews,
                    always: always.as_ref(),
                })
                .await
            }
            Event::QuestionAsked { call, question } => self.question(call, question).await,
            Event::PlanUpdated { plan } => {
                self.plan = Some(plan.clone());
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

/// Ends the agent in good order and says how to come back.
async fn leave(cx: &Cx, session: Session) {
    // Given up after a while: what a lost disk holds up must not hold up the person.
    drop(tokio::time::timeout(GRACE, session.handle.close()).await);
    cx.out.note_styled(Look::Dim, format!("to go on: mimi chat --resume {}", session.id));
}

fn gone() -> Fault {
    Fault::new(Kind::Bug, "the agent ended unexpectedly")
}
