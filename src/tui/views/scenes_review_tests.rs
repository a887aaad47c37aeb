//! Which states of a review are there to be looked at?

use crate::protocol::changes::{ChangeSet, Changed, Outcome, Source};
use crate::protocol::diff::{FileDiff, Hunk, Kind, Sides};
use crate::tui::state::message::Msg;
use crate::tui::state::outside::Given;
use crate::tui::state::review::tests::{file, hunk};
use crate::tui::views::tests::Screen;

fn load(screen: &mut Screen, set: Result<ChangeSet, String>) {
    screen.keys("f10");
    screen.state.update(Msg::Given(Given::Review(Box::new(Outcome::Loaded(Source::Turn, set)))));
}

fn set(files: Vec<FileDiff>) -> ChangeSet {
    let what = "what this turn changed".to_owned();
    ChangeSet { files: files.into_iter().map(Changed::new).collect(), what, ..ChangeSet::default() }
}

fn page() -> FileDiff {
    let lines = [
        " pub fn page(number: usize, size: usize) -> Range<usize> {",
        "-    let start = number * size;",
        "+    let start = number.saturating_sub(1) * size;",
        "     start..start + size",
        " }",
    ];
    let first = Hunk { lines: lines.map(str::to_owned).to_vec(), old_lines: 4, new_lines: 4, ..hunk(12, "") };
    file("src/pages.rs", vec![first, hunk(40, "size of a page")])
}

pub(super) fn plain(screen: &mut Screen) {
    load(screen, Ok(set(vec![page(), file("tests/it/pages.rs", vec![hunk(5, "the first page")])])));
}

pub(super) fn keys(screen: &mut Screen, names: &str) {
    plain(screen);
    screen.keys(names);
}

/// Files that came, went, got another name, are no text.
pub(super) fn kinds(screen: &mut Screen) {
    let whole = |path: &str, kind, sign: &str| {
        let lines = ["one", "two"].map(|line| format!("{sign}{line}")).to_vec();
        let (added, removed) = if sign == "+" { (2, 0) } else { (0, 2) };
        let hunk = Hunk { lines, old_lines: removed, new_lines: added, ..hunk(1, "") };
        FileDiff { kind, added, removed, ..file(path, vec![hunk]) }
    };
    let binary = Some(Sides { before: Some(1200), after: Some(3400) });
    let files = vec![
        FileDiff { binary, hunks: Vec::new(), ..file("docs/logo.png", Vec::new()) },
        whole("src/new.rs", Kind::Created, "+"),
        whole("src/old.rs", Kind::Deleted, "-"),
        FileDiff { kind: Kind::Renamed, from: Some("src/was.rs".into()), ..file("src/is.rs", vec![hunk(3, "name")]) },
    ];
    load(screen, Ok(ChangeSet { notes: vec!["2 files are too large to be shown".into()], ..set(files) }));
}

pub(super) fn nothing(screen: &mut Screen) {
    load(screen, Ok(ChangeSet::default()));
}

pub(super) fn reading(screen: &mut Screen) {
    screen.keys("f10");
}

pub(super) fn failed(screen: &mut Screen) {
    load(screen, Err("cannot read the changes: `/p` is no git repository\nhint: git init".into()));
}
