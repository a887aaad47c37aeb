//! Who carries out what the machine decides?
//!
//! One loop per session: it waits for operations, the model's stream, running calls and the turn's clock, hands each to
//! the machine and carries out the effects. Events are in the session file before they are shown or acted on.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::agent::batch::Proposal;
use crate::agent::dispatch::Dispatch;
use crate::agent::emit::behind_ended;
use crate::agent::handle::{Handle, OPS_CAPACITY, RECORDS_CAPACITY};
use crate::agent::live::Live;
use crate::agent::machine::Machine;
use crate::agent::memory::Memory;
use crate::agent::pieces::Pieces;
use crate::agent::running::{Ended, Heard, Running};
use crate::agent::step::{Effect, Input};
use crate::agent::taking_back::Rewound;
use crate::agent::taped;
use crate::agent::telling::Telling;
use crate::base::fault::{Explain as _, Fault};
use crate::base::secrets;
use crate::model::ToolChoice;
use crate::model::ask::Progress;
use crate::model::error::ModelError;
use crate::model::fallback;
use crate::model::gateway::Gateway;
use crate::model::route::Route;
use crate::protocol::event::{Event, Record};
use crate::protocol::message::{CallId, ToolCall, Usage};
use crate::protocol::op::Op;
use crate::protocol::wait::Wait;
use crate::session::recorder::Recorder;
use crate::tape::Tape;

/// Everything an agent works with.
pub struct Parts {
    /// Decides.
    pub machine: Machine,
    /// Checks and runs calls.
    pub dispatch: Dispatch,
    /// Asks models.
    pub gateway: Arc<Gateway>,
    /// Knows the conversation and builds requests.
    pub memory: Memory,
    /// Writes the session file.
    pub recorder: Recorder,
    /// Seconds a turn may take; 0 for no bound.
    pub max_seconds: u64,
    /// Said once at the start: what was found, what is wrong.
    pub notices: Vec<String>,
    /// Records what is exchanged with the world, or plays it.
    pub tape: Tape,
}

/// Starts an agent on the current runtime.
pub fn start(parts: Parts) -> Handle {
    let (ops, ops_in) = mpsc::channel(OPS_CAPACITY);
    let (records_out, records) = mpsc::channel(RECORDS_CAPACITY);
    tokio::spawn(Driver::new(parts, ops_in, records_out).run());
    Handle { ops, records }
}

/// A session under way. Open to its neighbours is what `background` needs, which moves commands behind the turn.
pub(in crate::agent) struct Driver {
    pub(in crate::agent) parts: Parts,
    ops: mpsc::Receiver<Op>,
    records: mpsc::Sender<Record>,
    stream: Option<Stream>,
    pub(in crate::agent) running: Running,
    deadline: Option<Instant>,
    pub(in crate::agent) inputs: VecDeque<Input>,
    telling: Telling,
}

/// The model request under way.
struct Stream {
    purpose: Purpose,
    pieces: Pieces,
    /// Whether the model must call a tool.
    tool_choice: ToolChoice,
    live: Live,
    /// Raw estimate of the request, to learn from the server's count.
    estimate: f64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Answer,
    Summary,
}

/// What the loop woke up for.
enum Wake {
    Op(Option<Op>),
    Progress(Vec<Progress>),
    Call(Heard),
    TimeUp,
}

impl Driver {
    fn new(parts: Parts, ops: mpsc::Receiver<Op>, records: mpsc::Sender<Record>) -> Self {
        let telling = Telling::new(parts.memory.secrets());
        Self {
            parts,
            ops,
            records,
            stream: None,
            running: Running::default(),
            deadline: None,
            inputs: VecDeque::new(),
            telling,
        }
    }

    async fn run(mut self) {
        self.parts.machine.meet_server(self.parts.memory.offer());
        for settled in self.parts.memory.settle() {
            self.rewound(settled).await;
        }
        self.parts.machine.mention(self.parts.memory.note_of_news());
        self.miss_background().await;
        for text in std::mem::take(&mut self.parts.notices) {
            self.emit(Event::Warning { text }).await;
        }
        let mut is_open = true;
        while is_open || !self.parts.machine.is_at_rest() || !self.running.behind().is_empty() {
            match self.wake(is_open).await {
                Wake::Op(Some(op)) => {
                    self.parts.tape.op(&op);
                    self.inputs.push_back(Input::Op(op));
                }
                // The front end is gone: end what runs, then end.
                Wake::Op(None) => {
                    is_open = false;
                    self.running.stop_all();
                    self.inputs.push_back(Input::Op(Op::Interrupt));
                }
                Wake::Progress(pieces) => self.on_progress(pieces).await,
                Wake::Call(Heard::Printed(call, text)) => self.emit(Event::ToolOutput { call, text }).await,
                Wake::Call(Heard::Begun(call)) => self.put_behind(&call).await,
                Wake::Call(Heard::Ended(ended)) => self.on_ended(*ended).await,
                Wake::TimeUp => {
                    self.deadline = None;
                    self.inputs.push_back(Input::TimeUp);
                }
            }
            while let Some(input) = self.inputs.pop_front() {
                for effect in self.parts.machine.step(input) {
                    self.carry_out(effect).await;
                }
            }
        }
    }

    /// Waits for the next thing to happen. Operations come first, so that an interrupt is never behind a fast stream.
    async fn wake(&mut self, is_open: bool) -> Wake {
        let deadline = self.deadline;
        tokio::select! {
            biased;
            op = self.ops.recv(), if is_open => Wake::Op(op),
            heard = self.running.next() => Wake::Call(heard),
            pieces = next_pieces(&mut self.stream), if self.stream.is_some() => Wake::Progress(pieces),
            () = sleep_until(deadline), if deadline.is_some() => Wake::TimeUp,
        }
    }

    async fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Emit(event) => self.emit(event).await,
            Effect::CallModel(tool_choice) => self.call_model(tool_choice),
            Effect::StopModel => {
                // What the model had said is shown, also what did not move on yet.
                let held = self.stream.as_mut().map(|stream| stream.pieces.take()).unwrap_or_default();
                self.on_progress(held).await;
                self.stream = None;
            }
            Effect::Judge(call) => {
                if call.arguments.contains(secrets::OPEN) {
                    self.parts.dispatch.veiled = self.parts.memory.veiled();
                }
                let before = self.parts.tape.judged_before(&call).map(taped::verdict);
                let verdict = before.unwrap_or_else(|| self.parts.dispatch.judge(&call));
                self.parts.tape.judged(&call, || taped::judged(&verdict));
                self.inputs.push_back(Input::Judged { call: call.id, verdict });
            }
            Effect::Run(call) => self.run_call(&call).await,
            Effect::RunOwn { call, is_behind } => {
                if let Some(call) = self.run_own(call).await.filter(|_| is_behind) {
                    self.put_behind(&call).await;
                }
            }
            Effect::CancelCalls => self.running.stop_turn(),
            Effect::Background(call) => self.put_behind(&call).await,
            Effect::Grant(call) => self.parts.dispatch.grant(&call),
            Effect::Agree(call) => {
                if let Some(event) = self.parts.dispatch.agree(&call) {
                    self.emit(event).await;
                }
            }
            Effect::LookAround => {
                let event = match self.parts.tape.looked_before() {
                    Some(event) => event,
                    None => self.parts.dispatch.look_around().await,
                };
                self.parts.tape.looked(event.as_ref());
                if let Some(event) = event {
                    self.emit(event).await;
                }
            }
            Effect::Review(call, answers) => self.parts.dispatch.review(&call, &answers),
            Effect::Compact => self.request_summary(),
            Effect::StopCall(call) => self.running.stop(&call),
            Effect::Drop(call) => {
                let event = self.parts.memory.dropped(&call);
                self.emit(event).await;
            }
            Effect::Undo => {
                self.warn_of_background().await;
                let rewound = self.parts.memory.undo();
                self.rewound(rewound).await;
            }
            Effect::Unsay => {
                let rewound = self.parts.memory.unsay();
                self.rewound(rewound).await;
            }
            Effect::Redo => {
                self.warn_of_background().await;
                let rewound = self.parts.memory.redo();
                self.rewound(rewound).await;
            }
            Effect::SetMode(mode) => self.parts.dispatch.policy.mode = mode,
            Effect::SetModel(model) => self.set_model(&model).await,
            Effect::StartClock => {
                self.return_to_preferred().await;
                let seconds = self.parts.max_seconds;
                self.deadline = (seconds > 0).then(|| Instant::now() + Duration::from_secs(seconds));
            }
            Effect::StopClock => {
                self.deadline = None;
                let model = &self.parts.memory.route().model;
                self.parts.dispatch.edits.take().into_iter().for_each(|name| self.parts.gateway.count(model, name));
            }
        }
    }

    /// Writes the event to the session file, takes it into the conversation, and shows it.
    pub(in crate::agent) async fn emit(&mut self, event: Event) {
        let told = self.telling.of(&event).map(|text| Event::Warning { text });
        let recorder = &mut self.parts.recorder;
        let (record, trouble) = recorder.record(event);
        let told = told.map(|event| recorder.record(event));
        let told = told.into_iter().flat_map(|(record, trouble)| [Some(record), trouble]).flatten();
        for record in [record].into_iter().chain(trouble).chain(told) {
            self.parts.memory.apply(&record);
            if matches!(record.event, Event::Undone { .. } | Event::Redone { .. }) {
                self.parts.dispatch.recall(self.parts.memory.knowledge());
            }
            // A front end that went away is no reason to stop before the turn is brought to its end.
            drop(self.records.send(record).await);
        }
    }

    // ---- the model

    fn call_model(&mut self, tool_choice: ToolChoice) {
        if let Some((message, hints)) = self.parts.memory.why_too_small() {
            return self.inputs.push_back(Input::ModelFailed { message, hints });
        }
        if self.parts.memory.is_full() {
            let input = match self.parts.memory.why_not_shrinkable() {
                None => Input::ContextFull,
                Some((message, hints)) => Input::ModelFailed { message, hints },
            };
            return self.inputs.push_back(input);
        }
        let (request, estimate) = self.parts.memory.request(tool_choice);
        self.start_stream(Purpose::Answer, request, estimate);
    }

    fn request_summary(&mut self) {
        if self.parts.memory.is_unanswered() {
            let result = Err("nothing was answered yet".to_owned());
            return self.inputs.push_back(Input::Compacted { result, usage: Usage::default() });
        }
        let (request, estimate) = self.parts.memory.summary_request();
        self.start_stream(Purpose::Summary, request, estimate);
    }

    fn start_stream(&mut self, purpose: Purpose, request: crate::model::Request, estimate: f64) {
        let cancel = CancellationToken::new();
        let tool_choice = request.tool_choice;
        let progress = self.parts.gateway.stream(self.parts.memory.route(), request, cancel);
        self.stream =
            Some(Stream { purpose, pieces: Pieces::new(progress), tool_choice, live: Live::default(), estimate });
    }

    async fn on_progress(&mut self, pieces: Vec<Progress>) {
        let pieces = match &mut self.stream {
            Some(Stream { purpose: Purpose::Answer, live, .. }) => live.restored(pieces),
            // Whether a summary is one is judged by what the model wrote.
            _ => pieces,
        };
        for piece in pieces {
            let Some(Stream { purpose, estimate, tool_choice, .. }) = &self.stream else { return };
            let (purpose, estimate, tool_choice) = (*purpose, *estimate, *tool_choice);
            match piece {
                Progress::Done(answer) => {
                    self.stream = None;
                    if let Some(tokens) = self.parts.tape.window_before() {
                        self.parts.memory.set_window(tokens);
                    }
                    // Where calls come as text, the server may have left the tools out of the prompt.
                    let cut = match tool_choice {
                        ToolChoice::Text => None,
                        _ => self.parts.memory.learn(estimate, &answer),
                    };
                    let usage = self.parts.memory.usage_event(&answer);
                    self.emit(usage).await;
                    if let Some(text) = cut {
                        self.emit(Event::Warning { text }).await;
                    }
                    self.inputs.push_back(match purpose {
                        Purpose::Answer => Input::Answered(answer),
                        Purpose::Summary => {
                            let result = self.parts.memory.compaction(&answer.text);
                            Input::Compacted { result, usage: answer.usage }
                        }
                    });
                }
                Progress::Failed(error) => {
                    self.stream = None;
                    if tool_choice != ToolChoice::Auto && matches!(error, ModelError::Refused { .. }) {
                        self.inputs.push_back(Input::ChoiceRefused);
                    } else {
                        self.on_model_error(purpose, error).await;
                    }
                }
                Progress::Window { tokens } => {
                    self.parts.tape.window(tokens);
                    if let Some(text) = self.parts.memory.set_window(tokens) {
                        self.emit(Event::Warning { text }).await;
                    }
                }
                Progress::Waiting(wait) => {
                    // The server's own count is better, but most tell none before they answer.
                    let prompt_tokens = wait.prompt_tokens.or(Some(estimate.round() as u64));
                    self.emit(Event::Waiting(Wait { prompt_tokens, ..wait })).await;
                }
                // The words of a summary are not for the person; that the server lets us wait is.
                shown @ (Progress::Note { .. } | Progress::Retrying { .. }) => self.show(shown).await,
                shown if purpose == Purpose::Answer => self.show(shown).await,
                _ => {}
            }
        }
    }

    async fn show(&mut self, piece: Progress) {
        let event = match piece {
            Progress::Text(text) => Event::TextDelta { text },
            Progress::Reasoning(text) => Event::ReasoningDelta { text },
            Progress::Reset => Event::StreamReset,
            Progress::Note { text } => Event::Warning { text },
            Progress::Retrying { attempt, max, wait_ms, error } => Event::Retrying { attempt, max, wait_ms, error },
            Progress::Done(_) | Progress::Failed(_) | Progress::Waiting(_) | Progress::Window { .. } => return,
        };
        self.emit(event).await;
    }

    /// Goes back to the server the user prefers, if another has taken over and it can serve again.
    async fn return_to_preferred(&mut self) {
        let (task, route) = (self.parts.memory.task(), self.parts.memory.route().clone());
        let found = match self.parts.tape.moved_before() {
            Some(moved) => Some(moved),
            None => self.parts.gateway.preferred_again(task, &route).await.map(|found| {
                let text = fallback::returned(&found);
                (found, text)
            }),
        };
        if let Some((found, text)) = found {
            self.parts.tape.moved(&found, &text);
            self.emit(Event::Warning { text }).await;
            self.take_route(found);
        }
    }

    /// Finds where the request goes on after this failure, and what the user is told of it: another server may have taken the
    /// place of this one, or the next of the task's list takes over.
    async fn other_place(&mut self, error: &ModelError) -> Option<(Route, String)> {
        if let Some(moved) = self.parts.tape.moved_before() {
            return Some(moved);
        }
        let needed = self.parts.memory.context_tokens();
        let (gateway, memory) = (&self.parts.gateway, &self.parts.memory);
        let (task, route) = (memory.task(), memory.route());
        if let Some(found) = gateway.look_again(task, route, error).await {
            let (was, is) = (route.server.kind.title(), found.server.kind.title());
            let text = format!("{is} answers at {} now, where {was} did; going on with `{}`", found.url, found.model);
            return Some((found, text));
        }
        let found = gateway.fall_back(task, route, error, needed).await?;
        let text = fallback::taken_over(error, &found);
        Some((found, text))
    }

    async fn on_model_error(&mut self, purpose: Purpose, error: ModelError) {
        if let Some((found, text)) = self.other_place(&error).await {
            self.parts.tape.moved(&found, &text);
            self.emit(Event::Warning { text }).await;
            self.take_route(found);
            return match purpose {
                Purpose::Answer => self.call_model(ToolChoice::Auto),
                Purpose::Summary => self.request_summary(),
            };
        }
        let mut hints = error.hints();
        if let ModelError::TooLong { window_tokens, .. } = &error {
            let learned = self.parts.memory.shrink_window(*window_tokens);
            if let (Some(tokens), Some(_)) = (learned, window_tokens) {
                self.parts.gateway.learn_window(self.parts.memory.route(), tokens);
            }
            if let Some(tokens) = learned {
                let text = format!("the server takes fewer tokens than thought; from now on {tokens} are counted on");
                self.emit(Event::Warning { text }).await;
            }
            match (purpose, self.parts.memory.why_not_shrinkable()) {
                (Purpose::Answer, None) => return self.inputs.push_back(Input::ContextFull),
                // Each time shorter, so that this ends.
                (Purpose::Summary, None) if learned.is_some() => return self.request_summary(),
                (_, why) => hints = why.map_or(hints, |(_, hints)| hints),
            }
        }
        let is_garbled = matches!(error, ModelError::Garbled { .. });
        let message = Fault::from(error).line();
        self.inputs.push_back(match purpose {
            Purpose::Answer if is_garbled => Input::CallsGarbled { message, hints },
            Purpose::Answer => Input::ModelFailed { message, hints },
            Purpose::Summary => Input::Compacted { result: Err(message), usage: Usage::default() },
        });
    }

    fn take_route(&mut self, route: Route) {
        self.parts.memory.set_route(route);
        self.parts.machine.meet_server(self.parts.memory.offer());
    }

    async fn set_model(&mut self, model: &str) {
        match self.parts.gateway.resolve(self.parts.memory.task(), Some(model)).await {
            Ok(route) => {
                // With the server where it was named, or a resumed session would look elsewhere.
                let is_placed = model.starts_with(&format!("{}/", route.provider));
                let chosen =
                    if is_placed { format!("{}/{}", route.provider, route.model) } else { route.model.clone() };
                self.emit(Event::ModelChanged { model: chosen }).await;
                self.take_route(route);
            }
            Err(error) => {
                let hints = error.hints().join("; ");
                self.emit(Event::Warning { text: format!("{error} ({hints})") }).await;
            }
        }
    }

    // ---- calls

    async fn run_call(&mut self, call: &CallId) {
        if let Some(before) = self.parts.tape.ran_before(call) {
            for event in before.effects {
                self.emit(event).await;
            }
            let (call, report) = (before.call, Box::new(taped::tool_report(before.report)));
            return self.inputs.push_back(Input::Finished { call, report, duration_ms: before.duration_ms });
        }
        for event in self.parts.dispatch.keep(call, self.parts.machine.turn()) {
            self.emit(event).await;
        }
        let what = self.parts.dispatch.about(call);
        let dispatch = &mut self.parts.dispatch;
        self.running.start(call, what, |leash| dispatch.run(call, leash));
    }

    /// Runs what the user typed: confined as every command is, and not asked about, since it is they who want it. Returns its
    /// name if it runs.
    async fn run_own(&mut self, call: ToolCall) -> Option<CallId> {
        match self.parts.dispatch.judge_own(&call) {
            Ok(Proposal { tool, target, actions, .. }) => {
                let id = call.id;
                self.emit(Event::ToolProposed {
                    call: id.clone(),
                    tool: tool.clone(),
                    target: target.clone(),
                    actions,
                })
                .await;
                self.emit(Event::ToolStarted { call: id.clone(), tool, target }).await;
                self.run_call(&id).await;
                Some(id)
            }
            Err(report) => {
                self.inputs.push_back(Input::Finished { call: call.id, report, duration_ms: 0 });
                None
            }
        }
    }

    async fn on_ended(&mut self, Ended { finished, behind }: Ended) {
        for (call, text) in self.running.printed() {
            self.emit(Event::ToolOutput { call, text }).await;
        }
        let (events, checkpoint) = self.parts.dispatch.effects(self.parts.machine.turn(), finished.effects);
        let (call, report, duration_ms) = (&finished.call, finished.report, finished.duration_ms);
        if behind.is_none() {
            self.parts.tape.ran(|| taped::ran(call, &report, &events, duration_ms));
        }
        for event in events {
            self.emit(event).await;
        }
        if let Some(checkpoint) = checkpoint {
            self.parts.dispatch.settle(&checkpoint);
        }
        let Some((behind, command)) = behind else {
            let (call, report) = (finished.call, Box::new(report));
            return self.inputs.push_back(Input::Finished { call, report, duration_ms });
        };
        self.inputs.push_back(Input::BackgroundEnded(behind_ended(&command, &report)));
        let (outcome, summary) = (report.outcome, report.summary);
        self.emit(Event::BackgroundEnded { behind, outcome, summary, duration_ms }).await;
    }

    /// Records that a turn was taken back or done again, and has the model told with the user's next words.
    async fn rewound(&mut self, Rewound { event, checkpoint }: Rewound) {
        self.emit(event).await;
        if let Some(checkpoint) = checkpoint {
            self.parts.dispatch.settle(&checkpoint);
        }
        self.parts.machine.mention(self.parts.memory.note_of_news());
        if let Some(opening) = self.parts.memory.opening_to_repeat() {
            self.parts.machine.introduce(opening);
        }
    }
}

async fn next_pieces(stream: &mut Option<Stream>) -> Vec<Progress> {
    match stream {
        Some(stream) => stream.pieces.next().await,
        None => Vec::new(),
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    if let Some(at) = deadline {
        tokio::time::sleep_until(at).await;
    }
}
