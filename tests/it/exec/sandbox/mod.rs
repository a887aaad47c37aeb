//! Can a confined command get out?
//!
//! Each row of `probes` and `calls` tries one way. What counts is what the machine looks like afterwards: files outside, what
//! is protected in the project, processes, sockets that wait, and secrets in what was printed. In the full tier nothing
//! gets out; what the landlock tier lets through is the list in `landlock.yaml`, which users are shown.

mod calls;
mod network;
mod probes;
mod survivors;
mod tiers;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use mimi::exec::environment;
use mimi::exec::run::{Command, Output, Program, Runner};
use mimi::exec::sandbox::probe::{Place, Wanted, choose};
use mimi::exec::sandbox::{Access, Sandbox, Tier};
use tokio_util::sync::CancellationToken;

use super::supervisor;

/// Stands in every file a command must not see.
pub const SECRET: &str = "the-secret-nobody-may-see";

/// Names that are protected at the top of a project, as in `config/sandbox.yaml`.
pub const PROTECTED: [&str; 9] =
    [".git", ".hg", ".mimi", ".github", ".gitlab-ci.yml", ".husky", ".vscode", ".idea", ".cargo"];

/// What the project holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Project {
    /// Every protected name.
    Guarded,
    /// None of them.
    Bare,
}

/// A home, a project, a folder outside of both, and a process of somebody else.
pub struct Stage {
    folder: tempfile::TempDir,
    pub home: PathBuf,
    pub work: PathBuf,
    pub outside: PathBuf,
    pub victim: Child,
    sandbox: Sandbox,
}

/// Returns the sandbox of a tier; says loudly that nothing was tested where this machine cannot have it.
pub fn available(tier: Tier, work: &Path, home: &Path) -> Option<Sandbox> {
    let kept = std::env::temp_dir().join(format!("mimi-sandbox-{}.json", std::process::id()));
    let environment = environment::clean([("PATH".to_owned(), std::env::var("PATH").unwrap())].into_iter(), &[]);
    let choice = choose(
        Wanted::Tier(tier),
        &Place { supervisor: supervisor(), environment, workspace: work.to_path_buf(), kept },
    );
    if choice.tier != tier {
        // Past the harness, which keeps what a test that passes prints.
        let words = format!("NOT RUN: the tier {} is missing here: {:?}\n", tier.name(), choice.lacks);
        std::io::stderr().write_all(words.as_bytes()).unwrap();
        return None;
    }
    let mut sandbox = Sandbox::new(tier, work, home);
    sandbox.bwrap = choice.bwrap;
    sandbox.has_proc = choice.has_proc;
    sandbox.locks = home.join(".local/state/mimi/sandbox");
    sandbox.hidden = vec![home.join(".config/mimi"), home.join(".local/state/mimi")];
    sandbox.max_processes = 4096;
    Some(sandbox)
}

/// Files in a home folder that hold secrets.
const SECRETS: [&str; 14] = [
    ".ssh/id_ed25519",
    ".aws/credentials",
    ".netrc",
    ".config/gh/hosts.yml",
    ".docker/config.json",
    ".kube/config",
    ".gnupg/key",
    ".config/mimi/credentials.yaml",
    ".local/state/mimi/session",
    ".cargo/credentials.toml",
    ".npmrc",
    ".git-credentials",
    ".bash_history",
    "notes/diary.txt",
];

impl Stage {
    pub fn new(tier: Tier, project: Project) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let [home, work, outside] = ["home", "work", "outside"].map(|name| root.join(name));
        for path in [&home, &work, &outside, &outside.join("dir"), &work.join("src")] {
            std::fs::create_dir_all(path).unwrap();
        }
        for name in SECRETS {
            write(&home.join(name), SECRET);
        }
        write(&home.join(".cargo/config.toml"), "readable");
        write(&outside.join("file"), SECRET);
        write(&work.join("src/lib.rs"), "fn main() {}");
        if project == Project::Guarded {
            for name in PROTECTED.iter().filter(|name| !name.ends_with(".yml")) {
                write(&work.join(name).join("config"), "as it was");
            }
            write(&work.join(".gitlab-ci.yml"), "as it was");
            for name in ["hooks/pre-commit.sample", "info/exclude", "refs/heads/main"] {
                write(&work.join(".git").join(name), "as it was");
            }
            write(&work.join(".git/HEAD"), "ref: refs/heads/main\n");
            write(&work.join(".git/config"), "[core]\n\trepositoryformatversion = 0\n");
            std::fs::create_dir(work.join(".git/objects")).unwrap();
        }
        let sandbox = available(tier, &work, &home)?;
        let mut victim = Process::new("sleep");
        victim.arg("1000").env("NOTE", SECRET).stdin(Stdio::null()).stdout(Stdio::null());
        let victim = victim.spawn().unwrap();
        Some(Self { folder, home, work, outside, victim, sandbox })
    }

    pub fn sandbox(&mut self) -> &mut Sandbox {
        &mut self.sandbox
    }

    /// Builds what starts commands, with these variables besides the usual ones.
    pub fn runner(&self, more: &[(&str, String)]) -> Runner {
        let own = [("PATH", std::env::var("PATH").unwrap()), ("HOME", self.home.display().to_string())];
        let names: Vec<String> = more.iter().map(|(name, _)| (*name).to_owned()).collect();
        let vars = own.into_iter().chain(more.iter().cloned()).map(|(name, value)| (name.to_owned(), value));
        Runner::new(supervisor(), environment::clean(vars, &names)).within(self.sandbox.clone())
    }

    pub async fn run(&self, script: &str) -> Output {
        let variables = [
            ("T", self.outside.display().to_string()),
            ("W", self.work.display().to_string()),
            ("P", self.victim.id().to_string()),
        ];
        let runner = self.runner(&variables);
        runner.run(self.command(Program::Shell(script.to_owned())), CancellationToken::new(), None).await.unwrap()
    }

    pub fn command(&self, program: Program) -> Command {
        Command {
            program,
            cwd: self.work.clone(),
            timeout: Duration::from_secs(30),
            max_output_bytes: 100_000,
            spill: None,
        }
    }

    /// Everything that must look the same afterwards, by its name.
    pub fn state(&self) -> BTreeMap<String, String> {
        let mut state = BTreeMap::new();
        describe(&self.outside, &mut state);
        describe(&self.home, &mut state);
        for name in PROTECTED {
            describe(&self.work.join(name), &mut state);
        }
        // The register of masks is mimi's own.
        state.retain(|path, _| !path.contains("/.local/state/mimi"));
        let proc = PathBuf::from(format!("/proc/{}", self.victim.id()));
        let read = |name: &str| std::fs::read_to_string(proc.join(name)).unwrap_or_default();
        let stat = read("stat");
        let fields: Vec<&str> = stat.rsplit_once(')').map_or("", |pair| pair.1).split_whitespace().collect();
        let shown = format!("{:?} {:?} {}", fields.first().map(|state| *state == "Z"), fields.get(16), read("limits"));
        state.insert("the victim".to_owned(), format!("{shown} {}", read("oom_score_adj")));
        state
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        drop(self.victim.kill());
        drop(self.victim.wait());
    }
}

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Describes a file or folder and all in it: kind, mode, owner, size, times, links, attributes and content.
fn describe(path: &Path, into: &mut BTreeMap<String, String>) {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return };
    let content = if meta.is_file() { std::fs::read(path).unwrap_or_default() } else { Vec::new() };
    let mut names = [0_u8; 4096];
    let n = rustix::fs::llistxattr(path, &mut names[..]).unwrap_or(0);
    // A folder's time changes when a mask comes and goes; what is in it is described itself.
    let time = if meta.is_dir() { 0 } else { meta.mtime_nsec() + meta.mtime() };
    let words = format!(
        "{:?} {:o} {} {} {} {time} {:?} {:?}",
        meta.file_type(),
        meta.permissions().mode(),
        meta.uid(),
        meta.gid(),
        if meta.is_dir() { 0 } else { meta.nlink() },
        &names[..n],
        String::from_utf8_lossy(&content)
    );
    into.insert(path.display().to_string(), words);
    if meta.is_dir() {
        for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
            describe(&entry.path(), into);
        }
    }
}

/// Names what differs between two states.
pub fn differences(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    names.filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

#[tokio::test]
async fn a_confined_command_works_in_the_project_and_leaves_nothing_else_there() {
    for project in [Project::Bare, Project::Guarded] {
        let Some(stage) = Stage::new(Tier::Full, project) else { return };
        let listing = || {
            let names = std::fs::read_dir(&stage.work).unwrap().map(|entry| entry.unwrap().file_name());
            let mut names: Vec<_> = names.collect();
            names.sort();
            names
        };
        let before = listing();
        let script = "echo made > src/new.txt && mkdir target && cp src/new.txt target && rm -r target && \
            ln -s src link && mv link other && rm other && chmod 755 src/new.txt && echo tmp > /tmp/a && cat /tmp/a && \
            echo home > ~/b && cat ~/.cargo/config.toml && cat < <(echo substituted) && echo done";
        let output = stage.run(script).await;
        assert_eq!(output.text, "tmp\nreadablesubstituted\ndone\n");
        assert_eq!(std::fs::read_to_string(stage.work.join("src/new.txt")).unwrap(), "made\n");
        assert_eq!(listing(), before);
        assert!(!stage.home.join("b").exists());
    }
}

#[tokio::test]
async fn commands_at_once_share_their_masks_and_the_last_one_takes_them_away() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let short = stage.run("ls -A >/dev/null");
    let long = stage.run("read -t 0.5 < <(sleep 1); mkdir .git 2>/dev/null; touch .git/config 2>/dev/null; echo over");
    let more = futures_util::future::join_all((0..6).map(|_| stage.run("mkdir .mimi && touch .mimi/config.yaml")));
    let (_, long, _) = futures_util::future::join3(short, long, more).await;
    assert_eq!(long.text, "over\n");
    assert!(PROTECTED.iter().all(|name| !stage.work.join(name).exists()), "{:?}", stage.folder);
}

#[tokio::test]
async fn what_may_be_changed_follows_what_is_being_done() {
    let tries = "touch src/a && echo project; touch .git/a 2>/dev/null && echo repository; \
        touch .mimi/a 2>/dev/null && echo settings; true";
    let table = [(Access::Read, ""), (Access::Work, "project\n"), (Access::Commit, "project\nrepository\n")];
    for tier in [Tier::Full, Tier::Landlock] {
        for (access, expected) in table {
            let Some(mut stage) = Stage::new(tier, Project::Guarded) else { return };
            stage.sandbox().access = access;
            let output = stage.run(&format!("{{ {tries}; }} 2>/dev/null")).await;
            assert_eq!(output.text, expected, "{tier:?} {access:?}");
        }
    }
}

#[tokio::test]
async fn what_the_user_opens_is_open() {
    for tier in [Tier::Full, Tier::Landlock] {
        let Some(mut stage) = Stage::new(tier, Project::Bare) else { return };
        let (outside, home) = (stage.outside.clone(), stage.home.clone());
        std::fs::create_dir_all(home.join(".cargo/registry")).unwrap();
        stage.sandbox().readable.push(home.join("notes"));
        stage.sandbox().writable.push(outside.clone());
        stage.sandbox().caches.push("cargo".to_owned());
        let output = stage.run("cat ~/notes/diary.txt; echo; touch $T/new ~/.cargo/registry/new && echo made").await;
        assert_eq!(output.text, format!("{SECRET}\nmade\n"), "{tier:?}");
        assert!(outside.join("new").exists() && home.join(".cargo/registry/new").exists(), "{tier:?}");
    }
}

#[tokio::test]
async fn a_project_that_holds_the_home_folder_can_only_be_read() {
    let Some(mut stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    stage.sandbox().workspace = stage.home.clone();
    let before = stage.state();
    let output =
        stage.run("cd ~ && cat notes/diary.txt .ssh/* .netrc; echo x > notes/new; echo x >> .bashrc; true").await;
    assert_eq!(output.text.matches(SECRET).count(), 1, "{}", output.text);
    assert!(differences(&before, &stage.state()).is_empty());
}

#[tokio::test]
async fn a_link_in_place_of_a_protected_name_is_refused_with_what_to_do() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    std::os::unix::fs::symlink(&stage.outside, stage.work.join(".git")).unwrap();
    let runner = stage.runner(&[]);
    let command = stage.command(Program::Shell("echo started".to_owned()));
    let error = runner.run(command.clone(), CancellationToken::new(), None).await.unwrap_err().to_string();
    assert!(error.contains(".git is a link") && error.contains("gitdir: "), "{error}");
    let read = runner.with_access(Access::Read).run(command, CancellationToken::new(), None).await.unwrap();
    assert_eq!(read.text, "started\n");
}

#[tokio::test]
async fn a_git_file_leads_only_to_a_repository_that_belongs_to_the_project() {
    let Some(stage) = Stage::new(Tier::Full, Project::Bare) else { return };
    let repository = |path: &Path| {
        write(&path.join("HEAD"), SECRET);
        std::fs::create_dir_all(path.join("objects")).unwrap();
    };
    // Somebody's private repository, and a folder that is none.
    let private = stage.home.join("private/.git");
    repository(&private);
    for target in [private, stage.home.join(".ssh")] {
        write(&stage.work.join(".git"), &format!("gitdir: {}\n", target.display()));
        let output = stage.run(&format!("cat {}/* 2>&1", target.display())).await;
        assert!(!output.text.contains(SECRET), "{}", output.text);
    }
    // A linked work tree, whose folder names us.
    let common = stage.outside.join("main/.git");
    repository(&common);
    let own = common.join("worktrees/work");
    write(&own.join("HEAD"), "ref: refs/heads/x\n");
    write(&own.join("commondir"), "../..\n");
    write(&own.join("gitdir"), &format!("{}\n", stage.work.join(".git").display()));
    write(&stage.work.join(".git"), &format!("gitdir: {}\n", own.display()));
    let output = stage.run("D=$(cut -c9- .git); cat $D/../../HEAD; touch $D/x $D/../../hooks; true").await;
    assert!(output.text.contains(SECRET) && output.text.contains("Read-only"), "{}", output.text);
}
