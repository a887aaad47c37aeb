//! Which of the calls in one answer run when, and in which order are they reported?
//!
//! A pure part of the machine. Calls start in the model's order; a reading call may start while earlier reading calls
//! run, everything else waits its turn. Every call is reported exactly once, in the model's order, whatever happens.

use crate::agent::review;
use crate::agent::step::{Effect, Refusal, Verdict};
use crate::protocol::diff::FileDiff;
use crate::protocol::event::Event;
use crate::protocol::message::{CallId, ToolCall};
use crate::protocol::op::Grant;
use crate::protocol::review::HunkAnswer;
use crate::protocol::tool::{Action, ToolOutcome, ToolReport};

/// A call whose checks found it possible.
#[derive(Debug, Clone)]
pub struct Proposal {
    /// The tool under its registered name.
    pub tool: String,
    /// What it is about.
    pub target: String,
    /// What it would touch.
    pub actions: Vec<Action>,
    /// The changes it would make, where somebody is asked.
    pub previews: Vec<FileDiff>,
    /// Whether it may run beside others.
    pub is_parallel_safe: bool,
}

/// The calls of one answer.
#[derive(Debug)]
pub struct Batch {
    slots: Vec<Slot>,
}

#[derive(Debug)]
struct Slot {
    call: ToolCall,
    status: Status,
    /// Whether it was no call at all in the tools' eyes.
    is_malformed: bool,
}

#[derive(Debug)]
enum Status {
    Waiting,
    Asked(Proposal),
    Questioned,
    Running {
        is_parallel_safe: bool,
    },
    /// Ended, not yet reported because an earlier call has not.
    Ended {
        report: Box<ToolReport>,
        duration_ms: u64,
    },
    Reported,
}

/// A call that ended, in its turn.
#[derive(Debug)]
pub struct Ended {
    /// The call.
    pub call: ToolCall,
    /// How it ended.
    pub report: ToolReport,
    /// How long it ran.
    pub duration_ms: u64,
    /// Whether it was not in the form a call must have.
    pub is_malformed: bool,
}

impl Batch {
    /// Takes the calls of an answer.
    pub fn new(calls: Vec<ToolCall>) -> Self {
        Self {
            slots: calls.into_iter().map(|call| Slot { call, status: Status::Waiting, is_malformed: false }).collect(),
        }
    }

    /// Returns the call to check next, if one may start now.
    pub fn next_to_judge(&self) -> Option<&ToolCall> {
        for slot in &self.slots {
            match slot.status {
                Status::Ended { .. } | Status::Reported | Status::Running { is_parallel_safe: true } => {}
                Status::Waiting => return Some(&slot.call),
                Status::Running { .. } | Status::Asked(_) | Status::Questioned => return None,
            }
        }
        None
    }

    /// Takes the result of the checks. Returns false when the call must wait and be checked again, because a call before
    /// it is still running and may change what it means.
    pub fn judged(&mut self, id: &CallId, verdict: Verdict, out: &mut Vec<Effect>) -> bool {
        let Some(at) = self.slots.iter().position(|slot| slot.call.id == *id) else { return false };
        if !matches!(self.slots[at].status, Status::Waiting) {
            return false;
        }
        let is_first = self.slots[..at].iter().all(Slot::is_over);
        let slot = &mut self.slots[at];
        match verdict {
            Verdict::Run(proposal) if is_first || proposal.is_parallel_safe => {
                slot.propose(&proposal, out).start(proposal, out);
            }
            Verdict::Refuse { proposal, report, why } => {
                slot.is_malformed = why == Refusal::Malformed;
                if let Some(proposal) = proposal {
                    slot.propose(&proposal, out);
                }
                slot.status = Status::Ended { report, duration_ms: 0 };
            }
            _ if !is_first => return false,
            Verdict::Run(proposal) => slot.propose(&proposal, out).start(proposal, out),
            Verdict::Ask { proposal, why } => slot.propose(&proposal, out).ask(proposal, why, out),
            Verdict::Question(question) => {
                slot.status = Status::Questioned;
                out.push(Effect::Emit(Event::QuestionAsked { call: id.clone(), question }));
            }
        }
        true
    }

    /// Lets a waiting call run.
    pub fn approve(&mut self, id: &CallId, grant: Grant, out: &mut Vec<Effect>) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.call.id == *id) else { return };
        let Status::Asked(proposal) = &slot.status else { return };
        let proposal = proposal.clone();
        out.push(Effect::Emit(Event::Approved { call: id.clone(), grant }));
        if grant == Grant::Session {
            out.push(Effect::Grant(id.clone()));
        }
        slot.start(proposal, out);
    }

    /// Lets a waiting call run with the pieces of its change the user takes; without any it is refused.
    pub fn review(&mut self, id: &CallId, answers: Vec<HunkAnswer>, out: &mut Vec<Effect>) {
        let Some(slot) = self.slots.iter_mut().find(|slot| slot.call.id == *id) else { return };
        let Status::Asked(proposal) = &slot.status else { return };
        if let Some(text) = review::misfit(&proposal.previews, &answers) {
            out.push(Effect::Emit(Event::Warning { text }));
            return;
        }
        let reviewed = Effect::Emit(Event::Reviewed { call: id.clone(), answers: answers.clone() });
        if review::is_refusal(&proposal.previews, &answers) {
            let text = review::refusal(&proposal.previews, &answers);
            let outcome = ToolOutcome::Denied { text, rules: Vec::new() };
            slot.status = ended(ToolReport::of(outcome, "refused by you"));
            out.push(reviewed);
            return;
        }
        let proposal = proposal.clone();
        out.push(Effect::Emit(Event::Approved { call: id.clone(), grant: Grant::Once }));
        out.extend([reviewed, Effect::Review(id.clone(), answers)]);
        slot.start(proposal, out);
    }

    /// Takes the user's reply to a waiting call as its outcome.
    pub fn reply(&mut self, id: &CallId, report: ToolReport) {
        let waits = |slot: &&mut Slot| matches!(slot.status, Status::Asked(_) | Status::Questioned);
        if let Some(slot) = self.slots.iter_mut().filter(waits).find(|slot| slot.call.id == *id) {
            slot.status = ended(report);
        }
    }

    /// Takes the end of a running call.
    pub fn finished(&mut self, id: &CallId, report: Box<ToolReport>, duration_ms: u64) {
        let running = |slot: &&mut Slot| matches!(slot.status, Status::Running { .. });
        if let Some(slot) = self.slots.iter_mut().filter(running).find(|slot| slot.call.id == *id) {
            slot.status = Status::Ended { report, duration_ms };
        }
    }

    /// Ends every call that has not begun.
    pub fn cancel_waiting(&mut self) {
        for slot in &mut self.slots {
            if matches!(slot.status, Status::Waiting | Status::Asked(_) | Status::Questioned) {
                slot.status = ended(ToolReport::of(ToolOutcome::Cancelled, "interrupted"));
            }
        }
    }

    /// Takes the next call whose turn it is to be reported.
    pub fn next_report(&mut self) -> Option<Ended> {
        let slot = self.slots.iter_mut().find(|slot| !matches!(slot.status, Status::Reported))?;
        if !matches!(slot.status, Status::Ended { .. }) {
            return None;
        }
        match std::mem::replace(&mut slot.status, Status::Reported) {
            Status::Ended { report, duration_ms } => {
                let is_malformed = slot.is_malformed;
                Some(Ended { call: slot.call.clone(), report: *report, duration_ms, is_malformed })
            }
            _ => None,
        }
    }

    /// Says whether every call has been reported.
    pub fn is_over(&self) -> bool {
        self.slots.iter().all(|slot| matches!(slot.status, Status::Reported))
    }
}

impl Slot {
    fn is_over(&self) -> bool {
        matches!(self.status, Status::Ended { .. } | Status::Reported)
    }

    fn propose(&mut self, proposal: &Proposal, out: &mut Vec<Effect>) -> &mut Self {
        out.push(Effect::Emit(Event::ToolProposed {
            call: self.call.id.clone(),
            tool: proposal.tool.clone(),
            target: proposal.target.clone(),
            actions: proposal.actions.clone(),
        }));
        self
    }

    fn start(&mut self, proposal: Proposal, out: &mut Vec<Effect>) {
        let call = self.call.id.clone();
        self.status = Status::Running { is_parallel_safe: proposal.is_parallel_safe };
        out.push(Effect::Emit(Event::ToolStarted { call: call.clone(), tool: proposal.tool, target: proposal.target }));
        out.push(Effect::Run(call));
    }

    fn ask(&mut self, proposal: Proposal, why: String, out: &mut Vec<Effect>) {
        out.push(Effect::Emit(Event::ApprovalAsked {
            call: self.call.id.clone(),
            tool: proposal.tool.clone(),
            target: proposal.target.clone(),
            actions: proposal.actions.clone(),
            preview: proposal.previews.first().cloned().map(Box::new),
            more: proposal.previews.iter().skip(1).cloned().collect(),
            why,
        }));
        self.status = Status::Asked(proposal);
    }
}

fn ended(report: ToolReport) -> Status {
    Status::Ended { report: Box::new(report), duration_ms: 0 }
}
