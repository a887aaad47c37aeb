//! How is JSON read that a model wrote almost right?
//!
//! Strictly first. Then with the slips models make: Python's words and quotes, trailing commas, bare keys, line breaks
//! and unescaped quotes inside strings, a brace too few before a closing tag. It says where the value ends and whether the
//! text broke off; it must never complete what broke off, because half a file would be written.

use serde_json::{Map, Number, Value};

/// Nesting beyond which nothing a model means is read.
const MAX_DEPTH: usize = 64;

/// A value and where it ends.
#[derive(Debug, Clone, PartialEq)]
pub struct Read {
    /// The value, keys in their order.
    pub value: Value,
    /// The byte after it.
    pub end: usize,
    /// Whether it was not quite JSON.
    pub is_repaired: bool,
}

/// Why there is no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// The text ends before the value does.
    Truncated,
    /// It is something else.
    Malformed,
}

/// Reads the value that begins at byte `at`.
pub fn read(text: &str, at: usize) -> Result<Read, Broken> {
    let mut strict = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Value>();
    if let Some(Ok(value)) = strict.next() {
        return Ok(Read { value, end: at + strict.byte_offset(), is_repaired: false });
    }
    let mut reader = Reader { text, at, depth: 0 };
    let value = reader.value(Context::Top)?;
    Ok(Read { value, end: reader.at, is_repaired: true })
}

/// Reads a text that is one value and nothing else but white space and stray closing braces after it.
pub fn read_all(text: &str) -> Result<Read, Broken> {
    let read = read(text, 0)?;
    let rest = text[read.end..].trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '}' | ']' | ';'));
    let rest = &rest[crate::model::recover::wrapper::skip_closers(rest, 0)..];
    if !rest.trim().is_empty() {
        return Err(Broken::Malformed);
    }
    let is_whole = text[read.end..].trim().is_empty();
    Ok(Read { is_repaired: read.is_repaired || !is_whole, ..read })
}

/// Takes an object out of a value that may be one written as text, once or twice; nothing stands for an empty one.
pub fn object_of(value: Value) -> Option<Map<String, Value>> {
    let mut value = value;
    for _ in 0..3 {
        match value {
            Value::Object(fields) => return Some(fields),
            Value::Null => return Some(Map::new()),
            Value::String(text) if text.trim().is_empty() => return Some(Map::new()),
            Value::String(text) => value = read_all(text.trim()).ok()?.value,
            _ => return None,
        }
    }
    None
}

/// Where a string stands, which tells what may follow its closing quote.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Context {
    Top,
    Key,
    Member,
    Item,
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl Reader<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn skip_spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    /// Returns the next character after white space, which is skipped.
    fn peek(&mut self) -> Result<char, Broken> {
        self.skip_spaces();
        self.rest().chars().next().ok_or(Broken::Truncated)
    }

    fn eat(&mut self, text: &str) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    fn value(&mut self, context: Context) -> Result<Value, Broken> {
        match self.peek()? {
            '{' => self.nested(Self::object),
            '[' => self.nested(Self::array),
            '"' | '\'' => self.string(context).map(Value::String),
            '<' if self.rest().starts_with(GEMMA_QUOTE) => self.string(context).map(Value::String),
            '<' if GEMMA_QUOTE.starts_with(self.rest()) => Err(Broken::Truncated),
            '-' | '+' | '.' | '0'..='9' => self.number(),
            _ => self.word(),
        }
    }

    fn nested(&mut self, read: fn(&mut Self) -> Result<Value, Broken>) -> Result<Value, Broken> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Broken::Malformed);
        }
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self) -> Result<Value, Broken> {
        let mut fields = Map::new();
        loop {
            match self.peek()? {
                '}' => {
                    self.at += 1;
                    return Ok(Value::Object(fields));
                }
                ',' => self.at += 1,
                _ if !fields.is_empty() && self.is_at_closing_tag() => return Ok(Value::Object(fields)),
                _ => {
                    let key = self.key()?;
                    if self.peek()? != ':' {
                        return Err(Broken::Malformed);
                    }
                    self.at += 1;
                    let value = self.value(Context::Member)?;
                    fields.insert(key, value);
                    if !matches!(self.peek()?, ',' | '}') && !self.is_at_closing_tag() {
                        return Err(Broken::Malformed);
                    }
                }
            }
        }
    }

    /// Says whether the tag around the call closes here: only braces are missing then, and nothing was cut.
    fn is_at_closing_tag(&self) -> bool {
        ["</tool_call", "</function", "<|tool_call_end|>"].iter().any(|tag| self.rest().starts_with(tag))
    }

    fn key(&mut self) -> Result<String, Broken> {
        let c = self.peek()?;
        if matches!(c, '"' | '\'' | '<') {
            return self.string(Context::Key);
        }
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-'))).ok_or(Broken::Truncated)?;
        if end == 0 {
            return Err(Broken::Malformed);
        }
        let key = rest[..end].to_owned();
        self.at += end;
        Ok(key)
    }

    fn array(&mut self) -> Result<Value, Broken> {
        let mut items = Vec::new();
        loop {
            match self.peek()? {
                ']' => {
                    self.at += 1;
                    return Ok(Value::Array(items));
                }
                ',' => self.at += 1,
                _ => {
                    items.push(self.value(Context::Item)?);
                    if !matches!(self.peek()?, ',' | ']') {
                        return Err(Broken::Malformed);
                    }
                }
            }
        }
    }

    fn number(&mut self) -> Result<Value, Broken> {
        let rest = self.rest();
        let is_part = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E' | '_');
        let end = rest.find(|c| !is_part(c)).ok_or(Broken::Truncated)?;
        let digits = rest[..end].replace('_', "");
        self.at += end;
        if let Ok(number) = serde_json::from_str::<Number>(&digits) {
            return Ok(Value::Number(number));
        }
        let number = digits.parse::<f64>().ok().and_then(Number::from_f64);
        number.map(Value::Number).ok_or(Broken::Malformed)
    }

    fn word(&mut self) -> Result<Value, Broken> {
        let rest = self.rest();
        let end = rest.find(|c: char| !c.is_ascii_alphabetic()).ok_or(Broken::Truncated)?;
        let value = match &rest[..end] {
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            "null" | "None" | "undefined" | "nil" | "NULL" => Value::Null,
            _ => return Err(Broken::Malformed),
        };
        self.at += end;
        Ok(value)
    }

    /// Reads a string in whatever quotes it stands. A quote inside that was not escaped is told from the closing one by
    /// what follows it.
    fn string(&mut self, context: Context) -> Result<String, Broken> {
        let quote = QUOTES.iter().find(|quote| self.rest().starts_with(**quote)).ok_or(Broken::Malformed)?;
        self.at += quote.len();
        let mut out = String::new();
        loop {
            let rest = self.rest();
            let plain = rest.find(['\\', '"', '\'', '<']).ok_or(Broken::Truncated)?;
            out.push_str(&rest[..plain]);
            self.at += plain;
            if self.rest().starts_with(quote) && (quote.len() > 1 || self.closes(self.at + 1, context)) {
                self.at += quote.len();
                return Ok(out);
            }
            if self.eat("\\") {
                self.escape(&mut out)?;
            } else {
                out.push(self.rest().chars().next().ok_or(Broken::Truncated)?);
                self.at += 1;
            }
        }
    }

    /// Says whether a quote before byte `at` can be the closing one.
    fn closes(&self, at: usize, context: Context) -> bool {
        let rest = self.text[at..].trim_start();
        let Some(next) = rest.chars().next() else { return true };
        match (context, next) {
            (Context::Top, _) | (Context::Key, ':') | (Context::Item, ']') => true,
            (Context::Member, '}') => {
                let after = rest[1..].trim_start().chars().next();
                after.is_none_or(|c| "}],;<[{`)".contains(c))
            }
            (Context::Member, ',') => is_key_next(&rest[1..]),
            (Context::Item, ',') => {
                rest[1..].trim_start().starts_with(|c: char| c.is_ascii_digit() || "\"'{[]-tfnTFN".contains(c))
            }
            (Context::Member, '<') => rest.starts_with("</tool_call") || rest.starts_with("</function"),
            _ => false,
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), Broken> {
        let c = self.rest().chars().next().ok_or(Broken::Truncated)?;
        self.at += c.len_utf8();
        match c {
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'u' => return self.unicode(out),
            '"' | '\'' | '\\' | '/' | '\n' => out.push(c),
            // `\d` of a pattern that was not escaped twice.
            other => out.extend(['\\', other]),
        }
        Ok(())
    }

    fn unicode(&mut self, out: &mut String) -> Result<(), Broken> {
        let first = self.hex4()?;
        let code = if (0xd800..0xdc00).contains(&first) && self.eat("\\u") {
            let second = self.hex4()?;
            0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff)
        } else {
            first
        };
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(())
    }

    fn hex4(&mut self) -> Result<u32, Broken> {
        let digits = match self.rest().get(..4) {
            Some(digits) => digits,
            None if self.rest().len() < 4 => return Err(Broken::Truncated),
            None => return Err(Broken::Malformed),
        };
        let code = u32::from_str_radix(digits, 16).map_err(|_| Broken::Malformed)?;
        self.at += 4;
        Ok(code)
    }
}

/// Gemma's mark around strings.
const GEMMA_QUOTE: &str = "<|\"|>";
/// The quotes strings stand in, longer ones first.
const QUOTES: &[&str] = &["\"\"\"", "'''", GEMMA_QUOTE, "\"", "'"];

/// Says whether a key of an object, or its end after a trailing comma, comes next.
fn is_key_next(text: &str) -> bool {
    let rest = text.trim_start();
    let Some(quote) = rest.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return rest.is_empty() || rest.starts_with('}');
    };
    let key = rest[1..].find(quote).map(|end| (&rest[1..=end], rest[end + 2..].trim_start()));
    key.is_some_and(|(key, after)| !key.contains('\n') && (after.starts_with(':') || after.is_empty()))
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
