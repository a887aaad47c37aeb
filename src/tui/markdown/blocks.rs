//! How is each block of Markdown laid out?
//!
//! Takes the parser's events one after the other. Blocks stand in each other: what encloses is a stack of margins.

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Tag, TagEnd};
use ratatui_core::style::Style;
use ratatui_core::text::{Line, Span};

use crate::tui::diff_view::Spans;
use crate::tui::look::{Look, Theme};
use crate::tui::markdown::table::Table;
use crate::tui::wrap::{Margin, wrap};

/// Rows of words while they are laid out.
pub(super) struct Writer<'t> {
    theme: &'t Theme,
    width: usize,
    rows: Vec<Line<'static>>,
    /// What encloses the present block, outermost first.
    margins: Vec<Margin>,
    /// Words of the present block.
    words: Vec<Span<'static>>,
    /// How words look, innermost last.
    styles: Vec<Style>,
    /// The number of the next item of each list; none for bullets.
    lists: Vec<Option<u64>>,
    /// Where the link that is being written leads.
    link: Option<String>,
    code: Option<String>,
    /// What the fence of that block names, if anything.
    language: String,
    table: Option<Table>,
    /// Whether an empty row belongs before the next block.
    needs_gap: bool,
}

impl<'t> Writer<'t> {
    pub(super) fn new(width: usize, theme: &'t Theme) -> Self {
        Self {
            theme,
            width,
            rows: Vec::new(),
            margins: Vec::new(),
            words: Vec::new(),
            styles: Vec::new(),
            lists: Vec::new(),
            link: None,
            code: None,
            language: String::new(),
            table: None,
            needs_gap: false,
        }
    }

    pub(super) fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) if self.code.is_some() => self.code.get_or_insert_default().push_str(&text),
            // A model that writes tags means them to be read.
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.word(&text, self.style()),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.word(&text, self.style().patch(self.theme.style(Look::Code)));
            }
            Event::SoftBreak => self.word(" ", self.style()),
            Event::HardBreak => self.line_end(),
            Event::Rule => self.rule(),
            Event::TaskListMarker(is_done) => self.word(if is_done { "[x] " } else { "[ ] " }, self.style()),
            Event::FootnoteReference(name) => self.word(&format!("[{name}]"), self.style()),
        }
    }

    pub(super) fn finish(mut self) -> Vec<Line<'static>> {
        self.paragraph();
        self.rows
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, .. } => {
                self.block();
                self.styles.push(self.theme.style(Look::Heading));
                // What a terminal cannot show by size is shown by the marks themselves.
                if level > HeadingLevel::H1 {
                    self.word(&format!("{} ", "#".repeat(level as usize)), self.style());
                }
            }
            Tag::BlockQuote(_) => {
                self.block();
                self.margins.push(Margin::of("│ ", self.theme.style(Look::Border)));
                self.styles.push(self.theme.style(Look::Quote));
            }
            Tag::CodeBlock(kind) => {
                self.block();
                self.language = match &kind {
                    CodeBlockKind::Fenced(language) => language_of(language).to_owned(),
                    CodeBlockKind::Indented => String::new(),
                };
                if let CodeBlockKind::Fenced(language) = kind
                    && !language.is_empty()
                {
                    let label = Span::styled(format!("  {language}"), self.theme.style(Look::Dim));
                    self.put(&[label]);
                }
                self.code = Some(String::new());
            }
            Tag::List(first) => {
                self.paragraph();
                if self.lists.is_empty() {
                    self.block();
                }
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Table(alignments) => {
                self.block();
                self.table = Some(Table::new(alignments));
            }
            Tag::Emphasis => self.push(Look::Emphasis),
            Tag::Strong => self.push(Look::Bold),
            Tag::Strikethrough => self.push(Look::Dim),
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => {
                self.link = Some(dest_url.into_string());
                self.push(Look::Link);
            }
            Tag::Paragraph | Tag::HtmlBlock if self.words.is_empty() => self.block(),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph | TagEnd::HtmlBlock => {
                self.paragraph();
                self.needs_gap = true;
            }
            TagEnd::Heading(_) => {
                self.paragraph();
                self.styles.pop();
                self.needs_gap = true;
            }
            TagEnd::BlockQuote(_) => {
                self.paragraph();
                self.margins.pop();
                self.styles.pop();
                self.needs_gap = true;
            }
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::List(_) => {
                self.lists.pop();
                self.needs_gap = self.lists.is_empty();
            }
            TagEnd::Item => {
                self.paragraph();
                self.margins.pop();
                self.needs_gap = false;
            }
            TagEnd::TableCell => {
                let words = std::mem::take(&mut self.words);
                self.table.iter_mut().for_each(|table| table.cell(words.clone()));
            }
            TagEnd::TableHead | TagEnd::TableRow => self.table.iter_mut().for_each(Table::end_row),
            TagEnd::Table => self.end_table(),
            TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough => drop(self.styles.pop()),
            TagEnd::Link | TagEnd::Image => self.end_link(),
            _ => {}
        }
    }

    fn style(&self) -> Style {
        self.styles.iter().fold(self.theme.style(Look::Plain), |all, style| all.patch(*style))
    }

    fn push(&mut self, look: Look) {
        self.styles.push(self.theme.style(look));
    }

    fn word(&mut self, text: &str, style: Style) {
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                self.line_end();
            }
            if !line.is_empty() {
                self.words.push(Span::styled(line.to_owned(), style));
            }
        }
    }

    /// Begins a block: an empty row stands between two.
    fn block(&mut self) {
        self.paragraph();
        if std::mem::take(&mut self.needs_gap) && !self.rows.is_empty() {
            self.put(&[]);
        }
    }

    fn margin(&self) -> Margin {
        self.margins.iter().fold(Margin::default(), |all, margin| all.with(margin))
    }

    /// Lays out a line of words and what encloses it.
    fn put(&mut self, words: &[Span<'static>]) {
        let margin = self.margin();
        self.rows.extend(wrap(words, self.width, &margin));
        // A bullet stands before the first row of its item only.
        for margin in &mut self.margins {
            *margin = margin.continued();
        }
    }

    /// Ends a line, but not its block.
    fn line_end(&mut self) {
        if self.table.is_some() {
            self.words.push(Span::raw(" "));
            return;
        }
        let words = std::mem::take(&mut self.words);
        self.put(&words);
    }

    /// Ends a block of words, if there are any.
    fn paragraph(&mut self) {
        if !self.words.is_empty() && self.table.is_none() {
            self.line_end();
        }
    }

    fn item(&mut self) {
        self.paragraph();
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        self.margins.push(Margin::hanging(&mark, self.theme.style(Look::Accent)));
        self.needs_gap = false;
    }

    fn code_block(&mut self) {
        let code = self.code.take().unwrap_or_default();
        self.margins.push(Margin::of("  ", Style::new()));
        for line in code_lines(&self.language, code.strip_suffix('\n').unwrap_or(&code), self.theme) {
            self.put(&line);
        }
        self.margins.pop();
        self.needs_gap = true;
    }

    fn end_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        let margin = self.margin();
        self.rows.extend(table.rows(self.width, &margin, self.theme));
        self.needs_gap = true;
    }

    /// Names where a link leads, unless its words do.
    fn end_link(&mut self) {
        self.styles.pop();
        let Some(address) = self.link.take() else { return };
        let said = self.words.last().is_some_and(|span| span.content == address.as_str());
        if !said && !address.is_empty() {
            self.word(&format!(" ({address})"), self.theme.style(Look::Dim));
        }
    }

    fn rule(&mut self) {
        self.block();
        let style = self.theme.style(Look::Border);
        let width = self.width.saturating_sub(self.margin().first.iter().map(Span::width).sum());
        self.put(&[Span::styled("─".repeat(width.clamp(1, 40)), style)]);
        self.needs_gap = true;
    }
}

/// Returns the language a fence names: its first word, without what some put behind it (`rust,ignore`).
pub(super) fn language_of(info: &str) -> &str {
    info.split([' ', ',', '{']).next().unwrap_or_default().trim()
}

/// Colours code where its language is known; otherwise all of it looks like code.
pub(super) fn code_lines(language: &str, code: &str, theme: &Theme) -> Vec<Vec<Span<'static>>> {
    let plain = || code.split('\n').map(|line| vec![(Look::Plain, line.to_owned())]).collect::<Vec<_>>();
    let lines = if language.is_empty() { plain() } else { theme.code(language, code) };
    let is_plain = lines.iter().flatten().all(|(look, _)| *look == Look::Plain);
    let style = |look: Look| theme.style(if is_plain { Look::Code } else { look });
    let spans = |line: Spans| line.into_iter().map(|(look, text)| Span::styled(text, style(look))).collect();
    lines.into_iter().map(spans).collect()
}
