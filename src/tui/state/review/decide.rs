//! What does each decision do to a hunk, and what has to be done for it?
//!
//! Where the changes are in files, what is rejected goes from the file; where they are staged, it is unstaged; of a commit it
//! is only said. What has no hunks, is new or is gone is decided as a whole. `Err` says why nothing was decided.

use crate::protocol::changes::{By, Order, Place, Remark, Said, Source, Way};
use crate::protocol::diff::Kind;
use crate::tui::state::review::Review;
use crate::tui::state::review::file::{Mark, Piece};

/// What is to be ordered now, if anything; or why not.
type Decided = Result<Option<Order>, String>;

impl Review {
    /// Lets the hunk stay.
    pub(super) fn accept(&mut self) -> Decided {
        self.mark_here(&Mark::Accepted, "")
    }

    /// Takes the hunk away, with a reason for the model or without.
    pub(super) fn reject(&mut self, why: &str) -> Decided {
        self.mark_here(&Mark::Rejected, why)
    }

    /// Puts something else in the hunk's place.
    pub(super) fn edit(&mut self, text: String) -> Decided {
        self.mark_here(&Mark::Edited(text), "")
    }

    /// Returns what can be edited in the hunk's place, or why nothing can.
    pub(super) fn editable(&self) -> Result<String, String> {
        let (Some(file), Some(piece)) = (self.file(), self.piece()) else { return Err("nothing is shown".to_owned()) };
        if !self.source.is_in_files() {
            return Err(format!("{} cannot be edited; files can, in the working tree", self.source.words()));
        }
        if piece.is_staged {
            return Err("it is staged; unstage it first".to_owned());
        }
        match (&piece.mark, &file.by, self.hunk()) {
            (Mark::Edited(text), ..) => Ok(text.clone()),
            (Mark::Rejected, ..) => Err("it was rejected; undo that first".to_owned()),
            (_, By::Nobody(why), _) => Err(why.clone()),
            (.., Some(hunk)) if file.diff.kind != Kind::Deleted => {
                hunk.new_text().ok_or_else(|| "it is too long to be edited here".to_owned())
            }
            _ => Err("there are no lines to edit".to_owned()),
        }
    }

    /// Puts the line in place of the one the person is at, if it is one of the new text. Returns the hunk's new text.
    pub(super) fn with_line(&self, words: &str) -> Result<String, String> {
        let text = self.editable()?;
        let at = self.line_in_new()?;
        let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
        let new = format!("{words}\n");
        *lines.get_mut(at).ok_or("this line is not there any more")? = &new;
        Ok(lines.concat())
    }

    /// Returns the line the person is at, to be changed in place.
    pub(super) fn line_text(&self) -> Result<String, String> {
        let text = self.editable()?;
        let at = self.line_in_new()?;
        text.lines().nth(at).map(str::to_owned).ok_or_else(|| "this line is not there any more".to_owned())
    }

    fn line_in_new(&self) -> Result<usize, String> {
        let lines = self.hunk().map(|hunk| hunk.lines.as_slice()).unwrap_or_default();
        if !lines.get(self.at.line).is_some_and(|line| line.starts_with([' ', '+'])) {
            return Err("this line is not in the new text".to_owned());
        }
        Ok(lines[..self.at.line].iter().filter(|line| line.starts_with([' ', '+'])).count())
    }

    fn mark_here(&mut self, mark: &Mark, why: &str) -> Decided {
        let place = (self.at.file, self.at.hunk);
        self.mark(&[place], mark, why)
    }

    /// Decides what is still open of the file.
    pub(super) fn mark_file(&mut self, mark: &Mark) -> Decided {
        let file = self.at.file;
        let open = self.open_of(file);
        if open.is_empty() {
            return Err("all of this file is decided".to_owned());
        }
        self.mark(&open, mark, "")
    }

    /// Accepts whatever is still open.
    pub(super) fn accept_all(&mut self) -> Decided {
        let open: Vec<_> = (0..self.files.len()).flat_map(|file| self.open_of(file)).collect();
        if open.is_empty() {
            return Err("all is decided".to_owned());
        }
        self.mark(&open, &Mark::Accepted, "")
    }

    fn open_of(&self, file: usize) -> Vec<(usize, usize)> {
        let pieces = self.files.get(file).map(|file| file.pieces.as_slice()).unwrap_or_default();
        let open = pieces.iter().enumerate().filter(|(_, piece)| !piece.is_decided());
        open.map(|(hunk, _)| (file, hunk)).collect()
    }

    /// Decides some places, all of one file unless they are accepted.
    fn mark(&mut self, places: &[(usize, usize)], mark: &Mark, why: &str) -> Decided {
        let Some(place) = places.first().copied() else { return Err("nothing is shown".to_owned()) };
        self.check(place, mark)?;
        let before = self.before(places);
        let from = self.files[place.0].places();
        for (file, hunk) in places {
            self.files[*file].pieces[*hunk].mark = mark.clone();
            self.remark_on((*file, *hunk), mark, why);
        }
        let (order, inverse) = self.orders_for(place, &from, mark, &before.pieces);
        Ok(self.decided(before, order, inverse))
    }

    /// Says why this cannot be decided so.
    fn check(&self, (file, hunk): (usize, usize), mark: &Mark) -> Result<(), String> {
        let found = self.files.get(file).ok_or("nothing is shown")?;
        let piece = found.pieces.get(hunk).ok_or("nothing is shown")?;
        if *mark == Mark::Accepted && matches!(piece.mark, Mark::Open | Mark::Accepted) {
            return Ok(());
        }
        if piece.mark == *mark {
            return Err(format!("it is {} already", piece.words()));
        }
        if matches!(piece.mark, Mark::Rejected | Mark::Edited(_)) && !matches!(mark, Mark::Edited(_)) {
            return Err(format!("it was {}; undo that first", piece.words()));
        }
        if self.source.is_in_files() && piece.is_staged {
            return Err("it is staged; unstage it first".to_owned());
        }
        match &found.by {
            By::Nobody(why) if self.source.is_in_files() || self.source == Source::Staged => Err(why.clone()),
            _ => Ok(()),
        }
    }

    /// Keeps what is to be said to the model about a decision.
    fn remark_on(&mut self, (file, hunk): (usize, usize), mark: &Mark, why: &str) {
        let diff = self.files[file].diff.clone();
        let id = diff.hunks.get(hunk).map_or("", |hunk| hunk.id.as_str());
        self.remarks.retain(|remark| remark.said == Said::Comment || remark.path != diff.path || remark.hunk != id);
        let said = match mark {
            Mark::Rejected => Remark::new(&diff, (hunk, 0), Said::Rejected, why),
            Mark::Edited(text) => Remark::new(&diff, (hunk, 0), Said::Edited, text),
            Mark::Open | Mark::Accepted => return,
        };
        self.remarks.push(said);
    }

    fn orders_for(
        &self,
        (file, hunk): (usize, usize),
        from: &[Place],
        mark: &Mark,
        was: &[((usize, usize), Piece)],
    ) -> (Option<Order>, Option<Order>) {
        let found = &self.files[file];
        let diff = || found.diff.clone();
        let is_rejected = *mark == Mark::Rejected;
        if *mark == Mark::Accepted {
            return (None, None);
        }
        match (&self.source, &found.by) {
            (Source::Revision(_), _) => (None, None),
            (Source::Staged, By::Hunk) if is_rejected && was.len() == 1 => {
                (Some(self.stage_order(file, hunk, Way::Out)), Some(self.stage_order(file, hunk, Way::In)))
            }
            (Source::Staged, _) => {
                let order = |way| Order::Stage { file: diff(), hunk: None, shift: 0, way };
                (Some(order(Way::Out)), Some(order(Way::In)))
            }
            (_, By::Hunk) | (_, By::File) if !is_rejected || matches!(found.by, By::Hunk) => {
                let to = found.places();
                let settle =
                    |from: &[Place], to: &[Place]| Order::Settle { file: diff(), from: from.to_vec(), to: to.to_vec() };
                (Some(settle(from, &to)), Some(settle(&to, from)))
            }
            // What undoes it is known when it is done.
            (source, _) => (Some(Order::Revert { source: source.clone(), file: diff() }), None),
        }
    }

    /// Orders a hunk into the index or out of it. Those above it that went there before have moved it.
    fn stage_order(&self, file: usize, hunk: usize, way: Way) -> Order {
        let found = &self.files[file];
        let growth = |at: usize| {
            let (hunk, piece) = (&found.diff.hunks[at], &found.pieces[at]);
            let now = match &piece.mark {
                Mark::Edited(text) => text.lines().count(),
                _ => hunk.new_lines,
            };
            now.cast_signed() - hunk.old_lines.cast_signed()
        };
        let is_in_index = |at: &usize| match self.source {
            Source::Staged => found.pieces[*at].mark != Mark::Rejected,
            _ => found.pieces[*at].is_staged,
        };
        let shift = (0..hunk).filter(is_in_index).map(growth).sum();
        let place = match &found.pieces[hunk].mark {
            Mark::Edited(text) => Place::Text(text.clone()),
            _ => Place::New,
        };
        Order::Stage { file: found.diff.clone(), hunk: Some((hunk, place)), shift, way }
    }

    /// Stages or unstages the hunk, or the whole file where it is no change of lines.
    pub(super) fn stage(&mut self, way: Way) -> Decided {
        let (file, hunk) = (self.at.file, self.at.hunk);
        let is_by_hunk = self.files.get(file).is_some_and(|found| found.by == By::Hunk);
        if !is_by_hunk {
            return self.stage_file(way);
        }
        self.check_stage(&[(file, hunk)], way)?;
        let before = self.before(&[(file, hunk)]);
        let (order, inverse) = (self.stage_order(file, hunk, way), self.stage_order(file, hunk, opposite(way)));
        self.set_staged(file, hunk, way);
        Ok(self.decided(before, Some(order), Some(inverse)))
    }

    /// Stages or unstages the whole file as it is.
    pub(super) fn stage_file(&mut self, way: Way) -> Decided {
        let file = self.at.file;
        let Some(found) = self.files.get(file) else { return Err("nothing is shown".to_owned()) };
        let places: Vec<_> = (0..found.pieces.len()).map(|hunk| (file, hunk)).collect();
        self.check_stage(&places, way)?;
        let before = self.before(&places);
        let diff = found.diff.clone();
        let order = |way| Order::Stage { file: diff.clone(), hunk: None, shift: 0, way };
        for (file, hunk) in places {
            self.set_staged(file, hunk, way);
        }
        Ok(self.decided(before, Some(order(way)), Some(order(opposite(way)))))
    }

    fn check_stage(&self, places: &[(usize, usize)], way: Way) -> Result<(), String> {
        match (&self.source, way) {
            (Source::Revision(_), _) => return Err("a commit is not staged".to_owned()),
            (Source::Staged, Way::In) => return Err("it is staged already".to_owned()),
            _ => {}
        }
        let pieces = || places.iter().filter_map(|(file, hunk)| self.files.get(*file)?.pieces.get(*hunk));
        let is_fine = match (&self.source, way) {
            (Source::Staged, _) => pieces().any(|piece| piece.mark != Mark::Rejected),
            (_, Way::In) => pieces().any(|piece| !piece.is_staged && piece.mark != Mark::Rejected),
            (_, Way::Out) => pieces().any(|piece| piece.is_staged),
        };
        let why = if way == Way::In { "there is nothing here to stage" } else { "it was not staged in this review" };
        is_fine.then_some(()).ok_or_else(|| why.to_owned())
    }

    fn set_staged(&mut self, file: usize, hunk: usize, way: Way) {
        let piece = &mut self.files[file].pieces[hunk];
        match self.source {
            Source::Staged => piece.mark = if way == Way::Out { Mark::Rejected } else { Mark::Open },
            _ => piece.is_staged = way == Way::In && piece.mark != Mark::Rejected,
        }
    }

    /// Says something about the line the person is at.
    pub(super) fn comment(&mut self, words: &str) -> Decided {
        let Some(file) = self.file() else { return Err("nothing is shown".to_owned()) };
        let remark = Remark::new(&file.diff.clone(), (self.at.hunk, self.at.line), Said::Comment, words);
        let before = self.before(&[(self.at.file, self.at.hunk)]);
        self.remarks.retain(|other| !is_at_same(other, &remark));
        self.remarks.push(remark);
        Ok(self.decided(before, None, None))
    }

    /// Returns what was said about the line before, to be changed.
    pub(super) fn comment_here(&self) -> Option<&Remark> {
        let file = self.file()?;
        let here = Remark::new(&file.diff, (self.at.hunk, self.at.line), Said::Comment, "");
        self.remarks.iter().find(|remark| is_at_same(remark, &here))
    }

    /// Forgets what was said about the line.
    pub(super) fn drop_comment(&mut self) -> Decided {
        let Some(here) = self.comment_here().cloned() else {
            return Err("nothing was said about this line".to_owned());
        };
        let before = self.before(&[(self.at.file, self.at.hunk)]);
        self.remarks.retain(|remark| !is_at_same(remark, &here));
        Ok(self.decided(before, None, None))
    }
}

impl Review {
    /// Forgets all that was said.
    pub(super) fn drop_remarks(&mut self) -> Decided {
        if self.remarks.is_empty() {
            return Err("nothing was said".to_owned());
        }
        let before = self.before(&[]);
        self.remarks.clear();
        Ok(self.decided(before, None, None))
    }
}

fn is_at_same(a: &Remark, b: &Remark) -> bool {
    a.said == Said::Comment && b.said == Said::Comment && a.path == b.path && a.hunk == b.hunk && a.at == b.at
}

fn opposite(way: Way) -> Way {
    match way {
        Way::In => Way::Out,
        Way::Out => Way::In,
    }
}
