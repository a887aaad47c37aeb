//! Which words and operators does bash read in this text?
//!
//! Splits a text by bash's own rules of quoting and says of each word what it means, or that this is known only when it
//! runs. It is one of two readers: `tree` reads the same text with a grammar, and where they disagree nothing is allowed.
//! Never fails: what cannot be read becomes a doubt, and the words found so far stay visible to rules that refuse.

use std::ops::Range;

/// Deepest substitution inside a substitution that is looked into.
const MAX_DEPTH: usize = 6;

/// Why it is not known before it runs what a word stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// A variable, a substitution, or anything else after a dollar sign or in backquotes.
    Expansion,
    /// Braces that make several words.
    Braces,
    /// A tilde that is not the own home folder.
    Tilde,
}

/// One word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    /// Where it stands in the text.
    pub range: Range<usize>,
    /// What it means, quotes taken off; what is not known stands as it was written.
    pub text: String,
    /// Why the meaning is not known.
    pub unknown: Option<Unknown>,
    /// The word as a pattern of file names, literal parts escaped, where bash would look for files.
    pub pattern: Option<String>,
    /// Whether any part was quoted.
    pub is_quoted: bool,
    /// Numbers in braces: several words, all of them numbers.
    pub is_range: bool,
}

impl Word {
    /// Says whether the word means exactly its text.
    pub fn is_literal(&self) -> bool {
        self.unknown.is_none() && self.pattern.is_none() && !self.is_range
    }
}

/// How input or output is led elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lead {
    /// `<`
    From,
    /// `>`, `>>`, `>|`, `&>`, `&>>`, `<>`, and `>&` with a file.
    To,
    /// `>&` or `<&` with a number or a dash.
    Copy,
    /// `<<` or `<<-`
    HereDocument,
    /// `<<<`
    HereText,
}

/// A piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    /// A word.
    Word(Word),
    /// `;`, `&&`, `||` or the end of a line.
    Then,
    /// `|` or `|&`.
    Pipe,
    /// `&`, `(`, `)`, `;;`: what makes more of a line than commands one after the other.
    Other(&'static str),
    /// A redirection; its word follows.
    Lead(Lead),
}

/// A text, read.
#[derive(Debug, Default)]
pub struct Scan {
    /// The pieces in order.
    pub tokens: Vec<Token>,
    /// What stands in substitutions, each read on its own, with the place of the word it stands in.
    pub nested: Vec<(usize, Self)>,
    /// Why nothing of this text may run without a question.
    pub doubts: Vec<&'static str>,
}

/// Reads a text. `home` is what `~` and `$HOME` stand for.
pub fn scan(text: &str, home: &str) -> Scan {
    scan_at(text, home, 0)
}

fn scan_at(text: &str, home: &str, depth: usize) -> Scan {
    let mut reader = Reader { text, at: 0, home, depth, found: Scan::default(), waiting: Vec::new() };
    reader.read();
    reader.found
}

/// A here-document whose body is still to come.
struct Waiting {
    end: String,
    is_literal: bool,
    strips_tabs: bool,
}

/// A reading under way.
pub(super) struct Reader<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    pub(super) home: &'a str,
    pub(super) depth: usize,
    pub(super) found: Scan,
    waiting: Vec<Waiting>,
}

impl Reader<'_> {
    pub(super) fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn starts(&self, what: &str) -> bool {
        self.text[self.at..].starts_with(what)
    }

    pub(super) fn take(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    fn skip(&mut self, what: &str) -> bool {
        let is_there = self.starts(what);
        if is_there {
            self.at += what.len();
        }
        is_there
    }

    pub(super) fn doubt(&mut self, why: &'static str) {
        if !self.found.doubts.contains(&why) {
            self.found.doubts.push(why);
        }
    }

    fn read(&mut self) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' => self.at += 1,
                '\\' if self.starts("\\\n") => self.at += 2,
                '#' => self.comment(),
                '\n' => {
                    self.at += 1;
                    self.found.tokens.push(Token::Then);
                    self.bodies();
                }
                _ => {
                    if !self.operator() {
                        self.word();
                    }
                }
            }
        }
        if !self.waiting.is_empty() {
            self.doubt("a here-document has no end");
        }
    }

    fn comment(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.find('\n').unwrap_or(rest.len());
    }

    /// Reads an operator, if one stands here. Longer ones come first.
    fn operator(&mut self) -> bool {
        const TABLE: &[(&str, Token)] = &[
            ("&&", Token::Then),
            ("&>>", Token::Lead(Lead::To)),
            ("&>", Token::Lead(Lead::To)),
            ("||", Token::Then),
            ("|&", Token::Pipe),
            ("|", Token::Pipe),
            (";;", Token::Other(";;")),
            (";&", Token::Other(";&")),
            (";", Token::Then),
            ("&", Token::Other("&")),
            ("(", Token::Other("(")),
            (")", Token::Other(")")),
        ];
        // Digits right in front of `<` and `>` belong to them.
        let digits = self.text[self.at..].bytes().take_while(u8::is_ascii_digit).count();
        if self.text[self.at + digits..].starts_with(['<', '>']) {
            let back = self.at;
            self.at += digits;
            if !self.starts("<(") && !self.starts(">(") {
                self.lead();
                return true;
            }
            self.at = back;
        }
        for (sign, token) in TABLE {
            if self.skip(sign) {
                self.found.tokens.push(token.clone());
                return true;
            }
        }
        false
    }

    fn lead(&mut self) {
        let strips_tabs = self.starts("<<-");
        let lead = if self.skip("<<<") {
            Lead::HereText
        } else if self.skip("<<-") || self.skip("<<") {
            Lead::HereDocument
        } else if self.skip("<>") || self.skip(">>") || self.skip(">|") {
            Lead::To
        } else if self.skip(">&") || self.skip("<&") {
            let rest = self.text[self.at..].trim_start_matches([' ', '\t']);
            let word = rest.split([' ', '\t', '\n', ';', '|', '&', '<', '>', '(', ')']).next().unwrap_or_default();
            let number = word.strip_suffix('-').unwrap_or(word);
            if !word.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) { Lead::Copy } else { Lead::To }
        } else if self.skip(">") {
            Lead::To
        } else {
            self.at += 1;
            Lead::From
        };
        self.found.tokens.push(Token::Lead(lead));
        if lead == Lead::HereDocument {
            self.begin_document(strips_tabs);
        }
    }

    fn begin_document(&mut self, strips_tabs: bool) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
        if self.peek().is_none_or(|c| matches!(c, '\n' | ';' | '|' | '&' | '<' | '>' | '(' | ')' | '#')) {
            return self.doubt("a here-document has no name");
        }
        self.word();
        let Some(Token::Word(word)) = self.found.tokens.last() else { return };
        let (end, is_literal) = (word.text.clone(), word.is_quoted);
        if !word.is_literal() {
            self.doubt("the end of a here-document is known only when it runs");
        }
        self.waiting.push(Waiting { end, is_literal, strips_tabs });
    }

    /// Reads the bodies of the here-documents of the line that just ended.
    fn bodies(&mut self) {
        for waiting in std::mem::take(&mut self.waiting) {
            let mut has_ended = false;
            while self.at < self.text.len() && !has_ended {
                let rest = &self.text[self.at..];
                let line = rest.split('\n').next().unwrap_or_default();
                self.at = (self.at + line.len() + 1).min(self.text.len());
                let shown = if waiting.strips_tabs { line.trim_start_matches('\t') } else { line };
                has_ended = shown == waiting.end;
                if !has_ended && !waiting.is_literal && line.contains(['$', '`', '\\']) {
                    self.doubt("a here-document holds what bash fills in");
                    let inner = scan_nested(line, self.home, self.depth);
                    self.found.nested.push((self.found.tokens.len(), inner));
                }
            }
            if !has_ended {
                self.doubt("a here-document has no end");
            }
        }
    }
}

/// Reads what stands in a substitution, unless it stands too deep.
pub(super) fn scan_nested(text: &str, home: &str, depth: usize) -> Scan {
    if depth >= MAX_DEPTH {
        return Scan { doubts: vec!["substitutions stand too deep in each other"], ..Scan::default() };
    }
    scan_at(text, home, depth + 1)
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
