//! Does a change look as it is, in every width?

use mimi::edit::diff::{Described, file_diff};
use mimi::protocol::diff::{FileDiff, Sides};
use mimi::tui::diff_view::{Spans, view};
use mimi::tui::look::Look;
use unicode_width::UnicodeWidthChar as _;

fn sides<T>(before: Option<T>, after: Option<T>) -> Sides<T> {
    Sides { before, after }
}

/// Renders rows as text, changed words in brackets.
fn text(rows: &[Spans]) -> Vec<String> {
    let span = |(style, text): &(Look, String)| match style {
        Look::GoodWord | Look::BadWord => format!("[{text}]"),
        _ => text.clone(),
    };
    rows.iter().map(|row| row.iter().map(span).collect::<String>().trim_end().to_owned()).collect()
}

#[test]
fn changed_words_stand_out_and_hidden_characters_show() {
    let diff = file_diff("f", Some("let count = one();\nsame\n"), Some("let total = one();\nsame\n\x1b[2J\u{202e}\n"));
    let expected = [
        "    @@ -1,2 +1,3 @@",
        "    -let [count] = one();",
        "    +let [total] = one();",
        "     same",
        r"    +\x1b[2J\u{202e}",
    ];
    assert_eq!(text(&view(&diff, Some(80))), expected);
    assert_eq!(text(&view(&diff, None)), expected);
}

#[test]
fn wide_terminals_have_both_sides_beside_each_other() {
    let diff = file_diff("f", Some("a\nold\nb\n"), Some("a\nnew\nmore\nb\n"));
    let rows = text(&view(&diff, Some(140)));
    let gap = " ".repeat(58);
    assert_eq!(rows[0], "    @@ -1,3 +1,4 @@");
    assert_eq!(rows[1], format!("        1  a{gap} │     1  a"));
    assert_eq!(rows[2], format!("        2 -old{} │     2 +new", &gap[2..]));
    assert_eq!(rows[3], format!("    {} │     3 +more", " ".repeat(66)));
    assert_eq!(rows[4], format!("        3  b{gap} │     4  b"));
    assert_eq!(rows.len(), 5);
}

#[test]
fn a_long_line_goes_on_in_the_next_row_and_loses_nothing() {
    for (c, n_columns) in [('x', 1), ('語', 2), ('\t', 4)] {
        let long: String = std::iter::repeat_n(c, 300).collect();
        let diff = file_diff("f", Some("a\n"), Some(&format!("a\n{long}\n")));
        let rows = view(&diff, Some(141));
        let widths = rows
            .iter()
            .map(|row| row.iter().flat_map(|span| span.1.chars()).map(|c| c.width().unwrap_or(0)).sum::<usize>());
        assert!(widths.max().unwrap() <= 141);
        let shown: usize =
            rows.iter().flatten().filter(|span| span.0 == Look::Good).map(|span| span.1.chars().count()).sum();
        let expected = if c == '\t' { 300 * n_columns } else { 300 };
        // A tab behind the sign is one column shorter.
        assert!(shown.abs_diff(expected + 1) <= 1 + 300 / 15, "{c:?}: {shown}");
    }
}

#[test]
fn what_changes_besides_lines_is_said() {
    let diff = |described: Described<'_>| text(&view(&described.diff(), None));
    let base = Described { path: "new", ..Described::default() };
    let moved = Described { from: Some("old"), text: sides(Some("a\n"), Some("a\n")), ..base };
    assert_eq!(diff(moved), ["    renamed from `old`"]);
    let mode = Described { mode: sides(Some(0o644), Some(0o755)), text: sides(Some("a\n"), Some("a\n")), ..base };
    assert_eq!(diff(mode), ["    mode 644 to 755"]);
    let binary = Described { binary: Some(sides(Some(10), Some(2000))), ..base };
    assert_eq!(diff(binary), ["    not text, 10 bytes to 2.0 kB"]);
    let gone = Described { text: sides(Some("a\n"), None), ..base };
    assert_eq!(diff(gone), ["    deleted", "    @@ -1 +0,0 @@", "    -a"]);
    let empty = Described { text: sides(None, Some("")), ..base };
    assert_eq!(diff(empty), ["    new, empty"]);
}

#[test]
fn carriage_returns_show_only_where_they_differ() {
    let all = file_diff("f", Some("a\r\nb\r\n"), Some("a\r\nc\r\n"));
    assert_eq!(text(&view(&all, None))[1..], ["     a", "    -b", "    +c"]);
    let some = file_diff("f", Some("a\r\n"), Some("a\n"));
    assert_eq!(text(&view(&some, None))[1..], [r"    -a\x0d", "    +a"]);
    let none = file_diff("f", Some("a"), Some("a\n"));
    assert_eq!(text(&view(&none, None))[1..], ["    -a", r"    \ No newline at end of file", "    +a"]);
}

#[test]
fn a_session_of_an_earlier_version_still_shows_its_changes() {
    let diff = FileDiff { unified: "--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n".to_owned(), ..FileDiff::default() };
    assert_eq!(text(&view(&diff, Some(200))), ["    @@ -1 +1 @@", "    -a", "    +b"]);
}
