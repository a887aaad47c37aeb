//! What does a command of the user's hear of the work, to say it in a line of its own?
//!
//! The facts of the status line as one JSON object. The command is asked when something changed, one at a time; how often at most
//! is the doing side's matter.

use serde::Serialize;

use crate::protocol::event::{Event, Record};
use crate::tui::state::State;
use crate::tui::state::around::Ask;
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;

/// What the command reads.
#[derive(Serialize)]
struct Facts<'s> {
    model: &'s str,
    server: &'s str,
    mode: &'s str,
    sandbox: &'s str,
    branch: Option<&'s str>,
    session: &'s str,
    is_busy: bool,
    context_tokens: u64,
    window_tokens: u64,
    /// Share of the last turn's prompt that the server had already, from 0 to 1.
    cache_share: Option<f64>,
    tokens_per_s: Option<f64>,
    input_tokens: u64,
    output_tokens: u64,
    /// What they cost, in the currency of the prices.
    cost: Option<f64>,
}

impl State {
    /// Has the user's command asked for its line, when what it is told has changed.
    pub(in crate::tui::state) fn ask_line(&mut self, record: &Record) -> Vec<Cmd> {
        let is_news = matches!(
            record.event,
            Event::TurnStarted { .. }
                | Event::TurnDone { .. }
                | Event::Usage { .. }
                | Event::ModeChanged { .. }
                | Event::ModelChanged { .. }
                | Event::Compacted { .. }
        );
        if is_news { self.line_now() } else { Vec::new() }
    }

    /// Has it asked now, unless it runs.
    pub fn line_now(&mut self) -> Vec<Cmd> {
        if !self.around.has_line || self.around.is_lining {
            return Vec::new();
        }
        self.around.is_lining = true;
        vec![Cmd::Want(Want::Around(Ask::Line { facts: self.facts() }))]
    }

    fn facts(&self) -> String {
        let status = &self.status;
        let facts = Facts {
            model: &status.facts.model,
            server: &status.facts.server,
            mode: status.mode.name(),
            sandbox: &status.facts.tier,
            branch: status.facts.branch.as_deref(),
            session: &status.facts.session,
            is_busy: status.is_busy(),
            context_tokens: status.context_tokens,
            window_tokens: status.window_tokens,
            cache_share: status.cache_share(),
            tokens_per_s: status.tokens_per_s,
            input_tokens: status.spent.input_tokens,
            output_tokens: status.spent.output_tokens,
            cost: status.cost,
        };
        serde_json::to_string(&facts).unwrap_or_default()
    }
}
