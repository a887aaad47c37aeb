//! How is what is staged committed with a message that a model worded?
//!
//! The message is shown first, and nothing is committed without a yes. The commit itself is the user's own `git commit`, with
//! their settings, hooks, signing and terminal, outside of the sandbox: it is what they would have typed.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::App;
use crate::app::committing::staged;
use crate::base::clock::new_id;
use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::base::secrets;
use crate::base::text::{one_line_name, shell_quoted, visible};
use crate::cli::SandboxArg;
use crate::cli::context::{Cx, block_on};
use crate::cli::editing::edited;
use crate::cli::output::restore_terminal;
use crate::cli::prompt::{Key, forget_typed, read_key};
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::{Signals, Stop};
use crate::exec::interactive::run_in_foreground;
use crate::policy::path::is_secret;
use crate::protocol::diff;
use crate::protocol::event::{Event, Record};
use crate::tui::look::Look;
use crate::workspace::git::Git;
use crate::workspace::git_changes::{Changes, Scope};

/// Secrets that are named; the others are counted.
const MAX_WARNINGS: usize = 10;

/// Arguments of `mimi commit`.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct CommitArgs {
    /// Change the message in your editor before you are asked
    #[arg(short, long)]
    pub edit: bool,
    /// Commit without asking
    #[arg(short, long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// Print the message and commit nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
}

/// What became of the message.
enum Answer {
    Commit(String),
    Leave,
}

/// Words the message and commits on a yes.
pub fn run(cx: &Cx, args: &CommitArgs) -> Result<(), Fault> {
    let app = cx.app()?;
    let git = Git::new(&app.runner, app.workspace.root());
    let is_asked = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if args.edit && !is_asked {
        return Err(Fault::new(Kind::Usage, "there is no terminal for an editor").hint("mimi commit --dry-run"));
    }
    let (staged, answer) = block_on(async {
        let mut signals = Signals::listen()?;
        let work = async {
            let staged = staged(&git).await?;
            warn_of_secrets(cx, &staged);
            let message = worded(cx, &app, &staged).await?;
            Ok::<_, Fault>((staged, message))
        };
        let (staged, message) = tokio::select! {
            worded = work => worded?,
            stop = signals.next() => return Err(stop.fault()),
        };
        let answer = settled(cx, args, message, is_asked.then_some(&mut signals)).await?;
        Ok((staged, answer))
    })?;
    match answer {
        Answer::Leave => Ok(()),
        Answer::Commit(message) => {
            let now = block_on(async { Ok(git.changes(&Scope::Index).await?) })?;
            if now != staged {
                return Err(Fault::new(Kind::Task, "what is staged has changed meanwhile, so nothing is committed")
                    .hint("mimi commit"));
            }
            commit(cx, &message)
        }
    }
}

/// Says which secrets would be committed, and where. Whether they are is the user's to decide.
fn warn_of_secrets(cx: &Cx, changes: &Changes) {
    let mut all = Vec::new();
    for file in &changes.files {
        let name = one_line_name(&file.path);
        if file.kind != diff::Kind::Deleted && is_secret(Path::new(&file.path)) {
            all.push(format!("`{name}` is staged and may hold secrets"));
        }
        for hunk in &file.hunks {
            let new: Vec<&str> = hunk.lines.iter().filter(|line| !line.starts_with('-')).map(String::as_str).collect();
            let text: Vec<&str> = new.iter().map(|line| line.get(1..).unwrap_or_default()).collect();
            let text = text.join("\n");
            for found in secrets::find(&text) {
                let at = text[..found.range.start].matches('\n').count();
                if new.get(at).is_some_and(|line| line.starts_with('+')) {
                    all.push(format!("{name}:{}: this looks like a secret ({})", hunk.new_start + at, found.name));
                }
            }
        }
    }
    let n_more = all.len().saturating_sub(MAX_WARNINGS);
    all.truncate(MAX_WARNINGS);
    all.extend((n_more > 0).then(|| format!("{n_more} more of the kind")));
    all.iter().for_each(|warning| cx.out.note_styled(Look::Notice, format!("! {}", visible(warning))));
}

/// Has the message written by an agent that only reads.
async fn worded(cx: &Cx, app: &App, changes: &Changes) -> Result<String, Fault> {
    let mut lines = Lines::new(&cx.out, Channel::Progress);
    let mut broken = None;
    let written = app.word_commit(changes, (cx.global.model.clone(), cx.class()), |record| {
        if broken.is_none() {
            broken = show(&mut lines, record).err();
        }
    });
    let written = written.await;
    cx.out.idle();
    broken.map_or(written, Err)
}

/// The words of the model are the message, which is printed when it is settled.
fn show(lines: &mut Lines<'_>, record: &Record) -> Result<(), Fault> {
    if matches!(record.event, Event::TextDelta { .. }) { Ok(()) } else { lines.show(record) }
}

/// Shows the message and finds out what is to become of it. Without signals to listen for there is nobody to be asked.
async fn settled(cx: &Cx, args: &CommitArgs, message: String, signals: Option<&mut Signals>) -> Result<Answer, Fault> {
    let mut message = if args.edit { edit(cx, &message).await? } else { message };
    cx.out.text(&visible(&message))?;
    if args.dry_run {
        return Ok(Answer::Leave);
    }
    if args.yes {
        return Ok(Answer::Commit(message));
    }
    let Some(signals) = signals else {
        return Err(Fault::new(Kind::Denied, "nothing is committed, because nobody is there to say yes")
            .hint("mimi commit --yes"));
    };
    loop {
        forget_typed();
        cx.out.note_styled(Look::Bold, "? commit this: y yes, e edit it first, n no");
        match key(signals).await? {
            Key::Char('y') => return Ok(Answer::Commit(message)),
            Key::Char('e') => {
                message = edit(cx, &message).await?;
                cx.out.text(&visible(&message))?;
            }
            Key::Char('n') => {
                cx.out.note("nothing is committed");
                return Ok(Answer::Leave);
            }
            Key::Interrupt => return Err(Stop::Interrupt.fault()),
            Key::Char(_) | Key::Other => {}
        }
    }
}

/// Waits for a key, unless mimi is told to end.
async fn key(signals: &mut Signals) -> Result<Key, Fault> {
    let give_up = Arc::new(AtomicBool::new(false));
    let mut reading = pin!(read_key(give_up.clone()));
    let stop = tokio::select! {
        key = &mut reading => return key,
        stop = signals.next() => stop,
    };
    // The terminal may be gone, and then the reader never ends.
    if stop == Stop::Terminate {
        restore_terminal();
        return Err(stop.fault());
    }
    // It is put back by whoever reads.
    give_up.store(true, Ordering::Relaxed);
    drop(reading.await);
    Err(stop.fault())
}

async fn edit(cx: &Cx, message: &str) -> Result<String, Fault> {
    let text = edited(cx, &format!("commit-{}.txt", new_id()), message).await.map_err(|error| {
        Fault::io(Kind::Task, "the message was not edited, and nothing is committed", &error).hint("export EDITOR=vi")
    })?;
    let text = text.trim();
    if text.is_empty() {
        return Err(Fault::new(Kind::Task, "the message is empty, so nothing is committed"));
    }
    Ok(format!("{text}\n"))
}

/// Commits as the user would. The message stays where it is if git does not take it.
pub(super) fn commit(cx: &Cx, message: &str) -> Result<(), Fault> {
    let file = kept(&cx.dirs.state.join("edit"), message)?;
    let mut argv = ["git", "commit", "--cleanup=whitespace"].map(str::to_owned).to_vec();
    argv.extend(cx.global.quiet.then(|| "--quiet".to_owned()));
    argv.push(format!("--file={}", file.display()));
    let ended = run_in_foreground(&argv, &cx.workspace_root);
    let code = ended.map_err(|error| Fault::io(Kind::Check, "cannot start git", &error))?;
    if code == 0 {
        drop(remove_file(&file));
        return Ok(());
    }
    let again = format!("git commit --edit --file={}", shell_quoted(&file.display().to_string()));
    Err(Fault::new(Kind::Task, format!("`git commit` ended with code {code}; what it or a hook said stands above"))
        .hint(format!("the message is kept: {again}")))
}

fn kept(folder: &Path, message: &str) -> Result<PathBuf, Fault> {
    let file = folder.join(format!("commit-{}.txt", new_id()));
    let written = create_private_dir(folder).and_then(|()| write_atomic(&file, message.as_bytes(), PRIVATE_FILE));
    written.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", file.display()), &error))?;
    Ok(file)
}
