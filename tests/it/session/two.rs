//! What happens when two processes want the same session?

use mimi::base::fault::{Fault, Kind};
use mimi::session::error::SessionError;
use mimi::session::fork::fork;
use mimi::session::journal::Journal;
use mimi::session::list;

use super::{Sessions, clock, turn, user, write};

#[test]
fn the_second_is_told_who_has_it_and_how_to_go_on() {
    let sessions = Sessions::new();
    let mut first = sessions.begin("busy", "a", 0);
    write(&mut first, &turn(1, "one"));
    let path = first.path().to_path_buf();
    let fault = Fault::from(Journal::resume(&path, clock()).map(|_| ()).unwrap_err());
    assert_eq!(fault.kind, Kind::Usage);
    assert!(fault.message.contains(&format!("is in use by process {}", std::process::id())), "{fault}");
    assert_eq!(fault.hints, ["mimi session fork busy"]);
    assert!(matches!(list::delete(&path), Err(SessionError::InUse { .. })));

    // The way out works while the first goes on.
    let copy = fork(&path, None, clock().as_ref()).unwrap();
    let (mut second, _) = Journal::resume(&copy.path, clock()).unwrap();
    write(&mut second, &[user("second")]);
    write(&mut first, &[user("first")]);

    drop(first);
    let (again, transcript) = Journal::resume(&path, clock()).unwrap();
    assert_eq!(transcript.last_user_text.as_deref(), Some("first"));
    drop(again);
    list::delete(&path).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_process_that_was_killed_leaves_no_lock() {
    let sessions = Sessions::new();
    let path = sessions.begin("left", "a", 0).path().to_path_buf();
    // A line of a process that is long gone must not look like one that is there.
    let gone = "{\"v\":1,\"kind\":\"opened\",\"pid\":1,\"at_ms\":5,\"mimi_version\":\"0.1.0\"}\n";
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text + gone).unwrap();
    assert!(Journal::resume(&path, clock()).is_ok());
}
