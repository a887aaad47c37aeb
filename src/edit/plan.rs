//! What will a file hold once a stated change is made?
//!
//! Everything is worked out in memory, for all files of a call, before the first is written. Must not touch the disk and
//! does not know which files were read; what comes back is what is shown, promised and then written.

use std::collections::HashSet;

use crate::base::text::one_line_name;
use crate::edit::EditError;
use crate::edit::change::{FileChange, Replacement, Unit, What};
use crate::edit::line_ends::LfView;
use crate::edit::locate::Rung;
use crate::edit::misstated::Misstated;
use crate::edit::replace::{Replaced, replace_one};
use crate::edit::seek::{Scope, Sought, Span, check_apart, line_number, seek, splice};
use crate::edit::whole::{check_whole, in_style_of};

/// What becomes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It holds this text.
    Text {
        /// The whole text.
        text: String,
        /// The line each change starts at in the old text, counted from 1; empty for a file written whole.
        lines: Vec<usize>,
        /// What had to be forgiven to find the places: the most of all.
        rung: Rung,
    },
    /// It is gone.
    Gone,
    /// It is already as it should become.
    Same {
        /// The line of the new text, counted from 1; none for a whole file.
        line: Option<usize>,
    },
}

/// Works out what becomes of a file that holds `before`, or is not there.
pub fn plan(change: &FileChange, before: Option<&str>) -> Result<Next, EditError> {
    let name = || one_line_name(&change.path).into_owned();
    match (&change.what, before) {
        (What::Edit(edits), None) => match edits.as_slice() {
            [only] if only.old.is_empty() => Ok(whole(only.new.clone())),
            _ => Err(EditError::Missing { name: name() }),
        },
        (What::Edit(edits), Some(text)) => edited(text, edits),
        (What::Write(content), _) => write(before, content),
        (What::Create(content), Some(text)) if in_style_of(text, content) == text => Ok(Next::Same { line: None }),
        (What::Create(content), None | Some("")) => Ok(whole(content.clone())),
        (What::Create(_), Some(_)) => Err(Misstated::Exists { name: name() }.into()),
        (What::Delete(_) | What::Move { .. }, None) => Err(EditError::Missing { name: name() }),
        (What::Delete(expected), Some(text)) => match expected.as_deref().and_then(|said| first_difference(text, said))
        {
            Some(line) => Err(Misstated::OtherContent { name: name(), line }.into()),
            None => Ok(Next::Gone),
        },
        (What::Move { edits, .. }, Some(text)) => match edits.is_empty() {
            true => Ok(whole(text.to_owned())),
            false => match edited(text, edits)? {
                Next::Same { .. } => Ok(whole(text.to_owned())),
                next => Ok(next),
            },
        },
    }
}

fn whole(text: String) -> Next {
    Next::Text { text, lines: Vec::new(), rung: Rung::Exact }
}

fn write(before: Option<&str>, content: &str) -> Result<Next, EditError> {
    let old = before.unwrap_or_default();
    check_whole(old, content)?;
    let text = in_style_of(old, content);
    Ok(if before == Some(&text) { Next::Same { line: None } } else { whole(text) })
}

/// Returns the first line in which two texts differ, blanks at line ends aside.
fn first_difference(text: &str, said: &str) -> Option<usize> {
    let (mut have, mut want) = (text.trim_end().lines(), said.trim_end().lines());
    let mut line = 1;
    loop {
        match (have.next(), want.next()) {
            (None, None) => return None,
            (Some(have), Some(want)) if have.trim_end() == want.trim_end() => line += 1,
            _ => return Some(line),
        }
    }
}

/// Makes all replacements in a text: each where it is in the text as it was. Only where one is not there, and the dialect
/// has no order of places, they are made one after the other, each in what the ones before it left.
fn edited(text: &str, edits: &[Replacement]) -> Result<Next, EditError> {
    let view = LfView::new(text);
    let error = match find_all(&view, edits) {
        Ok(parts) => return combine(text, &view, &parts),
        Err(error) => error,
    };
    let is_chain = edits.len() > 1 && edits.iter().all(|edit| !edit.hint.is_in_order);
    if is_chain && let Ok(next) = one_after_the_other(text, edits) {
        return Ok(next);
    }
    Err(error)
}

fn find_all(view: &LfView<'_>, edits: &[Replacement]) -> Result<Vec<Sought>, EditError> {
    let find = |trusts_numbers: bool| {
        let mut scope = Scope { after: 0, trusts_numbers };
        let mut found = Vec::with_capacity(edits.len());
        for edit in edits {
            let sought = seek(view, edit, scope);
            if let Ok(Sought::Found { spans, .. }) = &sought
                && let Some(end) = spans.iter().map(|span| span.place.end).max()
            {
                scope.after = line_number(view.text(), end) - 1;
            }
            found.push(sought);
        }
        found
    };
    let mut found = find(false);
    let is_doubtful = found.iter().any(|sought| matches!(sought, Err(EditError::Ambiguous { .. })));
    if is_doubtful && are_numbers_right(view, edits, &found) {
        found = find(true);
    }
    let of = edits.len();
    let in_part = |(at, sought): (usize, Result<Sought, EditError>)| {
        sought.map_err(|source| match of {
            1 => source,
            _ => EditError::InPart { part: at + 1, of, source: Box::new(source) },
        })
    };
    found.into_iter().enumerate().map(in_part).collect()
}

/// Says whether every place that was certain without its number is where the number says. Numbers that models write are
/// wrong more often than not; where some can be checked, the others are as good as these.
fn are_numbers_right(view: &LfView<'_>, edits: &[Replacement], found: &[Result<Sought, EditError>]) -> bool {
    edits.iter().zip(found).all(|(edit, sought)| match (edit.hint.line, sought) {
        (Some(line), Ok(Sought::Found { spans, .. })) => {
            spans.first().is_none_or(|span| line_number(view.text(), span.place.start) == line)
        }
        (Some(_), _) => true,
        (None, _) => edit.old.is_empty(),
    })
}

fn combine(text: &str, view: &LfView<'_>, parts: &[Sought]) -> Result<Next, EditError> {
    let mut found: Vec<Vec<Span>> = Vec::new();
    let (mut highest, mut applied) = (Rung::Exact, None);
    for part in parts {
        match part {
            Sought::Applied { line } => applied = applied.or(Some(*line)),
            Sought::Found { spans, rung } => {
                highest = highest.max(*rung);
                found.push(spans.clone());
            }
        }
    }
    if found.is_empty() {
        return Ok(Next::Same { line: applied });
    }
    check_apart(view.text(), &found)?;
    let (changed, lines) = splice(text, view, &found.concat());
    Ok(Next::Text { text: changed, lines, rung: highest })
}

fn one_after_the_other(text: &str, edits: &[Replacement]) -> Result<Next, EditError> {
    let (mut text, mut all, mut highest) = (text.to_owned(), Vec::new(), Rung::Exact);
    for edit in edits {
        match replace_one(&text, edit)? {
            Replaced::Changed { text: next, lines, rung } => {
                text = next;
                all.extend(lines);
                highest = highest.max(rung);
            }
            Replaced::AlreadyApplied { line } if edit.unit == Unit::Text => return Ok(Next::Same { line: Some(line) }),
            Replaced::AlreadyApplied { .. } => {}
        }
    }
    Ok(Next::Text { text, lines: all, rung: highest })
}

/// Checks the names of a call's files against each other. Names are compared as `resolved` returns them.
pub fn check_names(files: &[FileChange], resolved: impl Fn(&str) -> String) -> Result<(), EditError> {
    if files.is_empty() {
        return Err(Misstated::Nothing.into());
    }
    let mut seen = HashSet::new();
    for change in files {
        let to = match &change.what {
            What::Move { to, .. } => Some(to),
            _ => None,
        };
        for path in std::iter::once(&change.path).chain(to) {
            check_name(path)?;
        }
        let from = resolved(&change.path);
        let to = to.map(|to| resolved(to));
        if let Some(to) = &to
            && *to != from
            && to.to_lowercase() == from.to_lowercase()
        {
            return Err(Misstated::CaseOnly {
                from: one_line_name(&from).into_owned(),
                to: one_line_name(to).into_owned(),
            }
            .into());
        }
        for path in std::iter::once(from.clone()).chain(to.filter(|to| *to != from)) {
            if !seen.insert(path.clone()) {
                return Err(Misstated::Twice { name: one_line_name(&path).into_owned() }.into());
            }
        }
    }
    Ok(())
}

/// Checks one path as a model wrote it.
fn check_name(path: &str) -> Result<(), EditError> {
    let why = match path {
        _ if path.trim().is_empty() => "it is empty",
        _ if path.contains(['\n', '\r']) => "it has a line break",
        _ if path.contains('\0') => "it has a zero byte",
        _ if path.ends_with('/') => "it ends in `/`, as folders do",
        _ => return Ok(()),
    };
    Err(Misstated::Name { name: one_line_name(path).into_owned(), why }.into())
}
