//! How are the names a file defines and uses kept in few bytes?
//!
//! All of one file in one value: what it defines, and each name it uses once, with the places. A row for each would double
//! the size of the database and the time to write it. A name is its length and its bytes, so that it can be looked for
//! without unpacking.

use memchr::memmem;

use crate::index::language::{Kind, Use};
use crate::index::syntax::{Definition, Import, Reference};

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

/// Packs references, sorted by name.
pub fn pack_references(references: &[Reference]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for same in references.chunk_by(|a, b| a.name == b.name) {
        put_text(&mut bytes, &same[0].name);
        put(&mut bytes, same.len() as u64);
        for reference in same {
            let within = reference.within.map_or(0, |within| u64::from(within) + 1);
            // There are fewer than four ways to use a name.
            put(&mut bytes, within << 2 | u64::from(reference.how.number() & 3));
            put(&mut bytes, u64::from(reference.line));
        }
    }
    bytes
}

/// Unpacks references; stops at what it cannot read.
pub fn unpack_references(bytes: &[u8]) -> Vec<Reference> {
    let mut rest = bytes;
    let mut found = Vec::new();
    while let Some((name, n)) = take_text(&mut rest).and_then(|name| Some((name, take(&mut rest)?))) {
        for _ in 0..n {
            let Some(reference) = one(&mut rest, name) else { return found };
            found.push(reference);
        }
    }
    found
}

fn one(rest: &mut &[u8], name: &str) -> Option<Reference> {
    let both = take(rest)?;
    let within = (both >> 2).checked_sub(1).and_then(|within| u32::try_from(within).ok());
    let how = Use::of_number(both & 3)?;
    Some(Reference { name: name.to_owned(), within, how, line: u32::try_from(take(rest)?).ok()? })
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
        let references =
            vec![reference("a", None, 1), reference("a", Some(0), 300), reference("größe", Some(70_000), 5)];
        let packed = pack_references(&references);
        assert_eq!(unpack_references(&packed), references);
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
        let imports = vec![Import { text: "use a::b".to_owned(), line: 3 }];
        assert_eq!(unpack_imports(&pack_imports(&imports)), imports);
        for n in 0..packed.len() {
            assert!(unpack_references(&packed[..n]).len() <= 3);
        }
        assert!(unpack_references(&[0xff; 40]).is_empty());
    }
}
