//! Is the result exactly what was taken and left, whatever the text?

use proptest::prelude::*;

use super::*;
use crate::edit::diff::file_diff;
use crate::protocol::diff::FileDiff;

const LEAVE: Ruling = Ruling::Leave { why: None };

fn ruled(is_taken: bool) -> Ruling {
    if is_taken { Ruling::Take } else { LEAVE }
}

/// A line of few kinds, so that texts repeat themselves, with any end.
fn any_line() -> impl Strategy<Value = String> {
    ("[abc{}ü]{0,2}", prop::sample::select(vec!["\n", "\r\n", "\r"])).prop_map(|(text, end)| text + end)
}

/// Any text, ended or not.
fn any_text() -> impl Strategy<Value = String> {
    (prop::collection::vec(any_line(), 0..60), "[ab]{0,1}").prop_map(|(lines, last)| lines.concat() + &last)
}

/// A text and what changes in some places make of it; no line stands twice.
fn two_texts() -> impl Strategy<Value = (String, String)> {
    (10..200_usize, prop::collection::vec((0..200_usize, 0..3_usize), 1..8)).prop_map(|(n_lines, changes)| {
        let old: Vec<String> = (0..n_lines).map(|n| format!("line {n}\n")).collect();
        let mut new = old.clone();
        for (at, kind) in changes {
            let line = new.get_mut(at % n_lines).unwrap();
            match kind {
                0 => line.clear(),
                1 => *line = format!("changed {at}\n"),
                _ => line.push_str(&format!("added {at}\n")),
            }
        }
        (old.concat(), new.concat())
    })
}

/// Starts from the new text and puts the old lines of what is left back, from the end on.
fn reference(diff: &FileDiff, old: &str, new: &str, taken: &[bool]) -> String {
    let (old, mut new) = (lines(old), lines(new));
    for (hunk, is_taken) in diff.hunks.iter().zip(taken).rev() {
        if !is_taken {
            let back = old[hunk.old_start - 1..][..hunk.old_lines].iter().copied();
            new.splice(hunk.new_start - 1..hunk.new_start - 1 + hunk.new_lines, back);
        }
    }
    new.concat()
}

fn result(diff: &FileDiff, old: &str, new: &str, taken: &[bool]) -> String {
    let at = |hunk: &Hunk| diff.hunks.iter().position(|other| other == hunk).unwrap();
    text_after(old, new, &diff.hunks, |hunk| ruled(taken[at(hunk)]))
}

proptest! {
    #[test]
    fn everything_taken_is_the_new_text_and_everything_left_the_old(old in any_text(), new in any_text()) {
        let diff = file_diff("f", Some(&old), Some(&new));
        prop_assert_eq!(&text_after(&old, &new, &diff.hunks, |_| Ruling::Take), &new);
        prop_assert_eq!(&text_after(&old, &new, &diff.hunks, |_| LEAVE), &old);
    }

    #[test]
    fn any_part_taken_is_that_part((old, new) in two_texts(), taken in prop::collection::vec(any::<bool>(), 200)) {
        let diff = file_diff("f", Some(&old), Some(&new));
        prop_assert_eq!(result(&diff, &old, &new, &taken), reference(&diff, &old, &new, &taken));
    }

    #[test]
    fn a_piece_keeps_its_name_when_others_are_taken_or_left(
        (old, new) in two_texts(),
        taken in prop::collection::vec(any::<bool>(), 200),
    ) {
        let diff = file_diff("f", Some(&old), Some(&new));
        let names = |diff: &FileDiff| diff.hunks.iter().map(|hunk| hunk.id.clone()).collect::<Vec<_>>();
        let chosen = |is_wanted: bool| -> Vec<String> {
            names(&diff).into_iter().zip(&taken).filter(|(_, taken)| **taken == is_wanted).map(|(id, _)| id).collect()
        };
        let middle = result(&diff, &old, &new, &taken);
        prop_assert_eq!(names(&file_diff("f", Some(&old), Some(&middle))), chosen(true), "what was taken");
        prop_assert_eq!(names(&file_diff("f", Some(&middle), Some(&new))), chosen(false), "what is left to take");
    }
}

#[test]
fn the_same_change_in_several_places_has_a_name_for_each() {
    let block = "fn f() {\n    one();\n    two();\n    three();\n    four();\n    five();\n    six();\n}\n\n";
    let (old, new) = (block.repeat(4), block.replace("three", "3").repeat(4));
    let diff = file_diff("f", Some(&old), Some(&new));
    let ids: std::collections::BTreeSet<&str> = diff.hunks.iter().map(|hunk| hunk.id.as_str()).collect();
    assert_eq!((diff.hunks.len(), ids.len()), (4, 4));
    let middle = result(&diff, &old, &new, &[false, true, false, true]);
    let left = file_diff("f", Some(&old), Some(&middle));
    assert_eq!(left.hunks.iter().map(|hunk| &hunk.id).collect::<Vec<_>>(), [&diff.hunks[1].id, &diff.hunks[3].id]);
}

#[test]
fn what_a_person_writes_instead_has_the_line_ends_of_the_file() {
    let table = [
        ("a\r\nb\r\n", "a\r\nc\r\n", "x\ny\n", "x\r\ny\r\n"),
        ("a\nb", "a\nc", "x\ny\n", "x\ny"),
        ("a\rb\r", "a\rc\r", "x\ny\n", "x\ry\r"),
        ("a\nb\n", "a\nc\n", "x", "x\n"),
        ("a\nb\n", "a\nc\n", "", ""),
        ("", "a\n", "x", "x\n"),
    ];
    for (old, new, written, expected) in table {
        let diff = file_diff("f", Some(old), Some(new));
        let text = text_after(old, new, &diff.hunks, |_| Ruling::Edit { text: written.to_owned() });
        assert_eq!(text, expected, "{new:?} {written:?}");
    }
}

#[test]
fn what_is_given_to_a_person_to_change_comes_back_as_it_was() {
    for (old, new) in [("a\r\nb\r\n", "a\r\nc\r\n"), ("a\nb", "a\nc"), ("a\n", ""), ("", "x\n"), ("a\nb\n", "a\nb")] {
        let diff = file_diff("f", Some(old), Some(new));
        let text = text_after(old, new, &diff.hunks, |hunk| Ruling::Edit { text: hunk.new_text().unwrap() });
        assert_eq!(text, new);
    }
}
