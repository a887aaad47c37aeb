//! What does `mimi auth` do?
//!
//! Stores, lists and removes the keys of providers. A key is read from standard input or a prompt that does not show it,
//! never from the command line, where every user of the machine could see it. No key is ever printed.

use std::io::{IsTerminal as _, Read};

use clap::{Args, Subcommand};

use crate::base::fault::{Fault, Kind};
use crate::cli::context::Cx;
use crate::config::keyring::{Ring, SystemRing};
use crate::config::layer::Loaded;
use crate::config::secret::{KeyStore, MAX_KEY_BYTES};
use crate::exec::interactive::read_hidden;
use crate::model::seats::{SERVER, SERVER_KEY_ENV};

/// Store, list and remove the keys of providers
#[derive(Debug, Args)]
pub struct AuthArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: AuthAction,
}

/// The parts of `mimi auth`.
#[derive(Debug, Subcommand)]
pub enum AuthAction {
    /// Store a key, read from a hidden prompt or from a pipe
    Set {
        /// Name of the provider; `auto` for the server of `server.url`
        provider: String,
    },
    /// List the providers that have a key, and where it is kept
    List,
    /// Remove a stored key
    Remove {
        /// Name of the provider
        provider: String,
    },
}

/// Carries out `mimi auth`.
///
/// # Errors
/// No key was given, a name or key cannot be used, or nothing can be read or written.
pub fn run(cx: &Cx, args: &AuthArgs) -> Result<(), Fault> {
    run_with(cx, args, &SystemRing::new(&cx.env), &mut || key_from_user(&args.action))
}

/// As [`run`], with a keyring and a way to ask for the key.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    cx: &Cx,
    args: &AuthArgs,
    ring: &dyn Ring,
    ask: &mut dyn FnMut() -> Result<String, Fault>,
) -> Result<(), Fault> {
    let store = KeyStore::new(&cx.env, &cx.dirs, ring);
    match &args.action {
        AuthAction::Set { provider } => set(cx, &store, provider, ask),
        AuthAction::List => list(cx, &store),
        AuthAction::Remove { provider } => remove(cx, &store, provider),
    }
}

fn set(
    cx: &Cx,
    store: &KeyStore<'_>,
    provider: &str,
    ask: &mut dyn FnMut() -> Result<String, Fault>,
) -> Result<(), Fault> {
    store.check_name(provider)?;
    // Settings that are broken elsewhere must not keep a key from being stored.
    let rows = cx.load().map(|loaded| rows(&loaded)).ok();
    let row = rows.as_ref().and_then(|rows| rows.iter().find(|(name, _)| name == provider));
    if rows.is_some() && row.is_none() {
        cx.out.note(format!("note: there is no provider `{provider}` yet; add it with `mimi config edit`"));
    }
    let place = store.set(provider, &ask()?)?;
    if let Some((_, variable)) = row.filter(|(_, variable)| cx.env.get_os(variable).is_some()) {
        cx.out.note(format!("note: the variable `{variable}` is set and comes first"));
    }
    cx.out.line(format!("stored the key of `{provider}` in {place}"))
}

fn list(cx: &Cx, store: &KeyStore<'_>) -> Result<(), Fault> {
    let found = store.list(&rows(&cx.load()?))?;
    if found.is_empty() {
        cx.out.note("no keys; store one with `mimi auth set PROVIDER`");
    }
    found.iter().try_for_each(|(provider, place)| cx.out.line(format!("{provider:<16} {place}")))
}

fn remove(cx: &Cx, store: &KeyStore<'_>, provider: &str) -> Result<(), Fault> {
    store.check_name(provider)?;
    let removed = store.remove(provider)?;
    if removed.is_empty() {
        return Err(Fault::new(Kind::Config, format!("no key of `{provider}` is stored")).hint("mimi auth list"));
    }
    removed.iter().try_for_each(|place| cx.out.line(format!("removed the key of `{provider}` from {place}")))
}

/// Returns every provider with the variable its key may stand in, the server of `server.url` among them.
fn rows(loaded: &Loaded) -> Vec<(String, String)> {
    let rows = loaded.config.providers.iter().map(|(name, row)| (name.clone(), row.api_key_env.clone()));
    rows.chain([(SERVER.to_owned(), SERVER_KEY_ENV.to_owned())]).collect()
}

fn key_from_user(action: &AuthAction) -> Result<String, Fault> {
    let AuthAction::Set { provider } = action else { return Ok(String::new()) };
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return read_key(stdin.lock());
    }
    read_hidden(&format!("key of `{provider}` (not shown): ")).map_err(|error| {
        if error.kind() == std::io::ErrorKind::Interrupted {
            return Fault::new(Kind::Interrupted, "interrupted");
        }
        Fault::io(Kind::Usage, "cannot ask for the key", &error)
            .hint(format!("mimi auth set {provider} < file-with-the-key"))
    })
}

/// Reads a key from a pipe, bounded, because a pipe may never end.
fn read_key(input: impl Read) -> Result<String, Fault> {
    let mut bytes = Vec::new();
    let limit = MAX_KEY_BYTES as u64 + 2;
    input.take(limit).read_to_end(&mut bytes).map_err(|error| Fault::io(Kind::Usage, "cannot read the key", &error))?;
    String::from_utf8(bytes).map_err(|_| Fault::new(Kind::Usage, "the key from your input is not text"))
}
