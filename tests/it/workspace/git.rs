//! Does git answer, and does a hostile repository stay without effect?

use std::path::{Path, PathBuf};

use mimi::workspace::git::{Compared, Git, GitError, Lines, head_branch, is_repository};

use crate::exec::Bench;

/// A repository with two commits, `a.txt` changed since, `b.txt` staged and `c d.txt` unknown to git.
pub struct Repository {
    pub bench: Bench,
    pub root: PathBuf,
}

impl Repository {
    pub fn empty() -> Self {
        let bench = Bench::new();
        let root = bench.folder.path().canonicalize().unwrap().join("work");
        std::fs::create_dir_all(&root).unwrap();
        let repository = Self { bench, root };
        repository
            .write("../.gitconfig", "[user]\nname = Ada\nemail = ada@example.org\n[init]\ndefaultBranch = main\n");
        repository.git("init -q");
        repository
    }

    pub fn new() -> Self {
        let repository = Self::empty();
        repository.write("a.txt", "one\ntwo\n");
        repository.git("add . && git commit -qm first");
        repository.write("a.txt", "one\n2\n");
        repository.git("commit -qam 'second change'");
        repository.write("a.txt", "one\n2\nthree\n");
        repository.write("b.txt", "new\n");
        repository.git("add b.txt");
        repository.write("c d.txt", "unknown\n");
        repository
    }

    /// Runs git as its user would, through bash.
    pub fn git(&self, arguments: &str) -> String {
        let mut command = std::process::Command::new("bash");
        command.args(["-c", &format!("git {arguments}")]).current_dir(&self.root).env_clear();
        command.env("PATH", std::env::var("PATH").unwrap()).env("HOME", self.root.parent().unwrap());
        let output = command.env("GIT_CONFIG_NOSYSTEM", "1").env("GIT_TERMINAL_PROMPT", "0").output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn ask(&self) -> Git {
        Git::new(&self.bench.runner, &self.root)
    }
}

#[tokio::test]
async fn every_read_answers_in_values() {
    let repository = Repository::new();
    let git = repository.ask();
    let status = git.status().await.unwrap();
    let entries: Vec<_> = status.entries.iter().map(|e| format!("{}{} {}", e.staged, e.unstaged, e.path)).collect();
    assert_eq!(entries, [".M a.txt", "A. b.txt", "?? c d.txt"]);
    assert_eq!((status.branch.as_deref(), status.upstream), (Some("main"), None));

    let patch = git.diff(&Compared::Unstaged, &[]).await.unwrap();
    assert_eq!((patch.files[0].path.as_str(), patch.files[0].added, patch.files.len()), ("a.txt", Some(1), 1));
    assert!(patch.text.ends_with(" one\n 2\n+three\n"), "{}", patch.text);
    assert_eq!(git.diff(&Compared::Staged, &[]).await.unwrap().files[0].path, "b.txt");
    let range = git.diff(&Compared::Revision("HEAD~1..HEAD".into()), &["a.txt".into()]).await.unwrap();
    assert!(range.text.contains("-two\n+2\n"), "{}", range.text);

    let log = git.log(10, None, None).await.unwrap();
    let subjects: Vec<_> = log.iter().map(|commit| commit.subject.as_str()).collect();
    assert_eq!((subjects, log[0].author.as_str()), (vec!["second change", "first"], "Ada"));
    assert_eq!(git.log(10, Some("HEAD~1"), Some("a.txt")).await.unwrap().len(), 1);

    let shown = git.show("HEAD", None).await.unwrap();
    assert!(shown.contains("Author: Ada <ada@example.org>") && shown.contains("+2\n"), "{shown}");
    assert_eq!(git.show("HEAD~1:a.txt", None).await.unwrap(), "one\ntwo\n");

    let blame = git.blame("a.txt", None, None).await.unwrap();
    let authors: Vec<_> = blame.iter().map(|l| format!("{} {} {}", l.line, l.author, l.text)).collect();
    assert_eq!(authors, ["1 Ada one", "2 Ada 2", "3 Not Committed Yet three"]);
    let part = git.blame("a.txt", Some(Lines { first: 2, last: 2 }), Some("HEAD")).await.unwrap();
    assert_eq!((part.len(), part[0].text.as_str()), (1, "2"));
}

#[tokio::test]
async fn a_subfolder_sees_its_own_files_by_its_own_paths() {
    let repository = Repository::new();
    repository.write("sub/e.txt", "e\n");
    repository.git("add sub && git commit -qm sub -- sub");
    repository.write("sub/e.txt", "changed\n");
    let git = Git::new(&repository.bench.runner, &repository.root.join("sub"));
    let status = git.status().await.unwrap();
    assert_eq!(status.entries.iter().map(|e| e.path.as_str()).collect::<Vec<_>>(), ["e.txt"]);
    let patch = git.diff(&Compared::Unstaged, &["e.txt".into()]).await.unwrap();
    assert!(patch.text.starts_with("diff --git a/e.txt b/e.txt"), "{}", patch.text);
    assert_eq!(git.blame("e.txt", None, Some("HEAD")).await.unwrap()[0].text, "e");
}

#[tokio::test]
async fn what_cannot_be_answered_says_why() {
    let repository = Repository::new();
    let git = repository.ask();
    for revision in ["nope", "HEAD..nope", "deadbeefdeadbeefdeadbeefdeadbeefdeadbeef"] {
        let found = [
            git.show(revision, None).await.map(|_| ()),
            git.log(1, Some(revision), None).await.map(|_| ()),
            git.diff(&Compared::Revision(revision.into()), &[]).await.map(|_| ()),
            git.blame("a.txt", None, Some(revision)).await.map(|_| ()),
        ];
        for error in found {
            assert!(matches!(&error, Err(GitError::UnknownRevision { revision: r }) if r == revision), "{error:?}");
        }
    }
    let missing = git.blame("gone.txt", None, Some("HEAD")).await;
    assert!(matches!(&missing, Err(GitError::UnknownPath { path }) if path == "gone.txt"), "{missing:?}");
    let missing = git.show("HEAD:gone.txt", None).await;
    assert!(matches!(&missing, Err(GitError::UnknownPath { path }) if path == "HEAD:gone.txt"), "{missing:?}");

    let empty = Repository::empty();
    assert!(matches!(empty.ask().log(1, None, None).await, Err(GitError::NoCommits)));
    assert_eq!(empty.ask().status().await.unwrap().commit, None);

    let bench = Bench::new();
    let outside = Git::new(&bench.runner, bench.folder.path());
    assert!(matches!(outside.status().await, Err(GitError::NotRepository { .. })));
    assert!(!is_repository(bench.folder.path()));
    let runner = bench.runner.with_environment(&[("PATH", "/nowhere")]);
    assert!(matches!(Git::new(&runner, bench.folder.path()).status().await, Err(GitError::NotInstalled)));
}

#[tokio::test]
async fn revisions_and_paths_are_never_options() {
    let repository = Repository::new();
    let git = repository.ask();
    for revision in ["--output=stolen", "-p", "", "a\nb", "--no-index"] {
        assert!(matches!(git.show(revision, None).await, Err(GitError::BadRevision { .. })), "{revision}");
        let compared = Compared::Revision(revision.into());
        assert!(matches!(git.diff(&compared, &[]).await, Err(GitError::BadRevision { .. })), "{revision}");
        assert!(matches!(git.blame("a.txt", None, Some(revision)).await, Err(GitError::BadRevision { .. })));
    }
    for path in ["--output=stolen", ":(top)a.txt", "*.txt", "--ext-diff"] {
        assert_eq!(git.diff(&Compared::Unstaged, &[path.into()]).await.unwrap().files, [], "{path}");
        assert!(git.log(1, None, Some(path)).await.unwrap().is_empty(), "{path}");
    }
    assert!(!repository.root.join("stolen").exists());
}

#[test]
fn the_branch_is_known_without_starting_git() {
    let repository = Repository::new();
    let branch = || head_branch(&repository.root);
    assert_eq!(branch().as_deref(), Some("main"));
    repository.git("checkout -qb topic/x");
    assert_eq!(branch().as_deref(), Some("topic/x"));
    repository.git("worktree add -q ../linked -b other");
    assert_eq!(head_branch(&repository.root.join("../linked")).as_deref(), Some("other"));
    repository.git("checkout -q --detach");
    assert_eq!(branch().unwrap().len(), 12);
    repository.git("rev-parse HEAD > .git/HEAD.txt; rm .git/HEAD; mkfifo .git/HEAD");
    assert_eq!(branch(), None);
}

/// Settings of a repository that name a program; `CANARY` stands for a command that leaves a file behind.
const PROGRAMS: [&str; 16] = [
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "core.askPass",
    "core.sshCommand",
    "core.alternateRefsCommand",
    "credential.helper",
    "diff.external",
    "diff.d.command",
    "diff.d.textconv",
    "filter.f.clean",
    "filter.g=h.clean",
    "filter.p.process",
    "interactive.diffFilter",
    "pager.log",
    "pager.status",
];

/// Arms every way we know, in the repository and in a submodule of it.
fn arm(repository: &Repository, canaries: &Path) {
    repository.write("f.txt", "f\n");
    repository.write("g.txt", "g\n");
    repository.write("p.txt", "p\n");
    repository.git("add f.txt g.txt p.txt && git commit -qm filtered -- f.txt g.txt p.txt");
    repository.git("-c protocol.file.allow=always submodule --quiet add ./. sub && git commit -qm sub");
    repository.git("cat-file commit HEAD > ../commit");
    let commit = std::fs::read_to_string(repository.root.join("../commit")).unwrap();
    let signature = "\ngpgsig -----BEGIN PGP SIGNATURE-----\n \n xyz\n -----END PGP SIGNATURE-----\n\n";
    repository.write("../signed", &commit.replacen("\n\n", signature, 1));
    repository.git("reset -q --soft $(git hash-object -t commit -w ../signed)");
    let canary = |name: &str| format!("touch {}/{name}; true", canaries.display());
    for (n, setting) in PROGRAMS.iter().enumerate() {
        repository.git(&format!("config '{setting}' '{}'", canary(&format!("{n}-{setting}"))));
        repository.git(&format!("-C sub config '{setting}' '{}'", canary(&format!("sub-{n}"))));
    }
    // Started without a shell, unlike the others.
    repository.write("../gpg", &format!("#!/bin/sh\n{}", canary("gpg.program")));
    repository.git("config gpg.program $PWD/../gpg; chmod +x ../gpg");
    repository
        .git("config log.showSignature true; git config format.pretty 'format:%G? %s'; git config color.diff always");
    repository
        .git("config diff.submodule diff; git config status.submoduleSummary true; git config submodule.recurse true");
    repository.git("config remote.origin.promisor true; git config extensions.partialClone origin");
    repository.git(&format!(
        "config remote.origin.url 'ext::touch {}/ext'; git config protocol.ext.allow always",
        canaries.display()
    ));
    repository.write(".git/info/attributes", "a.txt diff=d\nf.txt filter=f\ng.txt filter=g=h\np.txt filter=p\n");
    repository.write(".git/hooks/post-index-change", &format!("#!/bin/sh\n{}", canary("hook")));
    repository.git("--version; chmod +x .git/hooks/post-index-change");
    for file in ["a.txt", "b.txt", "f.txt", "g.txt", "p.txt", "sub/a.txt"] {
        repository.write(file, "changed since\n");
    }
}

fn fired(canaries: &Path) -> Vec<String> {
    let names = std::fs::read_dir(canaries).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_hostile_repository_runs_nothing() {
    let repository = Repository::new();
    let canaries = repository.root.parent().unwrap().join("canaries");
    std::fs::create_dir(&canaries).unwrap();
    arm(&repository, &canaries);
    let git = repository.ask();
    let missing = "1234567812345678123456781234567812345678";
    let status = git.status().await.unwrap();
    assert!(status.entries.iter().any(|entry| entry.path == "f.txt"), "{status:?}");
    git.diff(&Compared::Unstaged, &[]).await.unwrap();
    git.diff(&Compared::Staged, &[]).await.unwrap();
    git.diff(&Compared::Revision("HEAD~1".into()), &[]).await.unwrap();
    git.log(10, None, None).await.unwrap();
    git.show("HEAD", None).await.unwrap();
    git.blame("a.txt", None, None).await.unwrap();
    git.blame("f.txt", None, Some("HEAD")).await.unwrap();
    assert!(git.show(missing, None).await.is_err());
    assert_eq!(fired(&canaries), Vec::<String>::new());

    // The same questions asked carelessly, to know that the traps work.
    // The monitor comes last because it tells git that nothing changed.
    repository.git(&format!(
        "-c core.fsmonitor=false diff a.txt b.txt; git diff; git log -p; git show; git blame a.txt; git show {missing}"
    ));
    repository.git("status");
    let fired = fired(&canaries);
    for trap in [
        "core.fsmonitor",
        "diff.external",
        "diff.d.command",
        "diff.d.textconv",
        "filter.f.clean",
        "filter.g=h.clean",
        "filter.p.process",
        "gpg.program",
    ] {
        assert!(fired.iter().any(|name| name.ends_with(trap)), "{trap} is not armed: {fired:?}");
    }
    for trap in ["sub-0", "ext", "hook"] {
        assert!(fired.iter().any(|name| name == trap), "{trap} is not armed: {fired:?}");
    }
}

#[tokio::test]
async fn a_repository_cannot_point_git_at_other_folders() {
    let repository = Repository::new();
    let elsewhere = tempfile::tempdir().unwrap();
    repository.git(&format!("config core.worktree {}", elsewhere.path().display()));
    assert!(matches!(repository.ask().status().await, Err(GitError::Elsewhere { .. })));
    // A bare repository lying in a folder, with settings of its own.
    let inner = repository.root.join("inner");
    repository.git("config --unset core.worktree; git init -q --bare inner; git -C inner config core.bare false");
    repository.git("-C inner config core.worktree /etc");
    let found = Git::new(&repository.bench.runner, &inner).status().await;
    assert!(matches!(found, Err(GitError::NotRepository { .. } | GitError::Elsewhere { .. })), "{found:?}");
}
