//! What does a session that is gone on with send to the model, and what can it take back?
//!
//! The agent runs in this process with a scripted model, so that a test sees every message.

use std::path::Path;
use std::sync::Arc;

use mimi::agent::dispatch::Approvals;
use mimi::app::{AgentOptions, App, Session};
use mimi::config::dirs::Dirs;
use mimi::config::layer::{Sources, load_or_problems};
use mimi::model::providers::script::{Script, ScriptProvider};
use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::message::Message;
use mimi::protocol::op::{Mode, Op};
use mimi::protocol::task::{Class, Task};
use serde_json::Value;

use crate::support::Env;

/// A session gone on with.
pub struct Resumed {
    runtime: tokio::runtime::Runtime,
    provider: Arc<ScriptProvider>,
    session: Session,
}

/// Puts the parts together as the binary does for this user, with the model server at `url`.
pub fn app(env: &Env, url: &str) -> App {
    let vars = [
        ("HOME", env.home().as_os_str().to_owned()),
        ("PATH", std::env::var_os("PATH").unwrap()),
        ("MIMI_SERVER_URL", url.into()),
    ];
    let own = mimi::config::env::Env::from_pairs(vars);
    let dirs = Dirs::from_env(&own).unwrap();
    let sources = Sources {
        env: &own,
        dirs: &dirs,
        system_file: Path::new("/nonexistent/config.yaml"),
        project_root: Some(env.work()),
        trusted_hash: None,
        flags: Vec::new(),
    };
    let config = load_or_problems(&sources).unwrap_or_else(|_| panic!("the defaults do not load")).config;
    let mut app =
        App::new(config, &own, dirs.clone(), env.work(), mimi::exec::sandbox::probe::Choice::unconfined()).unwrap();
    app.runner.supervisor = crate::exec::supervisor();
    app
}

pub fn options(mode: Mode) -> AgentOptions {
    AgentOptions {
        task: Task::Chat,
        mode: Some(mode),
        model: None,
        approvals: Approvals::Nobody,
        allow: vec!["shell:bash *".to_owned()],
        class: Class::Interactive,
        bounds: mimi::app::Bounds::default(),
    }
}

impl Resumed {
    /// Goes on with the session `id` and a model that plays the script in `yaml`.
    pub fn start(env: &Env, id: &str, yaml: &str) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let provider = Arc::new(ScriptProvider::new(Script::parse(yaml).unwrap()));
        let app = app(env, "http://127.0.0.1:1/v1").with_provider("script", provider.clone());
        let session = runtime.block_on(app.resume(id, options(Mode::Auto))).unwrap();
        Self { runtime, provider, session }
    }

    /// Says something; returns the messages the model got, after checking that a server would take them.
    pub fn say(&mut self, text: &str) -> Vec<Message> {
        let turn = self.runtime.block_on(self.session.handle.turn(text.to_owned(), |_| {})).unwrap();
        assert_eq!(turn.end, TurnEnd::Answered);
        let request = self.provider.requests().pop().unwrap();
        assert_acceptable(&request.messages);
        request.messages.to_vec()
    }

    /// Takes back the last turn; returns what was reported.
    pub fn undo(&mut self) -> Event {
        self.runtime.block_on(async {
            self.session.handle.ops.send(Op::Undo).await.unwrap();
            loop {
                let event = self.session.handle.records.recv().await.unwrap().event;
                if matches!(event, Event::Undone { .. } | Event::Warning { .. }) {
                    return event;
                }
            }
        })
    }

    /// Takes back one turn after the other until none is left, each without conflicts.
    pub fn undo_all(&mut self) {
        while let Event::Undone { conflicts, .. } = self.undo() {
            assert!(conflicts.is_empty(), "{conflicts:?}");
        }
    }
}

/// What every OpenAI-compatible server demands: a system message first, after each answer one outcome per call in its
/// order, outcomes nowhere else, arguments that are JSON.
fn assert_acceptable(messages: &[Message]) {
    assert!(matches!(messages[0], Message::System { .. }));
    let mut open = Vec::new();
    for message in &messages[1..] {
        match message {
            Message::Tool { call_id, .. } => {
                assert!(!open.is_empty(), "an outcome without a call: {messages:?}");
                assert_eq!(open.remove(0), *call_id, "{messages:?}");
            }
            Message::Assistant { tool_calls, .. } => {
                assert!(open.is_empty(), "calls without outcome: {messages:?}");
                for call in tool_calls {
                    serde_json::from_str::<Value>(&call.arguments).unwrap();
                    open.push(call.id.clone());
                }
            }
            Message::User { .. } => assert!(open.is_empty(), "calls without outcome: {messages:?}"),
            Message::System { .. } => panic!("a second system message"),
        }
    }
    assert!(matches!(messages.last(), Some(Message::User { .. })), "{messages:?}");
}
