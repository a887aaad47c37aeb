//! What does `mimi config` do?
//!
//! Shows settings with their origin, checks files, names them and opens the user's own in an editor. Works while the
//! settings are broken, except for `show`.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, create_private_dir, write_atomic};
use crate::base::text::{count, nearest, visible};
use crate::base::yaml;
use crate::cli::context::Cx;
use crate::config::dirs::PROJECT_FILE;
use crate::config::error::{ConfigError, quoted};
use crate::config::layer::{Loaded, check_file, load_or_problems};
use crate::config::origin::{Layer, Origins};
use crate::exec::interactive::run_editor;

/// Stands in a settings file that `mimi config edit` creates.
const NEW_FILE: &str = include_str!("../../../config/new.yaml");

/// Show, check and edit settings
#[derive(Debug, Args)]
pub struct ConfigArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// The parts of `mimi config`.
#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print the settings in use, or one of them
    Show(ShowArgs),
    /// Report every problem of the settings, or of one file
    Check {
        /// File to check on its own, as if it were the user's; without it, everything that is in use
        file: Option<PathBuf>,
    },
    /// Print the path of your settings file
    Path {
        /// Print every file that is looked at, and whether it is there
        #[arg(long)]
        all: bool,
    },
    /// Open your settings file in $VISUAL or $EDITOR, then check it
    Edit,
}

/// What `mimi config show` prints.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// Key, like `agent.max_steps` or `providers`
    pub key: Option<String>,
    /// Print one line per value, with the file and line it comes from
    #[arg(long)]
    pub origin: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Carries out `mimi config`.
///
/// # Errors
/// Settings that cannot be used, a key that does not exist, an editor that fails.
pub fn run(cx: &Cx, args: &ConfigArgs) -> Result<(), Fault> {
    match &args.action {
        ConfigAction::Show(args) => show(cx, args),
        ConfigAction::Check { file } => check(cx, file.as_deref()),
        ConfigAction::Path { all } if *all => all_paths(cx),
        ConfigAction::Path { .. } => cx.out.line(cx.dirs.config_file().display().to_string()),
        ConfigAction::Edit => edit(cx),
    }
}

fn show(cx: &Cx, args: &ShowArgs) -> Result<(), Fault> {
    let loaded = cx.load()?;
    let all = serde_json::to_value(&loaded.config)
        .map_err(|error| Fault::new(Kind::Bug, "cannot show the settings").cause(error.to_string()))?;
    let key = args.key.as_deref().unwrap_or_default();
    let value = find(&all, key)?;
    if args.origin {
        show_origins(cx, value, key, &loaded, args.json)
    } else if args.json {
        cx.out.json(&format!("{value:#}"))
    } else if let Value::String(text) = value {
        // One value alone is printed as scripts want it: without quotes.
        cx.out.line(visible(text))
    } else {
        let text = yaml::to_string(value).map_err(|error| Fault::new(Kind::Bug, error.message))?;
        cx.out.line(visible(text.trim_end()))
    }
}

/// Returns the value at a key path; an unknown key names the nearest.
fn find<'a>(all: &'a Value, key: &str) -> Result<&'a Value, Fault> {
    let mut value = all;
    for step in key.split('.').filter(|step| !step.is_empty()) {
        value = value.get(step).ok_or_else(|| unknown(all, key))?;
    }
    Ok(value)
}

fn unknown(all: &Value, key: &str) -> Fault {
    let mut keys = Vec::new();
    leaves(all, "", &mut keys);
    let fault = Fault::new(Kind::Usage, format!("unknown key `{}`", visible(key)));
    match nearest(key, keys.iter().map(|(key, _)| key.as_str())) {
        Some(near) => fault.hint(format!("mimi config show {near}")),
        None => fault.hint("mimi config show"),
    }
}

/// Collects the path and value of everything that is no map; elements of lists count one by one.
fn leaves<'a>(value: &'a Value, path: &str, found: &mut Vec<(String, &'a Value)>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            let dot = if path.is_empty() { "" } else { "." };
            map.iter().for_each(|(key, value)| leaves(value, &format!("{path}{dot}{key}"), found));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(index, value)| leaves(value, &format!("{path}[{index}]"), found));
        }
        _ => found.push((path.to_owned(), value)),
    }
}

fn show_origins(cx: &Cx, value: &Value, key: &str, loaded: &Loaded, as_json: bool) -> Result<(), Fault> {
    let mut rows = Vec::new();
    leaves(value, key, &mut rows);
    if as_json {
        let rows: serde_json::Map<String, Value> = rows
            .into_iter()
            .map(|(key, value)| {
                let origin = loaded.origins.find_or_default(&key);
                (key, json!({ "value": value, "origin": origin }))
            })
            .collect();
        return cx.out.json(&format!("{:#}", Value::Object(rows)));
    }
    rows.iter().try_for_each(|(key, value)| cx.out.line(origin_line(key, value, &loaded.origins)))
}

fn origin_line(key: &str, value: &Value, origins: &Origins) -> String {
    let origin = origins.find_or_default(key);
    let setting = format!("{key}: {value}");
    format!("{:<48} # {:<7} {}", visible(&setting), origin.layer.name(), visible(&origin.to_string()))
}

fn check(cx: &Cx, file: Option<&Path>) -> Result<(), Fault> {
    let result = match file {
        Some(file) => check_file(file, layer_of(file), &cx.dirs),
        None => load_or_problems(&cx.sources()),
    };
    let loaded = result.map_err(|problems| report(cx, problems))?;
    cx.check_rules(&loaded)?;
    for warning in &loaded.warnings {
        cx.out.note(format!("warning: {warning}"));
    }
    let names: Vec<String> = loaded.files.iter().map(|file| file.display().to_string()).collect();
    if names.is_empty() {
        return cx.out.line("ok: no settings file, the defaults are in use");
    }
    cx.out.line(format!("ok: {}", names.join(", ")))
}

/// A file that lies where a project's lies is judged as a project's.
fn layer_of(file: &Path) -> Layer {
    if file.ends_with(PROJECT_FILE) { Layer::Project } else { Layer::User }
}

/// Prints all problems but the last, which becomes the failure of the command.
fn report(cx: &Cx, mut problems: Vec<ConfigError>) -> Fault {
    let n_problems = problems.len();
    let Some(last) = problems.pop() else { return Fault::new(Kind::Bug, "no problem named") };
    for problem in problems {
        cx.out.note(format!("{}\n", Fault::from(problem)));
    }
    if n_problems > 1 {
        cx.out.note(format!("{} in all; the last:", count(n_problems, "problem")));
    }
    Fault::from(last)
}

fn all_paths(cx: &Cx) -> Result<(), Fault> {
    let files = [
        (Layer::System, cx.system_file.clone()),
        (Layer::User, cx.dirs.config_file()),
        (Layer::Project, cx.workspace_root.join(PROJECT_FILE)),
    ];
    files.iter().try_for_each(|(layer, file)| {
        let state = if file.exists() { "" } else { " (missing)" };
        cx.out.line(format!("{:<8}{}{state}", layer.name(), file.display()))
    })
}

fn edit(cx: &Cx) -> Result<(), Fault> {
    let file = cx.dirs.config_file();
    create_if_missing(&file)?;
    let editor = editor(cx);
    let name = editor.first().cloned().unwrap_or_default();
    let code = run_editor(&editor, &file).map_err(|error| {
        Fault::io(Kind::Usage, format!("cannot start the editor `{name}`"), &error)
            .hint("export EDITOR=vi")
            .hint(format!("or change the file yourself: {}", quoted(&file)))
    })?;
    if code != 0 {
        return Err(Fault::new(Kind::Task, format!("the editor `{name}` ended with code {code}")));
    }
    check_file(&file, Layer::User, &cx.dirs).map_err(|problems| report(cx, problems).hint("mimi config edit"))?;
    cx.out.line(format!("ok: {}", file.display()))
}

/// Returns the editor and its arguments; words are split at spaces, as in `EDITOR="code --wait"`.
pub(super) fn editor(cx: &Cx) -> Vec<String> {
    let named = ["VISUAL", "EDITOR"].iter().find_map(|name| cx.env.get(name).filter(|value| !value.trim().is_empty()));
    named.unwrap_or("vi").split_whitespace().map(str::to_owned).collect()
}

fn create_if_missing(file: &Path) -> Result<(), Fault> {
    if file.exists() {
        return Ok(());
    }
    let unwritable = |source| ConfigError::Unwritable { file: file.to_path_buf(), source };
    create_private_dir(file.parent().unwrap_or(Path::new("/"))).map_err(unwritable)?;
    write_atomic(file, NEW_FILE.as_bytes(), PRIVATE_FILE).map_err(unwritable)?;
    Ok(())
}
