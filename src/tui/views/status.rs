//! What does the status line say?
//!
//! What matters most first; what does not fit is left out from the end.

use ratatui_core::text::{Line, Span};

use crate::base::text::{first_line, visible};
use crate::protocol::op::Mode;
use crate::protocol::wait::{Wait, WaitState, short};
use crate::tui::look::{Look, Theme};
use crate::tui::state::State;
use crate::tui::state::status::money;
use crate::tui::state::vim::Mode as VimMode;
use unicode_width::UnicodeWidthStr as _;

/// Share of the context from which it stands out.
const FULL: f64 = 0.8;
const GAP: &str = "  ";

/// Lays out the line.
pub(super) fn row(state: &State, theme: &Theme, width: usize) -> Line<'static> {
    if let Some(line) = &state.around.line {
        return Line::styled(visible(line).into_owned(), theme.style(Look::Dim));
    }
    let mut spans: Vec<Span<'static>> = Vec::new();
    let mut used = 0;
    for (look, text) in parts(state) {
        let text = visible(&first_line(&text, 60)).into_owned();
        let gap = if used == 0 { 0 } else { GAP.len() };
        let fits = |text: &str| used + gap + text.width() <= width;
        // How full the context is matters more than of how much.
        let text = match text.rsplit_once(" (") {
            Some((_, share)) if !fits(&text) && text.starts_with("context ") => {
                format!("context {}", share.trim_end_matches(')'))
            }
            _ => text,
        };
        if text.is_empty() || !fits(&text) {
            continue;
        }
        if gap > 0 {
            spans.push(Span::raw(GAP));
        }
        used += gap + text.width();
        spans.push(Span::styled(text, theme.style(look)));
    }
    Line::from(spans)
}

/// Says in a word or two what a request waits for.
fn waiting(wait: &Wait) -> String {
    match (wait.state, wait.ahead, wait.read_tokens) {
        (WaitState::Held, ..) => "held back".to_owned(),
        (WaitState::Queued, Some(ahead), _) => format!("queued, {ahead} ahead"),
        (WaitState::Queued, None, _) => "queued".to_owned(),
        (WaitState::Loading, ..) => "loading".to_owned(),
        (WaitState::Prefilling, _, Some(read)) => format!("read {}", short(read)),
        (WaitState::Prefilling, ..) => "reading".to_owned(),
        (WaitState::Silent, ..) => "silent".to_owned(),
        (WaitState::Paused, ..) => "paused".to_owned(),
    }
}

/// What there is to say, the most important first.
fn parts(state: &State) -> Vec<(Look, String)> {
    let status = &state.status;
    let facts = &status.facts;
    let mode = if status.mode == Mode::Yolo { Look::Bad } else { Look::Dim };
    let vim = state.composer.vim_mode().map(|mode| match mode {
        VimMode::Insert => (Look::Dim, "-- INSERT --".to_owned()),
        VimMode::Normal => (Look::Notice, "-- NORMAL --".to_owned()),
    });
    let mut parts: Vec<(Look, String)> = vim.into_iter().collect();
    parts.extend([(Look::Dim, facts.model.clone()), (mode, status.mode.name().to_owned())]);
    // That nothing holds commands back must be seen on a narrow screen too.
    let (is_open, tier) = (facts.tier == "none", format!("sandbox {}", facts.tier));
    if is_open {
        parts.push((Look::Notice, tier.clone()));
    }
    // The queue and the reading of the prompt, for those who do not look at the line of the turn.
    if let Some(wait) = status.wait {
        parts.push((Look::Notice, waiting(&wait)));
    }
    if status.n_behind > 0 {
        parts.push((Look::Notice, format!("{} in the background", status.n_behind)));
    }
    if let Some(share) = status.fullness() {
        let look = if share >= FULL { Look::Notice } else { Look::Dim };
        let text = format!(
            "context {} of {} ({:.0}%)",
            short(status.context_tokens),
            short(status.window_tokens),
            share * 100.0
        );
        parts.push((look, text));
    }
    if !is_open {
        parts.push((Look::Dim, tier));
    }
    if let Some(share) = status.cache_share() {
        parts.push((Look::Dim, format!("cache {:.0}%", share * 100.0)));
    }
    if let Some(cost) = status.cost {
        parts.push((Look::Dim, format!("cost {}", money(cost))));
    }
    if let Some(speed) = status.tokens_per_s {
        parts.push((Look::Dim, format!("{speed:.0} tokens/s")));
    }
    if let Some(branch) = &facts.branch {
        parts.push((Look::Dim, branch.clone()));
    }
    let spent = status.spent.input_tokens + status.spent.output_tokens;
    if spent > 0 {
        parts.push((Look::Dim, format!("{} tokens in all", short(spent))));
    }
    parts.push((Look::Dim, facts.server.clone()));
    parts
}
