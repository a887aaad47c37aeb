//! Where does which form of a result go?
//!
//! `--output FORMAT` is for standard output, `--output FORMAT=FILE` for a file; there may be several. Only the lines of
//! `github` go well with others on one stream. Files are replaced whole, so that a reader never sees half a report.

use std::path::{Path, PathBuf};

use crate::base::fault::{Fault, Kind};
use crate::base::path::{create_parents, write_atomic};
use crate::config::env::Env;

/// Mode of a report's file, less the umask: it is made to be passed on.
const REPORT_FILE: u32 = 0o644;
/// The variable with the file that GitHub shows as the summary of a job.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// A form of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// One JSON object
    Json,
    /// Every event as a line of JSON, the report last
    Jsonl,
    /// For comments and summaries
    Markdown,
    /// SARIF 2.1.0: what still fails
    Sarif,
    /// JUnit XML: what failed and what does now
    Junit,
    /// Annotations of GitHub's workflows, and the summary of the job
    Github,
}

impl Format {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Text, "text"),
        (Self::Json, "json"),
        (Self::Jsonl, "jsonl"),
        (Self::Markdown, "markdown"),
        (Self::Sarif, "sarif"),
        (Self::Junit, "junit"),
        (Self::Github, "github"),
    ];

    /// Returns its name, as it is typed.
    pub fn name(self) -> &'static str {
        Self::ALL.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

/// One form and where it goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The form.
    pub format: Format,
    /// The file; none for standard output.
    pub file: Option<PathBuf>,
}

/// Reads `FORMAT` or `FORMAT=FILE`; for clap.
///
/// # Errors
/// There is no such format, or the file has no name.
pub fn parse(text: &str) -> Result<Target, String> {
    let (name, file) = match text.split_once('=') {
        Some((name, file)) => (name, Some(file)),
        None => (text, None),
    };
    let names = Format::ALL.map(|row| row.1);
    let Some((format, _)) = Format::ALL.into_iter().find(|row| row.1 == name) else {
        let near = crate::base::text::nearest(name, names);
        let near = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
        return Err(format!("there is no format `{name}`{near} Known are {}", names.join(", ")));
    };
    match file {
        Some("") => Err(format!("`{name}=` names no file")),
        file => Ok(Target { format, file: file.map(PathBuf::from) }),
    }
}

/// Every form that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets(Vec<Target>);

impl Targets {
    /// Takes what was typed; text on standard output where nothing was asked for there.
    ///
    /// # Errors
    /// Two forms would mix on standard output, or two go to one file.
    pub fn new(typed: &[Target]) -> Result<Self, Fault> {
        let mut targets = typed.to_vec();
        let streamed: Vec<Format> = streamed(&targets).filter(|format| *format != Format::Github).collect();
        if let [first, second, ..] = streamed[..] {
            let (first, second) = (first.name(), second.name());
            let what = format!("`{first}` and `{second}` cannot both go to standard output");
            return Err(Fault::new(Kind::Usage, what).hint(format!("--output {second}=FILE")));
        }
        for (at, target) in targets.iter().enumerate() {
            if target.file.is_some() && targets[..at].iter().any(|other| other.file == target.file) {
                let name = target.file.as_deref().unwrap_or(Path::new("")).display().to_string();
                return Err(Fault::new(Kind::Usage, format!("two outputs would go to `{name}`")));
            }
        }
        if streamed.is_empty() {
            targets.push(Target { format: Format::Text, file: None });
        }
        Ok(Self(targets))
    }

    /// Says whether a form goes to standard output.
    pub fn streams(&self, format: Format) -> bool {
        streamed(&self.0).any(|own| own == format)
    }

    /// Says whether a form was asked for, wherever it goes.
    pub fn has(&self, format: Format) -> bool {
        self.0.iter().any(|target| target.format == format)
    }

    /// Returns the forms that go to files, with these.
    pub fn files(&self) -> impl Iterator<Item = (Format, &Path)> {
        self.0.iter().filter_map(|target| target.file.as_deref().map(|file| (target.format, file)))
    }
}

fn streamed(targets: &[Target]) -> impl Iterator<Item = Format> {
    targets.iter().filter(|target| target.file.is_none()).map(|target| target.format)
}

/// Writes one file, and the folders above it.
///
/// # Errors
/// It cannot be written; the file is named.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Fault> {
    let written = create_parents(path).and_then(|()| write_atomic(path, bytes, REPORT_FILE));
    written.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", path.display()), &error))
}

/// Returns the file of the job's summary, where GitHub runs this.
pub fn summary_file(env: &Env) -> Option<PathBuf> {
    env.get(SUMMARY).filter(|path| !path.is_empty()).map(PathBuf::from)
}
