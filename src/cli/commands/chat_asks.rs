//! How is a person in a conversation asked, and what do their keys mean?
//!
//! Approvals by a single key, changes also piece by piece, and questions of the model. Part of `chat`, which owns the
//! terminal.

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::clock::new_id;
use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, create_private_dir, remove_file, write_atomic};
use crate::base::text::{count, one_line_name, visible};
use crate::cli::asking::chosen;
use crate::cli::commands::chat::Chat;
use crate::cli::commands::config::editor;
use crate::cli::output::Style;
use crate::cli::prompt::{Key, Line};
use crate::cli::signal::Stop;
use crate::exec::interactive::run_editor;
use crate::protocol::diff::{FileDiff, Hunk, Kind as Change};
use crate::protocol::message::CallId;
use crate::protocol::op::{Grant, Offer, Op};
use crate::protocol::review::{HunkAnswer, Ruling};
use crate::protocol::tool::Question;

/// A call that waits for an approval.
pub(super) struct Asked<'r> {
    pub(super) call: &'r CallId,
    pub(super) tool: &'r str,
    /// What it would do, in full.
    pub(super) what: String,
    pub(super) why: &'r str,
    /// The changes that were shown.
    pub(super) previews: Vec<&'r FileDiff>,
    /// The rule that can be agreed to for always.
    pub(super) always: Option<&'r Offer>,
}

/// What is said to a piece, and to those behind it.
enum Said {
    One(Ruling),
    Rest(Ruling),
    Interrupt,
}

/// Shows a rule and what else it covers.
fn shown(offer: &Offer) -> String {
    match offer.also.as_str() {
        "" => format!("`{}`, and nothing else", offer.rule),
        also => format!("`{}`, that is {also}", offer.rule),
    }
}

fn days(n: u64) -> String {
    count(n as usize, "day")
}

impl Chat<'_> {
    pub(super) async fn approval(&mut self, asked: Asked<'_>) -> Result<(), Fault> {
        self.lines.finish_line()?;
        let verb = self.lines.asking(asked.tool);
        self.cx.out.styled(Style::Bold, format!("? {verb} {}", visible(&asked.what)))?;
        let has_pieces = asked.previews.iter().any(|diff| !diff.hunks.is_empty());
        let pieces = if has_pieces { ", h piece by piece" } else { "" };
        let keys = format!("y once, s for this session, n no, r no with a reason{pieces}");
        self.cx.out.line(format!("  {}; {keys}", visible(asked.why)))?;
        if let Some(offer) = asked.always {
            self.cx.out.line(visible(&format!(
                "  a always here, for {}: {}",
                days(self.app.config.policy.always_days),
                shown(offer)
            )))?;
        }
        let call = asked.call.clone();
        let op = loop {
            match self.key().await? {
                Key::Char('y') => break Op::Approve { call, grant: Grant::Once },
                Key::Char('s') => break Op::Approve { call, grant: Grant::Session },
                Key::Char('a') if asked.always.is_some() => break Op::Approve { call, grant: Grant::Always },
                Key::Char('n') => break Op::Deny { call, reason: None },
                Key::Char('r') => break Op::Deny { call, reason: self.reason().await? },
                Key::Char('h') if has_pieces => match self.pieces(&asked.previews).await? {
                    Some(answers) => break Op::Review { call, answers },
                    None => break Op::Interrupt,
                },
                Key::Interrupt => break Op::Interrupt,
                Key::Char(_) | Key::Other => {}
            }
        };
        self.send(op).await
    }

    /// Asks for the one mode in which nothing is asked; a word typed in full is no slip of a key.
    pub(super) async fn confirms_yolo(&mut self) -> Result<bool, Fault> {
        let text = "in this mode commands run and files change without a question, with all you may do, until the session ends";
        self.cx.out.styled(Style::Notice, text)?;
        Ok(matches!(self.line("type yolo to go on> ").await?, Line::Text(text) if text.trim() == "yolo"))
    }

    async fn reason(&mut self) -> Result<Option<String>, Fault> {
        Ok(match self.line("reason> ").await? {
            Line::Text(text) => Some(text),
            Line::End | Line::Interrupted => None,
        })
    }

    /// Asks about each piece of the changes; none when interrupted.
    async fn pieces(&mut self, previews: &[&FileDiff]) -> Result<Option<Vec<HunkAnswer>>, Fault> {
        let all: Vec<(&FileDiff, &Hunk)> =
            previews.iter().flat_map(|diff| diff.hunks.iter().map(move |hunk| (*diff, hunk))).collect();
        let mut answers = Vec::new();
        let mut rest = None;
        for (at, (diff, hunk)) in all.iter().enumerate() {
            let ruling = match &rest {
                Some(ruling) => Ruling::clone(ruling),
                None => match self.piece(diff, hunk, (at + 1, all.len())).await? {
                    Said::One(ruling) => ruling,
                    Said::Rest(ruling) => rest.insert(ruling).clone(),
                    Said::Interrupt => return Ok(None),
                },
            };
            answers.push(HunkAnswer { path: diff.path.clone(), hunk: hunk.id.clone(), ruling });
        }
        Ok(Some(answers))
    }

    async fn piece(&mut self, diff: &FileDiff, hunk: &Hunk, (n, of): (usize, usize)) -> Result<Said, Fault> {
        let name = visible(&one_line_name(&diff.path)).into_owned();
        self.cx.out.styled(Style::Bold, format!("? piece {n} of {of}: {name}"))?;
        self.lines.hunk(hunk)?;
        let is_editable = diff.kind != Change::Deleted && !hunk.is_cut;
        let edit = if is_editable { ", e edit it" } else { "" };
        let keys =
            format!("y take it, n leave it, r leave it with a reason{edit}, a take this and the rest, d leave them");
        self.cx.out.line(format!("  {keys}"))?;
        loop {
            match self.key().await? {
                Key::Char('y') => return Ok(Said::One(Ruling::Take)),
                Key::Char('n') => return Ok(Said::One(Ruling::Leave { why: None })),
                Key::Char('r') => return Ok(Said::One(Ruling::Leave { why: self.reason().await? })),
                Key::Char('a') => return Ok(Said::Rest(Ruling::Take)),
                Key::Char('d') => return Ok(Said::Rest(Ruling::Leave { why: None })),
                Key::Char('e') if is_editable => {
                    let text = hunk.new_text().unwrap_or_default();
                    if let Some(text) = self.edited(&diff.path, &text).await? {
                        return Ok(Said::One(Ruling::Edit { text }));
                    }
                }
                Key::Interrupt => return Ok(Said::Interrupt),
                Key::Char(_) | Key::Other => {}
            }
        }
    }

    /// Lets the person change a text in their editor; none when it was left with an error or cannot be started.
    async fn edited(&mut self, path: &str, text: &str) -> Result<Option<String>, Fault> {
        match edit_text(editor(self.cx), &self.cx.dirs.state.join("edit"), path, text).await {
            Ok(text) => Ok(Some(text)),
            Err(fault) if fault.kind == Kind::Bug => Err(fault),
            Err(fault) => {
                self.cx.out.styled(Style::Notice, visible(&fault.to_string()))?;
                Ok(None)
            }
        }
    }

    /// Waits for a key, unless mimi is told to end.
    async fn key(&mut self) -> Result<Key, Fault> {
        let give_up = Arc::new(AtomicBool::new(false));
        let mut reading = pin!(self.prompt.key(give_up.clone()));
        let stop = tokio::select! {
            key = &mut reading => return key,
            stop = self.signals.next() => stop,
        };
        // The terminal may be gone, and then the reader never ends.
        if stop == Stop::Terminate {
            return Err(stop.fault());
        }
        // It must be gone before somebody else reads, or it would take the next key.
        give_up.store(true, Ordering::Relaxed);
        reading.await?;
        Ok(Key::Interrupt)
    }

    pub(super) async fn question(&mut self, call: &CallId, question: &Question) -> Result<(), Fault> {
        self.cx.out.idle();
        self.lines.finish_line()?;
        self.cx.out.styled(Style::Bold, format!("? {}", visible(&question.question)))?;
        for (index, option) in question.options.iter().enumerate() {
            self.cx.out.line(format!("  {}. {}", index + 1, visible(option)))?;
        }
        let op = match self.line("answer> ").await? {
            Line::Text(text) => Op::Answer { call: call.clone(), text: chosen(question, &text) },
            Line::End | Line::Interrupted => Op::Interrupt,
        };
        self.send(op).await
    }
}

/// Has a text changed in an editor, in a file of its own in `folder` whose name ends as `name` does.
pub(super) async fn edit_text(argv: Vec<String>, folder: &Path, name: &str, text: &str) -> Result<String, Fault> {
    let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
    let file = folder.join(format!("piece-{}.{}", new_id(), extension.unwrap_or("txt")));
    let written = create_private_dir(folder).and_then(|()| write_atomic(&file, text.as_bytes(), PRIVATE_FILE));
    written.map_err(|error| Fault::io(Kind::Task, format!("cannot write `{}`", file.display()), &error))?;
    let editing = tokio::task::spawn_blocking(move || {
        let ended = run_editor(&argv, &file);
        let text = std::fs::read_to_string(&file);
        drop(remove_file(&file));
        match ended? {
            0 => text,
            code => Err(std::io::Error::other(format!("`{}` ended with code {code}", argv.join(" ")))),
        }
    });
    let edited = editing
        .await
        .map_err(|error| Fault::new(Kind::Bug, "cannot wait for the editor").cause(error.to_string()))?;
    edited.map_err(|error| Fault::io(Kind::Task, "the text was not edited", &error).hint("export EDITOR=vi"))
}
