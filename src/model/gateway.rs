//! Which server carries out a task, and how does everybody else get there?
//!
//! The one door to models: it turns a task into a [`Route`], builds providers with their keys, and asks ([`ask`]).
//! Nobody else calls a provider or knows a key. It keeps no conversation; requests come complete and in order.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::stream::{BoxStream, StreamExt as _};
use tokio_util::sync::CancellationToken;

use crate::base::clock::SystemClock;
use crate::config::schema::InRequests;
use crate::model::around::Around;
use crate::model::ask::{Progress, Question, ask};
use crate::model::cache::{self, Cache, Words};
use crate::model::discover::{self, Found};
use crate::model::error::ModelError;
use crate::model::fallback::REST;
use crate::model::fim::{Fill, Filling};
use crate::model::guard::{all_veiled, guarded, veil_for};
use crate::model::meter::{Account, Meter, NoMeter, Purpose};
use crate::model::present::{self, Status};
use crate::model::probe::book::Book;
use crate::model::probe::survey::Survey;
use crate::model::profile::Profiles;
use crate::model::providers::egress::Dial;
use crate::model::providers::http::Http;
use crate::model::retry::{Budget, Retry};
use crate::model::route::{self, Route, Target};
use crate::model::seats::{Keys, Plan, SERVER, Seat, Seats, is_strange};
use crate::model::settings::GatewayConfig;
use crate::model::sight::Sight;
use crate::model::slots::{Gate, Slots};
use crate::model::{Answer, ModelInfo, Provider, Request};
use crate::protocol::message::{Message, Usage};
use crate::protocol::task::{Class, Task};

/// Time for [`Gateway::status`]: somebody waits for it at a prompt.
const STATUS: Duration = Duration::from_millis(1900);

/// The one door to models.
pub struct Gateway {
    /// None for a gateway with one fixed provider.
    config: Option<GatewayConfig>,
    pub(super) seats: Seats,
    profiles: Option<Profiles>,
    pub(super) retry: Retry,
    budgets: Mutex<HashMap<String, Arc<Budget>>>,
    slots: Arc<Slots>,
    meter: Arc<dyn Meter>,
    pub(super) cache: Option<Arc<Cache>>,
    pub(super) around: OnceLock<Around>,
    /// Where every task goes, whoever is asked for; none where that is to be found out.
    pub(super) settled: Option<Route>,
    found: tokio::sync::Mutex<Option<Vec<Found>>>,
    answers: AtomicU64,
    rest_time: Duration,
    /// Until when the preferred servers of a task are left alone.
    rests: Mutex<HashMap<Task, tokio::time::Instant>>,
    /// Numbers in the vectors of each model, by provider and name.
    pub(super) sizes: Mutex<HashMap<(String, String), usize>>,
    /// What becomes of secrets in requests.
    pub(super) secrets: InRequests,
}

impl Gateway {
    /// Builds the gateway; nothing is asked yet. What is found out about servers is forgotten with it.
    pub fn new(config: GatewayConfig, keys: Keys, http: Http) -> Self {
        Self::keeping(config, keys, http, Book::in_memory())
    }

    /// Builds a gateway that keeps what it finds out about servers in `file`.
    pub fn remembering(config: GatewayConfig, keys: Keys, http: Http, file: PathBuf) -> Self {
        Self::keeping(config, keys, http, Book::at(file))
    }

    fn keeping(config: GatewayConfig, keys: Keys, http: Http, book: Book) -> Self {
        http.open(config.dials());
        let within = http.limits.first_byte;
        let retry = Retry { max: config.model.max_retries, within, ..Retry::default() };
        let (server_url, rows) = (config.server.url.clone(), config.providers.clone());
        let survey = Arc::new(Survey::new(book, Arc::new(SystemClock)));
        Self::of(Some(config), Seats::new(Plan { server_url, rows, keys, http, survey }), retry)
    }

    /// Builds a gateway whose tasks all go to `provider`: for tests and the demo. It repeats without real waits, since
    /// there is no server to be spared.
    pub fn with_provider(name: &str, provider: Arc<dyn Provider>) -> Self {
        let (base, cap) = (Duration::from_millis(1), Duration::from_millis(5));
        let seat = Seat { name: name.to_owned(), url: String::new(), provider, kind: None };
        Self::of(None, Seats::fixed(seat), Retry { base, cap, ..Retry::default() })
    }

    fn of(config: Option<GatewayConfig>, seats: Seats, retry: Retry) -> Self {
        let (meter, cache, found, answers) =
            (Arc::new(NoMeter), None, tokio::sync::Mutex::default(), AtomicU64::new(0));
        let (budgets, slots, sizes) = (Mutex::default(), Arc::new(Slots::unlimited()), Mutex::default());
        Self {
            config,
            seats,
            profiles: None,
            retry,
            budgets,
            slots,
            meter,
            cache,
            around: OnceLock::new(),
            settled: None,
            found,
            answers,
            sizes,
            secrets: InRequests::default(),
            rest_time: REST,
            rests: Mutex::default(),
        }
    }

    /// Lets requests through only as far as `slots` allow.
    #[must_use]
    pub fn with_slots(mut self, slots: Slots) -> Self {
        self.slots = Arc::new(slots);
        self
    }

    /// Returns what the process may still repeat at a server.
    pub(super) fn budget(&self, url: &str) -> Arc<Budget> {
        let mut budgets = self.budgets.lock().unwrap_or_else(PoisonError::into_inner);
        budgets.entry(url.to_owned()).or_default().clone()
    }

    /// Returns the way to a server past this user's other requests.
    pub(super) fn gate(&self, url: &str) -> Gate {
        Gate { slots: self.slots.clone(), server: url.to_owned() }
    }

    /// Adds one to what is counted of a model by name.
    pub fn count(&self, model: &str, name: &'static str) {
        self.meter.count(model, name);
    }

    /// Sends secrets on, or placeholders in their place.
    #[must_use]
    pub fn with_secrets(mut self, secrets: InRequests) -> Self {
        self.secrets = secrets;
        self
    }

    /// Tells `meter` what each request took.
    #[must_use]
    pub fn with_meter(mut self, meter: Arc<dyn Meter>) -> Self {
        self.meter = meter;
        self
    }

    /// Keeps answers to questions that have one answer.
    #[must_use]
    pub fn with_cache(mut self, cache: Arc<Cache>) -> Self {
        self.cache = Some(cache);
        self
    }

    /// Reads what was measured about models from here.
    #[must_use]
    pub fn with_profiles(mut self, profiles: Profiles) -> Self {
        self.profiles = Some(profiles);
        self
    }

    /// Asks a busy server again for so long, whatever the other bounds say.
    pub fn wait_for(&mut self, patience: Duration) {
        self.retry.patience = patience;
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
        if let Some(route) = &self.settled {
            return Ok(route.clone());
        }
        let mut route = match (wanted, self.places(task).len()) {
            (None, 2..) => self.resolve_list(task, 0).await?,
            _ => self.resolve_unmeasured(task, wanted).await?,
        };
        route.profile = self.profiles.as_ref().and_then(|profiles| profiles.load(&route.url, &route.model));
        Ok(route)
    }

    async fn resolve_unmeasured(&self, task: Task, wanted: Option<&str>) -> Result<Route, ModelError> {
        let Some(config) = &self.config else {
            return self.resolve_fixed(wanted).await;
        };
        let target = config.target(task, wanted)?;
        let is_literal = wanted.is_some() || target.model == config.server.model;
        self.resolve_target(config, task, (&target, is_literal)).await
    }

    /// Settles one place of a task's list. Nothing stands in for its model: the next place does.
    pub(super) async fn resolve_place(&self, task: Task, place: &str) -> Result<Route, ModelError> {
        let Some(config) = &self.config else { return self.resolve_fixed(None).await };
        let mut route = self.resolve_target(config, task, (&config.target_at(task, place)?, true)).await?;
        route.profile = self.profiles.as_ref().and_then(|profiles| profiles.load(&route.url, &route.model));
        Ok(route)
    }

    /// Returns the places of a task's list, as they are written.
    pub(super) fn places(&self, task: Task) -> &[String] {
        self.config.as_ref().and_then(|config| config.routes.get(&task)).map_or(&[], |places| &places.0)
    }

    pub(super) fn seats(&self) -> &Seats {
        &self.seats
    }

    /// Sets how long a server that could not serve is left alone.
    #[must_use]
    pub fn with_rest(mut self, rest: Duration) -> Self {
        self.rest_time = rest;
        self
    }

    pub(super) fn rest_time(&self) -> Duration {
        self.rest_time
    }

    pub(super) fn rest(&self, task: Task, until: tokio::time::Instant) {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner).insert(task, until);
    }

    pub(super) fn rests_until(&self, task: Task) -> Option<tokio::time::Instant> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner).get(&task).copied()
    }

    async fn resolve_target(
        &self,
        config: &GatewayConfig,
        task: Task,
        (target, is_literal): (&Target, bool),
    ) -> Result<Route, ModelError> {
        match &target.provider {
            Some(name) => self.settle(config, name, Choice::literal(task, &target.model)).await,
            None => {
                let choice = Choice { task, model: &target.model, is_literal };
                match config.server.url.is_empty() {
                    true => self.search(config, choice).await,
                    false => self.settle(config, SERVER, choice).await,
                }
            }
        }
    }

    /// Asks the model of `route`. Dropping the stream, or cancelling, ends the request.
    pub fn stream(&self, route: &Route, request: Request, cancel: CancellationToken) -> BoxStream<'static, Progress> {
        let messages = all_veiled(guarded(request.messages), self.secrets);
        let request = Request { messages, ..request };
        let provider = match self.seats.get(&route.provider) {
            Ok(seat) => match self.around.get() {
                Some(around) => around(seat.provider),
                None => seat.provider,
            },
            Err(error) => return Box::pin(futures_util::stream::iter([Progress::Failed(error)])),
        };
        // The number of answers grows with the conversation, the counter with every question of this process: together
        // they do not repeat within a session, whether it is compacted or resumed.
        let answered = request.messages.iter().filter(|message| matches!(message, Message::Assistant { .. })).count();
        let id_prefix = format!("{answered}_{}", self.answers.fetch_add(1, Ordering::Relaxed));
        let url = address(route);
        let (budget, gate) = (self.budget(&url), self.gate(&url));
        let account = self.account(route, request.task, request.class);
        let cache = self.cache.clone().filter(|_| self.around.get().is_none());
        let kept = cache.zip(cache::key(route, &request));
        let sight = self.seats.sight(route);
        let is_configured = self.config.as_ref().is_some_and(|config| config.model.window_tokens > 0);
        let asked = ask(Question {
            provider,
            url,
            request,
            id_prefix,
            retry: self.retry,
            budget,
            gate,
            account,
            look: sight.as_ref().and_then(Sight::look),
            before: sight.as_ref().and_then(Sight::before),
            after: sight.filter(|_| !is_configured).and_then(|sight| sight.after(route)),
            cancel,
        });
        let doubts = self.seats.doubts(&route.url);
        let asked = asked.inspect(move |progress| {
            if let Progress::Failed(error) = progress {
                doubts(error);
            }
        });
        match kept {
            Some((cache, key)) => cache::through(cache, key, route.model.clone(), Box::pin(asked)),
            None => Box::pin(asked),
        }
    }

    pub(super) fn account(&self, route: &Route, task: Task, class: Class) -> Account {
        let (provider, model) = (route.provider.clone(), route.model.clone());
        Account::new(self.meter.clone(), Purpose { provider, model, task, class })
    }

    /// Returns what the user should know of cache and ledger and was not told in a stream.
    pub fn trouble(&self) -> Vec<String> {
        let of_cache = self.cache.as_ref().and_then(|cache| cache.trouble());
        of_cache.into_iter().chain(self.meter.trouble()).collect()
    }

    /// Fills a gap in a text with the model of `route`, whatever model `fill` names; a gap filled before is filled alike
    /// without asking. Not repeated: whoever types on wants the next one.
    pub async fn fill(&self, route: &Route, fill: Fill, cancel: &CancellationToken) -> Result<Filling, ModelError> {
        let veil = veil_for(self.secrets);
        let (prefix, suffix) = (veil(&fill.prefix).into_owned(), veil(&fill.suffix).into_owned());
        let fill = Fill { model: route.model.clone(), prefix, suffix, ..fill };
        let work = async {
            let Some(cache) = &self.cache else { return self.compute_filling(route, fill).await };
            let key = cache::key_of_fill(route, &fill);
            if let Some(Words { text, is_cut, .. }) = cache.find(&key).await {
                return Ok(Filling { text, is_cut, usage: Usage::default() });
            }
            let filling = self.compute_filling(route, fill).await?;
            let words = Words { text: filling.text.clone(), is_cut: filling.is_cut, ..Words::default() };
            cache.keep(key, route.model.clone(), words).await;
            Ok(filling)
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ModelError::Cancelled),
            filling = work => filling,
        }
    }

    /// Finds out whether another kind of server has taken the place of the one that refused a request in a way no server of
    /// its kind does; returns how `task` goes on there.
    pub async fn look_again(&self, task: Task, route: &Route, error: &ModelError) -> Option<Route> {
        // The failure itself has raised the doubt ([`Seats::doubts`]), so that meeting the server again asks what it is.
        if self.config.is_none() || !matches!(error, ModelError::Refused { .. }) || !is_strange(error) {
            return None;
        }
        let same = match route.provider.as_str() {
            SERVER => route.model.clone(),
            name => format!("{name}/{}", route.model),
        };
        let found = match self.resolve(task, Some(&same)).await {
            Ok(found) => found,
            Err(_) => self.resolve(task, None).await.ok()?,
        };
        (found.server.kind != route.server.kind).then_some(found)
    }

    async fn compute_filling(&self, route: &Route, fill: Fill) -> Result<Filling, ModelError> {
        let provider = self.seats.get(&route.provider)?.provider;
        let mut account = self.account(route, Task::Fim, Class::Interactive);
        account.sent();
        let _permit = self.gate(&address(route)).take(Class::Interactive).await;
        let filling = provider.fill(fill).await?;
        account.answered(&mut Answer { usage: filling.usage, ..Answer::default() });
        Ok(filling)
    }

    /// Keeps the window that the refusal of a server gave away, so that the next session does not run into it again.
    pub fn learn_window(&self, route: &Route, tokens: u64) {
        self.seats.learn_window(&route.url, &route.model, tokens);
    }

    /// Lists the models of a provider; `server` for the one behind `server.url`.
    pub async fn models(&self, provider: &str) -> Result<Vec<ModelInfo>, ModelError> {
        self.seats.get(provider)?.provider.models().await
    }

    /// Asks every server of the configuration how it is, and what would carry out each task; takes two seconds at most.
    pub async fn status(&self) -> Status {
        let until = tokio::time::Instant::now() + STATUS;
        let names = self.config.as_ref().map(GatewayConfig::servers).unwrap_or_default();
        let mut servers = join_all(names.iter().map(|name| self.seats.present(name))).await;
        // A named provider at the address of `server.url` is the same server.
        let mut urls = HashSet::new();
        servers.retain(|server| urls.insert(server.url.clone()));
        let resolved = join_all(Task::ALL.iter().map(|task| async move {
            match tokio::time::timeout_at(until, self.resolve(*task, None)).await {
                Ok(resolved) => (*task, resolved),
                Err(_) => (*task, Err(present::too_late(*task))),
            }
        }));
        let wanted = |task: Task| self.config.as_ref()?.target(task, None).ok().map(|target| target.model);
        let mut status = Status { servers, ..Status::default() };
        for (task, resolved) in resolved.await {
            status.add_route(task, wanted(task).unwrap_or_default(), resolved);
        }
        status
    }

    /// Lists everything this process may connect to.
    pub fn may_dial(&self) -> Vec<Dial> {
        self.seats.may_dial()
    }

    /// Asks all places that are searched, for `mimi doctor`.
    pub async fn look_around(&self) -> Vec<Found> {
        match &self.config {
            Some(config) => self.seats.look_around(&config.search).await,
            None => Vec::new(),
        }
    }

    /// Takes the model of the one provider there is, or the one that was asked for.
    async fn resolve_fixed(&self, wanted: Option<&str>) -> Result<Route, ModelError> {
        let met = self.seats.meet("").await?;
        let first = || met.served.first().cloned().unwrap_or(ModelInfo { id: String::new(), window_tokens: None });
        let Some(wanted) = wanted else {
            return Ok(met.route(&first(), None));
        };
        let wanted = route::parse(wanted, |name| name == met.seat.name).model;
        match route::find(&wanted, &met.served) {
            Some(model) => Ok(met.route(model, None)),
            None => Err(met.lacks(&wanted)),
        }
    }

    /// Looks for a server that has the model, else takes the first that has any.
    async fn search(&self, config: &GatewayConfig, choice: Choice<'_>) -> Result<Route, ModelError> {
        let found = self.found().await;
        let usable: Vec<&Found> = found.iter().filter(|found| !found.served().is_empty()).collect();
        let has_model = |found: &&&Found| route::find(choice.model, found.served()).is_some();
        let Some(best) = usable.iter().find(has_model).or_else(|| usable.first()) else {
            return Err(discover::nothing_found(choice.task, &found));
        };
        let mut route = self.settle(config, &best.name, choice).await?;
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
    async fn settle(&self, config: &GatewayConfig, name: &str, choice: Choice<'_>) -> Result<Route, ModelError> {
        let Choice { task, model, is_literal } = choice;
        let met = self.seats.meet(name).await?;
        let window = match config.model.window_tokens {
            0 => None,
            configured => Some(configured),
        };
        if let Some(found) = route::find(model, &met.served) {
            return Ok(met.route(found, window));
        }
        // A server that lists nothing may still answer to a name.
        if met.served.is_empty() && !model.is_empty() {
            return Ok(met.route(&ModelInfo { id: model.to_owned(), window_tokens: None }, window));
        }
        if is_literal && !model.is_empty() {
            return Err(met.lacks(model));
        }
        let preferred = config.preferred();
        let stand_in = route::stand_in(task, &preferred, &met.served).ok_or_else(|| met.lacks(model))?;
        let mut route = met.route(stand_in, window);
        if !model.is_empty() {
            let (url, taken, task) = (&met.seat.url, &stand_in.id, task.name());
            route.note = Some(format!("`{model}` is not served at {url}, using `{taken}` for {task}"));
        }
        Ok(route)
    }
}

/// Names the server of a route, for errors.
pub(super) fn address(route: &Route) -> String {
    if route.url.is_empty() { route.provider.clone() } else { route.url.clone() }
}

/// Names a model by its provider.
pub(super) fn key(route: &Route) -> (String, String) {
    (route.provider.clone(), route.model.clone())
}

/// A model somebody wants for a task.
#[derive(Debug, Clone, Copy)]
struct Choice<'a> {
    task: Task,
    model: &'a str,
    /// Whether nothing may stand in for it.
    is_literal: bool,
}

impl<'a> Choice<'a> {
    fn literal(task: Task, model: &'a str) -> Self {
        Self { task, model, is_literal: true }
    }
}
