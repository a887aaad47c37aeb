//! Which colours and changed words do the lines of a hunk have?
//!
//! Found when a hunk is first seen, and kept for the file that is shown. Each side is read by itself, so that what goes does not
//! spoil what comes.

use std::collections::HashMap;

use crate::protocol::diff::{Hunk, NO_END};
use crate::tui::diff_view::Spans;
use crate::tui::look::{Look, Theme};
use crate::tui::state::review::Review;
use crate::tui::state::review::colours::Colours;

/// Hunks kept at once.
const MAX_KEPT: usize = 500;
/// Bytes of a hunk that are coloured; what is longer is data.
const MAX_BYTES: usize = 200_000;

/// What is known of the hunks of a file.
#[derive(Default)]
pub(super) struct Painted {
    /// The file: its path, how many hunks it has, and whether its colours have come.
    of: Option<(String, usize, bool)>,
    hunks: HashMap<String, Paint>,
}

/// The lines of a hunk, cut into what each part of them is, without their signs.
pub(super) struct Paint {
    pub(super) lines: Vec<Spans>,
    /// Where words changed: bytes of the line, its sign included.
    pub(super) words: HashMap<usize, Vec<(usize, usize)>>,
}

impl Painted {
    /// Forgets what belongs to another file.
    pub(super) fn of_file(&mut self, review: &Review) {
        let has_colours = |path: &str| review.colours.get(path).is_some_and(Option::is_some);
        let file =
            review.file().map(|file| (file.diff.path.clone(), file.diff.hunks.len(), has_colours(&file.diff.path)));
        if self.of != file || self.hunks.len() > MAX_KEPT {
            *self = Self { of: file, hunks: HashMap::new() };
        }
    }

    pub(super) fn hunk(&mut self, hunk: &Hunk, review: &Review, theme: &Theme) -> &Paint {
        self.hunks.entry(hunk.id.clone()).or_insert_with(|| {
            let path = review.file().map_or("", |file| file.diff.path.as_str());
            let colours = review.colours.get(path).and_then(Option::as_deref);
            let mut paint = paint(hunk, path, theme);
            if let Some(colours) = colours {
                whole(&mut paint, hunk, colours);
            }
            paint
        })
    }
}

fn paint(hunk: &Hunk, path: &str, theme: &Theme) -> Paint {
    let words = theme.words(hunk).into_iter().map(|words| (words.line, words.ranges)).collect();
    let n_bytes: usize = hunk.lines.iter().map(String::len).sum();
    if n_bytes > MAX_BYTES {
        let lines = hunk.lines.iter().map(|line| vec![(Look::Plain, body(line).to_owned())]).collect();
        return Paint { lines, words };
    }
    let side = |signs: [char; 2]| {
        let lines: Vec<&str> =
            hunk.lines.iter().filter(|line| line.starts_with(signs)).map(|line| body(line)).collect();
        theme.code(path, &lines.join("\n")).into_iter()
    };
    let (mut old, mut new) = (side([' ', '-']), side([' ', '+']));
    let lines = hunk.lines.iter().map(|line| {
        let found = match line.as_bytes().first() {
            Some(b'-') => old.next(),
            Some(b'+') => new.next(),
            Some(b' ') => {
                old.next();
                new.next()
            }
            _ => None,
        };
        // What does not say the same is not believed.
        let is_same = |spans: &Spans| spans.iter().map(|span| span.1.len()).sum::<usize>() == body(line).len();
        found.filter(is_same).unwrap_or_else(|| vec![(Look::Plain, body(line).to_owned())])
    });
    Paint { lines: lines.collect(), words }
}

/// Colours lines as they are within the whole file, those that say the same there.
fn whole(paint: &mut Paint, hunk: &Hunk, colours: &Colours) {
    let (mut old, mut new) = (hunk.old_start, hunk.new_start);
    for (line, painted) in hunk.lines.iter().zip(&mut paint.lines) {
        if line == NO_END {
            continue;
        }
        let is_old = line.starts_with('-');
        let found = if is_old { colours.old.get(&old) } else { colours.new.get(&new) };
        let says = |spans: &Spans| spans.iter().map(|(_, text)| text.as_str()).collect::<String>() == body(line);
        if let Some(spans) = found.filter(|spans| says(spans)) {
            painted.clone_from(spans);
        }
        old += usize::from(!line.starts_with('+'));
        new += usize::from(!is_old);
    }
}

/// Returns a line without its sign; the note about a missing end as it is.
pub(super) fn body(line: &str) -> &str {
    if line == NO_END { line } else { line.get(1..).unwrap_or_default() }
}
