use super::*;
use crate::tui::state::message::Msg;
use crate::tui::state::outside::Given;
use crate::tui::state::tests::{keys, state, writes};

fn with_files(files: &[&str]) -> State {
    let mut state = state();
    state.update(Msg::Given(Given::Files(files.iter().map(|path| (*path).to_owned()).collect())));
    state
}

fn offered(state: &State) -> Vec<&str> {
    state.picks.iter().flat_map(|picks| picks.choices.fitting()).map(|choice| choice.label.as_str()).collect()
}

#[test]
fn a_mention_is_offered_narrowed_and_written() {
    let table = [
        ("look at @calc", "tab", "look at @src/calc.py "),
        ("look at @calc", "enter", "look at @src/calc.py "),
        ("@src", "tab", "@src/"),
        ("@src", "enter", "@src/ "),
        ("(@calc", "tab", "(@src/calc.py "),
        ("@with", "tab", "@\"with blank.txt\" "),
        ("@dif", "tab", "@diff "),
        ("@sym", "tab", "@symbol:"),
        ("me@calc", "tab", "me@calc"),
    ];
    for (typed, key, expected) in table {
        let mut state = with_files(&["src/", "src/calc.py", "with blank.txt"]);
        writes(&mut state, typed);
        keys(&mut state, key);
        assert_eq!(state.composer.text(), expected, "{typed} {key}");
    }
}

#[test]
fn the_files_are_asked_for_when_the_first_is_mentioned_and_offered_when_they_come() {
    let mut state = state();
    assert_eq!(keys(&mut state, "@"), [Cmd::Want(Want::Files)]);
    assert_eq!(offered(&state), ["@diff", "@codebase", "@symbol:", "@session:"]);
    assert_eq!(keys(&mut state, "a"), [], "once is enough for a while");
    state.update(Msg::Given(Given::Files(vec!["a.rs".to_owned()])));
    assert_eq!(offered(&state), ["a.rs"]);
}

#[test]
fn what_is_closed_stays_closed_for_the_word_and_enter_sends_it() {
    let mut state = with_files(&["a.rs"]);
    writes(&mut state, "see @a");
    assert_eq!(state.view(), View::Picks);
    keys(&mut state, "esc . r");
    assert_eq!((state.view(), state.composer.text().as_str()), (View::Composer, "see @a.r"));
    keys(&mut state, "tab");
    assert_eq!(offered(&state), ["a.rs"], "tab offers it again");
    keys(&mut state, "esc");
    assert!(keys(&mut state, "enter").iter().any(|cmd| matches!(cmd, Cmd::Send(_) | Cmd::Want(_))));
}

#[test]
fn what_is_written_in_full_is_sent_by_one_enter() {
    let mut state = with_files(&["a.rs"]);
    writes(&mut state, "see @a.rs");
    keys(&mut state, "enter");
    assert!(state.composer.is_empty());
}

#[test]
fn commands_are_offered_with_their_arguments() {
    let mut state = state();
    writes(&mut state, "/mod");
    assert_eq!(offered(&state)[..2], ["/mode", "/model"]);
    keys(&mut state, "enter");
    assert_eq!((state.composer.text().as_str(), offered(&state)), ("/mode ", vec!["plan", "ask", "auto", "yolo"]));
    writes(&mut state, "au");
    let cmds = keys(&mut state, "enter enter");
    assert!(cmds.iter().any(|cmd| matches!(cmd, Cmd::Send(_))), "{cmds:?}");
    writes(&mut state, "/comp");
    let cmds = keys(&mut state, "enter");
    assert!(cmds.contains(&Cmd::Send(crate::protocol::op::Op::Compact)), "{cmds:?}");
}

#[test]
fn what_is_found_outside_is_taken_for_the_word_it_was_looked_for() {
    let mut state = state();
    writes(&mut state, "@symbol:ad");
    let row = || vec![Choice::new("add", "function, calc.py:1", Then::Write("@symbol:add".to_owned()))];
    state.update(Msg::Given(Given::Picks { token: "@symbol:a".to_owned(), rows: row() }));
    assert_eq!(offered(&state), Vec::<&str>::new(), "too late");
    state.update(Msg::Given(Given::Picks { token: "@symbol:ad".to_owned(), rows: row() }));
    assert_eq!(offered(&state), ["add"]);
    keys(&mut state, "tab");
    assert_eq!(state.composer.text(), "@symbol:add ");
}
