//! What is left of a session when its file ends in the middle of a line?

use mimi::protocol::event::Event;
use mimi::session::journal::Journal;
use mimi::session::reader::load;
use mimi::session::transcript::Transcript;

use super::{Sessions, clock, turn, user, write};

/// What a session adds up to after each of its lines.
fn states(bytes: &[u8], sessions: &Sessions) -> Vec<(usize, Transcript)> {
    let ends = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(at, _)| at + 1);
    ends.map(|end| (end, load(&sessions.put("state.jsonl", &bytes[..end])).unwrap().transcript)).collect()
}

#[test]
fn cut_at_any_byte_every_whole_event_stays_and_the_session_goes_on() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("whole", "a", 0);
    let path = journal.path().to_path_buf();
    write(&mut journal, &[turn(1, "one"), turn(2, "zwei \u{1f980}\nlines")].concat());
    drop(journal);
    let bytes = std::fs::read(path).unwrap();
    let states = states(&bytes, &sessions);
    let first = states[0].0;
    for cut in first..=bytes.len() {
        let path = sessions.put("cut.jsonl", &bytes[..cut]);
        // A line that lacks nothing but its newline is whole.
        let (_, expected) = states.iter().rev().find(|(end, _)| *end <= cut || *end == cut + 1).unwrap();
        assert_eq!(&load(&path).unwrap().transcript, expected, "cut at {cut}");

        let (mut journal, resumed) = Journal::resume(&path, clock()).unwrap();
        assert_eq!(&resumed, expected, "cut at {cut}");
        journal.append(&Event::TurnStarted { turn: resumed.turns + 1 }).unwrap();
        let record = journal.append(&user("after the crash")).unwrap();
        drop(journal);
        let again = load(&path).unwrap();
        assert_eq!(again.last_seq, record.seq);
        assert_eq!(again.transcript.last_user_text.as_deref(), Some("after the crash"), "cut at {cut}");
        assert!(again.transcript.messages.starts_with(&expected.messages), "cut at {cut}");
        assert!(again.unreadable <= 1 && again.ends_in_newline, "cut at {cut}");
    }
}

#[test]
fn a_header_that_was_torn_costs_no_event() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("whole", "a", 0);
    write(&mut journal, &turn(1, "one"));
    let bytes = std::fs::read(journal.path()).unwrap();
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap();
    let whole = load(journal.path()).unwrap();
    for kept in 0..end {
        let torn = [&bytes[..kept], &bytes[end..]].concat();
        let loaded = load(&sessions.put("torn.jsonl", &torn)).unwrap();
        assert_eq!(loaded.transcript, whole.transcript);
        assert_eq!(loaded.header.id, "torn");
    }
}

#[test]
fn garbage_at_any_line_costs_that_line_only() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("whole", "a", 0);
    write(&mut journal, &turn(1, "one"));
    let text = std::fs::read_to_string(journal.path()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let whole = load(journal.path()).unwrap();
    let garbage: [&[u8]; 6] = [b"{\"v\":1,\"seq\":3,\"at_", b"\xff\xfe\x00", b"null", b"[1]", b"{}", b"\x1b]0;x\x07"];
    for junk in garbage {
        for at in 0..=lines.len() {
            let mut file = Vec::new();
            for (n, line) in lines.iter().enumerate() {
                if n == at {
                    file.extend_from_slice(junk);
                    file.push(b'\n');
                }
                file.extend_from_slice(line.as_bytes());
                file.push(b'\n');
            }
            let loaded = load(&sessions.put("junk.jsonl", &file)).unwrap();
            assert_eq!(loaded.transcript, whole.transcript, "{junk:?} before line {at}");
        }
    }
}

#[test]
fn a_record_glued_to_a_torn_one_or_to_zeroes_is_found() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("whole", "a", 0);
    write(&mut journal, &[user("one"), user("two")]);
    let text = std::fs::read_to_string(journal.path()).unwrap();
    let last = text.lines().last().unwrap();
    for before in ["{\"v\":1,\"seq\":9,\"type\":\"user_mess", "\0\0\0\0", "x"] {
        let glued = text.replace(last, &format!("{before}{last}"));
        let loaded = load(&sessions.put("glued.jsonl", glued.as_bytes())).unwrap();
        assert_eq!(loaded.transcript.last_user_text.as_deref(), Some("two"), "{before:?}");
    }
}
