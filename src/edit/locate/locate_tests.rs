//! Each rung finds what it is for, and nothing else.

use super::*;
use crate::edit::replace::{Extent, Replaced, replace};

/// Replaces and returns the rung with the new text.
fn done(text: &str, old: &str, new: &str) -> (Rung, String) {
    match replace(text, old, new, Extent::One) {
        Ok(Replaced::Changed { text, rung, .. }) => (rung, text),
        other => panic!("{old:?} in {text:?}: {other:?}"),
    }
}

#[test]
fn each_rung_forgives_what_it_is_for() {
    let python =
        "class A:\n    def f(self):\n        if x:\n            return 1\n\n    def g(self):\n        return 2\n";
    let table: [(Rung, &str, &str, &str, &str); 17] = [
        (Rung::Exact, "a\nb\nc\n", "b", "B", "a\nB\nc\n"),
        (Rung::TrailingBlanks, "a  \nb\t\nc\n", "a\nb", "a\nB", "a  \nB\nc\n"),
        (Rung::TrailingBlanks, "a\nb\nc\n", "a  \nb  ", "x\nb  ", "x\nb\nc\n"),
        (Rung::TrailingBlanks, "a \r\nb\r\n", "a\nb\n", "a\nx\ny\n", "a \r\nx\r\ny\r\n"),
        (Rung::TrailingBlanks, "one \ntwo\nlast", "one\ntwo\nlast", "one\ntwo", "one \ntwo"),
        (Rung::LineNumbers, "a\nb\nc\n", "    2\tb\n    3\tc", "    2\tB\n    3\tc", "a\nB\nc\n"),
        (Rung::LineNumbers, "a\nb\nc\n", "2→b\n3→c\n", "B\nc\n", "a\nB\nc\n"),
        (Rung::LineNumbers, "a\n\nc\n", "1\ta\n2\n3\tc", "1\ta\n2\n3\tC", "a\n\nC\n"),
        (Rung::Indent, python, "if x:\n    return 1", "if y:\n    return 1", &python.replace("if x", "if y")),
        (Rung::Indent, "\tif x {\n\t\ty()\n\t}\n", "if x {\n\ty()\n}", "if x {\n\tz()\n}", "\tif x {\n\t\tz()\n\t}\n"),
        (
            Rung::Indent,
            "\tif x {\n\t\ty()\n\t}\n",
            "    if x {\n        y()\n    }",
            "    if x {\n        z()\n    }",
            "\tif x {\n\t\tz()\n\t}\n",
        ),
        (
            Rung::Indent,
            "f():\n  a\n  b\n",
            "    f():\n      a\n      b",
            "    f():\n      a\n      c",
            "f():\n  a\n  c\n",
        ),
        (
            Rung::Punctuation,
            "say(\u{201c}hi\u{201d}) \u{2014} x\nend\n",
            "say(\"hi\") - x\nend",
            "say(\"hi\") - x\nfin",
            "say(\u{201c}hi\u{201d}) \u{2014} x\nfin\n",
        ),
        (Rung::Punctuation, "it's a\u{a0}test\n", "it\u{2019}s a test", "it's one", "it's one\n"),
        (Rung::Escapes, "a\n\tb\n", "a\\n\\tb", "a\\n\\tc", "a\n\tc\n"),
        (Rung::Escapes, "print(\"x\")\nend\n", "print(\\\"x\\\")", "print(\\\"y\\\")", "print(\"y\")\nend\n"),
        (
            Rung::Elision,
            "f {\n  a\n  b\n  c\n}\ng\n",
            "f {\n...\n  c\n}",
            "f {\n...\n  d\n}",
            "f {\n  a\n  b\n  d\n}\ng\n",
        ),
    ];
    for (rung, text, old, new, expected) in table {
        assert_eq!(done(text, old, new), (rung, expected.to_owned()), "{old:?} in {text:?}");
    }
}

#[test]
fn what_no_rung_is_for_is_refused() {
    let table = [
        ("another word", "let a = 1;\nlet b = 2;\n", "let a = 1;\nlet c = 2;"),
        ("another order", "a\nb\n", "b\na"),
        ("indents that differ unevenly", "if x:\n    y\n        z\n", "if x:\n  y\n    z"),
        ("numbers that do not count up", "x\ny\n", "1\tx\n7\ty"),
        ("numbers on some lines only", "x\ny\n", "1\tx\ny"),
        ("an elision at the start", "a\nb\nc\n", "...\nc"),
        ("an elision at the end", "a\nb\nc\n", "a\n..."),
        ("blanks inside a line", "let a  =  1;\n", "let a = 1;"),
        ("only blanks", "a\n\n\nb\n", "  \n\n"),
        ("another case", "Hello\n", "hello"),
    ];
    for (case, text, old) in table {
        let outcome = replace(text, old, "something new entirely", Extent::One);
        assert!(matches!(outcome, Err(EditError::NoMatch { .. })), "{case}: {outcome:?}");
    }
    // The new text leaves out another number of stretches than the old.
    let outcome = replace("a\nb\nc\nd\n", "a\n...\nd", "a\nd", Extent::One);
    assert!(matches!(outcome, Err(EditError::NoMatch { .. })), "{outcome:?}");
}

#[test]
fn a_rung_that_finds_several_places_names_them() {
    let table = [
        ("a \nb\nx\na \nb\n", "a\nb", vec![1, 4]),
        ("if x:\n    y\nfor z:\n    if x:\n        y\n", "  if x:\n      y", vec![1, 4]),
    ];
    for (text, old, expected) in table {
        match replace(text, old, "new", Extent::One) {
            Err(EditError::Ambiguous { lines }) => assert_eq!(lines, expected, "{old:?}"),
            other => panic!("{old:?}: {other:?}"),
        }
    }
}

#[test]
fn a_new_line_that_cannot_bear_the_shift_is_refused() {
    let text = "f():\n  a\n";
    let outcome = replace(text, "    f():\n      a", "  f():\n      b", Extent::One);
    assert!(matches!(outcome, Err(EditError::NoMatch { .. })), "{outcome:?}");
}

#[test]
fn the_end_of_the_file_stays_as_it_was() {
    let table = [
        ("a \nb", "a\nb", "a\nb\nc", "a \nb\nc"),
        ("a \nb\n", "a\nb\n", "a\nb\nc\n", "a \nb\nc\n"),
        ("x \na\nb", "x\na\nb", "x\na", "x \na"),
    ];
    for (text, old, new, expected) in table {
        assert_eq!(done(text, old, new).1, expected, "{text:?}");
    }
}

#[test]
fn a_change_that_is_there_but_for_forgiven_blanks_is_already_applied() {
    let outcome = replace("a\nb\n", "a  ", "a", Extent::One);
    assert_eq!(outcome.unwrap(), Replaced::AlreadyApplied { line: 1 });
}
