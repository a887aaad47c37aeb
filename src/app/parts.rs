//! What is each part made of, from the settings?

use crate::base::fault::{Fault, Kind};
use crate::base::secrets;
use crate::config::dirs::Dirs;
use crate::config::env::Env;
use crate::config::schema::Config;
use crate::config::secret;
use crate::config::variables::TREE;
use crate::exec::environment;
use crate::exec::proxy::Network;
use crate::exec::proxy::allowed::Allowed;
use crate::exec::proxy::host::{Host, Target};
use crate::exec::run::Runner;
use crate::exec::sandbox::probe::Choice;
use crate::exec::sandbox::{self, Sandbox};
use crate::model::providers::egress::Dial;
use crate::model::settings::GatewayConfig;
use crate::workspace::Workspace;
use std::path::PathBuf;
use std::sync::Arc;

/// Builds what starts commands, with their environment and nothing that confines them.
pub(super) fn runner(config: &Config, env: &Env) -> Result<Runner, Fault> {
    let supervisor =
        std::env::current_exe().map_err(|error| Fault::io(Kind::Bug, "cannot find the mimi binary itself", &error))?;
    let mut environment = environment::clean(env.texts(), &config.tools.pass_env);
    environment.push((TREE.to_owned(), environment::tree_name(env.get(TREE))));
    Ok(Runner::new(supervisor, environment))
}

/// Starts commands confined as was chosen, with the hosts they may reach.
pub(super) fn confined(
    config: &Config,
    env: &Env,
    dirs: &Dirs,
    workspace: &Workspace,
    choice: &Choice,
) -> Result<Runner, Fault> {
    Ok(runner(config, env)?.within(sandbox(config, dirs, workspace, choice)?).reaching(network(config)?))
}

/// Describes what commands in `workspace` can see and change.
fn sandbox(config: &Config, dirs: &Dirs, workspace: &Workspace, choice: &Choice) -> Result<Sandbox, Fault> {
    let own = &config.sandbox;
    let path = |text: &String| match text.strip_prefix("~/") {
        Some(rest) => dirs.home.join(rest),
        None => PathBuf::from(text),
    };
    let (caches, devices) = sandbox::known_names();
    for (key, names, known) in [("caches", &own.caches, caches), ("devices", &own.devices, devices)] {
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            return Err(Fault::new(Kind::Config, format!("`sandbox.{key}` names `{name}`, which is not known"))
                .hint(format!("known are: {}", known.join(", "))));
        }
    }
    Ok(Sandbox {
        bwrap: choice.bwrap.clone(),
        has_proc: choice.has_proc,
        hidden: vec![dirs.config.clone(), dirs.state.clone(), dirs.cache.clone()],
        locks: dirs.state.join("sandbox"),
        readable: own.readable.iter().map(path).collect(),
        writable: own.writable.iter().map(path).collect(),
        devices: own.devices.clone(),
        caches: own.caches.clone(),
        max_processes: own.max_processes,
        tmp_mb: own.tmp_mb,
        max_memory_mb: own.max_memory_mb,
        max_file_mb: own.max_file_mb,
        has_walls: choice.landlock.is_some(),
        ..Sandbox::new(choice.tier, workspace.root(), &dirs.home)
    })
}

/// Describes what commands reach of the network.
fn network(config: &Config) -> Result<Option<Arc<Network>>, Fault> {
    let own = &config.sandbox;
    let allowed = Allowed::parse(&own.hosts).map_err(|(text, error)| {
        Fault::new(Kind::Config, format!("`sandbox.hosts` names `{text}`: {error}"))
            .hint("sandbox: {hosts: [crates.io, \"10.0.0.7:8443\"]}")
    })?;
    let dials = GatewayConfig::of(config).dials();
    let proxies = dials.iter().filter_map(|dial| Dial::of(dial.through.as_deref()?, ""));
    let server = |dial: &Dial| Some(Target { host: Host::parse(&dial.host).ok()?, port: dial.port });
    let servers = dials.iter().filter_map(server).chain(proxies.filter_map(|proxy| server(&proxy))).collect();
    let network = Network::new(allowed, servers, own.network_mb.saturating_mul(1_000_000));
    Ok((!network.allowed.is_empty()).then(|| Arc::new(network)))
}

/// Looks keys up when a provider is first used, so that a slow keyring never delays the start.
pub(super) fn keys(env: &Env, dirs: &Dirs) -> crate::model::seats::Keys {
    let (env, dirs) = (env.clone(), dirs.clone());
    Box::new(move |provider: &str, key_env: &str| {
        let found = secret::find(&env, &dirs, provider, key_env);
        let key = found.ok().flatten().map(|secret| secret.expose().to_owned());
        key.iter().for_each(|key| secrets::know(key));
        key
    })
}
