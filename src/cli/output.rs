//! How does text reach the terminal or the pipe behind it?
//!
//! Results go to standard output, everything else to standard error. A reader that goes away is no error. Text of tools and
//! models is made harmless before it gets here (`base::text::visible`); the only control sequences are our own colours.

use std::io::{IsTerminal as _, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::base::fault::{Fault, Kind};
use crate::cli::Global;
use crate::config::env::Env;
use crate::config::schema::ColorChoice;

/// Whether notes and faults on standard error are coloured; set once at the start.
static COLOUR_STDERR: AtomicBool = AtomicBool::new(false);

/// How a piece of text looks. Never the only carrier of a meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    Plain,
    /// Less important.
    Dim,
    /// More important.
    Bold,
    /// Something went well; added lines.
    Good,
    /// Something went wrong; removed lines.
    Bad,
    /// Something needs attention.
    Notice,
}

impl Style {
    /// Returns the ECMA-48 colour sequence.
    fn sequence(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Dim => "\x1b[2m",
            Self::Bold => "\x1b[1m",
            Self::Good => "\x1b[32m",
            Self::Bad => "\x1b[31m",
            Self::Notice => "\x1b[33m",
        }
    }

    fn paint(self, text: &str, is_coloured: bool) -> String {
        if !is_coloured || self == Self::Plain || text.is_empty() {
            return text.to_owned();
        }
        format!("{}{text}\x1b[0m", self.sequence())
    }
}

/// Where text goes.
type Stream = Arc<Mutex<dyn Write + Send>>;

/// Where output goes and how it looks.
#[derive(Clone)]
pub struct Out {
    results: Stream,
    remarks: Stream,
    is_quiet: bool,
    colours: Arc<Colours>,
    /// Whether the command line decided about colour, so that the configuration does not.
    is_colour_fixed: bool,
    spinner: Arc<Mutex<Option<ProgressBar>>>,
}

/// Which streams are coloured.
#[derive(Default)]
struct Colours {
    stdout: AtomicBool,
    stderr: AtomicBool,
}

impl Out {
    /// Decides about colour from flags, `NO_COLOR`, `CLICOLOR_FORCE`, `TERM` and what the streams are.
    pub fn new(env: &Env, global: &Global) -> Self {
        let decide = |is_terminal: bool| match global.color.as_deref() {
            Some("always") => true,
            Some("never") => false,
            _ if env.get("NO_COLOR").is_some() => false,
            _ if env.get("CLICOLOR_FORCE").is_some_and(|value| value != "0") => true,
            _ => is_terminal && env.get("TERM").is_some_and(|term| term != "dumb"),
        };
        let colours_stderr = decide(std::io::stderr().is_terminal());
        COLOUR_STDERR.store(colours_stderr, Ordering::Relaxed);
        Self {
            results: Arc::new(Mutex::new(std::io::stdout())),
            remarks: Arc::new(Mutex::new(std::io::stderr())),
            is_quiet: global.quiet,
            colours: Arc::new(Colours {
                stdout: decide(std::io::stdout().is_terminal()).into(),
                stderr: colours_stderr.into(),
            }),
            is_colour_fixed: global.color.is_some(),
            spinner: Arc::default(),
        }
    }

    /// Writes to `results` and `remarks`, without colour; for tests.
    pub fn to(results: impl Write + Send + 'static, remarks: impl Write + Send + 'static) -> Self {
        Self {
            results: Arc::new(Mutex::new(results)),
            remarks: Arc::new(Mutex::new(remarks)),
            is_quiet: false,
            colours: Arc::default(),
            is_colour_fixed: false,
            spinner: Arc::default(),
        }
    }

    /// Takes over what the configuration says about colour, unless the command line said something.
    pub fn set_colour(&self, choice: ColorChoice) {
        let is_coloured = match choice {
            ColorChoice::Auto => return,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        if !self.is_colour_fixed {
            for switch in [&self.colours.stdout, &self.colours.stderr, &COLOUR_STDERR] {
                switch.store(is_coloured, Ordering::Relaxed);
            }
        }
    }

    fn colours_stdout(&self) -> bool {
        self.colours.stdout.load(Ordering::Relaxed)
    }

    fn colours_stderr(&self) -> bool {
        self.colours.stderr.load(Ordering::Relaxed)
    }

    /// Prints a line of the result.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Fault> {
        self.text(&format!("{}\n", text.as_ref()))
    }

    /// Prints a line of the result in a style.
    pub fn styled(&self, style: Style, text: impl AsRef<str>) -> Result<(), Fault> {
        self.text(&format!("{}\n", style.paint(text.as_ref(), self.colours_stdout())))
    }

    /// Prints a piece of the result as it comes.
    pub fn text(&self, text: &str) -> Result<(), Fault> {
        self.idle();
        let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
        results
            .write_all(text.as_bytes())
            .and_then(|()| results.flush())
            .map_err(|error| Fault::io(Kind::Task, "cannot write to standard output", &error))
    }

    /// Paints a text for standard output.
    pub fn paint(&self, style: Style, text: &str) -> String {
        style.paint(text, self.colours_stdout())
    }

    /// Says something beside the result, unless told to be quiet.
    pub fn note(&self, text: impl AsRef<str>) {
        self.note_styled(Style::Plain, text);
    }

    /// Says something beside the result in a style, unless told to be quiet.
    pub fn note_styled(&self, style: Style, text: impl AsRef<str>) {
        if !self.is_quiet {
            self.idle();
            let mut remarks = self.remarks.lock().unwrap_or_else(PoisonError::into_inner);
            // Standard error may be closed; then there is nobody to tell.
            drop(writeln!(remarks, "{}", style.paint(text.as_ref(), self.colours_stderr())));
        }
    }

    /// Shows that something is going on, with the time it takes, on a terminal only.
    pub fn busy(&self, what: &str) {
        if self.is_quiet || !std::io::stderr().is_terminal() || !self.colours_stderr() {
            return;
        }
        let mut spinner = self.spinner.lock().unwrap_or_else(PoisonError::into_inner);
        let bar = spinner.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        bar.set_message(what.to_owned());
    }

    /// Takes away what [`Out::busy`] shows.
    pub fn idle(&self) {
        if let Some(bar) = self.spinner.lock().unwrap_or_else(PoisonError::into_inner).take() {
            bar.finish_and_clear();
        }
    }
}

/// Prints a failure: heading, causes, hints.
pub fn print_fault(fault: &Fault) {
    let text = crate::base::text::visible(&fault.to_string()).into_owned();
    let is_coloured = COLOUR_STDERR.load(Ordering::Relaxed);
    let painted = match text.strip_prefix("error:") {
        Some(rest) => format!("{}{rest}\n", Style::Bad.paint("error:", is_coloured)),
        None => format!("{text}\n"),
    };
    print_stderr(&painted);
}

/// Standard error may be closed; then there is nobody to tell.
fn print_stderr(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Puts the terminal back into the state a shell expects.
pub fn restore_terminal() {
    drop(crossterm::terminal::disable_raw_mode());
}
