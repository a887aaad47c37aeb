//! Where is everything put together?
//!
//! The composition root: settings in, running agents out. The only place that knows all rooms; it holds no decisions of its
//! own. To add a part: build it here and hand it to the room that needs it.

pub mod attach;
pub mod committing;
mod embedding;
mod launch;
pub mod mentions;
mod parts;
pub mod reviewing;

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::agent::dispatch::Approvals;
use crate::agent::handle::Handle;
use crate::app::embedding::Beside;
use crate::base::clock::{Clock, SystemClock};
use crate::base::fault::{Fault, Kind};
use crate::base::pending::Pending;
use crate::base::secrets;
use crate::config::dirs::Dirs;
use crate::config::env::Env;
use crate::config::schema::{Config, EmbedderChoice, SandboxTier};
use crate::config::secret;
use crate::config::trust::Brought;
use crate::config::variables::TREE;
use crate::exec::environment;
use crate::exec::run::Runner;
use crate::exec::sandbox::Tier;
use crate::exec::sandbox::probe::{self, Choice, Wanted};
use crate::index::embed::server::Server;
use crate::model::cache::Cache;
use crate::model::gateway::Gateway;
use crate::model::profile::Profiles;
use crate::model::providers::http::{Http, Limits as HttpLimits};
use crate::model::route::Route;
use crate::model::seats::SERVER_KEY_ENV;
use crate::model::settings::GatewayConfig;
use crate::model::slots::{self, Slots};
use crate::protocol::message::Message;
use crate::protocol::op::Mode;
use crate::protocol::task::{Class, Task};
use crate::session::transcript::Transcript;
use crate::tape::Tape;
use crate::telemetry::ledger::{self, Ledger};
use crate::workspace::Workspace;

/// Time between two looks for what is too old to keep.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Settings, folders and the workspace, ready to start agents.
pub struct App {
    /// The settings.
    pub config: Config,
    /// Where mimi keeps things.
    pub dirs: Dirs,
    /// The folder worked in.
    pub workspace: Arc<Workspace>,
    /// Starts processes.
    pub runner: Runner,
    /// How they are confined.
    pub choice: Choice,
    /// Asks models.
    pub gateway: Arc<Gateway>,
    /// Keeps what requests took.
    pub ledger: Arc<Ledger>,
    /// What the project brought, for its rules.
    brought: Brought,
    /// Records what runs exchange with the world, or plays it.
    pub tape: Tape,
    clock: Arc<dyn Clock>,
    pending: Arc<Pending>,
    /// Embeds beside the agents, once one has started.
    beside: OnceLock<Beside>,
}

/// Which agent to start.
#[derive(Clone)]
pub struct AgentOptions {
    /// What its model is asked to do.
    pub task: Task,
    /// How much it may do without asking; the configured mode when none.
    pub mode: Option<Mode>,
    /// `model` or `provider/model`; the configured route when none.
    pub model: Option<String>,
    /// Whether somebody is there to approve.
    pub approvals: Approvals,
    /// Further rules that allow.
    pub allow: Vec<String>,
    /// Who waits for its answers.
    pub class: Class,
    /// Bounds of all its turns together.
    pub bounds: Bounds,
}

impl AgentOptions {
    /// An agent that only reads, with nobody there to approve: for commands that ask about something.
    pub fn reader(task: Task, model: Option<String>, class: Class) -> Self {
        let (mode, approvals) = (Some(Mode::Plan), Approvals::Nobody);
        Self { task, mode, model, approvals, allow: Vec::new(), class, bounds: Bounds::default() }
    }
}

/// What an agent may use in all its turns together; zero for no bound.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bounds {
    /// Requests to the model.
    pub max_steps: u32,
    /// Tokens read and written.
    pub max_tokens: u64,
}

/// A running agent and what a front end shows of it.
pub struct Session {
    /// Both ends of the conversation.
    pub handle: Handle,
    /// Names the session.
    pub id: String,
    /// Which model, where.
    pub route: Route,
    /// How much it may do without asking.
    pub mode: Mode,
    /// Where a session that is gone on with stands.
    pub recap: Option<Recap>,
}

/// The last turn of a session, for a person who comes back to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recap {
    /// Turns begun so far.
    pub turns: u32,
    /// The person's last words; none when they were taken back.
    pub request: Option<String>,
    /// The model's last words to them, finished or not.
    pub answer: Option<String>,
}

impl Recap {
    fn of(transcript: &Transcript) -> Option<Self> {
        let request = transcript.last_user_text.clone();
        let texts = transcript.messages.iter().rev().take_while(|message| !matches!(message, Message::User { .. }));
        let mut words = texts.filter(|message| matches!(message, Message::Assistant { .. })).map(Message::text);
        let said = words.find(|text| !text.trim().is_empty()).map(str::to_owned);
        let answer = transcript.partial.clone().filter(|text| !text.trim().is_empty()).or(said);
        (transcript.turns > 0).then_some(Self { turns: transcript.turns, request, answer })
    }
}

impl App {
    /// Puts everything together; touches neither network nor disk beyond the workspace folder. Commands are confined as
    /// `choice` says, which [`Self::choose`] finds out.
    pub fn new(config: Config, env: &Env, dirs: Dirs, folder: &Path, choice: Choice) -> Result<Self, Fault> {
        let workspace = Workspace::open(folder)
            .map_err(|error| Fault::io(Kind::Usage, format!("cannot work in `{}`", folder.display()), &error))?;
        let brought = Brought::read(workspace.root())?;
        let runner = parts::confined(&config, env, &dirs, &workspace, &choice)?;
        let tree = environment::tree_name(env.get(TREE));
        let slots = Slots::new(slots::Place { folder: dirs.slots(), tree }, config.model.max_in_flight);
        let http = Http::new(HttpLimits::from(&config.model))?;
        let clock = Arc::new(SystemClock);
        let ledger = Arc::new(Ledger::new(ledger::Place {
            path: dirs.ledger_file(),
            project: workspace.root().display().to_string(),
            keep_days: config.usage.keep_days,
        }));
        let gateway =
            Gateway::remembering(GatewayConfig::of(&config), parts::keys(env, &dirs), http, dirs.servers_file());
        let gateway = gateway.with_slots(slots).with_meter(ledger.clone()).with_secrets(config.secrets.in_requests);
        let key_envs = config.providers.values().map(|row| row.api_key_env.as_str()).chain([SERVER_KEY_ENV]);
        secret::at_hand(env, &dirs, key_envs).iter().for_each(|key| secrets::know(key));
        let mut gateway = gateway.with_profiles(Profiles::new(dirs.profiles()));
        if config.cache.max_mb > 0 {
            gateway =
                gateway.with_cache(Arc::new(Cache::new(dirs.cache.clone(), config.cache.max_bytes(), clock.clone())));
        }
        Ok(Self {
            runner,
            choice,
            gateway: Arc::new(gateway),
            ledger,
            workspace: Arc::new(workspace),
            brought,
            tape: Tape::default(),
            clock,
            config,
            pending: Pending::new(dirs.pending()),
            beside: OnceLock::new(),
            dirs,
        })
    }

    /// Lets the index ask the model of `routes.embed`, where the settings say so.
    fn embedder_if_wanted(&self) -> Option<Arc<dyn Server>> {
        let is_wanted = self.config.index.embedder == EmbedderChoice::Server;
        // Where it cannot be, the built-in embedder alone answers.
        is_wanted.then(|| self.embedder().ok()).flatten()
    }

    /// Lets the index ask the model of `routes.embed`.
    pub fn embedder(&self) -> Result<Arc<dyn Server>, Fault> {
        Ok(Arc::new(embedding::GatewayEmbedder::new(self.gateway.clone(), CancellationToken::new())?))
    }

    /// Finds out how commands can be confined here: from what is kept, or by trying when `anew`.
    pub fn choose(config: &Config, env: &Env, dirs: &Dirs, folder: &Path, look: Probing) -> Result<Choice, Fault> {
        let Runner { supervisor, environment, .. } = parts::runner(config, env)?;
        let wanted = match config.sandbox.tier {
            SandboxTier::Auto => Wanted::Auto,
            SandboxTier::Full => Wanted::Tier(Tier::Full),
            SandboxTier::Landlock => Wanted::Tier(Tier::Landlock),
            SandboxTier::External => Wanted::Tier(Tier::External),
            SandboxTier::None => Wanted::Tier(Tier::None),
        };
        let place = probe::Place {
            supervisor,
            environment: environment.to_vec(),
            workspace: folder.to_path_buf(),
            kept: dirs.cache.join("sandbox.json"),
        };
        Ok(match look {
            Probing::Kept => probe::choose(wanted, &place),
            Probing::Anew => probe::choose_anew(wanted, &place),
        })
    }
}

/// Whether to believe what was found out before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probing {
    /// As long as nothing it depends on has changed.
    Kept,
    /// No: everything is tried again.
    Anew,
}
