//! How does a person go through changes piece by piece?
//!
//! Each piece is shown and taken, left, or rewritten in the person's editor. Part of `chat` and of `fix --review`; changes
//! nothing itself.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::clock::new_id;
use crate::base::fault::{Fault, Kind};
use crate::base::text::{one_line_name, visible};
use crate::cli::context::Cx;
use crate::cli::editing::edited;
use crate::cli::prompt::{Key, Line, Prompt};
use crate::cli::render::Lines;
use crate::cli::signal::{Signals, Stop};
use crate::protocol::diff::{FileDiff, Hunk, Kind as Change};
use crate::protocol::review::{HunkAnswer, Ruling};
use crate::tui::look::Look;

/// What is said to a piece, and to those behind it.
enum Said {
    One(Ruling),
    Rest(Ruling),
    Interrupt,
}

/// The terminal on which the person is asked.
pub(super) struct Walk<'w, 'o> {
    pub(super) cx: &'w Cx,
    pub(super) lines: &'w mut Lines<'o>,
    pub(super) prompt: &'w mut Prompt,
    pub(super) signals: &'w mut Signals,
}

impl Walk<'_, '_> {
    /// Asks about each piece of the changes; none when interrupted.
    pub(super) async fn all(&mut self, previews: &[&FileDiff]) -> Result<Option<Vec<HunkAnswer>>, Fault> {
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
        self.cx.out.styled(Look::Bold, format!("? piece {n} of {of}: {name}"))?;
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

    async fn reason(&mut self) -> Result<Option<String>, Fault> {
        Ok(match self.line("reason> ").await? {
            Line::Text(text) => Some(text),
            Line::End | Line::Interrupted => None,
        })
    }

    /// Reads a line, unless mimi is told to end.
    pub(super) async fn line(&mut self, prompt: &str) -> Result<Line, Fault> {
        let mut reading = pin!(self.prompt.line(prompt));
        loop {
            tokio::select! {
                line = &mut reading => return line,
                // From a simple terminal, where Ctrl-C is no key for the editor, the line is still being read.
                stop = self.signals.next() => if stop == Stop::Terminate {
                    return Err(stop.fault());
                },
            }
        }
    }

    /// Lets the person change a text in their editor, named by the file it is of; none when it was left with an error or cannot be started.
    pub(super) async fn edited(&mut self, path: &str, text: &str) -> Result<Option<String>, Fault> {
        let extension = std::path::Path::new(path).extension().and_then(|extension| extension.to_str());
        let name = format!("text-{}.{}", new_id(), extension.unwrap_or("txt"));
        match edited(self.cx, &name, text).await {
            Ok(text) => Ok(Some(text)),
            Err(error) => {
                let fault = Fault::io(Kind::Task, "the text was not edited", &error).hint("export EDITOR=vi");
                self.cx.out.styled(Look::Notice, visible(&fault.to_string()))?;
                Ok(None)
            }
        }
    }

    /// Waits for a key, unless mimi is told to end.
    pub(super) async fn key(&mut self) -> Result<Key, Fault> {
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
}
