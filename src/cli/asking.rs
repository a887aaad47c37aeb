//! How is a person asked: what would a call do, and which answer is meant?

use std::path::Path;

use crate::protocol::tool::{Action, Question};

/// Shows the whole command or every path, never a summary: this is what is approved. A file that is read to be written is
/// named once.
pub fn what_it_does(target: &str, actions: &[Action]) -> String {
    let is_written =
        |read: &Path| actions.iter().any(|action| matches!(action, Action::Write { path } if path == read));
    let all = actions.iter().filter_map(|action| match action {
        Action::Read { path } if is_written(path) => None,
        Action::Read { path } | Action::Write { path } => Some(path.display().to_string()),
        Action::Execute { command, .. } => Some(command.clone()),
        Action::Commit { summary } => Some(summary.clone()),
    });
    let mut all: Vec<String> = all.collect();
    all.dedup();
    if all.is_empty() { target.to_owned() } else { all.join("\n  ") }
}

/// A number chooses an option; anything else is the answer itself.
pub fn chosen(question: &Question, text: &str) -> String {
    let number: Option<usize> = text.trim().parse().ok();
    let option = number.and_then(|number| question.options.get(number.checked_sub(1)?));
    option.cloned().unwrap_or_else(|| text.to_owned())
}
