//! How are the model servers at this moment?
//!
//! One screen: what each server is, what it serves with which window, how busy it is, and what would carry out each task.
//! Waits two seconds at most. Without anything that would carry out a chat it fails with the code for model servers, so
//! that a script can wait for one.

use std::collections::BTreeSet;

use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::cli::context::{Cx, block_on};
use crate::cli::output::Out;
use crate::cli::tally::percent;
use crate::model::present::Status;
use crate::protocol::server::{Load, ModelFacts, RouteStatus, ServerFacts, ServerStatus};
use crate::protocol::task::Task;
use crate::tui::look::Look;

/// Columns of the name of a model; what is longer stands alone in its line.
const NAME_COLUMNS: usize = 30;
/// Columns of what stands left of a value.
const LABEL_COLUMNS: usize = 8;
/// Columns of a line of words.
const COLUMNS: usize = 80;
/// Models shown of one server; a gateway may have hundreds.
const MAX_MODELS: usize = 12;

/// Arguments of `mimi status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// Print everything as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Asks and prints.
pub fn run(cx: &Cx, args: &StatusArgs) -> Result<(), Fault> {
    let app = cx.app()?;
    let status = block_on(async { Ok(app.gateway.status().await) })?;
    if args.json {
        let all = serde_json::json!({"servers": status.servers, "routes": status.routes});
        cx.out.json(&all.to_string())?;
    } else {
        Screen { out: &cx.out }.show(&status)?;
    }
    status.failure.map_or(Ok(()), |error| Err(Fault::from(error)))
}

struct Screen<'a> {
    out: &'a Out,
}

impl Screen<'_> {
    fn show(&self, status: &Status) -> Result<(), Fault> {
        // What is only looked for on this machine and not there is nobody's loss.
        let shown = status.servers.iter().filter(|server| server.is_named || server.facts.is_some());
        let mut n_shown = 0;
        for server in shown {
            self.server(server)?;
            n_shown += 1;
        }
        if n_shown == 0 {
            let places: Vec<&str> = status.servers.iter().map(|server| server.url.as_str()).collect();
            self.out.styled(Look::Notice, "no model server is configured, and none answers on this machine")?;
            places.iter().try_for_each(|url| self.out.line(format!("  looked at {}", visible(url))))?;
        }
        self.routes(&status.routes)
    }

    fn server(&self, server: &ServerStatus) -> Result<(), Fault> {
        let title = server.facts.as_ref().map_or_else(|| server.name.clone(), title);
        let named = format!("{title} at {}", server.url);
        self.out.styled(Look::Bold, visible(&named))?;
        if let Some(problem) = &server.problem {
            self.paragraph(problem)?;
        }
        if let Some(facts) = &server.facts {
            self.rows("queue", &queue(&server.load, facts))?;
            self.rows("cache", &cache(&server.load))?;
            self.rows("speed", &speed(&server.load))?;
            self.rows("models", &models(server, facts))?;
        }
        self.out.line("")
    }

    /// Prints lines with a label left of the first.
    fn rows(&self, label: &str, rows: &[String]) -> Result<(), Fault> {
        for (index, row) in rows.iter().enumerate() {
            let label = if index == 0 { label } else { "" };
            self.out.line(format!("  {label:<LABEL_COLUMNS$}{}", visible(row)))?;
        }
        Ok(())
    }

    /// Prints words that may be long in lines of [`COLUMNS`].
    fn paragraph(&self, text: &str) -> Result<(), Fault> {
        let mut line = String::new();
        for word in visible(text).split_whitespace() {
            if !line.is_empty() && line.chars().count() + word.chars().count() + 3 > COLUMNS {
                self.out.styled(Look::Dim, format!("  {}", std::mem::take(&mut line)))?;
            }
            line.push_str(if line.is_empty() { "" } else { " " });
            line.push_str(word);
        }
        self.out.styled(Look::Dim, format!("  {line}"))
    }

    /// Prints what would carry out the tasks, those that go to the same place together.
    fn routes(&self, routes: &[RouteStatus]) -> Result<(), Fault> {
        let mut rest: Vec<&RouteStatus> = routes.iter().collect();
        while let Some(first) = rest.first().copied() {
            let is_same = |route: &RouteStatus| {
                (&route.provider, &route.model, route.window_tokens)
                    == (&first.provider, &first.model, first.window_tokens)
            };
            let (same, others): (Vec<_>, Vec<_>) = rest.into_iter().partition(|route| is_same(route));
            rest = others;
            let tasks: Vec<&str> = same.iter().map(|route| route.task.name()).collect();
            self.out.styled(Look::Bold, tasks.join(", "))?;
            self.out.line(format!("  {}", visible(&place(first))))?;
            if let Some(remark) = remark(&same) {
                self.paragraph(&remark)?;
            }
        }
        Ok(())
    }
}

/// Says what a server is and how it stands: its title, and rows with their labels.
pub fn facts_of(server: &ServerStatus) -> (String, Vec<(&'static str, String)>) {
    let Some(facts) = &server.facts else { return (server.name.clone(), Vec::new()) };
    let label = |label: &'static str, rows: Vec<String>| rows.into_iter().map(move |row| (label, row));
    let all = label("queue", queue(&server.load, facts))
        .chain(label("cache", cache(&server.load)))
        .chain(label("speed", speed(&server.load)));
    (format!("{} at {}", title(facts), server.url), all.collect())
}

fn title(facts: &ServerFacts) -> String {
    let parts = [
        Some(facts.kind.title().to_owned()),
        facts.version.clone(),
        facts.front_end.as_ref().map(|end| format!("({end})")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn place(route: &RouteStatus) -> String {
    match (&route.model, &route.provider, route.window_tokens) {
        (Some(model), Some(provider), Some(window)) => format!("{model} at {provider}, {window} tokens"),
        _ => "nothing would carry this out".to_owned(),
    }
}

/// Says for which models the one that is there stands in, or why there is none. Why there is none for a chat is how the
/// command ends.
fn remark(same: &[&RouteStatus]) -> Option<String> {
    let first = same.first()?;
    let Some(model) = &first.model else {
        return first.note.clone().filter(|_| same.iter().all(|route| route.task != Task::Chat));
    };
    let bare = |id: &str| id.strip_suffix(":latest").unwrap_or(id).to_owned();
    let others =
        same.iter().map(|route| bare(&route.wanted)).filter(|wanted| !wanted.is_empty() && *wanted != bare(model));
    let others: BTreeSet<String> = others.collect();
    let names: Vec<String> = others.into_iter().collect();
    (!names.is_empty()).then(|| format!("stands in for {}", names.join(", ")))
}

fn queue(load: &Load, facts: &ServerFacts) -> Vec<String> {
    let count = |number: Option<u64>, what: &str| number.map(|number| format!("{number} {what}"));
    let slots = facts.slots.map(|slots| format!("{slots} at once"));
    let parts: Vec<String> =
        [count(load.running, "running"), count(load.waiting, "waiting"), slots].into_iter().flatten().collect();
    if parts.is_empty() { Vec::new() } else { vec![parts.join(", ")] }
}

fn cache(load: &Load) -> Vec<String> {
    let used = load.kv_used.map(|share| format!("{} of the KV cache in use", percent(share)));
    let hits = load.cache_hits.map(|share| format!("{} of prompt tokens found in it", percent(share)));
    let parts: Vec<String> = [used, hits].into_iter().flatten().collect();
    if parts.is_empty() { Vec::new() } else { vec![parts.join(", ")] }
}

fn speed(load: &Load) -> Vec<String> {
    load.tokens_per_s.map(|speed| format!("{speed:.0} tokens/s")).into_iter().collect()
}

fn models(server: &ServerStatus, facts: &ServerFacts) -> Vec<String> {
    let mut rows = Vec::new();
    for model in facts.models.iter().take(MAX_MODELS) {
        let about = about(model, server.learned.get(&model.id).copied());
        if model.id.chars().count() <= NAME_COLUMNS {
            rows.push(format!("{:<NAME_COLUMNS$} {about}", model.id).trim_end().to_owned());
        } else {
            rows.push(model.id.clone());
            rows.extend((!about.is_empty()).then(|| format!("{:NAME_COLUMNS$} {about}", "")));
        }
    }
    let n_more = facts.models.len().saturating_sub(MAX_MODELS);
    rows.extend((n_more > 0).then(|| format!("and {n_more} more: mimi status --json")));
    if rows.is_empty() {
        rows.push("none".to_owned());
    }
    rows
}

fn about(model: &ModelFacts, learned: Option<u64>) -> String {
    let window = match (model.window_tokens, learned) {
        (Some(said), Some(learned)) if learned < said => Some(format!("{learned} tokens (it says {said})")),
        (Some(window), _) | (None, Some(window)) => Some(format!("{window} tokens")),
        (None, None) => None,
    };
    let parts = [
        window,
        model.embedding_size.map(|size| format!("vectors of {size}")),
        (model.is_loaded == Some(true)).then(|| "loaded".to_owned()),
        (model.fills_in == Some(true)).then(|| "fills in".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}
