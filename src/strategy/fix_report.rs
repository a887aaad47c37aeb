//! How does what happens while fixing become a report?
//!
//! [`Collector`] listens to the same progress as the person at the terminal and writes it down. Must not decide anything, run
//! anything or print. Surprising: rounds of the model are put together here, from the agent's own records; every other step
//! is told by the engine as it ends ([`Progress::Step`]).

use std::collections::BTreeMap;
use std::time::Instant;

use crate::base::clock::{Clock, format_utc};
use crate::base::fault::{Fault, Kind};
use crate::protocol::event::{Event, Record, TurnEnd};
use crate::protocol::fix_report::{
    AgentRound, Budget, Ending, Failures, FixReport, Job, ModelUse, Step, VERSION, What,
};
use crate::protocol::tool::ToolOutcome;
use crate::strategy::failure::Complaints;
use crate::strategy::fix::{self, Progress};
use crate::telemetry::price::{Prices, Used};
use crate::tools::manifest::Effect;
use crate::tools::registry::Registry;

/// Bytes of the causes of a failure that are kept: the end of a check's output is one.
const MAX_CAUSE_BYTES: usize = 4_000;

/// Writes down what happens.
pub struct Collector {
    report: FixReport,
    started: Instant,
    prices: Prices,
    /// The tools that change the files they name.
    editors: Vec<String>,
    /// The round the model works in.
    round: Option<Round>,
    /// What each check complained of first and last.
    complaints: BTreeMap<usize, (Failures, Failures)>,
}

/// A round that has not ended.
struct Round {
    told: AgentRound,
    started: Instant,
}

impl Collector {
    /// Begins a report. `sandbox` says how commands are confined.
    pub fn new(job: Job, sandbox: String, prices: Prices, clock: &dyn Clock) -> Self {
        let report = FixReport {
            v: VERSION,
            mimi: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: format_utc(clock.now_ms()),
            job,
            sandbox,
            ..FixReport::default()
        };
        let registry = Registry::new();
        let edits = |name: &&str| {
            registry.get(name).is_some_and(|tool| {
                let effects = &tool.manifest().effects;
                effects.contains(&Effect::Write) && !effects.contains(&Effect::Execute)
            })
        };
        let editors = registry.names().into_iter().filter(edits).map(str::to_owned).collect();
        Self { report, started: Instant::now(), prices, editors, round: None, complaints: BTreeMap::new() }
    }

    /// Takes note of the session, and of who works in it.
    pub fn works_with(&mut self, session: &str, name: &str, provider: &str, url: &str) {
        self.report.session = Some(session.to_owned());
        self.report.model = Some(ModelUse {
            name: name.to_owned(),
            provider: provider.to_owned(),
            url: url.to_owned(),
            requests: 0,
            usage: crate::protocol::message::Usage::default(),
            cost: None,
        });
    }

    /// Takes note of what happened.
    pub fn see(&mut self, progress: &Progress<'_>) {
        match progress {
            Progress::CheckStarted { .. } => {}
            Progress::CheckDone { check, run, .. } => self.ran(*check, &run.complaints),
            Progress::Step(step) => self.report.steps.push((*step).clone()),
            Progress::Budget(budget) => self.spend(budget),
            Progress::Agent(record) => self.record(record),
        }
    }

    fn ran(&mut self, check: usize, complaints: &Complaints) {
        let now = Failures { failures: complaints.failures.clone(), more: complaints.n_more };
        let entry = self.complaints.entry(check);
        entry.and_modify(|(_, last)| last.clone_from(&now)).or_insert_with(|| (now.clone(), now));
    }

    fn spend(&mut self, budget: &Budget) {
        match self.report.budgets.iter_mut().find(|known| known.name == budget.name) {
            Some(known) => known.clone_from(budget),
            None => self.report.budgets.push(budget.clone()),
        }
    }

    fn record(&mut self, record: &Record) {
        match &record.event {
            Event::TurnStarted { turn } => {
                let told = AgentRound { round: *turn, ..AgentRound::default() };
                self.round = Some(Round { told, started: Instant::now() });
            }
            Event::Usage { .. } => self.used(&record.event),
            Event::ToolFinished { tool, outcome, diffs, .. } => self.called(tool, outcome, diffs.len()),
            Event::Warning { text } if !self.report.warnings.contains(text) => self.report.warnings.push(text.clone()),
            Event::TurnDone { end, steps, usage, refused, .. } => {
                if let Some(Round { told, started }) = self.round.take() {
                    let round =
                        AgentRound { end: end_words(end), requests: *steps, usage: *usage, denied: *refused, ..told };
                    self.push(What::Agent(round), started);
                }
            }
            _ => {}
        }
    }

    fn used(&mut self, event: &Event) {
        let Event::Usage { usage, model, stats, .. } = event else { return };
        if let Some(Round { told, .. }) = &mut self.round {
            told.recovered += stats.recovered.values().sum::<u32>();
        }
        let Some(all) = &mut self.report.model else { return };
        all.requests += 1;
        all.usage += *usage;
        let used = Used {
            input_tokens: usage.input_tokens,
            cached_tokens: usage.cached_tokens,
            output_tokens: usage.output_tokens,
            busy_ms: stats.total_ms,
        };
        if let Some(cost) = self.prices.cost(&all.provider, model, &used) {
            *all.cost.get_or_insert(0.0) += cost;
        }
    }

    fn called(&mut self, tool: &str, outcome: &ToolOutcome, n_diffs: usize) {
        let Some(Round { told, .. }) = &mut self.round else { return };
        told.calls += 1;
        if self.editors.iter().any(|editor| editor == tool) {
            told.edits += u32::from(outcome.is_ok() && n_diffs > 0);
            told.edits_refused += u32::from(matches!(outcome, ToolOutcome::Failed { .. }));
        }
    }

    fn push(&mut self, what: What, started: Instant) {
        self.report.steps.push(Step { what, duration_ms: started.elapsed().as_millis() as u64 });
    }

    /// Ends the report: `result` is what the process ends with, `answer` the model's last words.
    pub fn finish(mut self, ending: Option<&fix::Ending>, result: &Result<(), Fault>, answer: &str) -> FixReport {
        if let Some(Round { told, started }) = self.round.take() {
            self.push(What::Agent(AgentRound { end: "cut off".to_owned(), ..told }), started);
        }
        self.report.duration_ms = self.started.elapsed().as_millis() as u64;
        self.report.answer = answer.trim().to_owned();
        for (first, last) in self.complaints.into_values() {
            for (all, own) in [(&mut self.report.at_start, first), (&mut self.report.at_end, last)] {
                all.failures.extend(own.failures);
                all.more += own.more;
            }
        }
        self.report.ending = ended(ending, result);
        if let Err(fault) = result {
            self.report.next.extend(fault.hints.iter().cloned());
        }
        self.report
    }
}

/// Says how it ended, as code and word.
pub fn ended(ending: Option<&fix::Ending>, result: &Result<(), Fault>) -> Ending {
    match result {
        Ok(()) => {
            let word = if ending == Some(&fix::Ending::NothingToDo) { "nothing_to_do" } else { "fixed" };
            Ending { code: 0, word: word.to_owned(), ..Ending::default() }
        }
        Err(fault) => Ending {
            code: fault.kind.exit_code(),
            word: word(fault.kind).to_owned(),
            message: fault.message.clone(),
            causes: fault.causes.iter().map(|cause| clipped(cause)).collect(),
        },
    }
}

fn clipped(cause: &str) -> String {
    crate::base::text::clip_middle(cause, MAX_CAUSE_BYTES, "").into_owned()
}

/// Returns the word for an exit code.
pub fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::BrokenPipe => "reader_gone",
        Kind::Task => "not_fixed",
        Kind::Usage => "wrong_usage",
        Kind::Config => "wrong_configuration",
        Kind::Model => "model_failed",
        Kind::Denied => "refused",
        Kind::Sandbox => "no_sandbox",
        Kind::Budget => "budget_ended",
        Kind::Check => "check_not_run",
        Kind::Bug => "bug",
        Kind::Interrupted => "interrupted",
        Kind::Terminated => "terminated",
    }
}

fn end_words(end: &TurnEnd) -> String {
    match end {
        TurnEnd::Answered => "answered".to_owned(),
        TurnEnd::Interrupted => "interrupted".to_owned(),
        TurnEnd::Limit { what } => format!("stopped at a limit: {what}"),
        TurnEnd::Stuck { tool } => format!("stuck: `{tool}` kept failing the same way"),
        TurnEnd::ModelFailed { message, .. } => format!("the model failed: {message}"),
    }
}
