//! Which colours have the lines of a file under review?
//!
//! Both sides are read whole, on a thread of its own, and only the lines of the hunks are kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::app::App;
use crate::app::reviewing::Reviewing;
use crate::cli::paint::SKILLS;
use crate::protocol::changes::Source;
use crate::protocol::diff::FileDiff;
use crate::tui::diff_view::Spans;
use crate::tui::state::outside::Given;
use crate::tui::state::review::colours::Colours;

/// Finds the colours of a file; none of it where they cannot be had.
pub async fn colours(app: &App, reviewing: &Reviewing, source: &Source, file: Arc<FileDiff>) -> Given {
    let path = file.path.clone();
    let colours = match reviewing.sides(app, source, &file).await {
        None => Colours::default(),
        Some(sides) => tokio::task::spawn_blocking(move || of(&file, &sides)).await.unwrap_or_default(),
    };
    Given::Colours { path, colours }
}

fn of(file: &FileDiff, (old, new): &(String, String)) -> Colours {
    let spans = |text: &str, ranges: Vec<(usize, usize)>| -> BTreeMap<usize, Spans> {
        let lines = (SKILLS.code)(&file.path, text);
        let in_hunk = ranges.into_iter().flat_map(|(start, n)| start..start + n);
        in_hunk.filter_map(|number| Some((number, lines.get(number.checked_sub(1)?)?.clone()))).collect()
    };
    Colours {
        old: spans(old, file.hunks.iter().map(|hunk| (hunk.old_start, hunk.old_lines)).collect()),
        new: spans(new, file.hunks.iter().map(|hunk| (hunk.new_start, hunk.new_lines)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edit::diff::file_diff;
    use crate::edit::places::other_side;
    use crate::protocol::changes::Place;
    use crate::tui::look::Look;

    #[test]
    fn a_hunk_inside_a_comment_that_began_above_is_a_comment() {
        let lines: Vec<String> = (0..30).map(|n| format!("let words{n} = {n};")).collect();
        let old = format!("/* begins\n{}\n*/\nfn main() {{}}\n", lines.join("\n"));
        let new = old.replace("let words20 = 20;", "let words20 = 21;");
        let diff = file_diff("a.rs", Some(&old), Some(&new));
        assert_eq!(other_side(&new, &diff, &Place::New).as_deref(), Some(old.as_str()));
        assert_eq!(other_side(&old, &diff, &Place::Old).as_deref(), Some(new.as_str()));
        let colours = of(&diff, &(old, new));
        let said = |side: &BTreeMap<usize, Spans>| side.get(&22).cloned();
        assert_eq!(said(&colours.new), Some(vec![(Look::Comment, "let words20 = 21;".to_owned())]));
        assert_eq!(said(&colours.old), Some(vec![(Look::Comment, "let words20 = 20;".to_owned())]));
        assert!(!colours.new.contains_key(&1), "only what is shown is kept");
    }
}
