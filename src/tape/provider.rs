//! How does the tape come between the gateway and a model?
//!
//! [`Heard`] passes everything on as it is and writes it down; [`Played`] answers from the recording. Chunks are kept as they
//! came, so that what is taken out of a stream is taken out of the same stream again.

use std::sync::Arc;
use std::time::Instant;

use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::model::error::ModelError;
use crate::model::fim::{Fill, Filling};
use crate::model::{ModelInfo, Provider, Request, StreamEvent};
use crate::tape::entry::Entry;
use crate::tape::is_last;
use crate::tape::player::Player;
use crate::tape::recorder::Recorder;

/// A provider whose exchanges are written down.
pub struct Heard {
    inner: Arc<dyn Provider>,
    recorder: Arc<Recorder>,
}

impl Heard {
    /// Listens to `inner`.
    pub fn new(inner: Arc<dyn Provider>, recorder: Arc<Recorder>) -> Self {
        Self { inner, recorder }
    }
}

/// An answer on its way; dropped, it writes down how far it came.
struct Listening {
    events: BoxStream<'static, StreamEvent>,
    heard: Vec<StreamEvent>,
    n: u64,
    started: Instant,
    is_over: bool,
    recorder: Arc<Recorder>,
}

impl Listening {
    /// The server closed the stream, with or without a last word.
    fn end(&mut self) {
        self.is_over = true;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let has_end = self.is_over || self.heard.last().is_some_and(is_last);
        self.recorder.put(&Entry::Answer {
            n: self.n,
            events: std::mem::take(&mut self.heard),
            is_cut: !has_end,
            duration_ms: self.started.elapsed().as_millis() as u64,
        });
    }
}

impl Provider for Heard {
    fn stream(&self, request: Request, cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        let n = self.recorder.request(&request);
        let listening = Listening {
            events: self.inner.stream(request, cancel),
            heard: Vec::new(),
            n,
            started: Instant::now(),
            is_over: false,
            recorder: self.recorder.clone(),
        };
        Box::pin(stream::unfold(listening, |mut listening| async {
            let Some(event) = listening.events.next().await else {
                listening.end();
                return None;
            };
            listening.heard.push(event.clone());
            Some((event, listening))
        }))
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        self.inner.models()
    }

    fn embed(&self, model: String, texts: Vec<String>) -> BoxFuture<'_, Result<Vec<Vec<f32>>, ModelError>> {
        self.inner.embed(model, texts)
    }

    fn fill(&self, fill: Fill) -> BoxFuture<'_, Result<Filling, ModelError>> {
        self.inner.fill(fill)
    }
}

/// A provider that answers as the recording does.
pub struct Played {
    player: Arc<Player>,
}

impl Played {
    /// Answers from what `player` plays.
    pub fn new(player: Arc<Player>) -> Self {
        Self { player }
    }
}

impl Provider for Played {
    fn stream(&self, request: Request, _cancel: CancellationToken) -> BoxStream<'static, StreamEvent> {
        Box::pin(stream::iter(self.player.answer(&request)))
    }

    fn models(&self) -> BoxFuture<'_, Result<Vec<ModelInfo>, ModelError>> {
        // Which model it is stands on the tape, so nobody has to ask.
        Box::pin(std::future::ready(Ok(Vec::new())))
    }
}
