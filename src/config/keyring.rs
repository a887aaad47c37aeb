//! Can the keyring of the desktop be asked for a key?
//!
//! A keyring may be absent (no session bus), locked (it waits for a person) or hang. It is asked on a thread of its own and
//! given up after [`LIMIT`]; once it failed it is not asked again. The only importer of the keyring crate.

use std::sync::OnceLock;
use std::sync::mpsc;
use std::time::Duration;

use crate::config::env::Env;

/// How long an answer is waited for. Measured: a session bus answers within 20 ms, a missing one fails within 180 ms.
pub const LIMIT: Duration = Duration::from_millis(300);

/// Whether the keyring answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    /// It answers.
    Ready,
    /// It cannot be used, and why.
    Absent(&'static str),
    /// It did not answer within [`LIMIT`]: locked, or hanging.
    TimedOut,
}

impl std::fmt::Display for Reach {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ready => out.write_str("ready"),
            Self::Absent(why) => out.write_str(why),
            Self::TimedOut => write!(out, "no answer within {} ms, perhaps locked", LIMIT.as_millis()),
        }
    }
}

/// A store of keys by provider name. `Err` says why it cannot be used; it is never worth stopping for.
pub trait Ring {
    /// Returns the key of a provider, if it has one here.
    fn get(&self, provider: &str) -> Result<Option<String>, Reach>;
    /// Stores the key of a provider.
    fn set(&self, provider: &str, key: &str) -> Result<(), Reach>;
    /// Removes the key of a provider; says whether there was one.
    fn remove(&self, provider: &str) -> Result<bool, Reach>;
}

/// The keyring of the operating system.
#[derive(Debug, Default)]
pub struct SystemRing {
    /// Set when it is known to be of no use.
    failed: OnceLock<Reach>,
}

impl SystemRing {
    /// Looks, without asking it, whether there can be a keyring.
    pub fn new(env: &Env) -> Self {
        let ring = Self::default();
        if let Some(why) = obstacle(env) {
            let _ = ring.failed.set(Reach::Absent(why));
        }
        ring
    }

    /// Says why there can be no keyring, where that is known without asking it.
    pub fn absent(&self) -> Option<String> {
        self.failed.get().map(ToString::to_string)
    }

    /// Asks the keyring for something it does not have, to learn whether it answers.
    pub fn reach(&self) -> Reach {
        self.get("mimi-doctor").map_or_else(|reach| reach, |_| Reach::Ready)
    }

    fn ask<T: Send + 'static>(&self, question: impl FnOnce() -> Result<T, Reach> + Send + 'static) -> Result<T, Reach> {
        if let Some(reach) = self.failed.get() {
            return Err(reach.clone());
        }
        let answer = within(LIMIT, question).unwrap_or(Err(Reach::TimedOut));
        if let Err(reach) = &answer {
            let _ = self.failed.set(reach.clone());
        }
        answer
    }
}

impl Ring for SystemRing {
    fn get(&self, provider: &str) -> Result<Option<String>, Reach> {
        let provider = provider.to_owned();
        self.ask(move || system::get(&provider))
    }

    fn set(&self, provider: &str, key: &str) -> Result<(), Reach> {
        let (provider, key) = (provider.to_owned(), key.to_owned());
        self.ask(move || system::set(&provider, &key))
    }

    fn remove(&self, provider: &str) -> Result<bool, Reach> {
        let provider = provider.to_owned();
        self.ask(move || system::remove(&provider))
    }
}

/// Runs `question` on a thread of its own; `None` when it takes longer. The thread then ends with the process.
fn within<T: Send + 'static>(limit: Duration, question: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new().name("keyring".to_owned());
    thread.spawn(move || sender.send(question())).ok()?;
    receiver.recv_timeout(limit).ok()
}

/// Says why there can be no keyring: without a session bus the Secret Service cannot be reached, and looking for one costs
/// more than the rest of a start.
fn obstacle(env: &Env) -> Option<&'static str> {
    if cfg!(not(feature = "keyring")) {
        return Some("this build has no keyring support");
    }
    if cfg!(target_os = "macos") || env.get_os("DBUS_SESSION_BUS_ADDRESS").is_some() {
        return None;
    }
    let socket = env.get_os("XDG_RUNTIME_DIR").map(|folder| std::path::Path::new(folder).join("bus"));
    if socket.is_some_and(|path| path.exists()) { None } else { Some("no session bus, so no keyring") }
}

/// The outside crate, or its absence.
#[cfg(feature = "keyring")]
mod system {
    use keyring::{Entry, Error};

    use super::Reach;

    /// Under this service name our entries stand among those of other programs.
    const SERVICE: &str = "mimi";

    /// Says why in fixed words: the crate's own messages may hold what was stored.
    fn absent(error: &Error) -> Reach {
        Reach::Absent(match error {
            Error::NoDefaultStore => "no keyring answers on the session bus",
            Error::NoStorageAccess(_) => "the keyring is locked or refuses",
            _ => "the keyring failed",
        })
    }

    pub(super) fn get(provider: &str) -> Result<Option<String>, Reach> {
        match Entry::new(SERVICE, provider).and_then(|entry| entry.get_password()) {
            Ok(key) => Ok(Some(key)),
            Err(Error::NoEntry) => Ok(None),
            Err(error) => Err(absent(&error)),
        }
    }

    pub(super) fn set(provider: &str, key: &str) -> Result<(), Reach> {
        Entry::new(SERVICE, provider).and_then(|entry| entry.set_password(key)).map_err(|error| absent(&error))
    }

    pub(super) fn remove(provider: &str) -> Result<bool, Reach> {
        match Entry::new(SERVICE, provider).and_then(|entry| entry.delete_credential()) {
            Ok(()) => Ok(true),
            Err(Error::NoEntry) => Ok(false),
            Err(error) => Err(absent(&error)),
        }
    }
}

#[cfg(not(feature = "keyring"))]
mod system {
    use super::Reach;

    const ABSENT: Reach = Reach::Absent("this build has no keyring support");

    pub(super) fn get(_provider: &str) -> Result<Option<String>, Reach> {
        Err(ABSENT)
    }

    pub(super) fn set(_provider: &str, _key: &str) -> Result<(), Reach> {
        Err(ABSENT)
    }

    pub(super) fn remove(_provider: &str) -> Result<bool, Reach> {
        Err(ABSENT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyring_that_hangs_is_given_up_and_not_asked_again() {
        let (_held, never) = mpsc::channel::<()>();
        let ring = SystemRing::default();
        let hanging = ring.ask(move || never.recv().map_err(|_| Reach::Ready));
        assert_eq!(hanging, Err(Reach::TimedOut));
        assert_eq!(ring.ask(|| Ok(1)), Err(Reach::TimedOut));
    }

    #[test]
    fn an_answer_in_time_is_passed_on() {
        assert_eq!(within(Duration::from_secs(60), || 7), Some(7));
    }

    #[test]
    fn without_a_session_bus_nothing_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let env = Env::from_pairs([("XDG_RUNTIME_DIR", folder.path())]);
        if !cfg!(target_os = "macos") {
            assert!(matches!(SystemRing::new(&env).reach(), Reach::Absent(_)));
        }
    }
}
