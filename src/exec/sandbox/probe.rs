//! Which tier works here?
//!
//! Found out by running `true` in it, the way any command runs, since no reading of versions and settings is as sure. What
//! came out is kept until the machine starts again, the kernel's settings change, or bubblewrap or mimi is another file.
//! Must not weaken what was asked for: a tier that is wanted and does not work is a failure, for the caller to report.

use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::base::path::{PRIVATE_FILE, create_private_dir, write_atomic};
use crate::exec::report::{Report, Verdict};
use crate::exec::sandbox::facts::Facts;
use crate::exec::sandbox::table::Table;
use crate::exec::sandbox::{Access, Order, Sandbox, Tier, bwrap};
use crate::exec::supervise;

/// Longest time a trial may take; a machine that needs longer has other troubles.
const TRIAL: Duration = Duration::from_secs(10);
/// Where the trial runs: a folder every system has and nobody changes.
const TRIAL_FOLDER: &str = "/usr";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The best there is.
    Auto,
    /// This one and no other.
    Tier(Tier),
}

/// Where the question is asked.
#[derive(Debug, Clone)]
pub struct Place {
    /// The mimi binary.
    pub supervisor: PathBuf,
    /// The environment of commands.
    pub environment: Vec<(String, String)>,
    /// The project, which must not bring its own bubblewrap.
    pub workspace: PathBuf,
    /// File in which the answer is kept.
    pub kept: PathBuf,
}

/// Why a tier is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lack {
    /// The tier.
    pub tier: Tier,
    /// Why.
    pub says: String,
    /// What was said when it was tried; empty when it was not.
    pub detail: String,
    /// What to type to have it.
    pub fix: Vec<String>,
}

impl Lack {
    fn new(tier: Tier, name: &str, detail: &str) -> Self {
        let row = Table::get().lacks.get(name);
        Self {
            tier,
            says: row.map_or_else(|| name.to_owned(), |row| row.says.clone()),
            detail: detail.to_owned(),
            fix: row.map(|row| row.fix.clone()).unwrap_or_default(),
        }
    }
}

/// What works on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Found {
    /// The bubblewrap program, when the full tier works.
    bwrap: Option<PathBuf>,
    /// Whether a `/proc` of its own can be mounted.
    has_proc: bool,
    /// The version of Landlock, when that tier works.
    landlock: Option<u32>,
    /// Why the others do not.
    lacks: Vec<Lack>,
}

/// The tier in force and how it came to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The tier.
    pub tier: Tier,
    /// Whether it is what was asked for; with `auto`, whether anything confines at all.
    pub is_as_wanted: bool,
    /// The bubblewrap program of the full tier.
    pub bwrap: Option<PathBuf>,
    /// Whether a `/proc` of its own can be mounted.
    pub has_proc: bool,
    /// The version of Landlock.
    pub landlock: Option<u32>,
    /// Why other tiers are missing.
    pub lacks: Vec<Lack>,
}

impl Choice {
    /// A choice nobody has to look for: nothing confines, on purpose.
    pub fn unconfined() -> Self {
        let (bwrap, landlock, lacks) = (None, None, Vec::new());
        Self { tier: Tier::None, is_as_wanted: true, bwrap, has_proc: true, landlock, lacks }
    }

    /// Describes the tier in a few words.
    pub fn words(&self) -> String {
        match self.tier {
            Tier::Full if self.has_proc => "full (bubblewrap)".to_owned(),
            Tier::Full => "full (bubblewrap, without /proc)".to_owned(),
            Tier::Landlock => format!("landlock (version {})", self.landlock.unwrap_or_default()),
            Tier::External => "external (declared, not mimi's)".to_owned(),
            Tier::None => "none".to_owned(),
        }
    }

    /// Says what is in force and why it is not better, where it could be.
    pub fn shortcoming(&self) -> Option<String> {
        let lack = self.lacks.first().filter(|_| self.tier != Tier::Full)?;
        let (tier, why) = (lack.tier.name(), &lack.says);
        Some(format!("commands run in the sandbox {}; {tier} is missing: {why} (mimi doctor)", self.words()))
    }
}

/// Decides on the tier, from what is kept when it still holds.
pub fn choose(wanted: Wanted, place: &Place) -> Choice {
    decide(wanted, &Facts::read(), || {
        let key = key(place, &Facts::read());
        read_kept(&place.kept, &key).unwrap_or_else(|| look(place, &key))
    })
}

/// Decides on the tier after trying everything again.
pub fn choose_anew(wanted: Wanted, place: &Place) -> Choice {
    let facts = Facts::read();
    decide(wanted, &facts, || look(place, &key(place, &facts)))
}

fn decide(wanted: Wanted, facts: &Facts, found: impl FnOnce() -> Found) -> Choice {
    let none = Choice::unconfined();
    match wanted {
        Wanted::Tier(Tier::None) => none,
        Wanted::Tier(Tier::External) if facts.is_bounded() => Choice { tier: Tier::External, ..none },
        Wanted::Tier(Tier::External) => {
            let lacks = vec![Lack::new(Tier::External, "not_external", "")];
            Choice { is_as_wanted: false, lacks, ..none }
        }
        Wanted::Auto | Wanted::Tier(Tier::Full | Tier::Landlock) => {
            let Found { bwrap, has_proc, landlock, lacks } = found();
            let may = |tier| wanted == Wanted::Auto || wanted == Wanted::Tier(tier);
            let tier = if bwrap.is_some() && may(Tier::Full) {
                Tier::Full
            } else if landlock.is_some() && may(Tier::Landlock) {
                Tier::Landlock
            } else {
                Tier::None
            };
            Choice { tier, is_as_wanted: tier != Tier::None, bwrap, has_proc, landlock, lacks }
        }
    }
}

/// Everything on which the answer depends.
fn key(place: &Place, facts: &Facts) -> String {
    let stamp = |path: &Path| match std::fs::metadata(path) {
        Ok(meta) => format!("{}:{}:{}:{}", path.display(), meta.dev(), meta.ino(), meta.ctime()),
        Err(_) => String::new(),
    };
    let bwrap = bwrap::find(path_of(place), &place.workspace).map(|path| stamp(&path));
    let user = crate::base::path::user_id();
    let own = stamp(&place.supervisor);
    format!("{facts:?} {user} {own} {bwrap:?}")
}

#[derive(Serialize, Deserialize)]
struct Kept {
    key: String,
    found: Found,
}

fn read_kept(file: &Path, key: &str) -> Option<Found> {
    let kept: Kept = serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
    (kept.key == key).then_some(kept.found)
}

fn look(place: &Place, key: &str) -> Found {
    let found = try_all(place);
    let kept = Kept { key: key.to_owned(), found };
    // Not kept, it is found out again the next time.
    if let (Some(folder), Ok(bytes)) = (place.kept.parent(), serde_json::to_vec(&kept)) {
        drop(create_private_dir(folder).and_then(|()| write_atomic(&place.kept, &bytes, PRIVATE_FILE)));
    }
    kept.found
}

fn path_of(place: &Place) -> &str {
    place.environment.iter().find(|(name, _)| name == "PATH").map_or("", |(_, value)| value)
}

fn try_all(place: &Place) -> Found {
    let mut lacks = Vec::new();
    if cfg!(not(target_os = "linux")) {
        lacks.push(Lack::new(Tier::Full, "not_linux", ""));
        return Found { bwrap: None, has_proc: false, landlock: None, lacks };
    }
    let (bwrap, has_proc) = match try_full(place) {
        Ok((bwrap, has_proc)) => (Some(bwrap), has_proc),
        Err(lack) => {
            lacks.push(lack);
            (None, false)
        }
    };
    let landlock = match try_landlock(place) {
        Ok(version) => Some(version),
        Err(lack) => {
            lacks.push(lack);
            None
        }
    };
    Found { bwrap, has_proc, landlock, lacks }
}

/// Tries bubblewrap, with a `/proc` of its own and without.
fn try_full(place: &Place) -> Result<(PathBuf, bool), Lack> {
    let program =
        bwrap::find(path_of(place), &place.workspace).map_err(|unfit| Lack::new(Tier::Full, unfit.lack(), ""))?;
    let mut first = String::new();
    for has_proc in [true, false] {
        let mut sandbox = trial(Tier::Full);
        sandbox.bwrap = Some(program.clone());
        sandbox.has_proc = has_proc;
        match run(place, &sandbox) {
            Ok(()) => return Ok((program, has_proc)),
            Err(words) if first.is_empty() => first = words,
            Err(_) => {}
        }
    }
    Err(Lack::new(Tier::Full, Facts::read().why_bwrap_fails(), &first))
}

#[cfg(target_os = "linux")]
fn try_landlock(place: &Place) -> Result<u32, Lack> {
    let version = crate::exec::sandbox::landlock::version().map_err(|name| Lack::new(Tier::Landlock, name, ""))?;
    run(place, &trial(Tier::Landlock)).map_err(|words| Lack::new(Tier::Landlock, "landlock_failed", &words))?;
    Ok(version)
}

#[cfg(not(target_os = "linux"))]
fn try_landlock(_place: &Place) -> Result<u32, Lack> {
    Err(Lack::new(Tier::Landlock, "not_linux", ""))
}

fn trial(tier: Tier) -> Sandbox {
    let mut sandbox = Sandbox::new(tier, Path::new(TRIAL_FOLDER), Path::new("/nonexistent"));
    sandbox.access = Access::Read;
    sandbox
}

/// Runs `true`; the error is what was said instead.
#[expect(clippy::disallowed_methods, reason = "this room starts processes")]
fn run(place: &Place, sandbox: &Sandbox) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot try: {error}");
    let (mut ours, theirs) = UnixStream::pair().map_err(failed)?;
    Order::new(sandbox, &place.environment).write(&ours).map_err(failed)?;
    ours.set_read_timeout(Some(TRIAL)).map_err(failed)?;
    let mut command = Command::new(&place.supervisor);
    command.args([supervise::ARGUMENT, supervise::CONFINED, "--", "true"]).current_dir(TRIAL_FOLDER);
    command.env_clear().envs(place.environment.iter().map(|(name, value)| (name, value)));
    command.stdin(OwnedFd::from(theirs)).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed)?;
    drop(command);
    let mut heard = Vec::new();
    let mut byte = [0];
    while !heard.ends_with(b"\n") && matches!(ours.read(&mut byte), Ok(1)) {
        heard.extend(byte);
    }
    // Ends it when it hangs.
    drop(ours);
    let output = child.stderr.take().map(|pipe| {
        let mut words = String::new();
        drop(pipe.take(4096).read_to_string(&mut words));
        words
    });
    drop(child.wait());
    match Report::parse(&heard).map(|report| report.verdict) {
        // Where not even `true` is found the walls stand all the same: the inner supervisor looked for it behind them.
        Some(Verdict::Exited(0) | Verdict::NotStarted(_)) => Ok(()),
        _ => Err(output.unwrap_or_default().trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_is_never_weakened() {
        let found = |bwrap: bool, landlock: Option<u32>| Found {
            bwrap: bwrap.then(|| "/usr/bin/bwrap".into()),
            has_proc: true,
            landlock,
            lacks: Vec::new(),
        };
        let inside = Facts { is_container: true, ..Facts::default() };
        let outside = Facts::default();
        let (all, walls, nothing) = (found(true, Some(7)), found(false, Some(7)), found(false, None));
        let table = [
            (Wanted::Auto, &outside, &all, Tier::Full, true),
            (Wanted::Auto, &outside, &walls, Tier::Landlock, true),
            (Wanted::Auto, &inside, &nothing, Tier::None, false),
            (Wanted::Tier(Tier::Full), &outside, &all, Tier::Full, true),
            (Wanted::Tier(Tier::Full), &outside, &walls, Tier::None, false),
            (Wanted::Tier(Tier::Landlock), &outside, &all, Tier::Landlock, true),
            (Wanted::Tier(Tier::External), &inside, &all, Tier::External, true),
            (Wanted::Tier(Tier::External), &outside, &all, Tier::None, false),
            (Wanted::Tier(Tier::None), &outside, &all, Tier::None, true),
        ];
        for (wanted, facts, found, tier, is_as_wanted) in table {
            let choice = decide(wanted, facts, || found.clone());
            assert_eq!((choice.tier, choice.is_as_wanted), (tier, is_as_wanted), "{wanted:?} {facts:?}");
        }
    }

    #[test]
    fn an_answer_is_kept_until_something_it_depends_on_changes() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place {
            supervisor: "/no/such/mimi".into(),
            environment: Vec::new(),
            workspace: folder.path().into(),
            kept: folder.path().join("cache/sandbox.json"),
        };
        let key = key(&place, &Facts::default());
        let found = look(&place, &key);
        assert!(found.bwrap.is_none() && found.landlock.is_none() && found.lacks.len() == 2, "{found:?}");
        assert_eq!(read_kept(&place.kept, &key), Some(found));
        assert_eq!(read_kept(&place.kept, "another boot"), None);
    }
}
