//! Does a change keep how a file is stored: six ways of storing characters, four ends of lines, in every dialect?

use mimi::edit::encoding::{decode, encode};
use mimi::edit::plan::{Next, plan};
use mimi::edit::trial;
use serde_json::{Value, json};

/// How text becomes bytes.
type Store = fn(&str) -> Vec<u8>;

fn utf16(text: &str, mark: [u8; 2], bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    mark.into_iter().chain(text.encode_utf16().flat_map(bytes_of)).collect()
}

/// Characters of one byte each, as Latin-1 has them.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect()
}

/// A text of two bytes a character, as Chinese files are stored; mimi reads it as one byte a character and keeps each.
fn two_bytes(text: &str) -> Vec<u8> {
    text.chars().flat_map(|c| if c.is_ascii() { vec![c as u8] } else { vec![0xb0 | (c as u8 & 7), 0xe1] }).collect()
}

const STORES: [(&str, Store); 6] = [
    ("UTF-8", |text| text.as_bytes().to_vec()),
    ("UTF-8 with mark", |text| [b"\xef\xbb\xbf", text.as_bytes()].concat()),
    ("UTF-16LE", |text| utf16(text, [0xff, 0xfe], u16::to_le_bytes)),
    ("UTF-16BE", |text| utf16(text, [0xfe, 0xff], u16::to_be_bytes)),
    ("Latin-1", latin),
    ("GB 18030", two_bytes),
];

/// Ends of lines: of the first line, and of the others.
const ENDS: [(&str, [&str; 2]); 4] =
    [("LF", ["\n", "\n"]), ("CRLF", ["\r\n", "\r\n"]), ("CR", ["\r", "\r"]), ("mixed", ["\n", "\r\n"])];

/// The same change in every dialect.
fn calls() -> [(&'static str, Value); 6] {
    let (old, new) = ("plain = 1", "plain = 2\nmore = 3");
    [
        ("replace", json!({"path": "f", "old_string": old, "new_string": new})),
        ("multi_replace", json!({"path": "f", "edits": [{"old_string": old, "new_string": new}]})),
        ("blocks", json!({"blocks": format!("f\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n")})),
        ("unified_diff", json!({"diff": "--- a/f\n+++ b/f\n@@ -2 +2,2 @@\n-plain = 1\n+plain = 2\n+more = 3\n"})),
        (
            "patch",
            json!({"patch": "*** Begin Patch\n*** Update File: f\n@@\n-plain = 1\n+plain = 2\n+more = 3\n*** End Patch"}),
        ),
        ("whole", Value::Null),
    ]
}

/// The file before or after the change, its lines ended as `ends` says; new lines end as the one they follow.
fn text(middle: &[&str], ends: [&str; 2], is_ended: bool) -> String {
    let lines: Vec<&str> = ["grün ünd blau"].iter().chain(middle).chain(&["ende é"]).copied().collect();
    let n = lines.len();
    let end = |at: usize| if at == 0 { ends[0] } else { ends[1] };
    lines
        .iter()
        .enumerate()
        .map(|(at, line)| if at + 1 == n && !is_ended { (*line).to_owned() } else { format!("{line}{}", end(at)) })
        .collect()
}

#[test]
fn every_encoding_line_end_and_dialect_keeps_the_bytes_that_were_not_meant() {
    let mut n_cases = 0;
    for (store_name, store) in STORES {
        for (ends_name, ends) in ENDS {
            for is_ended in [true, false] {
                let before = store(&text(&["plain = 1"], ends, is_ended));
                let wanted = store(&text(&["plain = 2", "more = 3"], ends, is_ended));
                for (dialect, call) in calls() {
                    // A file written whole has one kind of line end, that of most lines.
                    if dialect == "whole" && ends_name == "mixed" {
                        continue;
                    }
                    let decoded = decode(&before);
                    let call = match dialect {
                        "whole" => {
                            let content = decoded
                                .text
                                .replace("plain = 1", "plain = 2\nmore = 3")
                                .replace("\r\n", "\n")
                                .replace('\r', "\n");
                            json!({"path": "f", "content": content})
                        }
                        _ => call,
                    };
                    let set = trial::stated(&call).unwrap();
                    let next = plan(&set.files[0], Some(&decoded.text)).unwrap();
                    let Next::Text { text, .. } = next else { panic!("{next:?}") };
                    let after = encode(&text, decoded.encoding).unwrap();
                    assert_eq!(after, wanted, "{dialect} in {store_name} with {ends_name}, ended {is_ended}");
                    n_cases += 1;
                }
            }
        }
    }
    // Six ways, four ends and six dialects, each with and without an end of the last line.
    assert_eq!(n_cases, 6 * 4 * 6 * 2 - 6 * 2);
}
