//! How are the names a file uses kept in few bytes?
//!
//! All of one file in one value: each name once, with the places where it is used. A row for each would double the size of
//! the database and the time to write it. Who uses a name is found by the words of pieces first.

use crate::index::language::Use;
use crate::index::syntax::{Import, Reference};

/// Packs references, sorted by name.
pub fn pack_references(references: &[Reference]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for same in references.chunk_by(|a, b| a.name == b.name) {
        put_text(&mut bytes, &same[0].name);
        put(&mut bytes, same.len() as u64);
        for reference in same {
            put(&mut bytes, reference.within.map_or(0, |within| u64::from(within) + 1));
            put(&mut bytes, u64::from(reference.how.number()));
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
    let within = take(rest)?.checked_sub(1).and_then(|within| u32::try_from(within).ok());
    let how = Use::of_number(take(rest)?)?;
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
    fn what_is_packed_comes_back_and_rubbish_does_no_harm() {
        let reference = |name: &str, within, line| Reference { name: name.to_owned(), within, how: Use::Call, line };
        let references =
            vec![reference("a", None, 1), reference("a", Some(0), 300), reference("größe", Some(70_000), 5)];
        let packed = pack_references(&references);
        assert_eq!(unpack_references(&packed), references);
        let imports = vec![Import { text: "use a::b".to_owned(), line: 3 }];
        assert_eq!(unpack_imports(&pack_imports(&imports)), imports);
        for n in 0..packed.len() {
            assert!(unpack_references(&packed[..n]).len() <= 3);
        }
        assert!(unpack_references(&[0xff; 40]).is_empty());
    }
}
