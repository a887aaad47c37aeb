//! Does the conversation work for the person at the terminal?
//!
//! The real program on a real pseudo-terminal, with a scripted model on the wire.

mod approvals;
mod around;
mod background;
mod commands;
mod composing;
mod diffs;
mod ending;
mod full;
mod inline_views;
mod lines;
mod onboard;
mod resume;
mod review_diff;
mod reviewed_fix;
mod trouble;
mod trusting;

use crate::support::Env;
use crate::support::pty::Pty;
use crate::support::wire::WireServer;

/// A person, a model server and a workspace.
pub struct Chat {
    pub env: Env,
    pub server: WireServer,
}

impl Chat {
    /// Prepares a model that says these turns, as a list in YAML.
    pub fn new(turns: &str) -> Self {
        Self::of_model("qwen3-coder:30b", turns)
    }

    /// Prepares a model of a name that says these turns.
    pub fn of_model(model: &str, turns: &str) -> Self {
        let server = WireServer::script(&format!("model: {model}\nturns:\n{turns}"));
        let mut env = Env::new();
        env.set("MIMI_SERVER_URL", server.url());
        Self { env, server }
    }

    /// Starts the chat and waits until it takes words.
    pub fn start(&self) -> Pty {
        let mut pty = Pty::start(&self.env, ["chat", "--inline"]);
        pty.wait_for("ask> ");
        pty
    }

    /// Starts the chat in full screen and waits until it takes words.
    pub fn start_full(&self) -> Pty {
        let mut pty = Pty::start(&self.env, ["chat"]);
        pty.wait_until_shown("ask>");
        pty
    }

    /// Returns the newest message of the newest request.
    pub fn newest(&self) -> String {
        let request = self.server.requests().pop().unwrap();
        request["messages"].as_array().unwrap().last().unwrap()["content"].as_str().unwrap().to_owned()
    }
}
