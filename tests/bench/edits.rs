//! What does it cost to change a file safely, and to see a large change?

use std::time::Instant;

use mimi::base::pending::Pending;
use mimi::edit::diff::file_diff;
use mimi::edit::text_file::TextFile;
use mimi::edit::writer::Writer;

use crate::{Measured, Unit, spread};

const N_SAMPLES: usize = 40;
/// A long source file.
const N_BYTES: usize = 1_000_000;
/// A change of a whole project: files, and lines changed in all of them.
const N_FILES: usize = 5000;
const N_LINES: usize = 200_000;

fn text(n_lines: usize, word: &str) -> String {
    (0..n_lines).map(|n| format!("    let {word}_{n} = compute({n}, \"some text\");\n")).collect()
}

/// Measures changing one line of a file of 1 MB: read, compared, written beside it, synced, exchanged.
pub fn large_file() -> Result<Measured, String> {
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let path = folder.path().canonicalize().map_err(|error| error.to_string())?.join("f");
    let mut whole = text(N_BYTES / 44, "line");
    std::fs::write(&path, &whole).map_err(|error| error.to_string())?;
    let writer = Writer::new(Pending::new(folder.path().join("pending")));
    let (mut all, mut shown) = (Vec::new(), Vec::new());
    for n in 0..N_SAMPLES {
        let (old, new) = (format!("line_{} =", 7000 + n), format!("total_{n} ="));
        let next = whole.replacen(&old, &new, 1);
        let started = Instant::now();
        let file = TextFile::load(&path, "f").map_err(|error| error.to_string())?;
        writer.rewrite(&file, &next).map_err(|error| error.to_string())?;
        all.push(started.elapsed().as_secs_f64() * 1000.0);
        let started = Instant::now();
        let diff = file_diff("f", Some(&whole), Some(&next));
        shown.push(started.elapsed().as_secs_f64() * 1000.0);
        if diff.hunks.len() != 1 {
            return Err(format!("{} pieces instead of one", diff.hunks.len()));
        }
        whole = next;
    }
    let shown = spread(shown, Unit::Milliseconds)?;
    let own = spread(all, Unit::Milliseconds)?;
    Ok(Measured { detail: format!("{}; its diff {:.2} ms", own.detail, shown.value), value: own.value })
}

/// Measures the diffs of a change of a whole project, with every piece and every changed word.
pub fn large_change() -> Result<Measured, String> {
    let per_file = N_LINES / N_FILES / 2;
    let before = text(4 * per_file, "old");
    let after: String = before
        .lines()
        .enumerate()
        .map(|(n, line)| if n % 4 == 0 { line.replace("old", "new") + "\n" } else { format!("{line}\n") })
        .collect();
    let started = Instant::now();
    let mut n_lines = 0;
    for _ in 0..N_FILES {
        let diff = file_diff("f", Some(std::hint::black_box(&before)), Some(&after));
        n_lines += diff.added + diff.removed;
    }
    let value = started.elapsed().as_secs_f64() * 1000.0;
    if n_lines != N_LINES {
        return Err(format!("{n_lines} lines changed instead of {N_LINES}"));
    }
    Ok(Measured { value, detail: format!("{N_FILES} files, {n_lines} lines") })
}
