//! What does every command know?

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::{App, Look};
use crate::base::fault::{Fault, Kind};
use crate::cli::output::Out;
use crate::cli::{Global, SandboxArg};
use crate::config::dirs::Dirs;
use crate::config::env::Env;
use crate::config::formats;
use crate::config::layer::{Loaded, Sources, load_or_problems};
use crate::config::schema::{ColorChoice, Config};
use crate::policy::layers;
use crate::protocol::task::Class;

/// Where the administrator's settings are.
pub const SYSTEM_FILE: &str = "/etc/mimi/config.yaml";

/// The environment, the folders and the options of every command.
pub struct Cx {
    /// The environment at the start.
    pub env: Env,
    /// Where mimi keeps things.
    pub dirs: Dirs,
    /// The folder worked in.
    pub workspace_root: PathBuf,
    /// The machine's settings file.
    pub system_file: PathBuf,
    /// Settings from the command line: key path and value.
    pub flags: Vec<(String, String)>,
    /// Hosts commands may reach besides those of the configuration.
    pub allow_hosts: Vec<String>,
    /// Where output goes.
    pub out: Out,
    /// The options of every command.
    pub global: Global,
}

impl Cx {
    /// Reads what every command needs; loads no configuration yet.
    pub fn new(env: Env, global: Global) -> Result<Self, Fault> {
        let workspace_root = match &global.cwd {
            Some(folder) => folder.clone(),
            None => {
                std::env::current_dir().map_err(|error| Fault::io(Kind::Usage, "the present folder is gone", &error))?
            }
        };
        let workspace_root = workspace_root.canonicalize().map_err(|error| {
            Fault::io(Kind::Usage, format!("cannot work in `{}`", workspace_root.display()), &error)
        })?;
        let dirs = Dirs::from_env(&env)?;
        dirs.check()?;
        formats::load(&dirs)?;
        let out = if global.quiet { Out::process().quiet() } else { Out::process() };
        // There, a line of a program that begins like a command would be one.
        let out = if env.get("GITHUB_ACTIONS") == Some("true") { out.guarded() } else { out };
        out.set_colour(global.color.map_or(ColorChoice::Auto, Into::into), &env);
        let flags = flags(&global.set)?;
        Ok(Self {
            env,
            dirs,
            workspace_root,
            system_file: SYSTEM_FILE.into(),
            flags,
            allow_hosts: Vec::new(),
            out,
            global,
        })
    }

    /// Returns the places settings are read from.
    pub fn sources(&self) -> Sources<'_> {
        Sources {
            env: &self.env,
            dirs: &self.dirs,
            system_file: &self.system_file,
            project_root: Some(&self.workspace_root),
            flags: self.flags.clone(),
        }
    }

    /// Loads the configuration from all layers and says what is odd about it.
    pub fn load(&self) -> Result<Loaded, Fault> {
        let loaded = load_or_problems(&self.sources()).map_err(|problems| {
            let n_problems = problems.len();
            let first = problems.into_iter().next().map(Fault::from);
            let fault = first.unwrap_or_else(|| Fault::new(Kind::Bug, "no problem named"));
            match n_problems {
                0 | 1 => fault,
                _ => fault.hint(format!("mimi config check lists all {n_problems} problems")),
            }
        })?;
        if self.global.color.is_none() {
            self.out.set_colour(loaded.config.ui.color, &self.env);
        }
        for warning in &loaded.warnings {
            self.out.note(format!("warning: {warning}"));
        }
        Ok(loaded)
    }

    /// Fails at the first rule of the configuration that cannot be read; what rules look like is not known to `config`.
    pub fn check_rules(&self, loaded: &Loaded) -> Result<(), Fault> {
        let ground = layers::ground(&self.workspace_root, &self.dirs, "");
        layers::collect(&ground, &self.dirs, &loaded.config.policy, &[])?;
        Ok(())
    }

    /// Says who waits for what a command without a conversation does: a script, where `CI` is set, else a person.
    pub fn class(&self) -> Class {
        match self.env.get("CI") {
            None | Some("false" | "0") => Class::Interactive,
            Some(_) => Class::Ci,
        }
    }

    /// Loads the configuration and puts everything together.
    pub fn app(&self) -> Result<App, Fault> {
        let loaded = self.load()?;
        self.check_rules(&loaded)?;
        self.app_in(loaded.config, &self.workspace_root)
    }

    /// Puts everything together for a folder, with the sandbox that works here.
    pub fn app_in(&self, mut config: Config, folder: &Path) -> Result<App, Fault> {
        config.sandbox.hosts.extend(self.allow_hosts.iter().cloned());
        let choice = App::choose(&config, &self.env, &self.dirs, folder, Look::Kept)?;
        App::new(config, &self.env, self.dirs.clone(), folder, choice)
    }

    /// Asks for this tier, and for these hosts besides those of the configuration.
    #[must_use]
    pub fn with_sandbox(mut self, tier: Option<SandboxArg>, hosts: &[String]) -> Self {
        self.allow_hosts = hosts.to_vec();
        self.flags.extend(tier.map(|tier| ("sandbox.tier".to_owned(), tier.name().to_owned())));
        self
    }
}

fn flags(texts: &[String]) -> Result<Vec<(String, String)>, Fault> {
    let read = |text: &String| {
        let (key, value) = text.split_once('=').ok_or_else(|| {
            Fault::new(Kind::Usage, format!("`--set {text}` has no value")).hint("--set agent.max_steps=20")
        })?;
        Ok((key.trim().to_owned(), value.trim().to_owned()))
    };
    texts.iter().map(read).collect()
}

/// Time a file being written or a key being waited for may still take when a command has ended.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs the work of a command to its end. Threads that still wait then, such as for a key nobody will press, are left.
pub fn block_on<T>(work: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
    let runtime = runtime()?;
    let result = runtime.block_on(work);
    runtime.shutdown_timeout(LAST_WORDS);
    result
}

/// Builds the runtime a command runs its agent on: one thread is enough, and keeps a session small.
pub fn runtime() -> Result<tokio::runtime::Runtime, Fault> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Fault::io(Kind::Bug, "cannot start the runtime", &error))
}
