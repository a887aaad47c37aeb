//! Which servers may be connected to, and what for?
//!
//! For a person who wants to know before anything happens. Reads the configuration; asks nobody.

use crate::config::schema::ProviderKind;
use crate::model::providers::egress::Dial;
use crate::model::providers::http::normalise_url;
use crate::model::settings::GatewayConfig;
use crate::protocol::task::Task;

/// One address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlet {
    /// The host and port.
    pub dial: Dial,
    /// What it is asked for.
    pub purpose: String,
}

/// Lists every address, those that are used before those that are only known.
pub fn list(config: &GatewayConfig) -> Vec<Outlet> {
    let is_found = config.server.url.is_empty();
    let own = tasks_of(config, None);
    let mut outlets = Vec::new();
    if !is_found {
        outlets.extend(outlet(&config.server.url, "", format!("server.url: {own}")));
    }
    for (name, row) in config.providers.iter().filter(|(_, row)| row.kind != ProviderKind::Script) {
        let named = tasks_of(config, Some(name));
        let is_searched = is_found && config.search.contains(name);
        let purpose = match (named.is_empty(), is_searched) {
            (false, _) => format!("{name}: {named}"),
            (true, true) => format!("{name}: looked for as long as no server is named: {own}"),
            (true, false) => format!("{name}: only when it is named, as in --model {name}/MODEL"),
        };
        outlets.extend(outlet(&row.base_url, &row.proxy, purpose));
        outlets.extend(outlet(&row.metrics_url, &row.proxy, format!("{name}: its metrics")));
    }
    outlets.sort_by_key(|outlet| outlet.purpose.contains(": only when"));
    outlets
}

fn outlet(url: &str, proxy: &str, purpose: String) -> Option<Outlet> {
    let dial = Dial::of(&normalise_url(url).ok()?, proxy)?;
    Some(Outlet { dial, purpose })
}

/// Names the tasks that go to a provider; with none to the server that is set or found.
fn tasks_of(config: &GatewayConfig, provider: Option<&str>) -> String {
    let goes_there = |task: &Task| {
        let places = config.routes.get(task).map(|places| places.0.as_slice()).unwrap_or_default();
        let targets = places.iter().filter_map(|place| config.target_at(*task, place).ok());
        targets.into_iter().any(|target| target.provider.as_deref() == provider)
    };
    let names: Vec<&str> = Task::ALL.into_iter().filter(goes_there).map(Task::name).collect();
    names.join(", ")
}
