//! What is the model told of a review, and the person of what failed?

use crate::base::fault::Fault;
use crate::context::prompt;
use crate::protocol::changes::{Remark, Said, Source};

/// Words what was said for the model: one block a place, in the order of the files.
pub(super) fn of_remarks(source: &Source, remarks: &[Remark]) -> String {
    let mut sorted: Vec<&Remark> = remarks.iter().collect();
    sorted.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    let blocks: Vec<String> = sorted.into_iter().map(|remark| of_remark(source, remark)).collect();
    prompt::DIFF_REVIEW.render(&[&source.words(), &blocks.join("\n\n")])
}

fn of_remark(source: &Source, remark: &Remark) -> String {
    let place = match remark.line {
        Some(line) => format!("{}:{line}", remark.path),
        None => remark.path.clone(),
    };
    let quoted = |text: &str| text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n");
    let lines = quoted(&remark.lines.join("\n"));
    let text = match remark.said {
        Said::Comment => prompt::DIFF_COMMENT.render(&[&place, &remark.words, &lines]),
        Said::Rejected if source.is_in_files() => prompt::DIFF_REJECTED.render(&[&place, &remark.words, &lines]),
        Said::Rejected => prompt::DIFF_UNWANTED.render(&[&place, &remark.words, &lines]),
        Said::Edited => prompt::DIFF_EDITED.render(&[&place, &lines, &quoted(&remark.words)]),
    };
    text.trim_end().to_owned()
}

/// Words a failure in one line, with what to type next.
pub(super) fn of_fault(fault: &Fault) -> String {
    let hint = fault.hints.first().map_or_else(String::new, |hint| format!("; {hint}"));
    format!("{}{hint}", fault.words())
}
