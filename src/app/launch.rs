//! How does an agent come to run?
//!
//! What is left of the composition root once everything is there: agents are started and gone on with, what they need is
//! handed to them, and what is too old is tidied up.

use crate::agent::dispatch::{Agreements, Dispatch};
use crate::agent::driver::{self, Parts};
use crate::agent::limits::Limits;
use crate::agent::machine::Machine;
use crate::agent::memory::{Memory, MemoryParts};
use crate::app::embedding::Beside;
use crate::app::{AgentOptions, App, Bounds, DAY, Recap, Session};
use crate::base::clock::{Clock, new_id};
use crate::base::fault::{Fault, Kind};
use crate::base::path::{remove_tree, touch_new};
use crate::base::pending::sweep;
use crate::checkpoint::error::CheckpointError;
use crate::checkpoint::keeper::{Keeper, Place};
use crate::checkpoint::prune::{self, Rules};
use crate::checkpoint::scan;
use crate::checkpoint::store::Store;
use crate::config::schema::{EmbedderChoice, SandboxTier};
use crate::config::trust::Brought;
use crate::edit::writer::Writer;
use crate::exec::sandbox::Tier;
use crate::exec::so_far::SoFar;
use crate::model::Provider;
use crate::model::gateway::Gateway;
use crate::model::meter::Meter;
use crate::model::profile::Profiles;
use crate::model::route::Route;
use crate::policy::confined::Reach;
use crate::policy::kept::Kept;
use crate::policy::{Policy, layers};
use crate::protocol::op::Mode;
use crate::protocol::usage::RequestRecord;
use crate::session::header::Header;
use crate::session::journal::Journal;
use crate::session::recorder::Recorder;
use crate::session::transcript::Transcript;
use crate::tape::entry;
use crate::telemetry::dialects::Habits;
use crate::telemetry::ledger::Ledger;
use crate::tools::registry::Registry;
use crate::tools::{Limits as ToolLimits, ToolContext};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// A session that has a file, or has to do without, and no agent yet.
struct Begun {
    id: String,
    recorder: Recorder,
    transcript: Transcript,
    notices: Vec<String>,
    route: Route,
    is_kept: bool,
}

impl App {
    /// Fails unless commands are confined as was asked for. Nobody may be there to see what they do, so a sandbox that is
    /// missing is no detail.
    pub fn need_sandbox(&self) -> Result<(), Fault> {
        if self.choice.is_as_wanted {
            return Ok(());
        }
        let wanted = match self.config.sandbox.tier {
            SandboxTier::Auto => "there is no working sandbox on this machine".to_owned(),
            tier => {
                format!("the sandbox `{}` that was asked for does not work here", format!("{tier:?}").to_lowercase())
            }
        };
        let fault = self.choice.lacks.iter().fold(Fault::new(Kind::Sandbox, wanted), |fault, lack| {
            let detail = if lack.detail.is_empty() { String::new() } else { format!(" ({})", lack.detail) };
            let fault = fault.cause(format!("{}: {}{detail}", lack.tier.name(), lack.says));
            lack.fix.iter().cloned().fold(fault, Fault::hint)
        });
        Err(fault.hint("where the machine itself is the boundary: --sandbox external; without any: --sandbox none"))
    }

    /// Takes what the project brought as it was read with the settings, and as trusted as it was then.
    #[must_use]
    pub fn with_brought(mut self, brought: Brought) -> Self {
        self.brought = brought;
        self
    }

    /// Says that the hosts of the configuration mean nothing here, where that is so.
    pub fn unheld_hosts(&self) -> Option<String> {
        let why = match self.choice.tier {
            _ if self.config.sandbox.hosts.is_empty() => return None,
            Tier::Full => return None,
            Tier::Landlock => "commands reach no host: without a network of its own one of them could reach them all",
            Tier::External | Tier::None => "commands reach every host that the machine reaches",
        };
        Some(format!("`sandbox.hosts` counts in the sandbox `full` only; in `{}` {why}", self.choice.tier.name()))
    }

    /// Returns where outputs wait that are too long to be held.
    pub fn spill_dir(&self) -> PathBuf {
        self.dirs.outputs()
    }

    /// Returns where what `mimi doctor` measured is kept.
    pub fn profiles(&self) -> Profiles {
        Profiles::new(self.dirs.profiles())
    }

    /// Waits for busy servers for so long. Has to be said before the first agent is started.
    pub fn wait_for_servers(&mut self, patience: Duration) {
        if let Some(gateway) = Arc::get_mut(&mut self.gateway) {
            gateway.wait_for(patience);
        }
    }

    /// Uses this provider for everything, instead of any server.
    #[must_use]
    pub fn with_provider(mut self, name: &str, provider: Arc<dyn Provider>) -> Self {
        self.gateway = Arc::new(Gateway::with_provider(name, provider).with_secrets(self.config.secrets.in_requests));
        self
    }

    /// Starts an agent on a new session.
    pub async fn start(&self, options: AgentOptions) -> Result<Session, Fault> {
        let mut notices = Vec::new();
        // First, so that a missing server leaves no empty session behind.
        let route = self.route(&options, None, &mut notices).await?;
        let mut header = Header::new(self.workspace.root(), self.clock.as_ref());
        header.sandbox = Some(self.choice.words());
        let id = header.id.clone();
        let journal = match Journal::create(&self.dirs.sessions(), header, self.clock.clone()) {
            Ok(journal) => {
                notices.extend_from_slice(journal.notes());
                Some(journal)
            }
            // A session that cannot be kept is better than none, if the user is told.
            Err(error) => {
                let why = Fault::from(error).words();
                notices.push(format!("this session is not kept, and nothing can be taken back later: {why}"));
                None
            }
        };
        let is_kept = journal.is_some();
        self.tidy_up();
        let recorder = Recorder::new(journal, self.clock.clone());
        self.launch(Begun { id, recorder, transcript: Transcript::default(), notices, route, is_kept }, &options)
    }

    /// Continues a session from its file.
    pub async fn resume(&self, id: &str, options: AgentOptions) -> Result<Session, Fault> {
        let path = crate::session::list::find(&self.dirs.sessions(), id)?;
        let (journal, transcript) = Journal::resume(&path, self.clock.clone())?;
        let (id, mut notices) = (journal.id().to_owned(), journal.notes().to_vec());
        let route = self.route(&options, transcript.model.as_deref(), &mut notices).await?;
        let recorder = Recorder::new(Some(journal), self.clock.clone());
        self.launch(Begun { id, recorder, transcript, notices, route, is_kept: true }, &options)
    }

    /// Deletes sessions and contents the user does not want kept any longer: once a day, and beside the work, because a
    /// thousand sessions take a moment. What a run that ends first leaves, a later one finds.
    fn tidy_up(&self) {
        let (keep_days, now_ms) = (self.config.session.keep_days, self.clock.now_ms());
        let stamp = self.dirs.state.join("tidied");
        if keep_days == 0 || is_younger(&stamp, DAY, now_ms) || touch_new(&stamp).is_err() {
            return;
        }
        let rules = self.prune_rules();
        let (sessions, outputs, checkpoints) = (self.dirs.sessions(), self.dirs.outputs(), self.dirs.checkpoints());
        std::thread::spawn(move || {
            for id in crate::session::list::prune(&sessions, keep_days, now_ms).unwrap_or_default() {
                drop(remove_tree(&outputs.join(&id)));
                drop(remove_tree(&checkpoints.join("steps").join(&id)));
            }
            if let Ok(store) = Store::open(&checkpoints) {
                drop(prune::prune(&store, rules));
            }
        });
    }

    fn launch(&self, begun: Begun, options: &AgentOptions) -> Result<Session, Fault> {
        let Begun { id, recorder, transcript, mut notices, route, is_kept } = begun;
        notices.extend(self.choice.shortcoming());
        notices.extend(self.unheld_hosts());
        sweep(&self.dirs.pending());
        // A tape holds what agents say and hear, and this is neither.
        if self.config.index.embedder == EmbedderChoice::Server && !self.tape.plays_calls() {
            let (gateway, root) = (self.gateway.clone(), self.workspace.root().to_path_buf());
            self.beside.get_or_init(|| Beside::begin(gateway, self.dirs.cache.clone(), root));
        }
        self.ledger.enter_session(&id);
        if !is_kept {
            self.ledger.keep_quiet();
        }
        // A session gone on with asks again: nobody confirmed it this time.
        let last = transcript.mode.filter(|mode| *mode != Mode::Yolo);
        let mode = options.mode.or(last).unwrap_or(self.config.agent.mode);
        if mode == Mode::Yolo {
            return Err(Fault::new(Kind::Config, "the mode `yolo` is chosen at a terminal, for one session")
                .hint("mimi chat, and there: /mode yolo"));
        }
        let recap = Recap::of(&transcript);
        let registry = Arc::new(Registry::new());
        let keeper = self.keeper(&id, is_kept, &mut notices);
        let before = self.tape.agent_before();
        let (opening, warnings) = match &before {
            Some(agent) if self.tape.plays_calls() => (agent.opening.clone(), Vec::new()),
            _ => crate::context::opening::build(&self.workspace, &self.dirs.home),
        };
        notices.extend(warnings);
        notices.extend(route.note.clone());
        let to_say = transcript.opening.is_none().then(|| opening.clone());
        let machine = Machine::new(self.limits(options.bounds), to_say, transcript.turns);
        let spill_dir = self.dirs.outputs().join(&id);
        let policy = self.policy(mode, &spill_dir, options)?;
        let tools = self.tool_context(spill_dir);
        let mut dispatch = Dispatch::new(registry.clone(), policy, tools, options.approvals, keeper.clone());
        let days = self.config.policy.always_days;
        if days > 0 {
            let rules = Kept::of(&self.dirs, self.workspace.root());
            dispatch = dispatch.with_agreements(Agreements { rules, days, clock: self.clock.clone() });
        }
        dispatch.recall(&transcript.knowledge);
        let memory = Memory::new(MemoryParts {
            transcript,
            task: options.task,
            class: options.class,
            registry,
            route: route.clone(),
            habits: match &before {
                Some(agent) => Habits::certain(agent.dialect),
                None => Habits::read(&self.dirs.ledger_file()),
            },
            max_output_tokens: self.config.model.max_output_tokens,
            secrets: self.config.secrets.in_requests,
            keeper,
            root: self.workspace.root().to_path_buf(),
            opening: Some(opening.clone()),
        });
        self.tape.agent(|| entry::Agent {
            task: options.task,
            class: options.class,
            mode,
            route: (&route).into(),
            dialect: memory.dialect(),
            opening,
        });
        let max_seconds = self.config.agent.max_seconds;
        let (gateway, tape) = (self.gateway.clone(), self.tape.clone());
        let parts = Parts { machine, dispatch, gateway, memory, recorder, max_seconds, notices, tape };
        Ok(Session { handle: driver::start(parts), id, route, mode, recap })
    }

    /// Finds the model: the one asked for, else the one the session last used, else the configured one.
    async fn route(
        &self,
        options: &AgentOptions,
        last: Option<&str>,
        notices: &mut Vec<String>,
    ) -> Result<Route, Fault> {
        if let (None, Some(last)) = (&options.model, last) {
            match self.gateway.resolve(options.task, Some(last)).await {
                Ok(route) => return Ok(route),
                Err(error) => notices.push(format!("the model of this session is not used: {error}")),
            }
        }
        Ok(self.gateway.resolve(options.task, options.model.as_deref()).await?)
    }

    /// Makes what keeps the changes of checks that mimi itself runs, beside every session; none where nothing can be kept.
    pub fn keeper_of_checks(&self) -> Option<Arc<Keeper>> {
        let place = self.place(self.workspace.root()).ok()?;
        Some(Arc::new(Keeper::new(place, &format!("check-{}", new_id()))))
    }

    /// Makes what keeps the changes of a session that nobody runs, in the workspace it worked in.
    pub fn keeper_of(&self, session: &str, workspace: &Path) -> Result<Keeper, CheckpointError> {
        Ok(Keeper::new(self.place(workspace)?, session))
    }

    /// Returns the clock.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.clock.clone()
    }

    /// Makes what keeps the changes of a session. Where not even the session is kept the user has been told of the trouble.
    fn keeper(&self, session: &str, is_kept: bool, notices: &mut Vec<String>) -> Option<Arc<Keeper>> {
        match self.place(self.workspace.root()) {
            Ok(place) => Some(Arc::new(Keeper::new(place, session))),
            Err(error) => {
                let why = Fault::from(error).words();
                notices.extend(is_kept.then(|| format!("changes of this session cannot be taken back: {why}")));
                None
            }
        }
    }

    /// Says what of the kept files may stay.
    pub fn prune_rules(&self) -> Rules {
        let keep = &self.config.checkpoint;
        let max_bytes = keep.max_mb.saturating_mul(1_000_000);
        Rules { keep_days: keep.keep_days, max_bytes, now_ms: self.clock.now_ms() }
    }

    /// Says where and how changes in a workspace are kept.
    fn place(&self, workspace: &Path) -> Result<Place, CheckpointError> {
        let keep = &self.config.checkpoint;
        Ok(Place {
            store: Store::open(&self.dirs.checkpoints())?,
            workspace: workspace.to_path_buf(),
            state: self.dirs.state.clone(),
            limits: scan::Limits {
                max_paths: keep.max_files,
                max_ignored_file_bytes: keep.max_ignored_file_kb.saturating_mul(1000),
                max_ignored_bytes: keep.max_ignored_mb.saturating_mul(1_000_000),
            },
            clock: self.clock.clone(),
        })
    }

    fn limits(&self, bounds: Bounds) -> Limits {
        let agent = &self.config.agent;
        Limits {
            max_steps: agent.max_steps,
            max_tokens: agent.max_tokens,
            max_seconds: agent.max_seconds,
            max_same_failures: agent.max_same_failures,
            all_steps: bounds.max_steps,
            all_tokens: bounds.max_tokens,
        }
    }

    fn policy(&self, mode: Mode, spill_dir: &Path, options: &AgentOptions) -> Result<Policy, Fault> {
        let environment = &self.runner.environment;
        let path = environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value);
        let ground = layers::ground(self.workspace.root(), &self.dirs, path);
        layers::check_flags(&ground, &options.allow)?;
        let rules = layers::collect(&ground, &self.dirs, &self.config.policy, &options.allow, &self.brought)?;
        let (tier, hosts) = (self.choice.tier, &self.config.sandbox.hosts);
        let mut policy = Policy::new(mode, ground, rules)?.confined_by(tier, Reach::of(tier, hosts));
        policy.allow_reading(spill_dir.to_path_buf());
        Ok(policy)
    }

    fn tool_context(&self, spill_dir: PathBuf) -> ToolContext {
        let (progress, _) = tokio::sync::mpsc::channel(1);
        ToolContext {
            workspace: Arc::new(self.workspace.unseen()),
            writer: Writer::new(self.pending.clone()),
            // What was too long for the model lies there, and it is told to look into it.
            runner: self.runner.with_readable(&spill_dir),
            spill_dir,
            cache: self.dirs.cache.clone(),
            embedder: self.embedder_if_wanted(),
            cancel: tokio_util::sync::CancellationToken::new(),
            progress,
            so_far: SoFar::default(),
            limits: ToolLimits {
                max_output_bytes: self.config.tools.max_output_bytes,
                shell_timeout: Duration::from_secs(self.config.tools.shell_timeout_s),
            },
            may_hold_secrets: crate::policy::path::is_secret,
        }
    }
}

impl Drop for App {
    /// What is still to be written is, also when a task that was cut off still holds the ledger.
    fn drop(&mut self) {
        self.ledger.flush();
    }
}

impl Meter for Ledger {
    fn prepare(&self) {
        Self::prepare(self);
    }

    fn record(&self, record: RequestRecord) {
        Self::record(self, record);
    }

    fn count(&self, model: &str, name: &'static str) {
        Self::count(self, model, name);
    }

    fn trouble(&self) -> Option<String> {
        Self::trouble(self)
    }
}

/// Says whether a file was touched within `age` before `now_ms`.
fn is_younger(path: &Path, age: Duration, now_ms: u64) -> bool {
    let touched = std::fs::metadata(path).and_then(|meta| meta.modified());
    touched.is_ok_and(|at| at + age > std::time::UNIX_EPOCH + Duration::from_millis(now_ms))
}
