//! What waits for an answer of the person, and which answers are there?

use std::path::Path;

use crate::protocol::diff::{FileDiff, Kind as Change};
use crate::protocol::message::CallId;
use crate::protocol::op::Offer;
use crate::protocol::review::{HunkAnswer, Ruling};
use crate::protocol::tool::{Action, Question};

/// Keys pressed so soon after a question appeared were meant for something else, in milliseconds.
pub const TOO_SOON_MS: u64 = 400;

/// Something that waits for the person.
#[derive(Debug, Clone, PartialEq)]
pub enum Asked {
    /// A call that needs an approval.
    Approval(Box<Approval>),
    /// A question of the model.
    Question {
        /// The call that asks.
        call: CallId,
        /// What it asks.
        question: Question,
    },
}

/// A call that needs an approval.
#[derive(Debug, Clone, PartialEq)]
pub struct Approval {
    /// The call.
    pub call: CallId,
    /// What it would do: `Run`, `Edit`.
    pub verb: String,
    /// All it would touch, in full.
    pub what: String,
    /// Why it is asked.
    pub why: String,
    /// The changes it would make.
    pub previews: Vec<FileDiff>,
    /// The rule that can be agreed to for always.
    pub always: Option<Offer>,
}

impl Asked {
    /// Names the call that waits.
    pub fn call(&self) -> &CallId {
        match self {
            Self::Approval(approval) => &approval.call,
            Self::Question { call, .. } => call,
        }
    }
}

impl Approval {
    /// Says whether there are pieces to be looked at one by one.
    pub fn has_pieces(&self) -> bool {
        self.previews.iter().any(|diff| !diff.hunks.is_empty())
    }
}

/// A change that is looked at piece by piece.
#[derive(Debug, Clone, PartialEq)]
pub struct Pieces {
    /// The call whose change it is.
    pub call: CallId,
    /// The change, file by file.
    pub diffs: Vec<FileDiff>,
    /// Which file and which of its pieces, for every piece in order.
    places: Vec<(usize, usize)>,
    /// What was said to each.
    rulings: Vec<Option<Ruling>>,
    /// The piece that is shown.
    at: usize,
}

impl Pieces {
    /// Starts at the first piece; none where there is none.
    pub fn new(approval: &Approval) -> Option<Self> {
        let files = approval.previews.iter().enumerate();
        let places: Vec<_> =
            files.flat_map(|(file, diff)| (0..diff.hunks.len()).map(move |hunk| (file, hunk))).collect();
        let rulings = vec![None; places.len()];
        let diffs = approval.previews.clone();
        (!places.is_empty()).then(|| Self { call: approval.call.clone(), diffs, places, rulings, at: 0 })
    }

    /// Which piece is shown, counted from 0, and how many there are.
    pub fn position(&self) -> (usize, usize) {
        (self.at, self.places.len())
    }

    /// Returns the file of the piece that is shown, and which of its pieces it is.
    pub fn shown(&self) -> (&FileDiff, usize) {
        let (file, hunk) = self.places[self.at];
        (&self.diffs[file], hunk)
    }

    /// Returns what was said to a piece of a file.
    pub fn ruling(&self, file: usize, hunk: usize) -> Option<&Ruling> {
        let at = self.places.iter().position(|place| *place == (file, hunk))?;
        self.rulings[at].as_ref()
    }

    /// Says something to the piece that is shown, and goes on to the next.
    pub fn rule(&mut self, ruling: Ruling) {
        self.rulings[self.at] = Some(ruling);
        self.go(1);
    }

    /// Says the same to this piece and all behind it that nothing was said to.
    pub fn rule_rest(&mut self, ruling: &Ruling) {
        for said in &mut self.rulings[self.at..] {
            said.get_or_insert_with(|| ruling.clone());
        }
        self.at = self.places.len() - 1;
    }

    /// Goes so many pieces on, or back; not beyond the ends.
    pub fn go(&mut self, by: isize) {
        self.at = self.at.saturating_add_signed(by).min(self.places.len() - 1);
    }

    /// Goes to the first piece of the next file that has any, or of the file before.
    pub fn go_file(&mut self, by: isize) {
        let (file, _) = self.places[self.at];
        let other = if by > 0 {
            self.places.iter().position(|(other, _)| *other > file)
        } else {
            let before = self.places.iter().filter(|(other, _)| *other < file).map(|(other, _)| *other).max();
            before.and_then(|before| self.places.iter().position(|(other, _)| *other == before))
        };
        self.at = other.unwrap_or(self.at);
    }

    /// Returns the text of the shown piece for an editor; none where it cannot be changed.
    pub fn editable(&self) -> Option<String> {
        let (diff, hunk) = self.shown();
        (diff.kind != Change::Deleted).then(|| diff.hunks[hunk].new_text()).flatten()
    }

    /// Returns what was said; pieces nobody spoke of are taken.
    pub fn answers(&self) -> Vec<HunkAnswer> {
        let answer = |((file, hunk), ruling): (&(usize, usize), &Option<Ruling>)| {
            let diff = &self.diffs[*file];
            let ruling = ruling.clone().unwrap_or(Ruling::Take);
            HunkAnswer { path: diff.path.clone(), hunk: diff.hunks[*hunk].id.clone(), ruling }
        };
        self.places.iter().zip(&self.rulings).map(answer).collect()
    }
}

/// Shows the whole command or every path, never a summary: this is what is approved. A file that is read to be written is
/// named once.
pub fn what_it_does(target: &str, actions: &[Action]) -> String {
    let is_written =
        |read: &Path| actions.iter().any(|action| matches!(action, Action::Write { path } if path == read));
    let all = actions.iter().filter_map(|action| match action {
        Action::Read { path } if is_written(path) => None,
        Action::Read { path } | Action::Write { path } => Some(path.display().to_string()),
        Action::Execute { command, .. } => Some(command.clone()),
        Action::Commit { summary } => Some(summary.clone()),
    });
    let mut all: Vec<String> = all.collect();
    all.dedup();
    if all.is_empty() { target.to_owned() } else { all.join("\n  ") }
}

/// A number chooses an option; anything else is the answer itself.
pub fn chosen(question: &Question, text: &str) -> String {
    let number: Option<usize> = text.trim().parse().ok();
    let option = number.and_then(|number| question.options.get(number.checked_sub(1)?));
    option.cloned().unwrap_or_else(|| text.to_owned())
}
