//! What does the agent do next?
//!
//! A pure state machine: no I/O, no clock, no async. [`Machine::step`] takes one input and returns the effects to carry
//! out, in order. Everything the conversation consists of leaves through [`Effect::Emit`], so that the session file, the
//! screen and the next request are all made of the same events.

use std::collections::VecDeque;

use crate::agent::batch::{Batch, Ended};
use crate::agent::brought::{Brought, Words};
use crate::agent::emit::{harmless, left_out, report_call, say, warn};
use crate::agent::limits::{Limits, Repetition};
use crate::agent::mistakes::{Mistakes, Next};
use crate::agent::step::{Compaction, Effect, Input, Offer, Refusal, Verdict};
use crate::context::compact::Guard;
use crate::context::prompt;
use crate::model::Answer;
use crate::protocol::event::{Author, Event, Phase, TurnEnd};
use crate::protocol::message::{CallId, ToolCall, Usage};
use crate::protocol::op::Op;
use crate::protocol::tool::{ToolOutcome, ToolReport};

/// Tokens up to which an empty answer is simply empty. One that cost more was a call that the server lost: several drop
/// calls they cannot parse, and those of unknown tools, without a word.
const MAX_EMPTY_TOKENS: u64 = 10;
/// Name under which models keep their plan.
const PLAN_TOOL: &str = "update_plan";

/// The agent's decisions.
#[derive(Debug)]
pub struct Machine {
    limits: Limits,
    state: State,
    /// The project's facts, until they have been said.
    opening: Option<String>,
    /// What the model is told before the next words of the user.
    mention: Option<String>,
    turn: u32,
    turn_usage: Usage,
    total_usage: Usage,
    steps: u32,
    total_steps: u32,
    refused: u32,
    repetition: Repetition,
    mistakes: Mistakes,
    /// What the model is told once its calls are reported.
    note: Option<String>,
    guard: Guard,
    /// What goes along with the next words.
    brought: Brought,
    /// Words for the running turn.
    steering: VecDeque<Words>,
    /// Words for later turns.
    queue: VecDeque<Words>,
}

#[derive(Debug)]
enum State {
    Idle,
    /// A request is under way.
    Thinking,
    /// Calls of the last answer are being dealt with.
    Acting(Batch),
    /// A summary is under way; the turn goes on afterwards if there is one.
    Compacting {
        in_turn: bool,
    },
    /// The user or a limit ended the turn; running calls are being ended.
    Stopping {
        batch: Batch,
        end: TurnEnd,
    },
}

impl Machine {
    /// Starts idle. `opening` is said before the first words of the user; `turn` is the last turn of a resumed session.
    pub fn new(limits: Limits, opening: Option<String>, turn: u32) -> Self {
        Self {
            limits,
            state: State::Idle,
            opening,
            mention: None,
            turn,
            turn_usage: Usage::default(),
            total_usage: Usage::default(),
            steps: 0,
            total_steps: 0,
            refused: 0,
            repetition: Repetition::default(),
            mistakes: Mistakes::default(),
            note: None,
            guard: Guard::default(),
            brought: Brought::default(),
            steering: VecDeque::new(),
            queue: VecDeque::new(),
        }
    }

    /// Says whether nothing is under way.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Says whether nothing runs at all, not even a command of the user's own.
    pub fn is_at_rest(&self) -> bool {
        self.is_idle() && !self.brought.is_running()
    }

    /// Has the project introduced again before the next words of the user.
    pub fn introduce(&mut self, opening: String) {
        self.opening = Some(opening);
    }

    /// Has the model told this before the next words of the user; none takes back what it was to be told.
    pub fn mention(&mut self, text: Option<String>) {
        self.mention = text;
    }

    /// Forgets what another server could not do.
    pub fn meet_server(&mut self, offer: Offer) {
        self.mistakes.meet_server(offer);
    }

    /// Returns the number of the present or last turn.
    pub fn turn(&self) -> u32 {
        self.turn
    }

    /// Takes one input and returns what to do, in order. Inputs that no longer matter are ignored.
    pub fn step(&mut self, input: Input) -> Vec<Effect> {
        let mut out = Vec::new();
        match input {
            Input::Op(op) => self.on_op(op, &mut out),
            Input::Answered(answer) => self.on_answer(*answer, &mut out),
            Input::ModelFailed { message, hints } => {
                if matches!(self.state, State::Thinking) {
                    self.end_turn(TurnEnd::ModelFailed { message, hints }, &mut out);
                }
            }
            Input::ChoiceRefused => self.on_choice_refused(&mut out),
            Input::CallsGarbled { message, hints } => self.on_calls_garbled(message, hints, &mut out),
            Input::ContextFull => self.on_context_full(&mut out),
            Input::Judged { call, verdict } => self.on_judged(&call, verdict, &mut out),
            Input::Finished { call, report, duration_ms } => self.on_finished(&call, report, duration_ms, &mut out),
            Input::Compacted { result, usage } => self.on_compacted(result, usage, &mut out),
            Input::TimeUp => self.stop(TurnEnd::Limit { what: self.limits.time_words() }, &mut out),
        }
        out
    }

    fn on_op(&mut self, op: Op, out: &mut Vec<Effect>) {
        match op {
            Op::Submit { text } | Op::Steer { text } | Op::Queue { text } if self.is_idle() => {
                let words = self.brought.words(text);
                self.start_turn(words, out);
            }
            Op::Steer { text } => self.steering.push_back(self.brought.kept(text, out)),
            Op::Submit { text } | Op::Queue { text } => self.queue.push_back(self.brought.kept(text, out)),
            Op::Attach { attached } => self.brought.attach(attached),
            Op::Run { command } => out.push(Effect::RunOwn(self.brought.run(self.turn, &command))),
            Op::Interrupt => {
                if self.brought.is_running() {
                    out.push(Effect::CancelCalls);
                }
                self.stop(TurnEnd::Interrupted, out);
            }
            Op::Approve { call, grant } => {
                if let State::Acting(batch) = &mut self.state {
                    batch.approve(&call, grant, out);
                    self.advance(out);
                }
            }
            Op::Review { call, answers } => {
                if let State::Acting(batch) = &mut self.state {
                    batch.review(&call, answers, out);
                    self.advance(out);
                }
            }
            Op::Deny { call, reason } => {
                let text = match reason {
                    Some(reason) => format!("the user refused this call: {reason}"),
                    None => "the user refused this call".to_owned(),
                };
                self.on_reply(
                    &call,
                    ToolReport::of(ToolOutcome::Denied { text, rules: Vec::new() }, "refused by you"),
                    out,
                );
            }
            Op::Answer { call, text } => self.on_reply(&call, ToolReport::ok(text, "answered"), out),
            Op::SetMode { mode } => {
                out.push(Effect::SetMode(mode));
                out.push(Effect::Emit(Event::ModeChanged { mode }));
            }
            Op::SetModel { model } => out.push(Effect::SetModel(model)),
            Op::Undo => self.on_rewind(Effect::Undo, out),
            Op::Unsay => self.on_rewind(Effect::Unsay, out),
            Op::Redo => self.on_rewind(Effect::Redo, out),
            Op::Changed(change) => {
                // Before the first turn it belongs to that one.
                let (turn, call) = (self.turn.max(1), None);
                out.push(Effect::Emit(Event::TreeChanged { turn, call, change }));
            }
            Op::Compact => self.on_compact(out),
            Op::Stop { call } => out.push(Effect::StopCall(call)),
            Op::Drop { call } if self.is_idle() => out.push(Effect::Drop(call)),
            Op::Drop { .. } => warn("interrupt the turn before taking something out of the window", out),
        }
    }

    fn on_compact(&mut self, out: &mut Vec<Effect>) {
        if self.is_idle() {
            self.state = State::Compacting { in_turn: false };
            out.push(Effect::Compact);
        } else {
            warn("interrupt the turn before summarising it", out);
        }
    }

    fn on_rewind(&self, effect: Effect, out: &mut Vec<Effect>) {
        if self.is_idle() {
            out.push(effect);
        } else {
            warn("interrupt the turn before taking it back", out);
        }
    }

    // ---- a turn begins and ends

    fn start_turn(&mut self, words: Words, out: &mut Vec<Effect>) {
        self.turn += 1;
        self.turn_usage = Usage::default();
        (self.steps, self.refused, self.note) = (0, 0, None);
        self.repetition = Repetition::default();
        self.mistakes.start_turn();
        out.push(Effect::StartClock);
        out.push(Effect::Emit(Event::TurnStarted { turn: self.turn }));
        if let Some(opening) = self.opening.take() {
            say(Author::Project, opening, out);
        }
        if let Some(note) = self.mention.take() {
            say(Author::Mimi, note, out);
        }
        out.push(Effect::LookAround);
        words.say(out);
        self.call_model(out);
    }

    fn call_model(&mut self, out: &mut Vec<Effect>) {
        self.steps += 1;
        self.total_steps += 1;
        self.state = State::Thinking;
        out.push(Effect::Emit(Event::PhaseChanged { phase: Phase::Analyse }));
        out.push(Effect::CallModel(self.mistakes.tool_choice()));
    }

    fn end_turn(&mut self, end: TurnEnd, out: &mut Vec<Effect>) {
        self.state = State::Idle;
        let is_over = end == TurnEnd::Answered;
        out.push(Effect::StopClock);
        out.push(Effect::Emit(Event::TurnDone {
            turn: self.turn,
            end,
            steps: self.steps,
            usage: self.turn_usage,
            refused: self.refused,
        }));
        // Words meant for a turn that ended early wait with the others; after an interruption the user speaks first.
        while let Some(words) = self.steering.pop_back() {
            self.queue.push_front(words);
        }
        if is_over {
            self.start_queued(out);
        }
    }

    fn start_queued(&mut self, out: &mut Vec<Effect>) {
        if let Some(words) = self.queue.pop_front() {
            self.start_turn(words, out);
        }
    }

    fn stop(&mut self, end: TurnEnd, out: &mut Vec<Effect>) {
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Idle => {}
            State::Compacting { in_turn: false } => {
                out.push(Effect::StopModel);
                warn("interrupted; the conversation was not summarised", out);
            }
            State::Thinking | State::Compacting { in_turn: true } => {
                out.push(Effect::StopModel);
                self.end_turn(end, out);
            }
            State::Acting(mut batch) => {
                batch.cancel_waiting();
                out.push(Effect::CancelCalls);
                self.state = State::Stopping { batch, end };
                self.report_in_order(out);
            }
            // A second request to stop: the calls were told already.
            stopping @ State::Stopping { .. } => self.state = stopping,
        }
    }

    // ---- the model answers

    fn on_answer(&mut self, answer: Answer, out: &mut Vec<Effect>) {
        if !matches!(self.state, State::Thinking) {
            return;
        }
        self.turn_usage += answer.usage;
        self.total_usage += answer.usage;
        let calls = answer.tool_calls;
        let is_empty = answer.text.trim().is_empty() && calls.is_empty();
        let was_empty = self.mistakes.note_empty(is_empty);
        if !is_empty {
            out.push(Effect::Emit(Event::AssistantMessage {
                text: answer.text,
                reasoning: answer.reasoning.clone(),
                tool_calls: calls.iter().map(harmless).collect(),
            }));
        }
        let left_out = left_out(answer.cut_call.as_deref(), answer.quoted_call.as_deref(), out);
        if !calls.is_empty() {
            // The others are run; behind their outcomes the model is told of the one that was left out.
            self.note = left_out;
            return self.start_acting(calls, out);
        }
        let next = if let Some(note) = left_out {
            Some(self.mistakes.nudge(note, out))
        } else if answer.is_cut {
            Some(self.mistakes.nudge(prompt::NOTE_CUT_ANSWER.render(&[]), out))
        } else if is_empty && answer.reasoning.trim().is_empty() && answer.usage.output_tokens > MAX_EMPTY_TOKENS {
            Some(self.mistakes.on_lost_call(answer.usage.output_tokens, out))
        } else if is_empty {
            Some(self.mistakes.on_empty(was_empty, out))
        } else {
            answer.failed_call.map(|failed| self.mistakes.on_failed_call(&failed, out))
        };
        match next {
            Some(next) => self.follow(next, out),
            None if self.deliver_steering(out) => self.go_on(out),
            None => self.end_turn(TurnEnd::Answered, out),
        }
    }

    fn on_choice_refused(&mut self, out: &mut Vec<Effect>) {
        if matches!(self.state, State::Thinking) {
            let next = self.mistakes.on_choice_refused(out);
            self.follow(next, out);
        }
    }

    fn on_calls_garbled(&mut self, message: String, hints: Vec<String>, out: &mut Vec<Effect>) {
        if matches!(self.state, State::Thinking) {
            let next = self.mistakes.on_calls_garbled(message, hints, out);
            self.follow(next, out);
        }
    }

    /// Goes where a mistake of the model leads.
    fn follow(&mut self, next: Next, out: &mut Vec<Effect>) {
        match next {
            Next::End(end) => return self.end_turn(end, out),
            Next::AskWithSteering => {
                self.deliver_steering(out);
            }
            Next::Ask => {}
        }
        self.go_on(out);
    }

    /// Asks the model again unless a limit is reached.
    fn go_on(&mut self, out: &mut Vec<Effect>) {
        let of_turn = self.limits.reached(self.steps, &self.turn_usage);
        match of_turn.or_else(|| self.limits.reached_in_all(self.total_steps, &self.total_usage)) {
            Some(what) => self.end_turn(TurnEnd::Limit { what }, out),
            None => self.call_model(out),
        }
    }

    fn deliver_steering(&mut self, out: &mut Vec<Effect>) -> bool {
        Words::say_all(&mut self.steering, out)
    }

    // ---- calls

    fn start_acting(&mut self, calls: Vec<ToolCall>, out: &mut Vec<Effect>) {
        let plans = calls.iter().any(|call| call.name == PLAN_TOOL);
        let phase = if plans { Phase::Plan } else { Phase::Act };
        out.push(Effect::Emit(Event::PhaseChanged { phase }));
        self.state = State::Acting(Batch::new(calls));
        self.advance(out);
    }

    /// Reports what has ended and checks the next call that may start.
    fn advance(&mut self, out: &mut Vec<Effect>) {
        self.report_in_order(out);
        if let State::Acting(batch) = &self.state
            && let Some(call) = batch.next_to_judge()
        {
            out.push(Effect::Judge(call.clone()));
        }
    }

    fn on_judged(&mut self, id: &CallId, verdict: Verdict, out: &mut Vec<Effect>) {
        let State::Acting(batch) = &mut self.state else { return };
        let needs_approval = matches!(verdict, Verdict::Refuse { why: Refusal::NeedsApproval, .. });
        if batch.judged(id, verdict, out) {
            self.refused += u32::from(needs_approval);
            self.advance(out);
        }
    }

    fn on_reply(&mut self, id: &CallId, report: ToolReport, out: &mut Vec<Effect>) {
        if let State::Acting(batch) = &mut self.state {
            batch.reply(id, report);
            self.advance(out);
        }
    }

    fn on_finished(&mut self, id: &CallId, report: Box<ToolReport>, duration_ms: u64, out: &mut Vec<Effect>) {
        if let Some(call) = self.brought.finished(id, &report) {
            return report_call(call, *report, duration_ms, out);
        }
        if let State::Acting(batch) | State::Stopping { batch, .. } = &mut self.state {
            batch.finished(id, report, duration_ms);
            self.advance(out);
        }
    }

    /// Reports ended calls in the model's order, and moves on when all are reported.
    fn report_in_order(&mut self, out: &mut Vec<Effect>) {
        let (State::Acting(batch) | State::Stopping { batch, .. }) = &mut self.state else { return };
        let mut stuck = None;
        while let Some(Ended { call, report, duration_ms, is_malformed }) = batch.next_report() {
            self.mistakes.count_call(is_malformed);
            // What cannot be read is counted with the mistakes.
            if !is_malformed && self.repetition.count(&call, &report.outcome) >= self.limits.max_same_failures {
                stuck = Some(call.name.clone());
            }
            report_call(call, report, duration_ms, out);
        }
        if batch.is_over() {
            self.all_reported(stuck, out);
        }
    }

    fn all_reported(&mut self, stuck: Option<String>, out: &mut Vec<Effect>) {
        let rung = self.mistakes.end_answer();
        match std::mem::replace(&mut self.state, State::Idle) {
            State::Stopping { end, .. } => self.end_turn(end, out),
            State::Acting(_) => match stuck {
                Some(tool) => self.end_turn(TurnEnd::Stuck { tool }, out),
                None => {
                    if let Some(note) = self.note.take() {
                        say(Author::Mimi, note, out);
                    }
                    let next = self.mistakes.climb(rung, out);
                    self.follow(next, out);
                }
            },
            other => self.state = other,
        }
    }

    // ---- compaction

    fn on_context_full(&mut self, out: &mut Vec<Effect>) {
        if !matches!(self.state, State::Thinking) {
            return;
        }
        if self.guard.allows(self.total_steps) {
            self.state = State::Compacting { in_turn: true };
            out.push(Effect::Compact);
        } else {
            let what = "the context window is full and summarising no longer helps; start a new session".to_owned();
            self.end_turn(TurnEnd::Limit { what }, out);
        }
    }

    /// What a summary replaced held how calls are written; it is said again, to an idle agent with its next turn.
    fn repeat_plain_calls(&mut self, in_turn: bool, out: &mut Vec<Effect>) {
        let Some(words) = self.mistakes.said_again() else { return };
        if in_turn {
            return say(Author::Mimi, words, out);
        }
        self.opening =
            Some(self.opening.take().map_or_else(|| words.clone(), |opening| format!("{opening}\n\n{words}")));
    }

    fn on_compacted(&mut self, result: Result<Compaction, String>, usage: Usage, out: &mut Vec<Effect>) {
        let State::Compacting { in_turn } = self.state else { return };
        self.total_usage += usage;
        if in_turn {
            self.turn_usage += usage;
        }
        self.state = if in_turn { State::Thinking } else { State::Idle };
        match result {
            Ok(Compaction { text, before_tokens, after_tokens }) => {
                self.guard.record(self.total_steps, before_tokens, after_tokens);
                out.push(Effect::Emit(Event::Compacted { text, before_tokens, after_tokens }));
                self.repeat_plain_calls(in_turn, out);
                match self.limits.tokens_reached(&self.turn_usage) {
                    Some(what) if in_turn => self.end_turn(TurnEnd::Limit { what }, out),
                    None if in_turn => out.push(Effect::CallModel(self.mistakes.tool_choice())),
                    _ => {}
                }
            }
            Err(why) => {
                self.guard.record(self.total_steps, 1, 1);
                warn(&format!("the conversation could not be summarised: {why}"), out);
                if in_turn {
                    let what = "the context window is full; `/compact` tries once more to summarise".to_owned();
                    self.end_turn(TurnEnd::Limit { what }, out);
                }
            }
        }
        // Words that came while an idle agent summarised have no turn whose end would start them.
        if !in_turn {
            self.start_queued(out);
        }
    }
}

#[cfg(test)]
#[path = "machine_tests.rs"]
mod tests;
