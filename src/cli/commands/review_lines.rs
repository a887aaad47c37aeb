//! How are changes reviewed line by line?
//!
//! Hunk by hunk, with a key for each decision and a plain line for words: nothing moves on the screen, so that a screen reader
//! reads what a person with full screen sees. Decides nothing itself: the keys go to the same state as in full screen
//! ([`crate::tui::state::review`]), and what that orders is carried out as there.

use std::collections::VecDeque;

use crate::app::App;
use crate::app::reviewing::Reviewing;
use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, one_line_name, visible};
use crate::cli::commands::commit::commit;
use crate::cli::commands::pieces::Walk;
use crate::cli::prompt::{Key, Line};
use crate::protocol::changes::{Order, Outcome, Source};
use crate::protocol::diff::NO_END;
use crate::tui::keymap::Keymap;
use crate::tui::look::Look;
use crate::tui::state::State;
use crate::tui::state::message::{Cmd, Hand, Msg};
use crate::tui::state::outside::{Given, Want};
use crate::tui::state::review::{At, Reading};

/// Files that are listed before the first hunk.
const MAX_LISTED: usize = 40;
/// What is offered at each hunk, in the order it is mostly wanted.
const KEYS: &str = "y accept, n reject, r reject with a reason, c comment, e edit, z undo, j next, k before, ] next file, \
                    ? more keys, t tell the model, q leave";
/// What else there is.
const MORE: &str = "a accept the rest of the file, d reject it, s stage the hunk, w stage the file, u unstage, m commit what is staged, \
                    [ file before, o next that is open";

/// A review on a terminal, line by line.
pub(super) struct Review<'w, 'o> {
    walk: Walk<'w, 'o>,
    app: &'w App,
    reviewing: Reviewing,
    state: State,
    /// What was shown last.
    shown: Option<At>,
    has_left: bool,
}

/// Holds the review; returns what is to be said to the model.
///
/// # Errors
/// The terminal is gone, or mimi was told to end. What goes wrong with the changes is said and ends nothing.
pub(super) async fn review(
    walk: Walk<'_, '_>,
    app: &App,
    reviewing: Reviewing,
    source: Source,
) -> Result<Option<String>, Fault> {
    let keymap = Keymap::read(None).map_err(|wrong| Fault::new(Kind::Bug, "the keys are invalid").cause(wrong))?;
    let state = State::reviewing(keymap, source.clone());
    let mut review = Review { walk, app, reviewing, state, shown: None, has_left: false };
    // Line by line a list that comes before the changes helps nobody.
    let loaded = review.reviewing.carry_out(app, Order::Load(source)).await;
    review.take(loaded).await?;
    if review.begin()? {
        review.go().await?;
    }
    Ok(review.state.outbox.take())
}

/// Names the key of full screen that does the same.
fn key_of(key: char) -> Option<&'static str> {
    Some(match key {
        'y' => "y",
        'n' => "n",
        'e' => "e",
        'z' => "z",
        'j' => "tab",
        'k' => "backtab",
        ']' => "]",
        '[' => "[",
        'o' => "space",
        'a' => "a",
        'd' => "d",
        's' => "s",
        'w' => "S",
        'u' => "u",
        't' => "enter",
        'q' => "q",
        _ => return None,
    })
}

impl Review<'_, '_> {
    /// Says what is under review; says whether there is anything.
    fn begin(&self) -> Result<bool, Fault> {
        let (out, Some(review)) = (&self.walk.cx.out, &self.state.review) else { return Ok(false) };
        if let Reading::Failed(why) = &review.reading {
            out.styled(Look::Bad, visible(why))?;
            return Ok(false);
        }
        if review.files.is_empty() {
            out.styled(Look::Dim, format!("nothing changed: {}", visible(&review.source.words())))?;
            return Ok(false);
        }
        let (added, removed) = review.counts();
        let files = count(review.files.len(), "file");
        out.styled(Look::Bold, format!("{}: {files}, +{added} -{removed}", visible(&review.what)))?;
        for file in review.files.iter().take(MAX_LISTED) {
            let name = one_line_name(&file.diff.path);
            out.line(format!("  {}  +{} -{}", visible(&name), file.diff.added, file.diff.removed))?;
        }
        let n_more = review.files.len().saturating_sub(MAX_LISTED);
        if n_more > 0 {
            out.line(format!("  and {}", count(n_more, "more file")))?;
        }
        review.notes.iter().try_for_each(|note| out.styled(Look::Notice, format!("! {}", visible(note))))?;
        Ok(true)
    }

    async fn go(&mut self) -> Result<(), Fault> {
        while !self.has_left {
            self.show()?;
            match self.walk.key().await? {
                Key::Interrupt => self.press("q").await?,
                Key::Char('?') => self.walk.cx.out.line(format!("  {KEYS}\n  {MORE}"))?,
                Key::Char('r') => self.with_words("r", "reason> ").await?,
                Key::Char('c') => self.comment().await?,
                Key::Char('m') => self.commit().await?,
                Key::Char(c) => {
                    if let Some(key) = key_of(c) {
                        self.press(key).await?;
                    }
                }
                Key::Other => {}
            }
        }
        Ok(())
    }

    /// Shows where the person is, unless that stands there already.
    fn show(&mut self) -> Result<(), Fault> {
        let (out, Some(review)) = (&self.walk.cx.out, &self.state.review) else { return Ok(()) };
        let here = At { line: 0, ..review.at };
        let Some(file) = review.file() else { return Ok(()) };
        let (n, of) = review.progress();
        let words = review.piece().map(crate::tui::state::review::file::Piece::words).unwrap_or_default();
        let decided = if words.is_empty() { String::new() } else { format!(" [{words}]") };
        let name = visible(&one_line_name(&file.diff.path)).into_owned();
        let place = format!("hunk {} of {}", review.at.hunk + 1, file.pieces.len());
        if self.shown.replace(here) == Some(here) {
            return out.line(format!("  {name}, {place}{decided}; {n} of {of} decided"));
        }
        out.styled(Look::Bold, format!("? {name}, {place}{decided}; {n} of {of} decided"))?;
        match review.hunk() {
            Some(hunk) => self.walk.lines.hunk(hunk)?,
            None => self.walk.lines.diff(&file.diff)?,
        }
        for (_, remark) in review.remarks_on(&file.diff.path) {
            if review.hunk().is_some_and(|hunk| hunk.id == remark.hunk) && !remark.words.is_empty() {
                let line = remark.line.map_or_else(String::new, |line| format!("line {line}: "));
                out.styled(Look::Notice, visible(&format!("    {line}{}", remark.words)))?;
            }
        }
        out.line(format!("  {KEYS}"))
    }

    /// Presses a key of full screen, and says what came of it.
    async fn press(&mut self, key: &str) -> Result<(), Fault> {
        let key = key.parse().map_err(|wrong: String| Fault::new(Kind::Bug, "a key is unknown").cause(wrong))?;
        self.take_msg(Msg::Key(key)).await?;
        self.say_hint()
    }

    fn say_hint(&mut self) -> Result<(), Fault> {
        match self.state.hint.take() {
            Some(hint) => self.walk.cx.out.styled(Look::Notice, format!("  {}", visible(&hint))),
            None => Ok(()),
        }
    }

    /// Does what needs words; without any nothing is done.
    async fn with_words(&mut self, key: &str, prompt: &str) -> Result<(), Fault> {
        self.press(key).await?;
        match self.line(prompt).await? {
            Some(words) => {
                self.state.composer.set(&words);
                self.press("enter").await
            }
            None => self.press("esc").await,
        }
    }

    /// Asks which line is spoken of, and what is said.
    async fn comment(&mut self) -> Result<(), Fault> {
        let Some(number) = self.line("line, empty for the first that changed> ").await? else { return Ok(()) };
        let wanted = number.trim().parse::<usize>().ok();
        if let Some(review) = &mut self.state.review
            && let Some(hunk) = review.hunk()
        {
            let is_new = |at: &usize| hunk.lines[*at].starts_with(['+', ' ']);
            let is_changed = |at: &usize| hunk.lines[*at].starts_with(['+', '-']) && hunk.lines[*at] != NO_END;
            let mut lines = 0..hunk.lines.len();
            let found = match wanted {
                Some(wanted) => lines.filter(is_new).find(|at| hunk.number(*at) == wanted),
                None => lines.find(is_changed),
            };
            match found {
                Some(at) => review.at.line = at,
                None => return self.walk.cx.out.styled(Look::Notice, "  this line is not in the hunk"),
            }
        }
        self.with_words("c", "comment> ").await
    }

    /// Has a message written and commits what is staged, if the person says so.
    async fn commit(&mut self) -> Result<(), Fault> {
        self.walk.cx.out.busy("a message is being written");
        self.press("C").await?;
        self.walk.cx.out.idle();
        if self.state.wording().is_none() {
            return Ok(());
        }
        let out = &self.walk.cx.out;
        let mut message = self.state.composer.text();
        match message.is_empty() {
            true => out.styled(Look::Notice, visible(&self.state.wording().unwrap_or_default()))?,
            false => out.text(&format!("{}\n", visible(&message)))?,
        }
        loop {
            self.walk.cx.out.styled(Look::Bold, "? commit this: y yes, e edit it first, n no")?;
            match self.walk.key().await? {
                Key::Char('y') => {
                    self.state.composer.set(&message);
                    return self.press("enter").await;
                }
                Key::Char('e') => {
                    if let Some(text) = self.walk.edited("commit.txt", &message).await? {
                        text.trim().clone_into(&mut message);
                        self.walk.cx.out.text(&format!("{}\n", visible(&message)))?;
                    }
                }
                Key::Char('n') | Key::Interrupt => return self.press("esc").await,
                Key::Char(_) | Key::Other => {}
            }
        }
    }

    /// Reads a line; none when nothing is to be said after all.
    async fn line(&mut self, prompt: &str) -> Result<Option<String>, Fault> {
        Ok(match self.walk.line(prompt).await? {
            Line::Text(text) => Some(text),
            Line::End | Line::Interrupted => None,
        })
    }

    async fn take(&mut self, outcome: Outcome) -> Result<(), Fault> {
        self.take_msg(Msg::Given(Given::Review(Box::new(outcome)))).await
    }

    /// Tells the state something, and does what it wants until it wants nothing more.
    async fn take_msg(&mut self, msg: Msg) -> Result<(), Fault> {
        let mut cmds: VecDeque<Cmd> = self.state.update(msg).into();
        while let Some(cmd) = cmds.pop_front() {
            let given = match cmd {
                Cmd::Leave => {
                    self.has_left = true;
                    continue;
                }
                Cmd::Want(Want::Review(order)) => {
                    let outcome = self.reviewing.carry_out(self.app, *order).await;
                    Msg::Given(Given::Review(Box::new(outcome)))
                }
                Cmd::Edit { what, text, name } => match self.walk.edited(&name, &text).await? {
                    Some(text) => Msg::Edited { what, text: Some(text) },
                    None => continue,
                },
                Cmd::Hand(Hand::Commit(message)) => {
                    let result = commit(self.walk.cx, &message).map_err(|fault| visible(&fault.words()).into_owned());
                    // What is staged is gone from the changes; what was shown is not where it was.
                    self.shown = None;
                    Msg::Given(Given::Review(Box::new(Outcome::Committed(result))))
                }
                _ => continue,
            };
            cmds.extend(self.state.update(given));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_that_is_offered_does_something() {
        let keymap = Keymap::read(None).unwrap();
        for offer in KEYS.split(", ").chain(MORE.split(", ")) {
            let key = offer.chars().next().unwrap();
            if !"rc?m".contains(key) {
                let name = key_of(key).unwrap_or_else(|| panic!("`{offer}`"));
                let known = keymap.action(crate::tui::keymap::View::Review, name.parse().unwrap());
                assert!(known.is_some(), "`{offer}`");
            }
        }
    }
}
