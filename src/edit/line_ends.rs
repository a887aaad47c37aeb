//! How does text with plain line feeds, as models write it, meet a file with other line ends?
//!
//! Places are found in a view of the file where every CRLF is a line feed, and mapped back; so what is not touched keeps
//! its bytes even where a file mixes both. A file with carriage returns alone, as old Macs wrote them, is read by those.

use std::borrow::Cow;

/// A file's text with every CRLF read as a line feed, and the way back.
#[derive(Debug)]
pub struct LfView<'a> {
    text: Cow<'a, str>,
    /// Offsets in `text` of the line feeds that were CRLF.
    crlf_at: Vec<usize>,
    /// The line end of all other lines.
    bare: &'static str,
}

impl<'a> LfView<'a> {
    /// Views `original`.
    pub fn new(original: &'a str) -> Self {
        if !original.contains('\r') {
            return Self { text: Cow::Borrowed(original), crlf_at: Vec::new(), bare: "\n" };
        }
        if !original.contains('\n') {
            return Self { text: Cow::Owned(original.replace('\r', "\n")), crlf_at: Vec::new(), bare: "\r" };
        }
        let mut crlf_at = Vec::new();
        let mut text = String::with_capacity(original.len());
        let mut parts = original.split("\r\n");
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            crlf_at.push(text.len());
            text.push('\n');
            text.push_str(part);
        }
        Self { text: Cow::Owned(text), crlf_at, bare: "\n" }
    }

    /// Returns the text with line feeds only.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Maps an offset in [`Self::text`] to the original.
    pub fn original_offset(&self, offset: usize) -> usize {
        offset + self.crlf_at.partition_point(|at| *at < offset)
    }

    /// Returns the line end used at `offset`: that of its line, else of the line before, else a line feed.
    pub fn end_at(&self, offset: usize) -> &'static str {
        let next = self.text[offset..].find('\n').map(|at| offset + at);
        match next.or_else(|| self.text[..offset].rfind('\n')) {
            Some(at) if self.crlf_at.binary_search(&at).is_ok() => "\r\n",
            _ => self.bare,
        }
    }

    /// Returns the line end most lines have.
    pub fn usual_end(&self) -> &'static str {
        let n_lines = self.text.bytes().filter(|byte| *byte == b'\n').count();
        if self.crlf_at.len() * 2 > n_lines { "\r\n" } else { self.bare }
    }

    /// Names the line ends when they are not plain line feeds throughout.
    pub fn label(&self) -> Option<&'static str> {
        let n_lines = self.text.bytes().filter(|byte| *byte == b'\n').count();
        match self.crlf_at.len() {
            0 if self.bare == "\r" => Some("CR line ends"),
            0 => None,
            n if n == n_lines => Some("CRLF line ends"),
            _ => Some("mixed CRLF and LF line ends"),
        }
    }
}

/// Reads CRLF as a line feed.
pub fn to_lf(text: &str) -> Cow<'_, str> {
    if text.contains("\r\n") { Cow::Owned(text.replace("\r\n", "\n")) } else { Cow::Borrowed(text) }
}

/// Gives `text`, which has line feeds only, the line end `end`.
pub fn with_end<'a>(text: &'a str, end: &str) -> Cow<'a, str> {
    if end == "\n" { Cow::Borrowed(text) } else { Cow::Owned(text.replace('\n', end)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_lead_back_to_the_original() {
        let original = "a\r\nb\nc\r\nd";
        let view = LfView::new(original);
        assert_eq!(view.text(), "a\nb\nc\nd");
        for (offset, c) in view.text().char_indices().filter(|(_, c)| *c != '\n') {
            assert_eq!(original[view.original_offset(offset)..].chars().next(), Some(c));
        }
        assert_eq!((view.end_at(0), view.end_at(2), view.end_at(6)), ("\r\n", "\n", "\r\n"));
        assert_eq!(view.original_offset(view.text().len()), original.len());
        assert_eq!(view.label(), Some("mixed CRLF and LF line ends"));
    }
}
