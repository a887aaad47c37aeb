//! Which host does a word of a command name?
//!
//! One host has many spellings; here each has one, the same that the proxy of the sandbox goes by: lower case, no dot at the
//! end, and addresses in their usual form, also those written as one number, in octal or hexadecimal. What the proxy would not
//! even read keeps its letters, so that a rule against it still holds.

use crate::exec::proxy::host::{Host, number_forms};

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
    (!host.is_empty()).then(|| Host::parse(&host).map_or(host, |known| known.to_string()))
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
    number_forms(head).is_some() && head.len() > 6
        || (head.contains('.') && head.contains(|c: char| c.is_ascii_alphabetic()))
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
        for spelled in
            ["crates.IO.", "127.1", "0x7f000001", "[::FFFF:10.0.0.1]", "[2001:DB8:0::1]", "xn--bcher-kva.example"]
        {
            let judged = of(&format!("http://{spelled}/x"));
            let reached = Host::parse(spelled).unwrap().to_string();
            assert_eq!(judged, Some(reached), "the rules and the proxy mean the same host: {spelled}");
        }
        assert!(is("*.a.b", "x.a.b") && !is("*.a.b", "xa.b") && !is("*.a.b", "a.b") && is("a.b", "a.b"));
    }
}
