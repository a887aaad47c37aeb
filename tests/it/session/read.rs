//! Can every session file there ever was be read?

use std::path::Path;

use mimi::base::fault::{Fault, Kind};
use mimi::protocol::event::Event;
use mimi::protocol::message::Message;
use mimi::protocol::op::Mode;
use mimi::session::error::SessionError;
use mimi::session::export::{self, Format};
use mimi::session::journal::Journal;
use mimi::session::reader::{Line, MAX_LINE_BYTES, Reader, load};

use super::{Sessions, clock, turn, user, write};

fn fixture() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/sessions/v1.jsonl")
}

fn exported(path: &Path, format: Format) -> String {
    let mut text = String::new();
    export::write(path, format, |line| {
        text.push_str(line);
        text.push('\n');
        Ok::<(), SessionError>(())
    })
    .unwrap();
    text
}

#[test]
fn the_first_format_stays_readable_for_ever() {
    let loaded = load(&fixture()).unwrap();
    assert_eq!((loaded.unreadable, loaded.unknown, loaded.last_seq), (0, 0, 42));
    assert_eq!(loaded.header.workspace, Path::new("/work/demo"));
    let transcript = loaded.transcript;
    let texts: Vec<&str> = transcript.messages.iter().map(Message::text).collect();
    assert_eq!(texts, ["Summary: a test was added.", "", "no end after 60 s", "", "refused by policy"]);
    assert_eq!(transcript.title.as_deref(), Some("add a test for the parser"));
    assert_eq!((transcript.turns, transcript.usage.input_tokens, transcript.usage.cached_tokens), (3, 2600, 1000));
    assert_eq!((transcript.mode, transcript.model.as_deref()), (Some(Mode::Auto), Some("local/qwen3-coder")));
    assert_eq!(transcript.answered_by.as_deref(), Some("qwen3-coder"));
    assert_eq!(transcript.partial.as_deref(), Some("I was say"));
    assert_eq!(transcript.files_changed, ["tests/parse.rs"]);
    assert_eq!(transcript.plan.as_ref().unwrap().steps.len(), 2);
    assert_eq!(transcript.queued, Vec::<String>::new());
    let kept = &transcript.kept_since(1)[0];
    assert!(matches!(kept, mimi::session::transcript::Kept::File(change) if change.before.is_none()), "{kept:?}");
}

#[test]
fn the_first_format_holds_every_kind_of_event_as_it_is_written_today() {
    let mut reader = Reader::open(&fixture()).unwrap();
    let mut kinds = std::collections::BTreeSet::new();
    while let Some(line) = reader.next_line().unwrap() {
        let Line::Record(record) = line else { continue };
        let then: serde_json::Value = serde_json::from_slice(reader.raw()).unwrap();
        let now = serde_json::to_value(&record).unwrap();
        kinds.insert(then["type"].as_str().unwrap().to_owned());
        // Fields may be added; what was there must still mean the same.
        for (key, value) in then.as_object().unwrap() {
            let is_new_inside = key == "usage";
            assert!(is_new_inside || now.get(key) == Some(value), "`{key}` of {then}");
        }
    }
    assert_eq!(kinds.len(), 24, "{kinds:?}");
}

#[test]
fn a_later_version_costs_only_what_this_one_cannot_know() {
    let sessions = Sessions::new();
    let text = r#"{"v":9,"kind":"session","id":"x","created_ms":"soon","workspace":"/work/demo","colour":[1]}
{"v":9,"kind":"sealed","by":"x"}
{"v":9,"seq":1,"at_ms":5,"type":"turn_started","turn":1,"mood":"good"}
{"v":9,"seq":2,"at_ms":6,"type":"future_thing","payload":{"a":[1,2]}}
{"v":9,"seq":3,"at_ms":7,"type":"user_message","author":"user","text":"hi","lang":"en"}
{"v":9,"seq":4,"at_ms":8,"type":"user_message","author":"robot","text":"beep"}
{"v":9,"seq":70,"at_ms":9,"type":"future_thing"}
"#;
    let path = sessions.put("later.jsonl", text.as_bytes());
    let loaded = load(&path).unwrap();
    assert_eq!((loaded.header.v, loaded.header.workspace.as_path()), (9, Path::new("/work/demo")));
    assert_eq!((loaded.unknown, loaded.unreadable), (4, 0));
    assert_eq!(loaded.transcript.messages, [Message::user("hi")]);
    let (mut journal, _) = Journal::resume(&path, clock()).unwrap();
    assert!(journal.notes().iter().any(|note| note.contains("newer mimi")), "{:?}", journal.notes());
    assert_eq!(journal.append(&user("more")).unwrap().seq, 71);
    assert!(exported(&path, Format::Json).contains("future_thing"), "unknown records are exported as they are");
}

#[test]
fn what_is_no_session_is_said_to_be_none_and_stays_as_it_is() {
    let sessions = Sessions::new();
    let random: Vec<u8> = (0_u32..50_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let table: [(&str, &[u8]); 6] = [
        ("empty", b""),
        ("'odd name'", b"x"),
        ("newlines", b"\n\n\n"),
        ("garbage", &random),
        ("zeroes", &[0; 5000]),
        ("other", b"{\"a\":1}\n[]\n\"text\"\n"),
    ];
    for (name, bytes) in table {
        let path = sessions.put(&format!("{}.jsonl", name.trim_matches('\'')), bytes);
        let fault = Fault::from(Journal::resume(&path, clock()).map(|_| ()).unwrap_err());
        assert_eq!(fault.kind, Kind::Usage);
        assert!(fault.message.contains("holds no session"), "{fault}");
        assert_eq!(fault.hints, [format!("mimi session delete {name}")]);
        assert_eq!(std::fs::read(&path).unwrap(), bytes, "{name}");
    }
    let missing = sessions.path().join("missing.jsonl");
    assert!(matches!(Journal::resume(&missing, clock()), Err(SessionError::Open { .. })));
}

#[test]
fn a_line_without_end_is_skipped_without_being_held() {
    let sessions = Sessions::new();
    let mut bytes = vec![b'x'; MAX_LINE_BYTES + 100];
    bytes.extend_from_slice(
        b"\n{\"v\":1,\"seq\":1,\"at_ms\":5,\"type\":\"user_message\",\"author\":\"user\",\"text\":\"hi\"}\n",
    );
    let loaded = load(&sessions.put("long.jsonl", &bytes)).unwrap();
    assert_eq!((loaded.unreadable, loaded.transcript.messages.len()), (1, 1));
}

#[test]
fn three_hundred_turns_come_back_whole() {
    let sessions = Sessions::new();
    let mut journal = sessions.begin("long", "a", 0);
    for n in 1..=300 {
        write(&mut journal, &turn(n, &format!("words {n}")));
    }
    let path = journal.path().to_path_buf();
    drop(journal);
    let (journal, transcript) = Journal::resume(&path, clock()).unwrap();
    assert_eq!((transcript.turns, transcript.messages.len()), (300, 1200));
    // The journal itself holds nothing of them.
    assert!(size_of_val(&journal) < 1024);
}

#[test]
fn an_export_shows_what_happened_and_moves_no_cursor() {
    let markdown = exported(&fixture(), Format::Markdown);
    let parts = [
        "# Session v1",
        "- workspace: `/work/demo`",
        "## Turn 1",
        "**you:**\n\nadd a test for the parser\nand keep it short",
        "- `edit_file` `tests/parse.rs`: +1 -0",
        "```diff\n--- a/tests/parse.rs",
        "- `read_file` `src/parse.rs` failed: no such file",
        "> plan:\n> [x] write the test",
        "> interrupted",
        "> turn 2 was taken back",
        "> the conversation was summarised: 1500 to 40 tokens",
        "- `shell` was refused: refused",
        "**mimi** (cut off):\n\nI was say",
    ];
    for part in parts {
        assert!(markdown.contains(part), "{part:?} in\n{markdown}");
    }
    assert!(!markdown.contains("Lost to a retry"));

    let sessions = Sessions::new();
    let mut journal = sessions.begin("evil", "a", 0);
    let evil = "\u{1b}]0;owned\u{7} \u{9b}31m \u{202e}gpj.exe ``` \u{e0041}";
    write(&mut journal, &[user(evil), Event::Warning { text: evil.into() }]);
    for format in [Format::Markdown, Format::Json, Format::Jsonl] {
        let text = exported(journal.path(), format);
        assert!(!text.chars().any(|c| c != '\n' && mimi::base::text::is_hidden(c)), "{format:?}: {text}");
    }
    let records: Vec<mimi::protocol::event::Record> =
        serde_json::from_str(&exported(journal.path(), Format::Json)).unwrap();
    assert_eq!(records[0].event, user(evil), "escapes change no meaning");
    assert_eq!(exported(sessions.begin("none", "a", 0).path(), Format::Json), "[\n]\n");
}
