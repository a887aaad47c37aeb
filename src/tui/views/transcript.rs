//! Which rows of the transcript are on the screen?
//!
//! Either its end, where it stays while more comes, or from a place on that the person scrolled to. Only what is near is laid
//! out, however long the conversation is, and kept until it changes.

use std::collections::HashMap;

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::{Position, Rect};
use ratatui_core::text::Line;

use crate::base::text::visible;
use crate::tui::look::Theme;
use crate::tui::markdown::growing::Growing;
use crate::tui::state::State;
use crate::tui::state::around::find::may_say;
use crate::tui::state::item::{Item, What};
use crate::tui::state::message::Scroll;
use crate::tui::views::{cells, clip, item, panel};

/// Entries whose rows are kept.
const MAX_KEPT: usize = 200;

/// A row: of which entry, and which of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    entry: usize,
    row: usize,
}

/// An entry laid out.
#[derive(Default)]
struct Laid {
    version: u32,
    width: usize,
    shows_details: bool,
    has_gap: bool,
    rows: Vec<Line<'static>>,
    /// Words that are still coming.
    growing: Option<Growing>,
    /// Those words as they are shown, and of how many bytes they are.
    shown: (String, usize),
    /// When it was last needed.
    used: u64,
}

/// The transcript as laid out.
#[derive(Default)]
pub(super) struct Layout {
    /// The row at the top; none at the end.
    top: Option<Place>,
    area: Rect,
    laid: HashMap<u64, Laid>,
    /// What waits for an answer, which stands behind the last entry.
    tail: Vec<Line<'static>>,
    n_drawn: u64,
    /// The entry of each row on the screen, from the top of the area on.
    entries: Vec<u64>,
    /// The row with words that were found last.
    found: Option<Place>,
}

impl Laid {
    fn len(&self) -> usize {
        let growing = self.growing.as_ref().map_or(0, |growing| growing.settled().len() + growing.open().len());
        usize::from(self.has_gap) + self.rows.len() + growing
    }

    fn row(&self, at: usize) -> Option<&Line<'static>> {
        let at = at.checked_sub(usize::from(self.has_gap))?;
        match &self.growing {
            None => self.rows.get(at),
            Some(growing) => growing.settled().get(at).or_else(|| growing.open().get(at - growing.settled().len())),
        }
    }
}

impl Layout {
    /// Draws the rows that are on the screen.
    pub(super) fn draw(&mut self, state: &State, theme: &Theme, area: Rect, buffer: &mut Buffer) {
        self.area = area;
        self.n_drawn += 1;
        self.entries.clear();
        self.tail = panel::preview(state, theme, usize::from(area.width), usize::from(buffer.area.height));
        let height = usize::from(area.height);
        let end = self.back(self.end(state), height, state, theme);
        // Scrolled to where everything behind fits: the end.
        self.top = self.top.filter(|top| *top < end);
        let top = self.top.unwrap_or(end);
        let mut place = top;
        let mut n_shown = 0;
        while n_shown < height && place.entry <= state.transcript.items().len() {
            self.lay_out(place.entry, state, theme);
            let id = state.transcript.items().get(place.entry).map_or(u64::MAX, |item| item.id);
            while n_shown < height
                && let Some(row) = self.row(place, state)
            {
                if let Some(line) = row {
                    let at = Position { x: area.x, y: area.y + clip(n_shown) };
                    cells::write(line, at, area.width, buffer);
                }
                self.entries.push(id);
                n_shown += 1;
                place.row += 1;
            }
            if n_shown < height {
                place = Place { entry: place.entry + 1, row: 0 };
            }
        }
        self.forget();
    }

    /// Says whether there is more below what is on the screen.
    pub(super) fn is_scrolled(&self) -> bool {
        self.top.is_some()
    }

    /// Returns the entry that stands in a place on the screen, by its id; none beside it, and none while it is covered.
    pub(super) fn entry_at(&self, at: Position) -> Option<u64> {
        let row = at.y.checked_sub(self.area.y).filter(|_| self.area.contains(at))?;
        self.entries.get(usize::from(row)).copied().filter(|id| *id != u64::MAX)
    }

    /// The conversation is not on the screen.
    pub(super) fn cover(&mut self) {
        self.entries.clear();
    }

    /// Scrolls.
    pub(super) fn scroll(&mut self, by: Scroll, state: &State, theme: &Theme) {
        let height = usize::from(self.area.height).max(1);
        let page = height.saturating_sub(2).max(1);
        let rows = match by {
            Scroll::Bottom => return self.top = None,
            Scroll::Top => return self.top = Some(Place { entry: 0, row: 0 }),
            Scroll::Found(by) => return self.go_to_found(by, state, theme),
            Scroll::Rows(rows) => i64::from(rows),
            Scroll::Pages(pages) => i64::from(pages) * page as i64,
        };
        let end = self.back(self.end(state), height, state, theme);
        let top = self.top.unwrap_or(end);
        let n = usize::try_from(rows.unsigned_abs()).unwrap_or(usize::MAX);
        let top = if rows < 0 { self.back(top, n, state, theme) } else { self.on(top, n, state, theme) };
        self.top = (top < end).then_some(top);
    }

    /// Goes to the next row that has the words looked for, the row before, or at first the last of all; round the end.
    fn go_to_found(&mut self, by: i32, state: &State, theme: &Theme) {
        let Some(find) = &state.around.find else { return };
        let items = state.transcript.items();
        let n = items.len();
        let from = if by == 0 { None } else { self.found };
        let start = from.map_or(n.saturating_sub(1), |place| place.entry.min(n.saturating_sub(1)));
        for step in 0..=n {
            let entry = if by > 0 { (start + step) % n.max(1) } else { (start + n - step % n.max(1)) % n.max(1) };
            if !items.get(entry).is_some_and(|item| may_say(item, &find.query, state)) {
                continue;
            }
            let rows = self.rows_with(entry, &find.query, state, theme);
            let here = from.filter(|place| place.entry == entry && step == 0);
            let row = match (here, by > 0) {
                (None, true) => rows.first(),
                (None, false) => rows.last(),
                (Some(place), true) => rows.iter().find(|row| **row > place.row),
                (Some(place), false) => rows.iter().rev().find(|row| **row < place.row),
            };
            if let Some(row) = row {
                let place = Place { entry, row: *row };
                self.found = Some(place);
                let height = usize::from(self.area.height).max(1);
                let end = self.back(self.end(state), height, state, theme);
                let top = self.back(place, height / 3, state, theme);
                self.top = (top < end).then_some(top);
                return;
            }
        }
    }

    /// Returns the rows of an entry that show the words.
    fn rows_with(&mut self, entry: usize, query: &str, state: &State, theme: &Theme) -> Vec<usize> {
        let n = self.len(entry, state, theme);
        let shows = |row: &usize| {
            let line = self.row(Place { entry, row: *row }, state).flatten();
            line.is_some_and(|line| {
                let text: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
                text.to_lowercase().contains(query)
            })
        };
        (0..n).filter(shows).collect()
    }

    /// The place behind the last row.
    fn end(&self, state: &State) -> Place {
        Place { entry: state.transcript.items().len(), row: self.tail.len() }
    }

    /// Goes so many rows back, at most to the beginning.
    fn back(&mut self, from: Place, n: usize, state: &State, theme: &Theme) -> Place {
        let (mut place, mut left) = (from, n);
        while left > place.row {
            let Some(entry) = place.entry.checked_sub(1) else { return Place { entry: 0, row: 0 } };
            left -= place.row;
            place = Place { entry, row: self.len(entry, state, theme) };
        }
        Place { row: place.row - left, ..place }
    }

    /// Goes so many rows on, at most to the end.
    fn on(&mut self, from: Place, n: usize, state: &State, theme: &Theme) -> Place {
        let (mut place, mut left) = (from, n);
        while place.entry < state.transcript.items().len() {
            let here = self.len(place.entry, state, theme) - place.row.min(self.len(place.entry, state, theme));
            if left < here {
                break;
            }
            left -= here;
            place = Place { entry: place.entry + 1, row: 0 };
        }
        Place { row: place.row + left, ..place }
    }

    fn len(&mut self, entry: usize, state: &State, theme: &Theme) -> usize {
        self.lay_out(entry, state, theme);
        match state.transcript.items().get(entry) {
            Some(item) => self.laid.get(&item.id).map_or(0, Laid::len),
            None => self.tail.len(),
        }
    }

    /// Returns a row; none behind the last of its entry. A gap is a row without a line.
    fn row(&self, place: Place, state: &State) -> Option<Option<&Line<'static>>> {
        match state.transcript.items().get(place.entry) {
            Some(item) => {
                let laid = self.laid.get(&item.id)?;
                (place.row < laid.len()).then(|| laid.row(place.row))
            }
            None => self.tail.get(place.row).map(Some),
        }
    }

    /// Lays an entry out, unless it stands as it did.
    fn lay_out(&mut self, entry: usize, state: &State, theme: &Theme) {
        let items = state.transcript.items();
        let Some(item) = items.get(entry) else { return };
        let width = usize::from(self.area.width).max(1);
        let has_gap = entry.checked_sub(1).is_some_and(|before| item::has_gap(&items[before], item));
        let laid = self.laid.entry(item.id).or_default();
        laid.used = self.n_drawn;
        let is_same = laid.version == item.version
            && laid.width == width
            && laid.shows_details == state.is_open(item)
            && laid.has_gap == has_gap;
        if is_same && !item::is_live(item) {
            return;
        }
        (laid.version, laid.width, laid.shows_details, laid.has_gap) =
            (item.version, width, state.is_open(item), has_gap);
        lay(laid, item, state, theme);
    }

    /// Forgets all that was laid out; the place on the screen stays.
    pub(super) fn forget_all(&mut self) {
        self.laid.clear();
    }

    /// Forgets what has not been needed for longest.
    fn forget(&mut self) {
        if self.laid.len() > MAX_KEPT {
            let since = self.n_drawn.saturating_sub(1);
            self.laid.retain(|_, laid| laid.used >= since);
        }
    }
}

fn lay(laid: &mut Laid, item: &Item, state: &State, theme: &Theme) {
    match &item.what {
        What::Words { text, is_open: true } => {
            let growing = laid.growing.get_or_insert_default();
            // Only what came since is looked through: an answer may be long, and this is done for every frame.
            let (shown, n_taken) = &mut laid.shown;
            if let Some(more) = text.get(*n_taken..) {
                shown.push_str(&visible(more));
                *n_taken = text.len();
            }
            growing.update(shown, item::text_columns(laid.width), theme);
            laid.rows.clear();
        }
        _ => {
            (laid.growing, laid.shown) = (None, Default::default());
            laid.rows = item::rows(item, state, theme, laid.width);
        }
    }
}
