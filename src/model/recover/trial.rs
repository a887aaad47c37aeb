//! What becomes of these words, with these tools, when they come in these pieces?
//!
//! The way of an answer from a provider to the agent without any server: for `mimi debug recover`, tests and figures.

use std::sync::Arc;

use crate::model::assemble::Assembler;
use crate::model::recover::Recoverer;
use crate::model::recover::stream::Dropped;
use crate::model::think::{Part, Splitter};
use crate::model::{Answer, Calls, Finish, Request, StreamEvent, ToolChoice};
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::ToolSpec;

/// How words are cut into pieces. Lengths are in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunks {
    /// Not at all.
    Whole,
    /// Pieces of one length.
    Each(usize),
    /// Pieces of these lengths; the rest is one more.
    Sizes(Vec<usize>),
}

/// What came of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outcome {
    /// The answer as the agent gets it.
    pub answer: Answer,
    /// The words as they were shown, piece by piece.
    pub shown: Vec<String>,
    /// What looked like a call and is none.
    pub dropped: Vec<Dropped>,
}

impl Chunks {
    /// Cuts a text.
    pub fn cut<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let (mut pieces, mut rest, mut n) = (Vec::new(), text, 0);
        while !rest.is_empty() {
            let size = match self {
                Self::Whole => usize::MAX,
                Self::Each(size) => (*size).max(1),
                Self::Sizes(sizes) => sizes.get(n).copied().unwrap_or(usize::MAX),
            };
            n += 1;
            let end = rest.char_indices().nth(size).map_or(rest.len(), |(at, _)| at);
            let (piece, left) = rest.split_at(end);
            pieces.extend((!piece.is_empty()).then_some(piece));
            rest = left;
        }
        pieces
    }
}

/// Sends events through, the words of which may hold thoughts, and ends the answer with `finish`.
pub fn play(tools: Arc<[ToolSpec]>, events: Vec<StreamEvent>, finish: Finish) -> Outcome {
    let request = request(tools);
    let (mut recoverer, mut assembler) = (Recoverer::new(&request, "0"), Assembler::new("0"));
    let (mut splitter, mut parts, mut outcome) = (Splitter::default(), Vec::new(), Outcome::default());
    let mut take = |event: Option<StreamEvent>, outcome: &mut Outcome| {
        let Some(event) = event else { return };
        assembler.push(&event);
        if let StreamEvent::Text(text) = event {
            outcome.shown.push(text);
        }
    };
    for event in events {
        match event {
            StreamEvent::Text(piece) => splitter.push(&piece, &mut parts),
            other => take(recoverer.pass(other), &mut outcome),
        }
        for part in parts.drain(..) {
            take(recoverer.pass(event_of(part)), &mut outcome);
        }
    }
    splitter.finish(&mut parts);
    for part in parts {
        take(recoverer.pass(event_of(part)), &mut outcome);
    }
    take(recoverer.end(), &mut outcome);
    outcome.answer = assembler.finish(finish);
    outcome.dropped = recoverer.settle(finish, &mut outcome.answer);
    outcome
}

fn event_of(part: Part) -> StreamEvent {
    match part {
        Part::Text(text) => StreamEvent::Text(text),
        Part::Reasoning(text) => StreamEvent::Reasoning(text),
    }
}

fn request(tools: Arc<[ToolSpec]>) -> Request {
    Request {
        model: String::new(),
        tools,
        messages: Arc::from(Vec::new()),
        max_tokens: 0,
        temperature: None,
        answer_schema: None,
        delivery: crate::model::Delivery::Streamed,
        tool_choice: ToolChoice::Auto,
        calls: Calls::Many,
        task: Task::Chat,
        class: Class::Interactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_cut_between_characters() {
        let table = [
            (Chunks::Whole, vec!["aéb"]),
            (Chunks::Each(1), vec!["a", "é", "b"]),
            (Chunks::Each(2), vec!["aé", "b"]),
            (Chunks::Sizes(vec![0, 1]), vec!["a", "éb"]),
        ];
        for (chunks, expected) in table {
            assert_eq!(chunks.cut("aéb"), expected, "{chunks:?}");
        }
        assert!(Chunks::Whole.cut("").is_empty());
    }
}
