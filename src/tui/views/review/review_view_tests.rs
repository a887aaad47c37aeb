use ratatui_core::buffer::{Buffer, Cell};
use ratatui_core::layout::Rect;

use crate::protocol::changes::{ChangeSet, Source};
use crate::protocol::diff::{FileDiff, Hunk, Kind, NO_END, Sides, Words};
use crate::tui::look::{Look, Skills, Theme};
use crate::tui::state::State;
use crate::tui::state::message::Msg;
use crate::tui::state::review::tests::{file, hunk, set, state};
use crate::tui::views::Views;

struct Screen {
    state: State,
    views: Views,
}

impl Screen {
    fn of(set: ChangeSet) -> Self {
        Self { state: state(Source::WorkTree, set), views: Views::new(Theme::without_colours()) }
    }

    fn keys(&mut self, names: &str) -> &mut Self {
        for name in names.split(' ') {
            self.state.update(Msg::Key(name.parse().unwrap()));
        }
        self
    }

    fn buffer(&mut self, width: u16, height: u16) -> Buffer {
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        self.views.draw(&self.state, &mut buffer);
        buffer
    }

    fn shows(&mut self, width: u16, height: u16) -> String {
        let buffer = self.buffer(width, height);
        let row = |y| (0..width).filter_map(|x| buffer.cell((x, y))).map(Cell::symbol).collect::<String>();
        (0..height).map(|y| row(y).trim_end().replace('\u{a0}', " ")).collect::<Vec<_>>().join("\n")
    }
}

fn two_files() -> ChangeSet {
    set(vec![file("src/a/x.rs", vec![hunk(1, "one"), hunk(30, "two")]), file("src/b.rs", vec![hunk(5, "three")])])
}

#[test]
fn on_a_narrow_screen_the_lines_of_one_file_stand_under_each_other() {
    let mut screen = Screen::of(two_files());
    let expected = "\
the tree  0 of 3 decided  +3 -3  2 files
src/a/x.rs  +2 -2
@@ -1,2 +1,2 @@
   1   before one
>  2 - old one
   2 + new one

@@ -30,2 +30,2 @@
  30   before two
  31 - old two
  31 + new two
y accept  n reject  e edit  ? keys";
    // The sign stands behind the number, and the words behind the sign.
    let expected = expected.replace("   before", "  before").replace("- old", "-old").replace("+ new", "+new");
    assert_eq!(screen.shows(40, 12), expected);
}

#[test]
fn decisions_stand_beside_their_hunk_and_in_the_counts() {
    let mut screen = Screen::of(two_files());
    screen.keys("y n");
    let shown = screen.shows(80, 24);
    assert!(shown.contains("the tree  2 of 3 decided") && shown.contains("1 remark"), "{shown}");
    screen.keys("[");
    let shown = screen.shows(80, 24);
    assert!(shown.contains("@@ -1,2 +1,2 @@  [accepted]"), "{shown}");
    assert!(shown.contains("@@ -30,2 +30,2 @@  [rejected]"), "{shown}");
}

#[test]
fn on_a_wide_screen_the_files_stand_beside_the_lines_as_a_tree() {
    let mut screen = Screen::of(two_files());
    let shown = screen.shows(120, 36);
    for expected in ["  src/", "    a/", ">     M x.rs", "    M b.rs", " +3 -3│src/a/x.rs"] {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
    screen.keys("T");
    assert!(!screen.shows(120, 36).contains("M x.rs"));
    screen.keys("T a");
    assert!(screen.shows(120, 36).contains(" done│"));
}

#[test]
fn on_a_narrow_screen_the_files_are_a_key_away() {
    let mut screen = Screen::of(two_files());
    screen.keys("t");
    let shown = screen.shows(40, 12);
    assert!(shown.contains(">     M x.rs") && !shown.contains("old one"), "{shown}");
    screen.keys("j enter");
    assert!(screen.shows(40, 12).contains("old three"));
}

#[test]
fn old_and_new_stand_beside_each_other_where_there_is_room_or_it_is_wanted() {
    let mut screen = Screen::of(set(vec![file("x", vec![hunk(1, "one")])]));
    let row = |shown: &str| shown.lines().find(|line| line.contains("old one")).unwrap_or_default().to_owned();
    assert!(row(&screen.shows(120, 36)).contains("+new one"), "{}", screen.shows(120, 36));
    assert!(!row(&screen.shows(80, 24)).contains("new one"));
    screen.keys("v");
    assert!(!row(&screen.shows(120, 36)).contains("new one"));
    screen.keys("v");
    assert!(row(&screen.shows(80, 24)).contains("│   2 +new one"), "{}", screen.shows(80, 24));
}

#[test]
fn comments_stand_below_their_line_and_what_was_written_below_its_hunk() {
    let mut screen = Screen::of(two_files());
    screen.keys("c w h y enter");
    let shown = screen.shows(80, 24);
    let below = shown.lines().skip_while(|line| !line.contains("-old one")).nth(1).unwrap();
    assert_eq!(below, "    said: why");
    let what = crate::tui::state::message::Editing::Review(crate::tui::state::message::Revising::Hunk);
    screen.state.update(Msg::Edited { what, text: Some("before one\nmine\n".into()) });
    screen.keys("g");
    let shown = screen.shows(80, 24);
    assert!(shown.contains("[edited]") && shown.contains("in its place now:\n    before one\n    mine"), "{shown}");
}

#[test]
fn what_is_no_change_of_lines_is_said() {
    let blank = |path: &str| file(path, Vec::new());
    let table = [
        (
            FileDiff { binary: Some(Sides { before: Some(5), after: Some(2000) }), ..blank("a") },
            "not text, 5 bytes to 2.0 kB",
        ),
        (FileDiff { kind: Kind::Renamed, from: Some("old".into()), ..blank("a") }, "old -> a"),
        (FileDiff { kind: Kind::Renamed, from: Some("old".into()), ..blank("a") }, "renamed, otherwise the same"),
        (FileDiff { kind: Kind::Created, ..blank("a") }, "new, empty"),
        (FileDiff { mode: Some(Sides { before: Some(0o644), after: Some(0o755) }), ..blank("a") }, "mode 644 to 755"),
        (FileDiff { kind: Kind::Deleted, ..file("a", vec![hunk(1, "x")]) }, "deleted"),
    ];
    for (diff, expected) in table {
        let shown = Screen::of(set(vec![diff])).shows(80, 24);
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
}

#[test]
fn carriage_returns_missing_ends_and_hidden_characters_do_no_harm() {
    let lines = ["-a\r", "+b\u{1b}[2J\r", "+\tc", NO_END].map(str::to_owned).to_vec();
    let shown = Screen::of(set(vec![file("a", vec![Hunk { lines, ..hunk(1, "x") }])])).shows(80, 24);
    for expected in ["-a\n", r"+b\x1b[2J", "+    c", NO_END] {
        assert!(shown.contains(expected), "{expected} in\n{shown}");
    }
}

#[test]
fn changed_words_and_colours_of_code_lie_over_each_other() {
    let code = |_: &str, text: &str| {
        text.split('\n')
            .map(|line| vec![(Look::Keyword, line[..3].to_owned()), (Look::Plain, line[3..].to_owned())])
            .collect()
    };
    let words = |_: &Hunk| vec![Words { line: 2, ranges: vec![(5, 8)] }];
    let theme = Theme::named("dark").unwrap().with_skills(Skills { code, words });
    let mut screen = Screen::of(set(vec![file("a.rs", vec![hunk(1, "one")])]));
    screen.views = Views::new(theme.clone());
    let buffer = screen.buffer(80, 24);
    let y = (0..24).find(|y| buffer.cell((9, *y)).is_some_and(|cell| cell.symbol() == "+")).unwrap();
    let cell = |x: u16| buffer.cell((x, y)).unwrap().clone();
    assert_eq!((cell(10).symbol(), cell(14).symbol()), ("n", "o"));
    assert_eq!(Some(cell(10).fg), theme.style(Look::Keyword).fg);
    assert_eq!(Some(cell(10).bg), theme.style(Look::Added).bg);
    assert_eq!(Some(cell(14).bg), theme.style(Look::GoodWord).bg);
    assert_eq!(Some(cell(60).bg), theme.style(Look::Added).bg, "to the end of the row");
}

#[test]
fn the_line_the_person_is_at_is_always_seen() {
    let hunks = (0..60).map(|n| hunk(n * 10 + 1, &format!("n{n} {}", "long ".repeat(n)))).collect();
    let mut screen = Screen::of(set(vec![file("a", hunks)]));
    for keys in ["G", "g", "pagedown", "tab tab tab tab", "backtab", "k k k k k k k", "G k k"] {
        screen.keys(keys);
        for (width, height) in [(120, 36), (80, 24), (40, 12), (20, 5)] {
            let buffer = screen.buffer(width, height);
            let marks = buffer.content().iter().filter(|cell| cell.symbol() == ">").count();
            assert_eq!(marks, 1, "{keys} at {width}x{height}:\n{}", screen.shows(width, height));
        }
    }
}

#[test]
fn a_line_of_a_million_characters_is_cut_and_says_so() {
    let lines = vec![format!("+{}", "x".repeat(1_000_000))];
    let shown = Screen::of(set(vec![file("a", vec![Hunk { lines, ..hunk(1, "x") }])])).shows(80, 60);
    assert!(shown.contains(" more"), "{shown}");
}

#[test]
fn what_cannot_be_read_and_what_is_empty_is_said() {
    let mut screen = Screen::of(set(Vec::new()));
    assert!(screen.shows(80, 24).contains("nothing changed: the working tree"));
    let outcome = crate::protocol::changes::Outcome::Loaded(Source::WorkTree, Err("there is no revision `x`".into()));
    screen.state.update(Msg::Given(crate::tui::state::outside::Given::Review(Box::new(outcome))));
    assert!(screen.shows(80, 24).contains("there is no revision `x`"));
}

#[test]
fn any_size_can_be_drawn() {
    use proptest::prelude::*;
    proptest!(ProptestConfig::with_cases(48), |(width in 1u16..200, height in 1u16..60, tree in any::<bool>(), shape in 0..3)| {
        let mut screen = Screen::of(set(vec![
            file("src/語.rs", vec![hunk(1, "語 wide"), hunk(9, "e\u{301}")]),
            FileDiff { binary: Some(Sides::default()), ..file("z.bin", Vec::new()) },
        ]));
        (0..shape).for_each(|_| {
            screen.keys("v");
        });
        if tree {
            screen.keys("t");
        }
        screen.buffer(width, height);
        screen.keys("c a b");
        screen.buffer(width, height);
        screen.keys("enter n ? q G");
        screen.buffer(width, height);
    });
}
