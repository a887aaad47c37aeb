//! How is a call read that stands in tags: `<function=NAME><parameter=KEY>VALUE</parameter></function>`?
//!
//! Also with attributes and as `invoke`. Not XML: a value is verbatim text that may hold any of these tags, because files
//! about them are written too. So the end of a value is the last closing tag before the next argument or the end of the
//! call, and what is balanced inside a value counts as part of it. Tags that are missing are made up for only where
//! nothing else can be meant.

use std::ops::Range;

use crate::model::recover::wrapper::{self, Found};

/// What may stand before a tag's word.
const SPACES: &[&str] = &["minimax:", "steptml:", "seed:", "｜DSML｜"];
/// Longest name of a tool or argument, in bytes.
const MAX_NAME: usize = 128;

/// A tag that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tag<'a> {
    /// Begins a call of this tool.
    Call(&'a str),
    /// Ends a call.
    CallEnd,
    /// Begins the value of this argument.
    Argument(&'a str),
    /// Ends a value.
    ArgumentEnd,
    /// Begins what stands around calls.
    Wrap,
    /// Ends what stands around calls.
    WrapEnd,
}

/// How a call in tags ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With its own closing tag.
    Closed,
    /// Its closing tag is missing, and something else follows that shows where it ends.
    Followed,
    /// Every value is closed, and the text ends.
    AtEnd,
    /// In the middle of a value or a tag.
    Cut,
}

/// What a call in tags holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// Arguments with their values.
    Arguments(Vec<(&'a str, &'a str)>),
    /// A JSON object that begins at this byte.
    Json(usize),
}

/// A call in tags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Element<'a> {
    /// The tool's name as written.
    pub name: &'a str,
    /// Its arguments.
    pub body: Body<'a>,
    /// The byte after it.
    pub end: usize,
    /// How it ends.
    pub ending: Ending,
    /// Whether a value's closing tag is missing.
    pub has_open_value: bool,
}

/// Reads the tag that begins at byte `at`, and where it ends.
pub fn tag(text: &str, at: usize) -> Option<(Tag<'_>, usize)> {
    let rest = text[at..].strip_prefix('<')?;
    let (is_end, rest) = rest.strip_prefix('/').map_or((false, rest), |rest| (true, rest));
    let rest = SPACES.iter().find_map(|space| rest.strip_prefix(space)).unwrap_or(rest);
    let word = &rest[..rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len())];
    let after = &rest[word.len()..];
    if matches!(word, "tool_call" | "tool_calls" | "toolcall" | "function_calls") {
        let end = text.len() - after.strip_prefix('>')?.len();
        return Some((if is_end { Tag::WrapEnd } else { Tag::Wrap }, end));
    }
    let is_call = matches!(word, "function" | "invoke");
    if !is_call && !matches!(word, "parameter" | "param") {
        return None;
    }
    if is_end {
        let end = text.len() - after.strip_prefix('>')?.len();
        return Some((if is_call { Tag::CallEnd } else { Tag::ArgumentEnd }, end));
    }
    let (name, rest) = named(after)?;
    Some((if is_call { Tag::Call(name) } else { Tag::Argument(name) }, text.len() - rest.len()))
}

/// Reads `=NAME>` or ` name="NAME" ...>` and returns the name and what follows.
fn named(text: &str) -> Option<(&str, &str)> {
    let (name, rest) = if let Some(rest) = text.strip_prefix('=') {
        let end = rest.find(['>', '\n'])?;
        (&rest[..end], &rest[end + 1..])
    } else {
        let rest = text.strip_prefix(' ')?.trim_start().strip_prefix("name=")?;
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (name, rest) = rest[1..].split_once(quote)?;
        (name, &rest[rest.find('>')? + 1..])
    };
    let name = name.trim().trim_matches(['"', '\'']);
    (!name.is_empty() && name.len() <= MAX_NAME && !name.contains('<')).then_some((name, rest))
}

/// Reads the call that begins at byte `at`. None when it is no call: other words stand between its tags.
pub fn read(text: &str, at: usize) -> Option<Element<'_>> {
    let (Tag::Call(name), mut at) = tag(text, at)? else { return None };
    let mut element = Element { name, body: Body::Json(0), end: at, ending: Ending::Closed, has_open_value: false };
    let start = at + wrapper::spaces(&text[at..]);
    if text[start..].starts_with('{') {
        return Some(Element { body: Body::Json(start), ..element });
    }
    let mut arguments: Vec<(&str, &str)> = Vec::new();
    loop {
        at += wrapper::spaces(&text[at..]);
        element.end = at;
        match tag(text, at) {
            Some((Tag::Argument(key), start)) => {
                let given: Vec<&str> = arguments.iter().map(|(key, _)| *key).chain([key]).collect();
                let Some(stop) = value_end(text, start, &given) else {
                    element.ending = Ending::Cut;
                    break;
                };
                arguments.push((key, verbatim(&text[start..stop.value])));
                element.has_open_value |= stop.is_open;
                at = stop.next;
            }
            Some((Tag::CallEnd, end)) => {
                element.end = end;
                break;
            }
            Some((Tag::ArgumentEnd, end)) => at = end,
            Some((Tag::Call(_) | Tag::Wrap | Tag::WrapEnd, _)) => {
                element.ending = Ending::Followed;
                break;
            }
            None => {
                element.ending = ending_at(&text[at..], arguments.is_empty())?;
                break;
            }
        }
    }
    element.body = Body::Arguments(arguments);
    Some(element)
}

/// Says how a call ends where no tag of its own follows; none when it is no call.
fn ending_at(rest: &str, has_no_arguments: bool) -> Option<Ending> {
    if rest.is_empty() {
        return Some(if has_no_arguments { Ending::Cut } else { Ending::AtEnd });
    }
    if matches!(wrapper::closer(rest), Found::Yes(_)) {
        return Some(Ending::Followed);
    }
    let is_tag_begun = rest.starts_with('<') && !rest.contains(['>', '\n']);
    is_tag_begun.then_some(Ending::Cut)
}

/// Takes off the one line break on each side that belongs to the tags.
fn verbatim(value: &str) -> &str {
    let value = value.strip_prefix("\r\n").or_else(|| value.strip_prefix('\n')).unwrap_or(value);
    value.strip_suffix("\r\n").or_else(|| value.strip_suffix('\n')).unwrap_or(value)
}

/// Where a value ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stop {
    /// The byte after the value.
    value: usize,
    /// Where to go on reading.
    next: usize,
    /// Whether its closing tag is missing.
    is_open: bool,
}

/// Finds the end of the value that begins at `start`; none when the text ends before it does. `given` are the arguments
/// so far, this one included: a repeated one is part of the value.
fn value_end(text: &str, start: usize, given: &[&str]) -> Option<Stop> {
    let mut search = Search { text, start, calls: 0, wraps: 0, has_calls: false, closed: None, best: None, open: None };
    let mut at = start;
    while let Some(n) = text[at..].find('<') {
        let here = at + n;
        at = here + 1;
        let Some((tag, end)) = tag(text, here) else { continue };
        if let Some(stop) = search.step(tag, here..end, given) {
            return Some(stop);
        }
        at = end;
    }
    search.at_end()
}

/// A search for the end of a value.
struct Search<'a> {
    text: &'a str,
    start: usize,
    /// Calls open inside the value.
    calls: usize,
    /// Wrappers open inside the value.
    wraps: usize,
    /// Whether a call was opened inside the value, so that a missing tag may be one of its own.
    has_calls: bool,
    /// The last closing tag of a value outside calls in the value.
    closed: Option<Range<usize>>,
    /// The last place where value and call are both closed.
    best: Option<Stop>,
    /// The first place where the call is closed and the value is not.
    open: Option<Stop>,
}

impl Search<'_> {
    /// Takes the tag that stands `at` these bytes; returns the end of the value once it is sure.
    fn step(&mut self, tag: Tag<'_>, at: Range<usize>, given: &[&str]) -> Option<Stop> {
        let here = at.start;
        let is_line_start = here == self.start || self.text[..here].ends_with('\n');
        let closed = self.closed.as_ref().filter(|range| self.text[range.end..here].trim().is_empty());
        let closed = closed.map(|range| Stop { value: range.start, next: here, is_open: false });
        let is_outside = self.calls == 0 && self.best.is_none();
        match tag {
            Tag::ArgumentEnd if self.calls == 0 => self.closed = Some(at),
            Tag::Argument(key) if is_outside && !given.contains(&key) => {
                let open = Stop { value: here, next: here, is_open: true };
                return closed.or((is_line_start && self.closed.is_none()).then_some(open));
            }
            Tag::Argument(_) | Tag::ArgumentEnd => {}
            Tag::Call(_) | Tag::Wrap => {
                if let Some(best) = self.best.filter(|best| self.calls == 0 && self.is_next_call(best.next, here)) {
                    return Some(best);
                }
                if closed.is_some() && is_outside {
                    return closed;
                }
                self.has_calls |= is_line_start && tag != Tag::Wrap;
                let open = if tag == Tag::Wrap { &mut self.wraps } else { &mut self.calls };
                *open += usize::from(is_line_start);
            }
            Tag::CallEnd if self.calls > 0 => self.calls -= 1,
            Tag::WrapEnd if self.wraps > 0 => self.wraps -= 1,
            Tag::CallEnd | Tag::WrapEnd => {
                let open = Stop { value: here, next: here, is_open: true };
                self.open = self.open.or(Some(open).filter(|_| is_outside && closed.is_none()));
                self.best = closed.or(self.best);
            }
        }
        None
    }

    fn at_end(&self) -> Option<Stop> {
        // A call without the end of its value is believed only where nothing else can follow.
        let is_over = |stop: &Stop| {
            let next = wrapper::skip_closers(self.text, stop.next);
            next == self.text.len() || matches!(tag(self.text, next), Some((Tag::Call(_) | Tag::Wrap, _)))
        };
        if let Some(stop) = self.best.or(self.open.filter(|stop| !self.has_calls && is_over(stop))) {
            return Some(stop);
        }
        let closed = self.closed.as_ref().filter(|_| self.calls == 0)?;
        let rest = self.text[closed.end..].trim_start();
        let is_over = !rest.starts_with('<') || !rest.contains(['>', '\n']) || wrapper::closer(rest) != Found::No;
        is_over.then_some(Stop { value: closed.start, next: closed.end, is_open: false })
    }

    /// Says whether nothing but closing tags stands between the end of a call and the beginning of another.
    fn is_next_call(&self, from: usize, to: usize) -> bool {
        let end = wrapper::skip_closers(self.text, from);
        end <= to && self.text[end..to].trim().is_empty()
    }
}

#[cfg(test)]
#[path = "xml_tests.rs"]
mod tests;
