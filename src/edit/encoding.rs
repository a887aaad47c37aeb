//! What do these bytes say, and how is text written back in the same encoding?
//!
//! UTF-8 with and without byte-order mark, UTF-16 with one, and Windows-1252 (a superset of Latin-1) for the rest, which
//! gives every byte a character and so loses nothing even when the guess is wrong.

use std::borrow::Cow;
use std::string::FromUtf8Error;

use encoding_rs::WINDOWS_1252;

/// Bytes at the start of a file that are looked at to tell text from binary.
pub const HEAD_BYTES: usize = 8192;

const UTF8_BOM: &[u8] = b"\xef\xbb\xbf";
const UTF16_LE_BOM: &[u8] = b"\xff\xfe";
const UTF16_BE_BOM: &[u8] = b"\xfe\xff";

/// How the characters of a file are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8.
    Utf8,
    /// UTF-8 after a byte-order mark.
    Utf8Bom,
    /// UTF-16, low byte first, after a byte-order mark.
    Utf16Le,
    /// UTF-16, high byte first, after a byte-order mark.
    Utf16Be,
    /// One byte a character: what is left when it is nothing else.
    Latin1,
}

impl Encoding {
    /// Returns its name as shown to people and models.
    pub fn label(self) -> &'static str {
        match self {
            Self::Utf8 => "UTF-8",
            Self::Utf8Bom => "UTF-8 with byte-order mark",
            Self::Utf16Le => "UTF-16LE with byte-order mark",
            Self::Utf16Be => "UTF-16BE with byte-order mark",
            Self::Latin1 => "Latin-1 (Windows-1252)",
        }
    }
}

/// Text read from bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// The text without its byte-order mark.
    pub text: String,
    /// How it was stored.
    pub encoding: Encoding,
    /// Whether some bytes had no meaning and were replaced by U+FFFD.
    pub is_lossy: bool,
}

/// Reads text from bytes that nobody needs any more: what is plain UTF-8, as nearly all is, is not copied.
pub fn decode_owned(bytes: Vec<u8>) -> Decoded {
    let has_mark = [UTF8_BOM, UTF16_LE_BOM, UTF16_BE_BOM].iter().any(|mark| bytes.starts_with(mark));
    let read = if has_mark { Err(bytes) } else { String::from_utf8(bytes).map_err(FromUtf8Error::into_bytes) };
    match read {
        Ok(text) => Decoded { text, encoding: Encoding::Utf8, is_lossy: false },
        Err(bytes) => decode(&bytes),
    }
}

/// Reads text from bytes; every input has a reading.
pub fn decode(bytes: &[u8]) -> Decoded {
    if let Some(rest) = bytes.strip_prefix(UTF8_BOM) {
        return decode_utf8(rest, Encoding::Utf8Bom);
    }
    if let Some(rest) = bytes.strip_prefix(UTF16_LE_BOM) {
        return decode_utf16(rest, Encoding::Utf16Le);
    }
    if let Some(rest) = bytes.strip_prefix(UTF16_BE_BOM) {
        return decode_utf16(rest, Encoding::Utf16Be);
    }
    if std::str::from_utf8(bytes).is_ok() || is_mostly_utf8(bytes) {
        return decode_utf8(bytes, Encoding::Utf8);
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(bytes);
    Decoded { text: text.into_owned(), encoding: Encoding::Latin1, is_lossy: false }
}

fn decode_utf8(bytes: &[u8], encoding: Encoding) -> Decoded {
    // What is valid, and nearly all is, is checked quickly and copied once.
    if let Ok(text) = std::str::from_utf8(bytes) {
        return Decoded { text: text.to_owned(), encoding, is_lossy: false };
    }
    let text = String::from_utf8_lossy(bytes).into_owned();
    let is_lossy = text.as_bytes() != bytes;
    Decoded { text, encoding, is_lossy }
}

fn decode_utf16(bytes: &[u8], encoding: Encoding) -> Decoded {
    let (units, odd) = bytes.as_chunks::<2>();
    let unit = |pair: &[u8; 2]| match encoding {
        Encoding::Utf16Be => u16::from_be_bytes(*pair),
        _ => u16::from_le_bytes(*pair),
    };
    let mut is_lossy = !odd.is_empty();
    let text = char::decode_utf16(units.iter().map(unit))
        .map(|c| {
            c.unwrap_or_else(|_| {
                is_lossy = true;
                char::REPLACEMENT_CHARACTER
            })
        })
        .collect();
    Decoded { text, encoding, is_lossy }
}

/// Says whether broken bytes stand in what is otherwise UTF-8: a cut character, say, in a text full of whole ones.
fn is_mostly_utf8(bytes: &[u8]) -> bool {
    let (mut good, mut bad) = (0, 0);
    for chunk in bytes.utf8_chunks() {
        good += chunk.valid().chars().filter(|c| !c.is_ascii()).count();
        bad += usize::from(!chunk.invalid().is_empty());
    }
    good > bad
}

/// Writes `text` in `encoding`, byte-order mark included; the error is the first character the encoding lacks.
pub fn encode(text: &str, encoding: Encoding) -> Result<Cow<'_, [u8]>, char> {
    Ok(match encoding {
        Encoding::Utf8 => Cow::Borrowed(text.as_bytes()),
        Encoding::Utf8Bom => Cow::Owned([UTF8_BOM, text.as_bytes()].concat()),
        Encoding::Utf16Le => Cow::Owned(utf16_bytes(UTF16_LE_BOM, text, u16::to_le_bytes)),
        Encoding::Utf16Be => Cow::Owned(utf16_bytes(UTF16_BE_BOM, text, u16::to_be_bytes)),
        Encoding::Latin1 => {
            let (bytes, _, had_unmappable) = WINDOWS_1252.encode(text);
            if had_unmappable {
                return Err(first_unmappable(text));
            }
            bytes
        }
    })
}

fn utf16_bytes(bom: &[u8], text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mut bytes = bom.to_vec();
    bytes.extend(text.encode_utf16().flat_map(bytes_of));
    bytes
}

fn first_unmappable(text: &str) -> char {
    let is_unmappable = |c: &char| WINDOWS_1252.encode(c.encode_utf8(&mut [0; 4])).2;
    text.chars().find(is_unmappable).unwrap_or(char::REPLACEMENT_CHARACTER)
}

/// Says what a file is, with its article, when its first bytes are not text.
pub fn binary_kind(head: &[u8]) -> Option<&'static str> {
    let known = SIGNATURES.iter().find(|(signature, _)| head.starts_with(signature)).map(|row| row.1);
    if known.is_some() {
        return known;
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some("a WebP image");
    }
    // A UTF-32 mark starts like the UTF-16 one; nothing else of worth has a NUL as its first character.
    let is_utf16 = head.starts_with(UTF16_LE_BOM) || head.starts_with(UTF16_BE_BOM);
    if is_utf16 && head.get(2..4) != Some(&[0, 0]) {
        return None;
    }
    let is_control = |byte: &&u8| **byte < 0x20 && !matches!(**byte, b'\t' | b'\n' | b'\r' | 0x08 | 0x0c | 0x1b);
    let n_controls = head.iter().filter(is_control).count();
    // Stray control characters occur in text; one byte in twenty does not. A single NUL does not either (git's rule).
    (head.contains(&0) || n_controls * 20 > head.len()).then_some("binary data")
}

/// First bytes of formats whose name helps more than `binary data`.
const SIGNATURES: [(&[u8], &str); 19] = [
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM\0", "a BMP image"),
    (b"\0\0\x01\0", "an icon"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ\0", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"\x7fELF", "an ELF program or library"),
    (b"\xcf\xfa\xed\xfe", "a Mach-O program"),
    (b"\0asm", "a WebAssembly module"),
    (b"\xca\xfe\xba\xbe", "a Java class"),
    (b"!<arch>\n", "a static library"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"OggS", "an Ogg sound or film"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_survives_being_read_and_written() {
        let table: [(&[u8], &str, Encoding, bool); 9] = [
            (b"", "", Encoding::Utf8, false),
            ("grün\n".as_bytes(), "grün\n", Encoding::Utf8, false),
            (b"\xef\xbb\xbfa", "a", Encoding::Utf8Bom, false),
            (b"\xff\xfea\0\n\0", "a\n", Encoding::Utf16Le, false),
            (b"\xfe\xff\0a\xd8\x3d\xde\x00", "a\u{1f600}", Encoding::Utf16Be, false),
            (b"\xff\xfea\0\x00\xd8", "a\u{fffd}", Encoding::Utf16Le, true),
            (b"\xff\xfea\0b", "a", Encoding::Utf16Le, true),
            (b"gr\xfcn \x81", "grün \u{81}", Encoding::Latin1, false),
            (b"\xc3\xbc\xc3\xbc \xff", "üü \u{fffd}", Encoding::Utf8, true),
        ];
        for (bytes, text, encoding, is_lossy) in table {
            let decoded = decode(bytes);
            assert_eq!((decoded.text.as_str(), decoded.encoding, decoded.is_lossy), (text, encoding, is_lossy));
            if !is_lossy {
                assert_eq!(encode(text, encoding).as_deref(), Ok(bytes));
            }
        }
        assert_eq!(encode("ab\u{4e2d}", Encoding::Latin1), Err('\u{4e2d}'));
    }

    #[test]
    fn binary_is_told_from_text_by_its_head() {
        let table: [(&[u8], bool); 8] = [
            (b"", false),
            (b"plain\r\n\x1b[31mred", false),
            (b"\xff\xfea\0b\0", false),
            (b"\xff\xfe\0\0a\0\0\0", true),
            (b"nul\0", true),
            (b"\x89PNG\r\n\x1a\nrest", true),
            (b"%PDF-1.7\n", true),
            (b"\x01\x02\x03abc", true),
        ];
        for (head, expected) in table {
            assert_eq!(binary_kind(head).is_some(), expected, "{head:?}");
        }
    }
}
