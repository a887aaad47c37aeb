//! Which host is meant, however it is spelled?
//!
//! One host has many spellings, and whoever judges one spelling while another is dialled lets everything through. Here each
//! host has exactly one: lower case, no dot at the end, addresses in their usual form. What has no such form is refused
//! rather than mended. Rules of the policy and the list of allowed hosts both read hosts by this. Does no I/O.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// Longest name and longest part of one (RFC 1035, 2.3.4).
const MAX_NAME_BYTES: usize = 253;
const MAX_LABEL_BYTES: usize = 63;

/// A host in its one form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Host {
    /// A name, still to be resolved.
    Name(String),
    /// An address; one of IPv4 inside of IPv6 is of IPv4.
    Address(IpAddr),
}

/// Why a text is no host.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// There is nothing.
    #[error("the host is empty")]
    Empty,
    /// It is longer than a name may be.
    #[error("the host is too long")]
    TooLong,
    /// It holds letters beyond ASCII, which can look like others.
    #[error("the host is not in ASCII; write it in its `xn--` form")]
    NotAscii,
    /// It is a pattern.
    #[error("patterns are not allowed; name each host in full")]
    Pattern,
    /// It holds a character no host has.
    #[error("the host holds the character {0:?}")]
    Character(char),
    /// A part of it is empty, too long, or starts or ends with a dash.
    #[error("a part of the host is empty, too long, or has a dash at its end")]
    Part,
    /// It ends like an address and is none.
    #[error("the host ends with a number and is no address")]
    Number,
    /// The port is missing or no port.
    #[error("the port is missing or not between 1 and 65535")]
    Port,
}

impl Host {
    /// Reads a host without its port; an address of IPv6 with or without brackets.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        if let Some(inner) = text.strip_prefix('[') {
            let address = inner.strip_suffix(']').and_then(|inner| inner.parse::<Ipv6Addr>().ok());
            return address.map(|ip| Self::Address(plain(ip.into()))).ok_or(HostError::Character('['));
        }
        if let Ok(ip) = text.parse::<Ipv6Addr>() {
            return Ok(Self::Address(plain(ip.into())));
        }
        if !text.is_ascii() {
            return Err(HostError::NotAscii);
        }
        let lower = text.to_ascii_lowercase();
        let name = lower.strip_suffix('.').unwrap_or(&lower);
        if name.is_empty() {
            return Err(HostError::Empty);
        }
        if name.len() > MAX_NAME_BYTES {
            return Err(HostError::TooLong);
        }
        name.split('.').try_for_each(check_label)?;
        let last = name.rsplit('.').next().unwrap_or_default();
        if !is_number(last) {
            return Ok(Self::Name(name.to_owned()));
        }
        number_forms(name).map(|ip| Self::Address(ip.into())).ok_or(HostError::Number)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => out.write_str(name),
            Self::Address(ip) => write!(out, "{ip}"),
        }
    }
}

fn check_label(label: &str) -> Result<(), HostError> {
    if label.contains('*') {
        return Err(HostError::Pattern);
    }
    let is_known = |c: &char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '_');
    if let Some(c) = label.chars().find(|c| !is_known(c)) {
        return Err(HostError::Character(c));
    }
    let is_fit =
        !label.is_empty() && label.len() <= MAX_LABEL_BYTES && !label.starts_with('-') && !label.ends_with('-');
    if is_fit { Ok(()) } else { Err(HostError::Part) }
}

/// A host and a port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target {
    /// The host.
    pub host: Host,
    /// The port, never 0.
    pub port: u16,
}

impl Target {
    /// Reads `HOST:PORT`; without a port it is `usual`, and an error where there is no usual one.
    pub fn parse(text: &str, usual: Option<u16>) -> Result<Self, HostError> {
        let (host, port) = split(text)?;
        let port = match port {
            Some(digits) => parse_port(digits)?,
            None => usual.ok_or(HostError::Port)?,
        };
        Ok(Self { host: Host::parse(host)?, port })
    }

    /// Returns what `host` names on `port`, as `SOCKS` sends it.
    pub fn of_address(address: SocketAddr) -> Self {
        Self { host: Host::Address(plain(address.ip())), port: address.port() }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(IpAddr::V6(ip)) => write!(out, "[{ip}]:{}", self.port),
            host => write!(out, "{host}:{}", self.port),
        }
    }
}

/// Splits a port off; an address of IPv6 has one only behind brackets.
pub(crate) fn split(text: &str) -> Result<(&str, Option<&str>), HostError> {
    if text.starts_with('[') {
        let end = text.find(']').ok_or(HostError::Character('['))?;
        let (host, rest) = text.split_at(end + 1);
        return match rest.strip_prefix(':') {
            Some(port) => Ok((host, Some(port))),
            None if rest.is_empty() => Ok((host, None)),
            None => Err(HostError::Character(']')),
        };
    }
    match text.split_once(':') {
        None => Ok((text, None)),
        Some((_, rest)) if rest.contains(':') => Err(HostError::Character(':')),
        Some((host, port)) => Ok((host, Some(port))),
    }
}

/// Reads a port: digits and nothing else.
pub(crate) fn parse_port(digits: &str) -> Result<u16, HostError> {
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let port = if is_plain { digits.parse().ok() } else { None };
    port.filter(|port| *port > 0).ok_or(HostError::Port)
}

/// Returns the address itself where one of IPv4 is written as one of IPv6.
pub(crate) fn plain(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(ip, IpAddr::V4),
        IpAddr::V4(_) => ip,
    }
}

/// Reads an IPv4 address in any of the forms `inet_aton(3)` takes: `127.1`, `0x7f000001`, `017700000001`.
pub fn number_forms(host: &str) -> Option<Ipv4Addr> {
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) || *last >= 1 << (8 * (4 - front.len())) {
        return None;
    }
    let high = front.iter().enumerate().fold(0_u64, |value, (at, part)| value | part << (24 - 8 * at));
    Some(Ipv4Addr::from((high | last) as u32))
}

fn is_number(label: &str) -> bool {
    let hex = label.strip_prefix("0x");
    label.bytes().all(|byte| byte.is_ascii_digit())
        || hex.is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn number(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    if !is_number(&lower) {
        return None;
    }
    match lower.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if lower.len() > 1 && lower.starts_with('0') => u64::from_str_radix(&lower[1..], 8).ok(),
        None => lower.parse().ok(),
    }
}

#[cfg(test)]
#[path = "host_tests.rs"]
mod tests;
