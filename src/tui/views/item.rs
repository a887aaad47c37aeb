//! How does one entry of the transcript look?

use ratatui_core::style::Style;
use ratatui_core::text::{Line, Span};

use crate::base::clock::format_duration;
use crate::base::text::{count, first_line, visible};
use crate::protocol::tool::ToolOutcome;
use crate::tui::diff_view;
use crate::tui::keymap::{Action, View};
use crate::tui::look::{Look, Theme};
use crate::tui::markdown;
use crate::tui::state::State;
use crate::tui::state::item::{Call, CallState, Item, What, changed};
use crate::tui::wrap::{Margin, wrap, wrap_text};

/// Columns of running text; longer lines are hard to read.
const MAX_COLUMNS: usize = 120;
/// Bytes of one entry that are laid out; more of it is in the session's file, and named.
const MAX_BYTES: usize = 256 * 1024;
/// Rows of a change shown while details are folded.
const FOLDED_DIFF_ROWS: usize = 40;
/// Rows of a command's output shown while it runs.
const LIVE_ROWS: usize = 3;
/// Rows of it shown of a command of the person's own.
const OWN_ROWS: usize = 20;
/// Rows of it shown when details are open.
const OPEN_ROWS: usize = 200;

/// What stands before the rest of a line of a change that is broken, and columns from which there is room for it.
const DIFF_INDENT: &str = "      ";
const MIN_INDENTED_COLUMNS: usize = 24;

/// Says whether an entry looks different as time passes.
pub(super) fn is_live(item: &Item) -> bool {
    match &item.what {
        What::Thought { to_ms, .. } => to_ms.is_none(),
        What::Call(call) => matches!(call.state, CallState::Running { .. }),
        _ => false,
    }
}

/// Says whether an empty row stands between two entries.
pub(super) fn has_gap(before: &Item, item: &Item) -> bool {
    let is_line = |item: &Item| {
        matches!(item.what, What::Call(_) | What::Note { .. } | What::Changed { .. } | What::Thought { .. })
    };
    !(is_line(before) && is_line(item))
}

/// Lays an entry out; words that are still coming are laid out by [`markdown::growing`] instead.
pub(super) fn rows(item: &Item, state: &State, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    match &item.what {
        What::Person(text) => {
            lines(text, Look::Person, theme, width, &Margin::hanging("> ", theme.style(Look::Accent)))
        }
        What::Words { text, .. } => words(text, theme, width),
        What::Thought { text, from_ms, to_ms } => {
            let took = format_duration(to_ms.unwrap_or(state.now_ms).saturating_sub(*from_ms));
            let heading = if to_ms.is_some() { format!("thought for {took}") } else { format!("thinking, {took}") };
            thought(&heading, text, fold_of(item, state), theme, width)
        }
        What::Call(call) => {
            let (fold, now_ms) = (fold_of(item, state), state.now_ms);
            let mut rows = self::call(call, now_ms, theme, width);
            rows.extend(output(call, fold, theme, width));
            rows.extend(changes(call, fold, theme, width));
            rows
        }
        What::Plan(plan) => lines(plan.to_string().trim_end(), Look::Bold, theme, width, &Margin::default()),
        What::Changed { files, added, removed } => {
            let key = state.keymap.key_of(View::Everywhere, Action::ReviewTurn);
            let how = key.unwrap_or_else(|| "/diff turn".to_owned());
            let text = format!("{}; {how} reviews them", changed(*files, *added, *removed));
            lines(&text, Look::Dim, theme, width, &Margin::default())
        }
        What::Note { look, text } => lines(text, *look, theme, width, &Margin::default()),
    }
}

/// Whether the details of an entry are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fold {
    Open,
    Folded,
}

fn fold_of(item: &Item, state: &State) -> Fold {
    if state.is_open(item) { Fold::Open } else { Fold::Folded }
}

/// Columns that running text takes of a width.
pub(super) fn text_columns(width: usize) -> usize {
    width.min(MAX_COLUMNS)
}

fn words(text: &str, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let shown = crate::base::text::clip_middle(text, MAX_BYTES, "");
    markdown::render(&visible(&shown), text_columns(width), theme)
}

/// Lays out lines of one look.
fn lines(text: &str, look: Look, theme: &Theme, width: usize, margin: &Margin) -> Vec<Line<'static>> {
    let shown = crate::base::text::clip_middle(text, MAX_BYTES, "");
    let rest = margin.continued();
    let shown = visible(&shown);
    let each = shown.split('\n').enumerate();
    each.flat_map(|(at, line)| wrap_text(line, theme.style(look), width, if at == 0 { margin } else { &rest }))
        .collect()
}

fn thought(heading: &str, text: &str, fold: Fold, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let style = theme.style(Look::Thought);
    let mut rows = wrap_text(heading, style, width, &Margin::default());
    if fold == Fold::Open {
        let bar = Margin::of("│ ", theme.style(Look::Border));
        rows.extend(lines(text.trim(), Look::Thought, theme, text_columns(width), &bar));
    }
    rows
}

fn call(call: &Call, now_ms: u64, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let (mark, look, verb, rest) = match &call.state {
        CallState::Proposed => (". ", Look::Dim, &call.verbs.ask, String::new()),
        CallState::Asked => ("? ", Look::Notice, &call.verbs.ask, " waits for an answer".to_owned()),
        CallState::Running { from_ms } => {
            let time = format_duration(now_ms.saturating_sub(*from_ms));
            ("* ", Look::Accent, &call.verbs.doing, format!(" ({time})"))
        }
        CallState::Ended { outcome, summary, duration_ms } => {
            let (mark, look, verb, word) = match outcome {
                ToolOutcome::Ok { .. } => ("- ", Look::Dim, &call.verbs.done, ""),
                ToolOutcome::TimedOut { .. } => ("x ", Look::Bad, &call.verbs.done, "timed out: "),
                // It was not done, so it must not read as if it had been.
                ToolOutcome::Failed { .. } => ("x ", Look::Bad, &call.verbs.ask, "failed: "),
                ToolOutcome::Denied { .. } | ToolOutcome::Cancelled => ("x ", Look::Notice, &call.verbs.ask, ""),
            };
            let time = match outcome {
                ToolOutcome::Denied { .. } => String::new(),
                _ => format!(" ({})", format_duration(*duration_ms)),
            };
            (mark, look, verb, format!(": {word}{}{time}", visible(summary)))
        }
    };
    let target = first_line(&visible(&call.target), 200);
    let style = theme.style(look);
    let words = [
        Span::styled(if target.is_empty() { verb.clone() } else { format!("{verb} ") }, style),
        Span::styled(target, theme.style(Look::Plain)),
        Span::styled(rest, style),
    ];
    wrap(&words, width, &Margin::hanging(mark, style))
}

/// The end of what a command printed: a few rows while it runs, more when details are open.
fn output(call: &Call, fold: Fold, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let n = match (&call.state, fold) {
        (_, Fold::Open) => OPEN_ROWS,
        // They ran it to see what it says.
        _ if call.id.is_of_user() => OWN_ROWS,
        (CallState::Running { .. }, Fold::Folded) => LIVE_ROWS,
        _ => return Vec::new(),
    };
    let text = visible(call.output.trim_end());
    let last: Vec<&str> = text.lines().rev().take(n).collect();
    let margin = Margin::of("  ", Style::new());
    let one_row = |line: &&str| wrap_text(line, theme.style(Look::Dim), width, &margin).into_iter().next();
    last.iter().rev().filter_map(one_row).collect()
}

fn changes(call: &Call, fold: Fold, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    for diff in &call.diffs {
        if call.diffs.len() > 1 {
            let name = format!("  {}", visible(&diff.path));
            rows.extend(wrap_text(&name, theme.style(Look::Bold), width, &Margin::default()));
        }
        let all = diff_view::view(diff, Some(width));
        let n = if fold == Fold::Open { all.len() } else { all.len().min(FOLDED_DIFF_ROWS) };
        rows.extend(all[..n].iter().flat_map(|spans| painted(spans, theme, width)));
        if n < all.len() {
            let more = format!("    ... {} more", count(all.len() - n, "row"));
            rows.extend(wrap_text(&more, theme.style(Look::Dim), width, &Margin::default()));
        }
    }
    rows
}

/// Gives the spans of a change their look, and breaks what is too long.
pub(super) fn painted(spans: &diff_view::Spans, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let spans: Vec<Span<'static>> =
        spans.iter().map(|(look, text)| Span::styled(text.clone(), theme.style(*look))).collect();
    let rest = if width < MIN_INDENTED_COLUMNS { Vec::new() } else { vec![Span::raw(DIFF_INDENT)] };
    wrap(&spans, width, &Margin { first: Vec::new(), rest })
}
