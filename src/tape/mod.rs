//! What did a run exchange with the world, and how is it run again without it?
//!
//! A tape is one file of JSON lines ([`entry`]): what the model was asked and what it sent, what each call was judged and came
//! back with, how each check ended. [`recorder`] writes it while the run goes on; [`reader`] reads it; [`player`] hands out
//! what stands in it and notes where the world of today differs. A [`Tape`] is what everybody else holds: it records, plays,
//! or does nothing. Must not decide anything a run decides, nor run anything. Surprising: keys and headers of servers never
//! reach it, because it sits between the agent and the provider, not at the wire.
//! To add a thing that is kept: a variant of [`entry::Entry`], a method here, and a case in [`player`].

pub mod compare;
pub mod entry;
pub mod error;
pub mod player;
pub mod provider;
pub mod reader;
pub mod recorder;

use std::path::Path;
use std::sync::Arc;

use crate::model::route::Route;
use crate::model::{Provider, Request, StreamEvent};
use crate::protocol::event::Event;
use crate::protocol::failure::Failure;
use crate::protocol::message::{CallId, ToolCall};
use crate::protocol::op::Op;
use crate::tape::entry::{Agent, Asked, CheckRan, Entry, Judged, Moved, Ran};
use crate::tape::player::Player;
use crate::tape::recorder::Recorder;

/// What a run is recorded to or played from; by default neither.
#[derive(Clone, Default)]
pub struct Tape(Option<Side>);

#[derive(Clone)]
enum Side {
    Recording(Arc<Recorder>),
    Playing(Arc<Player>),
}

/// How a check ended, as far as it is compared.
#[derive(Debug, Clone, Copy)]
pub struct CheckSeen<'a> {
    /// The round.
    pub round: u32,
    /// The check.
    pub command: &'a str,
    /// Whether it passed.
    pub is_green: bool,
    /// How it ended, in words.
    pub ending: &'a str,
    /// What it printed.
    pub text: &'a str,
    /// What it complained of.
    pub failures: &'a [Failure],
}

impl Tape {
    /// Records to a file.
    pub fn recording(recorder: Arc<Recorder>) -> Self {
        Self(Some(Side::Recording(recorder)))
    }

    /// Plays from a file.
    pub fn playing(player: Arc<Player>) -> Self {
        Self(Some(Side::Playing(player)))
    }

    /// Returns the file that is being recorded to, which is no work of the run.
    pub fn path(&self) -> Option<&Path> {
        match &self.0 {
            Some(Side::Recording(recorder)) => Some(recorder.path()),
            _ => None,
        }
    }

    /// Returns why the recording is not whole, if it is not.
    pub fn trouble(&self) -> Option<String> {
        match &self.0 {
            Some(Side::Recording(recorder)) => recorder.trouble(),
            _ => None,
        }
    }

    /// Returns what is played.
    pub fn player(&self) -> Option<&Arc<Player>> {
        match &self.0 {
            Some(Side::Playing(player)) => Some(player),
            _ => None,
        }
    }

    /// Returns what is played, where also calls come from the tape.
    fn all_played(&self) -> Option<&Arc<Player>> {
        self.player().filter(|player| player.plays_calls())
    }

    fn put(&self, entry: impl FnOnce() -> Entry) {
        if let Some(Side::Recording(recorder)) = &self.0 {
            recorder.put(&entry());
        }
    }

    /// Has every exchange with a provider pass through the tape; none when nothing is recorded.
    pub fn around(&self) -> Option<crate::model::around::Around> {
        let Some(Side::Recording(recorder)) = &self.0 else { return None };
        let recorder = recorder.clone();
        Some(Arc::new(move |inner| -> Arc<dyn Provider> { Arc::new(provider::Heard::new(inner, recorder.clone())) }))
    }

    /// Notes with what an agent begins.
    pub fn agent(&self, agent: impl FnOnce() -> Agent) {
        self.put(|| Entry::Agent(Box::new(agent())));
    }

    /// Notes what the agent was asked to do.
    pub fn op(&self, op: &Op) {
        self.put(|| Entry::Op(op.clone()));
    }

    /// Notes what the checks of a call found. What could not run is compared with the tape.
    pub fn judged(&self, call: &ToolCall, judged: impl FnOnce() -> Judged) {
        match &self.0 {
            None => {}
            Some(Side::Recording(recorder)) => recorder.put(&Entry::Call { call: call.clone(), judged: judged() }),
            Some(Side::Playing(player)) => player.judged(call, &judged()),
        }
    }

    /// Notes what a call that ran came back with.
    pub fn ran(&self, ran: impl FnOnce() -> Ran) {
        match &self.0 {
            None => {}
            Some(Side::Recording(recorder)) => recorder.put(&Entry::Ran(Box::new(ran()))),
            Some(Side::Playing(player)) => player.ran(&ran()),
        }
    }

    /// Notes which files were found changed before the model goes on.
    pub fn looked(&self, event: Option<&Event>) {
        self.put(|| Entry::Looked { event: event.cloned().map(Box::new) });
    }

    /// Notes that the conversation went on at another server.
    pub fn moved(&self, route: &Route, text: &str) {
        self.put(|| Entry::Moved(Box::new(Moved { route: route.into(), text: text.to_owned() })));
    }

    /// Notes that the server gave the model another window than was thought.
    pub fn window(&self, tokens: u64) {
        self.put(|| Entry::Window { tokens });
    }

    /// Notes how a check ended, or compares it.
    pub fn check(&self, seen: CheckSeen<'_>) {
        match &self.0 {
            None => {}
            Some(Side::Recording(recorder)) => recorder.put(&Entry::Check(CheckRan::from(seen))),
            Some(Side::Playing(player)) => player.check(seen),
        }
    }

    /// Notes how the command ended: its exit code and what it said.
    pub fn end(&self, code: u8, words: &str) {
        self.put(|| Entry::End { code, words: words.to_owned() });
    }

    /// Returns what the checks of a call found when it was recorded, where calls come from the tape.
    pub fn judged_before(&self, call: &ToolCall) -> Option<Judged> {
        self.all_played()?.judged_before(call)
    }

    /// Returns what a call came back with when it was recorded, where calls come from the tape.
    pub fn ran_before(&self, call: &CallId) -> Option<Ran> {
        self.all_played()?.ran_before(call)
    }

    /// Returns which files were found changed when it was recorded, where calls come from the tape.
    pub fn looked_before(&self) -> Option<Option<Event>> {
        Some(self.all_played()?.looked_before())
    }

    /// Returns where the conversation went on after the exchange that was played last.
    pub fn moved_before(&self) -> Option<(Route, String)> {
        let moved = self.player()?.moved_before()?;
        Some((moved.route.into(), moved.text))
    }

    /// Returns the window that was learned with the exchange that was played last.
    pub fn window_before(&self) -> Option<u64> {
        self.player()?.window_before()
    }

    /// Returns with what the agent of the recording began.
    pub fn agent_before(&self) -> Option<Agent> {
        self.player().and_then(|player| player.agent())
    }

    /// Says whether calls come from the tape, so that nothing is run.
    pub fn plays_calls(&self) -> bool {
        self.all_played().is_some()
    }
}

/// Writes a request down as what is new in it.
fn asked(request: &Request, before: Option<&Request>) -> Asked {
    let same = |before: &&Request| before.tools == request.tools;
    let is_known = before.as_ref().is_some_and(same);
    let kept = before.map_or(0, |before| {
        before.messages.iter().zip(request.messages.iter()).take_while(|(old, new)| old == new).count()
    });
    Asked {
        model: request.model.clone(),
        max_tokens: request.max_tokens,
        temperature: request.temperature,
        tool_choice: request.tool_choice,
        calls: request.calls,
        tools: (!is_known).then(|| request.tools.to_vec()),
        kept,
        messages: request.messages[kept..].to_vec(),
    }
}

/// Says whether an event is the last of its stream.
fn is_last(event: &StreamEvent) -> bool {
    matches!(event, StreamEvent::Finish(_) | StreamEvent::Error(_))
}
