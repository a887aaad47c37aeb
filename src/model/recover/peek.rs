//! Is this the beginning of a call, as far as it has come?
//!
//! Asked at every opener while the answer still streams: what cannot be a call of a tool on offer is shown at once, and
//! what can be is held back. A verdict never changes with more text, so it does not matter how the stream was cut.

use crate::model::recover::named;
use crate::model::recover::toolbox::Toolbox;
use crate::model::recover::wrapper::{self, Gate, Opener};
use crate::model::recover::xml;

/// Longest name that is waited for, in bytes.
const MAX_NAME: usize = 128;
/// Keys that hold the name of the tool.
pub const NAME_KEYS: &[&str] = &["name", "tool", "tool_name", "function", "function_name", "recipient_name"];
/// Keys that hold the arguments.
pub const ARGUMENT_KEYS: &[&str] =
    &["arguments", "parameters", "args", "input", "params", "tool_input", "tool_arguments", "kwargs"];
/// Keys that hold calls themselves.
pub const CALL_KEYS: &[&str] = &["tool_calls", "tool_call", "function_call", "function"];
/// Keys that may stand beside them.
pub const OTHER_KEYS: &[&str] = &["id", "type", "index", "call_id", "tool_call_id"];

/// What is known so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Peek {
    /// It may be a call of this tool.
    Call(String),
    /// More must be seen.
    More,
    /// No call.
    Other,
    /// A call of a tool that is not on offer.
    Unknown(String),
}

/// Judges the text that begins with `opener`.
pub fn peek(toolbox: &Toolbox, text: &str, opener: &Opener) -> Peek {
    let look = Look { toolbox, text, is_strict: opener.gate != Gate::Marked };
    let peek = match opener.gate {
        Gate::Marked => look.at(wrapper::skip_openers(text, opener.body).0),
        Gate::Naked => look.at(opener.body),
        Gate::Fence => look.fence(),
    };
    match peek {
        // What a mark promises is waited for; a brace promises nothing.
        Peek::Unknown(_) if opener.gate != Gate::Marked => Peek::Other,
        peek => peek,
    }
}

/// Returns where the content of a code fence begins that may hold a call.
pub fn fence_body(text: &str) -> Option<usize> {
    let ticks = text.len() - text.trim_start_matches('`').len();
    let (info, _) = text[ticks..].split_once('\n')?;
    let is_json = matches!(info.trim().to_lowercase().as_str(), "" | "json" | "json5" | "tool_call");
    (ticks >= 3 && is_json).then_some(ticks + info.len() + 1)
}

struct Look<'a> {
    toolbox: &'a Toolbox,
    text: &'a str,
    /// Whether keys nobody expects in a call mean that it is none.
    is_strict: bool,
}

impl Look<'_> {
    fn fence(&self) -> Peek {
        let Some(start) = fence_body(self.text) else {
            return if self.text.contains('\n') { Peek::Other } else { Peek::More };
        };
        let at = start + wrapper::spaces(&self.text[start..]);
        match self.text[at..].chars().next() {
            None => Peek::More,
            Some('{') => self.object(at),
            Some(_) => Peek::Other,
        }
    }

    fn at(&self, at: usize) -> Peek {
        let rest = &self.text[at..];
        match rest.chars().next() {
            None => Peek::More,
            Some('<') => self.tag(at),
            Some('{') => self.object(at),
            Some('[') => self.list(at),
            Some(c) if c.is_alphabetic() || c == '_' => self.name(at),
            Some(_) => Peek::Other,
        }
    }

    fn tag(&self, at: usize) -> Peek {
        if let Some((xml::Tag::Call(name), end)) = xml::tag(self.text, at) {
            // A longer one was not waited for.
            return if end - at <= MAX_NAME + 1 { self.judge(name) } else { Peek::Other };
        }
        let rest = &self.text[at..];
        // An opener that has only begun, or a name that has.
        let line = rest.split_once('\n').map_or(rest, |(line, _)| line);
        let may_grow = line.len() == rest.len() && !line.contains('>') && rest.len() <= MAX_NAME;
        let begins_call = ["<function", "<invoke", "<minimax:invoke", "<steptml:invoke", "<｜DSML｜invoke"]
            .iter()
            .any(|tag| rest.starts_with(tag) || tag.starts_with(rest));
        let may_be = begins_call
            || wrapper::opener(rest) == wrapper::Found::Maybe
            || wrapper::FILLERS.iter().any(|mark| mark.starts_with(rest));
        if may_be && may_grow { Peek::More } else { Peek::Other }
    }

    fn list(&self, at: usize) -> Peek {
        let inside = at + 1 + wrapper::spaces(&self.text[at + 1..]);
        match self.text[inside..].chars().next() {
            None => Peek::More,
            Some('{') => self.object(inside),
            Some(c) if c.is_alphabetic() || c == '_' => {
                let (name, end) = named::name_at(self.text, inside);
                match self.text[end..].chars().next() {
                    None if name.len() <= MAX_NAME => Peek::More,
                    Some('(') if name.len() <= MAX_NAME => self.judge(name),
                    _ => Peek::Other,
                }
            }
            Some(_) => Peek::Other,
        }
    }

    fn name(&self, at: usize) -> Peek {
        let (name, end) = named::name_at(self.text, at);
        if name.len() > MAX_NAME {
            return Peek::Other;
        }
        if end == self.text.len() {
            return Peek::More;
        }
        if name == "function" && "<｜tool▁sep｜>".starts_with(&self.text[end..]) {
            return Peek::More;
        }
        let after = self.text[end..].trim_start();
        match self.judge(name.strip_suffix(".call").unwrap_or(name)) {
            Peek::Unknown(_) if after.is_empty() => Peek::More,
            // After a mark may come a word, as before Python code.
            Peek::Unknown(_) if !after.starts_with(['{', '[', '<', '(']) => Peek::Other,
            peek => peek,
        }
    }

    fn judge(&self, name: &str) -> Peek {
        match self.toolbox.resolve(name) {
            Some(tool) => Peek::Call(tool.name.clone()),
            None => Peek::Unknown(name.to_owned()),
        }
    }

    /// Walks the keys of an object until one tells the tool.
    fn object(&self, at: usize) -> Peek {
        let mut at = at + 1;
        loop {
            at += skip(&self.text[at..], |c| c.is_whitespace() || c == ',');
            let Some((key, after)) = string(self.text, at) else { return self.none_at(at) };
            at = after + skip(&self.text[after..], char::is_whitespace);
            match self.text[at..].chars().next() {
                None => return Peek::More,
                Some(':') => at += 1,
                Some(_) => return Peek::Other,
            }
            at += skip(&self.text[at..], char::is_whitespace);
            let Some(first) = self.text[at..].chars().next() else { return Peek::More };
            if CALL_KEYS.contains(&key) && matches!(first, '{' | '[') {
                return if first == '{' { self.object(at) } else { self.list(at) };
            }
            if NAME_KEYS.contains(&key) {
                return match string(self.text, at) {
                    // One that is longer than what is waited for is none however it arrives; the quote before it counts.
                    Some((name, _)) if name.len() < MAX_NAME => self.judge(name),
                    Some(_) => Peek::Other,
                    None => self.none_at(at),
                };
            }
            let may_pass = ARGUMENT_KEYS.contains(&key) || OTHER_KEYS.contains(&key) || !self.is_strict;
            match value_end(self.text, at).filter(|_| may_pass) {
                Some(end) => at = end,
                None if may_pass => return Peek::More,
                None => return Peek::Other,
            }
        }
    }

    /// Judges a place where no whole string stands: it may have begun.
    fn none_at(&self, at: usize) -> Peek {
        let rest = &self.text[at..];
        let is_begun = rest.is_empty()
            || (rest.starts_with(['"', '\'']) && rest.len() <= MAX_NAME)
            || rest.chars().all(|c| c.is_alphanumeric() || c == '_');
        if is_begun { Peek::More } else { Peek::Other }
    }
}

fn skip(text: &str, is_skipped: impl Fn(char) -> bool) -> usize {
    text.len() - text.trim_start_matches(is_skipped).len()
}

/// Reads a short string in either quotes, or a bare word, that is whole: its text and the byte after it.
fn string(text: &str, at: usize) -> Option<(&str, usize)> {
    let rest = &text[at..];
    let quote = rest.chars().next()?;
    if quote == '"' || quote == '\'' {
        let end = rest[1..].find(quote)?;
        return Some((&rest[1..=end], at + end + 2));
    }
    let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|end| *end > 0)?;
    Some((&rest[..end], at + end))
}

/// Returns the byte after the value that begins at `at`, which may be any; none when it has not ended yet.
fn value_end(text: &str, at: usize) -> Option<usize> {
    let (mut depth, mut quote, mut is_escaped) = (0_usize, None, false);
    for (n, c) in text[at..].char_indices() {
        let end = at + n + c.len_utf8();
        match (quote, c) {
            (Some(_), _) if is_escaped => is_escaped = false,
            (Some(_), '\\') => is_escaped = true,
            (Some(open), c) if c == open => {
                quote = None;
                if depth == 0 {
                    return Some(end);
                }
            }
            (None, '"' | '\'') => quote = Some(c),
            (None, '{' | '[') => depth += 1,
            (None, ',' | '}' | ']') if depth == 0 => return Some(at + n),
            (None, '}' | ']') => {
                depth -= 1;
                if depth == 0 {
                    return Some(end);
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
#[path = "peek_tests.rs"]
mod tests;
