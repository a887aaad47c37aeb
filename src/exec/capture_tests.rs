use std::time::Duration;

use super::*;
use crate::exec::run::Program;

fn capture(max_output_bytes: usize, spill: Option<PathBuf>) -> Capture {
    let program = Program::Shell(String::new());
    let command = Command { program, cwd: PathBuf::new(), timeout: Duration::ZERO, max_output_bytes, spill };
    Capture::new(&command, None)
}

fn feed(capture: &mut Capture, bytes: &[u8]) {
    for chunk in bytes.chunks(777) {
        assert!(capture.take(chunk).is_continue());
    }
}

#[test]
fn memory_stays_flat_and_the_file_gets_everything() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/out.txt");
    let mut capture = capture(3000, Some(path.clone()));
    let lines: String = (0..10_000).map(|n| format!("line {n}\n")).collect();
    feed(&mut capture, lines.as_bytes());
    assert!(capture.head.len() + capture.tail.len() <= 6000 && capture.tail.capacity() < 16_384);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), lines);
    let text = capture.text();
    assert!(text.starts_with("line 0\n") && text.ends_with("line 9999\n") && text.len() < 3200, "{text}");
    let shown = text.lines().count() as u64 - 1;
    let gap = text.lines().find(|line| line.starts_with("[...")).unwrap();
    assert!(gap.starts_with(&format!("[... {} lines, ", 10_000 - shown)), "{gap}");
    assert!(gap.ends_with(&format!("; whole output in {} ...]", path.display())), "{gap}");
}

#[test]
fn short_output_is_kept_as_it_is_and_writes_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out.txt");
    let long_line = "x".repeat(2500) + "\n";
    for text in ["", "one\ntwo", long_line.as_str()] {
        let mut capture = capture(3000, Some(path.clone()));
        feed(&mut capture, text.as_bytes());
        assert_eq!(capture.text(), text);
        assert!(!path.exists() && capture.spilled().is_none());
    }
}

#[test]
fn one_endless_line_shows_its_two_ends() {
    let mut capture = capture(10_000, None);
    let line = format!("start{}end", "x".repeat(1_000_000));
    feed(&mut capture, line.as_bytes());
    let text = capture.text();
    assert!(text.starts_with("startx") && text.ends_with("xend"), "{text}");
    assert!(text.contains("[... 0 lines, ") && text.len() < 4200, "{}", text.len());
}

#[test]
fn colours_do_not_use_up_the_room_for_words() {
    let mut capture = capture(1000, None);
    feed(&mut capture, "\u{1b}[31mred\u{1b}[0m\n".repeat(90).as_bytes());
    assert_eq!(capture.text(), "red\n".repeat(90));
}

#[test]
fn binary_output_is_named_and_not_shown() {
    let binary: Vec<u8> = (0..3000u32).map(|n| (n * 7919 % 251) as u8).collect();
    let latin1 = b"caf\xe9 au lait\n".to_vec();
    let null_separated = b"src/a.rs\0src/b.rs\0".to_vec();
    for (bytes, is_shown) in [(binary, false), (vec![0; 5000], false), (latin1, true), (null_separated, true)] {
        let mut capture = capture(10_000, None);
        feed(&mut capture, &bytes);
        let note = format!("[binary output of {} bytes, not shown]", bytes.len());
        assert_eq!(capture.text() != note, is_shown, "{}", capture.text());
    }
}

#[test]
fn a_file_that_cannot_be_written_is_said_where_the_text_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let taken = folder.path().join("out.txt");
    path::create_private(&taken).unwrap();
    let mut capture = capture(100, Some(taken));
    feed(&mut capture, "line\n".repeat(100).as_bytes());
    assert!(capture.text().contains("; whole output could not be kept: File exists"), "{}", capture.text());
    assert!(capture.spilled().is_none());
}

#[test]
fn progress_never_cuts_a_character_or_an_escape_sequence() {
    let table: [(&[u8], usize); 8] = [
        (b"done\n", 5),
        ("caf\u{e9}".as_bytes(), 5),
        (&"caf\u{e9}".as_bytes()[..4], 3),
        (&"\u{1f600}".as_bytes()[..3], 0),
        (b"ok \x1b[3", 3),
        (b"ok \x1b[31mred", 11),
        (b"ok \x1b", 3),
        (b"\xff\xfe", 2),
    ];
    for (bytes, expected) in table {
        assert_eq!(whole_part(bytes), expected, "{:?}", String::from_utf8_lossy(bytes));
    }
}
