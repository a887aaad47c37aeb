//! Which server carries out a task, and how does everybody else get there?
//!
//! The one door to models: it turns a task into a [`Route`], builds providers with their keys, and asks ([`ask`]).
//! Nobody else calls a provider or knows a key. It keeps no conversation; requests come complete and in order.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::stream::BoxStream;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use crate::base::text;
use crate::config::schema::{Config, ModelConfig, ProviderConfig, ProviderKind, ServerConfig};
use crate::model::ask::{Progress, Question, Retry, ask};
use crate::model::discover::{self, Candidate, Found};
use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::{Http, normalise_url};
use crate::model::providers::{self, Setup};
use crate::model::route::{self, AUTO, Route, Target};
use crate::model::{ModelInfo, Provider, Request, catalog};
use crate::protocol::message::Message;
use crate::protocol::task::Task;

/// The name of the provider behind `server.url`.
pub const SERVER: &str = "server";
/// Where the key for `server.url` is read from when no named provider has the same address.
pub const SERVER_KEY_ENV: &str = "MIMI_API_KEY";

/// How long a list of models is believed, so that each turn need not ask again.
const LIST_AGE: Duration = Duration::from_secs(60);

/// Looks a key up, by the provider's name and the environment variable its row names.
pub type Keys = Box<dyn Fn(&str, &str) -> Option<String> + Send + Sync>;

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
    pub routes: BTreeMap<Task, String>,
    /// Limits.
    pub model: ModelConfig,
}

impl GatewayConfig {
    /// Takes the sections out of the whole configuration. Servers the user named are asked before the known ones.
    pub fn of(config: &Config) -> Self {
        let is_known = |name: &str| providers::KNOWN.iter().any(|(known, _)| *known == name);
        let named = config.providers.iter().filter(|(name, row)| !is_known(name) && row.kind == ProviderKind::Openai);
        let search = named.map(|(name, _)| name.as_str()).chain(providers::KNOWN.map(|(name, _)| name));
        Self {
            server: config.server.clone(),
            providers: config.providers.clone(),
            search: search.map(str::to_owned).collect(),
            routes: config.routes.clone(),
            model: config.model.clone(),
        }
    }
}

/// A server to ask, with its name and address.
#[derive(Clone)]
struct Seat {
    name: String,
    url: String,
    provider: Arc<dyn Provider>,
}

/// The one door to models.
pub struct Gateway {
    config: GatewayConfig,
    keys: Keys,
    /// None for a gateway with a fixed provider.
    http: Option<Http>,
    fixed: Option<Seat>,
    retry: Retry,
    seats: Mutex<HashMap<String, Seat>>,
    lists: Mutex<HashMap<String, (Instant, Vec<ModelInfo>)>>,
    found: tokio::sync::Mutex<Option<Vec<Found>>>,
    answers: AtomicU64,
}

impl Gateway {
    /// Builds the gateway; nothing is asked yet.
    pub fn new(config: GatewayConfig, keys: Keys, http: Http) -> Self {
        let within = http.limits.first_byte;
        let retry = Retry { max: config.model.max_retries, within, ..Retry::default() };
        Self::of(config, keys, Some(http), retry)
    }

    /// Builds a gateway whose tasks all go to `provider`: for tests and the demo. It repeats without real waits, since
    /// there is no server to be spared.
    pub fn with_provider(name: &str, provider: Arc<dyn Provider>) -> Self {
        let (base, cap) = (Duration::from_millis(1), Duration::from_millis(5));
        let retry = Retry { base, cap, ..Retry::default() };
        let mut gateway = Self::of(no_config(), Box::new(|_, _| None), None, retry);
        gateway.fixed = Some(Seat { name: name.to_owned(), url: String::new(), provider });
        gateway
    }

    fn of(config: GatewayConfig, keys: Keys, http: Option<Http>, retry: Retry) -> Self {
        Self {
            config,
            keys,
            http,
            fixed: None,
            retry,
            seats: Mutex::default(),
            lists: Mutex::default(),
            found: tokio::sync::Mutex::default(),
            answers: AtomicU64::new(0),
        }
    }

    /// Changes when requests are repeated.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Finds out who carries out `task`. `wanted` is `model` or `provider/model` from the command line and is taken
    /// literally; a model from the configuration may be stood in for, which the note of the route says.
    pub async fn resolve(&self, task: Task, wanted: Option<&str>) -> Result<Route, ModelError> {
        let target = self.target(task, wanted)?;
        let is_fixed_choice = wanted.is_some() || (target.provider.is_none() && self.is_server_model(&target.model));
        match (&self.fixed, &target.provider) {
            (Some(seat), _) => self.settle(seat, task, &target.model, Choice::of(wanted.is_some())).await,
            (None, Some(name)) => self.settle(&self.named(name)?, task, &target.model, Choice::Literal).await,
            (None, None) if self.config.server.url.is_empty() => {
                self.search(task, &target.model, wanted.is_some()).await
            }
            (None, None) => self.settle(&self.server()?, task, &target.model, Choice::of(is_fixed_choice)).await,
        }
    }

    /// Asks the model of `route`. Dropping the stream, or cancelling, ends the request.
    pub fn stream(&self, route: &Route, request: Request, cancel: CancellationToken) -> BoxStream<'static, Progress> {
        let provider = match self.seat_of(route) {
            Ok(seat) => seat.provider,
            Err(error) => return Box::pin(futures_util::stream::iter([Progress::Failed(error)])),
        };
        // The number of answers grows with the conversation, the counter with every question of this process: together
        // they do not repeat within a session, whether it is compacted or resumed.
        let answered = request.messages.iter().filter(|message| matches!(message, Message::Assistant { .. })).count();
        let id_prefix = format!("{answered}_{}", self.answers.fetch_add(1, Ordering::Relaxed));
        ask(Question { provider, request, id_prefix, retry: self.retry, cancel })
    }

    /// Turns texts into vectors with the model of `route`, in their order. Not repeated: indexing goes on later.
    pub async fn embed(
        &self,
        route: &Route,
        texts: Vec<String>,
        cancel: &CancellationToken,
    ) -> Result<Vec<Vec<f32>>, ModelError> {
        let seat = self.seat_of(route)?;
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ModelError::Cancelled),
            vectors = seat.provider.embed(route.model.clone(), texts) => vectors,
        }
    }

    /// Lists the models of a provider; `server` for the one behind `server.url`.
    pub async fn models(&self, provider: &str) -> Result<Vec<ModelInfo>, ModelError> {
        let seat = match &self.fixed {
            Some(seat) => seat.clone(),
            None if provider == SERVER => self.server()?,
            None => self.named(provider)?,
        };
        seat.provider.models().await
    }

    /// Asks all places that are searched, for `mimi doctor`.
    pub async fn look_around(&self) -> Vec<Found> {
        let Some(http) = Http::new(discover::PROBE).ok().filter(|_| self.fixed.is_none()) else {
            return Vec::new();
        };
        let candidates = self.config.search.iter().filter_map(|name| self.candidate(name, &http));
        discover::localhost(candidates.collect()).await
    }

    fn candidate(&self, name: &str, http: &Http) -> Option<Candidate> {
        let seat = self.build(name, self.config.providers.get(name)?, http).ok()?;
        let title = providers::title(name).to_owned();
        Some(Candidate { name: seat.name, title, url: seat.url, provider: seat.provider })
    }

    fn is_server_model(&self, model: &str) -> bool {
        !self.config.server.model.is_empty() && self.config.server.model == model
    }

    /// Decides which provider and model are meant, without asking anybody.
    fn target(&self, task: Task, wanted: Option<&str>) -> Result<Target, ModelError> {
        let is_provider = |name: &str| self.config.providers.contains_key(name);
        if let Some(wanted) = wanted {
            return Ok(route::parse(wanted, is_provider));
        }
        let text = self.config.routes.get(&task).map_or("", String::as_str);
        let target = route::parse(text, is_provider);
        if let (None, Some((name, _))) = (&target.provider, text.split_once('/'))
            && name != AUTO
        {
            return Err(self.unknown_provider(name));
        }
        let is_for_person = matches!(task, Task::Chat | Task::Fix | Task::Plan | Task::Review);
        if target.provider.is_none() && is_for_person && !self.config.server.model.is_empty() {
            return Ok(Target { provider: None, model: self.config.server.model.clone() });
        }
        Ok(target)
    }

    fn unknown_provider(&self, name: &str) -> ModelError {
        let names: Vec<&str> = self.config.providers.keys().map(String::as_str).collect();
        let hint = match text::nearest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("name it under `providers` in config.yaml: {name}: {{kind: openai, base_url: ...}}"),
        };
        let source = Cause(format!("there are: {}", names.join(", ")));
        ModelError::Misconfigured { what: format!("there is no provider `{name}`"), hint, source }
    }

    /// Looks for a server that has `model`, else takes the first that has any.
    async fn search(&self, task: Task, model: &str, is_literal: bool) -> Result<Route, ModelError> {
        let found = self.found().await;
        let usable: Vec<&Found> =
            found.iter().filter(|found| found.models.as_ref().is_ok_and(|list| !list.is_empty())).collect();
        let has_model = |found: &&&Found| found.models.as_ref().is_ok_and(|list| route::find(model, list).is_some());
        let Some(best) = usable.iter().find(has_model).or_else(|| usable.first()) else {
            return Err(nothing_found(task, &found));
        };
        let seat = self.named(&best.name)?;
        let mut route = self.settle(&seat, task, model, Choice::of(is_literal)).await?;
        let found = format!("found {} at {}, using {}", best.title, best.url, route.model);
        route.note = Some(match route.note {
            Some(note) => format!("{found}: {note}"),
            None => found,
        });
        Ok(route)
    }

    async fn found(&self) -> Vec<Found> {
        let mut kept = self.found.lock().await;
        if let Some(found) = kept.as_ref() {
            return found.clone();
        }
        let found = self.look_around().await;
        // Nothing found is not kept: the user may start a server meanwhile.
        if found.iter().any(|found| found.models.is_ok()) {
            *kept = Some(found.clone());
        }
        found
    }

    /// Settles the model on a server that is known by now.
    async fn settle(&self, seat: &Seat, task: Task, model: &str, choice: Choice) -> Result<Route, ModelError> {
        let served = self.list(seat).await?;
        let route = |model: &ModelInfo, note| Route {
            provider: seat.name.clone(),
            url: seat.url.clone(),
            window_tokens: self.window(model),
            row: catalog::row(&model.id),
            model: model.id.clone(),
            note,
        };
        if let Some(found) = route::find(model, &served) {
            return Ok(route(found, None));
        }
        // A server that lists nothing may still answer to a name.
        if served.is_empty() && !model.is_empty() {
            return Ok(route(&ModelInfo { id: model.to_owned(), window_tokens: None }, None));
        }
        let missing = || ModelError::NoModel {
            url: seat.url.clone(),
            model: model.to_owned(),
            available: served.iter().map(|model| model.id.clone()).collect(),
        };
        if choice == Choice::Literal && !model.is_empty() {
            return Err(missing());
        }
        let stand_in = route::stand_in(task, &self.preferred(), &served).ok_or_else(missing)?;
        let note = format!("`{model}` is not served at {}, using `{}` for {}", seat.url, stand_in.id, task.name());
        let is_plain = model.is_empty() || self.fixed.is_some();
        Ok(route(stand_in, (!is_plain).then_some(note)))
    }

    /// Returns the models to be preferred as stand-ins, in order.
    fn preferred(&self) -> Vec<&str> {
        let routed = Task::ALL.iter().filter_map(|task| self.config.routes.get(task));
        let models = routed.map(|route| route.split_once('/').map_or(route.as_str(), |(_, model)| model));
        std::iter::once(self.config.server.model.as_str()).chain(models).collect()
    }

    fn window(&self, model: &ModelInfo) -> u64 {
        match self.config.model.window_tokens {
            0 => model.window_tokens.unwrap_or_else(|| catalog::row(&model.id).window_tokens),
            configured => configured,
        }
    }

    async fn list(&self, seat: &Seat) -> Result<Vec<ModelInfo>, ModelError> {
        if let Some((at, list)) = lock(&self.lists).get(&seat.url)
            && at.elapsed() < LIST_AGE
            && self.fixed.is_none()
        {
            return Ok(list.clone());
        }
        let list = match seat.provider.models().await {
            Ok(list) => list,
            // Some gateways have no list of models; their users name one.
            Err(ModelError::Refused { status: 404 | 405 | 501, .. }) => Vec::new(),
            Err(error) => return Err(error),
        };
        lock(&self.lists).insert(seat.url.clone(), (Instant::now(), list.clone()));
        Ok(list)
    }

    fn seat_of(&self, route: &Route) -> Result<Seat, ModelError> {
        match &self.fixed {
            Some(seat) => Ok(seat.clone()),
            None if route.provider == SERVER => self.server(),
            None => self.named(&route.provider),
        }
    }

    fn server(&self) -> Result<Seat, ModelError> {
        let url = normalise_url(&self.config.server.url)?;
        let same = |row: &&ProviderConfig| normalise_url(&row.base_url).is_ok_and(|other| other == url);
        // A named provider of the same address brings its key and headers.
        let row = self.config.providers.values().find(same).cloned().unwrap_or(ProviderConfig {
            kind: ProviderKind::Openai,
            base_url: url,
            api_key_env: SERVER_KEY_ENV.to_owned(),
            headers: BTreeMap::new(),
        });
        self.seat(SERVER, &row)
    }

    fn named(&self, name: &str) -> Result<Seat, ModelError> {
        let row = self.config.providers.get(name).ok_or_else(|| self.unknown_provider(name))?;
        self.seat(name, row)
    }

    /// Returns the provider of a row, built once so that a script keeps its place.
    fn seat(&self, name: &str, row: &ProviderConfig) -> Result<Seat, ModelError> {
        if let Some(seat) = lock(&self.seats).get(name) {
            return Ok(seat.clone());
        }
        let http = self.http.as_ref().ok_or_else(|| self.unknown_provider(name))?;
        let seat = self.build(name, row, http)?;
        lock(&self.seats).insert(name.to_owned(), seat.clone());
        Ok(seat)
    }

    fn build(&self, name: &str, row: &ProviderConfig, http: &Http) -> Result<Seat, ModelError> {
        let key = (self.keys)(name, &row.api_key_env).map(SecretString::from);
        let provider = providers::build(Setup { row, key, http })?;
        let url = match row.kind {
            ProviderKind::Openai => normalise_url(&row.base_url)?,
            ProviderKind::Script => row.base_url.clone(),
        };
        Ok(Seat { name: name.to_owned(), url, provider })
    }
}

/// Whether a model that is missing may be stood in for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Choice {
    Literal,
    Flexible,
}

impl Choice {
    fn of(is_literal: bool) -> Self {
        if is_literal { Self::Literal } else { Self::Flexible }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The configuration of a gateway with a fixed provider, which looks nothing up.
fn no_config() -> GatewayConfig {
    GatewayConfig {
        server: ServerConfig { url: String::new(), model: String::new() },
        providers: BTreeMap::new(),
        search: Vec::new(),
        routes: BTreeMap::new(),
        model: ModelConfig {
            max_output_tokens: 8192,
            window_tokens: 0,
            connect_timeout_s: 5,
            first_byte_timeout_s: 600,
            idle_timeout_s: 120,
            max_retries: 4,
        },
    }
}

/// Explains in three lines how to name a server, or to do without.
fn nothing_found(task: Task, found: &[Found]) -> ModelError {
    if let Some(Found { models: Err(error @ ModelError::Auth { .. }), .. }) =
        found.iter().find(|found| matches!(found.models, Err(ModelError::Auth { .. })))
    {
        return error.clone();
    }
    ModelError::NotConfigured {
        task: task.name().to_owned(),
        hints: vec![
            "name a server: export MIMI_SERVER_URL=http://HOST:8000/v1".to_owned(),
            "or in ~/.config/mimi/config.yaml: server: {url: \"http://HOST:8000/v1\"}".to_owned(),
            "or see mimi work without one: mimi demo".to_owned(),
        ],
        source: Cause(discover::describe(found)),
    }
}
