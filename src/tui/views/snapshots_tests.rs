//! Does every view look as it did, at three sizes and without colours?
//!
//! One file a scene under `tests/fixtures/screens`: the scene is drawn by the real views at each size, with where the cursor is and
//! what stands out in reverse. `MIMI_UPDATE=1` writes them anew; look at them then as a person with that screen would. A
//! variant of a view, an entry, an end or a list without a scene fails here: the tables below are made of the types.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::scenes::{SCENES, scene};
use crate::protocol::event::TurnEnd;
use crate::protocol::tool::ToolOutcome;
use crate::tui::keymap::{VIEWS, View};
use crate::tui::look::Theme;
use crate::tui::state::around::Writing;
use crate::tui::state::around::board::Kind;
use crate::tui::state::around::level::{LEVELS, PRESETS};
use crate::tui::state::asking::Asked;
use crate::tui::state::item::{CallState, What};
use crate::tui::state::message::Noting;
use crate::tui::state::review::{Reading, Shape};
use crate::tui::state::{Front, Purpose, State};

/// Columns and rows of a large window, a usual one and a small one.
const SIZES: [(u16, u16); 3] = [(120, 36), (80, 24), (40, 12)];

/// Names each variant of a type, and lists the names: a variant that is added does not compile without one.
macro_rules! variants {
    ($name:ident, $all:ident, $type:ty, { $($pattern:pat => $word:literal,)+ }) => {
        #[allow(clippy::trivially_copy_pass_by_ref, reason = "one form for all types")]
        fn $name(value: &$type) -> &'static str {
            match value { $($pattern => $word,)+ }
        }
        const $all: &[&str] = &[$($word),+];
    };
}

variants!(front, FRONTS, Front, {
    Front::Chat => "front chat",
    Front::Pieces(_) => "front pieces",
    Front::Review => "front review",
    Front::Reader { .. } => "front reader",
    Front::List(_) => "front list",
    Front::Board(_) => "front board",
    Front::Viewer(_) => "front viewer",
    Front::Find => "front find",
    Front::Queue(_) => "front queue",
});
variants!(purpose, PURPOSES, Purpose, {
    Purpose::Words => "words",
    Purpose::Reason(_) => "reason",
    Purpose::PieceReason => "reason for a piece",
    Purpose::Answer(_) => "answer",
    Purpose::Review(Noting::Search) => "search in a review",
    Purpose::Review(Noting::Comment) => "comment in a review",
    Purpose::Review(Noting::Reason) => "reason in a review",
    Purpose::Review(Noting::Line) => "line in a review",
    Purpose::Yolo => "yolo",
    Purpose::Line(Writing::Name(_)) => "name of a session",
    Purpose::Line(Writing::ExportTo(_)) => "file for a session",
    Purpose::Line(Writing::Find) => "words to find",
    Purpose::Line(Writing::FindInFile) => "words to find in a file",
});
variants!(what, WHATS, What, {
    What::Person(_) => "words of the person",
    What::Words { is_open: true, .. } => "words that come",
    What::Words { is_open: false, .. } => "words that came",
    What::Thought { to_ms: None, .. } => "a thought that comes",
    What::Thought { to_ms: Some(_), .. } => "a thought",
    What::Call(_) => "a call",
    What::Plan(_) => "a plan",
    What::Changed { .. } => "what changed",
    What::Note { .. } => "a note",
});
variants!(call, CALLS, CallState, {
    CallState::Proposed => "a call that was proposed",
    CallState::Asked => "a call that waits",
    CallState::Running { .. } => "a call that runs",
    CallState::Ended { outcome: ToolOutcome::Ok { .. }, .. } => "a call that went well",
    CallState::Ended { outcome: ToolOutcome::Failed { .. }, .. } => "a call that failed",
    CallState::Ended { outcome: ToolOutcome::Denied { .. }, .. } => "a call that was refused",
    CallState::Ended { outcome: ToolOutcome::Cancelled, .. } => "a call that was stopped",
    CallState::Ended { outcome: ToolOutcome::TimedOut { .. }, .. } => "a call that took too long",
});
variants!(asked, ASKED, Asked, {
    Asked::Approval(_) => "an approval",
    Asked::Question { .. } => "a question",
});
variants!(board, BOARDS, Kind, {
    Kind::Sessions => "board of sessions",
    Kind::Made => "board of artefacts",
    Kind::Context => "board of the context",
    Kind::Checkpoints => "board of checkpoints",
    Kind::Running => "board of what runs",
});
variants!(reading, READINGS, Reading, {
    Reading::Underway => "changes that are read",
    Reading::Done => "changes that were read",
    Reading::Failed(_) => "changes that cannot be read",
});
variants!(shape, SHAPES, Shape, {
    Shape::Auto => "shape by width",
    Shape::Unified => "shape unified",
    Shape::Beside => "shape beside",
});
variants!(ending, ENDINGS, TurnEnd, {
    TurnEnd::Answered => "",
    TurnEnd::Interrupted => "! interrupted",
    TurnEnd::Limit { .. } => "! stopped: ",
    TurnEnd::Stuck { .. } => "! stopped: the same call",
    TurnEnd::ModelFailed { .. } => "error: ",
});

/// Names all that a scene shows.
fn shown(state: &State) -> BTreeSet<String> {
    let mut names = vec![front(&state.front), purpose(&state.purpose)];
    for item in state.transcript.items() {
        names.push(what(&item.what));
        if let What::Call(one) = &item.what {
            names.push(call(&one.state));
        }
    }
    names.extend(state.asked.first().map(asked));
    if let Front::Board(one) = &state.front {
        names.push(board(&one.kind));
    }
    if let Some(review) = state.review.as_deref().filter(|_| state.front == Front::Review) {
        names.extend([reading(&review.reading), shape(&review.shape)]);
    }
    let view = state.view();
    names.extend(VIEWS.iter().filter(|(_, known)| *known == view).map(|(name, _)| *name));
    names.extend([state.around.kept.level.name(), state.around.kept.preset.name()]);
    names.into_iter().map(str::to_owned).collect()
}

/// Where the files are, in this crate and where the room is built alone.
fn folder() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join(file!());
    let root = here.ancestors().nth(4).unwrap();
    root.join("tests/fixtures/screens")
}

/// Draws a scene at every size, as its file has it.
fn drawn(name: &str) -> String {
    let mut text = String::new();
    for (width, height) in SIZES {
        let mut screen = scene(name);
        let rows = screen.shows(width, height);
        let cursor = screen.cursor(width, height).map_or("hidden".to_owned(), |(x, y)| format!("{x},{y}"));
        assert!(!rows.trim().is_empty(), "nothing is shown of {name} at {width}x{height}");
        // Where the person writes is always on the screen.
        let writes = matches!(screen.state.view(), View::Composer | View::Picks | View::List);
        assert!(!writes || cursor != "hidden", "{name} at {width}x{height}\n{rows}");
        text.push_str(&format!("== {width}x{height}, cursor {cursor}\n{rows}\n"));
        for marked in screen.marked(width, height) {
            text.push_str(&format!("== in reverse: {}\n", marked.trim_end().replace('\u{a0}', " ")));
        }
    }
    text
}

#[test]
fn every_view_is_as_it_is_kept() {
    let folder = folder();
    let is_update = std::env::var_os("MIMI_UPDATE").is_some();
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for (name, _) in SCENES {
        let path = folder.join(format!("{name}.txt"));
        assert!(known.insert(path.clone()), "two scenes are called `{name}`");
        let text = drawn(name);
        if is_update {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, &text).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != text {
            wrong.push(format!("{name} is drawn as\n{text}"));
        }
    }
    let kept = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let left: Vec<PathBuf> = kept.filter(|path| !known.contains(path)).collect();
    if is_update {
        left.iter().for_each(|path| std::fs::remove_file(path).unwrap());
    } else {
        assert!(left.is_empty(), "nothing draws {left:?} any more: MIMI_UPDATE=1 takes them away");
    }
    assert!(wrong.is_empty(), "{}\nif that is better than before: MIMI_UPDATE=1", wrong.join("\n"));
}

#[test]
fn everything_there_is_to_be_shown_is_in_a_scene() {
    let mut seen: BTreeSet<String> = BTreeSet::new();
    let mut words = String::new();
    for (name, _) in SCENES {
        let mut screen = scene(name);
        seen.extend(shown(&screen.state));
        words.push_str(&screen.shows(120, 36));
    }
    let lists = [FRONTS, PURPOSES, WHATS, CALLS, ASKED, BOARDS, READINGS, SHAPES];
    let views = VIEWS.iter().filter(|(_, view)| *view != View::Everywhere).map(|(name, _)| *name);
    let levels = LEVELS.iter().map(|(name, ..)| *name).chain(PRESETS.iter().map(|(name, _)| *name));
    let missing: Vec<&str> =
        lists.concat().into_iter().chain(views).chain(levels).filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no scene shows {missing:?}: a row in SCENES");
    let unsaid: Vec<&&str> = ENDINGS.iter().filter(|end| !words.contains(**end)).collect();
    assert!(unsaid.is_empty(), "no scene ends with {unsaid:?}");
    assert_eq!(ending(&TurnEnd::Answered), "");
}

#[test]
fn colours_change_no_sign_and_no_place() {
    for (name, _) in SCENES {
        let mut screen = scene(name);
        for (width, height) in SIZES {
            let plain = screen.shows(width, height);
            for theme in ["dark", "light", "contrast", "none"] {
                screen.wear(Theme::named(theme).unwrap());
                assert_eq!(screen.shows(width, height), plain, "{name} in {theme} at {width}x{height}");
            }
        }
    }
}
