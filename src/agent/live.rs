//! What of an answer is shown and kept while it comes?
//!
//! The model reads control strings broken up and writes them so; people, files and the session file see them as they
//! really are. Arguments of calls stay byte for byte as they came: `agent::dispatch` restores what it runs.

use crate::base::control::{Restorer, restore};
use crate::model::ask::Progress;

/// The text of one answer on its way.
#[derive(Debug, Default)]
pub struct Live {
    text: Restorer,
    reasoning: Restorer,
}

impl Live {
    /// Restores the words in these pieces. What a piece ends with may be held back until the next one.
    pub fn restored(&mut self, pieces: Vec<Progress>) -> Vec<Progress> {
        let mut out = Vec::with_capacity(pieces.len());
        for piece in pieces {
            match piece {
                Progress::Text(text) => {
                    self.end_reasoning(&mut out);
                    push_text(self.text.push(&text), &mut out);
                }
                Progress::Reasoning(text) => {
                    self.end_text(&mut out);
                    push_reasoning(self.reasoning.push(&text), &mut out);
                }
                Progress::Reset => {
                    *self = Self::default();
                    out.push(Progress::Reset);
                }
                Progress::Done(mut answer) => {
                    self.end_reasoning(&mut out);
                    self.end_text(&mut out);
                    answer.text = restore(&answer.text).into_owned();
                    answer.reasoning = restore(&answer.reasoning).into_owned();
                    out.push(Progress::Done(answer));
                }
                other => out.push(other),
            }
        }
        out
    }

    fn end_text(&mut self, out: &mut Vec<Progress>) {
        push_text(self.text.finish(), out);
    }

    fn end_reasoning(&mut self, out: &mut Vec<Progress>) {
        push_reasoning(self.reasoning.finish(), out);
    }
}

fn push_text(text: String, out: &mut Vec<Progress>) {
    out.extend(Some(text).filter(|text| !text.is_empty()).map(Progress::Text));
}

fn push_reasoning(text: String, out: &mut Vec<Progress>) {
    out.extend(Some(text).filter(|text| !text.is_empty()).map(Progress::Reasoning));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Answer;

    #[test]
    fn what_is_shown_adds_up_to_the_answer_with_every_string_whole() {
        let words = "see `<¦|im_end|>` and <¦/s>, a < b, and [";
        let answer = Answer { text: words.to_owned(), reasoning: "hm <¦s>".to_owned(), ..Answer::default() };
        for size in 1..12 {
            let mut live = Live::default();
            let letters: Vec<char> = words.chars().collect();
            let mut pieces = vec![Progress::Reasoning("hm <¦".to_owned()), Progress::Reasoning("s>".to_owned())];
            pieces.extend(letters.chunks(size).map(|piece| Progress::Text(piece.iter().collect())));
            pieces.push(Progress::Done(Box::new(answer.clone())));
            let (mut text, mut reasoning) = (String::new(), String::new());
            // One by one, as a slow server sends them.
            for piece in pieces.into_iter().flat_map(|piece| live.restored(vec![piece])) {
                match piece {
                    Progress::Text(piece) => text.push_str(&piece),
                    Progress::Reasoning(piece) => reasoning.push_str(&piece),
                    Progress::Done(answer) => {
                        assert_eq!((&answer.text, &answer.reasoning), (&text, &reasoning), "in pieces of {size}");
                    }
                    _ => {}
                }
            }
            assert_eq!((text.as_str(), reasoning.as_str()), ("see `<|im_end|>` and </s>, a < b, and [", "hm <s>"));
        }
    }
}
