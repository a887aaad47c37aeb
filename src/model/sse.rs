//! How do the bytes of an event stream become events, wherever the network cut them?
//!
//! Follows the event-stream grammar of the WHATWG HTML standard, section 9.2.6, and is lenient where servers are: any
//! line end, comments, several `data:` lines, no space after the colon, a byte order mark. Knows nothing of JSON or
//! models, does no I/O. An event that lacks its closing blank line is still delivered by [`Decoder::finish`], because
//! some servers close the connection right after their last line.

use std::borrow::Cow;

/// Longest line and longest event taken, in bytes. Far above any honest answer piece, far below what hurts.
pub const MAX_EVENT_BYTES: usize = 16 * 1024 * 1024;

/// One event of the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// The name given by `event:`; empty when there was none.
    pub name: Cow<'a, str>,
    /// The `data:` lines joined by newlines. Bytes that are not UTF-8 are replaced.
    pub data: Cow<'a, str>,
    /// Whether none of the data had to be replaced.
    pub is_utf8: bool,
}

/// A line or an event is longer than the decoder's limit; nothing more can be read from the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a piece of it is longer than {limit_bytes} bytes")]
pub struct EventTooLong {
    /// The limit.
    pub limit_bytes: usize,
}

/// Turns bytes into events. Any split of the same bytes gives the same events.
#[derive(Debug)]
pub struct Decoder {
    limit_bytes: usize,
    /// The line begun but not ended by what was fed so far.
    partial: Vec<u8>,
    name: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    /// The last byte was a carriage return, so that a line feed coming next belongs to it.
    after_return: bool,
    is_first_line: bool,
    is_dead: bool,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::with_limit(MAX_EVENT_BYTES)
    }
}

impl Decoder {
    /// Builds a decoder that refuses lines and events longer than `limit_bytes`.
    pub fn with_limit(limit_bytes: usize) -> Self {
        Self {
            limit_bytes,
            partial: Vec::new(),
            name: Vec::new(),
            data: Vec::new(),
            has_data: false,
            after_return: false,
            is_first_line: true,
            is_dead: false,
        }
    }

    /// Reads `bytes` and hands every event they complete to `on_event`.
    ///
    /// After an error all further bytes are refused with the same error.
    pub fn feed(&mut self, mut bytes: &[u8], mut on_event: impl FnMut(Event<'_>)) -> Result<(), EventTooLong> {
        self.check(!self.is_dead)?;
        while !bytes.is_empty() {
            if std::mem::take(&mut self.after_return) && bytes[0] == b'\n' {
                bytes = &bytes[1..];
                continue;
            }
            let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
                self.partial.extend_from_slice(bytes);
                return self.check(self.partial.len() <= self.limit_bytes);
            };
            self.after_return = bytes[end] == b'\r';
            // Most lines arrive whole and are read where they lie; only a line cut by the network is copied.
            if self.partial.is_empty() {
                self.line(&bytes[..end], &mut on_event)?;
            } else {
                let mut line = std::mem::take(&mut self.partial);
                line.extend_from_slice(&bytes[..end]);
                self.line(&line, &mut on_event)?;
                line.clear();
                self.partial = line;
            }
            bytes = &bytes[end + 1..];
        }
        Ok(())
    }

    /// Delivers what the end of the stream left without a closing blank line.
    pub fn finish(&mut self, mut on_event: impl FnMut(Event<'_>)) -> Result<(), EventTooLong> {
        self.check(!self.is_dead)?;
        let line = std::mem::take(&mut self.partial);
        if !line.is_empty() {
            self.line(&line, &mut on_event)?;
        }
        self.dispatch(&mut on_event);
        Ok(())
    }

    fn line(&mut self, line: &[u8], on_event: &mut impl FnMut(Event<'_>)) -> Result<(), EventTooLong> {
        self.check(line.len() <= self.limit_bytes)?;
        let is_first = std::mem::take(&mut self.is_first_line);
        let line = if is_first { line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line) } else { line };
        if line.is_empty() {
            self.dispatch(on_event);
            return Ok(());
        }
        let colon = line.iter().position(|&byte| byte == b':');
        let (field, value) = colon.map_or((line, &[][..]), |at| (&line[..at], &line[at + 1..]));
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => self.add_data(value)?,
            b"event" => self.name = value.to_vec(),
            // Comments (nothing before the colon), `id`, `retry` and fields nobody defined.
            _ => {}
        }
        Ok(())
    }

    fn add_data(&mut self, value: &[u8]) -> Result<(), EventTooLong> {
        if self.has_data {
            self.data.push(b'\n');
        }
        self.has_data = true;
        self.data.extend_from_slice(value);
        self.check(self.data.len() <= self.limit_bytes)
    }

    fn dispatch(&mut self, on_event: &mut impl FnMut(Event<'_>)) {
        if self.has_data {
            let data = String::from_utf8_lossy(&self.data);
            let is_utf8 = matches!(data, Cow::Borrowed(_));
            on_event(Event { name: String::from_utf8_lossy(&self.name), data, is_utf8 });
        }
        self.has_data = false;
        self.data.clear();
        self.name.clear();
    }

    fn check(&mut self, is_fine: bool) -> Result<(), EventTooLong> {
        self.is_dead |= !is_fine;
        if self.is_dead { Err(EventTooLong { limit_bytes: self.limit_bytes }) } else { Ok(()) }
    }
}

#[cfg(test)]
#[path = "sse_tests.rs"]
mod tests;
