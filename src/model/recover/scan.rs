//! Does the text at this place belong to the model's own words, or is it quoted?
//!
//! Follows Markdown as far as that question needs it: code fences, also nested ones, inline code that runs over lines,
//! block quotes with their lazy lines, lists, and tags in which models put what others wrote. In doubt it is quoted: a call
//! that is not run costs a question, a quotation that is run may cost a file.

use crate::model::recover::explain;
use crate::model::recover::wrapper::{self, QUOTING};

/// Bytes kept of each end of a long line.
const LINE_END: usize = 300;

/// How a line looks that shows the beginning of a call.
const MENTIONS: &[&str] = &["<tool_call", "<function", "<invoke", ":tool_call>"];

/// What stands in the line before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Before {
    /// Nothing: the message begins here.
    #[default]
    Start,
    Blank,
    Quote,
    Text,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Fence {
    mark: char,
    length: usize,
}

/// A place in a message.
#[derive(Debug, Default)]
pub struct Place {
    fences: Vec<Fence>,
    /// What ends the tag whose content is quoted.
    quoting: Option<String>,
    /// The back-ticks that opened inline code in this paragraph.
    ticks: Option<usize>,
    /// Back-ticks right before this place.
    run: usize,
    /// The line so far; of a long one its two ends.
    line: String,
    /// The last line that was not blank.
    lead: String,
    before: Before,
    is_list: bool,
    has_text: bool,
    mentions_calls: bool,
    /// The open fence is the first thing of the message.
    begins_with_fence: bool,
}

impl Place {
    /// Says whether the next line belongs to a fence or a tag whose content is not the model's own words.
    pub fn is_quoted(&self) -> bool {
        !self.fences.is_empty() || self.quoting.is_some()
    }

    /// Says whether what a server takes out of the message right here was shown rather than meant. Stricter in its proof than
    /// for calls among the words: models write prose as they like, and a fence may be the way one calls.
    pub fn shows_example(&self) -> bool {
        let is_fenced = !self.fences.is_empty() && !self.begins_with_fence;
        let is_inline = self.run > 0 && self.ticks.is_none() && self.fences.is_empty();
        is_fenced || is_inline || self.quoting.is_some() || self.line.trim_start().starts_with('>')
    }

    /// Says whether anything but white space stands before this place.
    pub fn has_text(&self) -> bool {
        self.has_text
    }

    /// Says whether a line before this one showed the beginning of a call.
    pub fn mentions_calls(&self) -> bool {
        self.mentions_calls
    }

    /// Returns the last line that was not blank.
    pub fn lead(&self) -> &str {
        &self.lead
    }

    /// Says what speaks against a call that begins here after `indent`, if anything.
    pub fn obstacle(&self, indent: &str) -> Option<&'static str> {
        let starts_block = matches!(self.before, Before::Start | Before::Blank);
        if !indent.is_empty() && (!starts_block || self.is_list) {
            return Some("it does not begin at the start of a line");
        }
        let is_continued = self.before == Before::Text && wrapper::ends_with_opener(&self.lead);
        if is_continued {
            return Some("it does not begin at the start of a line");
        }
        if self.before == Before::Quote {
            return Some("it stands in a block quote");
        }
        if self.ticks.is_some() {
            return Some("it stands in inline code");
        }
        (self.before != Before::Start && explain::leads(&self.lead)).then_some("it is explained, not meant")
    }

    /// Says whether text that follows a line break may be part of something nested in braces.
    pub fn is_inside_braces(&self) -> bool {
        self.before == Before::Text && self.lead.trim_end().ends_with(['{', '[', ',', '('])
    }

    /// Moves on by `text`, which may hold several lines.
    pub fn feed(&mut self, text: &str) {
        let mut rest = text;
        while let Some(end) = rest.find('\n') {
            self.feed_part(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.feed_part(rest);
    }

    fn feed_part(&mut self, part: &str) {
        if part.is_empty() {
            return;
        }
        self.has_text = self.has_text || !part.trim().is_empty();
        if self.fences.is_empty() {
            self.count_ticks(part);
        }
        self.line.push_str(part);
        if self.quoting.as_ref().is_some_and(|end| self.line.contains(end.as_str())) {
            self.quoting = None;
        }
        if self.line.len() > 4 * LINE_END {
            let from = self.line.floor_char_boundary(LINE_END);
            let to = self.line.ceil_char_boundary(self.line.len() - LINE_END);
            self.line.replace_range(from..to, "");
        }
    }

    fn count_ticks(&mut self, part: &str) {
        if self.run == 0 && !part.contains('`') {
            return;
        }
        for c in part.chars() {
            match c {
                '`' => self.run += 1,
                _ if self.run > 0 => self.end_run(),
                _ => {}
            }
        }
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        match self.ticks {
            _ if run == 0 => {}
            None => self.ticks = Some(run),
            Some(open) if open == run => self.ticks = None,
            Some(_) => {}
        }
    }

    fn end_line(&mut self) {
        self.end_run();
        let line = std::mem::take(&mut self.line);
        let line = line.trim_end();
        self.mentions_calls |= MENTIONS.iter().any(|mark| line.contains(mark));
        if let Some(open) = self.fences.last() {
            match fence(line) {
                Some((mark, "")) if mark.mark == open.mark && mark.length >= open.length => {
                    self.fences.pop();
                }
                // A fence with a language inside a fence: writers of Markdown forget to make the outer one longer.
                Some((mark, info)) if mark.mark == open.mark && !info.is_empty() => self.fences.push(mark),
                _ => {}
            }
            (self.before, self.ticks) = (Before::Text, None);
            return;
        }
        if line.is_empty() {
            self.ticks = None;
            self.before = if self.has_text { Before::Blank } else { Before::Start };
            return;
        }
        if let Some((mark, _)) = fence(line).filter(|_| self.quoting.is_none()) {
            self.begins_with_fence = self.before == Before::Start;
            self.fences.push(mark);
            self.ticks = None;
        }
        self.classify(line);
        line.clone_into(&mut self.lead);
    }

    fn classify(&mut self, line: &str) {
        let text = line.trim_start();
        let is_quote = text.starts_with('>') || self.before == Before::Quote;
        self.before = if is_quote { Before::Quote } else { Before::Text };
        if is_list_item(text) {
            self.is_list = true;
        } else if text.len() == line.len() {
            self.is_list = false;
        }
        if self.quoting.is_none() && self.fences.is_empty() {
            self.quoting = quoting_end(text);
        }
    }
}

/// Reads a line that opens or closes a code fence: the fence and what stands behind it.
fn fence(line: &str) -> Option<(Fence, &str)> {
    let text = line.trim_start();
    let mark = text.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = text.trim_start_matches(mark);
    let length = text.len() - info.len();
    let info = info.trim();
    (length >= 3 && !(mark == '`' && info.contains('`'))).then_some((Fence { mark, length }, info))
}

fn is_list_item(text: &str) -> bool {
    let after_number = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let is_numbered = after_number.len() < text.len() && after_number.starts_with([')', '.']);
    let after = if is_numbered { &after_number[1..] } else { text.strip_prefix(['-', '*', '+']).unwrap_or("x") };
    after.starts_with(' ') || after.is_empty()
}

/// Returns what ends the quotation that a line opens, when the line is nothing but its tag.
fn quoting_end(text: &str) -> Option<String> {
    if text.starts_with("<!--") {
        return (!text.contains("-->")).then(|| "-->".to_owned());
    }
    let inner = text.strip_prefix('<')?.strip_suffix('>')?;
    let name = inner.split_whitespace().next()?;
    let is_alone = !inner.contains(['<', '>']) && !inner.ends_with('/');
    (is_alone && QUOTING.contains(&name.to_ascii_lowercase().as_str())).then(|| format!("</{name}>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_quoted_is_known_wherever_the_text_is_cut() {
        let table = [
            ("", None),
            ("Words.\n", None),
            ("```\n", Some("quoted")),
            ("```xml\ncode\n```\n", None),
            ("````md\n```\n", Some("quoted")),
            ("```md\n```xml\na\n```\n", Some("quoted")),
            ("```md\n```xml\na\n```\n```\n", None),
            ("~~~\n```\n", Some("quoted")),
            ("~~~\n```\n~~~\n", None),
            ("1. Step\n   ```\n", Some("quoted")),
            ("```a``` is inline\n", None),
            ("the `open\n", Some("it stands in inline code")),
            ("the `closed`\n", None),
            ("a ``b ` c``\n", None),
            ("the `open\n\n", None),
            ("> quoted\n", Some("it stands in a block quote")),
            ("> quoted\nlazily\n", Some("it stands in a block quote")),
            ("> quoted\n\n", None),
            ("<example>\n", Some("quoted")),
            ("<example>\nx\n</example>\n", None),
            ("<file path=\"a\">\n", Some("quoted")),
            ("<div>\n", None),
            ("<!-- note\n", Some("quoted")),
            ("<!-- note\n-->\n", None),
            ("<think>\nhm\n", Some("quoted")),
            ("For example:\n", Some("it is explained, not meant")),
        ];
        for (text, expected) in table {
            let judge = |place: &Place| if place.is_quoted() { Some("quoted") } else { place.obstacle("") };
            let mut whole = Place::default();
            whole.feed(text);
            assert_eq!(judge(&whole), expected, "{text:?}");
            let mut single = Place::default();
            text.chars().for_each(|c| single.feed(c.encode_utf8(&mut [0; 4])));
            assert_eq!(judge(&single), expected, "{text:?} by characters");
        }
    }

    #[test]
    fn a_server_may_take_a_call_out_of_an_example() {
        let table = [
            ("", false),
            ("I look first.\n\n", false),
            ("For example:\n", false),
            ("It looks like this:\n\n```xml\n", true),
            ("Like this:\n```\n\n", true),
            ("```\na\n```\nNow:\n", false),
            ("```xml\n", false),
            ("\n\n```xml\n", false),
            ("```\na\n```\n```xml\n", true),
            ("It is written `", true),
            ("The `add` function.", false),
            ("The `add function.", false),
            ("> ", true),
            ("> quoted\n\n", false),
            ("<example>\n", true),
        ];
        for (text, expected) in table {
            let mut place = Place::default();
            place.feed(text);
            assert_eq!(place.shows_example(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_call_begins_at_the_start_of_a_line() {
        let table = [("", "  ", true), ("Words.\n\n", "   ", true), ("Words.\n", "  ", false)];
        for (text, indent, expected) in table {
            let mut place = Place::default();
            place.feed(text);
            assert_eq!(place.obstacle(indent).is_none(), expected, "{text:?} {indent:?}");
        }
        let mut place = Place::default();
        place.feed("- item\n\n");
        assert!(place.obstacle("  ").is_some());
    }
}
