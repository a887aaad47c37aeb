//! Does the agent as a whole do what its users are told? In process: the real app, files, git and shell, a scripted model.

mod background;
mod calls;
mod commands;
mod compaction;
mod control;
mod escalation;
mod fixing;
mod instructions;
mod interrupts;
mod limits;
mod mentioned;
mod patching;
mod permissions;
mod prefix;
mod recovering;
mod rendered;
mod reviewed;
mod stale;
mod taking_back;
mod window;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use mimi::agent::dispatch::Approvals;
use mimi::app::{AgentOptions, App, Session};
use mimi::config::dirs::Dirs;
use mimi::config::env::Env;
use mimi::config::layer::{Sources, load};
use mimi::exec::environment;
use mimi::exec::run::Runner;
use mimi::model::Request;
use mimi::model::gateway::Gateway;
use mimi::model::providers::body;
use mimi::model::providers::script::{Script, ScriptProvider};
use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::message::{CallId, Message};
use mimi::protocol::op::{Mode, Op};
use mimi::protocol::task::{Class, Task};
use mimi::protocol::tool::ToolOutcome;

/// Longer than anything here takes on a busy machine; a test that waits for it hangs.
const PATIENCE: Duration = Duration::from_secs(30);

/// A machine with a home, a project and a scripted model.
pub struct Stage {
    pub home: PathBuf,
    pub work: PathBuf,
    settings: Vec<(String, String)>,
    provider: Arc<ScriptProvider>,
    // Last, because dropping it deletes the folders.
    _root: tempfile::TempDir,
}

impl Stage {
    /// Makes a machine whose model says what stands in `yaml`.
    pub fn new(yaml: &str) -> Self {
        Self::named(yaml, "home", "work")
    }

    /// The same with other names of the home folder and, below it, of the project.
    pub fn named(yaml: &str, home: &str, work: &str) -> Self {
        let root = tempfile::Builder::new().prefix("mimi-agent-").tempdir().unwrap();
        let home = root.path().canonicalize().unwrap().join(home);
        let work = home.join(work);
        std::fs::create_dir_all(&work).unwrap();
        let provider = Arc::new(ScriptProvider::new(Script::parse(yaml).unwrap()));
        Self { home, work, settings: Vec::new(), provider, _root: root }
    }

    /// Changes a setting.
    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Writes a file of the project.
    pub fn file(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        self.write(path, text);
        self
    }

    pub fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.work.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.work.join(path)).unwrap()
    }

    pub fn has(&self, path: &str) -> bool {
        self.work.join(path).exists()
    }

    /// Runs git in `folder`; fails when git does.
    pub fn git(&self, folder: &Path, arguments: &[&str]) {
        let fixed = ["-c", "user.name=Tester", "-c", "user.email=tester@example.org"];
        let status = std::process::Command::new("git")
            .args(fixed)
            .args(arguments)
            .current_dir(folder)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .output()
            .unwrap();
        assert!(status.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&status.stderr));
    }

    /// Puts everything together for a user who works in the project.
    pub fn app(&self) -> App {
        self.app_in(&self.work)
    }

    pub fn app_in(&self, folder: &Path) -> App {
        let path = std::env::var("PATH").unwrap();
        let env = Env::from_pairs([("HOME", self.home.display().to_string()), ("PATH", path)]);
        let dirs = Dirs::from_env(&env).unwrap();
        let loaded = load(&Sources {
            env: &env,
            dirs: &dirs,
            system_file: Path::new("/nonexistent/config.yaml"),
            project_root: Some(folder),
            trusted_hash: None,
            flags: self.settings.clone(),
        });
        let mut app =
            App::new(loaded.unwrap().config, &env, dirs, folder, mimi::exec::sandbox::probe::Choice::unconfined())
                .unwrap();
        app.runner = Runner::new(env!("CARGO_BIN_EXE_mimi").into(), environment::clean(env.texts(), &[]));
        app.with_provider("script", self.provider.clone())
    }

    /// Starts an agent nobody can approve for.
    pub async fn alone(&self, mode: Mode, allow: &[&str]) -> Talk {
        let allow = allow.iter().map(|rule| (*rule).to_owned()).collect();
        let options = AgentOptions { allow, ..options(mode, Approvals::Nobody) };
        Talk::new(self.app().start(options).await.unwrap())
    }

    /// Starts an agent with a person.
    pub async fn with_person(&self, mode: Mode) -> Talk {
        Talk::new(self.app().start(options(mode, Approvals::Person)).await.unwrap())
    }

    /// Starts an agent with a person and a gateway of the test's own.
    pub async fn through(&self, change: impl FnOnce(Gateway) -> Gateway) -> Talk {
        let mut app = self.app();
        app.gateway = Arc::new(change(Gateway::with_provider("script", self.provider.clone())));
        Talk::new(app.start(options(Mode::Auto, Approvals::Person)).await.unwrap())
    }

    /// Continues a session in a new agent.
    pub async fn resume(&self, id: &str) -> Talk {
        Talk::new(self.app().resume(id, options(Mode::Auto, Approvals::Person)).await.unwrap())
    }

    /// All requests the model got.
    pub fn requests(&self) -> Vec<Request> {
        self.provider.requests()
    }

    /// The bodies of all requests, as they would go over the wire.
    pub fn bodies(&self) -> Vec<Vec<u8>> {
        self.requests().iter().map(|request| body::render(request, body::Extras::default(), None).unwrap()).collect()
    }

    /// Turns of the script nobody has asked for.
    pub fn unused(&self) -> usize {
        self.provider.unused()
    }

    /// The conversation of the last request, one line a message: `role: text`.
    pub fn last_request(&self) -> Vec<String> {
        lines(&self.requests().last().unwrap().messages)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            crate::support::prefix::check(&self.bodies());
        }
    }
}

/// Renders messages without the system message, a line each, long ones cut.
pub fn lines(messages: &[Message]) -> Vec<String> {
    let line = |message: &Message| {
        let calls = match message {
            Message::Assistant { tool_calls, .. } => {
                tool_calls.iter().map(|call| format!(" [{} {}]", call.name, call.arguments)).collect()
            }
            _ => String::new(),
        };
        let role = match message {
            Message::System { .. } => "system",
            Message::User { .. } => "user",
            Message::Assistant { .. } => "model",
            Message::Tool { .. } => "tool",
        };
        format!("{role}: {}{calls}", message.text())
    };
    messages.iter().skip(1).map(line).collect()
}

pub fn options(mode: Mode, approvals: Approvals) -> AgentOptions {
    AgentOptions {
        task: Task::Chat,
        mode: Some(mode),
        model: None,
        approvals,
        allow: Vec::new(),
        class: Class::Interactive,
        bounds: mimi::app::Bounds::default(),
    }
}

/// A conversation with an agent, and all it reported.
pub struct Talk {
    pub session: Session,
    pub log: Vec<Event>,
}

impl Talk {
    pub fn new(session: Session) -> Self {
        Self { session, log: Vec::new() }
    }

    pub async fn send(&self, op: Op) {
        self.session.handle.ops.send(op).await.unwrap();
    }

    pub async fn submit(&self, text: &str) {
        self.send(Op::Submit { text: text.to_owned() }).await;
    }

    /// Submits words and returns how the turn ended.
    pub async fn say(&mut self, text: &str) -> TurnEnd {
        self.submit(text).await;
        self.done().await
    }

    /// Waits for the end of the turn.
    pub async fn done(&mut self) -> TurnEnd {
        match self.until(|event| matches!(event, Event::TurnDone { .. })).await {
            Event::TurnDone { end, .. } => end,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for an event; all on the way go to the log.
    pub async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let record = match tokio::time::timeout(PATIENCE, self.session.handle.records.recv()).await {
                Ok(Some(record)) => record,
                Ok(None) => panic!("the agent ended; it said {:#?}", self.log),
                Err(_) => panic!("the agent hangs; it said {:#?}", self.log),
            };
            self.log.push(record.event.clone());
            if wanted(&record.event) {
                return record.event;
            }
        }
    }

    /// Waits until the model asks for an approval and returns the call with the reason.
    pub async fn asked(&mut self) -> (CallId, String) {
        match self.until(|event| matches!(event, Event::ApprovalAsked { .. })).await {
            Event::ApprovalAsked { call, why, .. } => (call, why),
            other => panic!("{other:?}"),
        }
    }

    /// Leaves the conversation and waits until the agent has ended, so that its session can be taken up again.
    pub async fn leave(mut self) -> String {
        drop(self.session.handle.ops);
        while self.session.handle.records.recv().await.is_some() {}
        self.session.id
    }

    /// Every outcome in the order reported: `tool ok: text`.
    pub fn outcomes(&self) -> Vec<String> {
        let line = |event: &Event| match event {
            Event::ToolFinished { tool, outcome, .. } => Some(format!("{tool} {}: {}", word(outcome), outcome.text())),
            _ => None,
        };
        self.log.iter().filter_map(line).collect()
    }

    /// The warnings so far.
    pub fn warnings(&self) -> Vec<String> {
        let text = |event: &Event| match event {
            Event::Warning { text } => Some(text.clone()),
            _ => None,
        };
        self.log.iter().filter_map(text).collect()
    }
}

pub fn word(outcome: &ToolOutcome) -> &'static str {
    match outcome {
        ToolOutcome::Ok { .. } => "ok",
        ToolOutcome::Failed { .. } => "failed",
        ToolOutcome::Denied { .. } => "denied",
        ToolOutcome::Cancelled => "cancelled",
        ToolOutcome::TimedOut { .. } => "timed out",
    }
}

/// Says that one of the texts contains `part`, showing all when not.
#[track_caller]
pub fn assert_some(texts: &[String], part: &str) {
    assert!(texts.iter().any(|text| text.contains(part)), "nothing of `{part}` in {texts:#?}");
}
