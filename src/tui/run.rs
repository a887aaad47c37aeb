//! What happens between a key, a record and the screen?
//!
//! One loop: what comes in becomes a message, the state answers with what is to be done, and the screen is drawn at most thirty
//! times a second, and twenty while only words come. While nothing happens nothing wakes up.

use std::io;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use futures_util::stream::FuturesUnordered;
use ratatui_core::layout::Rect;
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::base::clock::Clock;
use crate::base::text::size;
use crate::protocol::event::{Event, Record};
use crate::protocol::op::Op;
use crate::tui::look::Theme;
use crate::tui::screen::Screen;
use crate::tui::state::State;
use crate::tui::state::message::{Cmd, Editing, Hand, Msg};
use crate::tui::state::outside::{Given, Want};
use crate::tui::terminal::{Input, Terminal, Ways};
use crate::tui::views::Views;

/// Time between two frames while the agent works.
const FRAME: Duration = Duration::from_millis(33);
/// Time between two frames that only show how words go on: quicker than anybody reads, and half the work.
const WORDS_FRAME: Duration = Duration::from_millis(50);
/// Time between two frames while somebody types: a key shows before anybody feels a delay, also while the agent works.
const KEY_FRAME: Duration = Duration::from_millis(15);
/// Time between two frames that show nothing but how long things take.
const SECOND: Duration = Duration::from_secs(1);
/// Records taken at once before the screen is drawn.
const MAX_RECORDS: usize = 512;

/// What full screen is connected to.
pub struct Parts<'a, O> {
    /// What the agent is asked for.
    pub ops: mpsc::Sender<Op>,
    /// What the agent reports.
    pub records: &'a mut mpsc::Receiver<Record>,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Whether the theme goes with the terminal's background.
    pub follows: Follows,
    /// What the terminal is asked for beside cells and keys.
    pub ways: Ways,
    /// What is done outside: the editor, the history, the background.
    pub outside: &'a mut O,
}

/// What the theme goes with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Follows {
    /// What the person chose.
    Choice,
    /// The terminal's background.
    Ground,
}

/// What full screen has done by others while the terminal is given back.
pub trait Outside {
    /// Opens the user's editor on a text, in a file of that name's kind; fails with what went wrong.
    fn edit(&mut self, text: &str, name: &str) -> impl Future<Output = Result<String, String>>;
    /// Does something on the terminal itself.
    fn hand(&mut self, hand: Hand) -> impl Future<Output = Given>;
    /// Keeps words in the history.
    fn remember(&mut self, words: &str);
    /// Keeps what is being written, in case mimi ends; empty words take it away.
    fn keep_draft(&mut self, words: &str);
    /// Stops this process until it is continued.
    fn suspend(&mut self);
    /// Finds or does what the screen wants, beside it: long work belongs on a thread of its own.
    fn give<'b>(&self, want: Want) -> LocalBoxFuture<'b, Given>
    where
        Self: 'b;
}

/// How full screen ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// The person left.
    Left,
    /// The terminal is gone, or mimi was told to end.
    Terminated,
    /// The agent is gone.
    AgentGone,
}

/// Runs until the end; `state` holds what was shown then.
pub async fn run<'a, O: Outside>(
    state: &'a mut State,
    theme: Theme,
    parts: Parts<'a, O>,
    terminated: impl Future<Output = ()>,
) -> io::Result<Ending> {
    let terminal = Terminal::take(parts.ways.clone())?;
    if parts.follows == Follows::Ground {
        terminal.ask_ground();
    }
    let area = terminal.size();
    let mut run = Run {
        state,
        views: Views::new(theme),
        screen: Screen::new(io::stdout(), area).with_links(parts.ways.links.clone()),
        terminal,
        parts,
        awaited: FuturesUnordered::new(),
        drawn_at: None,
    };
    run.state.update(Msg::Tick(run.parts.clock.now_ms()));
    if let Some(ending) = run.take(Msg::Begin).await {
        return Ok(ending);
    }
    let mut terminated = std::pin::pin!(terminated);
    let mut due = Some(Instant::now());
    if let Some(ending) = run.take(Msg::Begun).await {
        return Ok(ending);
    }
    loop {
        let wait = async {
            match due {
                Some(due) => tokio::time::sleep_until(due).await,
                None => std::future::pending().await,
            }
        };
        let (ending, pace) = tokio::select! {
            biased;
            () = &mut terminated => (Some(Ending::Terminated), FRAME),
            // Before what comes in: nobody types so fast that the screen may stand still.
            () = wait => {
                // Written in one go; a terminal that is gone ends everything.
                if run.draw().await.is_err() {
                    return Ok(Ending::Terminated);
                }
                due = run.wakes_by_itself();
                continue;
            }
            input = run.terminal.next() => match input {
                Some(input) => (run.on_input(input).await, KEY_FRAME),
                None => (Some(Ending::Terminated), FRAME),
            },
            Some(given) = run.awaited.next(), if !run.awaited.is_empty() => {
                (run.take(Msg::Given(given)).await, KEY_FRAME)
            },
            record = run.parts.records.recv() => match record {
                Some(record) => run.on_records(record).await,
                None => (Some(Ending::AgentGone), FRAME),
            },
        };
        if let Some(ending) = ending {
            return Ok(ending);
        }
        due = run.next_frame(due, pace);
    }
}

/// How soon a record is to be seen.
fn pace_of(event: &Event) -> Duration {
    match event {
        Event::TextDelta { .. } | Event::ReasoningDelta { .. } | Event::ToolOutput { .. } => WORDS_FRAME,
        _ => FRAME,
    }
}

struct Run<'a, O> {
    state: &'a mut State,
    views: Views,
    screen: Screen<io::Stdout>,
    terminal: Terminal,
    parts: Parts<'a, O>,
    /// What was wanted and is not there yet.
    awaited: FuturesUnordered<LocalBoxFuture<'a, Given>>,
    /// When the last frame was drawn.
    drawn_at: Option<Instant>,
}

impl<O: Outside> Run<'_, O> {
    /// A frame is due at once after something happened, but not sooner after the last one than `pace`; also when one was due
    /// later for the clock's sake.
    fn next_frame(&self, due: Option<Instant>, pace: Duration) -> Option<Instant> {
        let now = Instant::now();
        let soon = self.drawn_at.map_or(now, |drawn_at| now.max(drawn_at + pace));
        Some(due.map_or(soon, |due| due.min(soon)))
    }

    /// When something is due although nothing happens: a clock that is shown, a draft that is kept.
    fn wakes_by_itself(&self) -> Option<Instant> {
        let now_ms = self.parts.clock.now_ms();
        let draft =
            self.state.draft_due_ms().map(|due| Instant::now() + Duration::from_millis(due.saturating_sub(now_ms)));
        let second = self.state.is_working().then(|| Instant::now() + SECOND);
        [draft, second].into_iter().flatten().min()
    }

    async fn draw(&mut self) -> io::Result<()> {
        self.take(Msg::Tick(self.parts.clock.now_ms())).await;
        let (views, state) = (&mut self.views, &*self.state);
        let drawn = self.screen.draw_with(&|name| state.knows_file(name), |buffer| views.draw(state, buffer));
        self.drawn_at = Some(Instant::now());
        drawn
    }

    async fn on_input(&mut self, input: Input) -> Option<Ending> {
        self.state.update(Msg::Tick(self.parts.clock.now_ms()));
        let msg = match input {
            Input::Key(key) => Msg::Key(key),
            Input::Paste(text) => Msg::Paste(text),
            Input::Ground(ground) => {
                if self.parts.follows == Follows::Ground {
                    self.views.wear(Theme::for_ground(ground));
                }
                return None;
            }
            Input::Focus(has_focus) => Msg::Focus(has_focus),
            Input::Wheel(notches) => Msg::Wheel(notches),
            Input::Click(column, row) => Msg::Click(self.views.at(column, row)),
            Input::Size(columns, rows) => {
                self.screen.resize(Rect::new(0, 0, columns.max(1), rows.max(1)));
                return None;
            }
        };
        self.take(msg).await
    }

    /// Takes a record and those that wait behind it; says how soon they are to be seen.
    async fn on_records(&mut self, record: Record) -> (Option<Ending>, Duration) {
        let (mut next, mut pace) = (Some(record), WORDS_FRAME);
        for n in 0..=MAX_RECORDS {
            let Some(record) = next.take() else { break };
            pace = pace.min(pace_of(&record.event));
            if let Some(ending) = self.take(Msg::Record(Box::new(record))).await {
                return (Some(ending), pace);
            }
            next = (n < MAX_RECORDS).then(|| self.parts.records.try_recv().ok()).flatten();
        }
        (None, pace)
    }

    async fn take(&mut self, msg: Msg) -> Option<Ending> {
        let mut cmds: std::collections::VecDeque<Cmd> = self.state.update(msg).into();
        while let Some(cmd) = cmds.pop_front() {
            match cmd {
                Cmd::Send(op) => {
                    if self.parts.ops.send(op).await.is_err() {
                        return Some(Ending::AgentGone);
                    }
                }
                Cmd::Leave => return Some(Ending::Left),
                Cmd::Suspend => {
                    self.terminal.pause();
                    self.parts.outside.suspend();
                    self.come_back();
                }
                Cmd::Redraw => self.screen.forget(),
                Cmd::Edit { what, text, name } => cmds.extend(self.edit(what, &text, &name).await),
                Cmd::Hand(hand) => cmds.extend(self.hand(hand).await),
                Cmd::Want(want) => self.awaited.push(self.parts.outside.give(want)),
                Cmd::KeepDraft(words) => self.parts.outside.keep_draft(&words),
                Cmd::Remember(words) => self.parts.outside.remember(&words),
                Cmd::Notify(text) => self.terminal.notify(&text),
                Cmd::Copy(text) => cmds.extend(self.copy(&text)),
                Cmd::Scroll(by) => self.views.scroll(by, self.state),
            }
        }
        None
    }

    fn copy(&mut self, text: &str) -> Vec<Cmd> {
        let said = match self.terminal.copy(text) {
            true => format!("copied {}, if the terminal lets programs do that", size(text.len() as u64)),
            false => "that is too much for terminals to copy: select it instead".to_owned(),
        };
        self.state.hint = Some(said);
        Vec::new()
    }

    async fn edit(&mut self, what: Editing, text: &str, name: &str) -> Vec<Cmd> {
        self.terminal.pause();
        let edited = self.parts.outside.edit(text, name).await;
        self.come_back();
        match edited {
            Ok(text) => self.state.update(Msg::Edited { what, text: Some(text) }),
            Err(wrong) => self.state.update(Msg::Failed(wrong)),
        }
    }

    async fn hand(&mut self, hand: Hand) -> Vec<Cmd> {
        self.terminal.pause();
        let given = self.parts.outside.hand(hand).await;
        self.come_back();
        self.state.update(Msg::Given(given))
    }

    /// Takes the terminal again after others had it.
    fn come_back(&mut self) {
        // A terminal that cannot be taken again shows itself with the next frame.
        drop(self.terminal.resume());
        self.screen.resize(self.terminal.size());
    }
}
