//! How does a conversation run, line by line?
//!
//! Reads a line, runs a turn, shows its records, asks for approvals with a single key. The full screen (`chat_screen`) listens to
//! the same records.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::reviewing::Reviewing;
use crate::app::{App, Session};
use crate::base::fault::Fault;
use crate::base::text::{count, first_line, visible};
use crate::cli::commands::chat::{gone, leave};
use crate::cli::commands::chat_asks::Asked;
use crate::cli::commands::chat_screen::verbs;
use crate::cli::commands::review_lines;
use crate::cli::context::Cx;
use crate::cli::pricing;
use crate::cli::prompt::{Key, Line, Prompt, forget_typed};
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::{Aside, GRACE, Signals, Stop};
use crate::model::route::Route;
use crate::protocol::diff::FileDiff;
use crate::protocol::event::{Event, Record};
use crate::protocol::message::CallId;
use crate::protocol::op::{Mode, Op};
use crate::protocol::plan::Plan;
use crate::session::reader::each_record;
use crate::tui::look::Look;
use crate::tui::slash::{self, Slash};
use crate::tui::state::around::{Next, made};
use crate::tui::state::asking::what_it_does;
use crate::tui::state::saying;
use crate::tui::state::transcript::Transcript;

/// Characters of the person's last words shown when a session is gone on with.
const RECAP_CHARS: usize = 200;
/// Lines of the answer shown then.
const RECAP_LINES: usize = 6;
const HOW_TO_LEAVE: &str = "/quit or Ctrl-D leaves";

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
    aside: Aside,
    /// Everything so far, as the full screen has it.
    pub(super) transcript: Transcript,
    /// Times Ctrl-C was pressed since the last line.
    n_interrupts: u32,
}

/// Whether the conversation goes on, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum After {
    /// Here.
    Continue,
    /// Not at all.
    Leave,
    /// In another session.
    GoOn(Next),
}

impl<'a> Chat<'a> {
    /// Takes the terminal for a session.
    pub(super) fn new(cx: &'a Cx, app: &'a App, session: Session) -> Result<Self, Fault> {
        Ok(Self {
            cx,
            app,
            mode: session.mode,
            lines: Lines::new(&cx.out, Channel::Conversation).priced(pricing::of(app, &session.route.provider)),
            session,
            prompt: Prompt::new(&cx.dirs.history_file())?,
            plan: None,
            signals: Signals::listen()?,
            aside: Aside::listen()?,
            transcript: Transcript::new(verbs()),
            n_interrupts: 0,
        })
    }

    /// Names the session.
    pub(super) fn session_id(&self) -> &str {
        &self.session.id
    }

    pub(super) fn greet(&self) -> Result<(), Fault> {
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

    /// Returns which model is talked to, where.
    pub(super) fn route(&self) -> &Route {
        &self.session.route
    }

    /// Goes on in another session; the one before ends in good order.
    pub(super) async fn take_over(&mut self, session: Session) -> Result<(), Fault> {
        let old = std::mem::replace(&mut self.session, session);
        drop(tokio::time::timeout(GRACE, old.handle.close()).await);
        self.mode = self.session.mode;
        (self.plan, self.transcript) = (None, Transcript::new(verbs()));
        if self.session.recap.is_some() {
            let path = crate::session::list::find(&self.app.dirs.sessions(), &self.session.id)?;
            each_record(&path, |record| self.transcript.take(record))?;
        }
        self.greet()
    }

    /// Says what went wrong on the way to another session; this one goes on.
    pub(super) fn stays(&self, fault: &Fault) -> Result<(), Fault> {
        self.cx.out.styled(Look::Bad, visible(&fault.words()))
    }

    pub(super) async fn leave(self) {
        leave(self.cx, self.session).await;
    }

    /// Talks until the person leaves; returns where they go on, if they do.
    pub(super) async fn converse(&mut self) -> Result<Option<Next>, Fault> {
        loop {
            self.drain().await?;
            self.n_interrupts = 0;
            match self.line(&format!("{}> ", self.mode.name())).await? {
                Line::End => return Ok(None),
                Line::Interrupted => self.cx.out.styled(Look::Dim, HOW_TO_LEAVE)?,
                Line::Text(text) if text.trim().is_empty() => {}
                Line::Text(text) if saying::own_command(&text).is_some() => self.run_own(&text).await?,
                Line::Text(text) if saying::note(&text).is_some() => self.keep_note(&text).await?,
                Line::Text(text) => match slash::parse(&text) {
                    None => self.say(text).await?,
                    Some(Err(fault)) => self.cx.out.styled(Look::Notice, fault.to_string())?,
                    Some(Ok(slash)) => match self.command(slash).await? {
                        After::Continue => {}
                        After::Leave => return Ok(None),
                        After::GoOn(next) => return Ok(Some(next)),
                    },
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
            self.show(&record)?;
        }
        Ok(())
    }

    /// Shows a record, and keeps what it means.
    pub(super) fn show(&mut self, record: &Record) -> Result<(), Fault> {
        self.transcript.take(record);
        self.lines.show(record)
    }

    async fn command(&mut self, slash: Slash) -> Result<After, Fault> {
        match slash {
            Slash::Quit => return Ok(After::Leave),
            Slash::Help => self.cx.out.line(slash::help())?,
            Slash::Diff(source) => {
                let model = self.cx.global.model.clone();
                let (reviewing, app) = (Reviewing::new(Some(&self.session.id)).with_model(model), self.app);
                if let Some(text) = review_lines::review(self.walk(), app, reviewing, source).await? {
                    self.turn(Op::Submit { text }).await?;
                }
            }
            Slash::Undo(turns) => self.operation(Op::Undo, turns).await?,
            Slash::Redo(turns) => self.operation(Op::Redo, turns).await?,
            Slash::Compact => self.operation(Op::Compact, 1).await?,
            Slash::Around(go) => return self.go(go).await,
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
        Ok(After::Continue)
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

    async fn set_mode(&mut self, mode: Mode) -> Result<(), Fault> {
        if mode == Mode::Yolo && !self.confirms_yolo().await? {
            return self.cx.out.styled(Look::Dim, format!("mode {} stays", self.mode.name()));
        }
        self.mode = mode;
        self.operation(Op::SetMode { mode }, 1).await
    }

    /// Sends an operation that is answered by one record; again as often as wanted while each takes a turn back or does one again.
    pub(super) async fn operation(&mut self, op: Op, times: u32) -> Result<(), Fault> {
        for _ in 0..times {
            self.send(op.clone()).await?;
            let record = loop {
                let record = self.next_record().await?;
                self.show(&record)?;
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

    /// Waits for the next record. The first Ctrl-C meanwhile interrupts the agent, the second leaves; Ctrl-\ puts the command
    /// that runs into the background.
    pub(super) async fn next_record(&mut self) -> Result<Record, Fault> {
        loop {
            let stop = tokio::select! {
                record = self.session.handle.records.recv() => return record.ok_or_else(gone),
                stop = self.signals.next() => Some(stop),
                () = self.aside.next() => None,
            };
            let Some(stop) = stop else {
                if let Some(call) = made::last_running(&self.transcript) {
                    self.send(Op::Background { call: CallId(call) }).await?;
                }
                continue;
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
        self.show(record)?;
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
