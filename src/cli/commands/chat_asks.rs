//! How is a person in a conversation asked, and what do their keys mean?
//!
//! Approvals by a single key, changes also piece by piece (`pieces`), and questions of the model. Part of `chat`, which owns
//! the terminal.

use crate::base::fault::Fault;
use crate::base::text::{count, visible};
use crate::cli::commands::chat_lines::Chat;
use crate::cli::commands::pieces::Walk;
use crate::cli::prompt::{Key, Line};
use crate::protocol::diff::FileDiff;
use crate::protocol::message::CallId;
use crate::protocol::op::{Grant, Offer, Op};
use crate::protocol::review::HunkAnswer;
use crate::protocol::tool::Question;
use crate::tui::look::Look;
use crate::tui::state::asking::chosen;

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

impl<'a> Chat<'a> {
    pub(super) async fn approval(&mut self, asked: Asked<'_>) -> Result<(), Fault> {
        self.lines.finish_line()?;
        let verb = self.lines.asking(asked.tool);
        self.cx.out.styled(Look::Bold, format!("? {verb} {}", visible(&asked.what)))?;
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
        self.cx.out.styled(Look::Notice, text)?;
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
        self.walk().all(previews).await
    }

    /// Waits for a key, unless mimi is told to end.
    async fn key(&mut self) -> Result<Key, Fault> {
        self.walk().key().await
    }

    pub(super) fn walk(&mut self) -> Walk<'_, 'a> {
        Walk { cx: self.cx, lines: &mut self.lines, prompt: &mut self.prompt, signals: &mut self.signals }
    }

    pub(super) async fn question(&mut self, call: &CallId, question: &Question) -> Result<(), Fault> {
        self.cx.out.idle();
        self.lines.finish_line()?;
        self.cx.out.styled(Look::Bold, format!("? {}", visible(&question.question)))?;
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
