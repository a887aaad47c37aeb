//! Which checks, limits and rules does the command line of `mimi fix` ask for?
//!
//! Flags over configuration over what is found in the project; the order of `--test`, `--lint` and `--build` is that of the
//! command line. Part of `fix`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command};

use crate::app::App;
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::commands::fix::FixArgs;
use crate::cli::context::Cx;
use crate::config::schema::FixConfig;
use crate::protocol::fix_report::{CheckKind, CheckSpec};
use crate::strategy::detect::{self, Detected, Found};
use crate::strategy::fix::budget::Limits;
use crate::strategy::fix::guard::{Allowed, Rules, files_of_command};
use crate::strategy::fix::{Check, Job};
use crate::strategy::runner::CheckError;

/// Stands for a command that is found by the files of the project.
const AUTO: &str = "auto";
/// The flags, what they are for and their help.
const FLAGS: [(&str, CheckKind, &str); 3] = [
    (
        "test",
        CheckKind::Test,
        "A check that runs tests, as a shell command; several run in the order given. `auto`, or no check at all: found from the project's files",
    ),
    ("lint", CheckKind::Lint, "A check that runs a linter or formatter; `auto` finds it"),
    ("build", CheckKind::Build, "A check that builds; the checks behind it run only when it passes; `auto` finds it"),
];

/// The checks of the command line, in its order. Written by hand, because derived arguments forget the order among them.
#[derive(Debug, Clone, Default)]
pub struct ChecksArgs {
    /// What each is for, and its command.
    pub checks: Vec<(CheckKind, String)>,
    /// Files they write for programs to read, as patterns.
    pub reports: Vec<String>,
}

/// Names the files that checks write for programs to read.
const REPORTS: &str = "failures-from";

impl clap::Args for ChecksArgs {
    fn augment_args(command: Command) -> Command {
        let flag = |(name, _, help): (&'static str, CheckKind, &'static str)| {
            Arg::new(name).long(name).value_name("COMMAND").action(ArgAction::Append).help(help)
        };
        let reports = Arg::new(REPORTS)
            .long(REPORTS)
            .value_name("FILE")
            .action(ArgAction::Append)
            .help("Read what failed from this file as well, which the checks write: JUnit XML, SARIF or TAP; `*` stands for any text");
        command.args(FLAGS.map(flag)).arg(reports)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for ChecksArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut found: Vec<(usize, CheckKind, String)> = Vec::new();
        for (name, kind, _) in FLAGS {
            let places = matches.indices_of(name).into_iter().flatten();
            let commands = matches.get_many::<String>(name).into_iter().flatten();
            found.extend(places.zip(commands).map(|(at, command)| (at, kind, command.clone())));
        }
        found.sort_by_key(|(at, ..)| *at);
        let checks = found.into_iter().map(|(_, kind, command)| (kind, command)).collect();
        let reports = matches.get_many::<String>(REPORTS).into_iter().flatten().cloned().collect();
        Ok(Self { checks, reports })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// How long it may go on.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct BudgetArgs {
    /// Times the agent is handed the failures; 0 leaves the model out
    #[arg(long, value_name = "N")]
    pub max_rounds: Option<u32>,
    /// Requests to the model, in all rounds
    #[arg(long, value_name = "N")]
    pub max_steps: Option<u32>,
    /// Tokens read and written, in all rounds
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
    /// Time from the start to the end, in which also a busy server is waited for: `90s`, `20m`, `2h`
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    pub max_time: Option<u64>,
    /// Cost, in the currency of `prices` in the configuration
    #[arg(long, value_name = "AMOUNT", value_parser = amount)]
    pub max_cost: Option<f64>,
}

/// What may be changed.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct GuardArgs {
    /// Change only files that fit: `src/**`; several flags add up
    #[arg(long = "paths", value_name = "GLOB")]
    pub paths: Vec<String>,
    /// Let tests, what they expect and what sets up checks be changed
    #[arg(long)]
    pub allow_tests: bool,
    /// Let files of the CI be changed
    #[arg(long)]
    pub allow_ci: bool,
    /// Let lockfiles be changed
    #[arg(long)]
    pub allow_lockfiles: bool,
    /// Let hooks be changed
    #[arg(long)]
    pub allow_hooks: bool,
}

/// Reads a time: a number with `s`, `m` or `h` behind it; seconds without.
fn milliseconds(text: &str) -> Result<u64, String> {
    let units = [("ms", 1.0), ("s", 1000.0), ("m", 60_000.0), ("h", 3_600_000.0)];
    let unit = units.iter().find_map(|(unit, ms)| Some((text.strip_suffix(unit)?, *ms)));
    let (number, ms) = unit.unwrap_or((text, 1000.0));
    match number.trim().parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok((number * ms).ceil() as u64),
        _ => Err("a time is written like 90s, 20m or 2h".to_owned()),
    }
}

fn amount(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite() && *number > 0.0);
    number.ok_or_else(|| "an amount is a number above 0".to_owned())
}

/// Where the work is done, and what it is.
pub(super) struct Plan {
    /// Everything put together for the folder worked in.
    pub(super) app: App,
    /// What was found, if it was looked for.
    pub(super) detected: Detected,
    asked: Vec<(CheckKind, String)>,
}

/// Finds out where to work.
pub(super) fn plan(cx: &Cx, args: &FixArgs) -> Result<Plan, Fault> {
    let loaded = cx.load()?;
    cx.check_rules(&loaded)?;
    let asked = asked(&loaded.config.fix, args)?;
    let is_looked_for = asked.is_empty() || args.detect || asked.iter().any(|(_, command)| command == AUTO);
    let detected = if is_looked_for {
        detect::detect(&cx.workspace_root, cx.env.get("PATH").unwrap_or_default())?
    } else {
        Detected { folder: cx.workspace_root.clone(), found: Vec::new() }
    };
    // What was named is run where it was named.
    let is_found = asked.is_empty() || asked.iter().any(|(_, command)| command == AUTO);
    let folder = if is_found { detected.folder.clone() } else { cx.workspace_root.clone() };
    let max_ms = args.budget.max_time.unwrap_or(loaded.config.fix.max_seconds.saturating_mul(1000));
    let mut app = cx.app_in(loaded.config, &folder)?;
    app.wait_for_servers(Duration::from_millis(max_ms));
    Ok(Plan { app, detected, asked })
}

/// Returns the checks asked for: those of the command line, else of the configuration.
fn asked(config: &FixConfig, args: &FixArgs) -> Result<Vec<(CheckKind, String)>, Fault> {
    let checks = if !args.checks.checks.is_empty() {
        args.checks.checks.clone()
    } else if !config.checks.is_empty() {
        config.checks.iter().map(|text| configured(text)).collect::<Result<_, _>>()?
    } else if !config.test_command.is_empty() {
        vec![(CheckKind::Test, config.test_command.clone())]
    } else {
        Vec::new()
    };
    match checks.iter().any(|(_, command)| command.trim().is_empty()) {
        true => Err(Fault::new(Kind::Usage, "the check is empty").hint("name it: mimi fix --test 'make check'")),
        false => Ok(checks),
    }
}

fn configured(text: &str) -> Result<(CheckKind, String), Fault> {
    let read = text.split_once(':').and_then(|(kind, command)| {
        let (_, kind, _) = FLAGS.into_iter().find(|(name, ..)| *name == kind.trim())?;
        Some((kind, command.trim().to_owned()))
    });
    read.ok_or_else(|| {
        Fault::new(Kind::Config, format!("`fix.checks` has `{}`, which does not say what it is for", visible(text)))
            .hint("write it with `test`, `lint` or `build` before it: \"lint: ruff check .\"")
    })
}

impl Plan {
    /// Says what is to be fixed.
    pub(super) fn job(&self, cx: &Cx, args: &FixArgs) -> Result<Job, Fault> {
        let (fix, folder) = (&self.app.config.fix, self.app.workspace.root().to_path_buf());
        let mut checks = self.checks(cx, &folder)?;
        checks.iter_mut().for_each(|check| check.reports.extend(args.checks.reports.iter().cloned()));
        let budget = &args.budget;
        let limits = Limits {
            max_rounds: budget.max_rounds.unwrap_or(fix.max_rounds),
            max_steps: budget.max_steps.unwrap_or(fix.max_steps),
            max_tokens: budget.max_tokens.unwrap_or(fix.max_tokens),
            max_ms: budget.max_time.unwrap_or(fix.max_seconds.saturating_mul(1000)),
            max_cost: budget.max_cost.unwrap_or_default(),
        };
        Ok(Job {
            rules: rules(&args.guard, &checks, &folder),
            checks,
            folder,
            limits,
            timeout_s: fix.test_timeout_s,
            minimise_s: fix.minimise_s,
            spill_dir: self.app.spill_dir(),
            outputs: args.targets()?.files().map(|(_, path)| absolute(path)).collect(),
        })
    }

    fn checks(&self, cx: &Cx, folder: &Path) -> Result<Vec<Check>, Fault> {
        if self.asked.is_empty() {
            return all(&self.detected.usual(), folder, &cx.workspace_root);
        }
        let mut checks = Vec::new();
        for (kind, command) in &self.asked {
            if command == AUTO {
                checks.extend(all(&self.detected.of_kind(*kind), folder, &cx.workspace_root)?);
                continue;
            }
            let below = cx.workspace_root.strip_prefix(folder).map(|below| below.display().to_string());
            let spec = CheckSpec { kind: *kind, command: command.clone(), folder: below.unwrap_or_default() };
            checks.push(Check { spec, ..Check::default() });
        }
        Ok(checks)
    }

    /// Shows what would be run, and what else was found.
    pub(super) fn show(&self, cx: &Cx, job: Result<Job, Fault>, args: &FixArgs) -> Result<(), Fault> {
        let job = job?;
        let folder = &job.folder;
        let is_run = |found: &&Found| !job.checks.iter().any(|check| check.spec == found.spec(folder));
        let others: Vec<&Found> = self.detected.found.iter().filter(is_run).collect();
        if args.json {
            let specs: Vec<CheckSpec> = others.iter().map(|found| found.spec(folder)).collect();
            return cx
                .out
                .line(serde_json::json!({ "folder": folder, "runs": job.specs(), "found": specs }).to_string());
        }
        let line = |word: &str, spec: &CheckSpec, more: String| {
            let place = if spec.folder.is_empty() { "." } else { &spec.folder };
            cx.out.line(format!("{word:<5}  {:<5}  {place}  {}{more}", spec.kind.name(), visible(&spec.command)))
        };
        if *folder != cx.workspace_root {
            cx.out.line(format!("in {}:", folder.display()))?;
        }
        job.checks.iter().try_for_each(|check| line("runs", &check.spec, String::new()))?;
        others.iter().try_for_each(|found| {
            let missing = found.missing.as_ref().map(|program| format!("  (needs `{program}`)"));
            line("found", &found.spec(folder), missing.unwrap_or_default())
        })
    }
}

/// Returns the path of a file that may not be there yet, as the workspace names it.
fn absolute(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    folder.zip(path.file_name()).map_or_else(|| path.clone(), |(folder, name)| folder.join(name))
}

fn all(found: &[&Found], folder: &Path, named: &Path) -> Result<Vec<Check>, Fault> {
    if found.is_empty() {
        return Err(CheckError::NotFound { folder: named.display().to_string() }.into());
    }
    let check = |found: &&Found| match &found.missing {
        Some(program) => Err(CheckError::NoProgram { command: found.command.clone(), program: program.clone() }.into()),
        None => Ok(Check { spec: found.spec(folder), only: found.only.clone(), reports: found.reports.clone() }),
    };
    found.iter().map(check).collect()
}

fn rules(args: &GuardArgs, checks: &[Check], folder: &Path) -> Rules {
    let flags = [
        (args.allow_tests, Allowed::Tests),
        (args.allow_ci, Allowed::Ci),
        (args.allow_lockfiles, Allowed::Lockfiles),
        (args.allow_hooks, Allowed::Hooks),
    ];
    let named = checks.iter().flat_map(|check| {
        let below =
            |file: String| if check.spec.folder.is_empty() { file } else { format!("{}/{file}", check.spec.folder) };
        files_of_command(&check.spec.command, &folder.join(&check.spec.folder)).into_iter().map(below)
    });
    Rules {
        paths: args.paths.clone(),
        allow: flags.into_iter().filter(|(is_given, _)| *is_given).map(|(_, allowed)| allowed).collect(),
        checks: named.collect::<BTreeSet<String>>(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        let table = [
            ("90", Some(90_000)),
            ("90s", Some(90_000)),
            ("1.5m", Some(90_000)),
            ("2h", Some(7_200_000)),
            ("250ms", Some(250)),
        ];
        for (text, expected) in
            table.into_iter().chain([("", None), ("0", None), ("x", None), ("-1s", None), ("nan", None)])
        {
            assert_eq!(milliseconds(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn a_configured_check_says_what_it_is_for() {
        let table = [
            ("lint: ruff check .", Some((CheckKind::Lint, "ruff check ."))),
            ("test: a: b", Some((CheckKind::Test, "a: b"))),
            ("make", None),
            ("check: make", None),
        ];
        for (text, expected) in table {
            let read = configured(text).ok();
            assert_eq!(read.as_ref().map(|(kind, command)| (*kind, command.as_str())), expected, "{text}");
        }
    }
}
