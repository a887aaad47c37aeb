use super::*;

#[test]
fn places_are_told_from_words() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lib.rs"), "a\n").unwrap();
    std::fs::write(folder.path().join("two words"), "a\n").unwrap();
    let place = |path: &str, line| Subject::Place { path: path.to_owned(), line };
    let table = [
        ("lib.rs", place("lib.rs", None)),
        ("lib.rs:3", place("lib.rs", Some(3))),
        ("lib.rs:3:7", place("lib.rs", Some(3))),
        ("lib.rs:3:7:", place("lib.rs", Some(3))),
        ("two words", place("two words", None)),
        ("gone.rs:3", place("gone.rs", Some(3))),
        ("src/gone:3", place("src/gone", Some(3))),
        ("gone.rs", Subject::Text("gone.rs".to_owned())),
        ("E0308", Subject::Text("E0308".to_owned())),
        ("error: it failed at lib.rs:3", Subject::Text("error: it failed at lib.rs:3".to_owned())),
        ("error:42", Subject::Text("error:42".to_owned())),
        ("lib.rs:3: error\nmore", Subject::Text("lib.rs:3: error\nmore".to_owned())),
    ];
    for (what, expected) in table {
        assert_eq!(Subject::of(what, folder.path()), expected, "{what}");
    }
}

#[test]
fn a_long_text_keeps_its_beginning_and_its_end() {
    let middle = "x".repeat(100).into_bytes();
    let stream = io::Cursor::new(b"first line\n".to_vec())
        .chain(io::repeat(b'x').take(3_000_000))
        .chain(io::Cursor::new(b"\nlast line".to_vec()));
    let taken = take(stream, Path::new("/")).unwrap();
    assert!(taken.text.starts_with("first line\nxxx") && taken.text.ends_with("xxx\nlast line"), "{:.200}", taken.text);
    assert!(taken.text.len() < HEAD_BYTES + TAIL_BYTES + 200, "{}", taken.text.len());
    assert_eq!(take(&middle[..], Path::new("/")).unwrap().text.len(), 100);
}

#[test]
fn empty_and_binary_texts_are_refused() {
    for bytes in [&b""[..], b" \n\n", b"a\0b"] {
        assert!(take(bytes, Path::new("/")).is_err(), "{bytes:?}");
    }
}

#[test]
fn the_places_of_a_text_are_found_once() {
    let text = "thread 'main' panicked at src/lib.rs:12:5:\n  at ./src/lib.rs:14:1\n  at src/main.rs:3\n  File \"app/x.py\", line 9, in f\n at g (/w/web/a.js:7:2)\nsee https://example.org:443 and v1.2:3";
    let places = places(&Taken { text: text.to_owned(), complaints: Complaints::default() });
    let shown: Vec<String> = places.iter().map(|(file, line)| format!("{file}:{line}")).collect();
    assert_eq!(shown[..4], ["src/lib.rs:12", "src/main.rs:3", "app/x.py:9", "/w/web/a.js:7"]);
}

#[test]
fn excerpts_mark_the_line_and_say_what_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    std::fs::write(&path, "one\r\ntwo\nthree").unwrap();
    assert_eq!(excerpt(&path, "a", Some(2), 1).unwrap(), "a:\n     1  one\n>    2  two\n     3  three");
    assert_eq!(excerpt(&path, "a", Some(1), 1).unwrap(), "a:\n>    1  one\n     2  two\n      ...");
    assert_eq!(excerpt(&path, "a", None, 1).unwrap(), "a:\n     1  one\n     2  two\n     3  three");
    let line = |line| excerpt(&path, "a", Some(line), 1).unwrap_err().message;
    assert_eq!(line(9), "`a` has 3 lines, and no line 9");
    assert_eq!(line(0), "`a` has no line 0: they are counted from 1");
    std::fs::write(&path, "").unwrap();
    assert_eq!(excerpt(&path, "a", None, 1).unwrap_err().message, "`a` is empty");
    std::fs::write(&path, b"\x00").unwrap();
    assert_eq!(excerpt(&path, "a", None, 1).unwrap_err().message, "`a` is no text");
}
