//! Which place does a replacement find?

use mimi::edit::EditError;
use mimi::edit::replace::{Extent, Replaced, replace};
use proptest::prelude::*;

/// Applies the replacement and renders what came of it.
fn check(text: &str, old: &str, new: &str, extent: Extent) -> String {
    match replace(text, old, new, extent) {
        Ok(Replaced::Changed { text, lines, .. }) => format!("{lines:?} {text:?}"),
        Ok(Replaced::AlreadyApplied { line }) => format!("applied at {line}"),
        Err(EditError::Ambiguous { lines }) => format!("ambiguous {lines:?}"),
        Err(EditError::NoMatch { nearest, .. }) => {
            format!("no match, nearest {:?}", nearest.map(|lines| lines.first_line))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn one_place_is_one_place() {
    let table = [
        ("a b c", "b", "x", r#"[1] "a x c""#),
        ("a\nb\n", "b\n", "", r#"[2] "a\n""#),
        ("a\nb\n", "\nb", "\nb\nc", r#"[1] "a\nb\nc\n""#),
        ("aaa", "aa", "b", "ambiguous [1, 1]"),
        ("x\ny\nx\n", "x", "z", "ambiguous [1, 3]"),
        ("üü", "ü", "a", "ambiguous [1, 1]"),
        ("", "", "new", r#"[1] "new""#),
        ("a", "", "new", "the old text is empty, but the file is not"),
        ("a", "a", "a", "the old and the new text are the same"),
        ("a\r\n", "a\n", "a\r\n", "the old and the new text are the same"),
        ("a", "b", "a", "no match, nearest None"),
        ("fn main() {}", "fn mian() {}", "x", "no match, nearest Some(1)"),
        ("use a;\nuse b;\n", "use a;", "use a;\nuse b;", "applied at 1"),
        ("let changed = true;", "let old = true;", "let changed = true;", "applied at 1"),
        ("}", "{", "}", "no match, nearest None"),
    ];
    for (text, old, new, expected) in table {
        assert_eq!(check(text, old, new, Extent::One), expected, "{text:?} {old:?} {new:?}");
    }
}

#[test]
fn all_places_are_all_places() {
    let table = [
        ("aaaa", "aa", "b", r#"[1, 1] "bb""#),
        ("x\ny\nx\n", "x", "xx", r#"[1, 3] "xx\ny\nxx\n""#),
        ("a\r\na\n", "a\n", "b\n", r#"[1, 2] "b\r\nb\n""#),
        ("a", "z", "b", "no match, nearest None"),
    ];
    for (text, old, new, expected) in table {
        assert_eq!(check(text, old, new, Extent::All), expected, "{text:?}");
    }
}

proptest! {
    /// With unique old text the result is that of plain string replacement, in CRLF and in LF files.
    #[test]
    fn replacing_is_what_it_says(head in "[a-c\n]{0,20}", tail in "[a-c\n]{0,20}", new in "[a-d\n]{0,9}", crlf: bool) {
        let end = if crlf { "\r\n" } else { "\n" };
        let old = "X\nY";
        prop_assume!(new != old);
        let text = format!("{head}{old}{tail}").replace('\n', end);
        let expected = format!("{head}{new}{tail}").replace('\n', end);
        match replace(&text, old, &new, Extent::One) {
            Ok(Replaced::Changed { text, .. }) => prop_assert_eq!(text, expected),
            other => prop_assert!(false, "{:?}", other),
        }
    }
}
