//! How does a confined command reach the few hosts its user allowed, and no other?
//!
//! Inside its namespace a command has a network of its own with nobody else in it. There the inner supervisor opens a
//! listening socket and hands it out to mimi over the lifeline (`exec::doors`): what connects inside is accepted outside, so
//! nothing lies in the file system that others could find, replace or connect to, and nobody carries bytes inside.
//! Each connection asks for one target (`request`), spelled in one way (`host`); the list decides (`allowed`), the name is
//! resolved once, out here, what it leads to is judged (`address`), and the connection goes to that address (`serve`).
//! Must not let a model server be reached: only mimi talks to those. To add a protocol: a reader in `request`
//! and an arm in `serve::hear`.

pub mod address;
pub mod allowed;
pub mod host;
pub mod log;
mod request;
pub(crate) mod serve;

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::exec::proxy::allowed::Allowed;
use crate::exec::proxy::host::Target;

/// Finds the addresses of a name.
pub type Resolve = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// What commands can reach. Without one they reach nothing.
#[derive(Clone)]
pub struct Network {
    /// The hosts the user named.
    pub allowed: Allowed,
    /// Where model servers are, which are refused whatever the user named.
    pub servers: Vec<Target>,
    /// Bytes one command may move in both directions; 0: no limit.
    pub max_bytes: u64,
    /// Finds addresses.
    pub resolve: Resolve,
}

impl Network {
    /// Allows these hosts but for model servers; names are resolved by the system.
    pub fn new(allowed: Allowed, servers: Vec<Target>, max_bytes: u64) -> Self {
        Self { allowed, servers, max_bytes, resolve: Arc::new(|name| Box::pin(by_system(name))) }
    }
}

impl fmt::Debug for Network {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Network")
            .field("allowed", &self.allowed)
            .field("servers", &self.servers)
            .finish_non_exhaustive()
    }
}

async fn by_system(name: String) -> io::Result<Vec<IpAddr>> {
    // The dot at the end keeps the machine's search list out of it: the name that was judged is the one that is asked for.
    let found = match tokio::net::lookup_host((format!("{name}."), 0)).await {
        Ok(found) => found.collect::<Vec<_>>(),
        // Names in the hosts file have no dot at the end, and names without any dot are the search list's.
        Err(_) => tokio::net::lookup_host((name, 0)).await?.collect(),
    };
    Ok(found.iter().map(|address| address.ip()).collect())
}
