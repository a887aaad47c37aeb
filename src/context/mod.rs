//! What does the model get to see?
//!
//! Builds the messages of each request from the conversation, counts them, and shrinks the conversation when the window
//! runs short. The prefix of a request never changes within a session: system text and tools hold nothing volatile, and
//! messages are only ever appended, except at a recorded compaction. Must not call models or run tools.
//! To add a prompt: `prompts/<name>.md` and a row in [`prompt::TABLE`].

pub mod compact;
pub mod estimate;
pub mod opening;
pub mod prompt;
pub mod sent;
