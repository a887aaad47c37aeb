//! How does a conversation shrink without losing what matters?
//!
//! The model writes a summary on top of the unchanged prefix, which costs the server little. Plan, changed files and the
//! last request are carried over by rule, not by the model's memory. Pure: no I/O, no clock.

use crate::base::control::restore;
use crate::context::prompt;
use crate::protocol::message::Message;
use crate::protocol::plan::Plan;

/// What stands in the place of a result that was left out.
pub const LEFT_OUT: &str = "[left out to make room]";

/// Share of the window that must stay free for estimates that are off.
const MARGIN_SHARE: f64 = 0.1;
/// A compaction that leaves more than this share of the conversation is ineffective.
const MAX_LEFT_SHARE: f64 = 0.7;
/// Ineffective compactions in a row after which we stop trying.
const MAX_INEFFECTIVE: u32 = 2;
/// Model requests that must lie between two compactions, or they would follow each other for ever.
const MIN_STEPS_BETWEEN: u32 = 3;
/// A shorter summary is a refusal or a slip.
const MIN_SUMMARY_BYTES: usize = 80;
/// Names of changed files that are carried over; a summary with more would be a list of files.
const MAX_FILES: usize = 200;
/// Bytes of the last request that are carried over word by word.
const MAX_REQUEST_BYTES: usize = 8_000;

/// Says whether a conversation of `context_tokens` leaves no room for an answer.
pub fn is_needed(context_tokens: u64, window_tokens: u64, answer_tokens: u64) -> bool {
    let usable = window_tokens as f64 * (1.0 - MARGIN_SHARE) - answer_tokens.min(window_tokens / 4) as f64;
    context_tokens as f64 > usable
}

/// Keeps compaction from running in circles.
#[derive(Debug, Clone, Default)]
pub struct Guard {
    ineffective: u32,
    last_at_step: Option<u32>,
}

impl Guard {
    /// Says whether compacting at this step (counted over the session) can help.
    pub fn allows(&self, step: u32) -> bool {
        self.ineffective < MAX_INEFFECTIVE
            && self.last_at_step.is_none_or(|last| step.saturating_sub(last) >= MIN_STEPS_BETWEEN)
    }

    /// Records the result of a compaction.
    pub fn record(&mut self, step: u32, before_tokens: u64, after_tokens: u64) {
        self.last_at_step = Some(step);
        let is_effective = (after_tokens as f64) <= before_tokens as f64 * MAX_LEFT_SHARE;
        self.ineffective = if is_effective { 0 } else { self.ineffective + 1 };
    }
}

/// What is carried over by rule.
#[derive(Debug, Clone, Default)]
pub struct Carried<'a> {
    /// The plan as last updated.
    pub plan: Option<&'a Plan>,
    /// Files changed in this session, relative.
    pub files: Vec<String>,
    /// The user's last words.
    pub last_request: Option<&'a str>,
    /// The project's facts and instructions, which must survive word by word.
    pub opening: Option<&'a str>,
}

/// Builds the messages of the request for a summary: the conversation as it is, and the instruction.
///
/// When even that is too long, tool results are cut, oldest first, until the rest fits `budget_tokens`.
pub fn request(messages: &[Message], budget_tokens: f64, tokens: impl Fn(&Message) -> f64) -> Vec<Message> {
    let mut out = messages.to_vec();
    out.push(Message::user(prompt::COMPACT.render(&[])));
    let mut total: f64 = out.iter().map(&tokens).sum();
    for message in &mut out {
        if total <= budget_tokens {
            break;
        }
        let before = tokens(message);
        if let Message::Tool { text, .. } = message
            && text.len() > 200
        {
            LEFT_OUT.clone_into(text);
            total -= before - tokens(message);
        }
    }
    out
}

/// Turns the model's summary into the text that replaces the conversation; `Err` says why the summary is unusable.
pub fn replacement(summary: &str, carried: &Carried<'_>) -> Result<String, String> {
    let summary = summary.trim();
    if summary.len() < MIN_SUMMARY_BYTES {
        return Err(format!("the summary has only {} bytes", summary.len()));
    }
    if summary.contains("<tool_call>") || summary.contains("<function=") {
        return Err("the model called a tool instead of summarising".to_owned());
    }
    // The model wrote what it saw; the conversation is kept as it was.
    let summary = restore(summary);
    let text = prompt::COMPACTED.render(&[&summary, carried_text(carried).trim_end()]);
    Ok(match carried.opening {
        Some(opening) => format!("{opening}\n\n{text}"),
        None => text,
    })
}

fn carried_text(carried: &Carried<'_>) -> String {
    let mut out = String::new();
    if let Some(plan) = carried.plan.filter(|plan| !plan.steps.is_empty()) {
        out.push_str(&format!("## Plan\n{plan}\n"));
    }
    if !carried.files.is_empty() {
        let shown = &carried.files[..carried.files.len().min(MAX_FILES)];
        let more = match carried.files.len() - shown.len() {
            0 => String::new(),
            n => format!("\n[{n} more]"),
        };
        out.push_str(&format!("## Files changed so far\n{}{more}\n\n", shown.join("\n")));
    }
    if let Some(request) = carried.last_request {
        let request = crate::base::text::clip_middle(request, MAX_REQUEST_BYTES, "");
        out.push_str(&format!("## The user's last request, word by word\n{request}\n"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::CallId;

    #[test]
    fn it_is_needed_only_when_no_answer_fits() {
        let table = [(10_000, 32_768, 8_192, false), (22_000, 32_768, 8_192, true), (100_000, 262_144, 8_192, false)];
        for (context, window, answer, expected) in table {
            assert_eq!(is_needed(context, window, answer), expected, "{context} of {window}");
        }
    }

    #[test]
    fn it_never_runs_in_circles() {
        let mut guard = Guard::default();
        assert!(guard.allows(5));
        guard.record(5, 1000, 900);
        assert!(!guard.allows(6), "too soon");
        assert!(guard.allows(8));
        guard.record(8, 1000, 900);
        assert!(!guard.allows(100), "two in vain");
    }

    #[test]
    fn plan_files_and_last_request_survive_word_by_word() {
        let plan: Plan = serde_json::from_str(r#"[{"step":"test it","status":"pending"}]"#).unwrap();
        let carried = Carried {
            plan: Some(&plan),
            files: vec!["src/a.rs".to_owned()],
            last_request: Some("make it {{summary}} blue"),
            opening: Some("# Project\nuse tabs"),
        };
        let text = replacement(&"a long summary ".repeat(10), &carried).unwrap();
        for part in ["# Project\nuse tabs", "[ ] test it", "src/a.rs", "make it {{summary}} blue"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(replacement("no", &carried).is_err());
        assert!(replacement(&"<tool_call>".repeat(20), &carried).is_err());
    }

    #[test]
    fn the_request_for_a_summary_drops_the_oldest_results_first() {
        let tool = |text: &str| Message::Tool { call_id: CallId("c".into()), name: "t".into(), text: text.into() };
        let messages = [tool(&"a".repeat(1000)), tool(&"b".repeat(1000))];
        let instruction = prompt::COMPACT.render(&[]).len();
        let out = request(&messages, (1200 + instruction) as f64, |message| message.text().len() as f64);
        assert_eq!(out[0].text(), "[left out to make room]");
        assert_eq!(out[1].text().len(), 1000);
        assert_eq!(out.len(), 3);
    }
}
