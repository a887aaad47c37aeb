//! How does a person go through changes and decide on each?
//!
//! Opens the review of the full screen without a conversation. What is said for the model begins one when the review is left with
//! it. Where there is no terminal the changes are printed, and nothing is decided.

use std::io::IsTerminal as _;

use tokio::sync::mpsc;

use crate::app::App;
use crate::app::reviewing::Reviewing;
use crate::base::clock::SystemClock;
use crate::base::fault::{Fault, Kind};
use crate::base::text::{one_line_name, visible};
use crate::cli::commands::chat::{self, ChatArgs};
use crate::cli::commands::chat_screen::{self, Desk};
use crate::cli::context::{Cx, block_on};
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::{Signals, Stop};
use crate::protocol::changes::{ChangeSet, Outcome, Source};
use crate::tui::look::Look;
use crate::tui::run::{self, Ending, Parts};
use crate::tui::state::State;
use crate::tui::state::message::Msg;
use crate::tui::state::outside::Given;

/// Arguments of `mimi review-diff`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ReviewDiffArgs {
    /// A commit, or the two ends of a range: `HEAD`, `main..HEAD`, `main...`; the working tree when left out
    #[arg(value_name = "REF|A..B", conflicts_with_all = ["staged", "turn", "session"])]
    pub revision: Option<String>,
    /// What is staged
    #[arg(long, conflicts_with_all = ["turn", "session"])]
    pub staged: bool,
    /// What the last turn of the latest session of this folder changed
    #[arg(long, conflicts_with = "session")]
    pub turn: bool,
    /// What a session changed, by its id or the beginning of it
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
}

impl ReviewDiffArgs {
    fn source(&self) -> Source {
        match (&self.revision, &self.session) {
            (Some(revision), _) => Source::Revision(revision.clone()),
            (_, Some(id)) => Source::Session(Some(id.clone())),
            _ if self.staged => Source::Staged,
            _ if self.turn => Source::Turn,
            _ => Source::WorkTree,
        }
    }
}

/// Opens the review, or prints the changes.
pub fn run(cx: &Cx, args: &ReviewDiffArgs) -> Result<(), Fault> {
    let app = cx.app()?;
    let source = args.source();
    let is_screen = std::io::stdin().is_terminal() && chat_screen::is_wanted(cx, app.config.ui.screen, false);
    let said = block_on(async {
        let reviewing = Reviewing::new(None).with_model(cx.global.model.clone());
        if is_screen && let Some(set) = reviewing.peek(&app, &source).await? {
            return review(cx, &app, Outcome::Peeked(source, Some(set)), reviewing).await;
        }
        let set = reviewing.load(&app, &source).await?;
        if set.files.is_empty() && set.kept.remarks.is_empty() {
            cx.out.note(format!("nothing changed: {}", source.words()));
            return Ok(None);
        }
        if !is_screen {
            return print(cx, &set).map(|()| None);
        }
        review(cx, &app, Outcome::Loaded(source, Ok(set)), reviewing).await
    })?;
    match said {
        Some(first) => chat::run(cx, &ChatArgs { first: Some(first), ..ChatArgs::default() }),
        None => Ok(()),
    }
}

/// Prints changes file by file, for the channel `mimi` shows those of a turn on.
fn print(cx: &Cx, set: &ChangeSet) -> Result<(), Fault> {
    let mut lines = Lines::new(&cx.out, Channel::Conversation);
    for file in &set.files {
        let (name, diff) = (visible(&one_line_name(&file.diff.path)).into_owned(), &file.diff);
        cx.out.styled(Look::Bold, format!("{name}  +{} -{}", diff.added, diff.removed))?;
        lines.diff(diff)?;
    }
    set.notes.iter().for_each(|note| cx.out.note(format!("warning: {note}")));
    Ok(())
}

/// Holds the review; returns what is to be said to the model.
async fn review(cx: &Cx, app: &App, first: Outcome, reviewing: Reviewing) -> Result<Option<String>, Fault> {
    let (theme, follows, keymap) = chat_screen::looks(cx, app)?;
    let (Outcome::Loaded(source, _) | Outcome::Peeked(source, _)) = &first else { return Ok(None) };
    let mut state = State::reviewing(keymap, source.clone());
    state.update(Msg::Given(Given::Review(Box::new(first))));
    let mut signals = Signals::listen()?;
    // Nobody is there to be asked: both ends stay with us.
    let (ops, _nobody) = mpsc::channel(1);
    let (_silent, mut records) = mpsc::channel(1);
    let mut outside = Desk::new(cx, app, "review", reviewing);
    let parts = Parts {
        ops,
        records: &mut records,
        clock: &SystemClock,
        follows,
        ways: chat_screen::ways(cx, app),
        outside: &mut outside,
    };
    let terminated = async { while signals.next().await != Stop::Terminate {} };
    let ending = run::run(&mut state, theme, parts, terminated).await;
    let ending = ending.map_err(|error| {
        Fault::io(Kind::Task, "the full screen cannot be shown", &error).hint("print it: mimi review-diff | cat")
    })?;
    match ending {
        Ending::Terminated => Err(Stop::Terminate.fault()),
        Ending::AgentGone | Ending::Left => Ok(state.outbox.take()),
    }
}
