//! What does a program ask of the proxy?
//!
//! Two languages: HTTP, by `CONNECT` or with a whole address in the first line, and SOCKS 5, where names are sent and not
//! resolved. Strict, since what is read one way here and another way at the other end is how proxies are fooled: what is
//! not exactly as it should be is refused. One request a connection; what goes on is written anew and names the host that
//! was judged. Does no I/O: bytes in, an answer out.

use std::fmt::Write as _;

use crate::exec::proxy::host::{Host, HostError, Target, plain};

/// Longest head of a request.
pub(crate) const MAX_HEAD_BYTES: usize = 32 * 1024;

/// Headers that are meant for us, that name a host, or that would keep the connection or change what it carries.
const DROPPED: [&str; 8] =
    ["host", "connection", "keep-alive", "proxy-connection", "proxy-authorization", "te", "trailer", "upgrade"];

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ask {
    /// A connection to the target; whatever is said on it.
    Connect(Target),
    /// One request of HTTP.
    Forward {
        /// Whom it is for.
        target: Target,
        /// The head as it is to be sent.
        head: Vec<u8>,
        /// Bytes of the body that follow.
        n_body: u64,
    },
}

impl Ask {
    /// Returns who is to be reached.
    pub(crate) fn target(&self) -> &Target {
        match self {
            Self::Connect(target) | Self::Forward { target, .. } => target,
        }
    }
}

/// How far the reading came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reading<T> {
    /// More bytes are needed.
    More,
    /// It is whole; this many bytes belong to it.
    Whole(T, usize),
}

/// Why a request is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    /// It is too long.
    #[error("the request is too long")]
    TooLong,
    /// Its first line is not one for a proxy.
    #[error("the first line is not one a proxy takes")]
    FirstLine,
    /// A header is no header.
    #[error("a header is malformed")]
    Header,
    /// Its body has no plain length.
    #[error("the length of the body is not given in one number")]
    Length,
    /// It names no host.
    #[error("{0}")]
    Host(#[from] HostError),
    /// It speaks another SOCKS, or asks for more than a connection.
    #[error("only connections by SOCKS 5 without a password are served")]
    Socks,
}

/// Reads a request of HTTP.
pub(crate) fn http(bytes: &[u8]) -> Result<Reading<Ask>, Malformed> {
    let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else {
        return if bytes.len() > MAX_HEAD_BYTES { Err(Malformed::TooLong) } else { Ok(Reading::More) };
    };
    if end > MAX_HEAD_BYTES {
        return Err(Malformed::TooLong);
    }
    let text = std::str::from_utf8(&bytes[..end]).map_err(|_| Malformed::Header)?;
    let mut lines = text.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let headers = lines.map(header).collect::<Result<Vec<_>, _>>()?;
    let ask = ask(first, &headers)?;
    Ok(Reading::Whole(ask, end + 4))
}

fn ask(first: &str, headers: &[(String, &str)]) -> Result<Ask, Malformed> {
    let words: Vec<&str> = first.split(' ').collect();
    let [method, address, version] = words.as_slice() else { return Err(Malformed::FirstLine) };
    let is_method = !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    let is_plain = address.bytes().all(|byte| byte.is_ascii_graphic());
    if !is_method || !is_plain || !["HTTP/1.1", "HTTP/1.0"].contains(version) {
        return Err(Malformed::FirstLine);
    }
    if *method == "CONNECT" {
        return Ok(Ask::Connect(Target::parse(address, None)?));
    }
    let (target, path) = absolute(address)?;
    let n_body = length(headers)?;
    let host = if target.port == 80 { without_port(&target) } else { target.to_string() };
    let mut head = format!("{method} {path} {version}\r\nHost: {host}\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| !DROPPED.contains(&name.as_str())) {
        // Writing to a string does not fail.
        let _ = write!(head, "{name}: {value}\r\n");
    }
    head.push_str("Connection: close\r\n\r\n");
    Ok(Ask::Forward { target, head: head.into_bytes(), n_body })
}

fn without_port(target: &Target) -> String {
    let text = target.to_string();
    text.rsplit_once(':').map_or(text.clone(), |(host, _)| host.to_owned())
}

/// Splits `http://HOST:PORT/PATH`; a user or a password in it is refused.
fn absolute(address: &str) -> Result<(Target, String), Malformed> {
    let scheme = address.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
    let rest = scheme.and(address.get(7..)).ok_or(Malformed::FirstLine)?;
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(at);
    if path.contains('#') {
        return Err(Malformed::FirstLine);
    }
    let slash = if path.starts_with('/') { "" } else { "/" };
    Ok((Target::parse(authority, Some(80))?, format!("{slash}{path}")))
}

/// Reads a header: its name in lower case, and its value without blanks around it.
fn header(line: &str) -> Result<(String, &str), Malformed> {
    let (name, value) = line.split_once(':').ok_or(Malformed::Header)?;
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    let is_text = |c: char| c == '\t' || !c.is_control();
    if name.is_empty() || !name.bytes().all(is_token) || !value.chars().all(is_text) {
        return Err(Malformed::Header);
    }
    Ok((name.to_ascii_lowercase(), value.trim_matches([' ', '\t'])))
}

/// Returns how long the body is. One of unknown length could hold a second request for somebody else.
fn length(headers: &[(String, &str)]) -> Result<u64, Malformed> {
    if headers.iter().any(|(name, _)| name == "transfer-encoding") {
        return Err(Malformed::Length);
    }
    let mut lengths = headers.iter().filter(|(name, _)| name == "content-length").map(|(_, value)| *value);
    match (lengths.next(), lengths.next()) {
        (None, _) => Ok(0),
        (Some(digits), None) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().map_err(|_| Malformed::Length)
        }
        _ => Err(Malformed::Length),
    }
}

/// First byte of SOCKS 5 (RFC 1928).
pub(crate) const SOCKS: u8 = 5;

/// Reads the greeting, which must offer to go on without a password.
pub(crate) fn socks_greeting(bytes: &[u8]) -> Result<Reading<()>, Malformed> {
    match bytes {
        [] | [SOCKS] => Ok(Reading::More),
        [SOCKS, n, methods @ ..] => match methods.get(..usize::from(*n)) {
            None => Ok(Reading::More),
            Some(methods) if methods.contains(&0) => Ok(Reading::Whole((), 2 + usize::from(*n))),
            Some(_) => Err(Malformed::Socks),
        },
        _ => Err(Malformed::Socks),
    }
}

/// Reads the request behind the greeting: version, command 1 (connect), 0, kind of address, address, port.
pub(crate) fn socks_request(bytes: &[u8]) -> Result<Reading<Ask>, Malformed> {
    let is_start = [SOCKS, 1, 0].iter().zip(bytes).all(|(wanted, byte)| wanted == byte);
    if !is_start {
        return Err(Malformed::Socks);
    }
    let n_address = match bytes {
        [_, _, _, 1, ..] => 4,
        [_, _, _, 3, n, ..] => 1 + usize::from(*n),
        [_, _, _, 4, ..] => 16,
        [_, _, _, 3] | [] | [_] | [_, _] | [_, _, _] => return Ok(Reading::More),
        _ => return Err(Malformed::Socks),
    };
    let Some(body) = bytes.get(4..4 + n_address + 2) else { return Ok(Reading::More) };
    let (address, port) = body.split_at(n_address);
    let port = port.iter().fold(0_u16, |value, byte| value << 8 | u16::from(*byte));
    let host = match address {
        [a, b, c, d] if bytes[3] == 1 => Host::Address([*a, *b, *c, *d].into()),
        [_, name @ ..] if bytes[3] == 3 => Host::parse(std::str::from_utf8(name).map_err(|_| HostError::NotAscii)?)?,
        _ => <[u8; 16]>::try_from(address)
            .map(|octets| Host::Address(plain(octets.into())))
            .map_err(|_| Malformed::Socks)?,
    };
    if port == 0 {
        return Err(HostError::Port.into());
    }
    Ok(Reading::Whole(Ask::Connect(Target { host, port }), 4 + n_address + 2))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
