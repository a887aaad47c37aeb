//! Which host does a word of a command name?
//!
//! One host has many spellings; here each has one: lower case, no dot at the end, and addresses in their usual form, also
//! those written as one number, in octal or hexadecimal.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Returns the host of a word that is an address of the web, or an address of a machine.
pub fn of(word: &str) -> Option<String> {
    let rest = match word.split_once("://") {
        Some((_, rest)) => rest,
        None => word.strip_prefix('-').map_or(Some(word), |_| None).filter(|word| looks_like_host(word))?,
    };
    let authority = rest.split(['/', '?', '#', '\\']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None if host.matches(':').count() == 1 => host.split(':').next().unwrap_or_default(),
        None => host,
    };
    let host = host.trim_end_matches('.').to_lowercase();
    (!host.is_empty()).then(|| address(&host).map_or(host, |ip| ip.to_string()))
}

/// Says whether `host` is `own` or, when that starts with `*.`, a host below it.
pub fn is(own: &str, host: &str) -> bool {
    match own.strip_prefix("*.") {
        Some(above) => host.strip_suffix(above).is_some_and(|rest| rest.ends_with('.')),
        None => own == host,
    }
}

/// A word without a scheme counts when its first part has a dot or is a number that can be an address.
fn looks_like_host(word: &str) -> bool {
    let head = word.split(['/', '?', '#']).next().unwrap_or_default();
    let head = head.rsplit('@').next().unwrap_or_default();
    let head = head.split(':').next().unwrap_or_default();
    address(head).is_some() && head.len() > 6
        || (head.contains('.') && head.contains(|c: char| c.is_ascii_alphabetic()))
}

/// Reads an IPv4 address in any of the forms `inet_aton` takes, also inside of IPv6.
fn address(host: &str) -> Option<Ipv4Addr> {
    if let Ok(ip) = host.parse::<Ipv6Addr>() {
        return ip.to_ipv4_mapped();
    }
    let parts: Vec<u64> = host.split('.').map(number).collect::<Option<_>>()?;
    let (last, front) = parts.split_last()?;
    if front.len() > 3 || front.iter().any(|part| *part > 255) || *last >= 1 << (8 * (4 - front.len())) {
        return None;
    }
    let high = front.iter().enumerate().fold(0_u64, |value, (at, part)| value | part << (24 - 8 * at));
    Some(Ipv4Addr::from((high | last) as u32))
}

fn number(text: &str) -> Option<u64> {
    let lower = text.to_lowercase();
    match lower.strip_prefix("0x") {
        Some(hex) => u64::from_str_radix(hex, 16).ok(),
        None if lower.len() > 1 && lower.starts_with('0') => u64::from_str_radix(&lower[1..], 8).ok(),
        None => lower.bytes().all(|byte| byte.is_ascii_digit()).then(|| lower.parse().ok())?,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_host_has_one_name_however_it_is_spelled() {
        let table = [
            ("http://169.254.169.254/latest/", Some("169.254.169.254")),
            ("http://2852039166/", Some("169.254.169.254")),
            ("http://0xA9FEA9FE/", Some("169.254.169.254")),
            ("http://0251.0376.0251.0376/", Some("169.254.169.254")),
            ("http://169.254.43518", Some("169.254.169.254")),
            ("http://[::ffff:169.254.169.254]:80/x", Some("169.254.169.254")),
            ("http://user:pw@Example.COM.:80/", Some("example.com")),
            ("https://a@b@evil.example\\@good.example/", Some("evil.example")),
            ("169.254.169.254", Some("169.254.169.254")),
            ("evil.example/x", Some("evil.example")),
            ("-v", None),
            ("5", None),
            ("x", None),
            ("http://", None),
        ];
        for (word, expected) in table {
            assert_eq!(of(word).as_deref(), expected, "{word}");
        }
        assert!(is("*.a.b", "x.a.b") && !is("*.a.b", "xa.b") && !is("*.a.b", "a.b") && is("a.b", "a.b"));
    }
}
