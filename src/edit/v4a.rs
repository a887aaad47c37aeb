//! What does the V4A format's own program do with a patch?
//!
//! Sections are carried out one after the other and those before a failing one stay; a place is the first one found below
//! the last, exactly, without blanks at line ends, without blanks around, with look-alike characters; a text file always
//! ends in a line end. For outside test suites that compare with the format as its makers wrote it; an edit of the agent
//! goes through [`crate::edit::plan`], which never writes half of a call.

use std::fmt::Write as _;
use std::path::Path;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use crate::base::path::{create_parents, remove_file, write_in_place};
use crate::edit::v4a_text::{Chunk, Section, sections};

/// Applies a patch in `folder`. Returns what the program prints.
///
/// # Errors
/// The words the program prints instead; what was done before stays.
pub fn apply(folder: &Path, patch: &str) -> Result<String, String> {
    let sections = sections(patch)?;
    if sections.is_empty() {
        return Err("No files were modified.".to_owned());
    }
    let (mut added, mut modified, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
    for section in &sections {
        match section {
            Section::Add { path, content } => {
                put(&folder.join(path), content)?;
                added.push(path);
            }
            Section::Delete { path } => {
                let absolute = folder.join(path);
                let failed = || format!("Failed to delete file {}", absolute.display());
                if absolute.is_dir() {
                    return Err(failed());
                }
                remove_file(&absolute).map_err(|_| failed())?;
                deleted.push(path);
            }
            Section::Update { path, to, chunks } => {
                let absolute = folder.join(path);
                let text = updated(&absolute, chunks)?;
                match to {
                    None => put(&absolute, &text)?,
                    Some(to) => {
                        put(&folder.join(to), &text)?;
                        let failed = |_| format!("Failed to remove original {}", absolute.display());
                        remove_file(&absolute).map_err(failed)?;
                    }
                }
                modified.push(to.as_ref().unwrap_or(path));
            }
        }
    }
    let mut said = "Success. Updated the following files:\n".to_owned();
    for (mark, paths) in [('A', added), ('M', modified), ('D', deleted)] {
        for path in paths {
            let _ = writeln!(said, "{mark} {path}");
        }
    }
    Ok(said)
}

fn put(path: &Path, text: &str) -> Result<(), String> {
    // Folders are made only where the file cannot be written without.
    match write_in_place(path, text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            create_parents(path).map_err(|_| format!("Failed to create parent directories for {}", path.display()))?;
            write_in_place(path, text.as_bytes())
        }
        result => result,
    }
    .map_err(|_| format!("Failed to write file {}", path.display()))
}

fn updated(path: &Path, chunks: &[Chunk]) -> Result<String, String> {
    let text = std::fs::read(path)
        .and_then(|bytes| {
            let invalid =
                |_| std::io::Error::new(std::io::ErrorKind::InvalidData, "stream did not contain valid UTF-8");
            String::from_utf8(bytes).map_err(invalid)
        })
        .map_err(|error| format!("Failed to read file to update {}: {error}", path.display()))?;
    let lines = Line::all(&text);
    let exchanges = exchanges(&lines, chunks, path)?;
    Ok(exchanged(&lines, &exchanges))
}

/// A line of the file.
#[derive(Debug, Clone, Copy)]
struct Line<'a> {
    text: &'a str,
    /// Its end; empty for a last line without one.
    end: &'static str,
}

impl<'a> Line<'a> {
    fn all(text: &'a str) -> Vec<Self> {
        text.split_inclusive('\n')
            .map(|line| match (line.strip_suffix("\r\n"), line.strip_suffix('\n')) {
                (Some(text), _) => Self { text, end: "\r\n" },
                (None, Some(text)) => Self { text, end: "\n" },
                (None, None) => Self { text: line, end: "" },
            })
            .collect()
    }
}

/// Lines that go and lines that come.
struct Exchange<'a> {
    first: usize,
    n_lines: usize,
    lines: &'a [String],
}

fn exchanges<'a>(lines: &[Line<'_>], chunks: &'a [Chunk], path: &Path) -> Result<Vec<Exchange<'a>>, String> {
    let (mut exchanges, mut from) = (Vec::new(), 0);
    for chunk in chunks {
        if let Some(anchor) = &chunk.anchor {
            let found = find(lines, std::slice::from_ref(anchor), from);
            let row = found.ok_or_else(|| format!("Failed to find context '{anchor}' in {}", path.display()))?;
            from = row + 1;
        }
        if chunk.old.is_empty() {
            // At the end, but in front of a blank last line.
            let has_blank_end = lines.last().is_some_and(|line| line.text.is_empty());
            let first = lines.len() - usize::from(has_blank_end);
            exchanges.push(Exchange { first, n_lines: 0, lines: &chunk.new });
            continue;
        }
        let start = |old: &[String]| match chunk.is_at_end && lines.len() >= old.len() {
            true => lines.len() - old.len(),
            false => from,
        };
        let (mut old, mut new) = (chunk.old.as_slice(), chunk.new.as_slice());
        let mut found = find(lines, old, start(old));
        if let (None, Some((last, rest))) = (found, old.split_last())
            && last.is_empty()
        {
            // An empty last line may stand for the final line end.
            old = rest;
            new = new.split_last().filter(|(last, _)| last.is_empty()).map_or(new, |(_, rest)| rest);
            found = if old.is_empty() { Some(from) } else { find(lines, old, start(old)) };
        }
        let missed = || format!("Failed to find expected lines in {}:\n{}", path.display(), chunk.old.join("\n"));
        let first = found.ok_or_else(missed)?;
        exchanges.push(Exchange { first, n_lines: old.len(), lines: new });
        from = first + old.len();
    }
    exchanges.sort_by_key(|exchange| exchange.first);
    Ok(exchanges)
}

/// Finds lines at or below `from`: each way of comparing is tried on the whole rest before the next.
fn find(lines: &[Line<'_>], wanted: &[String], from: usize) -> Option<usize> {
    let ways: [fn(&str, &str) -> bool; 4] = [
        |a, b| a == b,
        |a, b| a.trim_end() == b.trim_end(),
        |a, b| a.trim() == b.trim(),
        |a, b| look_alike(a) == look_alike(b),
    ];
    let last = lines.len().checked_sub(wanted.len())?;
    ways.iter().find_map(|is_same| {
        (from..=last).find(|first| wanted.iter().zip(&lines[*first..]).all(|(wanted, line)| is_same(line.text, wanted)))
    })
}

/// Writes characters that look alike as the plain one, as the format's program lists them.
fn look_alike(line: &str) -> String {
    let plain = |c| match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    };
    line.trim().chars().map(plain).collect()
}

fn exchanged(lines: &[Line<'_>], exchanges: &[Exchange<'_>]) -> String {
    // New lines end as the first line of the file does.
    let usual = lines.first().map(|line| line.end).filter(|end| !end.is_empty()).unwrap_or("\n");
    let mut out = String::new();
    let mut push = |text: &str, end: &str| {
        out.push_str(text);
        out.push_str(if end.is_empty() { usual } else { end });
    };
    let mut at = 0;
    for exchange in exchanges {
        let end = (exchange.first + exchange.n_lines).max(at).min(lines.len());
        for line in &lines[at..exchange.first.clamp(at, lines.len())] {
            push(line.text, line.end);
        }
        let old: Vec<&str> = lines[exchange.first.clamp(at, lines.len())..end].iter().map(|line| line.text).collect();
        let new: Vec<&str> = exchange.lines.iter().map(String::as_str).collect();
        for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
            for (offset, row) in op.new_range().enumerate() {
                // A line that stays keeps its own end.
                let is_kept = op.tag() == DiffTag::Equal;
                let kept = lines.get(exchange.first + op.old_range().start + offset).filter(|_| is_kept);
                push(new[row], kept.map_or(usual, |line| line.end));
            }
        }
        at = end;
    }
    for line in &lines[at..] {
        push(line.text, line.end);
    }
    out
}
