//! How is a text rendered that is still being written, without doing everything again for every word?
//!
//! Everything before the last block is settled: rendered once, never touched again. Only the last block is rendered anew, and
//! of a code block only what follows its last whole line, because code can be long.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use ratatui_core::text::Line;

use crate::tui::look::{Look, Theme};
use crate::tui::markdown::blocks::{code_lines, language_of};
use crate::tui::markdown::{options, render};
use crate::tui::wrap::{Margin, wrap, wrap_text};

/// Rows of a text that grows.
#[derive(Debug, Default)]
pub struct Growing {
    width: usize,
    /// Bytes of the text that are settled.
    settled: usize,
    rows: Vec<Line<'static>>,
    /// Rows that may still change.
    open: Vec<Line<'static>>,
    /// What fences the code that is being written, while the settled part ends inside of it.
    fence: Option<Fence>,
    /// That code, to be coloured when all of it is there.
    code: Code,
}

/// How a block of code was begun.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fence {
    sign: char,
    length: usize,
    /// What it names.
    language: String,
}

/// Code that is being written.
#[derive(Debug, Clone, Default)]
struct Code {
    /// Which of the settled rows is its first.
    from: usize,
    /// Its whole lines so far.
    text: String,
}

impl Growing {
    /// Renders the text, of which what was given before is the beginning.
    pub fn update(&mut self, text: &str, width: usize, theme: &Theme) {
        if self.width != width || text.len() < self.settled {
            *self = Self { width, ..Self::default() };
        }
        while self.settle(text, theme) {}
        self.open = self.open_rows(&text[self.settled..], theme);
    }

    /// Returns the rows that do not change any more.
    pub fn settled(&self) -> &[Line<'static>] {
        &self.rows
    }

    /// Returns the rows behind them, which may.
    pub fn open(&self) -> &[Line<'static>] {
        &self.open
    }

    /// Settles what can be; says whether there may be more.
    fn settle(&mut self, text: &str, theme: &Theme) -> bool {
        let rest = &text[self.settled..];
        if let Some(fence) = self.fence.clone() {
            return self.settle_code(rest, &fence, theme);
        }
        if let Some(last) = last_block(rest) {
            let rows = render(&rest[..last], self.width, theme);
            self.put(rows);
            self.settled += last;
            return true;
        }
        // The only block left: if it is code, its whole lines are settled one by one.
        let Some((fence, heading)) = open_fence(rest) else { return false };
        let rows = render(&format!("{}{}", &rest[..heading], fence.close()), self.width, theme);
        // An empty block has one row for its missing line.
        self.put(rows[..rows.len().saturating_sub(1)].to_vec());
        self.settled += heading;
        self.fence = Some(fence);
        self.code = Code { from: self.rows.len(), text: String::new() };
        true
    }

    fn settle_code(&mut self, rest: &str, fence: &Fence, theme: &Theme) -> bool {
        let Some(end) = rest.find('\n') else { return false };
        self.settled += end + 1;
        if fence.is_closed_by(&rest[..end]) {
            self.fence = None;
            self.colour(&fence.language, theme);
        } else {
            self.code.text.push_str(&rest[..=end]);
            let rows = code_row(&rest[..end], self.width, theme);
            self.rows.extend(rows);
        }
        true
    }

    /// Colours code that is complete. The rows stay where they are.
    fn colour(&mut self, language: &str, theme: &Theme) {
        let Code { from, text } = std::mem::take(&mut self.code);
        if text.is_empty() || language.is_empty() {
            return;
        }
        let margin = Margin::of("  ", ratatui_core::style::Style::new());
        let lines = code_lines(language, text.strip_suffix('\n').unwrap_or(&text), theme);
        let rows: Vec<Line<'static>> = lines.iter().flat_map(|line| wrap(line, self.width, &margin)).collect();
        if from + rows.len() == self.rows.len() {
            self.rows.truncate(from);
            self.rows.extend(rows);
        }
    }

    fn open_rows(&self, rest: &str, theme: &Theme) -> Vec<Line<'static>> {
        match &self.fence {
            Some(fence) if fence.may_be_closed_by(rest) => Vec::new(),
            Some(_) => code_row(rest, self.width, theme),
            None => {
                let rows = render(rest, self.width, theme);
                let gap = (!rows.is_empty() && !self.rows.is_empty()).then(Line::default);
                gap.into_iter().chain(rows).collect()
            }
        }
    }

    /// Adds a settled block; an empty row stands between two.
    fn put(&mut self, rows: Vec<Line<'static>>) {
        if !self.rows.is_empty() && !rows.is_empty() {
            self.rows.push(Line::default());
        }
        self.rows.extend(rows);
    }
}

impl Fence {
    fn close(&self) -> String {
        String::from(self.sign).repeat(self.length)
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.len() >= self.length && line.chars().all(|c| c == self.sign)
    }

    /// Whether an unfinished line may become the end.
    fn may_be_closed_by(&self, line: &str) -> bool {
        let line = line.trim();
        line.chars().all(|c| c == self.sign)
    }
}

fn code_row(line: &str, width: usize, theme: &Theme) -> Vec<Line<'static>> {
    wrap_text(line, theme.style(Look::Code), width, &Margin::of("  ", ratatui_core::style::Style::new()))
}

/// Finds where the last of the outermost blocks begins, in bytes, if what stands before cannot change any more: it is ended by
/// an empty line, or by what it is itself. A line that follows at once may still turn out to belong to it.
fn last_block(text: &str) -> Option<usize> {
    let (mut depth, mut last, mut is_ended, mut begins) = (0usize, 0, false, false);
    for (event, range) in Parser::new_ext(text, options()).into_offset_iter() {
        let is_outermost = depth == 0;
        match &event {
            Event::Start(_) => depth += 1,
            Event::End(_) => depth = depth.saturating_sub(1),
            _ => {}
        }
        if is_outermost && matches!(event, Event::Start(_) | Event::Rule) {
            begins = is_ended || follows_an_empty_line(&text[..range.start]);
            last = range.start;
        }
        if depth == 0 {
            let fences =
                |tag: &TagEnd| matches!(tag, TagEnd::CodeBlock) && text[..range.end].trim_end().ends_with(['`', '~']);
            is_ended = match &event {
                Event::End(tag) => matches!(tag, TagEnd::Heading(_)) || fences(tag),
                Event::Rule => true,
                _ => is_ended,
            };
        }
    }
    (last > 0 && begins).then_some(last)
}

fn follows_an_empty_line(before: &str) -> bool {
    let blanks = &before[before.trim_end().len()..];
    blanks.matches('\n').count() > 1
}

/// Reads the first line of a text that is a block of fenced code not ended yet; with the bytes of that line.
fn open_fence(text: &str) -> Option<(Fence, usize)> {
    let end = text.find('\n')? + 1;
    let line = text[..end].trim_end();
    // Indented fences stand in lists, or are no fences; those are rendered as a whole.
    let sign = line.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let length = line.chars().take_while(|c| *c == sign).count();
    let mut events = Parser::new_ext(text, options());
    let is_code = matches!(events.next(), Some(Event::Start(Tag::CodeBlock(_))));
    let language = language_of(line[length..].trim_start()).to_owned();
    (length >= 3 && is_code).then_some((Fence { sign, length, language }, end))
}
