//! What fills the window, part by part?
//!
//! Estimated as everywhere, and set right by the count the server gave for the whole.

use std::path::PathBuf;

use crate::base::fault::Fault;
use crate::base::text::{count, first_line};
use crate::context::compact::LEFT_OUT;
use crate::context::estimate::{message_tokens, text_tokens, tools_tokens};
use crate::context::prompt;
use crate::model::route::Route;
use crate::protocol::event::Event;
use crate::protocol::message::{CallId, Message};
use crate::protocol::wait::short;
use crate::session::list;
use crate::session::reader::{each_record, load};
use crate::session::transcript::Transcript;
use crate::tools::registry::Registry;
use crate::tui::diff_view::Spans;
use crate::tui::look::Look;
use crate::tui::state::around::board::Row;
use crate::tui::state::around::made::plain;
use crate::tui::state::status::{Pricing, money};

/// Characters of a call that are shown.
const MAX_CALL_CHARS: usize = 70;

/// A part of the window.
struct Part {
    id: String,
    label: String,
    what: &'static str,
    tokens: f64,
}

/// The parts with what they take together.
struct Parts {
    parts: Vec<Part>,
    results: Vec<Part>,
    transcript: Transcript,
    window_tokens: u64,
    /// The server's count by ours.
    factor: f64,
}

/// What has to be known to look into the window.
pub(super) struct Of {
    /// Where sessions are kept.
    pub folder: PathBuf,
    /// Names the session.
    pub session: String,
    /// Which model, where.
    pub route: Route,
    /// What its answers cost.
    pub pricing: Pricing,
}

fn parts(of: &Of) -> Result<Parts, Fault> {
    let transcript = load(&list::find(&of.folder, &of.session)?)?.transcript;
    let route = &of.route;
    let tools = Registry::new().specs_for(route.tool_budget(), route.edit_dialect());
    let opening = transcript.opening.as_deref().map_or(0.0, text_tokens);
    let sum = |is_one: fn(&Message) -> bool| {
        let tokens = transcript.messages.iter().filter(|message| is_one(message)).map(message_tokens);
        // The sum of nothing is -0.0, which would be shown so.
        0.0 + tokens.sum::<f64>()
    };
    let words = (sum(|message| matches!(message, Message::User { .. })) - opening).max(0.0);
    let part = |id: &str, what, tokens| Part { id: format!("part {id}"), label: id.to_owned(), what, tokens };
    let parts = vec![
        part("system", "how mimi tells the model to work", text_tokens(prompt::SYSTEM.text)),
        part("tools", "what the model is told of its tools", tools_tokens(&tools)),
        part("instructions", "facts about the project and AGENTS.md", opening),
        part("words", "what you said, notes and summaries", words),
        part("answers", "what the model said and called", sum(|message| matches!(message, Message::Assistant { .. }))),
        part("results", "what calls brought", sum(|message| matches!(message, Message::Tool { .. }))),
    ];
    let raw: f64 = parts.iter().map(|part| part.tokens).sum();
    let counted = transcript.context_tokens as f64;
    let factor = if counted > 0.0 && raw > 0.0 { counted / raw } else { 1.0 };
    let window_tokens = Some(transcript.window_tokens).filter(|tokens| *tokens > 0).unwrap_or(route.window_tokens);
    let results = results(&transcript);
    Ok(Parts { parts, results, transcript, window_tokens, factor })
}

/// Says what the session took so far, in money too where there are prices.
fn spent(of: &Of, transcript: &Transcript) -> Result<String, Fault> {
    let usage = transcript.usage;
    let tokens = format!("{} tokens spent in all", short(usage.input_tokens + usage.output_tokens));
    let mut cost = None;
    each_record(&list::find(&of.folder, &of.session)?, |record| {
        if let Event::Usage { usage, model, stats, .. } = &record.event
            && let Some(more) = of.pricing.cost(model, usage, stats)
        {
            *cost.get_or_insert(0.0) += more;
        }
    })?;
    Ok(cost.map_or(tokens.clone(), |cost| format!("{tokens}, cost {}", money(cost))))
}

/// Returns the results of calls, the largest first.
fn results(transcript: &Transcript) -> Vec<Part> {
    let mut results: Vec<Part> = transcript
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Tool { call_id, name, text } if text != LEFT_OUT => Some(Part {
                id: format!("call {call_id}"),
                label: format!("{name} {}", call(transcript, call_id)),
                what: "result",
                tokens: message_tokens(message),
            }),
            _ => None,
        })
        .collect();
    results.sort_by(|a, b| b.tokens.total_cmp(&a.tokens));
    results
}

/// Returns with what a call was called.
fn call(transcript: &Transcript, id: &CallId) -> String {
    let calls = transcript.messages.iter().rev().filter_map(|message| match message {
        Message::Assistant { tool_calls, .. } => Some(tool_calls),
        _ => None,
    });
    let found = calls.flatten().find(|call| call.id == *id);
    found.map_or_else(String::new, |call| first_line(&call.arguments, MAX_CALL_CHARS))
}

/// Returns the parts, then the results one by one.
pub(super) fn rows(of: &Of) -> Result<Vec<Row>, Fault> {
    let Parts { parts, results, transcript, window_tokens, factor } = parts(of)?;
    let share = |tokens: f64| 100.0 * tokens / window_tokens.max(1) as f64;
    let bar = |tokens: f64| "#".repeat((share(tokens) / 5.0).round().max(0.0) as usize);
    let row = |part: &Part| {
        let tokens = part.tokens * factor;
        let meaning = format!("{tokens:.0} tokens, {:.1}% {}", share(tokens), bar(tokens));
        let about = if part.what == "result" { String::new() } else { part.what.to_owned() };
        Row { id: part.id.clone(), label: part.label.clone(), meaning: meaning.trim_end().to_owned(), more: about }
    };
    let used: f64 = parts.iter().map(|part| part.tokens * factor).sum();
    let cached = transcript.usage.cached_tokens as f64 / transcript.usage.input_tokens.max(1) as f64;
    let all = Row {
        id: "part all".to_owned(),
        label: "window".to_owned(),
        meaning: format!("{used:.0} of {window_tokens} tokens, {:.1}% {}", share(used), bar(used))
            .trim_end()
            .to_owned(),
        more: format!(
            "{:.0}% of all that was read so far came from the server's cache; {}",
            100.0 * cached,
            spent(of, &transcript)?
        ),
    };
    Ok([all].into_iter().chain(parts.iter().chain(&results).map(row)).collect())
}

/// Returns what is in a part.
pub(super) fn beside(of: &Of, id: &str) -> Result<Vec<Spans>, Fault> {
    let all = parts(of)?;
    let messages = &all.transcript.messages;
    if let Some(id) = id.strip_prefix("call ") {
        let is_it = |message: &Message| matches!(message, Message::Tool { call_id, .. } if call_id.0 == id);
        let Some(at) = messages.iter().rposition(is_it) else { return Ok(Vec::new()) };
        let behind = all.factor * messages[at + 1..].iter().map(message_tokens).sum::<f64>();
        let free = all.factor * message_tokens(&messages[at]);
        let cost =
            format!("taken out it frees about {free:.0} tokens, and the server reads {behind:.0} behind it again");
        let mut lines = vec![vec![(Look::Notice, cost)], Vec::new()];
        lines.extend(plain(messages[at].text()));
        return Ok(lines);
    }
    let texts = |is_one: fn(&Message) -> bool| {
        let texts: Vec<&str> = messages.iter().filter(|message| is_one(message)).map(Message::text).collect();
        texts.join("\n\n")
    };
    Ok(match id {
        "part system" => plain(prompt::SYSTEM.text),
        "part tools" => {
            let tools = Registry::new().specs_for(of.route.tool_budget(), of.route.edit_dialect());
            tools.iter().flat_map(|tool| plain(&format!("{}: {}\n", tool.name, tool.description))).collect()
        }
        "part instructions" => plain(all.transcript.opening.as_deref().unwrap_or("none so far")),
        "part words" => plain(&texts(|message| matches!(message, Message::User { .. }))),
        "part answers" => plain(&texts(|message| matches!(message, Message::Assistant { .. }))),
        "part results" => plain(&format!("{}, listed below, the largest first", count(all.results.len(), "result"))),
        _ => plain("what every request begins with stays the same, so that the server keeps it in its cache"),
    })
}
