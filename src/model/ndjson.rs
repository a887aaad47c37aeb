//! How do the bytes of a stream of JSON lines become lines, wherever the network cut them?
//!
//! Ollama's native streams are one JSON document per line. Any split of the same bytes gives the same lines; a carriage
//! return before the line end, empty lines and a byte order mark are dropped, bytes that are not UTF-8 are replaced. Knows
//! nothing of what the lines say, does no I/O.

use std::borrow::Cow;

use crate::model::sse::{EventTooLong, MAX_EVENT_BYTES};

/// Turns bytes into lines.
#[derive(Debug)]
pub struct Lines {
    limit_bytes: usize,
    /// The line begun but not ended by what was fed so far.
    partial: Vec<u8>,
    is_first: bool,
    is_dead: bool,
}

impl Default for Lines {
    fn default() -> Self {
        Self::with_limit(MAX_EVENT_BYTES)
    }
}

impl Lines {
    /// Builds a reader that refuses lines longer than `limit_bytes`.
    pub fn with_limit(limit_bytes: usize) -> Self {
        Self { limit_bytes, partial: Vec::new(), is_first: true, is_dead: false }
    }

    /// Reads `bytes` and hands every line they complete to `on_line`.
    ///
    /// After an error all further bytes are refused with the same error.
    pub fn feed(&mut self, mut bytes: &[u8], mut on_line: impl FnMut(Cow<'_, str>)) -> Result<(), EventTooLong> {
        self.check(0)?;
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            // Most lines arrive whole and are read where they lie; only a line cut by the network is copied.
            if self.partial.is_empty() {
                self.line(&bytes[..end], &mut on_line)?;
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(&bytes[..end]);
                self.line(&line, &mut on_line)?;
                line.clear();
                self.partial = line;
            }
            bytes = &bytes[end + 1..];
        }
        self.partial.extend_from_slice(bytes);
        self.check(self.partial.len())
    }

    /// Delivers the last line when it has no line end.
    pub fn finish(&mut self, mut on_line: impl FnMut(Cow<'_, str>)) -> Result<(), EventTooLong> {
        self.check(0)?;
        let line = std::mem::take(&mut self.partial);
        self.line(&line, &mut on_line)
    }

    fn line(&mut self, line: &[u8], on_line: &mut impl FnMut(Cow<'_, str>)) -> Result<(), EventTooLong> {
        self.check(line.len())?;
        let is_first = std::mem::take(&mut self.is_first);
        let line = if is_first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        let line = line.trim_ascii();
        if !line.is_empty() {
            on_line(String::from_utf8_lossy(line));
        }
        Ok(())
    }

    fn check(&mut self, length: usize) -> Result<(), EventTooLong> {
        self.is_dead |= length > self.limit_bytes;
        if self.is_dead { Err(EventTooLong { limit_bytes: self.limit_bytes }) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(pieces: &[&[u8]], limit_bytes: usize) -> Result<Vec<String>, EventTooLong> {
        let (mut lines, mut out) = (Lines::with_limit(limit_bytes), Vec::new());
        for piece in pieces {
            lines.feed(piece, |line| out.push(line.into_owned()))?;
        }
        lines.finish(|line| out.push(line.into_owned()))?;
        Ok(out)
    }

    #[test]
    fn lines_are_the_same_at_every_cut() {
        let table: [(&[u8], &[&str]); 6] = [
            (b"{\"a\":1}\n{\"b\":2}\n", &["{\"a\":1}", "{\"b\":2}"]),
            (b"\xef\xbb\xbf{}\r\n\r\n\n{\"last\":0}", &["{}", "{\"last\":0}"]),
            ("{\"x\":\"日本 – é\"}\n".as_bytes(), &["{\"x\":\"日本 – é\"}"]),
            (b"bad \xff\xfe bytes\n", &["bad \u{fffd}\u{fffd} bytes"]),
            (b"", &[]),
            (b"\n \r\n", &[]),
        ];
        for (bytes, expected) in table {
            assert_eq!(lines(&[bytes], 100).unwrap(), expected);
            for cut in 0..=bytes.len() {
                assert_eq!(lines(&[&bytes[..cut], &bytes[cut..]], 100).unwrap(), expected, "cut at {cut}");
            }
            assert_eq!(lines(&bytes.chunks(1).collect::<Vec<_>>(), 100).unwrap(), expected);
        }
    }

    #[test]
    fn a_line_without_end_is_refused_and_stays_refused() {
        let long = vec![b'x'; 50];
        for pieces in [vec![&long[..]], vec![&long[..], b"\n"], long.chunks(7).collect()] {
            assert_eq!(lines(&pieces, 49), Err(EventTooLong { limit_bytes: 49 }));
        }
        assert_eq!(lines(&[&long], 50).unwrap().len(), 1);
        let mut dead = Lines::with_limit(3);
        assert!(dead.feed(b"long", |_| {}).is_err());
        assert!(dead.feed(b"\n", |_| {}).is_err() && dead.finish(|_| {}).is_err());
    }
}
