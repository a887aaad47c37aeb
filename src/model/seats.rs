//! Where does a provider's name lead, with which key, and which models are there?
//!
//! Builds each provider once, from its row of the configuration, and remembers the lists of models for a minute. Behind
//! `server.url` the server itself decides which wire is spoken; a row decides for itself. The only file that asks for
//! keys; they go into the provider's headers and nowhere else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::base::fault::Fault;
use crate::base::text;
use crate::config::schema::{ProviderConfig, ProviderKind};
use crate::model::discover::{self, Candidate, Found};
use crate::model::error::{Cause, ModelError};
use crate::model::probe::survey::{Known, Survey};
use crate::model::providers::egress::Dial;
use crate::model::providers::http::{Endpoint, Http, normalise_url};
use crate::model::providers::{self, Setup};
use crate::model::route::Route;
use crate::model::sight::{Seen, Sight};
use crate::model::watch::{Site, Watch};
use crate::model::{ModelInfo, Provider};
use crate::protocol::server::{ServerFacts, ServerKind, ServerStatus};

/// The name of the provider behind `server.url`.
pub const SERVER: &str = crate::config::sense::URL_PROVIDER;
/// Where the key for `server.url` is read from when no named provider has the same address.
pub const SERVER_KEY_ENV: &str = "MIMI_API_KEY";

/// How long a list of models is believed, so that each turn need not ask again.
const LIST_AGE: Duration = Duration::from_secs(60);

/// Time for asking one server about its present state.
pub const PRESENT: Duration = Duration::from_millis(1500);

/// Looks a key up, by the provider's name and the environment variable its row names.
pub type Keys = Box<dyn Fn(&str, &str) -> Option<String> + Send + Sync>;

/// A provider with its name and address.
#[derive(Clone)]
pub struct Seat {
    /// The provider's name.
    pub name: String,
    /// Its base URL; empty for one that has none.
    pub url: String,
    /// Answers requests.
    pub provider: Arc<dyn Provider>,
    /// What it was taken for when it was built.
    pub kind: Option<ServerKind>,
}

/// What the seats are built from.
pub struct Plan {
    /// The address of `server`; empty when there is none.
    pub server_url: String,
    /// The rows of the configuration.
    pub rows: BTreeMap<String, ProviderConfig>,
    /// Looks keys up.
    pub keys: Keys,
    /// The shared HTTP client.
    pub http: Http,
    /// Finds out what is behind an address.
    pub survey: Arc<Survey>,
}

/// A server that was asked what it has.
pub struct Met {
    /// The provider.
    pub seat: Seat,
    /// Its models; none when it has no list.
    pub served: Vec<ModelInfo>,
    /// What else is known about it; nothing for one that is no server.
    pub facts: Option<ServerFacts>,
    /// Windows learned from its refusals, by model.
    pub learned: BTreeMap<String, u64>,
}

/// The row behind a name with its key, looked up once: a keyring may be slow.
struct Address {
    /// The name its key is stored under.
    key_name: String,
    row: ProviderConfig,
    key: Option<SecretString>,
    http: Http,
    /// None for what is no server.
    endpoint: Option<Endpoint>,
    /// Whether the server decides which wire is spoken.
    is_open: bool,
}

enum Source {
    /// Every name leads here.
    Fixed(Seat),
    Rows(Box<Plan>),
}

/// Models by address, and since when they are known.
type Lists = HashMap<String, (Instant, Vec<ModelInfo>)>;

/// All providers by name.
pub struct Seats {
    source: Source,
    addresses: Mutex<HashMap<String, Arc<Address>>>,
    built: Mutex<HashMap<String, Seat>>,
    lists: Arc<Mutex<Lists>>,
    watch: Arc<Watch>,
    seen: Arc<Seen>,
}

impl Seats {
    /// Leads every name to `seat`.
    pub fn fixed(seat: Seat) -> Self {
        Self::of(Source::Fixed(seat))
    }

    /// Leads names to the rows of the configuration.
    pub fn new(plan: Plan) -> Self {
        Self::of(Source::Rows(Box::new(plan)))
    }

    fn of(source: Source) -> Self {
        let (addresses, built, lists) = (Mutex::default(), Mutex::default(), Arc::default());
        Self { source, addresses, built, lists, watch: Arc::default(), seen: Arc::default() }
    }

    /// Returns the provider `name`, built once so that a script keeps its place. Behind `server.url` it speaks what is
    /// remembered of the server: [`Seats::meet`] comes first.
    pub fn get(&self, name: &str) -> Result<Seat, ModelError> {
        let plan = match &self.source {
            Source::Fixed(seat) => return Ok(seat.clone()),
            Source::Rows(plan) => plan,
        };
        if let Some(seat) = lock(&self.built).get(name) {
            return Ok(seat.clone());
        }
        let address = self.address(plan, name)?;
        let url = address.endpoint.as_ref().map_or("", |endpoint| &endpoint.url);
        let kind = plan.survey.remembered(url).map(|entry| entry.facts.kind);
        self.build(name, &address, kind)
    }

    /// Asks the provider `name` what it has, and what it is where that is not known yet.
    pub async fn meet(&self, name: &str) -> Result<Met, ModelError> {
        let Source::Rows(plan) = &self.source else { return self.meet_plain(self.get(name)?).await };
        let address = self.address(plan, name)?;
        let Some(endpoint) = &address.endpoint else { return self.meet_plain(self.get(name)?).await };
        let mut known = plan.survey.facts(&address.http, endpoint).await;
        let mut seat = match self.speak(name, &address, known.as_ref()) {
            Ok(seat) => seat,
            // What is remembered does not fit what is configured; it may be right again by now.
            Err(_) => {
                known = plan.survey.ask(&address.http, endpoint).await.or(known);
                self.speak(name, &address, known.as_ref())?
            }
        };
        self.take_list(&seat, &address, known.as_ref());
        let mut served = self.models(&seat).await;
        if is_doubtful(known.as_ref(), &served) {
            // Another server, or another set of models, than when it was asked last.
            known = plan.survey.ask(&address.http, endpoint).await.or(known);
            lock(&self.lists).remove(&seat.url);
            seat = self.speak(name, &address, known.as_ref())?;
            self.take_list(&seat, &address, known.as_ref());
            served = self.models(&seat).await;
        }
        let learned = plan.survey.remembered(&endpoint.url).map(|entry| entry.learned).unwrap_or_default();
        Ok(Met { seat, served: served?, facts: known.map(|known| known.facts), learned })
    }

    /// Takes the list of models from a probe that was made right now, instead of asking for it again.
    fn take_list(&self, seat: &Seat, address: &Address, known: Option<&Known>) {
        let Some(Known { facts, is_new: true }) = known else { return };
        // Only the provider knows of a window that it will have allocated.
        if address.row.num_ctx.is_some() {
            return;
        }
        let list =
            facts.models.iter().map(|model| ModelInfo { id: model.id.clone(), window_tokens: model.window_tokens });
        let list: Vec<ModelInfo> = list.collect();
        if !list.is_empty() {
            lock(&self.lists).insert(seat.url.clone(), (Instant::now(), list));
        }
    }

    async fn meet_plain(&self, seat: Seat) -> Result<Met, ModelError> {
        Ok(Met { served: self.models(&seat).await?, seat, facts: None, learned: BTreeMap::new() })
    }

    /// Asks the provider `name` what it is and how busy it is now, whatever is remembered; takes at most [`PRESENT`].
    pub async fn present(&self, name: &str) -> ServerStatus {
        let mut status = ServerStatus { name: name.to_owned(), ..ServerStatus::default() };
        let Source::Rows(plan) = &self.source else { return status };
        let address = match self.address(plan, name) {
            Ok(address) => address,
            Err(error) => return ServerStatus { problem: Some(Fault::from(error).line()), ..status },
        };
        status.is_named = name == SERVER || address.row.search.is_none();
        let Some(endpoint) = &address.endpoint else {
            return ServerStatus { url: address.row.base_url.clone(), ..status };
        };
        status.url.clone_from(&endpoint.url);
        let until = tokio::time::Instant::now() + PRESENT;
        let known = tokio::time::timeout_at(until, plan.survey.ask(&address.http, endpoint)).await;
        let Ok(Some(known)) = known else {
            status.problem = Some(self.why_absent(name, until).await);
            return status;
        };
        match self.speak(name, &address, Some(&known)) {
            Ok(seat) if !known.facts.models.is_empty() => self.take_list(&seat, &address, Some(&known)),
            // It shows what it is to everybody and what it has only to those with a key.
            Ok(_) => status.problem = Some(self.why_absent(name, until).await),
            Err(error) => status.problem = Some(Fault::from(error).line()),
        }
        let learned = plan.survey.remembered(&endpoint.url).map(|entry| entry.learned);
        status.learned = learned.unwrap_or_default();
        if let Some(site) = address.site(known.facts.kind).filter(Site::can_be_seen) {
            status.load = self.watch.measure(&site, until).await;
        }
        ServerStatus { facts: Some(known.facts), ..status }
    }

    /// Says why a server shows nothing of itself, in the words of a request that was made to it.
    async fn why_absent(&self, name: &str, until: tokio::time::Instant) -> String {
        let asked = async {
            let seat = self.get(name)?;
            seat.provider.models().await
        };
        // A server that refuses does so at once; one that is silent has had its time.
        let until = until.max(tokio::time::Instant::now() + Duration::from_millis(100));
        match tokio::time::timeout_at(until, asked).await {
            Ok(Ok(list)) if list.is_empty() => "it has no models".to_owned(),
            Ok(Ok(_)) => "it does not say what it is".to_owned(),
            Ok(Err(error)) => Fault::from(error).line(),
            Err(_) => "it does not answer in time".to_owned(),
        }
    }

    /// Returns the view on the server of `route`; none for what is no server.
    pub fn sight(&self, route: &Route) -> Option<Sight> {
        let Source::Rows(plan) = &self.source else { return None };
        let address = self.address(plan, &route.provider).ok()?;
        let site = address.site(route.server.kind)?;
        let (watch, survey, seen) = (self.watch.clone(), plan.survey.clone(), self.seen.clone());
        Some(Sight { watch, survey, seen, site, model: route.model.clone() })
    }

    /// Forgets what is behind a provider, so that it is found out again.
    pub fn forget(&self, name: &str, url: &str) {
        let Source::Rows(plan) = &self.source else { return };
        plan.survey.forget(url);
        lock(&self.lists).remove(url);
        lock(&self.built).remove(name);
    }

    /// Returns what hears of failures at `url`: after one that speaks of another server or another set of models than was
    /// thought, it is asked about both before it is used again.
    pub fn doubts(&self, url: &str) -> impl Fn(&ModelError) + Send + 'static {
        let survey = match &self.source {
            Source::Fixed(_) => None,
            Source::Rows(plan) => Some(plan.survey.clone()),
        };
        let (lists, url) = (self.lists.clone(), url.to_owned());
        move |error| {
            if let Some(survey) = survey.as_ref().filter(|_| is_strange(error)) {
                lock(&lists).remove(&url);
                survey.doubt(&url);
            }
        }
    }

    /// Keeps a window that the refusal of a server gave away.
    pub fn learn_window(&self, url: &str, model: &str, tokens: u64) {
        if let Source::Rows(plan) = &self.source {
            plan.survey.learn_window(url, model, tokens);
        }
    }

    /// Returns the provider that speaks what the server understands.
    fn speak(&self, name: &str, address: &Address, known: Option<&Known>) -> Result<Seat, ModelError> {
        let kind = known.map(|known| known.facts.kind);
        if let Some(kind) = kind.filter(|kind| *kind != ServerKind::Openai)
            && !address.is_open
            && !providers::wires(kind).contains(&address.row.kind)
        {
            return Err(wrong_kind(name, address, kind));
        }
        let built = lock(&self.built).get(name).cloned();
        match built.filter(|seat| kind.is_none() || kind == seat.kind) {
            Some(seat) => Ok(seat),
            None => self.build(name, address, kind),
        }
    }

    fn build(&self, name: &str, address: &Address, kind: Option<ServerKind>) -> Result<Seat, ModelError> {
        let seat = address.seat(name, kind)?;
        lock(&self.built).insert(name.to_owned(), seat.clone());
        Ok(seat)
    }

    fn address(&self, plan: &Plan, name: &str) -> Result<Arc<Address>, ModelError> {
        if let Some(address) = lock(&self.addresses).get(name) {
            return Ok(address.clone());
        }
        let address = Arc::new(if name == SERVER { plan.server_address()? } else { plan.named_address(name)? });
        lock(&self.addresses).insert(name.to_owned(), address.clone());
        Ok(address)
    }

    /// Lists the models of a provider, from memory for a while.
    pub async fn models(&self, seat: &Seat) -> Result<Vec<ModelInfo>, ModelError> {
        if let Some((at, list)) = lock(&self.lists).get(&seat.url)
            && at.elapsed() < LIST_AGE
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

    /// Lists what may be connected to; nothing for a provider in process.
    pub fn may_dial(&self) -> Vec<Dial> {
        match &self.source {
            Source::Rows(plan) => plan.http.may_dial(),
            Source::Fixed(_) => Vec::new(),
        }
    }

    /// Asks the providers in `names` at once for their models, waiting briefly.
    pub async fn look_around(&self, names: &[String]) -> Vec<Found> {
        let Source::Rows(plan) = &self.source else { return Vec::new() };
        match plan.http.with_limits(discover::PROBE) {
            Ok(http) => {
                discover::localhost(names.iter().filter_map(|name| plan.candidate(name, &http)).collect()).await
            }
            Err(_) => Vec::new(),
        }
    }
}

impl Plan {
    fn named_address(&self, name: &str) -> Result<Address, ModelError> {
        let row = self.rows.get(name).ok_or_else(|| unknown_provider(name, &self.rows))?;
        self.address(name, row, &self.http_of(row)?)
    }

    /// Returns the client with the limits of one server.
    fn http_of(&self, row: &ProviderConfig) -> Result<Http, ModelError> {
        self.http.with_limits(self.http.limits.with(row.timeouts))
    }

    /// Finds the row of `server.url`. A named provider of the same address lends its key and headers, and one the user
    /// wrote its wire.
    fn server_address(&self) -> Result<Address, ModelError> {
        let url = normalise_url(&self.server_url)?;
        let is_same = |row: &ProviderConfig| normalise_url(&row.base_url).is_ok_and(|other| other == url);
        match self.rows.iter().find(|(_, row)| is_same(row)) {
            Some((name, row)) => {
                // Only the rows mimi comes with say in which order they are searched.
                let is_open = row.search.is_some();
                Ok(Address { is_open, ..self.address(name, row, &self.http_of(row)?)? })
            }
            None => {
                let api_key_env = SERVER_KEY_ENV.to_owned();
                let row = ProviderConfig { api_key_env, ..ProviderConfig::new(ProviderKind::Openai, url) };
                Ok(Address { is_open: true, ..self.address(SERVER, &row, &self.http)? })
            }
        }
    }

    fn address(&self, name: &str, row: &ProviderConfig, http: &Http) -> Result<Address, ModelError> {
        let key = (self.keys)(name, &row.api_key_env).map(SecretString::from);
        let endpoint = match row.kind {
            ProviderKind::Script => None,
            _ => Some(Endpoint::new(name, row, key.as_ref())?),
        };
        let http = match &endpoint {
            Some(endpoint) => http.through(&row.proxy)?.reaching(&endpoint.url)?,
            None => http.clone(),
        };
        Ok(Address { key_name: name.to_owned(), row: row.clone(), key, http, endpoint, is_open: false })
    }

    fn candidate(&self, name: &str, http: &Http) -> Option<Candidate> {
        let row = self.rows.get(name)?;
        let seat = self.address(name, row, http).and_then(|address| address.seat(name, None)).ok()?;
        let title = if row.title.is_empty() { name } else { &row.title }.to_owned();
        Some(Candidate { name: seat.name, title, url: seat.url, provider: seat.provider })
    }
}

impl Address {
    fn site(&self, kind: ServerKind) -> Option<Site> {
        let (http, metrics_url) = (self.http.clone(), self.row.metrics_url.clone());
        Some(Site { http, endpoint: self.endpoint.clone()?, kind, metrics_url })
    }

    /// Builds the provider: of the wire its row names, or of the one that a server of this kind understands best.
    fn seat(&self, name: &str, kind: Option<ServerKind>) -> Result<Seat, ModelError> {
        let best = kind.filter(|_| self.is_open).and_then(|kind| providers::wires(kind).first().copied());
        let row = ProviderConfig { kind: best.unwrap_or(self.row.kind), ..self.row.clone() };
        let setup = Setup { name: &self.key_name, row: &row, key: self.key.clone(), http: &self.http, server: kind };
        let url = self.endpoint.as_ref().map_or(&self.row.base_url, |endpoint| &endpoint.url).clone();
        Ok(Seat { name: name.to_owned(), url, provider: providers::build(setup)?, kind })
    }
}

/// Says whether no server answers so that is what it was taken for and has what it was thought to have.
pub fn is_strange(error: &ModelError) -> bool {
    match error {
        ModelError::NoModel { .. } => true,
        ModelError::Refused { status, .. } => matches!(status, 200..300 | 404 | 405 | 501),
        _ => false,
    }
}

/// Says whether what a server lists, or refuses to list, does not fit what is remembered of it.
fn is_doubtful(known: Option<&Known>, served: &Result<Vec<ModelInfo>, ModelError>) -> bool {
    let Some(Known { facts, is_new: false }) = known else { return false };
    match served {
        Ok(served) => {
            let listed = served.iter().all(|model| facts.model(&model.id).is_some());
            !listed || served.len() != facts.models.len()
        }
        Err(error) => matches!(error, ModelError::Refused { .. } | ModelError::Broken { .. }),
    }
}

/// Reports a row whose wire the server does not understand.
fn wrong_kind(name: &str, address: &Address, kind: ServerKind) -> ModelError {
    let word = |wire: &ProviderKind| format!("{wire:?}").to_lowercase();
    let right = providers::wires(kind).first().map(word).unwrap_or_default();
    ModelError::Misconfigured {
        what: format!(
            "the provider `{name}` is of the kind `{}`, but {} answers there",
            word(&address.row.kind),
            kind.title()
        ),
        hint: format!("in config.yaml: providers: {{{name}: {{kind: {right}}}}}"),
        source: Cause(format!("asked at {}", address.row.base_url)),
    }
}

/// Reports a name that no row has.
pub fn unknown_provider(name: &str, rows: &BTreeMap<String, ProviderConfig>) -> ModelError {
    let names: Vec<&str> = rows.keys().map(String::as_str).collect();
    let hint = match text::nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("name it under `providers` in config.yaml: {name}: {{kind: openai, base_url: ...}}"),
    };
    let source = Cause(format!("there are: {}", names.join(", ")));
    ModelError::Misconfigured { what: format!("there is no provider `{name}`"), hint, source }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
