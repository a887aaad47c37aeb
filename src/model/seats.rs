//! Where does a provider's name lead, with which key, and which models are there?
//!
//! Builds each provider once, from its row of the configuration, and remembers the lists of models for a minute. The
//! only file that asks for keys; they go into the provider's headers and nowhere else.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use secrecy::SecretString;

use crate::base::text;
use crate::config::schema::{ProviderConfig, ProviderKind};
use crate::model::discover::{self, Candidate, Found};
use crate::model::error::{Cause, ModelError};
use crate::model::providers::http::{Http, base_url, normalise_url};
use crate::model::providers::{self, Setup};
use crate::model::{ModelInfo, Provider};

/// The name of the provider behind `server.url`.
pub const SERVER: &str = crate::config::sense::URL_PROVIDER;
/// Where the key for `server.url` is read from when no named provider has the same address.
pub const SERVER_KEY_ENV: &str = "MIMI_API_KEY";

/// How long a list of models is believed, so that each turn need not ask again.
const LIST_AGE: Duration = Duration::from_secs(60);

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
}

enum Source {
    /// Every name leads here.
    Fixed(Seat),
    Rows(Box<Plan>),
}

/// All providers by name.
pub struct Seats {
    source: Source,
    built: Mutex<HashMap<String, Seat>>,
    lists: Mutex<HashMap<String, (Instant, Vec<ModelInfo>)>>,
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
        Self { source, built: Mutex::default(), lists: Mutex::default() }
    }

    /// Returns the provider `name`, built once so that a script keeps its place.
    pub fn get(&self, name: &str) -> Result<Seat, ModelError> {
        let plan = match &self.source {
            Source::Fixed(seat) => return Ok(seat.clone()),
            Source::Rows(plan) => plan,
        };
        if let Some(seat) = lock(&self.built).get(name) {
            return Ok(seat.clone());
        }
        let seat = if name == SERVER { plan.build_server(ProviderKind::default())? } else { plan.build_named(name)? };
        lock(&self.built).insert(name.to_owned(), seat.clone());
        Ok(seat)
    }

    /// As [`Seats::get`]; the server of `server.url` is asked first what it speaks, where its address leaves that open.
    pub async fn find(&self, name: &str) -> Result<Seat, ModelError> {
        if let Source::Rows(plan) = &self.source
            && name == SERVER
            && !lock(&self.built).contains_key(SERVER)
            && let Some(kind) = plan.sense_server().await
        {
            let seat = plan.build_server(kind)?;
            lock(&self.built).insert(SERVER.to_owned(), seat);
        }
        self.get(name)
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

    /// Asks the providers in `names` at once for their models, waiting briefly.
    pub async fn look_around(&self, names: &[String]) -> Vec<Found> {
        match (&self.source, Http::new(discover::PROBE)) {
            (Source::Rows(plan), Ok(http)) => {
                discover::localhost(names.iter().filter_map(|name| plan.candidate(name, &http)).collect()).await
            }
            _ => Vec::new(),
        }
    }
}

impl Plan {
    fn build_named(&self, name: &str) -> Result<Seat, ModelError> {
        let row = self.rows.get(name).ok_or_else(|| unknown_provider(name, &self.rows))?;
        self.build(name, row, &self.http)
    }

    /// Finds out what the server of `server.url` speaks; `None` when it does not say, or when a named provider of the same
    /// address says it already.
    async fn sense_server(&self) -> Option<ProviderKind> {
        let may_be_ollama = discover::may_be_ollama(&self.server_url) && self.named_like_server().is_none();
        let http = Http::new(discover::PROBE).ok().filter(|_| may_be_ollama)?;
        discover::is_ollama(&http, &self.server_url).await.then_some(ProviderKind::Ollama)
    }

    fn named_like_server(&self) -> Option<(&String, &ProviderConfig)> {
        let url = normalise_url(&self.server_url).ok()?;
        self.rows.iter().find(|(_, row)| normalise_url(&row.base_url).is_ok_and(|other| other == url))
    }

    /// Builds the provider of `server.url`, which speaks `kind`. A named provider of the same address lends its wire, key
    /// and headers.
    fn build_server(&self, kind: ProviderKind) -> Result<Seat, ModelError> {
        let url = normalise_url(&self.server_url)?;
        let seat = match self.named_like_server() {
            Some((name, row)) => self.build(name, row, &self.http)?,
            None => {
                let api_key_env = SERVER_KEY_ENV.to_owned();
                let row = ProviderConfig { api_key_env, ..ProviderConfig::new(kind, url) };
                self.build(SERVER, &row, &self.http)?
            }
        };
        Ok(Seat { name: SERVER.to_owned(), ..seat })
    }

    fn build(&self, name: &str, row: &ProviderConfig, http: &Http) -> Result<Seat, ModelError> {
        let key = (self.keys)(name, &row.api_key_env).map(SecretString::from);
        let provider = providers::build(Setup { name, row, key, http })?;
        Ok(Seat { name: name.to_owned(), url: base_url(row)?, provider })
    }

    fn candidate(&self, name: &str, http: &Http) -> Option<Candidate> {
        let row = self.rows.get(name)?;
        let seat = self.build(name, row, http).ok()?;
        let title = if row.title.is_empty() { name } else { &row.title }.to_owned();
        Some(Candidate { name: seat.name, title, url: seat.url, provider: seat.provider })
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
