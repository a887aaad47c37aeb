//! Which part of the words are thoughts that a server failed to keep apart?
//!
//! A server without a reasoning parser leaves `<think>...</think>` in the content; some templates write the opening tag
//! into the prompt, so that only the closing one arrives. Only tags before any other words count: a model that talks
//! or writes about such tags later must not lose its words. Pure; works at any split of the stream.

const OPEN: &str = "<think>";
const CLOSE: &str = "</think>";

/// A piece of the content after sorting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Words for the reader.
    Text(String),
    /// Thoughts.
    Reasoning(String),
}

#[derive(Debug, Default, PartialEq, Eq, Clone, Copy)]
enum Place {
    /// Nothing but white space and whole thoughts so far.
    #[default]
    Before,
    /// Between the tags.
    Inside,
    /// Real words have begun; everything passes from here on.
    After,
}

/// Sorts a stream of content pieces.
#[derive(Debug, Default)]
pub struct Splitter {
    place: Place,
    /// Whether a tag was met, so that white space around thoughts is not taken for an answer's beginning.
    has_thought: bool,
    /// Text that may still turn out to be part of a tag.
    held: String,
}

impl Splitter {
    /// Takes the next piece of content and returns what is certain by now.
    pub fn push(&mut self, content: &str, out: &mut Vec<Part>) {
        if self.place == Place::After {
            push_text(content, out);
            return;
        }
        self.held.push_str(content);
        while self.step(out) {}
    }

    /// Returns what was held back when the content ends.
    pub fn finish(&mut self, out: &mut Vec<Part>) {
        let held = std::mem::take(&mut self.held);
        match self.place {
            Place::Inside if !held.is_empty() => out.push(Part::Reasoning(held)),
            Place::Before if self.has_thought && held.trim().is_empty() => {}
            _ => push_text(&held, out),
        }
    }

    /// Decides about the start of what is held; says whether there may be more to decide.
    fn step(&mut self, out: &mut Vec<Part>) -> bool {
        match self.place {
            Place::Before => self.step_before(out),
            Place::Inside => self.step_inside(out),
            Place::After => {
                push_text(&std::mem::take(&mut self.held), out);
                false
            }
        }
    }

    fn step_before(&mut self, out: &mut Vec<Part>) -> bool {
        let start = self.held.len() - self.held.trim_start().len();
        let rest = &self.held[start..];
        let (tag, next) = if rest.starts_with(OPEN) {
            (OPEN, Place::Inside)
        } else if rest.starts_with(CLOSE) {
            (CLOSE, Place::Before)
        } else {
            if OPEN.starts_with(rest) || CLOSE.starts_with(rest) {
                return false;
            }
            let from = if self.has_thought { start } else { 0 };
            self.place = Place::After;
            push_text(&self.held.split_off(from), out);
            self.held.clear();
            return false;
        };
        self.held.drain(..start + tag.len());
        self.place = next;
        self.has_thought = true;
        true
    }

    fn step_inside(&mut self, out: &mut Vec<Part>) -> bool {
        let (end, skip, next) = match self.held.find(CLOSE) {
            Some(at) => (at, CLOSE.len(), Place::Before),
            None => (self.held.len() - overlap(&self.held, CLOSE), 0, Place::Inside),
        };
        if end > 0 {
            out.push(Part::Reasoning(self.held[..end].to_owned()));
        }
        self.held.drain(..end + skip);
        self.place = next;
        next == Place::Before
    }
}

fn push_text(text: &str, out: &mut Vec<Part>) {
    if !text.is_empty() {
        out.push(Part::Text(text.to_owned()));
    }
}

/// Returns how many bytes at the end of `text` are a beginning of `tag`.
fn overlap(text: &str, tag: &str) -> usize {
    (1..tag.len()).rev().find(|&length| text.ends_with(&tag[..length])).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&str]) -> (String, String) {
        let (mut splitter, mut out) = (Splitter::default(), Vec::new());
        pieces.iter().for_each(|piece| splitter.push(piece, &mut out));
        splitter.finish(&mut out);
        out.into_iter().fold((String::new(), String::new()), |(text, thought), part| match part {
            Part::Text(piece) => (text + &piece, thought),
            Part::Reasoning(piece) => (text, thought + &piece),
        })
    }

    #[test]
    fn thoughts_are_told_from_words_at_any_split() {
        let table = [
            ("plain words", "plain words", ""),
            ("<think>why</think>\n\nbecause", "because", "why"),
            ("\n<think>\nwhy\n</think>so", "so", "\nwhy\n"),
            ("<think>a</think> <think>b</think>c", "c", "ab"),
            ("</think>\n\nonly the end", "only the end", ""),
            ("words </think> stay", "words </think> stay", ""),
            ("words <think>stay</think>", "words <think>stay</think>", ""),
            ("<think>never closed </thin", "", "never closed </thin"),
            ("<thinking> is another tag", "<thinking> is another tag", ""),
            ("  indented", "  indented", ""),
            ("<think></think>", "", ""),
            ("<", "<", ""),
            ("", "", ""),
        ];
        for (content, text, thought) in table {
            let expected = (text.to_owned(), thought.to_owned());
            assert_eq!(split(&[content]), expected, "{content:?}");
            let letters: Vec<String> = content.chars().map(String::from).collect();
            let letters: Vec<&str> = letters.iter().map(String::as_str).collect();
            assert_eq!(split(&letters), expected, "{content:?} letter by letter");
        }
    }
}
