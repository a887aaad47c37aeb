//! What stands between the transcript and the words being written?
//!
//! What waits for an answer, what is queued, what the agent is doing. The change to be judged itself stands at the end of the
//! transcript, where there is room and it can be scrolled.

use ratatui_core::style::Style;
use ratatui_core::text::{Line, Span};

use crate::base::clock::format_duration;
use crate::base::text::{count, first_line, one_line_name, visible};
use crate::protocol::event::Phase;
use crate::tui::diff_view;
use crate::tui::keymap::{Action, View};
use crate::tui::look::{Look, Theme};
use crate::tui::state::asking::{Approval, Asked};
use crate::tui::state::{Front, Purpose, State};
use crate::tui::views::item::painted;
use crate::tui::wrap::{Margin, wrap, wrap_text};

/// Rows of a command shown with its question; all of it stands in the transcript.
const MAX_WHAT_ROWS: usize = 6;
/// Rows that stand with it: why it is asked, the rule, the keys, a remark.
const MAX_ABOUT_ROWS: usize = 9;
/// Words that wait for later turns and are shown.
const MAX_QUEUED: usize = 3;

/// Lays out the panel, from top to bottom, in so many rows: what is asked, with its keys, comes before what only is to be known.
pub(super) fn rows(state: &State, theme: &Theme, width: usize, room: usize) -> Vec<Line<'static>> {
    let hint = state.hint.as_ref().map_or_else(Vec::new, |hint| text(hint, Look::Notice, theme, width));
    let mut rows = asked(state, theme, width, room.saturating_sub(hint.len()));
    let mut more = queued(state, theme, width);
    more.extend(suggested(state, theme, width));
    more.truncate(room.saturating_sub(rows.len() + hint.len()));
    rows.extend(more);
    rows.extend(hint);
    rows
}

/// Lays out what is in front, or what the agent does.
fn asked(state: &State, theme: &Theme, width: usize, room: usize) -> Vec<Line<'static>> {
    let mut rows = Vec::new();
    let is_behind = matches!(state.front, Front::Board(_) | Front::Viewer(_) | Front::Find);
    if is_behind && !state.asked.is_empty() {
        let back = state.keymap.key_of(state.view(), Action::Close).unwrap_or_default();
        let waits = format!("? {} for you behind this ({back})", count(state.asked.len(), "question"));
        rows.extend(text(&waits, Look::Notice, theme, width));
    }
    match (&state.front, state.asked.first()) {
        (Front::Board(_) | Front::Viewer(_) | Front::Pieces(_), _) if writes(state) => {
            rows.extend(keys(WRITING, View::Composer, state, theme, width));
        }
        (Front::Queue(_), _) => rows.extend(keys(QUEUE, View::Queue, state, theme, width)),
        (Front::Pieces(_), _) => rows.extend(keys(PIECES, View::Pieces, state, theme, width)),
        (Front::Board(board), _) => rows.extend(keys(BOARD, board.kind.view(), state, theme, width)),
        (Front::Viewer(_), _) => rows.extend(keys(VIEWER, View::Viewer, state, theme, width)),
        (Front::Find, _) => {
            let find = state.around.find.iter();
            let found = find.map(|find| format!("`{}` in {}", find.query, entries(find.n_entries)));
            rows.extend(text(&found.collect::<String>(), Look::Accent, theme, width));
            rows.extend(keys(FIND, View::Find, state, theme, width));
        }
        (_, Some(Asked::Approval(approval))) => rows.extend(approval_rows(approval, state, theme, width, room)),
        (_, Some(Asked::Question { question, .. })) => {
            rows.extend(text(&format!("? {}", question.question), Look::Bold, theme, width));
            for (at, option) in question.options.iter().enumerate() {
                rows.extend(text(&format!("  {}. {option}", at + 1), Look::Plain, theme, width));
            }
        }
        _ => rows.extend(busy(state, theme, width)),
    }
    rows
}

/// Says whether something is written for what is in front, so that its keys do not hold.
fn writes(state: &State) -> bool {
    matches!(state.purpose, Purpose::Reason(_) | Purpose::PieceReason | Purpose::Line(_))
}

/// Lays out what is judged: the whole command or change, at the end of the transcript.
pub(super) fn preview(state: &State, theme: &Theme, width: usize, height: usize) -> Vec<Line<'static>> {
    let Some(approval) = state.approval() else { return Vec::new() };
    let mut rows = Vec::new();
    let what = what_rows(approval, theme, width);
    // On a low screen the question may have no room for it.
    if what.len() > MAX_WHAT_ROWS || (what.len() > 1 && what.len() + MAX_ABOUT_ROWS > height / 2) {
        rows.push(Line::default());
        rows.extend(what);
    }
    for diff in &approval.previews {
        rows.push(Line::default());
        let name = visible(&one_line_name(&diff.path)).into_owned();
        rows.extend(text(&format!("  {name}"), Look::Bold, theme, width));
        rows.extend(diff_view::view(diff, Some(width)).iter().flat_map(|spans| painted(spans, theme, width)));
    }
    rows
}

/// Lays lines out; what is broken is as far in as it began.
fn text(text: &str, look: Look, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let shown = visible(text).into_owned();
    let rows = shown.split('\n').flat_map(|line| {
        let words = line.trim_start_matches(' ');
        let margin = Margin::of(&" ".repeat(line.len() - words.len()), Style::new());
        wrap_text(words, theme.style(look), width, &margin)
    });
    rows.collect()
}

fn what_rows(approval: &Approval, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    text(&format!("? {} {}", approval.verb, approval.what), Look::Bold, theme, width)
}

/// The keys of a board; those that mean nothing on it have no key there.
const BOARD: &[(Action, &str)] = &[
    (Action::Choose, "open"),
    (Action::Fork, "copy"),
    (Action::Rename, "name"),
    (Action::Export, "export"),
    (Action::Delete, "delete"),
    (Action::Restore, "put files back"),
    (Action::Kill, "end it"),
    (Action::TakeOut, "take it out"),
    (Action::Close, "back"),
];

/// The keys while something is written for what is in front.
const WRITING: &[(Action, &str)] = &[(Action::Submit, "done"), (Action::Back, "back")];

/// The keys of a file.
const VIEWER: &[(Action, &str)] = &[
    (Action::Find, "find"),
    (Action::NextFound, "next"),
    (Action::PreviousFound, "before"),
    (Action::Choose, "go to the named place"),
    (Action::Close, "back"),
];

/// The keys where words were found.
const FIND: &[(Action, &str)] = &[
    (Action::NextFound, "next"),
    (Action::PreviousFound, "before"),
    (Action::Find, "other words"),
    (Action::Close, "back"),
];

fn entries(n: usize) -> String {
    if n == 1 { "1 entry".to_owned() } else { format!("{n} entries") }
}

/// The keys of what waits for later turns.
const QUEUE: &[(Action, &str)] = &[
    (Action::Choose, "change"),
    (Action::MoveUp, "up"),
    (Action::MoveDown, "down"),
    (Action::Drop, "drop"),
    (Action::Close, "back"),
];

/// What may be done next, once a turn is over and nothing is being written.
fn suggested(state: &State, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    if state.is_working() || !state.composer.is_empty() || state.front != Front::Chat {
        return Vec::new();
    }
    let mut spans = vec![Span::styled("next:  ", theme.style(Look::Dim))];
    let actions = [Action::Suggestion1, Action::Suggestion2, Action::Suggestion3];
    for (choice, action) in state.suggested.iter().zip(actions) {
        let Some(key) = state.keymap.key_of(View::Composer, action) else { continue };
        spans.push(Span::styled(key, theme.style(Look::Accent)));
        let label = visible(&choice.label).replace(' ', "\u{a0}");
        spans.push(Span::styled(format!("\u{a0}{label}"), theme.style(Look::Plain)));
        spans.push(Span::styled("  ", Style::new()));
    }
    if spans.len() == 1 { Vec::new() } else { wrap(&spans, width, &Margin::default()) }
}

/// The keys of an approval, in the order they are named.
const APPROVAL: &[(Action, &str)] = &[
    (Action::Once, "yes, once"),
    (Action::Session, "this session"),
    (Action::Always, "always"),
    (Action::Deny, "no"),
    (Action::DenyWithReason, "no, because"),
    (Action::Review, "piece by piece"),
];

/// The keys for pieces of a change.
const PIECES: &[(Action, &str)] = &[
    (Action::Take, "take"),
    (Action::LeaveOut, "leave"),
    (Action::LeaveWithReason, "leave, because"),
    (Action::EditPiece, "edit"),
    (Action::TakeRest, "take the rest"),
    (Action::LeaveRest, "leave the rest"),
    (Action::Done, "done"),
    (Action::Close, "back"),
];

/// Lays a question out: where there is little room the keys stay, and the rule that one of them agrees to; then the command, then why.
fn approval_rows(approval: &Approval, state: &State, theme: &Theme, width: usize, room: usize) -> Vec<Line<'static>> {
    let what = what_rows(approval, theme, width);
    let (why, below) = (why_rows(approval, state, theme, width), answer_rows(approval, state, theme, width));
    let least = if what.len() > 1 { 2 } else { 1 };
    let left = room.saturating_sub(below.len());
    let why = if left >= least + why.len() { why } else { Vec::new() };
    let n = what.len().min(MAX_WHAT_ROWS).min(left.saturating_sub(why.len()).max(1));
    let is_cut = n < what.len();
    // The row that says so takes the place of one.
    let n = if is_cut && n > 1 && n < MAX_WHAT_ROWS { n - 1 } else { n };
    let mut rows: Vec<_> = what[..n].to_vec();
    if is_cut {
        rows.extend(text("  ... the whole command stands above", Look::Dim, theme, width).into_iter().take(1));
    }
    rows.extend(why);
    rows.extend(below);
    rows
}

/// Why it is asked, and what else waits.
fn why_rows(approval: &Approval, state: &State, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let n_more = state.asked.len() - 1;
    let all =
        state.keymap.key_of(View::Approval, Action::ShowAsked).map_or_else(String::new, |key| format!(" ({key})"));
    let more = if n_more > 0 { format!("; {} more behind it{all}", count(n_more, "question")) } else { String::new() };
    text(&format!("  {}{more}", approval.why), Look::Dim, theme, width)
}

/// The rule that can be agreed to, and the keys.
fn answer_rows(approval: &Approval, state: &State, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    if writes(state) {
        return keys(WRITING, View::Composer, state, theme, width);
    }
    let mut rows = Vec::new();
    if let Some(offer) = &approval.always {
        let also =
            if offer.also.is_empty() { "and nothing else".to_owned() } else { format!("that is {}", offer.also) };
        rows.extend(text(&format!("  always: `{}`, {also}", offer.rule), Look::Dim, theme, width));
    }
    let fits = |(action, _): &&(Action, &str)| match action {
        Action::Always => approval.always.is_some(),
        Action::Review => approval.has_pieces(),
        _ => true,
    };
    let shown: Vec<_> = APPROVAL.iter().filter(fits).copied().collect();
    rows.extend(keys(&shown, View::Approval, state, theme, width));
    rows
}

/// Names keys with what they do.
fn keys(all: &[(Action, &str)], view: View, state: &State, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let mut spans = Vec::new();
    for (action, words) in all {
        let Some(key) = state.keymap.key_of(view, *action) else { continue };
        spans.push(Span::styled(key, theme.style(Look::Accent)));
        // Blanks that do not break keep a key with its words.
        spans.push(Span::styled(format!("\u{a0}{}", words.replace(' ', "\u{a0}")), theme.style(Look::Plain)));
        spans.push(Span::styled("  ", Style::new()));
    }
    wrap(&spans, width, &Margin::of("  ", Style::new()))
}

/// Says what the agent does at this moment.
fn busy(state: &State, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    let Some(from_ms) = state.status.turn_from_ms else {
        let stop = state.keymap.key_of(View::Composer, Action::Back).unwrap_or_default();
        let own = (state.status.n_own > 0).then(|| format!("* your command runs ({stop} stops)"));
        return own.map_or_else(Vec::new, |own| text(&own, Look::Accent, theme, width));
    };
    let doing = match (&state.status.retry, &state.status.wait, state.status.phase) {
        (Some(retry), _, _) => {
            let left = format_duration(retry.until_ms.saturating_sub(state.now_ms));
            format!("{}, in {left}", retry.text)
        }
        (None, Some(wait), _) => wait.to_string(),
        (None, None, Some(Phase::Plan)) => "planning".to_owned(),
        (None, None, Some(Phase::Act)) => "acting".to_owned(),
        (None, None, _) => "analysing".to_owned(),
    };
    let time = format_duration(state.now_ms.saturating_sub(from_ms));
    let stop = state.keymap.key_of(View::Composer, Action::Back).unwrap_or_default();
    let time = if state.status.retry.is_some() { String::new() } else { format!(", {time}") };
    text(&format!("* {doing}{time} ({stop} stops)"), Look::Accent, theme, width)
}

fn queued(state: &State, theme: &Theme, width: usize) -> Vec<Line<'static>> {
    if matches!(state.front, Front::Queue(_)) {
        return Vec::new();
    }
    let shown = state.queue.iter().take(MAX_QUEUED).map(|words| format!("queued: {}", first_line(words, width)));
    let n_more = state.queue.len().saturating_sub(MAX_QUEUED);
    let more = (n_more > 0).then(|| format!("and {} more", count(n_more, "message")));
    let key = state.keymap.key_of(View::Composer, Action::ShowQueue).filter(|_| !state.queue.is_empty());
    let how = key.map(|key| format!("({key} changes what is queued)"));
    shown.chain(more).chain(how).flat_map(|line| text(&line, Look::Dim, theme, width).into_iter().take(1)).collect()
}
