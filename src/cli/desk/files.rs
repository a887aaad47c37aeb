//! What is in a file that is looked at?
//!
//! At most so much of it that the screen stays quick; what is no text is named, not shown.

use std::io::Read as _;
use std::path::Path;

use crate::base::fault::{Fault, Kind};
use crate::base::path::{open_regular, resolve};
use crate::base::text::{clip_line, size};
use crate::cli::paint::SKILLS;
use crate::edit::encoding::{binary_kind, decode};
use crate::tui::look::Look;
use crate::tui::state::around::Told;
use crate::tui::state::around::viewer::Viewer;

/// Bytes of a file that are read.
const MAX_BYTES: u64 = 4 << 20;
/// Bytes of one line that are shown.
const MAX_LINE_BYTES: usize = 4096;
/// Bytes looked at to tell text from anything else.
const HEAD_BYTES: usize = 8192;

/// Opens a file of the project, or one named in full.
pub(super) fn opened(root: &Path, path: &str, line: Option<usize>) -> Result<Told, Fault> {
    let place = resolve(root, Path::new(path));
    let name = place.display();
    let failed = |error: &std::io::Error| Fault::io(Kind::Usage, format!("cannot look at `{name}`"), error);
    if place.absolute.is_dir() {
        return Err(Fault::new(Kind::Usage, format!("`{name}` is a folder")));
    }
    let (file, meta) = open_regular(&place.absolute).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    let mut viewer = Viewer { title: name.clone(), is_numbered: true, ..Viewer::default() };
    if let Some(kind) = binary_kind(&bytes[..bytes.len().min(HEAD_BYTES)]) {
        let text = format!("{kind}, {}", size(meta.len()));
        viewer.lines = vec![vec![(Look::Dim, text)]];
        viewer.is_numbered = false;
        return Ok(Told::File(Box::new(viewer)));
    }
    if meta.len() > MAX_BYTES {
        viewer.note = format!("the first {} of {}", size(MAX_BYTES), size(meta.len()));
    }
    let text = decode(&bytes).text;
    let lines: Vec<_> = text.lines().map(|line| clip_line(line, MAX_LINE_BYTES)).collect();
    viewer.lines = if lines.is_empty() { Vec::new() } else { (SKILLS.code)(&name, &lines.join("\n")) };
    viewer.at = line.unwrap_or(1).saturating_sub(1).min(viewer.lines.len().saturating_sub(1));
    Ok(Told::File(Box::new(viewer)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn viewer(root: &Path, path: &str, line: Option<usize>) -> Result<Viewer, String> {
        match opened(root, path, line) {
            Ok(Told::File(viewer)) => Ok(*viewer),
            Ok(other) => panic!("{other:?}"),
            Err(fault) => Err(fault.words()),
        }
    }

    #[test]
    fn a_file_is_opened_at_its_line_and_what_is_no_text_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::write(root.join("a.txt"), "one\ntwo\nthree\n").unwrap();
        std::fs::write(root.join("a.png"), b"\x89PNG\r\n\x1a\n....").unwrap();
        std::fs::write(root.join("a.rs"), "fn main() {\n    // words\n}\n").unwrap();
        std::fs::write(root.join("long.txt"), "x".repeat(100_000)).unwrap();
        assert_eq!(viewer(root, "a.txt", Some(2)).unwrap().words(1), "two");
        assert_eq!(viewer(root, "a.txt", Some(2)).unwrap().at, 1);
        assert_eq!(viewer(root, "a.txt", Some(99)).unwrap().at, 2);
        assert!(viewer(root, "a.png", None).unwrap().words(0).starts_with("a PNG image"));
        assert!(viewer(root, "long.txt", None).unwrap().words(0).len() < 5000);
        let code = viewer(root, "a.rs", None).unwrap();
        assert_eq!((code.lines.len(), code.words(1).as_str()), (3, "    // words"));
        assert!(code.lines[0].len() > 1, "it is coloured: {:?}", code.lines[0]);
        assert!(viewer(root, "none.txt", None).unwrap_err().contains("none.txt"));
        assert!(viewer(root, ".", None).unwrap_err().contains("is a folder"));
    }
}
