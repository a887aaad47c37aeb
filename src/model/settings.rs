//! Which sections of the configuration concern models, and which place does a task mean by them?
//!
//! Pure: asks nobody. The gateway holds one of these and settles what it names on a server.

use std::collections::BTreeMap;

use crate::config::schema::{Config, ModelConfig, Places, ProviderConfig, ProviderKind, ServerConfig};
use crate::model::error::ModelError;
use crate::model::providers::egress::Dial;
use crate::model::providers::http::normalise_url;
use crate::model::route::{self, AUTO, Target};
use crate::model::seats::{SERVER, unknown_provider};
use crate::protocol::task::Task;

/// The sections of the configuration that concern models.
#[derive(Debug, Clone)]
pub struct GatewayConfig {
    /// One server for everything.
    pub server: ServerConfig,
    /// Named servers, the known ones included.
    pub providers: BTreeMap<String, ProviderConfig>,
    /// Names of the providers that are asked, in this order, when `server.url` is empty.
    pub search: Vec<String>,
    /// Which provider and model carries out which task.
    pub routes: BTreeMap<Task, Places>,
    /// Limits.
    pub model: ModelConfig,
}

impl GatewayConfig {
    /// Takes the sections out of the whole configuration.
    pub fn of(config: &Config) -> Self {
        Self {
            server: config.server.clone(),
            providers: config.providers.clone(),
            search: search_order(&config.providers),
            routes: config.routes.clone(),
            model: config.model.clone(),
        }
    }

    /// Lists what may be connected to: the servers of the configuration and where they publish their numbers, each through its
    /// proxy where it has one.
    pub fn dials(&self) -> Vec<Dial> {
        let rows = self.providers.values().filter(|row| row.kind != ProviderKind::Script);
        let rows = rows.flat_map(|row| [&row.base_url, &row.metrics_url].map(|url| (url.as_str(), row.proxy.as_str())));
        let dial = |(url, proxy): (&str, &str)| Dial::of(&normalise_url(url).ok()?, proxy);
        // Last, so that a named server of the same address lends its proxy.
        rows.chain([(self.server.url.as_str(), "")]).filter_map(dial).collect()
    }

    /// Decides which provider and model are meant, without asking anybody.
    pub(super) fn target(&self, task: Task, wanted: Option<&str>) -> Result<Target, ModelError> {
        let is_provider = |name: &str| self.providers.contains_key(name);
        if let Some(wanted) = wanted {
            return Ok(route::parse(wanted, is_provider));
        }
        self.target_at(task, self.routes.get(&task).and_then(|places| places.0.first()).map_or("", String::as_str))
    }

    /// Reads one place of a task's list.
    pub(super) fn target_at(&self, task: Task, text: &str) -> Result<Target, ModelError> {
        let target = route::parse(text, |name| self.providers.contains_key(name));
        if let (None, Some((name, _))) = (&target.provider, text.split_once('/'))
            && name != AUTO
        {
            return Err(unknown_provider(name, &self.providers));
        }
        let is_for_person = matches!(task, Task::Chat | Task::Fix | Task::Plan | Task::Review);
        if target.provider.is_none() && is_for_person && !self.server.model.is_empty() {
            return Ok(Target { provider: None, model: self.server.model.clone() });
        }
        Ok(target)
    }

    /// Returns the models to be preferred as stand-ins, in order.
    pub(super) fn preferred(&self) -> Vec<&str> {
        let routed = Task::ALL.iter().filter_map(|task| self.routes.get(task)).flat_map(|places| &places.0);
        let models = routed.map(|route| route.split_once('/').map_or(route.as_str(), |(_, model)| model));
        std::iter::once(self.server.model.as_str()).chain(models).collect()
    }
}

impl GatewayConfig {
    /// Returns the names of all servers that count: the one that is set, or those that are searched, and every other one
    /// that somebody wrote down.
    pub(super) fn servers(&self) -> Vec<String> {
        let first = if self.server.url.is_empty() { self.search.clone() } else { vec![SERVER.to_owned()] };
        let written = self.providers.iter().filter(|(_, row)| row.search.is_none() && row.kind != ProviderKind::Script);
        let written: Vec<String> = written.map(|(name, _)| name.clone()).filter(|name| !first.contains(name)).collect();
        [first, written].concat()
    }
}

/// Returns the names of the rows that are asked when no server is named, in order: those without a place of their own, which
/// somebody wrote, before the numbered ones. A script answers only who names it.
fn search_order(rows: &BTreeMap<String, ProviderConfig>) -> Vec<String> {
    let is_asked = |row: &ProviderConfig| {
        row.search != Some(0) && !matches!(row.kind, ProviderKind::Script | ProviderKind::Triton)
    };
    let mut order: Vec<_> = rows.iter().filter(|(_, row)| is_asked(row)).collect();
    order.sort_by_key(|(_, row)| row.search);
    order.into_iter().map(|(name, _)| name.clone()).collect()
}
