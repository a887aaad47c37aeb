//! What comes next in a recording, and does the world still answer as it did?
//!
//! Holds the steps of a recording (requests, calls, checks) and takes note, for each, whether it was reached and whether it
//! was the same. Answers of the model come by their place, calls by their id, checks by their command. Surprising: of a
//! conversation only what a request adds is compared, so that one difference is not told again with every later request.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::text::first_line;
use crate::model::error::ModelError;
use crate::model::{Request, StreamEvent, ToolPiece};
use crate::protocol::event::Event;
use crate::protocol::message::{CallId, Message, ToolCall};
use crate::protocol::op::Op;
use crate::protocol::tool::{ToolOutcome, ToolSpec};
use crate::tape::CheckSeen;
use crate::tape::compare::{Places, difference};
use crate::tape::entry::{Agent, Asked, CheckRan, Entry, Head, Judged, Moved, Ran, Report, Why};
use crate::tape::reader::Recording;

/// Where calls and checks come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Calls {
    /// From the recording; nothing is run.
    Recorded,
    /// They run.
    Real,
}

/// What became of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was not reached.
    Pending,
    /// It is taken from the recording and not run.
    Taken,
    /// As recorded.
    Same,
    /// Not as recorded; in a few lines.
    Differs(String),
    /// The recording ends in it.
    Unfinished,
}

/// One step of the recording, or one that it lacks.
#[derive(Debug, Clone)]
pub struct Step {
    /// Counts from one.
    pub number: usize,
    /// What it is about: `request 3`, `read_file src/lib.rs`, `check make`.
    pub title: String,
    /// What became of it.
    pub fate: Fate,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Request {
        asked: Box<Asked>,
        answer: Option<Vec<StreamEvent>>,
    },
    Call {
        call: ToolCall,
        judged: Box<Judged>,
        ran: Option<Box<Ran>>,
    },
    Check(CheckRan),
    /// The recording does not have it.
    Extra,
}

/// Plays a recording.
pub struct Player {
    head: Head,
    calls: Calls,
    places: Places,
    /// The folder of the recording and that of today, where answers of the model have to name the one for the other.
    moved_root: Option<(String, String)>,
    agents: Vec<(Agent, Vec<Op>)>,
    end: Option<(u8, String)>,
    state: Mutex<State>,
}

struct State {
    steps: Vec<Step>,
    /// Requests answered so far.
    n_asked: usize,
    /// The conversation and the tools of the last request in the recording.
    messages: Vec<Message>,
    tools: Vec<ToolSpec>,
    looked: VecDeque<Option<Event>>,
    /// Each with the requests that came before it.
    moved: VecDeque<(usize, Moved)>,
    windows: VecDeque<(usize, u64)>,
    n_agents: usize,
    /// Where among the steps the call is that an id means at the moment.
    at_work: HashMap<CallId, usize>,
    /// Whether the recording ends before the run did.
    is_cut_short: bool,
}

/// The folders of the run of today.
#[derive(Debug, Clone, Default)]
pub struct Today {
    /// The folder worked in.
    pub root: String,
    /// The home folder.
    pub home: String,
    /// Where mimi keeps what belongs to the session.
    pub state: String,
}

impl Player {
    /// Prepares to play.
    pub fn new(recording: Recording, calls: Calls, today: &Today) -> Self {
        let Recording { head, entries, .. } = recording;
        let folders = [
            (head.root.clone(), "[project]"),
            (today.root.clone(), "[project]"),
            (head.state.clone(), "[state]"),
            (today.state.clone(), "[state]"),
            (head.home.clone(), "[home]"),
            (today.home.clone(), "[home]"),
        ];
        let moved_root = (calls == Calls::Real && head.root != today.root && head.root.len() > 1)
            .then(|| (head.root.clone(), today.root.clone()));
        let mut reading = Reading::default();
        entries.into_iter().for_each(|entry| reading.take(entry));
        let Reading { agents, end, state, .. } = reading;
        Self { head, calls, places: Places::new(folders), moved_root, agents, end, state: Mutex::new(state) }
    }

    /// Returns the first line of the recording.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Says whether calls come from the recording.
    pub fn plays_calls(&self) -> bool {
        self.calls == Calls::Recorded
    }

    /// Returns the agents of the recording, each with what it was asked to do.
    pub fn agents(&self) -> &[(Agent, Vec<Op>)] {
        &self.agents
    }

    /// Returns how the recorded command ended; none when it was killed.
    pub fn end(&self) -> Option<(u8, &str)> {
        self.end.as_ref().map(|(code, words)| (*code, words.as_str()))
    }

    /// Returns the steps with what became of each so far.
    pub fn steps(&self) -> Vec<Step> {
        self.lock().steps.clone()
    }

    /// Takes the checks of the recording as they are, where nothing is run.
    pub fn take_checks(&self) {
        let mut state = self.lock();
        let checks = state.steps.iter_mut().filter(|step| matches!(step.what, What::Check(_)));
        checks.for_each(|step| step.fate = Fate::Taken);
    }

    pub(super) fn agent(&self) -> Option<Agent> {
        let mut state = self.lock();
        let at = state.n_agents.min(self.agents.len().saturating_sub(1));
        state.n_agents += 1;
        self.agents.get(at).map(|(agent, _)| agent.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // ---- the model

    /// Compares a request with the next of the recording and returns the recorded answer.
    pub(super) fn answer(&self, request: &Request) -> Vec<StreamEvent> {
        let mut state = self.lock();
        let n = state.n_asked;
        state.n_asked += 1;
        let is_it = |step: &&Step| matches!(step.what, What::Request { .. });
        let Some(number) = state.steps.iter().filter(is_it).nth(n).map(|step| step.number) else {
            let text = request.messages.last().map(|message| first_line(message.text(), 120)).unwrap_or_default();
            state.add_extra(
                format!("request {}", n + 1),
                format!("the recording has no such request; it ends with: {text}"),
            );
            return vec![ends_here()];
        };
        let What::Request { asked, answer } = state.steps[number - 1].what.clone() else { return vec![ends_here()] };
        let told = self.compare_request(&mut state, &asked, request);
        let step = &mut state.steps[number - 1];
        step.fate = match (told, &answer) {
            (Some(told), _) => Fate::Differs(told),
            (None, None) => Fate::Unfinished,
            (None, Some(_)) => Fate::Same,
        };
        let Some(mut events) = answer else { return vec![ends_here()] };
        if let Some((old, new)) = &self.moved_root {
            events = at_home(events, old, new);
        }
        if !events.last().is_some_and(crate::tape::is_last) {
            events.push(ends_here());
        }
        events
    }

    fn compare_request(&self, state: &mut State, asked: &Asked, now: &Request) -> Option<String> {
        let kept = asked.kept.min(state.messages.len());
        state.messages.truncate(kept);
        state.messages.extend(asked.messages.iter().cloned());
        if let Some(tools) = &asked.tools {
            state.tools.clone_from(tools);
        }
        let fields = [
            ("model", asked.model.clone(), now.model.clone()),
            ("max_tokens", asked.max_tokens.to_string(), now.max_tokens.to_string()),
            ("temperature", format!("{:?}", asked.temperature), format!("{:?}", now.temperature)),
            ("tool_choice", format!("{:?}", asked.tool_choice), format!("{:?}", now.tool_choice)),
            ("calls", format!("{:?}", asked.calls), format!("{:?}", now.calls)),
        ];
        if let Some((name, before, now)) = fields.into_iter().find(|(_, before, now)| before != now) {
            return Some(format!("{name}: was {before}, is {now}"));
        }
        if asked.tools.is_some()
            && let Some(told) = self.compare_tools(&state.tools, &now.tools)
        {
            return Some(told);
        }
        self.compare_messages(&state.messages, &now.messages, kept)
    }

    fn compare_tools(&self, before: &[ToolSpec], now: &[ToolSpec]) -> Option<String> {
        let text = |tools: &[ToolSpec]| {
            tools
                .iter()
                .map(|tool| serde_json::to_string_pretty(tool).unwrap_or_default())
                .collect::<Vec<_>>()
                .join("\n")
        };
        difference(&self.places, &text(before), &text(now)).map(|told| format!("the tools on offer:\n{told}"))
    }

    fn compare_messages(&self, before: &[Message], now: &[Message], from: usize) -> Option<String> {
        for at in from..before.len().max(now.len()) {
            let name = |message: &Message| format!("message {} ({})", at + 1, role(message));
            match (before.get(at), now.get(at)) {
                (Some(old), Some(new)) => {
                    if let Some(told) = difference(&self.places, &shown(old), &shown(new)) {
                        return Some(format!("{}:\n{told}", name(old)));
                    }
                }
                (Some(old), None) => return Some(format!("{} is missing: {}", name(old), first_line(old.text(), 120))),
                (None, Some(new)) => return Some(format!("{} is new: {}", name(new), first_line(new.text(), 120))),
                (None, None) => {}
            }
        }
        None
    }

    // ---- calls

    /// Returns what the checks of a call found. A call that the recording lacks is refused: nothing runs.
    pub(super) fn judged_before(&self, call: &ToolCall) -> Option<Judged> {
        let mut state = self.lock();
        if let Some(step) = state.begin(&call.id) {
            let What::Call { judged, ran, .. } = &step.what else { return None };
            let fate = if ran.is_some() || matches!(**judged, Judged::Refused { .. }) {
                Fate::Taken
            } else {
                Fate::Unfinished
            };
            let judged = (**judged).clone();
            step.fate = fate;
            return Some(judged);
        }
        let told = format!("the recording lacks this call: {}", first_line(&call.arguments, 200));
        state.add_extra(call.name.clone(), told);
        let outcome = ToolOutcome::Failed { text: "the recording lacks this call".to_owned() };
        let report =
            Report { outcome, summary: "not recorded".to_owned(), diffs: Vec::new(), seen: Vec::new(), plan: None };
        Some(Judged::Refused { proposed: None, why: Why::Refused, report })
    }

    /// Returns what a call came back with; as interrupted where the recording ends in it.
    pub(super) fn ran_before(&self, call: &CallId) -> Option<Ran> {
        let mut state = self.lock();
        let recorded = state.call(call).and_then(|step| match &step.what {
            What::Call { ran, .. } => ran.as_deref().cloned(),
            _ => None,
        });
        let interrupted = || Ran {
            call: call.clone(),
            report: Report {
                outcome: ToolOutcome::Cancelled,
                summary: "the recording ends here".to_owned(),
                diffs: Vec::new(),
                seen: Vec::new(),
                plan: None,
            },
            effects: Vec::new(),
            duration_ms: 0,
        };
        Some(recorded.unwrap_or_else(interrupted))
    }

    /// Compares what the checks of a call found. Those that may run are compared once they have.
    pub(super) fn judged(&self, call: &ToolCall, now: &Judged) {
        if self.plays_calls() {
            return;
        }
        let mut state = self.lock();
        let Some(step) = state.begin(&call.id) else {
            return state.add_extra(call.name.clone(), "the recording lacks this call".to_owned());
        };
        let What::Call { judged, .. } = &step.what else { return };
        let told = match (&**judged, now) {
            (Judged::Refused { report: before, .. }, Judged::Refused { report: now, .. }) => {
                self.compare_outcomes(&before.outcome, &now.outcome)
            }
            (Judged::Run(_), Judged::Refused { report, .. }) => {
                Some(format!("it ran, and is refused: {}", first_line(report.outcome.text(), 300)))
            }
            (Judged::Refused { report, .. }, Judged::Run(_)) => {
                Some(format!("it was refused, and runs: {}", first_line(report.outcome.text(), 300)))
            }
            _ => return,
        };
        step.fate = told.map_or(Fate::Same, Fate::Differs);
    }

    /// Compares what a call came back with.
    pub(super) fn ran(&self, now: &Ran) {
        if self.plays_calls() {
            return;
        }
        let mut state = self.lock();
        let Some(step) = state.call(&now.call) else { return };
        let What::Call { ran, .. } = &step.what else { return };
        let told = ran.as_ref().map(|before| self.compare_outcomes(&before.report.outcome, &now.report.outcome));
        if matches!(step.fate, Fate::Differs(_)) {
            return;
        }
        step.fate = match told {
            None => Fate::Unfinished,
            Some(told) => told.map_or(Fate::Same, Fate::Differs),
        };
    }

    fn compare_outcomes(&self, before: &ToolOutcome, now: &ToolOutcome) -> Option<String> {
        let (old, new) = (status(before), status(now));
        if old != new {
            return Some(format!("was {old}, is {new}: {}", first_line(now.text(), 300)));
        }
        difference(&self.places, before.text(), now.text())
    }

    // ---- checks

    /// Compares how a check ended with the next run of it in the recording.
    pub(super) fn check(&self, now: CheckSeen<'_>) {
        let mut state = self.lock();
        let is_it = |step: &&mut Step| {
            step.fate == Fate::Pending && matches!(&step.what, What::Check(check) if check.command == now.command)
        };
        let Some(step) = state.steps.iter_mut().find(is_it) else {
            let told = format!("the recording lacks this run, which ended with {}", now.ending);
            return state.add_extra(format!("check {}", first_line(now.command, 80)), told);
        };
        let What::Check(before) = &step.what else { return };
        let failures = |failures: &[crate::protocol::failure::Failure]| {
            failures.iter().map(crate::protocol::failure::Failure::line).collect::<Vec<_>>().join("\n")
        };
        let told = if before.is_green != now.is_green || before.ending != now.ending {
            Some(format!("ended with {}, ends with {}", before.ending, now.ending))
        } else if before.failures.is_empty() && now.failures.is_empty() {
            difference(&self.places, &before.text, now.text)
        } else {
            difference(&self.places, &failures(&before.failures), &failures(now.failures))
        };
        step.fate = told.map_or(Fate::Same, Fate::Differs);
    }

    // ---- what else the agent met

    pub(super) fn looked_before(&self) -> Option<Event> {
        self.lock().looked.pop_front().flatten()
    }

    pub(super) fn moved_before(&self) -> Option<Moved> {
        let mut state = self.lock();
        let n = state.n_asked;
        state.moved.pop_front_if(|(after, _)| *after == n).map(|(_, moved)| moved)
    }

    pub(super) fn window_before(&self) -> Option<u64> {
        let mut state = self.lock();
        let n = state.n_asked;
        state.windows.pop_front_if(|(after, _)| *after == n).map(|(_, tokens)| tokens)
    }
}

impl State {
    /// Finds the call that is at work under this id: servers that count anew in each answer give an id several times.
    fn call(&mut self, id: &CallId) -> Option<&mut Step> {
        let at = *self.at_work.get(id)?;
        self.steps.get_mut(at)
    }

    /// Finds the next call of the recording with this id, which is at work from now on.
    fn begin(&mut self, id: &CallId) -> Option<&mut Step> {
        let is_next =
            |step: &Step| step.fate == Fate::Pending && matches!(&step.what, What::Call { call, .. } if call.id == *id);
        let at = self.steps.iter().position(is_next)?;
        self.at_work.insert(id.clone(), at);
        self.steps.get_mut(at)
    }

    fn add(&mut self, title: String, what: What) {
        let number = self.steps.len() + 1;
        self.steps.push(Step { number, title, fate: Fate::Pending, what });
    }

    /// Takes note of what the recording lacks; not where it only ends too early to have it.
    fn add_extra(&mut self, title: String, told: String) {
        let is_request = |step: &Step| matches!(step.what, What::Request { .. }) && step.fate == Fate::Pending;
        if self.is_cut_short && !self.steps.iter().any(is_request) {
            return;
        }
        self.add(title, What::Extra);
        if let Some(step) = self.steps.last_mut() {
            step.fate = Fate::Differs(told);
        }
    }
}

/// A recording being put in order.
#[derive(Default)]
struct Reading {
    agents: Vec<(Agent, Vec<Op>)>,
    end: Option<(u8, String)>,
    state: State,
    n_requests: usize,
}

impl Default for State {
    fn default() -> Self {
        Self {
            steps: Vec::new(),
            n_asked: 0,
            messages: Vec::new(),
            tools: Vec::new(),
            looked: VecDeque::new(),
            moved: VecDeque::new(),
            windows: VecDeque::new(),
            n_agents: 0,
            at_work: HashMap::new(),
            is_cut_short: true,
        }
    }
}

impl Reading {
    fn take(&mut self, entry: Entry) {
        match entry {
            Entry::Agent(agent) => self.agents.push((*agent, Vec::new())),
            Entry::Op(op) => {
                if let Some((_, ops)) = self.agents.last_mut() {
                    ops.push(op);
                }
            }
            Entry::Request { n, asked } => {
                self.n_requests += 1;
                self.state.add(format!("request {n}"), What::Request { asked, answer: None });
            }
            Entry::Answer { n, events, .. } => self.take_answer(n, events),
            Entry::Call { call, judged } => {
                let title = match &judged {
                    Judged::Run(proposed) | Judged::Refused { proposed: Some(proposed), .. } => {
                        format!("{} {}", proposed.tool, first_line(&proposed.target, 80))
                    }
                    _ => call.name.clone(),
                };
                self.state.at_work.insert(call.id.clone(), self.state.steps.len());
                self.state.add(title.trim_end().to_owned(), What::Call { call, judged: Box::new(judged), ran: None });
            }
            Entry::Ran(done) => {
                if let Some(Step { what: What::Call { ran, .. }, .. }) = self.state.call(&done.call.clone()) {
                    *ran = Some(done);
                }
            }
            Entry::Looked { event } => self.state.looked.push_back(event.map(|event| *event)),
            Entry::Moved(moved) => self.state.moved.push_back((self.n_requests, *moved)),
            Entry::Window { tokens } => self.state.windows.push_back((self.n_requests, tokens)),
            Entry::Check(check) => {
                self.state.add(format!("check {}", first_line(&check.command, 80)), What::Check(check));
            }
            Entry::End { code, words } => {
                self.end = Some((code, words));
                self.state.is_cut_short = false;
            }
            Entry::Unknown => {}
        }
    }

    fn take_answer(&mut self, n: u64, events: Vec<StreamEvent>) {
        let title = format!("request {n}");
        let request = self.state.steps.iter_mut().rev().find(|step| step.title == title);
        if let Some(Step { what: What::Request { answer, .. }, .. }) = request {
            *answer = Some(events);
        }
    }
}

/// What the agent is told where the recording has nothing more to say.
fn ends_here() -> StreamEvent {
    StreamEvent::Error(ModelError::Unusable { url: "recording".to_owned(), what: "the recording ends here".to_owned() })
}

fn role(message: &Message) -> String {
    match message {
        Message::System { .. } => "the instructions".to_owned(),
        Message::User { .. } => "what the model is told".to_owned(),
        Message::Assistant { .. } => "the model's words".to_owned(),
        Message::Tool { name, .. } => format!("the result of {name}"),
    }
}

/// A message as text to be compared.
fn shown(message: &Message) -> String {
    match message {
        Message::Assistant { text, tool_calls } => {
            let calls = tool_calls.iter().map(|call| format!("\n{} {}", call.name, call.arguments));
            std::iter::once(text.clone()).chain(calls).collect()
        }
        Message::Tool { name, text, .. } => format!("{name}:\n{text}"),
        other => other.text().to_owned(),
    }
}

fn status(outcome: &ToolOutcome) -> &'static str {
    match outcome {
        ToolOutcome::Ok { .. } => "done",
        ToolOutcome::Failed { .. } => "failed",
        ToolOutcome::Denied { .. } => "refused",
        ToolOutcome::Cancelled => "interrupted",
        ToolOutcome::TimedOut { .. } => "out of time",
    }
}

/// Makes an answer name the folder of today. Where it names the old one, pieces are joined: a name may be cut anywhere.
fn at_home(events: Vec<StreamEvent>, old: &str, new: &str) -> Vec<StreamEvent> {
    let joined = |pick: fn(&StreamEvent) -> Option<&str>| events.iter().filter_map(pick).collect::<String>();
    let text = joined(|event| match event {
        StreamEvent::Text(text) => Some(text),
        _ => None,
    });
    let arguments = joined(|event| match event {
        StreamEvent::Tool(piece) => Some(&piece.arguments),
        _ => None,
    });
    if !text.contains(old) && !arguments.contains(old) {
        return events;
    }
    let (mut joined, mut last_tool) = (Vec::new(), None);
    for event in events {
        match (joined.last_mut(), event) {
            (Some(StreamEvent::Text(before)), StreamEvent::Text(more)) => before.push_str(&more),
            (Some(StreamEvent::Tool(before)), StreamEvent::Tool(piece)) if last_tool == Some(piece.index) => {
                before.arguments.push_str(&piece.arguments);
            }
            (_, event) => {
                last_tool = if let StreamEvent::Tool(piece) = &event { Some(piece.index) } else { None };
                joined.push(event);
            }
        }
    }
    let put = |event| match event {
        StreamEvent::Text(text) => StreamEvent::Text(text.replace(old, new)),
        StreamEvent::Tool(piece) => {
            StreamEvent::Tool(ToolPiece { arguments: piece.arguments.replace(old, new), ..piece })
        }
        other => other,
    };
    joined.into_iter().map(put).collect()
}
