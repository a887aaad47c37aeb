//! May a command reach this host, and at which address?
//!
//! Exactly the hosts the user named, on their usual ports or the one named with them; an empty list allows nothing. There are
//! no patterns, since below many a name anybody may put what they like. What a name leads to is judged as well. Does no I/O.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::exec::proxy::address;
use crate::exec::proxy::host::{self, Host, HostError, Target};

/// Ports of a host named without one: the web's.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// Most doors that are opened inside for services of this machine.
const MAX_DOORS: usize = 15;

/// The hosts a user allows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowed {
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    host: Host,
    port: Option<u16>,
}

impl Entry {
    fn parse(text: &str) -> Result<Self, HostError> {
        // An address of IPv6 needs no brackets where no port follows.
        if let Ok(host @ Host::Address(IpAddr::V6(_))) = Host::parse(text) {
            return Ok(Self { host, port: None });
        }
        let (name, port) = host::split(text)?;
        Ok(Self { host: Host::parse(name)?, port: port.map(host::parse_port).transpose()? })
    }

    fn has_port(&self, port: u16) -> bool {
        self.port.map_or_else(|| USUAL_PORTS.contains(&port), |own| own == port)
    }
}

/// Why a target is not reached.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody named it.
    #[error("it is not in `sandbox.hosts`")]
    NotListed,
    /// It is a model server, which only mimi itself talks to.
    #[error("it is a model server, which commands never reach")]
    ModelServer,
    /// What it leads to is not of the public network, and was not named itself.
    #[error("it leads to {ip}, a {word} address that is not in `sandbox.hosts` itself")]
    Special {
        /// The address.
        ip: IpAddr,
        /// What it is.
        word: &'static str,
    },
    /// It cannot be resolved.
    #[error("its name has no address")]
    Unknown,
    /// Nobody answers there.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
}

impl Allowed {
    /// Reads a list of hosts, each with or without a port.
    ///
    /// # Errors
    /// The first entry that is no host, and why.
    pub fn parse(texts: &[String]) -> Result<Self, (String, HostError)> {
        let entry = |text: &String| Entry::parse(text).map_err(|error| (text.clone(), error));
        Ok(Self { entries: texts.iter().map(entry).collect::<Result<_, _>>()? })
    }

    /// Says whether nothing is allowed.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Says whether the user named this host and port.
    pub fn names(&self, target: &Target) -> bool {
        self.entries.iter().any(|entry| entry.host == target.host && entry.has_port(target.port))
    }

    /// Judges what an allowed target leads to; `servers` are the addresses of model servers. All of it must be fit: who may
    /// choose among good and bad addresses is the one who owns the name.
    ///
    /// # Errors
    /// There is no address, or one of them is not to be reached.
    pub fn judge(&self, addresses: &[IpAddr], port: u16, servers: &[SocketAddr]) -> Result<Vec<SocketAddr>, Refusal> {
        if addresses.is_empty() {
            return Err(Refusal::Unknown);
        }
        let fit = |ip: &IpAddr| {
            let ip = host::plain(*ip);
            let is_server = servers.iter().any(|server| host::plain(server.ip()) == ip && server.port() == port);
            let target = Target { host: Host::Address(ip), port };
            match address::special(ip) {
                _ if is_server => Err(Refusal::ModelServer),
                Some(word) if !self.names(&target) => Err(Refusal::Special { ip, word }),
                _ => Ok(SocketAddr::new(ip, port)),
            }
        };
        addresses.iter().map(fit).collect()
    }

    /// Returns where a command finds what it may reach: first the proxy, on any port that is free, then each service of this
    /// machine where it would be without a sandbox.
    pub fn doors(&self) -> Vec<SocketAddr> {
        let own = |entry: &Entry| match entry.host {
            Host::Address(ip) if ip.is_loopback() => entry.port.map(|port| SocketAddr::new(ip, port)),
            _ => None,
        };
        let proxy = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        std::iter::once(proxy).chain(self.entries.iter().filter_map(own).take(MAX_DOORS)).collect()
    }

    /// Returns the hosts as they are meant, for people.
    pub fn words(&self) -> Vec<String> {
        let word = |entry: &Entry| match (&entry.host, entry.port) {
            (host, Some(port)) => Target { host: host.clone(), port }.to_string(),
            (host, None) => host.to_string(),
        };
        self.entries.iter().map(word).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(texts: &[&str]) -> Allowed {
        Allowed::parse(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn a_host_is_reached_when_it_is_named_and_in_no_other_case() {
        let list = ["crates.io", "mirror.example:8443", "10.0.0.7", "127.0.0.1:5432", "::1", "[fd00::1]:9"];
        let table = [
            ("crates.io:443", true),
            ("CRATES.io.:80", true),
            ("crates.io:22", false),
            ("index.crates.io:443", false),
            ("evilcrates.io:443", false),
            ("crates.io.evil.example:443", false),
            ("mirror.example:8443", true),
            ("mirror.example:443", false),
            ("10.0.0.7:443", true),
            ("167772167:443", true),
            ("[::ffff:10.0.0.7]:443", true),
            ("10.0.0.8:443", false),
            ("127.0.0.1:5432", true),
            ("127.0.0.1:80", false),
            ("[::1]:443", true),
            ("[fd00::1]:9", true),
            ("localhost:5432", false),
        ];
        for (target, expected) in table {
            let target = Target::parse(target, None).unwrap();
            assert_eq!(allowed(&list).names(&target), expected, "{target}");
            assert!(!allowed(&[]).names(&target), "{target}");
        }
    }

    #[test]
    fn what_a_name_leads_to_is_judged_whole() {
        let list = allowed(&["pypi.corp", "10.0.0.7", "gpu.corp:8000"]);
        let servers = ["10.0.0.7:8000".parse().unwrap(), "8.8.4.4:443".parse().unwrap()];
        let judge = |addresses: &[&str], port| {
            let addresses: Vec<IpAddr> = addresses.iter().map(|text| text.parse().unwrap()).collect();
            list.judge(&addresses, port, &servers).map(|found| found.len())
        };
        let special = |ip: &str, word| Err(Refusal::Special { ip: ip.parse().unwrap(), word });
        assert_eq!(judge(&["8.8.8.8", "2606:4700::1"], 443), Ok(2));
        assert_eq!(judge(&[], 443), Err(Refusal::Unknown));
        assert_eq!(judge(&["8.8.8.8", "127.0.0.1"], 443), special("127.0.0.1", "loopback"));
        assert_eq!(judge(&["::ffff:169.254.169.254"], 80), special("169.254.169.254", "link-local"));
        assert_eq!(judge(&["fd00:ec2::254"], 80), special("fd00:ec2::254", "private"));
        assert_eq!(judge(&["10.0.0.7"], 443), Ok(1));
        assert_eq!(judge(&["10.0.0.7"], 8000), Err(Refusal::ModelServer));
        assert_eq!(judge(&["8.8.4.4"], 443), Err(Refusal::ModelServer));
        assert_eq!(judge(&["8.8.4.4"], 80), Ok(1));
    }

    #[test]
    fn services_of_this_machine_are_found_where_they_are() {
        let doors = allowed(&["crates.io", "127.0.0.1:5432", "127.0.0.1", "10.0.0.1:5432", "[::1]:6379"]).doors();
        let doors: Vec<String> = doors.iter().map(ToString::to_string).collect();
        assert_eq!(doors, ["127.0.0.1:0", "127.0.0.1:5432", "[::1]:6379"]);
    }

    #[test]
    fn what_is_no_host_is_named_with_the_reason() {
        for text in ["*.example.com", "https://crates.io", "crates.io/", "a b", "user@a", "", "a:0", "büro.example"] {
            let error = Allowed::parse(&["crates.io".to_owned(), text.to_owned()]).unwrap_err();
            assert_eq!(error.0, text);
        }
        let words = allowed(&["CRATES.io.", "::1", "127.1:80", "[::1]:8080"]).words();
        assert_eq!(words, ["crates.io", "::1", "127.0.0.1:80", "[::1]:8080"]);
    }
}
