//! What is a tool to the model, to the policy and to the person watching?

use serde::{Deserialize, Serialize};

use crate::protocol::diff::{FileDiff, FileState};
use crate::protocol::plan::Plan;
use crate::protocol::profile::EditDialect;
use crate::protocol::review::Draft;

/// What the model is told about a tool. Must serialise to the same bytes for every user, project and turn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Verb and noun in snake case.
    pub name: String,
    /// What it does and when to use it.
    pub description: String,
    /// JSON schema of the arguments; always an object schema with `properties`, because Ollama refuses others.
    pub parameters: serde_json::Value,
}

/// One thing a call would do to the world. The policy judges these and nothing else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Action {
    /// Reads a file or folder.
    Read {
        /// Absolute path, links followed.
        #[serde(with = "crate::protocol::path")]
        path: std::path::PathBuf,
    },
    /// Creates or changes a file.
    Write {
        /// Absolute path, links followed.
        #[serde(with = "crate::protocol::path")]
        path: std::path::PathBuf,
    },
    /// Runs a shell command.
    Execute {
        /// The command as bash will read it.
        command: String,
        /// The folder it runs in; none in sessions of older versions, which did not say.
        #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::protocol::path::optional")]
        cwd: Option<std::path::PathBuf>,
    },
    /// Records something in the user's version control.
    Commit {
        /// What would be recorded.
        summary: String,
    },
}

impl Action {
    /// Returns the file it writes.
    pub fn written(&self) -> Option<&std::path::PathBuf> {
        match self {
            Self::Write { path } => Some(path),
            _ => None,
        }
    }

    /// Returns the rule text that would allow exactly this action, as taken by `--allow` and `policy.allow`.
    pub fn rule(&self) -> String {
        match self {
            Self::Read { path } => format!("read:{}", path.display()),
            Self::Write { path } => format!("write:{}", path.display()),
            Self::Execute { command, .. } => format!("shell:{command}"),
            Self::Commit { .. } => "git:commit".to_owned(),
        }
    }
}

/// A question the model asks the user through a tool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// What is asked.
    pub question: String,
    /// Answers to choose from; empty when the user is to write one.
    #[serde(default)]
    pub options: Vec<String>,
}

/// What a call would do, known before anything is done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Intent {
    /// What the call is about, in a few words: a path, a command, a pattern.
    pub target: String,
    /// Everything it would touch.
    pub actions: Vec<Action>,
    /// What it would make of the files it changes, where that is known beforehand.
    pub drafts: Vec<Draft>,
    /// Hash of the content the written file will have, where that is known beforehand.
    pub promised: Option<String>,
    /// How the call states an edit, if it does.
    pub dialect: Option<EditDialect>,
    /// The question to put to the user instead of running anything.
    pub question: Option<Question>,
    /// Whether it only reads, so that it may run beside other such calls.
    pub is_parallel_safe: bool,
}

/// How a call ended. A failure is a result for the model, never an error of mimi.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum ToolOutcome {
    /// It did what was asked.
    Ok {
        /// What the model is told.
        text: String,
    },
    /// It could not; the text says why and what would work.
    Failed {
        /// What the model is told.
        text: String,
    },
    /// Policy or the user refused.
    Denied {
        /// Why, and what would be allowed.
        text: String,
        /// The rules that would have allowed it, where only an approval was missing.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        rules: Vec<String>,
    },
    /// The user interrupted it.
    Cancelled,
    /// It took too long and was ended.
    TimedOut {
        /// What it had printed so far, and the limit.
        text: String,
    },
}

impl ToolOutcome {
    /// Returns what the model is told.
    pub fn text(&self) -> &str {
        match self {
            Self::Ok { text } | Self::Failed { text } | Self::Denied { text, .. } | Self::TimedOut { text } => text,
            Self::Cancelled => "the user interrupted this call; it may have run in part",
        }
    }

    /// Says whether it did what was asked.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Ok { .. })
    }
}

/// Everything a finished call reports besides the words for the model.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolReport {
    /// How it ended.
    pub outcome: ToolOutcome,
    /// The result in a few words for the person watching: `12 lines`, `exit 1`.
    pub summary: String,
    /// The files it changed.
    pub diffs: Vec<FileDiff>,
    /// Files of which the model knows the content now.
    pub seen: Vec<FileState>,
    /// The plan, when the call replaced it.
    pub plan: Option<Plan>,
}

impl ToolReport {
    /// Reports success.
    pub fn ok(text: impl Into<String>, summary: impl Into<String>) -> Self {
        Self::of(ToolOutcome::Ok { text: text.into() }, summary)
    }

    /// Reports a failure; the text says why and what would work.
    pub fn failed(text: impl Into<String>) -> Self {
        let text = text.into();
        let summary = crate::base::text::first_line(&text, 60);
        Self::of(ToolOutcome::Failed { text }, summary)
    }

    /// Reports an outcome with nothing changed.
    pub fn of(outcome: ToolOutcome, summary: impl Into<String>) -> Self {
        Self { outcome, summary: summary.into(), diffs: Vec::new(), seen: Vec::new(), plan: None }
    }
}
