//! How does text reach the terminal or the pipe behind it?
//!
//! Results go to standard output, everything else to standard error. A reader that goes away is no error. Text of tools and
//! models is made harmless before it gets here (`base::text::visible`); whatever still comes passes one filter here that lets
//! nothing through but colours. What others may come to read (remarks, failures, records, lists) holds no secrets either; a
//! conversation and what a person approves are shown as they are.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::base::fault::{Fault, Kind};
use crate::base::secrets::{redact, redact_json};
use crate::base::text::{coloured, visible};
use crate::cli::report::github::harmless;
use crate::config::env::Env;
use crate::config::ui::ColorChoice;
use crate::session::export::escape_hidden;
use crate::tui::look::Look;

impl Look {
    /// Returns the ECMA-48 colour sequence.
    fn sequence(self) -> &'static str {
        match self {
            Self::Dim => "\x1b[2m",
            Self::Bold => "\x1b[1m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Notice => "\x1b[33m",
            // Inverted, so that it shows where colours are hard to tell apart.
            Self::GoodWord => "\x1b[32;7m",
            Self::BadWord => "\x1b[31;7m",
            _ => "",
        }
    }

    fn paint(self, text: &str, is_coloured: bool) -> String {
        if !is_coloured || self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        format!("{}{text}\x1b[0m", self.sequence())
    }
}

fn painted(spans: &[(Look, String)], is_coloured: bool) -> String {
    spans.iter().map(|(style, text)| style.paint(text, is_coloured)).collect()
}

/// Where text goes.
type Stream = Arc<Mutex<dyn Write + Send>>;

/// Which streams are coloured. Decided from flags and environment, and again when the configuration is known.
#[derive(Debug, Default)]
struct Colours {
    stdout: AtomicBool,
    stderr: AtomicBool,
}

/// Where output goes and how it looks.
#[derive(Clone)]
pub struct Out {
    results: Stream,
    remarks: Stream,
    is_quiet: bool,
    /// Whether lines that a runner of pipelines would take for commands are kept from looking like ones.
    is_guarded: bool,
    colours: Arc<Colours>,
    spinner: Arc<Mutex<Option<ProgressBar>>>,
    width: Width,
    /// Whether results are shown with the secrets in them.
    is_open: Arc<AtomicBool>,
}

/// How many columns a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// Those of the terminal, where there is one.
    Terminal,
    /// So many; none for no terminal.
    Fixed(Option<usize>),
}

impl Out {
    /// Writes to the streams of the process, without colour until [`Out::set_colour`] says otherwise.
    pub fn process() -> Self {
        Self { width: Width::Terminal, ..Self::to(std::io::stdout(), std::io::stderr()) }
    }

    /// Writes to `results` and `remarks`, without colour; for tests.
    pub fn to(results: impl Write + Send + 'static, remarks: impl Write + Send + 'static) -> Self {
        Self {
            results: Arc::new(Mutex::new(results)),
            remarks: Arc::new(Mutex::new(remarks)),
            is_quiet: false,
            is_guarded: false,
            colours: Arc::default(),
            spinner: Arc::default(),
            width: Width::Fixed(None),
            is_open: Arc::default(),
        }
    }

    /// Takes lines to have so many columns; for tests.
    #[must_use]
    pub fn wide(self, columns: usize) -> Self {
        Self { width: Width::Fixed(Some(columns)), ..self }
    }

    /// Returns how many columns a line of results has; none where they do not go to a terminal.
    pub fn columns(&self) -> Option<usize> {
        match self.width {
            Width::Fixed(columns) => columns,
            Width::Terminal if std::io::stdout().is_terminal() => {
                crossterm::terminal::size().ok().map(|(columns, _)| usize::from(columns))
            }
            Width::Terminal => None,
        }
    }

    /// Says only what was asked for.
    #[must_use]
    pub fn quiet(self) -> Self {
        Self { is_quiet: true, ..self }
    }

    /// Keeps what is printed from being taken for commands of GitHub's workflows; [`Out::command`] still writes them.
    #[must_use]
    pub fn guarded(self) -> Self {
        Self { is_guarded: true, ..self }
    }

    /// Decides about colour: the choice, then `NO_COLOR` and `CLICOLOR_FORCE`, then what the streams and `TERM` are.
    pub fn set_colour(&self, choice: ColorChoice, env: &Env) {
        let decide = |is_terminal: bool| match choice {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto if env.get("NO_COLOR").is_some() => false,
            ColorChoice::Auto if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            ColorChoice::Auto => is_terminal && env.get("TERM").is_some_and(|term| term != "dumb"),
        };
        self.colours.stdout.store(decide(std::io::stdout().is_terminal()), Ordering::Relaxed);
        self.colours.stderr.store(decide(std::io::stderr().is_terminal()), Ordering::Relaxed);
    }

    /// Says whether results are coloured.
    pub fn is_coloured(&self) -> bool {
        self.colours_stdout()
    }

    fn colours_stdout(&self) -> bool {
        self.colours.stdout.load(Ordering::Relaxed)
    }

    fn colours_stderr(&self) -> bool {
        self.colours.stderr.load(Ordering::Relaxed)
    }

    /// Shows results as they are from now on: to the person who talks with the agent and judges what it asks for.
    pub fn show_secrets(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }

    fn safe<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.is_open.load(Ordering::Relaxed) { Cow::Borrowed(text) } else { redact(text) }
    }

    /// Prints a line of the result.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Fault> {
        self.text(&format!("{}\n", self.safe(text.as_ref())))
    }

    /// Prints JSON: without secrets, and with every character written out that a terminal or reader could be fooled by.
    pub fn json(&self, json: &str) -> Result<(), Fault> {
        self.text(&format!("{}\n", escape_hidden(&redact_json(json))))
    }

    /// Prints a line of the result in a style.
    pub fn styled(&self, style: Look, text: impl AsRef<str>) -> Result<(), Fault> {
        self.text(&format!("{}\n", style.paint(&self.safe(text.as_ref()), self.colours_stdout())))
    }

    /// Prints a line of the result in several styles.
    pub fn spans(&self, spans: &[(Look, String)]) -> Result<(), Fault> {
        let safe: Vec<_> = spans.iter().map(|(style, text)| (*style, self.safe(text).into_owned())).collect();
        self.text(&format!("{}\n", painted(&safe, self.colours_stdout())))
    }

    /// Says a line beside the result in several styles, unless told to be quiet.
    pub fn note_spans(&self, spans: &[(Look, String)]) {
        if !self.is_quiet {
            self.idle();
            let safe: Vec<_> = spans.iter().map(|(style, text)| (*style, redact(text).into_owned())).collect();
            self.remark(&painted(&safe, self.colours_stderr()));
        }
    }

    /// Prints a piece of the result as it comes.
    pub fn text(&self, text: &str) -> Result<(), Fault> {
        if self.is_guarded { self.command(&harmless(text)) } else { self.command(text) }
    }

    /// Prints lines that are meant for the runner of a pipeline.
    pub fn command(&self, text: &str) -> Result<(), Fault> {
        self.bytes(coloured(text).as_bytes())
    }

    /// Prints bytes for another program, as they are.
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Fault> {
        self.idle();
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results
            .write_all(bytes)
            .and_then(|()| results.flush())
            .map_err(|error| Fault::io(Kind::Task, "cannot write to standard output", &error))
    }

    /// Paints a text for standard output.
    pub fn paint(&self, style: Look, text: &str) -> String {
        style.paint(text, self.colours_stdout())
    }

    /// Says something beside the result, unless told to be quiet.
    pub fn note(&self, text: impl AsRef<str>) {
        self.note_styled(Look::Plain, text);
    }

    /// Says something beside the result in a style, unless told to be quiet.
    pub fn note_styled(&self, style: Look, text: impl AsRef<str>) {
        if !self.is_quiet {
            self.idle();
            self.remark(&style.paint(&redact(text.as_ref()), self.colours_stderr()));
        }
    }

    /// Prints a failure, also when told to be quiet: heading, causes, hints.
    pub fn fault(&self, fault: &Fault) {
        self.idle();
        let text = visible(&redact(&fault.to_string())).into_owned();
        let rest = text.strip_prefix("error:").unwrap_or(&text);
        let heading = Look::Bad.paint("error:", self.colours_stderr());
        self.remark(&format!("{heading}{rest}"));
    }

    /// Standard error may be closed; then there is nobody to tell.
    fn remark(&self, line: &str) {
        let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
        let line = coloured(line);
        drop(match self.is_guarded {
            true => writeln!(remarks, "{}", harmless(&line)),
            false => writeln!(remarks, "{line}"),
        });
    }

    /// Says whether standard error has a line that can change: a terminal that was not told to be plain or quiet.
    fn is_live(&self) -> bool {
        !self.is_quiet && std::io::stderr().is_terminal() && self.colours_stderr()
    }

    /// Shows that something is going on, with the time it takes, on a terminal only; says whether it is shown.
    pub fn busy(&self, what: &str) -> bool {
        if !self.is_live() {
            return false;
        }
        let mut spinner = self.spinner.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = spinner.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        // Also where it stood for a countdown.
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
            bar.set_style(style);
        }
        bar.set_message(live(what));
        true
    }

    /// Shows how long a wait still takes, counting down, on a terminal only; says whether it is shown. `what` is said behind
    /// the time.
    pub fn countdown(&self, wait: Duration, what: &str) -> bool {
        if !self.is_live() {
            return false;
        }
        self.idle();
        let until = Instant::now() + wait;
        let left = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
            let left = until.saturating_duration_since(Instant::now()).as_secs_f64().ceil();
            // A line that cannot be written is not seen either.
            let _ = if left > 0.0 { write!(out, "again in {left} s") } else { write!(out, "asking again") };
        };
        let bar = ProgressBar::new_spinner();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {left}: {wide_msg}") {
            bar.set_style(style.with_key("left", left));
        }
        bar.set_message(live(what));
        bar.enable_steady_tick(Duration::from_millis(120));
        *self.spinner.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
        true
    }

    /// Shows how much of something is done, on a terminal only.
    pub fn progress(&self, n_done: u64, n_all: u64, what: &str) {
        if !self.is_live() {
            return;
        }
        let mut spinner = self.spinner.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = spinner.get_or_insert_with(|| {
            let bar = ProgressBar::new(n_all);
            if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos} of {len} {wide_msg}") {
                bar.set_style(style);
            }
            bar
        });
        bar.set_length(n_all);
        bar.set_position(n_done);
        bar.set_message(what.to_owned());
    }

    /// Takes away what [`Out::busy`] or [`Out::countdown`] shows.
    pub fn idle(&self) {
        if let Some(bar) = self.spinner.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

/// Makes a text fit for the one line that changes.
fn live(what: &str) -> String {
    visible(&redact(what)).replace(['\n', '\t'], " ")
}

/// Prints what clap has to say, with whatever was typed made harmless: it may be a name that somebody else chose.
pub fn print_usage(error: &clap::Error) -> std::io::Result<()> {
    match coloured(&error.render().to_string()) {
        Cow::Owned(safe) => std::io::stderr().write_all(safe.as_bytes()),
        Cow::Borrowed(_) => error.print(),
    }
}

/// Puts the terminal back into the state a shell expects.
pub fn restore_terminal() {
    drop(crossterm::terminal::disable_raw_mode());
}

/// Turns a panic into the words of a bug report. The terminal is put back first; nothing of the conversation is printed.
pub fn install_panic_hook() {
    std::panic::set_hook(Box::new(|info| {
        restore_terminal();
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let fault = Fault::new(Kind::Bug, format!("a bug in mimi ({place})"))
            .cause(info.payload_as_str().unwrap_or("no message").to_owned())
            .hint("the session file holds everything up to now: mimi session list");
        Out::process().fault(&fault);
    }));
}
