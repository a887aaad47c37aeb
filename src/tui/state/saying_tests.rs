use super::*;
use crate::tui::state::message::Msg;
use crate::tui::state::outside::Given;
use crate::tui::state::tests::{begin_turn, keys, sent, state, writes};

fn attached(label: &str) -> Attached {
    Attached { label: label.to_owned(), text: label.to_owned(), image: None }
}

#[test]
fn what_is_mentioned_is_found_first_and_goes_along() {
    let mut state = state();
    writes(&mut state, "see @nothing.rs");
    keys(&mut state, "esc");
    let cmds = keys(&mut state, "enter");
    let want = Want::Attach { text: "see @nothing.rs".to_owned(), model: String::new() };
    assert!(cmds.contains(&Cmd::Want(want)) && sent(&cmds).is_empty(), "{cmds:?}");
    writes(&mut state, "and this");
    assert!(sent(&keys(&mut state, "enter")).is_empty(), "in the order they were said");
    let given = Given::Attached { attached: vec![attached("a.rs")], trouble: vec!["no file".to_owned()] };
    let cmds = state.update(Msg::Given(given));
    let ops = [
        Op::Attach { attached: vec![attached("a.rs")] },
        Op::Submit { text: "see @nothing.rs".to_owned() },
        Op::Submit { text: "and this".to_owned() },
    ];
    assert_eq!(sent(&cmds), ops.iter().collect::<Vec<_>>());
}

#[test]
fn words_that_cannot_be_sent_come_back() {
    let mut state = state();
    writes(&mut state, "see @a.png");
    keys(&mut state, "esc");
    keys(&mut state, "enter");
    assert!(state.update(Msg::Given(Given::Refused("`m` cannot see images".to_owned()))).is_empty());
    assert_eq!(state.composer.text(), "see @a.png");
}

#[test]
fn a_command_of_ones_own_runs_also_beside_a_turn() {
    let mut state = state();
    begin_turn(&mut state);
    writes(&mut state, "! make test");
    assert_eq!(sent(&keys(&mut state, "enter")), [&Op::Run { command: "make test".to_owned() }]);
}

#[test]
fn a_note_is_kept_where_the_person_says() {
    let table = [("enter", NotePlace::Project), ("down enter", NotePlace::User)];
    for (pressed, place) in table {
        let mut state = state();
        writes(&mut state, "# tests run with make");
        keys(&mut state, "enter");
        let want = Want::Note(Note { text: "tests run with make".to_owned(), place, turn: 1 });
        assert_eq!(keys(&mut state, pressed), [Cmd::Want(want)]);
    }
    for words in ["## heading", "# heading\nand text", "#"] {
        assert_eq!(note(words), None, "{words}");
    }
}

#[test]
fn the_path_of_an_image_alone_is_a_mention() {
    let table = [
        ("/tmp/a.png", "@/tmp/a.png "),
        ("'/tmp/a b.PNG'\n", "@\"/tmp/a b.PNG\" "),
        ("/tmp/a\\ b.jpg", "@\"/tmp/a b.jpg\" "),
        ("file:///tmp/a.webp", "@/tmp/a.webp "),
        ("see /tmp/a.png", "see /tmp/a.png"),
        ("/tmp/a.txt", "/tmp/a.txt"),
    ];
    for (pasted, expected) in table {
        let mut state = state();
        state.update(Msg::Paste(pasted.to_owned()));
        assert_eq!(state.composer.text(), expected, "{pasted}");
    }
}
