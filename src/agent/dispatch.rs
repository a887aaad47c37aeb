//! How does one call get from the model's words to its outcome?
//!
//! validate -> policy -> (approval, by the machine) -> checkpoint -> run -> clip. The only caller of `Tool::run`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use serde_json::Value;

use crate::agent::batch::Proposal;
use crate::agent::keeping::{self, Effects, PreImage, Told, Watch};
use crate::agent::pinned::Prints;
use crate::agent::review::{self, Settled};
use crate::agent::running::Leash;
use crate::agent::stated::Tally;
use crate::agent::step::{Refusal, Verdict};
use crate::agent::{changed, invalid};
use crate::base::clock::Clock;
use crate::base::control;
use crate::base::fault::Fault;
use crate::base::secrets::Veiled;
use crate::base::text::{self, one_line_name};
use crate::checkpoint::keeper::Keeper;
use crate::checkpoint::step::{About, Cause};
use crate::checkpoint::store::Kept;
use crate::edit::diff::draft_diff;
use crate::policy::kept::Kept as Agreed;
use crate::policy::{Decision, Policy};
use crate::protocol::diff::{Change, FileDiff};
use crate::protocol::event::Event;
use crate::protocol::message::{CallId, ToolCall};
use crate::protocol::op::{Mode, Offer};
use crate::protocol::review::{Draft, HunkAnswer};
use crate::protocol::tool::{Action, ToolOutcome, ToolReport};
use crate::session::knowledge::Knowledge;
use crate::tools::ToolContext;
use crate::tools::bad_call::{BadCall, Malformed};
use crate::tools::manifest::{Effect, Manifest};
use crate::tools::registry::Registry;

/// Bytes any outcome may hand to the model, whatever the tool thinks; a safety net above the tools' own caps.
const MAX_OUTCOME_BYTES: usize = 64 * 1024;

/// Longest flags a refusal spells out; nobody types a longer command again.
const MAX_RULE_BYTES: usize = 500;

/// Whether somebody is there to approve a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approvals {
    /// A person answers.
    Person,
    /// Nobody does: what would be asked is refused, naming the rule that would allow it.
    Nobody,
}

/// Keeps rules agreed to for always.
pub struct Agreements {
    /// Those of the repository.
    pub rules: Agreed,
    /// Days for which one counts.
    pub days: u64,
    /// The clock.
    pub clock: Arc<dyn Clock>,
}

/// Takes calls through their checks and runs them.
pub struct Dispatch {
    registry: Arc<Registry>,
    /// What may be done.
    pub policy: Policy,
    context: ToolContext,
    approvals: Approvals,
    keeper: Option<Arc<Keeper>>,
    agreements: Option<Agreements>,
    judged: HashMap<CallId, Judged>,
    /// What the placeholders in the next call stand for.
    pub veiled: Veiled,
    /// How the edits of the turn were stated.
    pub edits: Tally,
    /// Whether the user knows that the store cannot be written.
    has_warned: bool,
    told: Told,
}

/// A call that passed its checks.
#[derive(Debug, Clone)]
struct Judged {
    tool: String,
    target: String,
    turn: u32,
    arguments: Value,
    actions: Vec<Action>,
    promised: Option<String>,
    drafts: Vec<Draft>,
    /// The changes of the drafts, where somebody is shown them.
    previews: Vec<FileDiff>,
    /// What the user made of the drafts, where they judged them piece by piece.
    settled: Option<Settled>,
    /// The rule that was offered for always.
    always: Option<Offer>,
    /// The code it runs, as it was then.
    prints: Prints,
    pre_images: Vec<PreImage>,
}

/// A call that ended.
#[derive(Debug)]
pub struct Finished {
    /// The call.
    pub call: CallId,
    /// How it ended.
    pub report: ToolReport,
    /// How long it ran.
    pub duration_ms: u64,
    /// What it did to the files.
    pub effects: Effects,
}

impl Dispatch {
    /// Builds the dispatch of one session. Without a `keeper` nothing can be taken back.
    pub fn new(
        registry: Arc<Registry>,
        policy: Policy,
        context: ToolContext,
        approvals: Approvals,
        keeper: Option<Arc<Keeper>>,
    ) -> Self {
        Self {
            registry,
            policy,
            context,
            approvals,
            keeper,
            agreements: None,
            judged: HashMap::new(),
            veiled: Veiled::default(),
            edits: Tally::default(),
            has_warned: false,
            told: Told::default(),
        }
    }

    /// Keeps what is agreed to for always; without it nothing is offered for always.
    #[must_use]
    pub fn with_agreements(mut self, agreements: Agreements) -> Self {
        self.agreements = Some(agreements);
        self
    }

    /// Checks a call: tool, arguments, then policy. Touches nothing.
    pub fn judge(&mut self, call: &ToolCall) -> Verdict {
        let (tool, arguments) = match self.arguments(call).and_then(|sent| self.registry.unwrap(&call.name, sent)) {
            Ok(found) => found,
            Err(bad) => return refused(&bad),
        };
        let (arguments, manifest) = (self.unveiled(tool.manifest(), arguments), tool.manifest());
        let arguments = match arguments {
            Ok(arguments) => arguments,
            Err(bad) => return refused(&bad),
        };
        let name = manifest.name.clone();
        let intent = tool.intent(&self.context, &arguments);
        self.edits.note(&call.id, &intent);
        let intent = match intent {
            Ok(intent) => intent,
            Err(bad) => return refused(&bad),
        };
        if let Some(question) = intent.question {
            return match self.approvals {
                Approvals::Person => Verdict::Question(question),
                Approvals::Nobody => {
                    let words = "nobody is there to answer; decide yourself, say what you assumed, and go on";
                    refused(&BadCall::Impossible(words.to_owned()))
                }
            };
        }
        let decision = self.policy.decide(&intent.actions);
        let prints = self.prints(&intent.actions);
        let mut judged = Judged {
            tool: name.clone(),
            target: intent.target.clone(),
            turn: 0,
            arguments,
            actions: intent.actions.clone(),
            promised: intent.promised,
            drafts: intent.drafts,
            previews: Vec::new(),
            settled: None,
            always: None,
            prints,
            pre_images: Vec::new(),
        };
        let is_asked = matches!(decision, Decision::Ask { .. }) && self.approvals == Approvals::Person;
        if is_asked {
            judged.previews = judged.drafts.iter().map(draft_diff).collect();
            judged.always = self.agreements.as_ref().and_then(|_| self.policy.offer(&judged.actions));
        }
        let (previews, always) = (judged.previews.clone(), judged.always.clone());
        self.judged.insert(call.id.clone(), judged);
        let proposal = Proposal {
            tool: name,
            target: intent.target,
            actions: intent.actions,
            previews,
            is_parallel_safe: intent.is_parallel_safe,
            always,
        };
        self.verdict(decision, proposal)
    }

    /// Checks a command the user typed. They need not approve it, whatever the mode; what a rule forbids stays forbidden.
    pub fn judge_own(&mut self, call: &ToolCall) -> Result<Proposal, Box<ToolReport>> {
        let mode = std::mem::replace(&mut self.policy.mode, Mode::Ask);
        let verdict = self.judge(call);
        self.policy.mode = mode;
        match verdict {
            // Where nobody is there to approve, the one who typed it is.
            Verdict::Run(proposal)
            | Verdict::Ask { proposal, .. }
            | Verdict::Refuse { proposal: Some(proposal), why: Refusal::NeedsApproval, .. } => Ok(proposal),
            Verdict::Refuse { report, .. } => Err(report),
            Verdict::Question(question) => Err(Box::new(ToolReport::failed(question.question))),
        }
    }

    /// Reads the arguments of a call. What the model copied from a text in which control strings are broken up means
    /// the strings themselves: here they are whole again, so that what is judged and shown is what runs.
    fn arguments(&self, call: &ToolCall) -> Result<Value, BadCall> {
        let why = match serde_json::from_str::<Value>(&call.arguments) {
            Ok(mut arguments) if arguments.is_object() => {
                control::restore_value(&mut arguments);
                return Ok(arguments);
            }
            Ok(_) => "it is another kind of value".to_owned(),
            Err(error) => error.to_string(),
        };
        let tool = self.registry.resolve(&call.name).ok_or_else(|| self.registry.unknown(&call.name))?;
        Err(Malformed::NotAnObject { form: tool.manifest().form(), why, got: call.arguments.clone() }.into())
    }

    /// Puts secrets in the place of the placeholders a model was sent for them: where it writes files, and nowhere else,
    /// since a command could carry them away.
    fn unveiled(&self, manifest: &Manifest, mut arguments: Value) -> Result<Value, BadCall> {
        if manifest.effects.contains(&Effect::Write) {
            self.veiled.unveil_value(&mut arguments).map_err(|name| {
                BadCall::Impossible(format!(
                    "`{name}` stands for a secret that is not in this conversation (any longer)"
                ))
            })?;
        } else if manifest.effects.contains(&Effect::Execute) && self.veiled.is_in(&arguments) {
            let why = "a command cannot use a secret that is kept from you; write files with the editing tools, or ask the user";
            return Err(BadCall::Impossible(why.to_owned()));
        }
        Ok(arguments)
    }

    fn verdict(&self, decision: Decision, proposal: Proposal) -> Verdict {
        match decision {
            Decision::Allow(_) => Verdict::Run(proposal),
            Decision::Ask { why, .. } if self.approvals == Approvals::Person => Verdict::Ask { proposal, why },
            Decision::Ask { why, rules } => {
                let text = refusal_text(&proposal, &why, &rules);
                let summary = format!("refused: {why}; allow it with {}", allow_flags(&rules));
                let report = Box::new(ToolReport::of(ToolOutcome::Denied { text, rules }, summary));
                Verdict::Refuse { proposal: Some(proposal), report, why: Refusal::NeedsApproval }
            }
            Decision::Deny { why } => {
                let text = format!("`{} {}` was refused: {why}", proposal.tool, proposal.target);
                let outcome = ToolOutcome::Denied { text, rules: Vec::new() };
                let report = Box::new(ToolReport::of(outcome, format!("refused: {why}")));
                Verdict::Refuse { proposal: Some(proposal), report, why: Refusal::Refused }
            }
        }
    }

    /// Allows what a judged call would do for the rest of the session.
    pub fn grant(&mut self, call: &CallId) {
        if let Some(judged) = self.judged.get(call) {
            for action in &judged.actions {
                self.policy.grant(action);
            }
        }
    }

    /// Keeps the rule that was offered for a call, exactly as it was shown. Returns what the user must know when it cannot.
    pub fn agree(&mut self, call: &CallId) -> Option<Event> {
        let rule = self.judged.get(call)?.always.as_ref()?.rule.clone();
        let agreements = self.agreements.as_ref()?;
        self.policy.agree(&rule);
        let kept = agreements.rules.add(&rule, agreements.clock.now_ms(), agreements.days);
        kept.err().map(|error| Event::Warning { text: Fault::from(error).line() })
    }

    /// Looks for files that changed behind the model's back, and makes the event that tells it.
    pub async fn look_around(&self) -> Option<Event> {
        let (seen, root) = (self.context.workspace.memory().clone(), self.context.workspace.root().to_path_buf());
        let files = tokio::task::spawn_blocking(move || seen.changed()).await.unwrap_or_default();
        changed::event(&root, files)
    }

    /// Knows of files what a conversation tells, and nothing else.
    pub fn recall(&self, knowledge: &Knowledge) {
        self.context.workspace.memory().recall(&knowledge.seen, &knowledge.told);
    }

    /// Makes a judged call change only what the user takes of it.
    pub fn review(&mut self, call: &CallId, answers: &[HunkAnswer]) {
        if let Some(judged) = self.judged.get_mut(call) {
            let settled = review::settle(&judged.drafts, &judged.previews, answers);
            judged.promised = settled.promised();
            judged.settled = Some(settled);
        }
    }

    /// Keeps the files a judged call is about to change, as they are now, and returns what is to be recorded before it runs.
    ///
    /// What cannot be kept is said: the change is still the user's wish.
    pub fn keep(&mut self, call: &CallId, turn: u32) -> Vec<Event> {
        let (Some(keeper), Some(judged)) = (self.keeper.as_deref(), self.judged.get_mut(call)) else {
            return Vec::new();
        };
        judged.turn = turn;
        let mut events = Vec::new();
        // What a command leads into files is a change like any other.
        let led = judged.actions.iter().flat_map(|action| self.policy.led_into(action));
        let written = judged.actions.iter().filter_map(Action::written).cloned().chain(led).collect::<Vec<_>>();
        for path in &written {
            let shown = path.strip_prefix(self.context.workspace.root()).unwrap_or(path).to_string_lossy();
            let name = one_line_name(&shown);
            match keeper.store().keep(path) {
                Ok(Kept::Skipped(why)) => {
                    let text = format!("the change of `{name}` cannot be taken back, because {why}");
                    events.push(Event::Warning { text });
                }
                Ok(kept) => {
                    let (before, mode) = kept.content();
                    let (call, path, promised) = (call.clone(), path.clone(), promised_for(judged, path));
                    judged.pre_images.push(PreImage { path: path.clone(), kept });
                    events.push(Event::FileKept { turn, call, path, before, promised, mode });
                }
                // One full disk is one trouble, however many files are changed.
                Err(_) if self.has_warned => {}
                Err(error) => {
                    self.has_warned = true;
                    let text = format!("the change of `{name}` cannot be taken back: {}", Fault::from(error).line());
                    events.push(Event::Warning { text });
                }
            }
        }
        events
    }

    /// Says what a judged call is about.
    pub fn about(&self, call: &CallId) -> String {
        self.judged.get(call).map_or_else(String::new, |judged| judged.target.clone())
    }

    /// Runs a judged call with a context of its own; the future owns all it needs.
    pub fn run(&mut self, call: &CallId, leash: Leash) -> impl Future<Output = Finished> + Send + use<> {
        let judged = self.judged.remove(call);
        let watch = judged.as_ref().and_then(|judged| self.watch(call, judged));
        let (registry, call) = (self.registry.clone(), call.clone());
        let exchanged = judged.as_ref().and_then(|judged| self.exchanged(judged));
        let actions = judged.iter().flat_map(|judged| &judged.actions);
        let written: Vec<PathBuf> = actions.filter_map(Action::written).cloned().collect();
        let mut writer = self.context.writer.only(written.iter().cloned());
        if let Some(settled) = judged.as_ref().and_then(|judged| judged.settled.as_ref()) {
            writer = writer.ruled(settled.ruled());
        }
        let Leash { progress, cancel, so_far } = leash;
        let context = ToolContext { progress, cancel, so_far, writer, ..self.context.clone() };
        async move {
            let started = Instant::now();
            let run = async {
                match judged {
                    Some(_) if exchanged.is_some() => ToolReport::failed(exchanged.unwrap_or_default()),
                    Some(judged) => run_judged(&registry, &context, judged).await,
                    None => ToolReport::failed("this call was never checked, so it was not run"),
                }
            };
            let (mut report, effects) = keeping::around(watch, &context.cancel, run).await;
            let memory = context.workspace.memory();
            written.iter().filter(|path| path.symlink_metadata().is_err()).for_each(|path| memory.forget(path));
            report.seen = memory.take_fresh();
            Finished { call, report, duration_ms: started.elapsed().as_millis() as u64, effects }
        }
    }

    /// Looks at the code that actions would run.
    fn prints(&self, actions: &[Action]) -> Prints {
        Prints::of(&self.policy.code(actions), self.context.workspace.root())
    }

    /// Says that code a call runs was exchanged since it was judged, and perhaps approved; none when it is the same.
    fn exchanged(&self, judged: &Judged) -> Option<String> {
        let now = self.prints(&judged.actions);
        let path = now.changed_since(&judged.prints)?;
        let shown = path.strip_prefix(self.context.workspace.root()).unwrap_or(path).display().to_string();
        let name = one_line_name(&shown);
        Some(format!("`{name}`, which this call runs, changed since it was checked, so it was not run; call it again"))
    }

    /// Says how what a call changes is to be found out; none for one that changes nothing.
    fn watch(&self, call: &CallId, judged: &Judged) -> Option<Watch> {
        let is_command = |action: &Action| matches!(action, Action::Execute { .. } | Action::Commit { .. });
        let cause = match judged.actions.iter().any(is_command) {
            true => Cause::Command,
            false if judged.pre_images.is_empty() => return None,
            false => Cause::Edit,
        };
        let what = format!("{} {}", judged.tool, judged.target);
        let about = About { turn: judged.turn, call: Some(call.clone()), cause, what };
        Some(Watch { keeper: self.keeper.clone()?, about, images: judged.pre_images.clone() })
    }

    /// Says what is to be recorded of what a call did to the files, and what is settled once that is done.
    pub fn effects(&mut self, turn: u32, effects: Effects) -> (Vec<Event>, Option<String>) {
        let change = |change: Change| {
            let Change { path, before, after, mode } = change;
            Event::Checkpointed { turn, path, before, after, mode }
        };
        let mut events: Vec<Event> = effects.changes.into_iter().map(change).collect();
        events.extend(effects.trouble.and_then(|trouble| self.told.once(trouble)));
        let Some(step) = effects.step else { return (events, None) };
        let root = self.context.workspace.root();
        events.push(keeping::tree_changed(&step, root));
        events.extend(self.told.not_kept(&step, root));
        (events, Some(step.id))
    }

    /// Marks what was recorded as no longer under way.
    pub fn settle(&self, checkpoint: &str) {
        if let Some(keeper) = &self.keeper {
            keeper.settle(checkpoint);
        }
    }
}

/// Returns the hash that a file will have once the call has ended, where that is known.
fn promised_for(judged: &Judged, path: &Path) -> Option<String> {
    match judged.drafts.as_slice() {
        // Of several only as the call asks for them: what a person makes of them is not worked out before it is written.
        [_, _, ..] if judged.settled.is_none() => {
            judged.drafts.iter().find(|draft| draft.path == path).and_then(review::promised_by)
        }
        _ => judged.promised.clone(),
    }
}

async fn run_judged(registry: &Registry, context: &ToolContext, judged: Judged) -> ToolReport {
    let Some(tool) = registry.get(&judged.tool) else {
        return ToolReport::failed(format!("the tool `{}` is gone", judged.tool));
    };
    // A person may have taken long to approve, and a link may lead elsewhere by now.
    if let Ok(intent) = tool.intent(context, &judged.arguments)
        && intent.actions != judged.actions
    {
        let text = "what this call would touch changed since it was checked, so it was not run; call it again";
        return ToolReport::failed(text);
    }
    match tool.run(context, judged.arguments).await {
        Ok(report) => clip(match &judged.settled {
            Some(settled) => settled.told(report),
            None => report,
        }),
        Err(bug) => {
            let cause = std::error::Error::source(&bug).map(ToString::to_string).unwrap_or_default();
            ToolReport::failed(format!("{bug}: {cause}"))
        }
    }
}

fn clip(mut report: ToolReport) -> ToolReport {
    if let ToolOutcome::Ok { text } | ToolOutcome::Failed { text } | ToolOutcome::TimedOut { text } =
        &mut report.outcome
        && text.len() > MAX_OUTCOME_BYTES
    {
        *text = text::clip_middle(text, MAX_OUTCOME_BYTES, "").into_owned();
    }
    report
}

fn refusal_text(proposal: &Proposal, why: &str, rules: &[String]) -> String {
    let allow = allow_flags(rules);
    let way = match allow.len() {
        0..=MAX_RULE_BYTES => format!("with {allow} or in `policy.allow`"),
        _ => "with a rule in `policy.allow`".to_owned(),
    };
    format!(
        "`{} {}` was refused, because {why} and nobody is there to approve it. The user can allow it {way}.",
        proposal.tool, proposal.target
    )
}

/// Renders rules as flags that can be pasted into a shell.
pub fn allow_flags(rules: &[String]) -> String {
    let flag = |rule: &String| format!("--allow {}", text::shell_quoted(rule));
    rules.iter().map(flag).collect::<Vec<_>>().join(" ")
}

fn refused(bad: &BadCall) -> Verdict {
    let why = match bad {
        BadCall::Malformed(_) => Refusal::Malformed,
        BadCall::Impossible(_) | BadCall::Unfit { .. } => Refusal::Refused,
    };
    Verdict::Refuse { proposal: None, report: Box::new(ToolReport::failed(invalid::words(bad))), why }
}
