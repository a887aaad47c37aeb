//! Where may this process connect to?
//!
//! To the servers and proxies of the configuration, and nowhere else. The HTTP client asks here before it opens any
//! connection, whoever made the request and whatever address a server's answer holds: [`Egress::guard`] sits in its
//! connector, [`Names`] is its resolver. Until [`Egress::open`] was called nothing may be reached. Must not hold keys.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Proxy, Url};

use crate::model::error::Cause;

/// Where refused connections are sent: a name that no resolver may know (RFC 6761), and that ours answers with the reason.
const DEAD_END: &str = "http://refused.invalid";

/// One address the process may connect to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Dial {
    /// Name or address of the host, in lower case; an IPv6 address in brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The proxy that is connected to in its place.
    pub through: Option<String>,
}

impl Dial {
    /// Reads the host and port of a URL; none when it has no host or is not http.
    pub fn of(url: &str, proxy: &str) -> Option<Self> {
        let (host, port) = host_and_port(&Url::parse(url).ok()?)?;
        Some(Self { host, port, through: Some(proxy.to_owned()).filter(|proxy| !proxy.is_empty()) })
    }
}

/// What may be reached. Shared by the clients of one gateway.
#[derive(Debug, Default)]
pub struct Egress {
    ways: RwLock<BTreeMap<(String, u16), Option<Url>>>,
}

/// How a URL is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Way {
    Direct,
    Through(Url),
    Refused,
}

impl Egress {
    /// Allows these addresses, and no longer any others. Of two ways to one address the first counts.
    pub fn open(&self, dials: impl IntoIterator<Item = Dial>) {
        let mut ways = BTreeMap::new();
        for Dial { host, port, through } in dials {
            let proxy = through.as_deref().and_then(|proxy| Url::parse(proxy).ok());
            // A proxy that cannot be read must not turn into a direct connection.
            if through.is_none() || proxy.is_some() {
                ways.entry((host, port)).or_insert(proxy);
            }
        }
        *self.ways.write().unwrap_or_else(PoisonError::into_inner) = ways;
    }

    /// Lists what may be reached.
    pub fn list(&self) -> Vec<Dial> {
        let ways = self.ways.read().unwrap_or_else(PoisonError::into_inner);
        let dial = |((host, port), proxy): (&(String, u16), &Option<Url>)| Dial {
            host: host.clone(),
            port: *port,
            through: proxy.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned()),
        };
        ways.iter().map(dial).collect()
    }

    fn way(&self, url: &Url) -> Way {
        let ways = self.ways.read().unwrap_or_else(PoisonError::into_inner);
        match host_and_port(url).and_then(|address| ways.get(&address)) {
            Some(None) => Way::Direct,
            Some(Some(proxy)) => Way::Through(proxy.clone()),
            None => Way::Refused,
        }
    }

    /// Says whether a name is that of a host connected to: a server's, unless its proxy looks it up, or a proxy's.
    fn knows(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let ways = self.ways.read().unwrap_or_else(PoisonError::into_inner);
        ways.iter().any(|((host, _), proxy)| match proxy {
            None => *host == name,
            Some(proxy) => proxy.host_str() == Some(&name),
        })
    }

    /// Stands in the client's connector, which asks for a proxy before each connection: those that are not allowed are led
    /// to a dead end.
    pub fn guard(self: &Arc<Self>) -> Proxy {
        let egress = self.clone();
        Proxy::custom(move |url| match egress.way(url) {
            Way::Direct => None,
            Way::Through(proxy) => Some(proxy),
            Way::Refused => Url::parse(DEAD_END).ok(),
        })
    }

    /// Returns the resolver that knows only the names of the configuration.
    pub fn names(self: &Arc<Self>) -> Arc<Names> {
        Arc::new(Names(self.clone()))
    }
}

fn host_and_port(url: &Url) -> Option<(String, u16)> {
    let is_http = matches!(url.scheme(), "http" | "https");
    is_http.then(|| Some((url.host_str()?.to_ascii_lowercase(), url.port_or_known_default()?))).flatten()
}

/// Looks names up, those of the configuration only: a question to a name server is a way out too.
#[derive(Debug)]
pub struct Names(Arc<Egress>);

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let (name, is_known) = (name.as_str().to_owned(), self.0.knows(name.as_str()));
        Box::pin(async move {
            if !is_known {
                return Err(Cause("mimi connects only to the servers in its configuration".to_owned()).into());
            }
            let addresses: Vec<_> = tokio::net::lookup_host((name, 0)).await?.collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn egress(dials: &[(&str, &str)]) -> Arc<Egress> {
        let egress = Arc::new(Egress::default());
        egress.open(dials.iter().filter_map(|(url, proxy)| Dial::of(url, proxy)));
        egress
    }

    #[test]
    fn only_the_very_host_and_port_are_reached() {
        let egress = egress(&[
            ("http://dgx:8000/v1", ""),
            ("https://Box.example/v1", ""),
            ("http://[::1]:11434", ""),
            ("http://far:80/v1", "http://proxy:3128"),
            ("http://broken/v1", "http://["),
        ]);
        let table = [
            ("http://dgx:8000/anything", Way::Direct),
            ("http://DGX:8000", Way::Direct),
            ("https://dgx:8000", Way::Direct),
            ("http://dgx", Way::Refused),
            ("http://dgx:8001", Way::Refused),
            ("http://dgx.example:8000", Way::Refused),
            ("http://dgx@evil:8000", Way::Refused),
            ("https://box.example:443", Way::Direct),
            ("http://box.example", Way::Refused),
            ("http://[::1]:11434", Way::Direct),
            ("http://127.0.0.1:11434", Way::Refused),
            ("http://far", Way::Through(Url::parse("http://proxy:3128").unwrap())),
            // The proxy is gone through, not talked to.
            ("http://proxy:3128", Way::Refused),
            ("http://broken", Way::Refused),
            ("ftp://dgx:8000", Way::Refused),
        ];
        for (url, expected) in table {
            assert_eq!(egress.way(&Url::parse(url).unwrap()), expected, "{url}");
        }
        for (name, expected) in [("dgx", true), ("Box.Example", true), ("proxy", true), ("far", false), ("evil", false)]
        {
            assert_eq!(egress.knows(name), expected, "{name}");
        }
    }

    #[test]
    fn nothing_is_reached_before_it_is_said_what_may_be() {
        let url = Url::parse("http://127.0.0.1:8000").unwrap();
        assert_eq!(Egress::default().way(&url), Way::Refused);
        let listed = egress(&[("http://far:80/v1", "http://proxy:3128"), ("http://dgx:8000/v1", "")]).list();
        let line = |dial: &Dial| format!("{}:{} {}", dial.host, dial.port, dial.through.as_deref().unwrap_or("-"));
        assert_eq!(listed.iter().map(line).collect::<Vec<_>>(), ["dgx:8000 -", "far:80 http://proxy:3128"]);
    }
}
