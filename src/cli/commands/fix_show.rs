//! What does somebody who watches `mimi fix` see, and what do programs read meanwhile?
//!
//! Progress goes to standard error, and as lines of JSON to whoever asked for them; the result comes later
//! (`cli::report`). Part of `fix`.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::base::clock::{format_duration, new_id};
use crate::base::fault::{Fault, Kind};
use crate::base::path::{create_anew, remove_file};
use crate::base::secrets::stream::Redactor;
use crate::base::text::{count, visible};
use crate::cli::context::Cx;
use crate::cli::output::Out;
use crate::cli::render::{Channel, Lines, json};
use crate::cli::report::target::{Format, Targets, write_file};
use crate::protocol::fix_report::{Step, What};
use crate::session::export::escape_hidden;
use crate::strategy::deterministic::Sameness;
use crate::strategy::failure::Complaints;
use crate::strategy::fix::{Job, Outcome, Progress};
use crate::tui::look::Look;

/// Failures listed for a person after each run of the check; all of them stand in the report.
const MAX_LISTED: usize = 10;

/// Shows progress.
pub(super) struct Show<'a> {
    out: &'a Out,
    lines: Lines<'a>,
    /// Whether events go to standard output instead of lines for a person.
    is_streamed: bool,
    files: Vec<Stream>,
    /// Leaves out what differs from run to run, where that is asked for.
    pub(super) same: Option<Sameness>,
    redactor: Redactor,
}

/// A file that events go to.
struct Stream {
    file: std::fs::File,
    /// Where it is written meanwhile.
    path: PathBuf,
    /// Where it goes in the end, if that lies in the folder worked in: written there, it would be a change of the work.
    moves_to: Option<PathBuf>,
}

impl Stream {
    fn open(cx: &Cx, named: &Path) -> Result<Self, Fault> {
        let whole = std::path::absolute(named).unwrap_or_else(|_| named.to_path_buf());
        let moves_to = whole.starts_with(&cx.workspace_root).then(|| named.to_path_buf());
        let path = match moves_to {
            Some(_) => cx.dirs.state.join("fixes").join(format!("{}.jsonl", new_id())),
            None => named.to_path_buf(),
        };
        let file = create_anew(&path).map_err(|error| unwritable(&path, &error))?;
        Ok(Self { file, path, moves_to })
    }

    fn line(&mut self, line: &str) -> Result<(), Fault> {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|error| unwritable(&self.path, &error))
    }

    fn end(self) -> Result<(), Fault> {
        let Some(to) = self.moves_to else { return Ok(()) };
        let bytes = std::fs::read(&self.path).map_err(|error| unwritable(&self.path, &error))?;
        write_file(&to, &bytes)?;
        drop(remove_file(&self.path));
        Ok(())
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Fault {
    Fault::io(Kind::Task, format!("cannot write `{}`", path.display()), error)
}

impl<'a> Show<'a> {
    /// Prepares to show; files of events are made anew.
    ///
    /// # Errors
    /// A file cannot be made.
    pub(super) fn new(cx: &'a Cx, targets: &Targets) -> Result<Self, Fault> {
        let paths = targets.files().filter(|(format, _)| *format == Format::Jsonl);
        Ok(Self {
            out: &cx.out,
            lines: Lines::new(&cx.out, Channel::Progress),
            is_streamed: targets.streams(Format::Jsonl),
            files: paths.map(|(_, path)| Stream::open(cx, path)).collect::<Result<_, _>>()?,
            same: None,
            redactor: Redactor::default(),
        })
    }

    /// Shows what happened.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn show(&mut self, job: &Job, progress: &Progress<'_>) -> Result<(), Fault> {
        match (&mut self.same, progress) {
            (Some(same), Progress::Agent(record)) => match same.record(record) {
                Some(record) => self.show_as_is(job, &Progress::Agent(&record)),
                None => Ok(()),
            },
            (Some(same), Progress::CheckDone { check, round, run }) => {
                let run = same.run(run);
                self.show_as_is(job, &Progress::CheckDone { check: *check, round: *round, run: &run })
            }
            _ => self.show_as_is(job, progress),
        }
    }

    fn show_as_is(&mut self, job: &Job, progress: &Progress<'_>) -> Result<(), Fault> {
        if (self.is_streamed || !self.files.is_empty())
            && let Some(event) = event(job, progress)?
        {
            self.event(event)?;
        }
        if self.is_streamed { Ok(()) } else { self.tell(job, progress) }
    }

    /// Writes a line of JSON, without secrets, to everybody who reads events. Pieces of texts wait until a secret in them
    /// would be seen.
    ///
    /// # Errors
    /// It cannot be written.
    fn event(&mut self, event: Value) -> Result<(), Fault> {
        let ready = self.redactor.push(event);
        self.write(&ready)
    }

    fn write(&mut self, events: &[Value]) -> Result<(), Fault> {
        for event in events {
            let line = escape_hidden(&event.to_string());
            self.files.iter_mut().try_for_each(|file| file.line(&line))?;
            if self.is_streamed {
                self.out.text(&format!("{line}\n"))?;
            }
        }
        Ok(())
    }

    /// Ends the files of events, with this as the last one.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn end(mut self, event: Value) -> Result<(), Fault> {
        self.event(event)?;
        let left = self.redactor.finish();
        self.write(&left)?;
        std::mem::take(&mut self.files).into_iter().try_for_each(Stream::end)
    }

    fn tell(&mut self, job: &Job, progress: &Progress<'_>) -> Result<(), Fault> {
        match progress {
            Progress::Agent(record) => self.lines.show(record)?,
            Progress::CheckStarted { check, .. } => {
                self.out.busy(&format!("running {}", visible(command(job, *check))));
            }
            Progress::CheckDone { check, run, .. } => {
                self.out.idle();
                let (style, word) = if run.is_green { (Look::Good, "passes") } else { (Look::Bad, "fails") };
                let ending = if run.is_green { String::new() } else { format!(" with {}", run.ending) };
                let time = format_duration(run.duration_ms);
                self.out
                    .note_styled(style, format!("check `{}` {word}{ending} ({time})", visible(command(job, *check))));
                self.failures(&run.complaints);
            }
            Progress::Step(step) => self.step(job, step),
            Progress::Budget(_) => {}
        }
        Ok(())
    }

    /// Says what a step did that nothing else says.
    fn step(&self, job: &Job, step: &Step) {
        let note = |style, text: String| {
            self.out.idle();
            self.out.note_styled(style, text);
        };
        match &step.what {
            What::FlakyRun(ran) if ran.is_green => {
                let command = visible(command(job, ran.check));
                note(Look::Notice, format!("once more, with nothing changed: `{command}` passes"));
            }
            What::Fixer { name, is_kept, before, after, .. } => {
                let word = if *is_kept { "kept" } else { "taken back" };
                note(Look::Plain, format!("fixer {name}: {} before, {after} after: {word}", count(*before, "failure")));
            }
            What::Guard { file, rule, .. } => {
                note(Look::Notice, format!("taken back: {}: {}", visible(file), visible(rule)));
            }
            What::Minimise { dropped } => {
                note(Look::Plain, format!("not needed and dropped: {}", visible(&dropped.join(", "))));
            }
            What::Trouble { words } => note(Look::Notice, format!("warning: {}", visible(words))),
            _ => {}
        }
    }

    /// Says what is left where the work was broken off.
    pub(super) fn remains(&self, job: &Job, outcome: &Outcome) {
        for (at, run) in outcome.runs.iter().enumerate() {
            let Some(run) = run.as_ref().filter(|run| !run.is_green) else { continue };
            let failures = count(run.n_failures(), "failure");
            self.out.note(format!("still failing: `{}`: {failures}", visible(command(job, at))));
        }
    }

    /// Lists what a check complains of, on the first lines.
    fn failures(&self, complaints: &Complaints) {
        for failure in complaints.failures.iter().take(MAX_LISTED) {
            self.out.note_styled(Look::Dim, format!("    {}", visible(&failure.line())));
        }
        let n_left = complaints.failures.len().saturating_sub(MAX_LISTED) + complaints.n_more;
        if n_left > 0 {
            self.out.note_styled(Look::Dim, format!("    and {n_left} more"));
        }
    }
}

/// Returns the command of a check.
fn command(job: &Job, check: usize) -> &str {
    job.checks.get(check).map_or("", |check| &check.spec.command)
}

impl Drop for Show<'_> {
    /// Whatever ended the command, what happened before is told.
    fn drop(&mut self) {
        let left = self.redactor.finish();
        drop(self.write(&left));
    }
}

/// Writes an event as JSON; none for what no program needs.
fn event(job: &Job, progress: &Progress<'_>) -> Result<Option<Value>, Fault> {
    match progress {
        Progress::Agent(record) => json(record).map(Some),
        Progress::CheckStarted { .. } | Progress::Step(_) | Progress::Budget(_) => Ok(None),
        Progress::CheckDone { check, round, run } => Ok(Some(serde_json::json!({
            "v": crate::protocol::event::SCHEMA_VERSION,
            "type": "check_done",
            "round": round,
            "check": check,
            "command": command(job, *check),
            "is_green": run.is_green,
            "ending": run.ending,
            "duration_ms": run.duration_ms,
            "failures": run.complaints.failures,
            "more_failures": run.complaints.n_more,
            "output": run.text,
        }))),
    }
}
