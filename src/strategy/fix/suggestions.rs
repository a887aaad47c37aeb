//! What does rustc itself say is certain to mend an error?
//!
//! Its JSON names places and what should stand there; only what it calls machine-applicable is taken, only of errors, only
//! outside of macros, and of a diagnostic that offers several ways only the first. Pure: the caller writes the files.

use std::collections::BTreeMap;

use serde_json::Value;

/// One place and what should stand there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edit {
    /// First byte that goes.
    pub start: usize,
    /// First byte behind those that go.
    pub end: usize,
    /// What comes.
    pub text: String,
}

/// What was suggested, by file as rustc names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Found {
    /// The edits of each file, in no order.
    pub by_file: BTreeMap<String, Vec<Edit>>,
}

/// Reads the output of `cargo ... --message-format=json` or `rustc --error-format=json`.
pub fn read(output: &str) -> Found {
    let mut found = Found::default();
    for line in output.lines().filter(|line| line.starts_with('{')) {
        let Ok(value) = serde_json::from_str::<Value>(line) else { continue };
        let diagnostic = if value["reason"] == "compiler-message" { &value["message"] } else { &value };
        if diagnostic["level"] == "error" {
            found.take(diagnostic);
        }
    }
    found
}

impl Found {
    fn take(&mut self, diagnostic: &Value) {
        let children = diagnostic["children"].as_array().into_iter().flatten();
        let Some(spans) = children.filter_map(certain).next() else { return };
        for (file, edit) in spans {
            let edits = self.by_file.entry(file).or_default();
            if !edits.contains(&edit) {
                edits.push(edit);
            }
        }
    }
}

/// Returns the places of a suggestion, if all of it is certain.
fn certain(child: &Value) -> Option<Vec<(String, Edit)>> {
    let spans = child["spans"].as_array()?;
    let suggested: Vec<&Value> = spans.iter().filter(|span| !span["suggested_replacement"].is_null()).collect();
    let place = |span: &&Value| {
        let is_certain = span["suggestion_applicability"] == "MachineApplicable" && span["expansion"].is_null();
        let edit = Edit {
            start: usize::try_from(span["byte_start"].as_u64()?).ok()?,
            end: usize::try_from(span["byte_end"].as_u64()?).ok()?,
            text: span["suggested_replacement"].as_str()?.to_owned(),
        };
        is_certain.then_some((span["file_name"].as_str()?.to_owned(), edit))
    };
    let places: Option<Vec<_>> = suggested.iter().map(place).collect();
    places.filter(|places| !places.is_empty())
}

/// Applies edits to a text; of two that overlap the first counts.
pub fn apply(text: &str, edits: &[Edit]) -> String {
    let mut edits = edits.to_vec();
    edits.sort();
    let (mut out, mut at) = (String::with_capacity(text.len()), 0);
    for edit in edits {
        let Some(between) = text.get(at..edit.start) else { continue };
        if edit.end < edit.start || text.get(edit.start..edit.end).is_none() {
            continue;
        }
        out.push_str(between);
        out.push_str(&edit.text);
        at = edit.end;
    }
    out.push_str(&text[at..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn edit(start: usize, end: usize, text: &str) -> Edit {
        Edit { start, end, text: text.to_owned() }
    }

    fn span(start: usize, end: usize, text: &str, how: &str) -> Value {
        json!({"file_name": "src/a.rs", "byte_start": start, "byte_end": end, "suggested_replacement": text,
            "suggestion_applicability": how, "expansion": null})
    }

    fn line(level: &str, children: &[Value]) -> String {
        json!({"reason": "compiler-message", "message": {"level": level, "children": children}}).to_string()
    }

    #[test]
    fn only_what_is_certain_of_errors_is_taken_and_of_several_ways_the_first() {
        let certain = json!({"spans": [span(1, 2, "x", "MachineApplicable")]});
        let other = json!({"spans": [span(3, 4, "y", "MachineApplicable")]});
        let unsure = json!({"spans": [span(5, 6, "z", "MaybeIncorrect")]});
        let partly = json!({"spans": [span(5, 6, "z", "MachineApplicable"), span(7, 8, "z", "Unspecified")]});
        let table: [(String, Vec<Edit>); 6] = [
            (line("error", &[certain.clone(), other]), vec![edit(1, 2, "x")]),
            (line("warning", std::slice::from_ref(&certain)), vec![]),
            (line("error", std::slice::from_ref(&unsure)), vec![]),
            (line("error", &[partly]), vec![]),
            (line("error", &[unsure, certain.clone()]), vec![edit(1, 2, "x")]),
            (
                json!({"$message_type": "diagnostic", "level": "error", "children": [certain]}).to_string(),
                vec![edit(1, 2, "x")],
            ),
        ];
        for (line, expected) in table {
            let found = read(&format!("   Compiling a\n{line}\n{line}\n{{broken"));
            assert_eq!(found.by_file.get("src/a.rs").cloned().unwrap_or_default(), expected, "{line}");
        }
    }

    #[test]
    fn edits_are_put_in_from_the_front_and_overlaps_are_left_out() {
        let table = [
            ("abcdef", vec![edit(4, 5, "E"), edit(1, 2, "BB")], "aBBcdEf"),
            ("abcdef", vec![edit(1, 4, "X"), edit(2, 3, "Y")], "aXef"),
            ("abcdef", vec![edit(6, 6, "!")], "abcdef!"),
            ("añb", vec![edit(2, 3, "x")], "añb"),
            ("ab", vec![edit(5, 9, "x"), edit(1, 0, "x")], "ab"),
        ];
        for (text, edits, expected) in table {
            assert_eq!(apply(text, &edits), expected, "{edits:?}");
        }
    }
}
