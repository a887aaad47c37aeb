//! How is a command recorded from its options to its exit code, and what does one that is played work with?

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::App;
use crate::base::fault::Fault;
use crate::base::text::shell_quoted;
use crate::cli::context::Cx;
use crate::model::gateway::Gateway;
use crate::tape::Tape;
use crate::tape::entry::{self, Head, Limits};
use crate::tape::player::Player;
use crate::tape::provider::Played;
use crate::tape::recorder::Recorder;

/// What a recording says of the command it is made of.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// The command: `fix` or `run`.
    pub command: &'static str,
    /// What `mimi fix` is to do.
    pub job: Option<serde_json::Value>,
    /// Rules that the command line allowed.
    pub allow: Vec<String>,
}

/// Records what `app` does from now on, if a file is named.
pub fn begin(app: App, file: Option<&PathBuf>, order: Order) -> Result<App, Fault> {
    match file {
        Some(file) => record_to(app, file, order),
        None => Ok(app),
    }
}

fn record_to(mut app: App, path: &Path, order: Order) -> Result<App, Fault> {
    let (agent, model, tools) = (&app.config.agent, &app.config.model, &app.config.tools);
    let head = Head {
        magic: entry::MAGIC.to_owned(),
        v: entry::VERSION,
        mimi: env!("CARGO_PKG_VERSION").to_owned(),
        at_ms: app.clock().now_ms(),
        command: order.command.to_owned(),
        root: app.workspace.root().display().to_string(),
        home: app.dirs.home.display().to_string(),
        state: app.dirs.state.display().to_string(),
        job: order.job,
        allow: order.allow,
        limits: Limits {
            max_steps: agent.max_steps,
            max_tokens: agent.max_tokens,
            max_same_failures: agent.max_same_failures,
            max_output_tokens: model.max_output_tokens,
            max_output_bytes: tools.max_output_bytes,
        },
    };
    app.tape = Tape::recording(Arc::new(Recorder::create(path, &head, &headers(&app))?));
    if let Some(around) = app.tape.around() {
        app.gateway.pass_through(around);
    }
    Ok(app)
}

/// Returns the header values of all servers of the configuration, which are not meant for secrets and may be some. Keys are
/// known to `base::secrets`.
fn headers(app: &App) -> Vec<String> {
    app.config.providers.values().flat_map(|row| row.headers.values().cloned()).collect()
}

/// Notes how the command ended, and tells the user when the recording is not whole.
pub fn end(cx: &Cx, tape: &Tape, result: &Result<(), Fault>) {
    match result {
        Ok(()) => tape.end(0, ""),
        Err(fault) => tape.end(fault.kind.exit_code(), &fault.message),
    }
    let Some(path) = tape.path() else { return };
    match tape.trouble() {
        None => cx.out.note(format!("recorded: mimi replay {}", shell_quoted(&path.display().to_string()))),
        Some(why) => cx.out.note(format!("warning: the recording `{}` is not whole: {why}", path.display())),
    }
}

/// Has models answer as in a recording, and where calls are played, too, has nothing run.
#[must_use]
pub fn play(mut app: App, player: &Arc<Player>) -> App {
    let Limits { max_steps, max_tokens, max_same_failures, max_output_tokens, max_output_bytes } = player.head().limits;
    let agent = &mut app.config.agent;
    (agent.max_steps, agent.max_tokens, agent.max_same_failures) = (max_steps, max_tokens, max_same_failures);
    // Answers come at once, so that a limit of time would tell nothing.
    agent.max_seconds = 0;
    app.config.model.max_output_tokens = max_output_tokens;
    app.config.tools.max_output_bytes = max_output_bytes;
    let gateway = Gateway::with_provider("recording", Arc::new(Played::new(player.clone())));
    app.gateway = Arc::new(match player.agents().first() {
        Some((agent, _)) => gateway.settled_on(agent.route.clone().into()),
        None => gateway,
    });
    app.tape = Tape::playing(player.clone());
    app
}
