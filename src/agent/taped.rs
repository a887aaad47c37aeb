//! How does what a call went through get onto a tape, and back from it?
//!
//! Plain translation between the words of the agent and those of [`crate::tape`]. Decides nothing.

use crate::agent::batch::Proposal;
use crate::agent::step::{Refusal, Verdict};
use crate::protocol::event::Event;
use crate::protocol::message::CallId;
use crate::protocol::tool::ToolReport;
use crate::tape::entry::{Judged, Proposed, Ran, Report, Why};

/// Says what the checks of a call found.
pub fn judged(verdict: &Verdict) -> Judged {
    match verdict {
        Verdict::Run(proposal) => Judged::Run(proposed(proposal)),
        Verdict::Ask { .. } | Verdict::Question(_) => Judged::Asked,
        Verdict::Refuse { proposal, report: told, why } => Judged::Refused {
            proposed: proposal.as_ref().map(proposed),
            why: match why {
                Refusal::Malformed => Why::Malformed,
                Refusal::Refused => Why::Refused,
                Refusal::NeedsApproval => Why::NeedsApproval,
            },
            report: report(told),
        },
    }
}

/// Makes the same verdict again. What somebody was asked about runs, if they let it: the tape says what came of it.
pub fn verdict(judged: Judged) -> Verdict {
    match judged {
        Judged::Run(proposed) => Verdict::Run(proposal(proposed)),
        Judged::Asked => Verdict::Run(Proposal {
            tool: String::new(),
            target: String::new(),
            actions: Vec::new(),
            previews: Vec::new(),
            is_parallel_safe: false,
            always: None,
        }),
        Judged::Refused { proposed, why, report } => Verdict::Refuse {
            proposal: proposed.map(proposal),
            report: Box::new(tool_report(report)),
            why: match why {
                Why::Malformed => Refusal::Malformed,
                Why::Refused => Refusal::Refused,
                Why::NeedsApproval => Refusal::NeedsApproval,
            },
        },
    }
}

/// Says what a call came back with.
pub fn ran(call: &CallId, told: &ToolReport, effects: &[Event], duration_ms: u64) -> Ran {
    Ran { call: call.clone(), report: report(told), effects: effects.to_vec(), duration_ms }
}

/// Makes the same report again.
pub fn tool_report(report: Report) -> ToolReport {
    let Report { outcome, summary, diffs, seen, plan } = report;
    ToolReport { outcome, summary, diffs, seen, plan }
}

fn report(told: &ToolReport) -> Report {
    let ToolReport { outcome, summary, diffs, seen, plan } = told.clone();
    Report { outcome, summary, diffs, seen, plan }
}

fn proposed(proposal: &Proposal) -> Proposed {
    Proposed {
        tool: proposal.tool.clone(),
        target: proposal.target.clone(),
        actions: proposal.actions.clone(),
        is_parallel_safe: proposal.is_parallel_safe,
    }
}

fn proposal(proposed: Proposed) -> Proposal {
    let Proposed { tool, target, actions, is_parallel_safe } = proposed;
    Proposal { tool, target, actions, previews: Vec::new(), is_parallel_safe, always: None }
}
