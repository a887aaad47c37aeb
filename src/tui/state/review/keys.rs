//! What does each key do while changes are reviewed?
//!
//! Decisions are in `decide`, moving in `go`; what a decision needs done comes out as a command. Must not touch files.

use crate::protocol::changes::{Order, Outcome, Source, Way};
use crate::protocol::op::Op;
use crate::tui::keymap::{Action, Keymap};
use crate::tui::state::choices::{Choice, Then};
use crate::tui::state::composer::Composer;
use crate::tui::state::item::VerbTable;
use crate::tui::state::message::{Cmd, Editing, Noting, Revising};
use crate::tui::state::outside::Want;
use crate::tui::state::review::file::Mark;
use crate::tui::state::review::{Reading, Review, Shape};
use crate::tui::state::status::Status;
use crate::tui::state::transcript::Transcript;
use crate::tui::state::{Front, Purpose, State};

/// Files a list to choose from has at most.
const MAX_LISTED: usize = 20_000;

impl State {
    /// Nothing but a review, with its changes still to come.
    pub fn reviewing(keymap: Keymap, source: Source) -> Self {
        let transcript = Transcript::new(VerbTable::new());
        let mut state = Self::new(transcript, Composer::default(), Status::default(), keymap);
        state.review = Some(Box::new(Review::new(source)));
        state.front = Front::Review;
        state.is_alone = true;
        state
    }

    /// Opens a review; what was decided in one of the same changes is kept.
    pub(in crate::tui::state) fn open_review(&mut self, source: &Source) -> Vec<Cmd> {
        let was = self.review.take().filter(|review| review.source == *source);
        let mut review = was.unwrap_or_else(|| Box::new(Review::new(source.clone())));
        review.reading = Reading::Underway;
        review.is_in_tree = false;
        review.next = None;
        self.review = Some(review);
        self.front = Front::Review;
        self.begin_review()
    }

    /// Orders the changes that are to be shown, if there are any.
    pub(in crate::tui::state) fn begin_review(&mut self) -> Vec<Cmd> {
        let Some(review) = self.review.as_ref().filter(|review| review.reading == Reading::Underway) else {
            return Vec::new();
        };
        let peek = review.files.is_empty().then(|| order(Order::Peek(review.source.clone())));
        peek.into_iter().chain([order(Order::Load(review.source.clone()))]).collect()
    }

    pub(in crate::tui::state) fn on_review(&mut self, action: Option<Action>) -> Vec<Cmd> {
        let Some(review) = &mut self.review else { return Vec::new() };
        review.next = None;
        let tree = review.is_in_tree;
        match action {
            Some(Action::LineDown) if tree => review.go_file(1),
            Some(Action::LineUp) if tree => review.go_file(-1),
            Some(Action::Send | Action::Close) if tree => review.is_in_tree = false,
            Some(Action::LineDown) => review.go_lines(1),
            Some(Action::LineUp) => review.go_lines(-1),
            Some(Action::PageDown) => review.go_pages(1),
            Some(Action::PageUp) => review.go_pages(-1),
            Some(Action::Top) => review.go_end(-1),
            Some(Action::Bottom) => review.go_end(1),
            Some(Action::NextHunk) => review.go_hunk(1),
            Some(Action::PreviousHunk) => review.go_hunk(-1),
            Some(Action::NextFile) => review.go_file(1),
            Some(Action::PreviousFile) => review.go_file(-1),
            Some(Action::NextOpen) => self.hint = (!review.go_open()).then(|| "all is decided".to_owned()),
            Some(Action::NextMatch) => self.seek(1),
            Some(Action::PreviousMatch) => self.seek(-1),
            Some(Action::ToggleShape) => {
                review.shape = match review.shape {
                    Shape::Auto => Shape::Unified,
                    Shape::Unified => Shape::Beside,
                    Shape::Beside => Shape::Auto,
                };
                review.version += 1;
            }
            Some(Action::FileTree) => review.is_in_tree = !review.is_in_tree,
            Some(Action::HideTree) => review.has_tree = !review.has_tree,
            Some(other) => return self.on_review_work(other),
            None => {}
        }
        Vec::new()
    }

    /// What does more than moving.
    fn on_review_work(&mut self, action: Action) -> Vec<Cmd> {
        let Some(review) = &mut self.review else { return Vec::new() };
        let is_deciding = !matches!(action, Action::Close | Action::Reload | Action::PickSource | Action::Help);
        if review.reading == Reading::Underway && is_deciding {
            self.hint = Some("the changes are being read".to_owned());
            return Vec::new();
        }
        let decided = match action {
            Action::Accept => review.accept(),
            Action::Reject => review.reject(""),
            Action::AcceptFile => review.mark_file(&Mark::Accepted),
            Action::RejectFile => review.mark_file(&Mark::Rejected),
            Action::AcceptAll => review.accept_all(),
            Action::StageHunk => review.stage(Way::In),
            Action::StageFile => review.stage_file(Way::In),
            Action::Unstage => review.stage(Way::Out),
            Action::DropComment => review.drop_comment(),
            Action::DropRemarks => review.drop_remarks(),
            other => return self.on_review_words(other),
        };
        let goes_on = matches!(action, Action::Accept | Action::Reject | Action::AcceptFile | Action::RejectFile);
        self.follow_decision(decided, goes_on)
    }

    /// What asks for words, or leads elsewhere.
    fn on_review_words(&mut self, action: Action) -> Vec<Cmd> {
        let Some(review) = &mut self.review else { return Vec::new() };
        match action {
            Action::RejectWithReason => self.note_for(Noting::Reason, ""),
            Action::Comment => {
                let said = review.comment_here().map(|remark| remark.words.clone()).unwrap_or_default();
                self.note_for(Noting::Comment, &said);
            }
            Action::Search => self.note_for(Noting::Search, ""),
            Action::EditLine => match review.line_text() {
                Ok(text) => self.note_for(Noting::Line, &text),
                Err(why) => self.hint = Some(why),
            },
            Action::EditHunk => match review.editable() {
                Ok(text) => {
                    let name = review.file().map(|file| file.diff.path.clone()).unwrap_or_default();
                    return vec![Cmd::Edit { what: Editing::Review(Revising::Hunk), text, name }];
                }
                Err(why) => self.hint = Some(why),
            },
            Action::UndoDecision => return self.undo_decision(),
            Action::Commit => return self.begin_commit(),
            Action::PickFile => self.pick_file(),
            Action::PickSource => self.pick_source(),
            Action::Reload => {
                let source = review.source.clone();
                return self.open_review(&source);
            }
            Action::UndoTurn if self.is_alone => self.hint = Some("no turn belongs to this: mimi undo".to_owned()),
            Action::UndoTurn => {
                self.close_review();
                return vec![Cmd::Send(Op::Undo)];
            }
            Action::Send => return self.send_remarks(),
            Action::Close => return self.leave_review(),
            other => return self.anywhere(Some(other)),
        }
        Vec::new()
    }

    fn seek(&mut self, by: isize) {
        let Some(review) = &mut self.review else { return };
        if !review.go_match(by) {
            let words = review.search.as_deref().unwrap_or_default();
            self.hint =
                Some(if words.is_empty() { "nothing is searched".to_owned() } else { format!("`{words}` is nowhere") });
        }
    }

    /// Carries on after a decision, or says why there was none.
    fn follow_decision(&mut self, decided: Result<Option<Order>, String>, goes_on: bool) -> Vec<Cmd> {
        let Some(review) = &mut self.review else { return Vec::new() };
        match decided {
            Err(why) => {
                self.hint = Some(why);
                Vec::new()
            }
            Ok(next) => {
                if goes_on {
                    review.go_open();
                }
                next.map(order).into_iter().chain([keep(review)]).collect()
            }
        }
    }

    pub(super) fn note_for(&mut self, noting: Noting, words: &str) {
        self.write_for(Purpose::Review(noting));
        self.composer.set(words);
    }

    /// Takes the words that were asked for.
    pub(in crate::tui::state) fn review_written(&mut self, noting: Noting) -> Vec<Cmd> {
        let words = self.composer.text();
        self.write_words();
        let Some(review) = &mut self.review else { return Vec::new() };
        let trimmed = words.trim();
        match noting {
            Noting::Search => {
                review.search = Some(trimmed.to_owned()).filter(|words| !words.is_empty());
                review.version += 1;
                if review.search.is_some() {
                    self.seek(1);
                }
                Vec::new()
            }
            Noting::Comment if trimmed.is_empty() => Vec::new(),
            Noting::Comment => {
                let decided = review.comment(trimmed);
                self.follow_decision(decided, false)
            }
            Noting::Reason => {
                let decided = review.reject(trimmed);
                self.follow_decision(decided, true)
            }
            Noting::Commit => self.commit_written(&words),
            Noting::Line => {
                let decided = review.with_line(&words).and_then(|text| review.edit(text));
                self.follow_decision(decided, false)
            }
        }
    }

    /// Takes what the editor left.
    pub(in crate::tui::state) fn review_edited(&mut self, what: Revising, text: String) -> Vec<Cmd> {
        let Some(review) = &mut self.review else { return Vec::new() };
        match what {
            Revising::Hunk if review.editable().as_ref() == Ok(&text) => {
                self.hint = Some("nothing was changed".to_owned());
                Vec::new()
            }
            Revising::Hunk => {
                let decided = review.edit(text);
                self.follow_decision(decided, true)
            }
        }
    }

    /// Puts something off until what was decided is done; says whether it is.
    pub(super) fn waits_with(&mut self, action: Action) -> bool {
        let Some(review) = self.review.as_mut().filter(|review| review.is_working()) else { return false };
        review.next = Some(action);
        self.hint = Some("as soon as it is written ...".to_owned());
        true
    }

    fn undo_decision(&mut self) -> Vec<Cmd> {
        if self.waits_with(Action::UndoDecision) {
            return Vec::new();
        }
        let Some(review) = &mut self.review else { return Vec::new() };
        match review.undo() {
            Some(next) => next.map(order).into_iter().chain([keep(review)]).collect(),
            None => {
                self.hint = Some("there is nothing to undo".to_owned());
                Vec::new()
            }
        }
    }

    fn pick_file(&mut self) {
        let Some(review) = &self.review else { return };
        let row = |(at, file): (usize, &crate::tui::state::review::file::File)| {
            let (n, of) = file.progress();
            let meaning = format!("+{} -{}  {n} of {of}", file.diff.added, file.diff.removed);
            Choice::new(file.diff.path.clone(), meaning, Then::ToFile(at))
        };
        let rows = review.files.iter().enumerate().take(MAX_LISTED).map(row).collect();
        self.choose("files", rows);
    }

    fn pick_source(&mut self) {
        let sources = [Source::Turn, Source::Session(None), Source::WorkTree, Source::Staged];
        let sources = sources.into_iter().filter(|source| !self.is_alone || *source != Source::Session(None));
        let mut rows: Vec<Choice> =
            sources.map(|source| Choice::new(source.words(), "", Then::Review(source))).collect();
        let head = Source::Revision("HEAD".to_owned());
        rows.push(Choice::new("the last commit", "HEAD", Then::Review(head)));
        self.choose("changes of", rows);
    }

    /// Goes to a file that was chosen in the list.
    pub(in crate::tui::state) fn review_file(&mut self, file: usize) {
        if let Some(review) = &mut self.review {
            review.go_to_file(file);
            review.is_in_tree = false;
        }
    }

    /// Has what was said worded for the model, and leaves.
    fn send_remarks(&mut self) -> Vec<Cmd> {
        if self.waits_with(Action::Send) {
            return Vec::new();
        }
        let Some(review) = &self.review else { return Vec::new() };
        if review.remarks.is_empty() {
            return self.leave_review();
        }
        vec![order(Order::Tell(review.source.clone(), review.remarks.clone()))]
    }

    fn leave_review(&mut self) -> Vec<Cmd> {
        if self.waits_with(Action::Close) {
            return Vec::new();
        }
        let n = self.review.as_ref().map_or(0, |review| review.remarks.len());
        self.close_review();
        if self.is_alone {
            return vec![Cmd::Leave];
        }
        if n > 0 {
            self.hint =
                Some(format!("{} not sent; the review shows them again", crate::base::text::count(n, "remark")));
        }
        Vec::new()
    }

    fn close_review(&mut self) {
        self.front = Front::Chat;
    }

    /// Takes what came of an order.
    pub(in crate::tui::state) fn review_given(&mut self, outcome: Outcome) -> Vec<Cmd> {
        let Some(review) = &mut self.review else { return Vec::new() };
        match outcome {
            Outcome::Peeked(source, Some(set)) => {
                if source == review.source && review.reading == Reading::Underway && review.files.is_empty() {
                    review.show(set);
                }
            }
            Outcome::Peeked(_, None) | Outcome::Nothing => {}
            // Another source was asked for meanwhile.
            Outcome::Loaded(source, _) if source != review.source => {}
            Outcome::Loaded(_, Ok(set)) => {
                // What was said here and is kept is the same.
                review.remarks.clear();
                review.take(set);
            }
            Outcome::Loaded(_, Err(why)) => review.reading = Reading::Failed(why),
            Outcome::Done(result) => match review.answered(result) {
                Ok(Some(next)) => return vec![order(next)],
                Ok(None) => {
                    let next = review.next.take();
                    return if next.is_some() { self.on_review(next) } else { Vec::new() };
                }
                Err(why) => {
                    review.next = None;
                    self.hint = Some(why);
                    return vec![keep(review)];
                }
            },
            Outcome::Told(text) => return self.tell(text),
            Outcome::Worded(worded) => self.take_worded(worded),
            Outcome::Committed(Ok(())) => {
                let source = review.source.clone();
                let cmds = self.open_review(&source);
                self.hint = Some("committed".to_owned());
                return cmds;
            }
            Outcome::Committed(Err(why)) => self.hint = Some(why),
        }
        Vec::new()
    }

    fn tell(&mut self, text: String) -> Vec<Cmd> {
        let Some(review) = &mut self.review else { return Vec::new() };
        review.remarks.clear();
        let mut cmds = vec![keep(review)];
        self.close_review();
        if self.is_alone {
            self.outbox = Some(text);
            cmds.push(Cmd::Leave);
        } else if self.status.is_busy() {
            cmds.push(Cmd::Send(Op::Steer { text }));
        } else {
            cmds.push(Cmd::Send(Op::Submit { text }));
        }
        cmds
    }
}

pub(super) fn order(order: Order) -> Cmd {
    Cmd::Want(Want::Review(Box::new(order)))
}

fn keep(review: &Review) -> Cmd {
    order(Order::Keep(review.source.clone(), review.kept()))
}
