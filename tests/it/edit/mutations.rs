//! Does an edit ever land in a place that was not meant, in whichever dialect it is stated and however it was miscopied?

use mimi::edit::trial::{self, Files};
use serde_json::{Value, json};

use super::ladder::{Dice, file, line_start, miscopied};

/// Ways of stating one edit.
const DIALECTS: [&str; 6] = ["replace", "multi_replace", "blocks", "unified_diff", "patch", "anchored patch"];

/// An edit: lines of a file and what they become.
struct Edit {
    old: Vec<String>,
    new: Vec<String>,
    /// The line the old ones were copied from, counted from 0.
    first: usize,
    /// A line that stands above them, as it was copied.
    anchor: Option<String>,
}

impl Edit {
    fn call(&self, dialect: &str, dice: &mut Dice) -> Value {
        let (old, new) = (self.old.join("\n"), self.new.join("\n"));
        let signed = || {
            let lines =
                |sign: &str, lines: &[String]| lines.iter().map(|line| format!("{sign}{line}\n")).collect::<String>();
            // Lines both have at the end stay context, as models write it.
            let same = self.old.iter().rev().zip(self.new.iter().rev()).take_while(|(old, new)| old == new).count();
            let (n_old, n_new) = (self.old.len() - same, self.new.len() - same);
            format!(
                "{}{}{}",
                lines("-", &self.old[..n_old]),
                lines("+", &self.new[..n_new]),
                lines(" ", &self.old[n_old..])
            )
        };
        match dialect {
            "replace" => json!({"path": "f", "old_string": old, "new_string": new}),
            "multi_replace" => json!({"path": "f", "edits": [{"old_string": old, "new_string": new}]}),
            "blocks" => json!({"blocks": format!("f\n<<<<<<< SEARCH\n{old}\n=======\n{new}\n>>>>>>> REPLACE\n")}),
            "unified_diff" => {
                // Half of the numbers are right; the others are wrong in their counts too, as those of models are.
                let (n_old, n_new) = (self.old.len(), self.new.len());
                let range = match dice.below(2) {
                    0 => format!("-{},{n_old} +{},{n_new}", self.first + 1, self.first + 1),
                    _ => {
                        format!("-{},{} +{},{n_new}", dice.below(40) + 1, n_old + 1 + dice.below(3), dice.below(40) + 1)
                    }
                };
                json!({"diff": format!("--- a/f\n+++ b/f\n@@ {range} @@\n{}", signed())})
            }
            _ => {
                let anchor = self.anchor.as_ref().filter(|_| dialect == "anchored patch");
                let head = anchor.map_or("@@".to_owned(), |anchor| format!("@@ {anchor}"));
                json!({"patch": format!("*** Begin Patch\n*** Update File: f\n{head}\n{}*** End Patch\n", signed())})
            }
        }
    }
}

/// Returns the line that opens the block, by indentation, in which the lines are.
fn enclosing(lines: &[String], first: usize, n: usize) -> Option<&String> {
    let depth = |line: &String| line.len() - line.trim_start().len();
    let mut least = lines[first..first + n].iter().filter(|line| !line.trim().is_empty()).map(depth).min()?;
    for line in lines[..first].iter().rev().filter(|line| !line.trim().is_empty()) {
        if depth(line) < least {
            return Some(line);
        }
        least = least.min(depth(line));
    }
    None
}

#[test]
fn ten_thousand_miscopied_edits_of_every_dialect_land_where_they_were_meant_or_nowhere() {
    let (mut dice, mut n_applied, mut n_refused) = (Dice(11), [0; DIALECTS.len()], [0; DIALECTS.len()]);
    for case in 0..10_000 {
        let lines = file(&mut dice);
        let text = lines.join("\n") + "\n";
        let first = dice.below(lines.len());
        let n = 1 + dice.below((lines.len() - first).min(5));
        let old = miscopied(&mut dice, &lines[first..first + n], first);
        let mut new = old.clone();
        match dice.below(3) {
            0 => new.push("MARK".to_owned()),
            1 => new[0] = "MARK".to_owned(),
            _ => new.insert(0, "MARK".to_owned()),
        }
        let anchor = enclosing(&lines, first, n).cloned();
        let edit = Edit { old, new, first, anchor };
        let which = case % DIALECTS.len();
        let call = edit.call(DIALECTS[which], &mut dice);
        let mut files = Files::from([("f".to_owned(), text.clone())]);
        let outcome = trial::stated(&call).and_then(|set| trial::apply(&mut files, &set));
        let changed = &files["f"];
        let Some(at) = changed.find("MARK").filter(|_| outcome.is_ok()) else {
            n_refused[which] += 1;
            assert_eq!(*changed, text, "case {case}: refused, and changed\n{call}");
            continue;
        };
        n_applied[which] += 1;
        let line = changed[..at].matches('\n').count();
        let asked = edit.old.join("\n");
        // Where the very text stands elsewhere too, and not where it was taken from, that is what was asked for.
        let is_elsewhere = text.matches(&asked).count() >= 1 && !text[line_start(&text, first)..].starts_with(&asked);
        assert!(
            is_elsewhere || (first..=first + n).contains(&line),
            "case {case}, {}: lines {first} to {}\n{call}\nin {text:?}\nbecame {changed:?}",
            DIALECTS[which],
            first + n
        );
        assert_eq!(changed.lines().filter(|line| line.contains("MARK")).count(), 1);
    }
    println!("{DIALECTS:?}: applied {n_applied:?}, refused {n_refused:?}, wrong place 0");
    assert!(n_applied.iter().all(|n| *n > 300), "{n_applied:?} applied: the ladder is not climbed");
}
