//! What has been said between the user, the model and the tools?

use serde::{Deserialize, Serialize};

/// Names one tool call within a session. Chosen by the model's server, or by mimi where the server sent none.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub String);

/// How the ids of commands begin that a person ran themselves.
const OF_USER: &str = "user-";
/// How the ids of commands begin that go on behind the turn.
const BEHIND: &str = "behind-";

impl CallId {
    /// Names a command that a person runs themselves.
    pub fn of_user(turn: u32, n: u32) -> Self {
        Self(format!("{OF_USER}{turn}-{n}"))
    }

    /// Names a command that goes on behind the turn, by an id nothing else has.
    pub fn behind(id: &str) -> Self {
        Self(format!("{BEHIND}{id}"))
    }

    /// Says whether a person ran it themselves. A model's server may send such an id too; nothing but looks hangs on it.
    pub fn is_of_user(&self) -> bool {
        self.0.starts_with(OF_USER)
    }
}

impl std::fmt::Display for CallId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&self.0)
    }
}

/// One call of a tool by the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Names the call.
    pub id: CallId,
    /// The tool's name as the model wrote it.
    pub name: String,
    /// The arguments as JSON text, byte for byte as received: servers re-render them into the prompt, and a changed
    /// byte would lose the prefix cache from here on.
    pub arguments: String,
}

/// An image shown to the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Image {
    /// What kind of file it is: `image/png`.
    pub media_type: String,
    /// The file in base64, as requests carry it.
    pub data: String,
    /// Pixels across; 0 where the file does not say.
    pub width: u32,
    /// Pixels down; 0 where the file does not say.
    pub height: u32,
}

/// One message of the conversation as the model sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "role", rename_all = "snake_case")]
pub enum Message {
    /// Instructions that are the same for every user, project and turn.
    System {
        /// The instructions.
        text: String,
    },
    /// Words of the user, or of mimi on the user's behalf.
    User {
        /// The words.
        text: String,
        /// What is shown with them.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        images: Vec<Image>,
    },
    /// Words and calls of the model.
    Assistant {
        /// What it said.
        text: String,
        /// The calls it made, in its order.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<ToolCall>,
    },
    /// The outcome of one call.
    Tool {
        /// The call it answers.
        call_id: CallId,
        /// The tool's name.
        name: String,
        /// What the model is told.
        text: String,
    },
}

impl Message {
    /// Words alone, of the user or on their behalf.
    pub fn user(text: impl Into<String>) -> Self {
        Self::User { text: text.into(), images: Vec::new() }
    }

    /// Returns the text of the message, whoever said it.
    pub fn text(&self) -> &str {
        match self {
            Self::System { text }
            | Self::User { text, .. }
            | Self::Assistant { text, .. }
            | Self::Tool { text, .. } => text,
        }
    }
}

/// Tokens of one or more model requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens the model read.
    pub input_tokens: u64,
    /// Tokens the model wrote.
    pub output_tokens: u64,
    /// Of those read, tokens the server already had in its prefix cache; zero also when it does not say.
    #[serde(default)]
    pub cached_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.cached_tokens += other.cached_tokens;
    }
}
