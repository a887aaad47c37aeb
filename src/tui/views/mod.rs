//! How does what full screen knows become cells on a screen?
//!
//! [`Views::draw`] fills a buffer: the transcript, what waits for an answer, the words being written, the status line; or what
//! is in front of all that. What was laid out is kept until it changes. It decides nothing: everything it shows is in
//! [`State`], but for how far the transcript is scrolled. To add a view: a file here, a variant of [`Front`], an arm in [`Views::draw`].

mod board;
mod cells;
mod composer;
mod front;
mod item;
mod marks;
mod panel;
mod review;
mod side;
mod status;
mod transcript;
mod viewer;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Position, Rect};
use ratatui_core::text::Line;

use crate::tui::keymap::Action;
use crate::tui::look::{Look, Theme};
use crate::tui::state::message::{Clicked, Scroll};
use crate::tui::state::{Front, State};
use crate::tui::views::transcript::Layout;

/// Rows the words being written take at most.
const MAX_COMPOSER_ROWS: u16 = 8;

/// Rows of a screen on which a line stands above the words being written.
const MIN_RULED_ROWS: u16 = 14;

/// Everything that is drawn.
pub struct Views {
    theme: Theme,
    layout: Layout,
    review: review::Pane,
    /// Where rows to choose from stand: the first one's row, its place among them, and how many are shown.
    choices: Option<(u16, usize, usize)>,
}

impl Views {
    /// Starts with nothing laid out.
    pub fn new(theme: Theme) -> Self {
        Self { theme, layout: Layout::default(), review: review::Pane::default(), choices: None }
    }

    /// Takes another theme; what was laid out is laid out anew.
    pub fn wear(&mut self, theme: Theme) {
        self.theme = theme.with_skills_of(&self.theme);
        self.layout.forget_all();
    }

    /// Scrolls the transcript.
    pub fn scroll(&mut self, by: Scroll, state: &State) {
        self.layout.scroll(by, state, &self.theme);
    }

    /// Says what stands in a place of the screen.
    pub fn at(&self, column: u16, row: u16) -> Clicked {
        let choice = self.choices.and_then(|(top, first, n)| {
            let at = usize::from(row.checked_sub(top)?);
            (at < n).then_some(first + at)
        });
        let entry = || self.layout.entry_at(Position { x: column, y: row });
        choice.map_or_else(|| entry().map_or(Clicked::Nothing, Clicked::Entry), Clicked::Row)
    }

    /// Draws everything; returns where the cursor stands, if it is to be seen.
    pub fn draw(&mut self, state: &State, buffer: &mut Buffer) -> Option<Position> {
        let area = buffer.area;
        if area.height == 0 || area.width == 0 {
            return None;
        }
        self.choices = None;
        self.layout.cover();
        match &state.front {
            Front::Reader { .. } => {
                front::reader(state, &self.theme, buffer);
                return None;
            }
            Front::Review => return self.review.draw(state, &self.theme, buffer),
            _ => {}
        }
        let below = self.draw_below(state, buffer);
        let above = Rect { height: area.height - below.height, ..area };
        match &state.front {
            Front::Pieces(pieces) => front::pieces(pieces, &self.theme, above, buffer),
            Front::Board(board) => {
                let typed = board::draw(board, &self.theme, above, buffer);
                return below.cursor.or_else(|| (above.height > 0).then_some(typed));
            }
            Front::Viewer(viewer) => viewer::draw(viewer, &self.theme, above, buffer),
            Front::Chat | Front::List(_) | Front::Queue(_) | Front::Find | Front::Reader { .. } | Front::Review => {
                return self.draw_chat(state, above, below.cursor, buffer);
            }
        }
        below.cursor
    }

    /// Draws the conversation and what stands over it; `cursor` is where words are written.
    fn draw_chat(
        &mut self,
        state: &State,
        above: Rect,
        cursor: Option<Position>,
        buffer: &mut Buffer,
    ) -> Option<Position> {
        let (chat, beside) = side::split(state, above);
        self.layout.draw(state, &self.theme, chat, buffer);
        if self.layout.is_scrolled() {
            more_below(state, &self.theme, chat, buffer);
        }
        if let Some(beside) = beside {
            side::draw(state, &self.theme, beside, buffer);
        }
        if let (Front::Find, Some(find)) = (&state.front, &state.around.find) {
            marks::mark(&find.query, &self.theme, chat, buffer);
        }
        if let Front::List(choices) = &state.front {
            let (shown, cursor) = front::list(choices, &self.theme, above, buffer);
            self.choices = Some(shown);
            return Some(cursor);
        }
        if let Front::Queue(at) = &state.front {
            front::queue(&state.queue, *at, &self.theme, above, buffer);
            return None;
        }
        if let Some(picks) = &state.picks {
            self.choices = Some(front::offer(&picks.choices, &self.theme, above, buffer));
        }
        cursor
    }

    /// Lays the whole conversation out, to be left behind on a terminal of a width.
    pub fn left_behind(&self, state: &State, width: usize) -> Vec<Line<'static>> {
        let items = state.transcript.items();
        let mut rows = Vec::new();
        for (at, item) in items.iter().enumerate() {
            if at > 0 && item::has_gap(&items[at - 1], item) {
                rows.push(Line::default());
            }
            rows.extend(item::rows(item, state, &self.theme, width));
        }
        rows
    }

    /// Draws what stands at the bottom, from the status line up.
    fn draw_below(&self, state: &State, buffer: &mut Buffer) -> Below {
        let area = buffer.area;
        let width = usize::from(area.width);
        let (composer, cursor) = composer::rows(state, &self.theme, width);
        // On a screen of a few rows the words being written come first, then the status line, then the panel.
        let room = area.height;
        let n_composer = clip(composer.len()).min(MAX_COMPOSER_ROWS).min(room);
        let n_status = u16::from(room > n_composer + 2);
        let most = room.saturating_sub(n_composer + n_status + 1).min(room / 2 + 1);
        let panel = panel::rows(state, &self.theme, width, usize::from(most));
        let n_panel = clip(panel.len()).min(most);
        let n_rule = u16::from(room >= MIN_RULED_ROWS);
        let height = n_composer + n_status + n_panel + n_rule;
        let mut y = area.height - height;
        if n_rule > 0 {
            put(&Line::styled("─".repeat(width), self.theme.style(Look::Border)), y, buffer);
            y += 1;
        }
        for row in &panel[..usize::from(n_panel)] {
            put(row, y, buffer);
            y += 1;
        }
        // The rows around the cursor are those that are seen.
        let (cursor_row, cursor_column) = cursor;
        let first = (cursor_row + 1).saturating_sub(usize::from(n_composer));
        for row in composer.iter().skip(first).take(usize::from(n_composer)) {
            put(row, y, buffer);
            y += 1;
        }
        if n_status > 0 {
            put(&status::row(state, &self.theme, width), y, buffer);
        }
        let cursor = (n_composer > 0 && composer::has_cursor(state)).then(|| {
            let row = area.height - n_status - n_composer + clip(cursor_row - first);
            Position { x: clip(cursor_column).min(area.width - 1), y: row }
        });
        Below { height, cursor }
    }
}

/// What stands at the bottom.
struct Below {
    height: u16,
    cursor: Option<Position>,
}

/// Says that there is more below what is on the screen, where it ends.
fn more_below(state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
    let key = state.keymap.key_of(state.view(), Action::Bottom).unwrap_or_default();
    let text = format!(" more below ({key}) ");
    let Some(x) = area.width.checked_sub(clip(text.len())).filter(|_| area.height > 0) else { return };
    let at = Position { x: area.x + x, y: area.y + area.height - 1 };
    cells::write(&Line::styled(text, theme.style(Look::Chosen)), at, area.width, buffer);
}

fn clip(n: usize) -> u16 {
    u16::try_from(n).unwrap_or(u16::MAX)
}

/// Writes a row at the left edge.
fn put(row: &Line<'_>, y: u16, buffer: &mut Buffer) {
    if y < buffer.area.height {
        cells::write(row, Position { x: 0, y }, buffer.area.width, buffer);
    }
}

#[cfg(test)]
#[path = "views_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "around_tests.rs"]
mod around_tests;

#[cfg(test)]
#[path = "scenes_tests.rs"]
mod scenes;

#[cfg(test)]
#[path = "snapshots_tests.rs"]
mod snapshots;
