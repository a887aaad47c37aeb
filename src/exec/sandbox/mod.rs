//! What can a command see and change, and how is that enforced?
//!
//! Four tiers. `full`: bubblewrap gives the command a machine of its own, in which only the project can be changed and there
//! is no network. `landlock`: where namespaces are forbidden, the kernel itself refuses what the command may not do.
//! `external`: somebody declared that the whole machine is the boundary. `none`.
//!
//! mimi sends a [`Sandbox`] to the supervisor on the lifeline, before anything runs; the supervisor works out the `view`
//! and starts the command below `bwrap`, with the walls of `landlock` behind it, or below those alone, in both with the filter of
//! `seccomp`.
//! Which tier works here is found out by `probe`, once. Must not decide what is to be run: that is policy's.
//! To add a tier: a variant of [`Tier`], an arm in `confine::prepare` and a trial in `probe`. To add a place that can be seen, or a
//! reason why a tier is missing: a line in `config/sandbox.yaml`.

pub(crate) mod bwrap;
pub(crate) mod confine;
mod facts;
pub(crate) mod inside;
#[cfg(target_os = "linux")]
mod landlock;
mod masks;
pub mod probe;
mod protect;
#[cfg(target_os = "linux")]
mod seccomp;
mod table;
mod temporary;
mod view;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// How commands are confined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tier {
    /// In namespaces of their own.
    Full,
    /// By Landlock and a filter of system calls.
    Landlock,
    /// Not by mimi: the machine as a whole is the boundary.
    External,
    /// Not at all.
    None,
}

impl Tier {
    /// Returns its name in configuration and output.
    pub fn name(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Landlock => "landlock",
            Self::External => "external",
            Self::None => "none",
        }
    }

    /// Says whether mimi itself confines.
    pub fn confines(self) -> bool {
        matches!(self, Self::Full | Self::Landlock)
    }
}

/// What a command may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Nothing.
    Read,
    /// The project, without the names that are protected.
    Work,
    /// The project and its repository.
    Commit,
}

/// Everything the supervisor has to know to confine a command.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sandbox {
    /// How.
    pub tier: Tier,
    /// What may be changed.
    pub access: Access,
    /// The bubblewrap program, for the full tier.
    pub bwrap: Option<PathBuf>,
    /// Whether a `/proc` of its own can be mounted; some containers forbid that alone.
    pub has_proc: bool,
    /// The project, canonical.
    pub workspace: PathBuf,
    /// The home folder as the user names it.
    pub home: PathBuf,
    /// mimi's own folders, never to be seen.
    pub hidden: Vec<PathBuf>,
    /// Folder for the locks that count who uses a mask.
    pub locks: PathBuf,
    /// Further paths that may be read.
    pub readable: Vec<PathBuf>,
    /// Further paths that may be changed.
    pub writable: Vec<PathBuf>,
    /// Names of groups of devices, as in `config/sandbox.yaml`.
    pub devices: Vec<String>,
    /// Names of caches that may be changed, as in `config/sandbox.yaml`.
    pub caches: Vec<String>,
    /// Most processes at once, in the full tier.
    pub max_processes: u64,
    /// Size of the private temporary folder, in megabytes.
    pub tmp_mb: u64,
    /// Memory one process may address, in megabytes; 0: no limit.
    pub max_memory_mb: u64,
    /// Size a file may grow to, in megabytes; 0: no limit.
    pub max_file_mb: u64,
    /// Whether Landlock stands behind the namespaces of the full tier.
    pub has_walls: bool,
    /// Where the command finds what it may reach of the network: first the proxy. Only in the full tier, where the network
    /// is its own.
    pub doors: Vec<SocketAddr>,
}

impl Sandbox {
    /// Builds the sandbox of a project with nothing opened beyond it.
    pub fn new(tier: Tier, workspace: &Path, home: &Path) -> Self {
        Self {
            tier,
            access: Access::Work,
            bwrap: None,
            has_proc: true,
            workspace: workspace.to_path_buf(),
            home: home.to_path_buf(),
            hidden: Vec::new(),
            locks: PathBuf::new(),
            readable: Vec::new(),
            writable: Vec::new(),
            devices: Vec::new(),
            caches: Vec::new(),
            max_processes: 0,
            tmp_mb: 0,
            max_memory_mb: 0,
            max_file_mb: 0,
            has_walls: false,
            doors: Vec::new(),
        }
    }
}

/// What goes to the supervisor before anything else: the sandbox, and where programs are looked for.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Order {
    /// The sandbox.
    pub(crate) sandbox: Sandbox,
    /// Folders of `PATH` and of toolchains.
    pub(crate) places: Vec<PathBuf>,
    /// What `config/sandbox.yaml` says.
    pub(crate) table: table::Table,
}

/// Most bytes of an order: what a socket takes without anybody reading.
const MAX_ORDER_BYTES: usize = 64 * 1024;

impl Order {
    /// Builds the order for a command that gets this environment.
    pub(crate) fn new(sandbox: &Sandbox, environment: &[(String, String)]) -> Self {
        let table = table::Table::get();
        let variables = &table.variables;
        let is_place = |name: &String| name == "PATH" || variables.contains(name);
        let values = environment.iter().filter(|(name, _)| is_place(name)).flat_map(|(_, value)| value.split(':'));
        let places = values.map(PathBuf::from).filter(|path| path.is_absolute()).collect();
        Self { sandbox: sandbox.clone(), places, table: table.clone() }
    }

    /// Writes it: its length in four bytes, then JSON.
    pub(crate) fn write(&self, mut to: impl Write) -> io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        if bytes.len() > MAX_ORDER_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "too many paths in `sandbox` of the configuration",
            ));
        }
        to.write_all(&[&(bytes.len() as u32).to_le_bytes()[..], &bytes].concat())
    }

    /// Reads what [`Self::write`] wrote.
    pub(crate) fn read(mut from: impl Read) -> io::Result<Self> {
        let mut length = [0; 4];
        from.read_exact(&mut length)?;
        let mut bytes = vec![0; (u32::from_le_bytes(length) as usize).min(MAX_ORDER_BYTES)];
        from.read_exact(&mut bytes)?;
        Ok(serde_json::from_slice(&bytes)?)
    }
}

/// Returns the names of caches and of devices that a configuration may open.
pub fn known_names() -> (Vec<String>, Vec<String>) {
    let table = table::Table::get();
    (table.caches.keys().cloned().collect(), table.devices.keys().cloned().collect())
}
