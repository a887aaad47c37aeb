//! What makes a check pass without mending anything?
//!
//! A test that is deleted, skipped or weakened, an expected value that is changed, a finding that is silenced, and files nobody
//! asked to have changed: CI, lockfiles, hooks, what sets up the checks, anything outside of `--paths`. All of it is compared
//! with the start, so that nothing adds up over rounds; the words and patterns are those of `config/guard.yaml`. Surprising: an
//! assertion that was only reworded counts as gone, because nobody here can tell a stricter one from a looser one; whoever wants
//! tests changed says `--allow-tests`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;
use std::time::Instant;

use regex::Regex;
use serde::{Deserialize, Serialize};

use crate::base::text::clip_line;
use crate::base::yaml;
use crate::checkpoint::node::Delta;
use crate::protocol::fix_report::What;
use crate::strategy::fix::engine::{Fixing, Halt};
use crate::strategy::fix::statement::{statements, values};
use crate::strategy::fix::world::{Look, World};

/// Bytes of an assertion that is named in a message.
const MAX_SHOWN_BYTES: usize = 120;

/// What may be changed all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Allowed {
    /// Tests, what they expect, and what sets up checks.
    Tests,
    /// The CI.
    Ci,
    /// Lockfiles.
    Lockfiles,
    /// Hooks.
    Hooks,
}

impl Allowed {
    /// Returns the flag that allows it.
    pub fn flag(self) -> &'static str {
        match self {
            Self::Tests => "--allow-tests",
            Self::Ci => "--allow-ci",
            Self::Lockfiles => "--allow-lockfiles",
            Self::Hooks => "--allow-hooks",
        }
    }
}

/// What must not be changed by a job.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rules {
    /// Patterns of the only files that may change; everything when there are none.
    #[serde(default)]
    pub paths: Vec<String>,
    /// What may change all the same.
    #[serde(default)]
    pub allow: BTreeSet<Allowed>,
    /// Files that are the check itself.
    #[serde(default)]
    pub checks: BTreeSet<String>,
}

/// One file as it was and as it is.
#[derive(Debug, Clone, Default)]
pub struct Changed {
    /// Its path from the folder worked in.
    pub name: String,
    /// Whether it was there.
    pub was_there: bool,
    /// Its text at the start; none where it is no text.
    pub before: Option<String>,
    /// Its text now; none where it is gone, or no text.
    pub after: Option<String>,
}

/// What was changed and must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Breach {
    /// The file, from the folder worked in.
    pub file: String,
    /// What was done to it, for a person and for the model.
    pub words: String,
    /// The flag that would allow it; none for a file outside of `--paths`.
    pub flag: Option<&'static str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    files: Vec<Class>,
    parts: Vec<PartRow>,
    languages: Vec<LanguageRow>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Class {
    name: String,
    allow: Allowed,
    #[serde(default)]
    old: bool,
    files: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PartRow {
    files: Vec<String>,
    starts: String,
    ends: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LanguageRow {
    #[serde(rename = "name")]
    _name: String,
    files: Vec<String>,
    tests: Vec<String>,
    #[serde(default)]
    inline: String,
    comment: String,
    test: String,
    skip: String,
    assertion: String,
    silence: String,
}

struct Language {
    files: Vec<Regex>,
    tests: Vec<Regex>,
    inline: Option<Regex>,
    comment: String,
    test: Regex,
    skip: Regex,
    assertion: Regex,
    silence: Regex,
}

struct Guard {
    classes: Vec<(Class, Vec<Regex>)>,
    parts: Vec<(Vec<Regex>, Regex, Regex)>,
    languages: Vec<Language>,
}

static GUARD: LazyLock<Guard> = LazyLock::new(|| {
    let Table { files, parts, languages } = yaml::from_str(include_str!("../../../config/guard.yaml"))
        .unwrap_or(Table { files: Vec::new(), parts: Vec::new(), languages: Vec::new() });
    let all = |patterns: &[String]| patterns.iter().map(|pattern| glob(pattern)).collect::<Vec<_>>();
    Guard {
        classes: files
            .into_iter()
            .map(|class| {
                let globs = all(&class.files);
                (class, globs)
            })
            .collect(),
        parts: parts.iter().map(|row| (all(&row.files), pattern(&row.starts), pattern(&row.ends))).collect(),
        languages: languages
            .into_iter()
            .map(|row| Language {
                files: all(&row.files),
                tests: all(&row.tests),
                inline: (!row.inline.is_empty()).then(|| pattern(&row.inline)),
                test: pattern(&row.test),
                skip: pattern(&row.skip),
                assertion: pattern(&row.assertion),
                silence: pattern(&row.silence),
                comment: row.comment,
            })
            .collect(),
    }
});

fn pattern(text: &str) -> Regex {
    crate::strategy::failure::block::pattern(text)
}

/// Reads a pattern of files: without a slash a name in any folder, a folder stands for all below it.
pub fn glob(pattern: &str) -> Regex {
    let trimmed = pattern.trim_start_matches("./").trim_end_matches('/');
    let mut out = String::from(if trimmed.contains('/') { "^" } else { "^(.*/)?" });
    let mut rest = trimmed;
    while let Some(sign) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**/") {
            out.push_str("(.*/)?");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("**") {
            out.push_str(".*");
            rest = after;
        } else {
            match sign {
                '*' => out.push_str("[^/]*"),
                '?' => out.push_str("[^/]"),
                other => out.push_str(&regex::escape(&other.to_string())),
            }
            rest = &rest[sign.len_utf8()..];
        }
    }
    out.push_str("(/.*)?$");
    self::pattern(&out)
}

fn fits(globs: &[Regex], name: &str) -> bool {
    globs.iter().any(|glob| glob.is_match(name))
}

/// Returns what was changed against the rules.
pub fn judge(rules: &Rules, changed: &[Changed]) -> Vec<Breach> {
    let mut found = Vec::new();
    let paths: Vec<Regex> = rules.paths.iter().map(|path| glob(path)).collect();
    for file in changed {
        if !paths.is_empty() && !fits(&paths, &file.name) {
            found.push(breach(file, format!("it is outside of --paths {}", rules.paths.join(" ")), None));
        }
        for (class, globs) in &GUARD.classes {
            let counts = file.was_there || !class.old;
            if counts && !rules.allow.contains(&class.allow) && fits(globs, &file.name) {
                found.push(breach(file, class.name.clone(), Some(class.allow)));
            }
        }
        if !rules.allow.contains(&Allowed::Tests) {
            if rules.checks.contains(&file.name) {
                found.push(breach(file, "it is the check itself".to_owned(), Some(Allowed::Tests)));
            }
            found.extend(parts(file));
        }
    }
    if !rules.allow.contains(&Allowed::Tests) {
        found.extend(GUARD.languages.iter().flat_map(|language| weakened(language, changed)));
    }
    let mut seen = BTreeSet::new();
    found.retain(|breach| seen.insert((breach.file.clone(), breach.words.clone())));
    found
}

fn breach(file: &Changed, words: String, allow: Option<Allowed>) -> Breach {
    Breach { file: file.name.clone(), words, flag: allow.map(Allowed::flag) }
}

/// Finds changed parts that set up checks.
fn parts(file: &Changed) -> Vec<Breach> {
    let rows = GUARD.parts.iter().filter(|(files, ..)| fits(files, &file.name));
    let is_changed = |(_, starts, ends): &&(Vec<Regex>, Regex, Regex)| {
        let (before, after) = (file.before.as_deref().unwrap_or_default(), file.after.as_deref().unwrap_or_default());
        file.was_there && part(before, starts, ends) != part(after, starts, ends)
    };
    let words = || "it sets up a check, and that part was changed".to_owned();
    rows.filter(is_changed).map(|_| breach(file, words(), Some(Allowed::Tests))).collect()
}

/// Returns the lines of all parts, in an order of their own.
fn part<'t>(text: &'t str, starts: &Regex, ends: &Regex) -> Vec<&'t str> {
    let (mut lines, mut is_inside) = (Vec::new(), false);
    for line in text.lines() {
        is_inside = if starts.is_match(line) { true } else { is_inside && !ends.is_match(line) };
        if is_inside && !line.trim().is_empty() {
            lines.push(line.trim().trim_end_matches(','));
        }
    }
    lines.sort_unstable();
    lines
}

/// What the tests of a text hold.
#[derive(Debug, Default)]
struct Tests {
    n_tests: usize,
    n_skips: usize,
    n_silences: usize,
    assertions: BTreeMap<String, usize>,
    values: BTreeMap<String, usize>,
}

impl Language {
    /// Returns what the tests in a text hold; silenced findings count in all of it.
    fn read(&self, name: &str, text: &str) -> Tests {
        // What silences stands in comments.
        let mut tests = Tests { n_silences: self.silence.find_iter(text).count(), ..Tests::default() };
        let code = self.code(text);
        let Some(code) = self.tests_of(name, &code) else { return tests };
        tests.n_tests = self.test.find_iter(code).count();
        tests.n_skips = self.skip.find_iter(code).count();
        for statement in statements(code, &self.assertion) {
            *tests.assertions.entry(statement).or_default() += 1;
        }
        for line in values(code) {
            *tests.values.entry(line).or_default() += 1;
        }
        tests
    }

    /// Leaves out what is commented out: a test that is, is no test.
    fn code(&self, text: &str) -> String {
        let is_code = |line: &&str| !line.trim_start().starts_with(&self.comment);
        let lines: Vec<&str> = text.lines().filter(is_code).collect();
        let text = lines.join("\n");
        if self.comment != "//" {
            return text;
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text.as_str();
        // Only where a line begins with it: in patterns of files `/*` is no comment.
        while let Some((before, after)) = rest.split_once("/*") {
            let is_comment = before.rsplit('\n').next().is_some_and(|line| line.trim().is_empty());
            out.push_str(before);
            match after.split_once("*/").filter(|_| is_comment) {
                Some((_, after)) => rest = after,
                None => {
                    out.push_str("/*");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// Returns the part of a file that holds its tests; none where there are none.
    fn tests_of<'t>(&self, name: &str, code: &'t str) -> Option<&'t str> {
        if fits(&self.tests, name) {
            return Some(code);
        }
        match &self.inline {
            Some(inline) => inline.find(code).map(|found| &code[found.start()..]),
            None => self.test.is_match(code).then_some(code),
        }
    }
}

/// Finds tests that are gone, skipped or weaker than before in the files of a language.
fn weakened(language: &Language, changed: &[Changed]) -> Vec<Breach> {
    let own = changed.iter().filter(|file| fits(&language.files, &file.name));
    let read = |name: &str, text: &Option<String>| language.read(name, text.as_deref().unwrap_or_default());
    let files: Vec<(&Changed, Tests, Tests)> =
        own.map(|file| (file, read(&file.name, &file.before), read(&file.name, &file.after))).collect();
    let (mut found, sum) =
        (Vec::new(), |of: fn(&(&Changed, Tests, Tests)) -> usize| files.iter().map(of).sum::<usize>());
    let lost_tests = sum(|(_, before, _)| before.n_tests).saturating_sub(sum(|(.., after)| after.n_tests));
    // What has only moved to another file is not gone.
    let (new_assertions, new_values) =
        (all(files.iter().map(|(.., after)| &after.assertions)), all(files.iter().map(|(.., after)| &after.values)));
    let old_assertions = all(files.iter().map(|(_, before, _)| &before.assertions));
    let old_values = all(files.iter().map(|(_, before, _)| &before.values));
    for (file, before, after) in &files {
        let mut say = |words: String| found.push(breach(file, words, Some(Allowed::Tests)));
        if lost_tests > 0 && after.n_tests < before.n_tests {
            say(format!("{} tests of {} are gone", before.n_tests - after.n_tests, before.n_tests));
        }
        if file.was_there && after.n_skips > before.n_skips {
            say("a test is skipped, or ends early".to_owned());
        }
        if after.n_silences > before.n_silences {
            say("a finding is silenced instead of mended".to_owned());
        }
        let lost = |own: &BTreeMap<String, usize>, old: &BTreeMap<String, usize>, new: &BTreeMap<String, usize>| {
            own.keys().find(|key| old.get(*key) > new.get(*key)).map(|key| clip_line(key, MAX_SHOWN_BYTES).into_owned())
        };
        if let Some(assertion) = lost(&before.assertions, &old_assertions, &new_assertions) {
            say(format!("an assertion was changed or removed: `{assertion}`"));
        } else if let Some(line) = lost(&before.values, &old_values, &new_values) {
            say(format!("what a test expects was changed: `{line}`"));
        }
    }
    found
}

fn all<'t>(maps: impl Iterator<Item = &'t BTreeMap<String, usize>>) -> BTreeMap<String, usize> {
    let mut sum = BTreeMap::new();
    for (key, n) in maps.flatten() {
        *sum.entry(key.clone()).or_default() += n;
    }
    sum
}

impl Fixing<'_> {
    /// Takes back what was changed against the rules since the start: the files as they were at `before`, and nothing else.
    pub(super) async fn guard_against(&mut self, before: &Look) -> Result<Vec<Breach>, Halt> {
        let Ok(world) = &self.world else { return Ok(Vec::new()) };
        let now = world.look().await?;
        let deltas = world.between(&world.base(), &now);
        let changed: Vec<Changed> = deltas.iter().map(|delta| changed(world, delta)).collect();
        let breaches = judge(&self.job.rules, &changed);
        if breaches.is_empty() {
            return Ok(breaches);
        }
        let paths: BTreeSet<_> = deltas
            .iter()
            .filter(|delta| breaches.iter().any(|breach| breach.file == world.name(&delta.path)))
            .map(|delta| delta.path.clone())
            .collect();
        let left = world.go_to(before, |path| paths.contains(path)).await?;
        let since = Instant::now();
        for breach in &breaches {
            let rule = breach.flag.map_or_else(|| breach.words.clone(), |flag| format!("{} ({flag})", breach.words));
            self.step(What::Guard { round: self.round, file: breach.file.clone(), rule }, since);
        }
        left.into_iter().for_each(|words| self.trouble(format!("could not be taken back: {words}")));
        Ok(breaches)
    }
}

fn changed(world: &World, delta: &Delta) -> Changed {
    Changed {
        name: world.name(&delta.path),
        was_there: delta.before.is_some(),
        before: world.text(delta.before.as_ref()),
        after: world.text(delta.after.as_ref()),
    }
}

/// Returns the names of the files of a project that a command is made of: `./check.sh`, `bash ci/test.sh`.
pub fn files_of_command(command: &str, folder: &std::path::Path) -> Vec<String> {
    let words = command.split(|sign: char| sign.is_whitespace() || ";&|()<>'\"`$".contains(sign));
    let is_script = |word: &&str| {
        let is_named = word.contains('/') || word.ends_with(".sh") || word.ends_with(".bash");
        is_named && !word.starts_with(['/', '-', '~']) && folder.join(word).is_file()
    };
    words.filter(is_script).map(|word| word.trim_start_matches("./").to_owned()).collect()
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
