//! How are failures put into words for a model or a person?
//!
//! What causes others comes first, each with what helps to find it, within a bound; how many are left out is said.

use crate::protocol::failure::Failure;
use crate::strategy::failure::Complaints;

/// Failures that are written out.
const MAX_SHOWN: usize = 20;

/// Writes the failures out in at most about `max_bytes`; empty when there are none.
pub fn words(complaints: &Complaints, max_bytes: usize) -> String {
    let mut text = String::new();
    let mut n_shown = 0;
    for failure in complaints.failures.iter().take(MAX_SHOWN) {
        let entry = entry(n_shown + 1, failure);
        if !text.is_empty() && text.len() + entry.len() > max_bytes {
            break;
        }
        text.push_str(&entry);
        n_shown += 1;
    }
    let n_left = complaints.failures.len() - n_shown + complaints.n_more;
    if n_left > 0 {
        text.push_str(&format!("and {n_left} more\n"));
    }
    text
}

fn entry(number: usize, failure: &Failure) -> String {
    let mut text = format!("{number}. {}\n", failure.line());
    if let (Some(expected), Some(actual)) = (&failure.expected, &failure.actual) {
        text.push_str(&format!("   expected: {expected}\n   actual:   {actual}\n"));
    }
    // The first is where it failed, which the line above says.
    for frame in failure.stack.iter().skip(1) {
        text.push_str(&format!("   called from {}:{}\n", frame.file, frame.line));
    }
    if let Some(rerun) = &failure.rerun {
        text.push_str(&format!("   alone: {rerun}\n"));
    }
    text
}
