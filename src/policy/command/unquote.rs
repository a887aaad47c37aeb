//! What does one word mean once its quotes are taken off?
//!
//! The half of [`crate::policy::command::scan`] that reads inside words: quotes, backslashes, dollar signs, braces and
//! tildes. A word that bash fills in only when it runs keeps its text as written and says so.

use crate::policy::command::scan::{Reader, Token, Unknown, Word, scan_nested};

/// Most numbers of a range like `{1..9}` that is taken for a word.
const MAX_RANGE: i64 = 1000;

/// A word under construction.
struct Draft {
    start: usize,
    text: String,
    pattern: String,
    has_glob: bool,
    unknown: Option<Unknown>,
    is_quoted: bool,
    /// Places in `text` of braces that are not quoted.
    braces: Vec<usize>,
    is_range: bool,
}

impl Draft {
    /// Adds a character without quotes around it.
    fn push_bare(&mut self, c: char) {
        if matches!(c, '{' | '}' | '\\') {
            self.pattern.push('\\');
        }
        self.pattern.push(c);
        self.text.push(c);
    }

    fn push(&mut self, c: char) {
        if matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!' | ',') {
            self.pattern.push('\\');
        }
        self.pattern.push(c);
        self.text.push(c);
    }

    fn push_all(&mut self, text: &str) {
        text.chars().for_each(|c| self.push(c));
    }

    fn push_glob(&mut self, c: char) {
        self.has_glob = true;
        self.pattern.push(c);
        self.text.push(c);
    }
}

impl Reader<'_> {
    /// Reads the word that starts here.
    pub(super) fn word(&mut self) {
        let mut draft = Draft {
            start: self.at,
            text: String::new(),
            pattern: String::new(),
            has_glob: false,
            unknown: None,
            is_quoted: false,
            braces: Vec::new(),
            is_range: false,
        };
        if self.peek() == Some('~') {
            self.tilde(&mut draft);
        }
        while let Some(c) = self.peek() {
            match c {
                '<' | '>' if self.text[self.at + 1..].starts_with('(') => {
                    self.at += 1;
                    draft.push(c);
                    self.parentheses(&mut draft);
                }
                ' ' | '\t' | '\n' | ';' | '|' | '&' | ')' | '(' | '<' | '>' => break,
                _ => self.piece(c, &mut draft),
            }
        }
        if self.at == draft.start {
            // Nothing above takes this character; taking it keeps the reading going.
            self.doubt("a character here means nothing to bash");
            self.at += self.peek().map_or(1, char::len_utf8);
            return;
        }
        self.finish(draft);
    }

    fn piece(&mut self, c: char, draft: &mut Draft) {
        self.at += c.len_utf8();
        match c {
            '\\' => match self.take() {
                Some('\n') => {}
                Some(c) => {
                    draft.is_quoted = true;
                    draft.push(c);
                }
                None => self.doubt("a backslash at the end"),
            },
            '\'' => self.single(draft),
            '"' => self.double(draft),
            '$' => self.dollar(draft),
            '`' => self.backquotes(draft),
            '*' | '?' | '[' | ']' => draft.push_glob(c),
            '{' | '}' => {
                draft.braces.push(draft.text.len());
                draft.push_bare(c);
            }
            // After these bash may expand a tilde too, when the word looks like an assignment.
            '~' if draft.text.ends_with(['=', ':']) => {
                draft.unknown = Some(Unknown::Tilde);
                match draft.text.ends_with('=') && self.peek().is_none_or(|c| matches!(c, '/' | ' ' | '\t' | '\n')) {
                    true => draft.push_all(self.home),
                    false => draft.push(c),
                }
            }
            _ => draft.push_bare(c),
        }
    }

    fn tilde(&mut self, draft: &mut Draft) {
        self.at += 1;
        match self.peek() {
            None | Some('/' | ' ' | '\t' | '\n' | ';' | '|' | '&' | ')') => draft.push_all(self.home),
            _ => {
                draft.unknown = Some(Unknown::Tilde);
                draft.push('~');
            }
        }
    }

    fn single(&mut self, draft: &mut Draft) {
        draft.is_quoted = true;
        let rest = &self.text[self.at..];
        let Some(end) = rest.find('\'') else {
            self.doubt("a quote has no end");
            draft.push_all(rest);
            self.at = self.text.len();
            return;
        };
        draft.push_all(&rest[..end]);
        self.at += end + 1;
    }

    fn double(&mut self, draft: &mut Draft) {
        draft.is_quoted = true;
        while let Some(c) = self.take() {
            match c {
                '"' => return,
                '\\' => match self.take() {
                    Some('\n') | None => {}
                    Some(c @ ('$' | '`' | '"' | '\\')) => draft.push(c),
                    Some(c) => {
                        draft.push('\\');
                        draft.push(c);
                    }
                },
                '$' if self.peek() == Some('\'') || self.peek() == Some('"') => draft.push('$'),
                '$' => self.dollar(draft),
                '`' => self.backquotes(draft),
                _ => draft.push(c),
            }
        }
        self.doubt("a quote has no end");
    }

    /// What follows a dollar sign.
    fn dollar(&mut self, draft: &mut Draft) {
        match self.peek() {
            Some('\'') => {
                self.at += 1;
                self.escaped(draft);
            }
            Some('"') => draft.unknown = Some(Unknown::Expansion),
            Some('(') => {
                draft.push('$');
                self.parentheses(draft);
            }
            Some('{') => self.parameter(draft),
            Some(c) if c.is_ascii_alphanumeric() || "_@*#?-$!".contains(c) => {
                draft.unknown = Some(Unknown::Expansion);
                let rest = &self.text[self.at..];
                let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
                let n = if is_name(c) && !c.is_ascii_digit() {
                    rest.find(|c| !is_name(c)).unwrap_or(rest.len())
                } else {
                    1
                };
                let name = &rest[..n];
                self.at += n;
                self.variable(name, draft);
            }
            Some('[') => {
                draft.unknown = Some(Unknown::Expansion);
                draft.push('$');
            }
            _ => draft.push('$'),
        }
    }

    fn variable(&self, name: &str, draft: &mut Draft) {
        if name == "HOME" {
            draft.push_all(self.home);
        } else {
            draft.push('$');
            draft.push_all(name);
        }
    }

    fn parameter(&mut self, draft: &mut Draft) {
        draft.unknown = Some(Unknown::Expansion);
        let inner = self.enclosed('{', '}');
        self.look_into(&inner);
        if inner.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.variable(&inner, draft);
        } else {
            draft.push_all("${");
            draft.push_all(&inner);
            draft.push('}');
        }
    }

    fn parentheses(&mut self, draft: &mut Draft) {
        draft.unknown = Some(Unknown::Expansion);
        let inner = self.enclosed('(', ')');
        self.look_into(&inner);
        draft.push('(');
        draft.push_all(&inner);
        draft.push(')');
    }

    fn backquotes(&mut self, draft: &mut Draft) {
        draft.unknown = Some(Unknown::Expansion);
        let mut inner = String::new();
        loop {
            match self.take() {
                Some('`') => break,
                Some('\\') => inner.extend(self.take()),
                Some(c) => inner.push(c),
                None => {
                    self.doubt("a backquote has no end");
                    break;
                }
            }
        }
        self.look_into(&inner);
        draft.push('`');
        draft.push_all(&inner);
        draft.push('`');
    }

    /// Takes what stands between two brackets, the first of which stands here, quotes and brackets inside respected.
    fn enclosed(&mut self, open: char, close: char) -> String {
        let start = self.at + open.len_utf8();
        let mut depth = 0_usize;
        while let Some(c) = self.take() {
            match c {
                '\\' => drop(self.take()),
                '\'' => {
                    let rest = &self.text[self.at..];
                    self.at += rest.find('\'').map_or(rest.len(), |end| end + 1);
                }
                c if c == open => depth += 1,
                c if c == close => {
                    depth -= 1;
                    if depth == 0 {
                        return self.text[start..self.at - close.len_utf8()].to_owned();
                    }
                }
                _ => {}
            }
        }
        self.doubt("a bracket has no end");
        self.text[start.min(self.text.len())..].to_owned()
    }

    fn look_into(&mut self, inner: &str) {
        let nested = scan_nested(inner, self.home, self.depth);
        self.found.nested.push((self.found.tokens.len(), nested));
    }

    /// `$'...'`: escapes are what they stand for.
    fn escaped(&mut self, draft: &mut Draft) {
        draft.is_quoted = true;
        while let Some(c) = self.take() {
            match c {
                '\'' => return,
                '\\' => match self.escape() {
                    Some(c) => draft.push(c),
                    None => draft.unknown = Some(Unknown::Expansion),
                },
                _ => draft.push(c),
            }
        }
        self.doubt("a quote has no end");
    }

    /// Returns the character of an escape; none where it is no whole character, or one that ends the word for bash.
    fn escape(&mut self) -> Option<char> {
        let c = self.take()?;
        let simple = match c {
            'a' => '\x07',
            'b' => '\x08',
            'e' | 'E' => '\x1b',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\x0b',
            '\\' | '\'' | '"' | '?' => c,
            'x' => return self.digits(16, 2).filter(char::is_ascii),
            'u' => return self.digits(16, 4),
            'U' => return self.digits(16, 8),
            '0'..='7' => {
                self.at -= 1;
                return self.digits(8, 3).filter(char::is_ascii);
            }
            _ => return None,
        };
        Some(simple)
    }

    fn digits(&mut self, radix: u32, most: usize) -> Option<char> {
        let rest = &self.text[self.at..];
        let n = rest.chars().take(most).take_while(|c| c.is_digit(radix)).count();
        let value = u32::from_str_radix(&rest[..n], radix).ok();
        self.at += n;
        value.filter(|value| *value != 0).and_then(char::from_u32)
    }

    fn finish(&mut self, mut draft: Draft) {
        let is_reserved = matches!(draft.text.as_str(), "{" | "}" | "{}");
        if !is_reserved && draft.braces.len() > 1 {
            match small_range(&draft.text) {
                true if draft.braces.len() == 2 => draft.is_range = true,
                _ if draft.text.contains(',') || draft.text.contains("..") => draft.unknown = Some(Unknown::Braces),
                _ => {}
            }
        }
        // A lone `[` is a command, and `[` without its end is a character.
        let has_glob = draft.has_glob && (draft.pattern.contains(['*', '?']) || draft.text.contains(']'));
        let is_glob = has_glob && is_pattern(&draft.pattern);
        self.found.tokens.push(Token::Word(Word {
            range: draft.start..self.at,
            text: draft.text,
            unknown: draft.unknown,
            pattern: is_glob.then_some(draft.pattern),
            is_quoted: draft.is_quoted,
            is_range: draft.is_range,
        }));
    }
}

/// Says whether anything in the pattern is not escaped.
fn is_pattern(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => drop(chars.next()),
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// Says whether the word is `{1..9}` with few numbers.
fn small_range(text: &str) -> bool {
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
    let ends = inner.and_then(|inner| inner.split_once(".."));
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| number.abs() < 1_000_000_000);
    ends.and_then(|(low, high)| Some((number(low)?, number(high)?)))
        .is_some_and(|(low, high)| (high - low).abs() < MAX_RANGE)
}
