//! How are turns taken back, or done again, without a conversation?
//!
//! Works on a session file nobody else writes, and needs no model server. What it does is recorded there, so that going on with
//! the session goes on from there.

use std::path::PathBuf;

use crate::agent::taking_back::{self, Rewound};
use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::base::text::count;
use crate::checkpoint::keeper::Keeper;
use crate::cli::context::Cx;
use crate::cli::render::{Channel, Lines};
use crate::protocol::event::Event;
use crate::session::error::SessionError;
use crate::session::journal::Journal;
use crate::session::list;
use crate::session::reader::load;
use crate::session::recorder::Recorder;
use crate::session::transcript::Transcript;

/// Arguments of `mimi undo` and `mimi redo`.
#[derive(Debug, Clone, clap::Args)]
pub struct RewindArgs {
    /// How many turns
    #[arg(value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub turns: u32,
    /// The session, by its id or the beginning of it; the latest of this workspace that has such a turn when left out
    #[arg(long, value_name = "ID")]
    pub session: Option<String>,
    /// Print every event as a line of JSON
    #[arg(long)]
    pub json: bool,
}

/// A way to go: back or forward.
struct Way {
    /// Whether there is anything to do.
    is_open: fn(&Transcript) -> Result<(), SessionError>,
    go: fn(&Keeper, &Transcript, &std::path::Path) -> Result<Rewound, Fault>,
}

const BACK: Way = Way { is_open: |transcript| transcript.undoable().map(drop), go: taking_back::undo };
const FORWARD: Way = Way { is_open: |transcript| transcript.redoable().map(drop), go: taking_back::redo };

/// Takes turns back.
pub fn undo(cx: &Cx, args: &RewindArgs) -> Result<(), Fault> {
    rewind(cx, args, &BACK)
}

/// Does turns again.
pub fn redo(cx: &Cx, args: &RewindArgs) -> Result<(), Fault> {
    rewind(cx, args, &FORWARD)
}

fn rewind(cx: &Cx, args: &RewindArgs, way: &Way) -> Result<(), Fault> {
    let app = cx.app()?;
    let path = session(cx, &app, args, way)?;
    let (journal, transcript) = Journal::resume(&path, app.clock()).map_err(in_use)?;
    let workspace = journal.header().workspace.clone();
    let keeper = app.keeper_of(journal.id(), &workspace)?;
    let recorder = Recorder::new(Some(journal), app.clock());
    let mut session = Session { keeper, transcript, recorder, lines: Lines::new(&cx.out, Channel::Conversation) };
    for settled in taking_back::settle(&session.keeper, &session.transcript, &workspace) {
        session.take(settled, args.json)?;
    }
    let mut n_left = 0;
    for _ in 0..args.turns {
        let rewound = (way.go)(&session.keeper, &session.transcript, &workspace)?;
        n_left += session.take(rewound, args.json)?;
    }
    match n_left {
        0 => Ok(()),
        n => Err(Fault::new(Kind::Task, format!("{} left alone", was(n)))),
    }
}

fn was(n: usize) -> String {
    format!("{} {}", count(n, "path"), if n == 1 { "was" } else { "were" })
}

/// A session that is worked on.
struct Session<'c> {
    keeper: Keeper,
    transcript: Transcript,
    recorder: Recorder,
    lines: Lines<'c>,
}

impl Session<'_> {
    /// Records what was done and shows it; returns how many paths were left alone.
    fn take(&mut self, Rewound { event, checkpoint }: Rewound, json: bool) -> Result<usize, Fault> {
        let (record, trouble) = self.recorder.record(event);
        if let Some(checkpoint) = checkpoint {
            self.keeper.settle(&checkpoint);
        }
        for record in [&record].into_iter().chain(&trouble) {
            self.transcript.apply(record);
            if json {
                self.lines.json(record)?;
            } else {
                self.lines.show(record)?;
            }
        }
        Ok(match record.event {
            Event::Undone { conflicts, .. } | Event::Redone { conflicts, .. } => conflicts.len(),
            _ => 0,
        })
    }
}

/// Finds the session: the one that is named, or the latest of this workspace in which there is something to do.
fn session(cx: &Cx, app: &App, args: &RewindArgs, way: &Way) -> Result<PathBuf, Fault> {
    let folder = app.dirs.sessions();
    if let Some(id) = &args.session {
        return Ok(list::find(&folder, id)?);
    }
    let mut why = None;
    for summary in list::summaries(&folder, Some(&cx.workspace_root))? {
        match (way.is_open)(&load(&summary.path)?.transcript) {
            Ok(()) => return Ok(summary.path),
            // What the latest one says is what the user wants to know.
            Err(error) => drop(why.get_or_insert(error)),
        }
    }
    let none = || Fault::new(Kind::Usage, "there is no session of this folder yet").hint("mimi session list --all");
    Err(why.map_or_else(none, Fault::from))
}

/// Says what to do about a session that is open elsewhere.
fn in_use(error: SessionError) -> Fault {
    match error {
        SessionError::InUse { .. } => {
            let fault = Fault::from(error);
            Fault { hints: vec!["type /undo or /redo in that chat".to_owned()], ..fault }
        }
        other => other.into(),
    }
}
