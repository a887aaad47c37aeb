//! How often do the words of a running answer move on?
//!
//! A server sends a token at a time, a hundred and more a second; nobody reads that fast. The first words go on at once,
//! those that follow within [`JOIN_FOR`] go on together, and whatever is no word goes on at once with the words before it.
//! So a stream costs some thirty records a second, whatever the server does. Nothing that was read is lost when the wait
//! for it is given up: it is held for the next one.

use std::time::Duration;

use futures_util::stream::{BoxStream, StreamExt as _};
use tokio::time::Instant;

use crate::model::ask::Progress;
use crate::model::error::ModelError;

/// How long words wait for others. Less than a frame of the screen takes.
const JOIN_FOR: Duration = Duration::from_millis(30);

/// The progress of a model request, in handfuls.
pub struct Pieces {
    progress: BoxStream<'static, Progress>,
    held: Vec<Progress>,
    /// When words that are held go on.
    due: Instant,
}

impl Pieces {
    /// Takes over a stream.
    pub fn new(progress: BoxStream<'static, Progress>) -> Self {
        Self { progress, held: Vec::new(), due: Instant::now() }
    }

    /// Waits for what comes next, neighbouring words joined. A stream that ends without an end fails. May be given up at any
    /// moment.
    pub async fn next(&mut self) -> Vec<Progress> {
        loop {
            let piece = tokio::select! {
                // What is there already goes along.
                biased;
                piece = self.progress.next() => piece,
                () = tokio::time::sleep_until(self.due), if !self.held.is_empty() => return self.take(),
            };
            let piece = piece.unwrap_or_else(ended_without_an_end);
            let is_word = matches!(piece, Progress::Text(_) | Progress::Reasoning(_));
            join(&mut self.held, piece);
            if !is_word {
                return self.take();
            }
        }
    }

    /// Takes what is held, which is words, without waiting.
    pub fn take(&mut self) -> Vec<Progress> {
        self.due = Instant::now() + JOIN_FOR;
        std::mem::take(&mut self.held)
    }
}

fn ended_without_an_end() -> Progress {
    Progress::Failed(ModelError::Broken { url: String::new(), what: "it ended without an end".to_owned() })
}

fn join(pieces: &mut Vec<Progress>, piece: Progress) {
    match (pieces.last_mut(), piece) {
        (Some(Progress::Text(last)), Progress::Text(more))
        | (Some(Progress::Reasoning(last)), Progress::Reasoning(more)) => last.push_str(&more),
        (_, piece) => pieces.push(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::sync::mpsc;

    fn text(pieces: &[Progress]) -> Vec<&str> {
        let words = pieces.iter().map(|piece| match piece {
            Progress::Text(text) | Progress::Reasoning(text) => text.as_str(),
            _ => "!",
        });
        words.collect()
    }

    /// A stream that is fed by hand.
    fn fed() -> (mpsc::UnboundedSender<Progress>, Pieces) {
        let (sender, mut receiver) = mpsc::unbounded_channel();
        let progress = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
        (sender, Pieces::new(progress.boxed()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_words_go_on_at_once_and_the_next_together() {
        let (sender, mut pieces) = fed();
        let say = |word: &str| sender.send(Progress::Text(word.to_owned())).unwrap();
        say("a");
        say("b");
        assert_eq!(text(&pieces.next().now_or_never().unwrap()), ["ab"]);
        say("c");
        assert!(pieces.next().now_or_never().is_none(), "words so soon behind others wait");
        say("d");
        sender.send(Progress::Reasoning("e".to_owned())).unwrap();
        let asked = Instant::now();
        assert_eq!(text(&pieces.next().await), ["cd", "e"]);
        assert!(asked.elapsed() <= JOIN_FOR);
        tokio::time::advance(JOIN_FOR).await;
        say("f");
        assert_eq!(text(&pieces.next().now_or_never().unwrap()), ["f"]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_waits_for_nothing_and_comes_behind_the_words() {
        let (sender, mut pieces) = fed();
        sender.send(Progress::Text("a".to_owned())).unwrap();
        assert_eq!(text(&pieces.next().await), ["a"]);
        sender.send(Progress::Text("b".to_owned())).unwrap();
        drop(sender);
        let last = pieces.next().now_or_never().unwrap();
        assert_eq!(text(&last), ["b", "!"]);
        assert!(matches!(&last[1], Progress::Failed(ModelError::Broken { .. })));
    }
}
