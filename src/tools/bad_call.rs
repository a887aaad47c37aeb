//! Why can a call not even be proposed?
//!
//! The facts only: `agent::invalid` words them for the model, because its sentences live in `prompts/`. A call in the
//! wrong form is told apart from one that is well formed and still impossible: the first says that the model and its
//! server get calls wrong, the second that the model is at work.

use std::fmt;

use crate::protocol::profile::EditDialect;

/// Why a call cannot be proposed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadCall {
    /// It is not in the form a call must have. Boxed, because it is rare and large.
    Malformed(Box<Malformed>),
    /// It is well formed and cannot be done: words for the model saying what is wrong and what would work.
    Impossible(String),
    /// It states an edit that does not fit its file, or not in the form of its dialect: a slip of the model in that dialect.
    Unfit {
        /// The dialect.
        dialect: EditDialect,
        /// Words for the model saying what is wrong and what would work.
        words: String,
    },
}

/// A call in the wrong form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Malformed {
    /// No tool has this name.
    Unknown {
        /// What the model called.
        name: String,
        /// The tools there are, likeliest first.
        known: Vec<String>,
        /// The tool that is probably meant.
        near: Option<Form>,
    },
    /// The arguments are not one JSON object.
    NotAnObject {
        /// How the tool is called.
        form: Form,
        /// What is wrong.
        why: String,
        /// The arguments as received.
        got: String,
    },
    /// The arguments are not those of the tool.
    Arguments {
        /// How the tool is called.
        form: Form,
        /// Which of them; empty for all.
        place: String,
        /// What is wrong.
        why: String,
    },
}

/// How a tool is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Its name.
    pub tool: String,
    /// Its arguments on one line: `path (string), start_line? (integer)`.
    pub signature: String,
    /// The arguments of a sensible call, as JSON.
    pub example: String,
}

impl From<Malformed> for BadCall {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(Box::new(malformed))
    }
}

impl fmt::Display for BadCall {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Impossible(words) | Self::Unfit { words, .. } => out.write_str(words),
            Self::Malformed(malformed) => malformed.fmt(out),
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { name, known, .. } => {
                write!(out, "unknown tool `{name}`; the tools are: {}", known.join(", "))
            }
            Self::NotAnObject { form, why, .. } => write!(out, "no JSON object for `{}`: {why}", form.tool),
            Self::Arguments { form, place, why } if place.is_empty() => {
                write!(out, "wrong arguments for `{}`: {why}", form.tool)
            }
            Self::Arguments { form, place, why } => {
                write!(out, "wrong arguments for `{}` at `{place}`: {why}", form.tool)
            }
        }
    }
}
