//! What does every command know?

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::{App, Probing};
use crate::base::fault::{Fault, Kind};
use crate::base::hash::from_hex;
use crate::base::secrets;
use crate::cli::output::Out;
use crate::cli::{Global, SandboxArg, trusting};
use crate::config::dirs::Dirs;
use crate::config::env::Env;
use crate::config::formats;
use crate::config::layer::{Loaded, Sources, load_or_problems};
use crate::config::schema::Config;
use crate::config::secret;
use crate::config::ui::ColorChoice;
use crate::model::seats::SERVER_KEY_ENV;
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
        if global.trust_project.as_deref().is_some_and(|hash| from_hex(hash).is_none()) {
            return Err(
                Fault::new(Kind::Usage, "`--trust-project` takes a hash of 64 characters").hint("mimi trust show")
            );
        }
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
            trusted_hash: self.global.trust_project.as_deref(),
            flags: self.flags.clone(),
        }
    }

    /// Loads the configuration from all layers and says what is odd about it, and what of the project is not used.
    pub fn load(&self) -> Result<Loaded, Fault> {
        let loaded = self.load_silently()?;
        if let Some(ignored) = trusting::ignored(self, &loaded) {
            self.out.note(format!("warning: {ignored}"));
        }
        Ok(loaded)
    }

    /// The same, where what of the project is not used is said in another way.
    pub fn load_silently(&self) -> Result<Loaded, Fault> {
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

    /// Learns the keys that can be read at once, for commands that show what was said and ask no model. Settings that cannot be
    /// read hide no more than keys they alone name.
    pub fn know_keys(&self) {
        let config = load_or_problems(&self.sources()).ok().map(|loaded| loaded.config);
        let rows = config.iter().flat_map(|config| config.providers.values());
        let names = rows.map(|row| row.api_key_env.as_str()).chain([SERVER_KEY_ENV]);
        secret::at_hand(&self.env, &self.dirs, names).iter().for_each(|key| secrets::know(key));
    }

    /// Fails at the first rule of the configuration that cannot be read; what rules look like is not known to `config`.
    pub fn check_rules(&self, loaded: &Loaded) -> Result<(), Fault> {
        let ground = layers::ground(&self.workspace_root, &self.dirs, "");
        layers::collect(&ground, &self.dirs, &loaded.config.policy, &[], &loaded.brought)?;
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
        self.app_of(self.load()?)
    }

    /// Puts everything together with settings that were loaded before.
    pub fn app_of(&self, loaded: Loaded) -> Result<App, Fault> {
        self.check_rules(&loaded)?;
        Ok(self.app_in(loaded.config, &self.workspace_root)?.with_brought(loaded.brought))
    }

    /// Puts everything together for a folder, with the sandbox that works here.
    pub fn app_in(&self, mut config: Config, folder: &Path) -> Result<App, Fault> {
        config.sandbox.hosts.extend(self.allow_hosts.iter().cloned());
        let choice = App::choose(&config, &self.env, &self.dirs, folder, Probing::Kept)?;
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

impl SandboxArg {
    /// Returns its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Full => "full",
            Self::Landlock => "landlock",
            Self::External => "external",
            Self::None => "none",
        }
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
