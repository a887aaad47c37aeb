//! What does somebody who watches `mimi fix` see, and what do programs read meanwhile?
//!
//! Progress goes to standard error, and as lines of JSON to whoever asked for them; the result comes later
//! (`cli::report`). Part of `fix`.

use std::io::Write as _;
use std::path::Path;

use serde_json::Value;

use crate::base::clock::format_duration;
use crate::base::fault::{Fault, Kind};
use crate::base::path::create_anew;
use crate::base::secrets::stream::Redactor;
use crate::base::text::visible;
use crate::cli::output::{Out, Style};
use crate::cli::render::{Channel, Lines, json};
use crate::cli::report::target::{Format, Targets};
use crate::session::export::escape_hidden;
use crate::strategy::failure::Complaints;
use crate::strategy::fix::{Job, Progress};

/// Failures listed for a person after each run of the check; all of them stand in the report.
const MAX_LISTED: usize = 10;

/// Shows progress.
pub(super) struct Show<'a> {
    out: &'a Out,
    lines: Lines<'a>,
    /// Whether events go to standard output instead of lines for a person.
    is_streamed: bool,
    files: Vec<Stream>,
    redactor: Redactor,
}

/// A file that events go to.
struct Stream {
    file: std::fs::File,
    name: String,
}

impl Stream {
    fn open(path: &Path) -> Result<Self, Fault> {
        let name = path.display().to_string();
        let file = create_anew(path);
        let file = file.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{name}`"), &error))?;
        Ok(Self { file, name })
    }

    fn line(&mut self, line: &str) -> Result<(), Fault> {
        let written = self.file.write_all(format!("{line}\n").as_bytes());
        written.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", self.name), &error))
    }
}

impl<'a> Show<'a> {
    /// Prepares to show; files of events are made anew.
    ///
    /// # Errors
    /// A file cannot be made.
    pub(super) fn new(out: &'a Out, targets: &Targets) -> Result<Self, Fault> {
        let paths = targets.files().filter(|(format, _)| *format == Format::Jsonl);
        Ok(Self {
            out,
            lines: Lines::new(out, Channel::Progress),
            is_streamed: targets.streams(Format::Jsonl),
            files: paths.map(|(_, path)| Stream::open(path)).collect::<Result<_, _>>()?,
            redactor: Redactor::default(),
        })
    }

    /// Shows what happened.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn show(&mut self, job: &Job, progress: &Progress<'_>) -> Result<(), Fault> {
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
    pub(super) fn event(&mut self, event: Value) -> Result<(), Fault> {
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

    fn tell(&mut self, job: &Job, progress: &Progress<'_>) -> Result<(), Fault> {
        match progress {
            Progress::Agent(record) => self.lines.show(record)?,
            Progress::CheckStarted { .. } => {
                self.out.busy(&format!("running {}", visible(&job.command)));
            }
            Progress::CheckDone { run, .. } => {
                self.out.idle();
                let (style, word) = if run.is_green { (Style::Good, "passes") } else { (Style::Bad, "fails") };
                let ending = if run.is_green { String::new() } else { format!(" with {}", run.ending) };
                let time = format_duration(run.duration_ms);
                self.out.note_styled(style, format!("check `{}` {word}{ending} ({time})", visible(&job.command)));
                self.failures(&run.complaints);
            }
            Progress::Step(_) | Progress::Budget(_) => {}
        }
        Ok(())
    }

    /// Lists what a check complains of, on the first lines.
    fn failures(&self, complaints: &Complaints) {
        for failure in complaints.failures.iter().take(MAX_LISTED) {
            self.out.note_styled(Style::Dim, format!("    {}", visible(&failure.line())));
        }
        let n_left = complaints.failures.len().saturating_sub(MAX_LISTED) + complaints.n_more;
        if n_left > 0 {
            self.out.note_styled(Style::Dim, format!("    and {n_left} more"));
        }
    }
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
        Progress::CheckDone { round, run, .. } => Ok(Some(serde_json::json!({
            "v": crate::protocol::event::SCHEMA_VERSION,
            "type": "check_done",
            "round": round,
            "command": job.command,
            "is_green": run.is_green,
            "ending": run.ending,
            "duration_ms": run.duration_ms,
            "failures": run.complaints.failures,
            "more_failures": run.complaints.n_more,
            "output": run.text,
        }))),
    }
}
