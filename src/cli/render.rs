//! How does the stream of records read as lines of text?
//!
//! One line a tool call, the model's words as they come. Where words go depends on the command: `chat` shows everything on
//! standard output, `run` and `fix` keep standard output for the result.

use std::time::Duration;

use crate::base::clock::format_duration;
use crate::base::fault::{Fault, Kind};
use crate::base::secrets::redact;
use crate::base::secrets::stream::Redactor;
use crate::base::text::{first_line, one_line_name, visible};
use crate::cli::output::Out;
use crate::cli::tally::Tally;
use crate::protocol::diff::{FileDiff, Hunk};
use crate::protocol::event::{Event, Record, TurnEnd};
use crate::protocol::tool::ToolOutcome;
use crate::protocol::tree::TreeChange;
use crate::protocol::wait::Wait;
use crate::session::export::escape_hidden;
use crate::tools::manifest::Verbs;
use crate::tools::registry::Registry;
use crate::tui::diff_view::{self, Spans};
use crate::tui::look::Look;
use crate::tui::state::status::Pricing;
use crate::tui::state::transcript::GOES_ALONG;

/// The tool that replaces the plan.
const PLAN_TOOL: &str = "update_plan";
/// The tool whose commands can go on behind the turn.
const SHELL: &str = "shell";
/// Paths named of those a command changed.
const MAX_CHANGED: usize = 4;
/// Files named in a line; the others are counted.
const MAX_NAMES: usize = 10;
/// Characters of a target shown in a line.
const TARGET_CHARS: usize = 70;

/// Time after which somebody without a terminal is told that a request waits, in milliseconds.
const LONG_WAIT_MS: u64 = 5000;

/// Where the model's words and the notes go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Channel {
    /// Words and notes on standard output: a conversation.
    Conversation,
    /// Words on standard output, notes on standard error: a result with progress beside it.
    Result,
    /// Everything on standard error: the words are progress too.
    Progress,
}

/// Turns records into lines.
pub struct Lines<'a> {
    out: &'a Out,
    channel: Channel,
    registry: Registry,
    /// Whether the cursor stands behind words that do not end with a newline.
    is_mid_line: bool,
    /// What the calls that have not ended are about, by id, to name it when they end.
    targets: Vec<(String, String)>,
    /// Changes shown before they were approved; they need not be shown again.
    previewed: Vec<FileDiff>,
    wait: Waiting,
    tally: Tally,
    pricing: Pricing,
    /// Holds pieces of texts back where records are shown as JSON.
    redactor: Redactor,
}

/// What was said of a request that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    /// Nothing.
    Untold,
    /// In the live line of a terminal.
    Live,
    /// In a line of its own, where there is no terminal. Once is enough: who reads it later learns nothing from more.
    Told,
}

impl<'a> Lines<'a> {
    /// Starts rendering.
    pub fn new(out: &'a Out, channel: Channel) -> Self {
        Self {
            out,
            channel,
            registry: Registry::new(),
            is_mid_line: false,
            targets: Vec::new(),
            previewed: Vec::new(),
            wait: Waiting::Untold,
            tally: Tally::default(),
            pricing: Pricing::default(),
            redactor: Redactor::default(),
        }
    }

    /// Says what turns cost, at these prices.
    #[must_use]
    pub fn priced(mut self, pricing: Pricing) -> Self {
        self.pricing = pricing;
        self
    }

    /// Shows one record.
    pub fn show(&mut self, record: &Record) -> Result<(), Fault> {
        match &record.event {
            Event::Waiting(wait) => return self.waiting(wait),
            Event::Retrying { attempt, max, wait_ms, error } => {
                let tries = format!("try {attempt} of {max}");
                return self.retrying(&visible(&redact(error)), &tries, Duration::from_millis(*wait_ms));
            }
            // What a live line says is over now; the words of the answer take its place.
            _ if std::mem::replace(&mut self.wait, Waiting::Untold) == Waiting::Live => {
                self.out.busy("thinking");
            }
            _ => {}
        }
        match &record.event {
            Event::TurnStarted { .. } => {
                self.tally = Tally::default();
                Ok(())
            }
            Event::Usage { usage, model, stats, .. } => {
                self.tally.add(usage, stats);
                self.tally.pay(self.pricing.cost(model, usage, stats));
                Ok(())
            }
            Event::TextDelta { text } => self.words(text),
            Event::StreamReset => self.note(Look::Notice, "(the answer broke off; asking again)"),
            Event::ToolProposed { call, target, .. } => {
                self.targets.push((call.0.clone(), visible(&first_line(target, TARGET_CHARS)).into_owned()));
                Ok(())
            }
            Event::ToolStarted { tool, target, .. } => self.on_started(tool, target),
            // The plan itself is shown instead.
            Event::ToolFinished { call, tool, outcome: ToolOutcome::Ok { .. }, .. } if tool == PLAN_TOOL => {
                self.targets.retain(|(id, _)| *id != call.0);
                Ok(())
            }
            Event::ToolFinished { call, tool, outcome, summary, diffs, duration_ms, .. } => {
                self.on_finished(&call.0, tool, outcome, summary, *duration_ms)?;
                if call.is_of_user() {
                    self.note(Look::Dim, GOES_ALONG)?;
                }
                diffs.iter().try_for_each(|diff| self.change(diff))
            }
            Event::Backgrounded { behind, command, .. } => {
                let command = visible(&first_line(command, TARGET_CHARS)).into_owned();
                self.targets.push((behind.0.clone(), command));
                Ok(())
            }
            Event::BackgroundEnded { behind, outcome, summary, duration_ms } => {
                // Of one that ended with mimi nobody knows how long it ran.
                let beside = if *duration_ms == 0 { "" } else { ", in the background" };
                let summary = format!("{summary}{beside}");
                self.on_finished(&behind.0, SHELL, outcome, &summary, *duration_ms)
            }
            Event::FilesChanged { files, .. } => {
                let names = files.iter().map(|file| one_line_name(&file.path.display().to_string()).into_owned());
                let names: Vec<String> = names.collect();
                self.note(Look::Dim, &format!("changed since the model saw it: {}", visible(&names.join(", "))))
            }
            Event::PlanUpdated { plan } => self.note(Look::Bold, visible(&plan.to_string()).trim_end()),
            Event::Warning { text } => self.note(Look::Notice, &format!("! {}", visible(&redact(text)))),
            Event::Compacted { before_tokens, after_tokens, .. } => {
                self.note(Look::Notice, &format!("conversation summarised: {before_tokens} to {after_tokens} tokens"))
            }
            // What a check changed is not what the model did.
            Event::TreeChanged { call: Some(_), change, .. } => self.tree_changed(change),
            Event::Undone { turn, restored, conflicts, .. } => {
                self.rewound(&format!("turn {turn} taken back; restored"), restored, conflicts)
            }
            Event::Redone { turn, restored, conflicts, .. } => {
                self.rewound(&format!("turn {turn} done again; changed"), restored, conflicts)
            }
            Event::ModeChanged { mode } => self.note(Look::Dim, &format!("mode: {}", mode.name())),
            Event::ModelChanged { model } => self.note(Look::Dim, &format!("model: {}", visible(model))),
            Event::Attached { attached } => {
                attached.iter().try_for_each(|one| self.note(Look::Dim, &format!("+ {}", visible(&one.label))))
            }
            Event::Queued { text } => self.note(Look::Dim, &format!("queued: {}", visible(&first_line(text, 60)))),
            Event::TurnDone { end, .. } => self.turn_done(end),
            _ => Ok(()),
        }
    }

    /// Says what a request waits for: in one line that changes on a terminal, else once and only when it takes long.
    fn waiting(&mut self, wait: &Wait) -> Result<(), Fault> {
        if !self.is_mid_line && self.out.busy(&visible(&wait.to_string())) {
            self.wait = Waiting::Live;
            return Ok(());
        }
        if self.wait == Waiting::Told || wait.waited_ms < LONG_WAIT_MS {
            return Ok(());
        }
        self.wait = Waiting::Told;
        self.note(Look::Dim, &format!("({wait}, {} so far)", format_duration(wait.waited_ms)))
    }

    /// Says that a request is sent again: in a line that counts down on a terminal, else in one that stays.
    fn retrying(&mut self, error: &str, tries: &str, wait: Duration) -> Result<(), Fault> {
        self.finish_line()?;
        if self.out.countdown(wait, &format!("{tries}, {error}")) {
            self.wait = Waiting::Live;
            return Ok(());
        }
        let wait = format_duration(wait.as_millis() as u64);
        self.note(Look::Notice, &format!("! {error}; {tries} in {wait}"))
    }

    fn words(&mut self, text: &str) -> Result<(), Fault> {
        if text.is_empty() {
            return Ok(());
        }
        self.is_mid_line = !text.ends_with('\n');
        let text = visible(text);
        match self.channel {
            Channel::Progress => Ok(()),
            Channel::Conversation | Channel::Result => self.out.text(&text),
        }
    }

    /// Ends the line of words the cursor may stand in.
    pub fn finish_line(&mut self) -> Result<(), Fault> {
        if std::mem::take(&mut self.is_mid_line) && self.channel != Channel::Progress {
            self.out.text("\n")?;
        }
        Ok(())
    }

    fn note(&mut self, style: Look, text: &str) -> Result<(), Fault> {
        self.finish_line()?;
        match self.channel {
            Channel::Conversation => self.out.styled(style, text),
            Channel::Result | Channel::Progress => {
                self.out.note_styled(style, text);
                Ok(())
            }
        }
    }

    fn on_started(&mut self, tool: &str, target: &str) -> Result<(), Fault> {
        self.finish_line()?;
        let target = visible(&first_line(target, TARGET_CHARS)).into_owned();
        let doing = self.verb(tool, |verbs| &verbs.doing);
        self.out.busy(&format!("{doing} {target}"));
        Ok(())
    }

    fn on_finished(
        &mut self,
        call: &str,
        tool: &str,
        outcome: &ToolOutcome,
        summary: &str,
        ms: u64,
    ) -> Result<(), Fault> {
        self.out.idle();
        let at = self.targets.iter().position(|(id, _)| id == call);
        let target = at.map(|at| self.targets.remove(at).1).unwrap_or_default();
        let verb = match outcome {
            ToolOutcome::Ok { .. } | ToolOutcome::TimedOut { .. } => self.verb(tool, |verbs| &verbs.done),
            // It was not done, so it must not read as if it had been.
            ToolOutcome::Failed { .. } | ToolOutcome::Denied { .. } | ToolOutcome::Cancelled => {
                self.verb(tool, |verbs| &verbs.ask)
            }
        };
        let (mark, style, word) = match outcome {
            ToolOutcome::Ok { .. } => ("-", Look::Dim, ""),
            ToolOutcome::Failed { .. } => ("x", Look::Bad, "failed: "),
            ToolOutcome::Denied { .. } | ToolOutcome::Cancelled => ("x", Look::Notice, ""),
            ToolOutcome::TimedOut { .. } => ("x", Look::Bad, "timed out: "),
        };
        let gap = if target.is_empty() { "" } else { " " };
        let time = match outcome {
            ToolOutcome::Denied { .. } => String::new(),
            _ => format!(" ({})", format_duration(ms)),
        };
        self.note(style, &format!("{mark} {verb}{gap}{target}: {word}{}{time}", visible(summary)))
    }

    /// Shows changes before they are made, each under its name where there are several.
    pub fn previews(&mut self, diffs: &[&FileDiff]) -> Result<(), Fault> {
        for diff in diffs {
            if diffs.len() > 1 {
                self.note(Look::Bold, &format!("  {}", visible(&one_line_name(&diff.path))))?;
            }
            self.diff(diff)?;
            self.previewed.push((*diff).clone());
        }
        Ok(())
    }

    /// Shows a change that was made, unless the person saw exactly that before approving it.
    fn change(&mut self, diff: &FileDiff) -> Result<(), Fault> {
        match self.previewed.iter().position(|seen| seen == diff) {
            Some(at) => {
                self.previewed.swap_remove(at);
                Ok(())
            }
            None => self.diff(diff),
        }
    }

    /// Names what a tool is about to do: `Edit`, `Run`.
    pub fn asking(&self, tool: &str) -> String {
        self.verb(tool, |verbs| &verbs.ask)
    }

    fn verb(&self, tool: &str, form: impl Fn(&Verbs) -> &String) -> String {
        self.registry.resolve(tool).map_or_else(
            || visible(&first_line(tool, TARGET_CHARS)).into_owned(),
            |tool| form(&tool.manifest().verbs).clone(),
        )
    }

    /// Shows a change with its added and removed lines.
    pub fn diff(&mut self, diff: &FileDiff) -> Result<(), Fault> {
        self.rows(&diff_view::view(diff, self.columns()))
    }

    /// Shows one piece of a change.
    pub fn hunk(&mut self, hunk: &Hunk) -> Result<(), Fault> {
        self.rows(&diff_view::hunk_view(hunk, self.columns()))
    }

    fn columns(&self) -> Option<usize> {
        // Notes beside a result are read in a log more often than on a terminal.
        self.out.columns().filter(|_| self.channel == Channel::Conversation)
    }

    fn rows(&mut self, rows: &[Spans]) -> Result<(), Fault> {
        self.finish_line()?;
        for row in rows {
            match self.channel {
                Channel::Conversation => self.out.spans(row)?,
                Channel::Result | Channel::Progress => self.out.note_spans(row),
            }
        }
        Ok(())
    }

    /// Names what a command changed; build products that git ignores would say nothing.
    fn tree_changed(&mut self, change: &TreeChange) -> Result<(), Fault> {
        match change.n_changed.saturating_sub(change.n_ignored) {
            0 => Ok(()),
            n => {
                let names = &change.changed[..change.changed.len().min(n).min(MAX_CHANGED)];
                self.note(Look::Dim, &format!("    changed {}", visible(&some_names(names, n))))
            }
        }
    }

    fn rewound(&mut self, what: &str, restored: &[String], conflicts: &[String]) -> Result<(), Fault> {
        let files = if restored.is_empty() { "no files".to_owned() } else { some_names(restored, restored.len()) };
        self.note(Look::Plain, &format!("{what}: {}", visible(&files)))?;
        conflicts
            .iter()
            .try_for_each(|conflict| self.note(Look::Notice, &format!("! left alone: {}", visible(conflict))))
    }

    fn turn_done(&mut self, end: &TurnEnd) -> Result<(), Fault> {
        self.out.idle();
        self.finish_line()?;
        if let (Channel::Conversation, Some(line)) = (self.channel, self.tally.line()) {
            self.note(Look::Dim, &format!("({line})"))?;
        }
        match end {
            TurnEnd::Answered => Ok(()),
            TurnEnd::Interrupted => self.note(Look::Notice, "! interrupted"),
            TurnEnd::Limit { what } => self.note(Look::Notice, &format!("! stopped: {what}")),
            TurnEnd::Stuck { tool } => {
                self.note(Look::Notice, &format!("! stopped: the same call of `{}` kept failing", visible(tool)))
            }
            // A command that is over says it as its own failure.
            TurnEnd::ModelFailed { .. } if self.channel != Channel::Conversation => Ok(()),
            TurnEnd::ModelFailed { message, hints } => {
                self.note(Look::Bad, &format!("error: {}", visible(&redact(message))))?;
                hints.iter().try_for_each(|hint| self.note(Look::Plain, &format!("hint: {}", visible(hint))))
            }
        }
    }
}

/// Names the first of many files and counts the others.
pub fn some_names(names: &[String], n_names: usize) -> String {
    let shown = &names[..names.len().min(MAX_NAMES)];
    match n_names - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Returns a record as JSON, secrets and all.
pub fn json(record: &Record) -> Result<serde_json::Value, Fault> {
    let bug = |error: serde_json::Error| Fault::new(Kind::Bug, "cannot write a record").cause(error.to_string());
    serde_json::to_value(record).map_err(bug)
}

impl Lines<'_> {
    /// Shows a record as a line of JSON instead, without secrets. A piece of a text comes when its last word is over, because a
    /// secret may lie across several.
    pub fn json(&mut self, record: &Record) -> Result<(), Fault> {
        let ready = self.redactor.push(json(record)?);
        self.json_lines(&ready)
    }

    fn json_lines(&self, values: &[serde_json::Value]) -> Result<(), Fault> {
        values.iter().try_for_each(|value| self.out.text(&format!("{}\n", escape_hidden(&value.to_string()))))
    }
}

impl Drop for Lines<'_> {
    /// Whatever ended the command, what was said before stands in its output.
    fn drop(&mut self) {
        let left = self.redactor.finish();
        drop(self.json_lines(&left));
    }
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
