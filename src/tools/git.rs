//! How does the model read the repository, and commit when the user asked for it?
//!
//! Reads go through `workspace::git`, in which the repository can run nothing. A commit is the user's own: their settings,
//! their hooks, never `--no-verify`; it is asked about by policy like any other change.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::base::fault::Fault;
use crate::base::{clock, path, text};
use crate::exec::run::{Command, Ending, ExecError, Output, Program};
use crate::exec::sandbox::Access;
use crate::protocol::tool::{Action, Intent, ToolOutcome, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, lenient, parse_arguments};
use crate::workspace::git::{Compared, Git as Repository, GitError, Lines};
use crate::workspace::git_parse::{BlameLine, Commit, Patch, Status};

/// Longest line of it.
const MAX_LINE_BYTES: usize = 2000;
/// Commits of a log when the call does not say.
const N_COMMITS: usize = 20;
/// Most commits of a log.
const MAX_COMMITS: usize = 1000;
/// Time hooks of a commit may take when the manifest does not say, in seconds.
const TIMEOUT_S: u64 = 300;

/// The tool.
pub struct Git {
    manifest: Manifest,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Verb {
    Status,
    Diff,
    Log,
    Show,
    Blame,
    Commit,
}

impl Verb {
    fn word(self) -> &'static str {
        match self {
            Self::Status => "status",
            Self::Diff => "diff",
            Self::Log => "log",
            Self::Show => "show",
            Self::Blame => "blame",
            Self::Commit => "commit",
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "command")]
    action: Verb,
    #[serde(default, deserialize_with = "lenient::text", alias = "file")]
    path: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    #[serde(default, deserialize_with = "lenient::text", alias = "revision", alias = "commit")]
    rev: Option<String>,
    #[serde(default, deserialize_with = "lenient::flag", alias = "cached")]
    staged: bool,
    #[serde(default, deserialize_with = "lenient::text")]
    lines: Option<String>,
    #[serde(default, deserialize_with = "lenient::count", alias = "n")]
    max_count: Option<usize>,
    #[serde(default, deserialize_with = "lenient::text")]
    message: Option<String>,
}

/// A call whose arguments make sense.
#[derive(Debug)]
struct Request {
    verb: Verb,
    /// Paths relative to the workspace.
    paths: Vec<String>,
    rev: Option<String>,
    compared: Compared,
    lines: Option<Lines>,
    n_commits: usize,
    message: String,
}

impl Request {
    /// Returns the files named, also as `REVISION:PATH`, so that the policy judges them.
    fn named(&self, cx: &ToolContext) -> impl Iterator<Item = PathBuf> {
        let in_revision = self.rev.as_deref().and_then(|revision| Some(revision.split_once(':')?.1));
        self.paths.iter().map(String::as_str).chain(in_revision).map(|path| cx.workspace.root().join(path))
    }
}

impl Git {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }

    fn parse(&self, cx: &ToolContext, arguments: &Value) -> Result<Request, BadCall> {
        let given: Arguments = parse_arguments(&self.manifest, arguments)?;
        let compared = match (given.staged, &given.rev) {
            (true, Some(_)) => return Err(bad("pass either `staged` or `rev`, not both")),
            (true, None) => Compared::Staged,
            (false, Some(revision)) => Compared::Revision(revision.clone()),
            (false, None) => Compared::Unstaged,
        };
        let paths =
            given.path.iter().chain(&given.paths).map(|path| inside(cx, path)).collect::<Result<Vec<_>, _>>()?;
        let message = given.message.unwrap_or_default().trim().to_owned();
        match given.action {
            Verb::Blame if paths.len() != 1 => return Err(bad("`blame` needs one file: pass `path`")),
            Verb::Commit if message.is_empty() || message.contains('\0') => {
                return Err(bad("`commit` needs a `message`"));
            }
            _ => {}
        }
        Ok(Request {
            verb: given.action,
            paths,
            rev: given.rev,
            compared,
            lines: given.lines.as_deref().map(parse_lines).transpose()?,
            n_commits: given.max_count.unwrap_or(N_COMMITS).clamp(1, MAX_COMMITS),
            message,
        })
    }
}

impl Tool for Git {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let request = self.parse(cx, arguments)?;
        if request.verb == Verb::Commit {
            let files =
                if request.paths.is_empty() { String::new() } else { format!(" ({})", request.paths.join(", ")) };
            let summary = format!("{}{files}", text::first_line(&request.message, 100));
            let actions = vec![Action::Commit { summary: summary.clone() }];
            return Ok(Intent { target: format!("git commit: {summary}"), actions, ..Intent::default() });
        }
        let words = ["git", request.verb.word()].into_iter();
        let words = words.chain(request.rev.as_deref()).chain(request.paths.iter().map(String::as_str));
        let named = request.named(cx).map(|path| Action::Read { path });
        let actions = std::iter::once(Action::Read { path: cx.workspace.root().to_path_buf() }).chain(named).collect();
        let target = words.collect::<Vec<_>>().join(" ");
        Ok(Intent { target, actions, is_parallel_safe: true, ..Intent::default() })
    }

    fn run<'a>(&'a self, cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        Box::pin(async move {
            let request = match self.parse(cx, &arguments) {
                Ok(request) => request,
                Err(bad) => return Ok(ToolReport::failed(bad.to_string())),
            };
            if request.verb == Verb::Commit {
                let timeout = Duration::from_secs(self.manifest.timeout_s.unwrap_or(TIMEOUT_S));
                return Ok(commit(cx, &request, timeout).await);
            }
            // Dropping a read ends git.
            tokio::select! {
                answer = read(cx, &request) => Ok(match answer {
                    Ok((answer, summary)) => ToolReport::ok(clipped(cx, &answer), summary),
                    Err(error) => ToolReport::failed(Fault::from(error).words()),
                }),
                () = cx.cancel.cancelled() => Ok(ToolReport::of(ToolOutcome::Cancelled, "cancelled")),
            }
        })
    }
}

fn bad(words: &str) -> BadCall {
    BadCall::Impossible(words.to_owned())
}

/// Returns a path relative to the workspace, as git will take it.
fn inside(cx: &ToolContext, given: &str) -> Result<String, BadCall> {
    let target = cx.workspace.resolve(given);
    if target.is_inside() && !given.contains('\0') {
        return Ok(target.display());
    }
    Err(BadCall::Impossible(format!(
        "`{}` is outside the project; pass a path relative to the project",
        text::first_line(given, 100)
    )))
}

/// Reads `10,40`, `10-40`, `10:40` or `10`.
fn parse_lines(given: &str) -> Result<Lines, BadCall> {
    let mut numbers = given.split([',', '-', ':']).map(|number| number.trim().parse::<usize>().ok().filter(|&n| n > 0));
    match (numbers.next().flatten(), numbers.next(), numbers.next()) {
        (Some(first), None, None) => Ok(Lines { first, last: first }),
        (Some(first), Some(Some(last)), None) if first <= last => Ok(Lines { first, last }),
        _ => Err(BadCall::Impossible(format!(
            "`lines` is `{}`; pass first,last such as 10,40",
            text::first_line(given, 40)
        ))),
    }
}

async fn read(cx: &ToolContext, request: &Request) -> Result<(String, String), GitError> {
    let git = Repository::new(&cx.runner, cx.workspace.root());
    let path = request.paths.first().map(String::as_str);
    Ok(match request.verb {
        Verb::Status | Verb::Commit => show_status(&git.status().await?),
        Verb::Diff => {
            let (patch, summary) = show_patch(&git.diff(&request.compared, &request.paths).await?);
            (without_secrets(cx, &patch), summary)
        }
        Verb::Log => show_log(&git.log(request.n_commits, request.rev.as_deref(), path).await?),
        Verb::Show => {
            let revision = request.rev.as_deref().unwrap_or("HEAD");
            (without_secrets(cx, &git.show(revision, path).await?), revision.to_owned())
        }
        Verb::Blame => show_blame(&git.blame(path.unwrap_or("."), request.lines, request.rev.as_deref()).await?),
    })
}

/// Renders as `git status --short --branch` does, which models know.
fn show_status(status: &Status) -> (String, String) {
    let commit = status.commit.as_deref().map_or("no commits yet", |commit| text::prefix(commit, 12));
    let branch = status.branch.as_deref().map_or_else(|| format!("no branch, at {commit}"), str::to_owned);
    let mut out = format!("## {branch}");
    if let Some(upstream) = &status.upstream {
        let _ = write!(out, "...{upstream} [ahead {}, behind {}]", status.ahead, status.behind);
    }
    for entry in &status.entries {
        let letters = [entry.staged, entry.unstaged].map(|letter| if letter == '.' { ' ' } else { letter });
        let origin = entry.origin.as_ref().map(|origin| format!("{origin} -> ")).unwrap_or_default();
        let _ = write!(out, "\n{}{} {origin}{}", letters[0], letters[1], entry.path);
    }
    if status.entries.is_empty() {
        out.push_str("\nnothing to commit, working tree clean");
    }
    (out, text::count(status.entries.len(), "changed file"))
}

fn show_patch(patch: &Patch) -> (String, String) {
    if patch.files.is_empty() && patch.text.is_empty() {
        return ("no differences".to_owned(), "no differences".to_owned());
    }
    let mut out = String::new();
    for file in &patch.files {
        let _ = match (file.added, file.removed) {
            (Some(added), Some(removed)) => writeln!(out, "{} +{added} -{removed}", file.path),
            _ => writeln!(out, "{} (binary)", file.path),
        };
    }
    let sum = |count: fn(&crate::workspace::git_parse::FileCount) -> Option<usize>| -> usize {
        patch.files.iter().filter_map(count).sum()
    };
    let (added, removed) = (sum(|file| file.added), sum(|file| file.removed));
    let summary = format!("{}, +{added} -{removed}", text::count(patch.files.len(), "file"));
    (format!("{out}\n{}", patch.text), summary)
}

/// How the change of one file begins, that of a merge included.
const FILE_HEADS: [&str; 3] = ["diff --git ", "diff --cc ", "diff --combined "];

/// Leaves out the changes of files that may hold secrets.
fn without_secrets(cx: &ToolContext, text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_secret = false;
    for line in text.split_inclusive('\n') {
        if let Some(names) = FILE_HEADS.iter().find_map(|head| line.strip_prefix(head)) {
            // `a/OLD b/NEW`, each quoted where it holds odd characters: cut anywhere, a name is still a part of its path.
            let names = names.split([' ', '"', '/', '\n']).filter(|name| !name.is_empty());
            is_secret = names.into_iter().any(|name| (cx.may_hold_secrets)(Path::new(name)));
            if is_secret {
                out.push_str(line);
                out.push_str("[not shown, for it may hold secrets]\n");
            }
        }
        if !is_secret {
            out.push_str(line);
        }
    }
    out
}

fn show_log(commits: &[Commit]) -> (String, String) {
    let lines = commits.iter().map(|c| format!("{} {} {}: {}\n", c.id, c.date, c.author, c.subject));
    let text = if commits.is_empty() { "no commits".to_owned() } else { lines.collect() };
    (text, text::count(commits.len(), "commit"))
}

fn show_blame(lines: &[BlameLine]) -> (String, String) {
    let line = |l: &BlameLine| {
        let time = clock::format_utc(l.authored_at_s.saturating_mul(1000).min(MAX_TIME_MS));
        let (commit, day) = (text::prefix(&l.commit, 8), text::prefix(&time, 10));
        format!("{commit} {day} {} {}\t{}\n", l.author, l.line, l.text)
    };
    (lines.iter().map(line).collect(), text::count(lines.len(), "line"))
}

/// The end of the year 9999, the last time that can be written: a commit may claim any.
const MAX_TIME_MS: u64 = 253_402_300_799_000;

/// Cuts an answer to what the model gets; the whole goes to a file it can read.
fn clipped(cx: &ToolContext, answer: &str) -> String {
    let answer = text::plain(answer);
    let max_bytes = cx.limits.max_output_bytes;
    if answer.len() <= max_bytes {
        return answer;
    }
    let file = cx.spill_dir.join(format!("git-{}.txt", clock::new_id()));
    let kept = path::create_private_dir(&cx.spill_dir)
        .and_then(|()| path::write_atomic(&file, answer.as_bytes(), path::PRIVATE_FILE));
    let note = match kept {
        Ok(()) => format!("; whole output in {}", file.display()),
        Err(error) => format!("; whole output could not be kept: {error}"),
    };
    let lines: Vec<_> = answer.lines().map(|line| text::clip_line(line, MAX_LINE_BYTES)).collect();
    text::clip_middle(&lines.join("\n"), max_bytes, &note).into_owned()
}

/// Adds the paths, when there are any, and commits.
async fn commit(cx: &ToolContext, request: &Request, timeout: Duration) -> ToolReport {
    let paths = |mut argv: Vec<String>| {
        argv.push("--".to_owned());
        argv.extend(request.paths.iter().cloned());
        argv
    };
    if !request.paths.is_empty() {
        // New files are not known to `git commit PATH`; `--all` records those that are gone.
        let added = step(cx, paths(["add", "--all"].map(str::to_owned).to_vec()), timeout).await;
        if !matches!(&added, Ok(output) if output.ending == Ending::Exited(0)) {
            return commit_report(added, timeout);
        }
    }
    let mut argv = vec!["commit".to_owned(), format!("--message={}", request.message)];
    if !request.paths.is_empty() {
        argv = paths(argv);
    }
    commit_report(step(cx, argv, timeout).await, timeout)
}

async fn step(cx: &ToolContext, arguments: Vec<String>, timeout: Duration) -> Result<Output, ExecError> {
    // Clean-up in the background would be ended with the command; it can wait for the user's next commit.
    let fixed = ["git", "-c", "gc.auto=0", "-c", "maintenance.auto=false", "--no-pager", "--literal-pathspecs"];
    let command = Command {
        program: Program::Argv(fixed.map(str::to_owned).into_iter().chain(arguments).collect()),
        cwd: cx.workspace.root().to_path_buf(),
        timeout,
        max_output_bytes: cx.limits.max_output_bytes,
        spill: Some(cx.spill_dir.join(format!("git-{}.txt", clock::new_id()))),
    };
    let runner = cx.runner.with_access(Access::Commit);
    runner.run(command, cx.cancel.clone(), Some(cx.progress.clone())).await
}

/// Follows the words of git where it could not sign: the sandbox shows neither keys nor the agents that hold them.
const UNSIGNED: &str = "\n[commits are signed here, and the keys cannot be reached from where git runs: ask the user to commit, or to \
                        switch `commit.gpgsign` off for this repository]";

/// Says whether git failed because of a signature, by gpg, gpgsm or ssh-keygen (git's `gpg-interface.c`).
fn is_unsigned(words: &str) -> bool {
    let is_about_keys = ["gpg", "sign", "public key", "ssh-keygen"].iter().any(|word| words.contains(word));
    words.contains("failed to write commit object") && is_about_keys
}

fn commit_report(result: Result<Output, ExecError>, timeout: Duration) -> ToolReport {
    let output = match result {
        Ok(output) => output,
        Err(error) => return ToolReport::failed(Fault::from(GitError::from(error)).words()),
    };
    let words = output.text.trim_end();
    match output.ending {
        Ending::Exited(0) => ToolReport::ok(words, text::first_line(words, 60)),
        Ending::Exited(code) => {
            let hint = if is_unsigned(words) { UNSIGNED } else { "" };
            ToolReport::failed(format!("nothing was committed (exit code {code})\n{words}{hint}"))
        }
        Ending::Signalled(signal) => ToolReport::failed(format!("git was ended by signal {signal}\n{words}")),
        Ending::TimedOut => {
            let text = format!("{words}\ntimed out after {} s; a hook may be waiting for something", timeout.as_secs());
            ToolReport::of(ToolOutcome::TimedOut { text }, "timed out")
        }
        Ending::Cancelled => ToolReport::of(ToolOutcome::Cancelled, "cancelled"),
    }
}
