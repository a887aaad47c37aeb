//! What does the agent know of its conversation, and what does the next request look like?
//!
//! Joins the transcript, the route to the model and the token count. Applies every record, live as in replay, so that a
//! resumed session continues exactly where the file ends.

use std::sync::Arc;

use crate::agent::stated;
use crate::agent::step::{Compaction, Offer};
use crate::agent::taking_back::{self, Rewound};
use crate::agent::window;
use crate::base::fault::Fault;
use crate::base::secrets::Veiled;
use crate::base::text::count;
use crate::checkpoint::keeper::Keeper;
use crate::config::schema::InRequests;
use crate::context::compact::{self, Carried};
use crate::context::estimate::{self, Meter};
use crate::context::prompt;
use crate::context::sent;
use crate::model::route::Route;
use crate::model::{Answer, Calls, Delivery, Request, ToolChoice};
use crate::protocol::event::{Event, Record};
use crate::protocol::message::{CallId, Message};
use crate::protocol::profile::EditDialect;
use crate::protocol::task::{Class, Task};
use crate::protocol::tool::ToolSpec;
use crate::session::knowledge::Knowledge;
use crate::session::transcript::{Background, Transcript};
use crate::telemetry::dialects::Habits;
use crate::tools::registry::Registry;

/// A window is never believed to be smaller than this.
const MIN_WINDOW_TOKENS: u64 = 2048;
/// Answers may take this part of the window, or a small one would have no room for the question.
const MAX_ANSWER_PART: u64 = 4;

/// The conversation and how it is sent.
pub struct Memory {
    transcript: Transcript,
    task: Task,
    class: Class,
    route: Route,
    registry: Arc<Registry>,
    tools: Arc<[ToolSpec]>,
    dialect: EditDialect,
    habits: Habits,
    max_output_tokens: u32,
    secrets: InRequests,
    keeper: Option<Arc<Keeper>>,
    root: std::path::PathBuf,
    meter: Meter,
    /// Whether the user was told that the server cuts prompts.
    is_cut_told: bool,
    /// The project's facts.
    opening: Option<String>,
    /// Raw estimate of the first so many messages, so that a long conversation is not counted again each time.
    counted: (usize, f64),
}

/// What a memory is made of.
pub struct MemoryParts {
    /// The conversation so far; empty for a new session.
    pub transcript: Transcript,
    /// What the model is asked to do.
    pub task: Task,
    /// Who waits for its answers; the same for the whole session.
    pub class: Class,
    /// Which model, where.
    pub route: Route,
    /// The tools, of which the model is offered as many as it copes with.
    pub registry: Arc<Registry>,
    /// Which ways of changing files which models do not get along with.
    pub habits: Habits,
    /// Upper bound of one answer.
    pub max_output_tokens: u32,
    /// What becomes of secrets in what is sent.
    pub secrets: InRequests,
    /// Files as they were.
    pub keeper: Option<Arc<Keeper>>,
    /// The workspace.
    pub root: std::path::PathBuf,
    /// The project's facts, for when they have to be said again.
    pub opening: Option<String>,
}

impl Memory {
    /// Builds the memory of one session.
    pub fn new(parts: MemoryParts) -> Self {
        let wanted = parts.route.edit_dialect();
        let kept = stated::kept_dialect(&parts.transcript.messages, wanted);
        let dialect = kept.unwrap_or_else(|| parts.habits.offered(&parts.route.model, wanted));
        Self {
            transcript: parts.transcript,
            task: parts.task,
            class: parts.class,
            tools: parts.registry.specs_for(parts.route.tool_budget(), dialect),
            dialect,
            habits: parts.habits,
            registry: parts.registry,
            route: parts.route,
            max_output_tokens: parts.max_output_tokens,
            secrets: parts.secrets,
            keeper: parts.keeper,
            root: parts.root,
            opening: parts.opening,
            meter: Meter::default(),
            is_cut_told: false,
            counted: (0, 0.0),
        }
    }

    /// Takes a record into the conversation.
    pub fn apply(&mut self, record: &Record) {
        if matches!(
            record.event,
            Event::Compacted { .. } | Event::Undone { .. } | Event::Redone { .. } | Event::Dropped { .. }
        ) {
            self.counted = (0, 0.0);
        }
        self.transcript.apply(record);
    }

    /// Returns the route of the next request.
    pub fn route(&self) -> &Route {
        &self.route
    }

    /// Returns which files the model has seen.
    pub fn knowledge(&self) -> &Knowledge {
        &self.transcript.knowledge
    }

    /// Returns how the model is told to change files.
    pub fn dialect(&self) -> EditDialect {
        self.dialect
    }

    /// Returns what the model is asked to do.
    pub fn task(&self) -> Task {
        self.task
    }

    /// Returns what the model is offered, in words.
    pub fn offer(&self) -> Offer {
        let line = |spec: &ToolSpec| {
            let signature = self.registry.get(&spec.name).map(|tool| tool.manifest().signature()).unwrap_or_default();
            format!("- {}: {signature}\n", spec.name)
        };
        let list = self.tools.iter().map(line).collect();
        Offer { list, stays_in_prompt: self.route.server.kind.keeps_tools_in_prompt() }
    }

    /// Sends the next requests elsewhere, with as many tools as the model there copes with.
    pub fn set_route(&mut self, route: Route) {
        let dialect = self.habits.offered(&route.model, route.edit_dialect());
        self.tools = self.registry.specs_for(route.tool_budget(), dialect);
        self.dialect = dialect;
        self.route = route;
        self.meter = Meter::default();
        self.is_cut_told = false;
    }

    /// Believes a server that tells its window once the model is in memory; returns what to tell the user when it is
    /// smaller than thought.
    pub fn set_window(&mut self, tokens: u64) -> Option<String> {
        let thought = std::mem::replace(&mut self.route.window_tokens, tokens);
        (tokens < thought).then(|| {
            let model = &self.route.model;
            format!("the server gives `{model}` a window of {tokens} tokens; from now on that is counted on")
        })
    }

    /// Believes a server that says its window is smaller than we thought; returns the new size if it is.
    pub fn shrink_window(&mut self, said_tokens: Option<u64>) -> Option<u64> {
        let smaller = said_tokens.unwrap_or(self.route.window_tokens / 2).max(MIN_WINDOW_TOKENS);
        if smaller >= self.route.window_tokens {
            return None;
        }
        self.route.window_tokens = smaller;
        Some(smaller)
    }

    /// Returns the bound of one answer: what is configured, what the model's family manages, what the window leaves.
    fn max_answer_tokens(&self) -> u32 {
        let window = u32::try_from(self.route.window_tokens / MAX_ANSWER_PART).unwrap_or(u32::MAX);
        self.wanted_answer_tokens().min(window).max(1)
    }

    /// Returns the same bound without that of the window.
    fn wanted_answer_tokens(&self) -> u32 {
        let family = Some(self.route.row.max_output_tokens).filter(|tokens| *tokens > 0).unwrap_or(u32::MAX);
        self.max_output_tokens.min(family)
    }

    /// Says whether the next request would leave no room for an answer.
    pub fn is_full(&mut self) -> bool {
        let tokens = self.context_tokens();
        compact::is_needed(tokens, self.route.window_tokens, u64::from(self.max_answer_tokens()))
    }

    /// Says whether the model has not said anything that a summary could shorten.
    pub fn is_unanswered(&self) -> bool {
        !self.transcript.messages.iter().any(|message| matches!(message, Message::Assistant { .. }))
    }

    /// Says why no turn can be had in this window, with what to do; none when it is large enough.
    pub fn why_too_small(&self) -> Option<(String, Vec<String>)> {
        let (fixed, answer) = (self.meter.corrected(self.fixed_tokens()), u64::from(self.wanted_answer_tokens()));
        let (model, window) = (&self.route.model, self.route.window_tokens);
        if !window::is_too_small(fixed, window, answer) {
            return None;
        }
        let least = window::smallest(fixed, answer);
        let message = format!("the window of `{model}` has {window} tokens, and an agent needs at least {least}");
        let mut hints = window::settings(self.route.server.kind);
        hints.push("or use a model with a larger one: --model NAME, in the chat /model NAME".to_owned());
        Some((message, hints))
    }

    /// Says why a summary could not make room, with what to do; none when it could.
    pub fn why_not_shrinkable(&mut self) -> Option<(String, Vec<String>)> {
        let (_, raw) = self.summary_request();
        let (needed, answer) = (self.meter.corrected(raw), u64::from(self.max_answer_tokens()));
        let (model, window) = (&self.route.model, self.route.window_tokens);
        if !self.is_unanswered() && needed + answer <= window {
            return None;
        }
        let message = format!(
            "the request does not fit the window of `{model}`: it takes about {needed} tokens and the answer up to {answer}, the window has {window}"
        );
        let mut hints = vec!["shorten the request, and take back one that is too long: /undo".to_owned()];
        hints.extend(window::settings(self.route.server.kind));
        hints.push("or use a model with a larger one: --model NAME".to_owned());
        Some((message, hints))
    }

    /// Builds the next request, with its raw token estimate.
    pub fn request(&mut self, tool_choice: ToolChoice) -> (Request, f64) {
        let estimate = self.raw_tokens();
        // A server that was seen to ignore the wish is not asked for it.
        let tool_choice = match tool_choice {
            ToolChoice::Required if !self.route.may_force_calls() => ToolChoice::Auto,
            choice => choice,
        };
        (Request { tool_choice, ..self.request_of(&self.transcript.messages) }, estimate)
    }

    /// Builds the request for a summary, with its raw token estimate.
    pub fn summary_request(&mut self) -> (Request, f64) {
        let fixed = self.fixed_tokens();
        let room = self.route.window_tokens.saturating_sub(u64::from(self.max_answer_tokens()));
        let room = self.meter.raw(room) - fixed;
        let messages = compact::request(&self.transcript.messages, room, estimate::message_tokens);
        let estimate = fixed + messages.iter().map(estimate::message_tokens).sum::<f64>();
        (self.request_of(&messages), estimate)
    }

    fn request_of(&self, conversation: &[Message]) -> Request {
        let system = Message::System { text: prompt::SYSTEM.text.trim_end().to_owned() };
        Request {
            model: self.route.model.clone(),
            tools: self.tools.clone(),
            messages: std::iter::once(system)
                .chain(sent::messages(conversation, self.secrets).into_iter().map(|message| self.seen(message)))
                .collect(),
            max_tokens: self.max_answer_tokens(),
            temperature: self.route.row.temperature,
            // Servers refuse a schema beside tools; answers are checked here instead.
            answer_schema: None,
            delivery: Delivery::Streamed,
            tool_choice: ToolChoice::Auto,
            calls: if self.route.takes_several_calls() { Calls::Many } else { Calls::One },
            task: self.task,
            class: self.class,
        }
    }

    /// Leaves out the images where the model cannot see them: it may have been changed since they were attached.
    fn seen(&self, mut message: Message) -> Message {
        if let Message::User { text, images } = &mut message
            && !images.is_empty()
            && self.route.sees_images() == Some(false)
        {
            let n = count(images.len(), "image");
            images.clear();
            text.push_str("\n\n");
            text.push_str(&prompt::IMAGE_LEFT_OUT.render(&[&n]));
        }
        message
    }

    /// Turns the model's summary into what replaces the conversation.
    pub fn compaction(&mut self, summary: &str) -> Result<Compaction, String> {
        let before_tokens = self.context_tokens();
        let text = compact::replacement(
            summary,
            &Carried {
                plan: self.transcript.plan.as_ref(),
                files: self.transcript.files_changed.clone(),
                last_request: self.transcript.last_user_text.as_deref(),
                opening: self.transcript.opening.as_deref(),
            },
        )?;
        let raw = self.fixed_tokens() + estimate::text_tokens(&text);
        Ok(Compaction { text, before_tokens, after_tokens: self.meter.corrected(raw) })
    }

    /// Learns from the server's count of a request that was estimated as `raw`. Returns what to tell the user, once, when
    /// the count shows that the server cut the prompt.
    pub fn learn(&mut self, raw: f64, answer: &Answer) -> Option<String> {
        let counted = answer.usage.input_tokens;
        if counted == 0 {
            return None;
        }
        self.meter.learn(raw, counted);
        if self.is_cut_told || !estimate::is_cut(raw, counted) {
            return None;
        }
        self.is_cut_told = true;
        // What the server read is what it has room for, next to the answer. If it said otherwise itself, there is another
        // reason for its count, and a window guessed too small would cost the conversation.
        let has_said = self.route.server.model(&self.route.model).is_some_and(|model| model.window_tokens.is_some());
        let room = counted + answer.usage.output_tokens;
        let window = if has_said { None } else { self.shrink_window(Some(room)) };
        let window = window.unwrap_or(self.route.window_tokens);
        Some(format!(
            "the server read {counted} tokens of a prompt of about {raw:.0}: it cuts long prompts without saying so, and the model does not see the whole conversation. From now on a window of {window} tokens is counted on. Serve the model with a larger one ({}), or say how large it is: --set model.window_tokens={window}",
            window::settings(self.route.server.kind).join("; ")
        ))
    }

    /// Reports what an answer cost and how full the window is.
    pub fn usage_event(&mut self, answer: &Answer) -> Event {
        let usage = answer.usage;
        let known = usage.input_tokens + usage.output_tokens;
        let context_tokens = if known > 0 { known } else { self.context_tokens() };
        Event::Usage {
            usage,
            model: self.route.model.clone(),
            context_tokens,
            window_tokens: self.route.window_tokens,
            stats: answer.stats.clone(),
        }
    }

    /// Returns about how many tokens the next request takes.
    pub fn context_tokens(&mut self) -> u64 {
        let raw = self.raw_tokens();
        self.meter.corrected(raw)
    }

    fn raw_tokens(&mut self) -> f64 {
        let messages = &self.transcript.messages;
        let (n, sum) = if self.counted.0 <= messages.len() { self.counted } else { (0, 0.0) };
        let secrets = self.secrets;
        let tokens = |message: &Message| estimate::message_tokens(&sent::message(message, secrets));
        let sum = sum + messages[n..].iter().map(tokens).sum::<f64>();
        self.counted = (messages.len(), sum);
        sum + self.fixed_tokens()
    }

    fn fixed_tokens(&self) -> f64 {
        estimate::text_tokens(prompt::SYSTEM.text) + estimate::tools_tokens(&self.tools)
    }

    /// Finishes what was under way when mimi was killed.
    pub fn settle(&self) -> Vec<Rewound> {
        let keeper = self.keeper.as_ref();
        keeper.map(|keeper| taking_back::settle(keeper, &self.transcript, &self.root)).unwrap_or_default()
    }

    /// Returns the commands behind the turns that run, or whose end the model has not been told.
    pub fn background(&self) -> Vec<Background> {
        self.transcript.background.clone()
    }

    /// Takes back the last turn that still stands, and says what came of it.
    pub fn undo(&self) -> Rewound {
        self.rewind(taking_back::undo)
    }

    /// Takes back the last turn's place in the conversation, and says so; its files are named as left.
    pub fn unsay(&self) -> Rewound {
        taking_back::unsay(&self.transcript, &self.root)
            .unwrap_or_else(|fault| Event::Warning { text: fault.words() }.into())
    }

    /// Does again what was taken back last, and says what came of it.
    pub fn redo(&self) -> Rewound {
        self.rewind(taking_back::redo)
    }

    /// Takes the result of a call out of the conversation, and says what that frees.
    pub fn dropped(&self, call: &CallId) -> Event {
        let found = self.transcript.messages.iter().rev().find_map(|message| match message {
            Message::Tool { call_id, text, .. } if call_id == call => Some(text),
            _ => None,
        });
        let left_out = compact::LEFT_OUT;
        match found {
            Some(text) if text != left_out => {
                let freed = estimate::text_tokens(text) - estimate::text_tokens(left_out);
                let freed_tokens = self.meter.corrected(freed.max(0.0));
                Event::Dropped { call: call.clone(), text: left_out.to_owned(), freed_tokens }
            }
            _ => Event::Warning { text: "this result is not in the window any more".to_owned() },
        }
    }

    fn rewind(&self, way: fn(&Keeper, &Transcript, &std::path::Path) -> Result<Rewound, Fault>) -> Rewound {
        let text = match &self.keeper {
            None => "no files were kept in this session, so none can be put back".to_owned(),
            Some(keeper) => match way(keeper, &self.transcript, &self.root) {
                Ok(rewound) => return rewound,
                Err(fault) => fault.words(),
            },
        };
        Event::Warning { text }.into()
    }

    /// Returns what becomes of secrets in what is sent.
    pub fn secrets(&self) -> InRequests {
        self.secrets
    }

    /// Returns what the placeholders stand for that the model was sent.
    pub fn veiled(&self) -> Veiled {
        let mut veiled = Veiled::default();
        self.transcript.messages.iter().for_each(|message| veiled.learn(message.text()));
        veiled
    }

    /// Returns what the model has to be told with the user's next words, because it happened behind its back.
    pub fn note_of_news(&self) -> Option<String> {
        taking_back::note(&self.transcript.news)
    }

    /// Returns the project's facts when the model has to be told them again, because its first turn was taken back.
    pub fn opening_to_repeat(&self) -> Option<String> {
        self.transcript.opening.is_none().then(|| self.opening.clone()).flatten()
    }
}
