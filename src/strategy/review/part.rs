//! How is a change cut into parts that a model can take in?
//!
//! By file, then by place, then by lines; in git's order. Each line carries its number in the new file, because models count
//! badly. What is not shown is named, never dropped in silence.

use std::fmt::Write as _;

use crate::base::text::{clip_line, count, fits, one_line_name};
use crate::context::compact::is_needed;
use crate::context::estimate::text_tokens;
use crate::protocol::diff::Kind;
use crate::workspace::git_changes::LeftOut;
use crate::workspace::git_patch::{FilePatch, Nature, PatchHunk};

/// Longest line that is shown; what is longer was not written by hand.
const MAX_LINE_BYTES: usize = 400;
/// Most tokens of one part, however large the window: models find less in more.
const MAX_PART_TOKENS: u64 = 12_000;
/// Fewest tokens of one part: a heading and a few lines.
const MIN_PART_TOKENS: u64 = 400;
/// Share of the free window that the change takes; the rest is for what the model looks up.
const PART_SHARE: f64 = 0.4;

/// A part of the change, ready to be shown to a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The change, with numbered lines.
    pub text: String,
    /// The files in it.
    pub files: Vec<String>,
}

/// A change in parts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parts {
    /// In the order of the change.
    pub parts: Vec<Part>,
    /// What is in none of them.
    pub left_out: Vec<LeftOut>,
}

/// What decides how the change is cut.
#[derive(Debug, Clone, Copy)]
pub struct Room<'a> {
    /// Tokens of one part.
    pub part_tokens: u64,
    /// Most parts.
    pub max_parts: usize,
    /// Names of files that are not shown, with `*` for any text; without a slash, of the file alone.
    pub skip: &'a [String],
    /// Says whether a file may hold secrets.
    pub is_secret: fn(&std::path::Path) -> bool,
}

/// Returns how many tokens a part may have in a window of which `fixed_tokens` are taken by instructions and tools, and up to
/// `answer_tokens` by an answer.
pub fn part_tokens(window_tokens: u64, fixed_tokens: u64, answer_tokens: u64) -> u64 {
    // Where the conversation would be summarised there is no room any more.
    let (mut low, mut high) = (0, window_tokens);
    while low < high {
        let middle = (low + high).div_ceil(2);
        if is_needed(middle, window_tokens, answer_tokens) {
            high = middle - 1;
        } else {
            low = middle;
        }
    }
    let free = low.saturating_sub(fixed_tokens) as f64 * PART_SHARE;
    (free as u64).clamp(MIN_PART_TOKENS, MAX_PART_TOKENS)
}

/// Says whether anything of these files would be shown.
pub fn has_any(files: &[FilePatch], room: &Room<'_>) -> bool {
    files.iter().any(|file| why_not(file, room).is_none())
}

/// Cuts the change of these files into parts.
pub fn split(files: &[FilePatch], room: &Room<'_>) -> Parts {
    let mut packing = Packing { room, parts: Parts::default(), text: String::new(), tokens: 0.0, files: Vec::new() };
    for file in files {
        match why_not(file, room) {
            Some(why) => packing.parts.left_out.push(LeftOut { path: file.path.clone(), why }),
            None => packing.add(file),
        }
    }
    packing.close();
    packing.parts
}

/// Says why a file is not shown; none when it is.
fn why_not(file: &FilePatch, room: &Room<'_>) -> Option<String> {
    let name = file.path.rsplit('/').next().unwrap_or_default();
    let is_skipped = |pattern: &&String| fits(pattern, if pattern.contains('/') { &file.path } else { name });
    if (room.is_secret)(std::path::Path::new(&file.path)) {
        return Some("it may hold secrets".to_owned());
    }
    match file.nature {
        Nature::Binary => return Some("it is no text".to_owned()),
        Nature::Submodule => return Some("it is another repository".to_owned()),
        Nature::Link => return Some("it is a link".to_owned()),
        Nature::Text => {}
    }
    room.skip.iter().find(is_skipped).map(|pattern| format!("review.skip has `{pattern}`"))
}

struct Packing<'r> {
    room: &'r Room<'r>,
    parts: Parts,
    text: String,
    tokens: f64,
    files: Vec<String>,
}

impl Packing<'_> {
    fn add(&mut self, file: &FilePatch) {
        let heading = heading(file);
        let pieces = if file.kind == Kind::Deleted { Vec::new() } else { pieces(file, self.room.part_tokens as f64) };
        let blocks: Vec<String> = if pieces.is_empty() { vec![String::new()] } else { pieces };
        let sizes: Vec<f64> = blocks.iter().map(|block| text_tokens(block) + text_tokens(&heading)).collect();
        let (room, whole) = (self.room.part_tokens as f64, sizes.iter().sum::<f64>());
        // A file stays whole where a part has room for it.
        if self.tokens + whole > room && whole <= room {
            self.close();
        }
        let (mut is_named, mut is_begun) = (false, false);
        for (block, tokens) in blocks.into_iter().zip(sizes) {
            if self.tokens > 0.0 && self.tokens + tokens > room {
                self.close();
                is_named = false;
            }
            if self.parts.parts.len() >= self.room.max_parts {
                let what = if is_begun { "the rest of it is " } else { "" };
                let max = count(self.room.max_parts, "part");
                let why = format!("{what}beyond the {max} a review may have: --set review.max_parts=N");
                self.parts.left_out.push(LeftOut { path: file.path.clone(), why });
                return;
            }
            if !is_named {
                self.text.push_str(&heading);
                self.files.push(file.path.clone());
                is_named = true;
            }
            self.text.push_str(&block);
            self.tokens += tokens;
            is_begun = true;
        }
    }

    fn close(&mut self) {
        if !self.files.is_empty() {
            let (text, files) = (std::mem::take(&mut self.text), std::mem::take(&mut self.files));
            self.parts.parts.push(Part { text: text.trim_end().to_owned(), files });
        }
        self.tokens = 0.0;
    }
}

fn heading(file: &FilePatch) -> String {
    let (added, removed) = file.counts();
    let what = match (file.kind, &file.from) {
        (Kind::Created, _) => "new".to_owned(),
        (Kind::Deleted, _) => "deleted".to_owned(),
        (_, Some(from)) => format!("renamed from {}", one_line_name(from)),
        (_, None) => "changed".to_owned(),
    };
    format!("=== {} ({what}, +{added} -{removed})\n", one_line_name(&file.path))
}

/// Writes the places of a file out, each in pieces of at most about `max_tokens`.
fn pieces(file: &FilePatch, max_tokens: f64) -> Vec<String> {
    let mut all = Vec::new();
    for hunk in &file.hunks {
        let head = place(hunk);
        let (mut text, mut tokens) = (head.clone(), text_tokens(&head));
        for line in numbered(hunk) {
            let more = text_tokens(&line);
            if tokens + more > max_tokens && text.len() > head.len() {
                all.push(std::mem::take(&mut text));
                tokens = 0.0;
            }
            text.push_str(&line);
            tokens += more;
        }
        all.push(text);
    }
    all
}

fn place(hunk: &PatchHunk) -> String {
    let inside =
        if hunk.heading.is_empty() { String::new() } else { format!(", in: {}", clip_line(&hunk.heading, 100)) };
    format!("@@ from line {}{inside}\n", hunk.new_start.max(1))
}

fn numbered(hunk: &PatchHunk) -> impl Iterator<Item = String> {
    let mut number = hunk.new_start;
    hunk.lines.iter().map(move |line| {
        let mut out = String::new();
        let line = line.trim_end_matches('\r');
        if line.starts_with('-') {
            // Writing to a text cannot fail.
            let _ = writeln!(out, "      {}", clip_line(line, MAX_LINE_BYTES));
        } else {
            let _ = writeln!(out, "{number:>5} {}", clip_line(line, MAX_LINE_BYTES));
            number += 1;
        }
        out
    })
}

#[cfg(test)]
#[path = "part_tests.rs"]
mod tests;
