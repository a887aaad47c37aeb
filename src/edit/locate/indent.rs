//! Is it the same code, only indented differently as a whole?
//!
//! The difference must be the same for every line that is not blank: the same blanks in front of all, or the same number of
//! columns where one side has tabs and the other spaces. New lines are shifted by it; one that cannot be shifted means that
//! the place is not taken.

use crate::edit::locate::Place;
use crate::edit::locate::block::Block;

/// Widths of a tab that are tried where tabs stand for spaces.
const TAB_WIDTHS: [usize; 3] = [4, 2, 8];

/// How the file's lines are indented compared with the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shift {
    /// The file has these blanks in front of each line.
    More(String),
    /// The model has these blanks in front of each line.
    Less(String),
    /// One has tabs where the other has spaces.
    Columns {
        /// Columns of a tab.
        tab: usize,
        /// Columns the file has more.
        more: isize,
        /// Whether the file's side has the tabs.
        is_tabbed: TabSide,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TabSide {
    File,
    Model,
}

/// The rung that shifts the indentation.
pub fn with_another_indent(lines: &[&str], block: &Block) -> Vec<Place> {
    let starts = block.starts(lines, |old, line| old.trim() == line.trim());
    let found: Vec<(usize, Shift)> =
        starts.into_iter().filter_map(|first| Some((first, shift_at(lines, block, first)?))).collect();
    found.into_iter().map(|(first, shift)| place(block, first, &shift)).collect()
}

fn shift_at(lines: &[&str], block: &Block, first: usize) -> Option<Shift> {
    let pairs = block.old.iter().zip(&lines[first..]).filter(|(old, _)| !old.trim().is_empty());
    shift(&pairs.map(|(old, line)| (indent_of(old), indent_of(line))).collect::<Vec<_>>())
}

/// Makes the change. Blank lines keep nothing, and every other new line must bear the shift.
fn place(block: &Block, first: usize, shift: &Shift) -> Place {
    let is_possible = block.new.iter().all(|line| line.trim().is_empty() || shifted(line, shift).is_some());
    let write = |line: &str| match line.trim() {
        "" => String::new(),
        _ => shifted(line, shift).unwrap_or_else(|| line.to_owned()),
    };
    Place { is_possible, ..block.place(first, write) }
}

fn indent_of(line: &str) -> &str {
    &line[..line.len() - line.trim_start_matches([' ', '\t']).len()]
}

/// Finds the one shift that explains all pairs of the model's and the file's indents.
fn shift(pairs: &[(&str, &str)]) -> Option<Shift> {
    let (old, file) = pairs.first()?;
    if let Some(more) = file.strip_suffix(old)
        && pairs.iter().all(|(old, file)| file.strip_prefix(more) == Some(old))
    {
        return Some(Shift::More(more.to_owned()));
    }
    if let Some(less) = old.strip_suffix(file)
        && pairs.iter().all(|(old, file)| old.strip_prefix(less) == Some(file))
    {
        return Some(Shift::Less(less.to_owned()));
    }
    columns(pairs)
}

fn columns(pairs: &[(&str, &str)]) -> Option<Shift> {
    let has_tab = |side: fn(&(&str, &str)) -> bool| pairs.iter().any(side);
    let is_tabbed = match (has_tab(|pair| pair.0.contains('\t')), has_tab(|pair| pair.1.contains('\t'))) {
        (false, true) => TabSide::File,
        (true, false) => TabSide::Model,
        _ => return None,
    };
    TAB_WIDTHS.into_iter().find_map(|tab| {
        let more = |(old, file): &(&str, &str)| width(file, tab).cast_signed() - width(old, tab).cast_signed();
        let first = more(pairs.first()?);
        pairs.iter().all(|pair| more(pair) == first).then_some(Shift::Columns { tab, more: first, is_tabbed })
    })
}

fn width(indent: &str, tab: usize) -> usize {
    indent.chars().fold(0, |width, c| if c == '\t' { (width / tab + 1) * tab } else { width + 1 })
}

/// Indents a line of the model as the file is; `None` when it has less indent than is to be taken away.
fn shifted(line: &str, shift: &Shift) -> Option<String> {
    match shift {
        Shift::More(more) => Some(format!("{more}{line}")),
        Shift::Less(less) => line.strip_prefix(less.as_str()).map(str::to_owned),
        Shift::Columns { tab, more, is_tabbed } => {
            let columns = usize::try_from(width(indent_of(line), *tab).cast_signed() + more).ok()?;
            let indent = match is_tabbed {
                TabSide::File => format!("{}{}", "\t".repeat(columns / tab), " ".repeat(columns % tab)),
                TabSide::Model => " ".repeat(columns),
            };
            Some(format!("{indent}{}", &line[indent_of(line).len()..]))
        }
    }
}
