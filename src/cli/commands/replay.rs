//! How is a recorded run gone through again, without any model server?
//!
//! The model's answers come from the recording. Calls and checks come from it too, so that nothing is run and only mimi itself
//! can differ; or they run, in a scratch copy, so that it shows where the world of today differs from that of the recording.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::agent::dispatch::Approvals;
use crate::app::{AgentOptions, App, Bounds, Probing};
use crate::base::clock::{format_utc, new_id};
use crate::base::fault::{Fault, Kind};
use crate::base::path::{copy_tree, create_private_dir, remove_tree};
use crate::base::text::{count, shell_quoted, visible};
use crate::cli::SandboxArg;
use crate::cli::commands::fix::{self, FixArgs};
use crate::cli::commands::fix_show::Show;
use crate::cli::context::{Cx, block_on};
use crate::cli::recording;
use crate::cli::report::target::Targets;
use crate::cli::signal::Signals;
use crate::config::dirs::Dirs;
use crate::protocol::event::TurnEnd;
use crate::protocol::op::Op;
use crate::strategy::answer::end_fault;
use crate::strategy::fix::Job;
use crate::tape::error::TapeError;
use crate::tape::player::{Calls, Fate, Player, Step, Today};
use crate::tape::reader::Recording;
use crate::tui::look::Look;

/// Arguments of `mimi replay`.
#[derive(Debug, clap::Args)]
pub struct ReplayArgs {
    /// The recording, as `mimi fix --record FILE` made it
    #[arg(value_hint = clap::ValueHint::FilePath)]
    pub file: PathBuf,
    /// Where results of calls and checks come from: the recording, or running them in a scratch copy of this folder
    #[arg(long, value_enum, default_value = "recorded")]
    pub tools: ToolsArg,
    /// With `--tools real`: run in this folder itself instead of a copy
    #[arg(long)]
    pub in_place: bool,
    /// With `--tools real`: allow what this rule covers; what the recording allowed is not taken over
    #[arg(long, value_name = "RULE")]
    pub allow: Vec<String>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
    /// Print the steps as one JSON value
    #[arg(long)]
    pub json: bool,
}

/// Where results of calls come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum ToolsArg {
    /// Nothing is run
    Recorded,
    /// Calls and checks run
    Real,
}

/// Plays a recording.
pub fn run(cx: &Cx, args: &ReplayArgs) -> Result<(), Fault> {
    let recording = Recording::read(&args.file)?;
    if args.tools == ToolsArg::Recorded && (args.in_place || !args.allow.is_empty()) {
        return Err(Fault::new(
            Kind::Usage,
            "`--in-place` and `--allow` are for `--tools real`: nothing runs otherwise",
        ));
    }
    let is_torn = recording.is_torn;
    let scratch = Scratch::new()?;
    let folder = match (args.tools, args.in_place) {
        (ToolsArg::Recorded, _) => scratch.folder("project")?,
        (ToolsArg::Real, true) => cx.workspace_root.clone(),
        (ToolsArg::Real, false) => scratch.copy_of(&cx.workspace_root)?,
    };
    let dirs = Dirs { state: scratch.folder("state")?, cache: scratch.folder("cache")?, ..cx.dirs.clone() };
    let today = Today {
        root: folder.display().to_string(),
        home: dirs.home.display().to_string(),
        state: dirs.state.display().to_string(),
    };
    let calls = if args.tools == ToolsArg::Real { Calls::Real } else { Calls::Recorded };
    let player = Arc::new(Player::new(recording, calls, &today));
    let config = cx.load()?.config;
    let choice = App::choose(&config, &cx.env, &cx.dirs, &folder, Probing::Kept)?;
    let app = recording::play(App::new(config, &cx.env, dirs, &folder, choice)?, &player);
    let code = match args.tools {
        ToolsArg::Recorded => {
            player.take_checks();
            converse(&app, &player, &[])?
        }
        ToolsArg::Real => {
            app.need_sandbox()?;
            hint_of_rules(cx, &player, args);
            work(cx, &app, &player, args)?
        }
    };
    Verdict::new(&player, code, is_torn, args).tell(cx)
}

/// Says which rules the recorded command had, because they are not taken over.
fn hint_of_rules(cx: &Cx, player: &Player, args: &ReplayArgs) {
    let missing: Vec<&String> = player.head().allow.iter().filter(|rule| !args.allow.contains(rule)).collect();
    if !missing.is_empty() {
        let flags: Vec<String> = missing.iter().map(|rule| format!("--allow {}", shell_quoted(rule))).collect();
        cx.out.note(format!("the recorded command was run with: {}", flags.join(" ")));
    }
}

/// Runs the recorded work again with real calls; returns the exit code it would end with.
fn work(cx: &Cx, app: &App, player: &Arc<Player>, args: &ReplayArgs) -> Result<Option<u8>, Fault> {
    let Some(job) = player.head().job.clone() else { return converse(app, player, &args.allow) };
    let path = args.file.clone();
    let job: Job = serde_json::from_value(job).map_err(|source| TapeError::Broken { path, line: 1, source })?;
    let job = Job { folder: app.workspace.root().to_path_buf(), spill_dir: app.spill_dir(), ..job };
    let fix = FixArgs { allow: args.allow.clone(), ..FixArgs::default() };
    let targets = Targets::new(&[])?;
    let (mut show, watched) = (Show::new(cx, &targets)?, RefCell::new(fix::collector(app, Some(&job))));
    match fix::work(cx, app, (&job, &fix), &watched, &mut show) {
        Ok(outcome) => Ok(Some(fix::exit_code(&job, &outcome))),
        Err(fault) if matches!(fault.kind, Kind::Interrupted | Kind::Terminated) => Err(fault),
        Err(fault) => Ok(Some(fault.kind.exit_code())),
    }
}

/// Goes through the conversation again; returns the exit code where the conversation alone decides it.
fn converse(app: &App, player: &Arc<Player>, allow: &[String]) -> Result<Option<u8>, Fault> {
    block_on(async {
        let mut signals = Signals::listen()?;
        tokio::select! {
            code = talk(app, player, allow) => code,
            stop = signals.next() => Err(stop.fault()),
        }
    })
}

async fn talk(app: &App, player: &Arc<Player>, allow: &[String]) -> Result<Option<u8>, Fault> {
    let mut code = None;
    for (agent, ops) in player.agents() {
        let options = AgentOptions {
            task: agent.task,
            mode: Some(agent.mode),
            model: None,
            approvals: Approvals::Nobody,
            allow: allow.to_vec(),
            class: agent.class,
            bounds: Bounds::default(),
        };
        let mut session = app.start(options).await?;
        for op in ops {
            match op {
                Op::Submit { text } => {
                    let turn = session.handle.turn(text.clone(), |_| {}).await;
                    let turn =
                        turn.ok_or_else(|| Fault::new(Kind::Bug, "the agent ended in the middle of its work"))?;
                    code = Some(match turn.end {
                        TurnEnd::Answered if turn.refused > 0 => Kind::Denied.exit_code(),
                        TurnEnd::Answered => 0,
                        end => end_fault(end).kind.exit_code(),
                    });
                }
                Op::Interrupt => break,
                other => drop(session.handle.ops.send(other.clone()).await),
            }
        }
        session.handle.close().await;
    }
    // What `mimi fix` ends with is decided by checks, and a schema may have judged an answer.
    Ok(code.filter(|_| player.head().command == "run" && player.plays_calls()))
}

/// Folders of a replay, gone when it is over.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Fault> {
        let folder = std::env::temp_dir().join(format!("mimi-replay-{}", new_id()));
        create_private_dir(&folder)
            .map_err(|error| Fault::io(Kind::Task, format!("cannot make `{}`", folder.display()), &error))?;
        Ok(Self(folder.canonicalize().unwrap_or(folder)))
    }

    fn folder(&self, name: &str) -> Result<PathBuf, Fault> {
        let folder = self.0.join(name);
        create_private_dir(&folder)
            .map_err(|error| Fault::io(Kind::Task, format!("cannot make `{}`", folder.display()), &error))?;
        Ok(folder)
    }

    /// Copies a project under its own name, which tools may show.
    fn copy_of(&self, project: &Path) -> Result<PathBuf, Fault> {
        let name = project.file_name().unwrap_or_else(|| "project".as_ref());
        let folder = self.folder("copy")?.join(name);
        copy_tree(project, &folder).map_err(|error| {
            Fault::io(Kind::Task, format!("cannot copy `{}`", project.display()), &error)
                .hint("run in the folder itself: mimi replay --tools real --in-place FILE")
        })?;
        Ok(folder)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed lies where the system clears up.
        drop(remove_tree(&self.0));
    }
}

/// What came of it.
struct Verdict<'a> {
    args: &'a ReplayArgs,
    player: &'a Player,
    steps: Vec<Step>,
    /// How the command ends today, where it was found out.
    code: Option<u8>,
    is_torn: bool,
}

impl<'a> Verdict<'a> {
    fn new(player: &'a Player, code: Option<u8>, is_torn: bool, args: &'a ReplayArgs) -> Self {
        Self { args, player, steps: player.steps(), code, is_torn }
    }

    /// Returns the first step that is not as recorded. What was not reached counts, unless the recorded run was killed there.
    fn first(&self) -> Option<&Step> {
        let differs = self.steps.iter().find(|step| matches!(step.fate, Fate::Differs(_)));
        let unreached = || self.steps.iter().find(|step| step.fate == Fate::Pending && self.player.end().is_some());
        differs.or_else(unreached)
    }

    /// Says how the end differs, where the steps do not.
    fn end(&self) -> Option<String> {
        let ((before, _), now) = (self.player.end()?, self.code?);
        (before != now).then(|| format!("the recorded run ended with exit code {before}, this one with {now}"))
    }

    fn tell(&self, cx: &Cx) -> Result<(), Fault> {
        if self.args.json {
            cx.out.line(self.json().to_string())?;
        } else {
            self.list(cx)?;
        }
        if let Some(step) = self.first() {
            let what = if step.fate == Fate::Pending { "was not reached" } else { "differs" };
            let title = visible(&step.title).into_owned();
            let total = self.steps.len();
            return Err(Fault::new(
                Kind::Task,
                format!("step {} of {total} {what} from the recording: {title}", step.number),
            ));
        }
        self.end().map_or(Ok(()), |told| Err(Fault::new(Kind::Task, told)))
    }

    fn list(&self, cx: &Cx) -> Result<(), Fault> {
        let head = self.player.head();
        cx.out.line(format!(
            "`mimi {}` in {}, recorded by mimi {} at {}",
            visible(&head.command),
            visible(&head.root),
            visible(&head.mimi),
            format_utc(head.at_ms)
        ))?;
        for step in &self.steps {
            let (style, word) = match &step.fate {
                Fate::Same => (Look::Good, "same"),
                Fate::Taken => (Look::Dim, "as recorded, not run"),
                Fate::Pending => (Look::Bad, "not reached"),
                Fate::Unfinished => (Look::Notice, "the recording ends here"),
                Fate::Differs(_) => (Look::Bad, "differs"),
            };
            cx.out.styled(style, format!("{:>4}  {}: {word}", step.number, visible(&step.title)))?;
            if let Fate::Differs(told) = &step.fate {
                told.lines().try_for_each(|line| cx.out.line(format!("        {}", visible(line))))?;
            }
        }
        if let Some(words) = self.ending() {
            cx.out.line(words)?;
        }
        Ok(())
    }

    /// Says how the recording ends, and that all is the same where it is.
    fn ending(&self) -> Option<String> {
        let steps = count(self.steps.len(), "step");
        let last = self.steps.last().map_or(0, |step| step.number);
        match (self.first(), self.end(), self.player.end()) {
            (None, None, Some((code, _))) => Some(format!("{steps} as recorded; exit code {code}")),
            (_, _, None) => {
                let torn = if self.is_torn { ", in the middle of a line" } else { "" };
                Some(format!("the recording ends after step {last}{torn}: the run did not end by itself"))
            }
            _ => None,
        }
    }

    fn json(&self) -> serde_json::Value {
        let step = |step: &Step| {
            let (fate, told) = match &step.fate {
                Fate::Same => ("same", None),
                Fate::Taken => ("taken", None),
                Fate::Pending => ("not_reached", None),
                Fate::Unfinished => ("unfinished", None),
                Fate::Differs(told) => ("differs", Some(told)),
            };
            serde_json::json!({"step": step.number, "what": step.title, "fate": fate, "difference": told})
        };
        serde_json::json!({
            "v": 1,
            "command": self.player.head().command,
            "is_same": self.first().is_none() && self.end().is_none(),
            "first_difference": self.first().map(|step| step.number),
            "is_complete": self.player.end().is_some(),
            "recorded_exit_code": self.player.end().map(|(code, _)| code),
            "exit_code": self.code,
            "steps": self.steps.iter().map(step).collect::<Vec<_>>(),
        })
    }
}
