use std::sync::Arc;

use super::*;
use crate::base::clock::SystemClock;
use crate::protocol::message::CallId;
use crate::protocol::tool::ToolOutcome;
use crate::session::header::Header;
use crate::session::journal::Journal;

fn session(folder: &Path, workspace: &str, events: &[Event]) -> PathBuf {
    let header = Header::new(Path::new(workspace), &SystemClock);
    let mut journal = Journal::create(folder, header, Arc::new(SystemClock)).unwrap();
    events.iter().for_each(|event| drop(journal.append(event).unwrap()));
    folder.join(format!("{}.jsonl", journal.id()))
}

fn person(text: &str) -> Event {
    Event::UserMessage { author: Author::User, text: text.to_owned() }
}

#[test]
fn words_are_found_in_any_order_and_case_where_they_were_said_together() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path(), "/w");
    let finished = Event::ToolFinished {
        call: CallId("c".into()),
        tool: "shell".into(),
        outcome: ToolOutcome::Ok { text: "error[E0502]: cannot borrow \"x\"".into() },
        summary: String::new(),
        diffs: Vec::new(),
        seen: Vec::new(),
        duration_ms: 1,
    };
    let answer = Event::AssistantMessage {
        text: "Die Straße ist gesperrt.\nThe borrow lasts too long.".into(),
        reasoning: String::new(),
        tool_calls: Vec::new(),
    };
    session(one, two, &[person("Fix the parser"), Event::TextDelta { text: "parser".into() }, finished, answer]);
    let table = [
        ("PARSER fix", vec![("you", "Fix the parser")]),
        ("e0502", vec![("result", "error[E0502]: cannot borrow \"x\"")]),
        ("\"x\"", vec![("result", "error[E0502]: cannot borrow \"x\"")]),
        ("STRASSE", vec![]),
        ("straße lasts", vec![("answer", "Die Straße ist gesperrt. The borrow lasts too long.")]),
        ("parser borrow", vec![]),
        ("tool_finished", vec![]),
        ("  ", vec![]),
    ];
    for (words, expected) in table {
        let hits = search(one, None, words, 10).unwrap();
        let found: Vec<(&str, &str)> = hits.iter().map(|hit| (hit.who, hit.said.as_str())).collect();
        assert_eq!(found, expected, "{words}");
    }
}

#[test]
fn only_so_many_are_returned_and_only_of_the_workspace() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..4 {
        session(folder.path(), if n == 0 { "/other" } else { "/w" }, &vec![person("the same words"); 5]);
    }
    assert_eq!(search(folder.path(), None, "same", 100).unwrap().len(), 4 * MAX_PER_SESSION);
    assert_eq!(search(folder.path(), Some(Path::new("/w")), "same", 100).unwrap().len(), 3 * MAX_PER_SESSION);
    assert_eq!(search(folder.path(), None, "same", 2).unwrap().len(), 2);
}

#[test]
fn what_is_around_the_word_is_one_line() {
    let words = Words::of("needle").unwrap();
    let text = format!("{}\n\tneedle\n{}", "é".repeat(300), "z ".repeat(300));
    let around = words.around(&text).unwrap();
    assert!(around.contains("needle") && !around.contains('\n'), "{around}");
    assert!(around.chars().count() <= SNIPPET_CHARS, "{around}");
}
