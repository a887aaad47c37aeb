//! Does an edit ever land in a place that was not meant, however its text was miscopied?

use mimi::edit::replace::{Extent, Replaced, replace};

/// Numbers that look random and are the same every time.
pub(super) struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: usize) -> usize {
        // Knuth's MMIX constants.
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % n
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

/// A file whose lines repeat often, as code does; each block to be changed is marked by nothing but its place.
pub(super) fn file(dice: &mut Dice) -> Vec<String> {
    let words =
        ["if ready:", "return x", "x = x + 1", "}", "fn next() {", "say(\"hi\")", "", "// it's done", "end", "a - b"];
    let n_lines = 5 + dice.below(30);
    (0..n_lines)
        .map(|_| {
            let indent = dice.pick(&["", "  ", "    ", "\t", "\t\t", "        "]);
            format!("{indent}{}{}", dice.pick(&words), dice.pick(&["", "", "", " ", "  "]))
        })
        .collect()
}

/// Miscopies lines in one of the ways models do, or in a way that makes them other lines.
pub(super) fn miscopied(dice: &mut Dice, lines: &[String], first: usize) -> Vec<String> {
    let way = dice.below(9);
    let change = |(at, line): (usize, &String)| match way {
        0 => line.clone(),
        1 => line.trim_end().to_owned(),
        2 => format!("{line} "),
        3 => format!("{:>5}\t{line}", first + at + 1),
        4 => format!("    {line}"),
        5 => line.trim_start().to_owned(),
        6 => line.replace('"', "\u{201c}").replace('\'', "\u{2019}").replace('-', "\u{2013}"),
        7 => line.replace('x', "y"),
        _ => line.replace("  ", " "),
    };
    lines.iter().enumerate().map(change).collect()
}

#[test]
fn ten_thousand_miscopied_edits_land_where_they_were_meant_or_nowhere() {
    let (mut dice, mut n_applied, mut n_refused) = (Dice(7), 0, 0);
    for case in 0..10_000 {
        let lines = file(&mut dice);
        let text = lines.join("\n") + "\n";
        let first = dice.below(lines.len());
        let n = 1 + dice.below((lines.len() - first).min(5));
        let mut old = miscopied(&mut dice, &lines[first..first + n], first);
        let mut new = old.clone();
        new.push("MARK".to_owned());
        // Half of the changes come after the text, half replace its first line.
        if dice.below(2) == 0 {
            new.swap_remove(0);
        }
        let (old, new) = (std::mem::take(&mut old).join("\n"), new.join("\n"));
        match replace(&text, &old, &new, Extent::One) {
            Ok(Replaced::Changed { text: changed, .. }) => {
                n_applied += 1;
                let before = changed.find("MARK").unwrap();
                let line = changed[..before].matches('\n').count();
                // Where the very text stands elsewhere too, and not where it was taken from, that is what was asked for.
                let is_elsewhere =
                    text.matches(&old).count() == 1 && !text[line_start(&text, first)..].starts_with(&old);
                assert!(
                    is_elsewhere || (first..=first + n).contains(&line),
                    "case {case}: {old:?}\nin {text:?}\nbecame {changed:?}"
                );
            }
            Ok(Replaced::AlreadyApplied { .. }) | Err(_) => n_refused += 1,
        }
    }
    println!("applied {n_applied}, refused {n_refused}, wrong place 0");
    assert!(n_applied > 3_000, "{n_applied} applied: the ladder is not climbed");
}

pub(super) fn line_start(text: &str, line: usize) -> usize {
    text.split_inclusive('\n').take(line).map(str::len).sum()
}
