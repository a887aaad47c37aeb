//! How is one question of the examination asked, and what came back?

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio_util::sync::CancellationToken;

use crate::base::clock;
use crate::base::fault::{Explain as _, Fault};
use crate::context::prompt;
use crate::model::ask::Progress;
use crate::model::error::ModelError;
use crate::model::{Answer, Calls, Delivery, Request, ToolChoice};
use crate::protocol::message::Message;
use crate::protocol::task::Class;
use crate::protocol::tool::ToolSpec;
use crate::strategy::conformance::Subject;
use crate::strategy::conformance::finding::Finding;

/// Longest wait for one answer. The whole examination is meant to take a minute; a server with a queue may take longer.
const PATIENCE: Duration = Duration::from_secs(60);
/// Upper bound of an answer: enough for the longest that is asked for.
const MAX_TOKENS: u32 = 512;

/// A question that did not get an answer.
#[derive(Debug)]
pub struct Failure {
    /// Why.
    pub why: String,
    /// What to type.
    pub hints: Vec<String>,
    /// Whether nobody answers at all.
    pub is_unreachable: bool,
}

impl Failure {
    /// Makes a finding of it.
    pub fn finding(self, check: &'static str) -> Finding {
        let is_unreachable = self.is_unreachable;
        Finding { hints: self.hints, is_unreachable, ..Finding::broken(check, self.why) }
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        let is_unreachable = matches!(error, ModelError::Offline { .. } | ModelError::Auth { .. });
        // `mimi doctor` is what is running.
        let hints = error.hints().into_iter().filter(|hint| hint != "mimi doctor").collect();
        Self { hints, is_unreachable, why: Fault::from(error).line() }
    }
}

/// Begins a request with these words and tools.
pub fn request(subject: &Subject<'_>, words: String, tools: Arc<[ToolSpec]>) -> Request {
    let system = prompt::DOCTOR_SYSTEM.render(&[]);
    Request {
        model: subject.route.model.clone(),
        tools,
        messages: Arc::from([Message::System { text: system }, Message::user(words)]),
        max_tokens: MAX_TOKENS,
        temperature: subject.route.row.temperature,
        answer_schema: None,
        delivery: Delivery::Streamed,
        tool_choice: ToolChoice::Auto,
        calls: Calls::Many,
        task: crate::protocol::task::Task::Chat,
        class: Class::Interactive,
    }
}

/// Asks, and waits for the whole answer.
///
/// # Errors
/// The request failed, or nothing came for a minute.
pub async fn ask(subject: &Subject<'_>, request: Request) -> Result<Answer, Failure> {
    let mut progress = subject.gateway.stream(subject.route, request, CancellationToken::new());
    let answer = async {
        while let Some(step) = progress.next().await {
            match step {
                Progress::Done(answer) => return Ok(*answer),
                Progress::Failed(error) => return Err(error.into()),
                _ => {}
            }
        }
        Err(Failure { why: "it ended without an end".to_owned(), hints: Vec::new(), is_unreachable: false })
    };
    let patience = clock::format_duration(PATIENCE.as_millis() as u64);
    let late = || Failure { why: format!("no answer within {patience}"), hints: Vec::new(), is_unreachable: false };
    tokio::time::timeout(PATIENCE, answer).await.unwrap_or_else(|_| Err(late()))
}

/// Returns the tool of this name alone.
pub fn only(subject: &Subject<'_>, name: &str) -> Arc<[ToolSpec]> {
    subject.tools.iter().filter(|tool| tool.name == name).cloned().collect()
}
