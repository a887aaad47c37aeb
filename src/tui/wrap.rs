//! How is a styled line broken into rows of a width?
//!
//! Between words where there are any, inside of a word only where it does not fit a row. Clusters of characters that are one
//! on the screen stay together, and one that is wider than the row gets a row for itself. Nothing is left out.

use ratatui_core::style::Style;
use ratatui_core::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation as _;
use unicode_width::UnicodeWidthStr as _;

/// Columns of a tab: what is indented by tabs must not use up a narrow screen.
const TAB: &str = "    ";

/// What stands before the first row, and before those that follow.
#[derive(Debug, Clone, Default)]
pub struct Margin {
    /// Before the first.
    pub first: Vec<Span<'static>>,
    /// Before the others.
    pub rest: Vec<Span<'static>>,
}

impl Margin {
    /// Puts the same before every row.
    pub fn of(text: &str, style: Style) -> Self {
        let spans = vec![Span::styled(text.to_owned(), style)];
        Self { first: spans.clone(), rest: spans }
    }

    /// Puts a mark before the first row and blanks before the others.
    pub fn hanging(mark: &str, style: Style) -> Self {
        let rest = " ".repeat(mark.width());
        Self { first: vec![Span::styled(mark.to_owned(), style)], rest: vec![Span::raw(rest)] }
    }

    /// Puts another margin inside of this one.
    #[must_use]
    pub fn with(&self, inner: &Self) -> Self {
        let join = |a: &[Span<'static>], b: &[Span<'static>]| a.iter().chain(b).cloned().collect();
        Self { first: join(&self.first, &inner.first), rest: join(&self.rest, &inner.rest) }
    }

    /// Puts what stands before later rows before the first one too.
    #[must_use]
    pub fn continued(&self) -> Self {
        Self { first: self.rest.clone(), rest: self.rest.clone() }
    }
}

/// One cluster on the screen, or a run of blanks.
struct Piece<'a> {
    text: &'a str,
    width: usize,
    style: Style,
}

/// Breaks the spans of one line into rows of `width` columns, margins included. An empty line is one row.
pub fn wrap(spans: &[Span<'_>], width: usize, margin: &Margin) -> Vec<Line<'static>> {
    let mut rows = Rows::new(width, margin);
    let mut word: Vec<Piece<'_>> = Vec::new();
    for piece in pieces(spans) {
        if piece.text.chars().all(|c| c == ' ') {
            rows.word(&word);
            word.clear();
            rows.blank(&piece);
        } else {
            word.push(piece);
        }
    }
    rows.word(&word);
    rows.finish()
}

/// Breaks one line of one style.
pub fn wrap_text(text: &str, style: Style, width: usize, margin: &Margin) -> Vec<Line<'static>> {
    wrap(&[Span::styled(text, style)], width, margin)
}

/// Says whether every sign is one column and none joins with its neighbours: no search for clusters is needed then.
pub fn is_plain(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' '..='~' | '\u{a0}' | '─'..='╿'))
}

fn pieces<'a>(spans: &'a [Span<'a>]) -> impl Iterator<Item = Piece<'a>> {
    spans.iter().flat_map(|span| {
        let (text, style) = (span.content.as_ref(), span.style);
        let is_plain = is_plain(text);
        let plain = text.char_indices().take_while(move |_| is_plain).map(move |(at, c)| Piece {
            text: &text[at..at + c.len_utf8()],
            width: 1,
            style,
        });
        let others = text.graphemes(true).take_while(move |_| !is_plain).map(move |text| {
            let text = if text == "\t" { TAB } else { text };
            Piece { text, width: text.width(), style }
        });
        plain.chain(others)
    })
}

/// Rows while they are filled.
struct Rows<'m> {
    width: usize,
    margin: &'m Margin,
    done: Vec<Line<'static>>,
    row: Vec<Span<'static>>,
    /// Columns used in the row, and those its margin took.
    used: usize,
    start: usize,
    /// Blanks that stand between the last word and the next, if that fits.
    gap: Vec<(String, Style)>,
}

impl<'m> Rows<'m> {
    fn new(width: usize, margin: &'m Margin) -> Self {
        let mut rows =
            Self { width: width.max(1), margin, done: Vec::new(), row: Vec::new(), used: 0, start: 0, gap: Vec::new() };
        rows.begin(&margin.first);
        rows
    }

    /// Begins a row; a margin that would leave no room for words is left out.
    fn begin(&mut self, margin: &[Span<'static>]) {
        let columns: usize = margin.iter().map(|span| span.content.width()).sum();
        self.row = if columns < self.width { margin.to_vec() } else { Vec::new() };
        self.start = if columns < self.width { columns } else { 0 };
        self.used = self.start;
    }

    fn break_row(&mut self) {
        self.gap.clear();
        self.done.push(Line::from(std::mem::take(&mut self.row)));
        self.begin(&self.margin.rest);
    }

    fn gap_width(&self) -> usize {
        self.gap.iter().map(|(text, _)| text.width()).sum()
    }

    fn blank(&mut self, piece: &Piece<'_>) {
        self.gap.push((piece.text.to_owned(), piece.style));
    }

    fn word(&mut self, word: &[Piece<'_>]) {
        let width: usize = word.iter().map(|piece| piece.width).sum();
        if word.is_empty() {
            return;
        }
        if self.used + self.gap_width() + width > self.width && self.used > self.start {
            self.break_row();
        }
        for (text, style) in std::mem::take(&mut self.gap) {
            self.put(&text, text.width(), style);
        }
        for piece in word {
            if self.used + piece.width > self.width && self.used > self.start {
                self.break_row();
            }
            self.put(piece.text, piece.width, piece.style);
        }
    }

    fn put(&mut self, text: &str, width: usize, style: Style) {
        match self.row.last_mut() {
            // Margins are spans of their own, so that what follows can be told from them.
            Some(last) if last.style == style && self.used > self.start => last.content.to_mut().push_str(text),
            _ => self.row.push(Span::styled(text.to_owned(), style)),
        }
        self.used += width;
    }

    fn finish(mut self) -> Vec<Line<'static>> {
        self.done.push(Line::from(self.row));
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str, width: usize, margin: &Margin) -> Vec<String> {
        wrap_text(text, Style::new(), width, margin).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn lines_are_broken_between_words() {
        let none = Margin::default();
        let table: [(&str, usize, &[&str]); 11] = [
            ("", 5, &[""]),
            ("one two three", 9, &["one two", "three"]),
            ("one two", 7, &["one two"]),
            ("one  two", 4, &["one", "two"]),
            ("abcdefgh", 3, &["abc", "def", "gh"]),
            ("a abcdefgh", 4, &["a", "abcd", "efgh"]),
            ("    indented code", 12, &["    indented", "code"]),
            ("日本語", 4, &["日本", "語"]),
            ("日", 1, &["日"]),
            ("e\u{301}e\u{301}e\u{301}", 2, &["e\u{301}e\u{301}", "e\u{301}"]),
            ("\tx", 10, &["    x"]),
        ];
        for (text, width, expected) in table {
            assert_eq!(rows(text, width, &none), expected, "{text:?} at {width}");
        }
    }

    #[test]
    fn margins_count_and_give_way_where_there_is_no_room() {
        let margin = Margin::hanging("- ", Style::new());
        assert_eq!(rows("one two", 6, &margin), ["- one", "  two"]);
        assert_eq!(rows("ab", 2, &margin), ["ab"]);
        assert_eq!(rows("ab", 1, &margin), ["a", "b"]);
    }

    #[test]
    fn nothing_is_left_out_and_nothing_is_too_wide() {
        use proptest::prelude::*;
        proptest!(|(text in "[a-c 日é\u{1F600}]{0,60}", width in 2usize..12)| {
            let broken = rows(&text, width, &Margin::default());
            let squeeze = |text: &str| text.replace(' ', "");
            prop_assert_eq!(squeeze(&broken.concat()), squeeze(&text));
            prop_assert!(broken.iter().all(|row| row.trim_end().width() <= width), "{:?}", broken);
        });
    }
}
