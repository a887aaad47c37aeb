//! Does this git command only look, and does the repository let it?
//!
//! A repository's own settings can name programs that `git status`, `diff`, `log` and `show` start. They are read here, as
//! text and without git; a setting that is not known to be harmless asks, unless the command switches it off.

use std::path::{Path, PathBuf};

use crate::base::text::fits;
use crate::policy::command::Standing;
use crate::policy::command::arguments::{self, Call, Taken, doubt};
use crate::policy::command::place::{Disk, tidy};
use crate::policy::command::scan::Word;
use crate::policy::command::table::{Check, Schema};

/// Settings that start nothing when something is read.
const HARMLESS: &[&str] = &[
    "core.repositoryformatversion",
    "core.filemode",
    "core.bare",
    "core.logallrefupdates",
    "core.ignorecase",
    "core.precomposeunicode",
    "core.symlinks",
    "core.autocrlf",
    "core.eol",
    "core.safecrlf",
    "core.quotepath",
    "core.abbrev",
    "core.sharedrepository",
    "core.preloadindex",
    "core.untrackedcache",
    "core.commitgraph",
    "core.multipackindex",
    "core.sparsecheckout*",
    "core.longpaths",
    "core.whitespace",
    "core.trustctime",
    "core.checkstat",
    "core.editor",
    "core.commentchar",
    "core.excludesfile",
    "core.compression",
    "core.packedgit*",
    "core.bigfilethreshold",
    "core.splitindex",
    "core.sshcommand",
    "remote.*.url",
    "remote.*.pushurl",
    "remote.*.fetch",
    "remote.*.push",
    "remote.*.tagopt",
    "remote.*.prune",
    "remote.*.mirror",
    "remote.*.gh-resolved",
    "remote.pushdefault",
    "branch.*",
    "user.*",
    "author.*",
    "committer.*",
    "init.*",
    "push.*",
    "pull.*",
    "fetch.*",
    "merge.*",
    "rebase.*",
    "color.*",
    "column.*",
    "lfs.*",
    "gc.*",
    "pack.*",
    "index.*",
    "advice.*",
    "status.*",
    "rerere.*",
    "commit.*",
    "tag.*",
    "http.*",
    "credential.*",
    "url.*",
    "maintenance.*",
    "receive.*",
    "transfer.*",
    "feature.*",
    "gui.*",
    "blame.*",
    "i18n.*",
    "apply.*",
    "am.*",
    "format.*",
    "diff.renames",
    "diff.renamelimit",
    "diff.algorithm",
    "diff.context",
    "diff.mnemonicprefix",
    "diff.noprefix",
    "diff.colormoved*",
    "diff.tool",
    "diff.ignoresubmodules",
    "log.date",
    "log.decorate",
    "log.abbrevcommit",
    "log.follow",
    "extensions.objectformat",
    "extensions.refstorage",
    "extensions.worktreeconfig",
    "submodule.*.url",
    "submodule.*.active",
    "submodule.*.branch",
    "gitflow.*",
    "vscode-merge-base",
    "alias.*",
    "difftool.*",
    "mergetool.*",
    "safe.*",
    "stash.*",
];
/// The hook that reads start too: `git status` writes down what it found.
const INDEX_HOOK: &str = "post-index-change";
/// Most repositories inside of a repository that are looked at.
const MAX_MODULES: usize = 200;

/// Judges the words behind `git`.
pub fn judge(call: &Call<'_>, schema: &Schema, words: &[Word]) -> Result<(), Standing> {
    let mut without_monitor = false;
    let mut at = 0;
    while let Some(word) = words.get(at).filter(|word| word.text.starts_with('-')) {
        match word.text.as_str() {
            "-c" if words
                .get(at + 1)
                .is_some_and(|value| value.is_literal() && value.text == "core.fsmonitor=false") =>
            {
                without_monitor = true;
                at += 2;
            }
            text if word.is_literal() && schema.option(text).is_some() => at += 1,
            text => return Err(doubt(format!("`git {text}` may change what git does"))),
        }
    }
    let Some(name) = words.get(at) else {
        let is_version = words.iter().any(|word| word.text == "--version");
        return if is_version { Ok(()) } else { Err(doubt("`git` alone does nothing that can be judged".to_owned())) };
    };
    let Some(row) = schema.command(&name.text).filter(|_| name.is_literal()) else {
        return Err(doubt(format!("`git {}` may do more than look", name.text)));
    };
    if words.iter().any(|word| word.text.contains("%G") || word.text.contains("(signature")) {
        return Err(doubt("checking signatures starts a program".to_owned()));
    }
    let call = Call { name: "git", ..*call };
    let taken = arguments::take(&call, row, &words[at + 1..])?;
    arguments::judge_taken(&call, row, &taken)?;
    if call.has_moved {
        return Err(doubt("git would look at whatever repository is in the other folder".to_owned()));
    }
    let off =
        Off { monitor: without_monitor, drivers: taken.has("--no-ext-diff"), converters: taken.has("--no-textconv") };
    call.folders.iter().try_for_each(|folder| repository(&call, folder, &off))
}

/// What the command switches off.
#[derive(Debug, Default)]
struct Off {
    monitor: bool,
    drivers: bool,
    converters: bool,
}

impl Off {
    fn covers(&self, setting: &str) -> bool {
        match setting {
            "core.fsmonitor" => self.monitor,
            "diff.external" => self.drivers,
            _ if fits("diff.*.command", setting) => self.drivers,
            _ if fits("diff.*.textconv", setting) || fits("diff.*.cachetextconv", setting) => self.converters,
            _ => false,
        }
    }
}

/// Judges the settings of the repository git would find from `folder`.
fn repository(call: &Call<'_>, folder: &Path, off: &Off) -> Result<(), Standing> {
    let disk = call.world.disk;
    for place in folder.ancestors() {
        let entry = place.join(".git");
        if disk.exists(&entry) {
            if place != call.world.root && place.starts_with(call.world.root) {
                return Err(doubt(format!("`{}` is a repository of its own", place.display())));
            }
            return settings(disk, &entry, off).map_or(Ok(()), |why| Err(doubt(why)));
        }
        // A folder that looks like the inside of a repository is one.
        if ["HEAD", "objects", "refs"].iter().all(|name| disk.exists(&place.join(name))) {
            return Err(doubt(format!("`{}` is a repository without a work tree", place.display())));
        }
    }
    Ok(())
}

/// Says which setting could start something.
fn settings(disk: &dyn Disk, entry: &Path, off: &Off) -> Option<String> {
    let (own, shared) = folders(disk, entry);
    if disk.exists(&shared.join("hooks").join(INDEX_HOOK)) {
        return Some(format!("the repository has a hook that git would start: `{INDEX_HOOK}`"));
    }
    let mut files = vec![shared.join("config"), shared.join("config.worktree"), own.join("config.worktree")];
    files.extend(modules(disk, &shared.join("modules")));
    files.into_iter().filter(|file| disk.exists(file)).find_map(|file| {
        let shown = file.display();
        let Some(text) = disk.text(&file) else { return Some(format!("`{shown}` cannot be read")) };
        let names = names(&text);
        let is_fine = |name: &str, value: &str| match name {
            "core.hookspath" => !disk.exists(&tidy(&entry.with_file_name("").join(value)).join(INDEX_HOOK)),
            _ => is_harmless(name, value) || off.covers(name),
        };
        let bad = names.iter().find(|(name, value)| !is_fine(name, value));
        bad.map(|(name, _)| format!("the repository sets `{name}`, which may start a program"))
    })
}

fn is_harmless(name: &str, value: &str) -> bool {
    match name {
        "core.fsmonitor" | "log.showsignature" => matches!(value, "false" | "0" | "no" | "off"),
        "diff.submodule" => value == "short",
        _ => HARMLESS.iter().any(|known| fits(known, name)),
    }
}

/// Returns the folder of the repository itself and the one it shares with other work trees.
fn folders(disk: &dyn Disk, entry: &Path) -> (PathBuf, PathBuf) {
    let base = entry.parent().unwrap_or(Path::new("/"));
    let own = match disk.text(entry).as_deref().and_then(|text| text.trim().strip_prefix("gitdir:")) {
        Some(path) => tidy(&base.join(path.trim())),
        None => entry.to_path_buf(),
    };
    let shared = match disk.text(&own.join("commondir")) {
        Some(path) => tidy(&own.join(path.trim())),
        None => own.clone(),
    };
    (own, shared)
}

/// Lists the settings of repositories inside of it: `git status` looks into them.
fn modules(disk: &dyn Disk, folder: &Path) -> Vec<PathBuf> {
    let mut open = vec![folder.to_path_buf()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        if found.len() >= MAX_MODULES {
            // What cannot be read asks.
            found.push(PathBuf::from("/"));
            break;
        }
        if disk.exists(&folder.join("HEAD")) {
            found.push(folder.join("config"));
            open.push(folder.join("modules"));
            continue;
        }
        let entries = disk.list(&folder, MAX_MODULES).unwrap_or_default();
        open.extend(entries.into_iter().filter(|(_, is_folder)| *is_folder).map(|(name, _)| folder.join(name)));
    }
    found
}

/// Reads settings as `section.name` or `section.sub.name`, in lower case, with their values. Continued lines are joined; what
/// is no line of a setting becomes a name that is not known.
fn names(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\r\n", " ").replace("\\\n", " ");
    let mut section = String::new();
    let mut found = Vec::new();
    for line in joined.lines() {
        let mut line = line.trim();
        if let Some(inner) = line.strip_prefix('[') {
            let Some((head, rest)) = inner.split_once(']') else {
                found.push((inner.to_owned(), String::new()));
                continue;
            };
            section =
                head.split_whitespace().map(|part| part.trim_matches('"')).collect::<Vec<_>>().join(".").to_lowercase();
            line = rest.trim();
        }
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let (name, value) = line.split_once('=').unwrap_or((line, "true"));
        let value = value.trim().trim_matches('"').to_owned();
        found.push((format!("{section}.{}", name.trim().to_lowercase()), value));
    }
    found
}

/// Judges what the rows of sub-commands cannot say.
pub fn rest(call: &Call<'_>, check: Check, taken: &Taken<'_>) -> Result<(), Standing> {
    let words: Vec<&str> = taken.operands.iter().map(|word| word.text.as_str()).collect();
    let lists = ["-l", "--list", "--merged", "--no-merged", "--contains", "--no-contains"];
    let is_fine = match check {
        Check::GitList => words.is_empty() || lists.iter().any(|name| taken.has(name)),
        Check::GitRemote => words.is_empty() || words.first() == Some(&"get-url"),
        Check::GitStash | Check::GitWorktree => words == ["list"],
        Check::GitReflog => words.is_empty() || words.first() == Some(&"show"),
        Check::GitConfig => {
            words.len() == 1
                && ["user.", "core.", "branch.", "init.", "pull.", "push."].iter().any(|own| words[0].starts_with(own))
        }
        _ => true,
    };
    match is_fine {
        true => Ok(()),
        false => Err(doubt(format!("`{} {}` may change the repository", call.name, words.join(" ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_git_names_them() {
        let text = "[core]\n\tbare = false\n fsMonitor = \"touch x\" # no\n[diff \"T\"]\ntextconv=cat\n[a]b=c\n[include]path=x\nodd";
        let read = names(text);
        let names: Vec<&str> = read.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["core.bare", "core.fsmonitor", "diff.t.textconv", "a.b", "include.path", "include.odd"]);
        let harmless: Vec<bool> = read.iter().map(|(name, value)| is_harmless(name, value)).collect();
        assert_eq!(harmless, [true, false, false, false, false, false]);
    }
}
