//! What does a front end hold of a running agent?

use tokio::sync::mpsc;

use crate::protocol::event::{Event, Record, TurnEnd};
use crate::protocol::op::Op;

/// Operations that may wait for the agent.
pub const OPS_CAPACITY: usize = 64;
/// Records that may wait for the front end before the agent waits for it.
pub const RECORDS_CAPACITY: usize = 1024;

/// Both ends of a conversation with an agent. Dropping it ends the agent: a running turn is interrupted first.
#[derive(Debug)]
pub struct Handle {
    /// What the front end asks for.
    pub ops: mpsc::Sender<Op>,
    /// What the agent reports, each already in the session file.
    pub records: mpsc::Receiver<Record>,
}

/// How a turn ended, with what was refused on the way.
#[derive(Debug, Clone, PartialEq)]
pub struct TurnSummary {
    /// Why it ended.
    pub end: TurnEnd,
    /// Calls refused because nobody could approve them.
    pub refused: u32,
    /// The model's last words.
    pub answer: String,
}

impl Handle {
    /// Ends the agent in good order: a running turn is interrupted and its end recorded, then all is on disk.
    pub async fn close(mut self) {
        drop(self.ops);
        while self.records.recv().await.is_some() {}
    }

    /// Submits the user's words and passes every record to `listen` until the turn is done.
    ///
    /// Returns none when the agent ended before the turn did.
    pub async fn turn(&mut self, text: String, mut listen: impl FnMut(&Record)) -> Option<TurnSummary> {
        self.ops.send(Op::Submit { text }).await.ok()?;
        let mut answer = String::new();
        while let Some(record) = self.records.recv().await {
            listen(&record);
            match record.event {
                Event::AssistantMessage { text, .. } => answer = text,
                Event::TurnDone { end, refused, .. } => return Some(TurnSummary { end, refused, answer }),
                _ => {}
            }
        }
        None
    }
}
