//! How does the V4A format's own program read a patch?
//!
//! With its words for what is wrong, and no more forgiving than it is.

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const ADD: &str = "*** Add File: ";
const DELETE: &str = "*** Delete File: ";
const UPDATE: &str = "*** Update File: ";
const MOVE_TO: &str = "*** Move to: ";
const END_OF_FILE: &str = "*** End of File";
const ENVIRONMENT: &str = "*** Environment ID: ";

/// One file of a patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Section {
    /// A new file.
    Add {
        /// Its path.
        path: String,
        /// Its content.
        content: String,
    },
    /// A file that goes.
    Delete {
        /// Its path.
        path: String,
    },
    /// A file that changes.
    Update {
        /// Its path.
        path: String,
        /// Its new path.
        to: Option<String>,
        /// What changes, from top to bottom.
        chunks: Vec<Chunk>,
    },
}

/// Lines that change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Chunk {
    /// A line above them.
    pub anchor: Option<String>,
    /// The lines that are there.
    pub old: Vec<String>,
    /// The lines that come instead.
    pub new: Vec<String>,
    /// Whether they end the file.
    pub is_at_end: bool,
}

/// Reads a patch.
///
/// # Errors
/// The words the format's program prints.
pub fn sections(patch: &str) -> Result<Vec<Section>, String> {
    let lines: Vec<&str> = patch.trim().split('\n').map(|line| line.trim_end_matches('\r')).collect();
    let mut rest = inner(&lines).map_err(|why| format!("Invalid patch: {why}"))?;
    let mut number = 2;
    if let Some(id) = rest.first().and_then(|line| line.trim_start().strip_prefix(ENVIRONMENT)) {
        if id.trim().is_empty() {
            return Err("Invalid patch: apply_patch environment_id cannot be empty".to_owned());
        }
        (rest, number) = (&rest[1..], 3);
    }
    let mut sections = Vec::new();
    while !rest.is_empty() {
        let (section, n_read) = section(rest, number)?;
        sections.push(section);
        number += n_read;
        rest = &rest[n_read..];
    }
    Ok(sections)
}

/// Returns the lines between the markers, which may stand in a here-document.
fn inner<'a, 'b>(lines: &'b [&'a str]) -> Result<&'b [&'a str], String> {
    let error = match between(lines) {
        Ok(inner) => return Ok(inner),
        Err(error) => error,
    };
    match lines {
        ["<<EOF" | "<<'EOF'" | "<<\"EOF\"", middle @ .., last] if last.ends_with("EOF") && middle.len() >= 2 => {
            between(middle)
        }
        _ => Err(error),
    }
}

fn between<'a, 'b>(lines: &'b [&'a str]) -> Result<&'b [&'a str], String> {
    match lines {
        [first, ..] if first.trim() != BEGIN => Err(format!("The first line of the patch must be '{BEGIN}'")),
        [_, inner @ .., last] if last.trim() == END => Ok(inner),
        _ => Err(format!("The last line of the patch must be '{END}'")),
    }
}

fn invalid(number: usize, why: &str) -> String {
    format!("Invalid patch hunk on line {number}: {why}")
}

/// Reads the section that `lines` begin with, and says how many of them it takes.
fn section(lines: &[&str], number: usize) -> Result<(Section, usize), String> {
    let head = lines.first().map_or("", |line| line.trim());
    if let Some(path) = head.strip_prefix(ADD) {
        let added: Vec<&str> = lines[1..].iter().map_while(|line| line.strip_prefix('+')).collect();
        let content = added.iter().map(|line| format!("{line}\n")).collect();
        return Ok((Section::Add { path: path.to_owned(), content }, added.len() + 1));
    }
    if let Some(path) = head.strip_prefix(DELETE) {
        return Ok((Section::Delete { path: path.to_owned() }, 1));
    }
    match head.strip_prefix(UPDATE) {
        Some(path) => update(lines, path, number),
        None => Err(invalid(
            number,
            &format!(
                "'{head}' is not a valid hunk header. Valid hunk headers: '*** Add File: {{path}}', '*** Delete File: {{path}}', '*** Update File: {{path}}'"
            ),
        )),
    }
}

fn update(lines: &[&str], path: &str, number: usize) -> Result<(Section, usize), String> {
    let to = lines.get(1).and_then(|line| line.strip_prefix(MOVE_TO)).map(str::to_owned);
    let mut at = if to.is_some() { 2 } else { 1 };
    let mut chunks = Vec::new();
    while let Some(line) = lines.get(at) {
        if line.trim().is_empty() {
            at += 1;
        } else if line.starts_with('*') {
            break;
        } else {
            let (chunk, n_read) = chunk(&lines[at..], number + at, chunks.is_empty())?;
            chunks.push(chunk);
            at += n_read;
        }
    }
    match chunks.is_empty() {
        true => Err(invalid(number, &format!("Update file hunk for path '{path}' is empty"))),
        false => Ok((Section::Update { path: path.to_owned(), to, chunks }, at)),
    }
}

/// Reads a chunk; only the first of a section may begin without `@@`.
fn chunk(lines: &[&str], number: usize, is_first: bool) -> Result<(Chunk, usize), String> {
    let head = lines.first().copied().unwrap_or_default();
    let (anchor, mut at) = match head.strip_prefix("@@ ") {
        _ if head == "@@" => (None, 1),
        Some(anchor) => (Some(anchor.to_owned()), 1),
        None if is_first => (None, 0),
        None => {
            let why = format!("Expected update hunk to start with a @@ context marker, got: '{head}'");
            return Err(invalid(number, &why));
        }
    };
    let first = at;
    let empty = || invalid(number + 1, "Update hunk does not contain any lines");
    let mut chunk = Chunk { anchor, ..Chunk::default() };
    if at >= lines.len() {
        return Err(empty());
    }
    while let Some(line) = lines.get(at) {
        if *line == END_OF_FILE {
            if at == first {
                return Err(empty());
            }
            chunk.is_at_end = true;
            at += 1;
            break;
        }
        let rest = || line[1..].to_owned();
        match line.chars().next() {
            None => {
                chunk.old.push(String::new());
                chunk.new.push(String::new());
            }
            Some(' ') => {
                chunk.old.push(rest());
                chunk.new.push(rest());
            }
            Some('+') => chunk.new.push(rest()),
            Some('-') => chunk.old.push(rest()),
            Some(_) if at == first => {
                let why = format!(
                    "Unexpected line found in update hunk: '{line}'. Every line should start with ' ' (context line), '+' (added line), or '-' (removed line)"
                );
                return Err(invalid(number + 1, &why));
            }
            Some(_) => break,
        }
        at += 1;
    }
    Ok((chunk, at))
}
