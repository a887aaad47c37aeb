//! How are the names a file defines and uses kept in few bytes?
//!
//! All of one file in one value: what it defines, and each name it uses once, with the places. A row for each would double
//! the size of the database and the time to write it. A name is its length and its bytes, so that it can be looked for
//! without unpacking.

use memchr::memmem;

use crate::index::language::{Kind, Use};
use crate::index::syntax::{Definition, Import, Reference, Symbols};

/// What a document says about names, as it is kept. Made by whoever reads the file: a name is a piece of memory of its own,
/// and to free those in the one thread that writes would keep it from writing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Packed {
    /// What it defines.
    pub definitions: Vec<u8>,
    /// What it uses.
    pub references: Vec<u8>,
    /// What it brings in.
    pub imports: Vec<u8>,
    /// What each name it defines is looked up by, in order, each once.
    pub folded: Vec<u32>,
    /// How many definitions have a name.
    pub n_definitions: u64,
}

impl Packed {
    /// Packs all of a document.
    pub fn of(symbols: &Symbols) -> Self {
        let named = symbols.definitions.iter().filter(|found| !found.name.is_empty());
        let mut all: Vec<u32> = named.map(|found| folded(&found.name)).collect();
        let n_definitions = all.len() as u64;
        all.sort_unstable();
        all.dedup();
        Self {
            definitions: pack_definitions(&symbols.definitions),
            references: pack_references(&symbols.references, &symbols.definitions),
            imports: pack_imports(&symbols.imports),
            folded: all,
            n_definitions,
        }
    }

    /// Says whether there is nothing to keep.
    pub fn is_empty(&self) -> bool {
        self.definitions.is_empty() && self.references.is_empty() && self.imports.is_empty()
    }
}

/// Returns what a name is looked up by: equal for names that differ in case alone. Few others share it; the name decides.
pub fn folded(name: &str) -> u32 {
    // FNV-1a of 32 bits.
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    // The highest 23 bits: SQLite keeps such a number in three bytes.
    name.to_lowercase().bytes().fold(0x811c_9dc5, step) >> 9
}

/// Packs definitions; one without a name keeps its place, because others refer to it by its number.
pub fn pack_definitions(definitions: &[Definition]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0;
    for (at, found) in definitions.iter().enumerate() {
        put_text(&mut bytes, &found.name);
        put(&mut bytes, u64::from(found.kind.number()));
        // In the order of the text, so the differences are small; wrapping, should one not be.
        put(&mut bytes, u64::from(found.line.wrapping_sub(before)));
        put(&mut bytes, u64::from(found.end_line.wrapping_sub(found.line)));
        // What contains stands before what it contains.
        put(&mut bytes, found.parent.map_or(0, |parent| (at as u64).saturating_sub(u64::from(parent))));
        before = found.line;
    }
    bytes
}

/// Unpacks definitions; stops at what it cannot read.
pub fn unpack_definitions(bytes: &[u8]) -> Vec<Definition> {
    let mut rest = bytes;
    let (mut found, mut before) = (Vec::new(), 0);
    while let Some(definition) = one_definition(&mut rest, found.len() as u64, before) {
        before = definition.line;
        found.push(definition);
    }
    found
}

fn one_definition(rest: &mut &[u8], at: u64, before: u32) -> Option<Definition> {
    let name = take_text(rest)?.to_owned();
    let kind = Kind::of_number(take(rest)?)?;
    let line = before.wrapping_add(take(rest)? as u32);
    let end_line = line.wrapping_add(take(rest)? as u32);
    let up = take(rest)?;
    let parent = at.checked_sub(up).filter(|_| up > 0).map(|parent| parent as u32);
    Some(Definition { name, kind, line, end_line, parent })
}

/// Packs references, sorted by name and within it by definition. A line is counted from that of the definition it stands in,
/// a definition from the one before: nearly all of both take one byte.
pub fn pack_references(references: &[Reference], definitions: &[Definition]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for same in references.chunk_by(|a, b| a.name == b.name) {
        put_text(&mut bytes, &same[0].name);
        let mut before = 0;
        for (at, reference) in same.iter().enumerate() {
            let within = number_within(reference.within);
            let further = u64::from(within.wrapping_sub(before));
            let has_more = u64::from(at + 1 < same.len());
            // There are fewer than four ways to use a name.
            put(&mut bytes, further << 3 | u64::from(reference.how.number() & 3) << 1 | has_more);
            let line =
                within.checked_sub(1).and_then(|at| definitions.get(at as usize)).map_or(0, |around| around.line);
            put(&mut bytes, u64::from(reference.line.wrapping_sub(line)));
            before = within;
        }
    }
    bytes
}

/// The number of a definition from 1; 0 is none.
fn number_within(within: Option<u32>) -> u32 {
    within.map_or(0, |within| within.saturating_add(1))
}

/// Unpacks references, given the definitions of the same document as they are packed; stops at what it cannot read.
pub fn unpack_references(bytes: &[u8], definitions: &[u8]) -> Vec<Reference> {
    let lines: Vec<u32> = unpack_definitions(definitions).iter().map(|found| found.line).collect();
    let mut rest = bytes;
    let mut found = Vec::new();
    while let Some(name) = take_text(&mut rest) {
        let mut within = 0;
        loop {
            let Some((reference, has_more)) = one(&mut rest, name, &mut within, &lines) else { return found };
            found.push(reference);
            if !has_more {
                break;
            }
        }
    }
    found
}

fn one(rest: &mut &[u8], name: &str, within: &mut u32, lines: &[u32]) -> Option<(Reference, bool)> {
    let all = take(rest)?;
    let how = Use::of_number(all >> 1 & 3)?;
    *within = within.wrapping_add((all >> 3) as u32);
    let around = within.checked_sub(1);
    let line = around.and_then(|at| lines.get(at as usize)).copied().unwrap_or_default();
    let line = line.wrapping_add(u32::try_from(take(rest)?).ok()?);
    Some((Reference { name: name.to_owned(), within: around, how, line }, all & 1 == 1))
}

/// Returns the bytes by which a packed value that holds a name is found; few others hold them by chance.
pub fn needle(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    put_text(&mut bytes, name);
    bytes
}

/// Packs imports.
pub fn pack_imports(imports: &[Import]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for import in imports {
        put_text(&mut bytes, &import.text);
        put(&mut bytes, u64::from(import.line));
    }
    bytes
}

/// Unpacks imports; stops at what it cannot read.
pub fn unpack_imports(bytes: &[u8]) -> Vec<Import> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while let Some(text) = take_text(&mut rest) {
        let Some(line) = take(&mut rest).and_then(|line| u32::try_from(line).ok()) else { break };
        found.push(Import { text: text.to_owned(), line });
    }
    found
}

/// Seven bits a byte, the lowest first; the eighth says that more follow.
fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Says whether a name in packed definitions can hold a text in small letters, without unpacking them.
pub fn may_hold(packed: &[u8], wanted: &str) -> bool {
    // Letters beyond ASCII have small forms of other lengths.
    !wanted.is_ascii() || memmem::find(&packed.to_ascii_lowercase(), wanted.as_bytes()).is_some()
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn take_text<'b>(rest: &mut &'b [u8]) -> Option<&'b str> {
    let n = usize::try_from(take(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(n)?;
    *rest = after;
    std::str::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_name_is_found_in_the_packed_form_whatever_its_case() {
        let definition =
            |name: &str| Definition { name: name.to_owned(), kind: Kind::Function, line: 1, end_line: 2, parent: None };
        let packed = pack_definitions(&[definition("HttpClient"), definition("größe")]);
        let table = [("httpc", true), ("client", true), ("tpx", false), ("GRÖSSE", true), ("", true)];
        for (wanted, expected) in table {
            assert_eq!(may_hold(&packed, wanted), expected, "{wanted}");
        }
    }

    #[test]
    fn what_is_packed_comes_back_and_rubbish_does_no_harm() {
        let reference = |name: &str, within, line| Reference { name: name.to_owned(), within, how: Use::Call, line };
        let definition = |name: &str, line, end_line, parent| Definition {
            name: name.to_owned(),
            kind: Kind::Method,
            line,
            end_line,
            parent,
        };
        let definitions = vec![
            definition("A", 3, 70_000, None),
            definition("", 3, 9, Some(0)),
            definition("größe", 400, 400, Some(0)),
            definition("b", 1, 1, Some(2)),
        ];
        let packed_definitions = pack_definitions(&definitions);
        assert_eq!(unpack_definitions(&packed_definitions), definitions);
        for n in 0..packed_definitions.len() {
            assert!(unpack_definitions(&packed_definitions[..n]).len() <= 3);
        }
        assert!(unpack_definitions(&[0xff; 40]).is_empty());
        let references = vec![
            reference("a", None, 1),
            reference("a", Some(0), 300),
            reference("a", Some(0), 2),
            reference("größe", Some(70_000), 5),
            reference("größe", Some(2), u32::MAX),
        ];
        let packed = pack_references(&references, &definitions);
        assert_eq!(unpack_references(&packed, &packed_definitions), references);
        let imports = vec![Import { text: "use a::b".to_owned(), line: 3 }];
        assert_eq!(unpack_imports(&pack_imports(&imports)), imports);
        for n in 0..packed.len() {
            assert!(unpack_references(&packed[..n], &packed_definitions).len() <= 4);
        }
        assert!(unpack_references(&[0xff; 40], &[0xff; 40]).is_empty());
    }
}
