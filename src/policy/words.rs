//! Which commands does a rule over words speak of?
//!
//! `[cargo, [test, check], "..."]`: one entry a word, a list for alternatives, `*` for any text inside a word, `...` for any
//! number of words. A rule that allows must fit a command whole; one that asks or denies also sees through wrappers,
//! joined and shortened options, variables and substitutions.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use serde::Deserialize;

use crate::base::text::fits;
use crate::policy::command::arguments::paths_in;
use crate::policy::command::place::tidy;
use crate::policy::command::scan::Word;
use crate::policy::command::{Part, Standing};
use crate::policy::host;

/// Any number of words.
const REST: &str = "...";
/// Shortest beginning of a long option that programs take for the whole.
const MIN_ABBREVIATION: usize = 4;

/// One word or several to choose from.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Choice {
    /// The word.
    One(String),
    /// Any of these.
    Any(Vec<String>),
}

impl Choice {
    fn texts(&self) -> &[String] {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Any(texts) => texts,
        }
    }

    fn is_rest(&self) -> bool {
        matches!(self, Self::One(text) if text == REST)
    }

    fn fits(&self, word: &str) -> bool {
        self.texts().iter().any(|text| fits(text, word))
    }
}

/// A rule over the words of a command.
#[derive(Debug, Clone, Default)]
pub struct WordRule {
    /// The words.
    pub words: Vec<Choice>,
    /// Options that must be there, one of each group.
    pub options: Vec<Choice>,
    /// Options that must not be there.
    pub without: Vec<String>,
    /// Paths of which one must be named (all, in a rule that allows).
    pub paths: Option<Paths>,
    /// Hosts of which one must be named (all, in a rule that allows).
    pub hosts: Vec<String>,
}

/// Patterns of absolute paths.
#[derive(Debug, Clone)]
pub struct Paths(GlobSet);

impl Paths {
    /// Reads patterns; `~` is the home folder, a relative one is below `root`.
    pub fn read(patterns: &[String], root: &Path, home: &Path) -> Result<Self, globset::Error> {
        let mut set = GlobSetBuilder::new();
        let below = |folder: &Path, rest: &str| {
            let folder = globset::escape(folder.to_string_lossy().trim_end_matches('/'));
            if rest.is_empty() { folder } else { format!("{folder}/{rest}") }
        };
        for pattern in patterns {
            let absolute = match pattern.strip_prefix('~') {
                Some(rest) => below(home, rest.trim_start_matches('/')),
                None if pattern.starts_with('/') => pattern.clone(),
                None => below(root, pattern),
            };
            set.add(GlobBuilder::new(&absolute).literal_separator(true).build()?);
        }
        Ok(Self(set.build()?))
    }

    fn has(&self, folder: &Path, text: &str) -> bool {
        self.0.is_match(tidy(&folder.join(text)))
    }
}

/// What a rule needs to know of the place where a command runs.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The folder.
    pub cwd: PathBuf,
}

impl WordRule {
    /// Returns the rule as it is shown.
    pub fn shown(&self) -> String {
        let shown = |choice: &Choice| match choice.texts() {
            [one] => one.clone(),
            several => format!("({})", several.join("|")),
        };
        let with = self.options.iter().map(|group| format!(" with {}", shown(group)));
        let paths = if self.paths.is_some() { " on some paths" } else { "" };
        let hosts = match self.hosts.is_empty() {
            true => String::new(),
            false => format!(" with {}", self.hosts.join("|")),
        };
        let words: Vec<String> = self.words.iter().map(shown).collect();
        format!("{}{}{paths}{hosts}", words.join(" "), with.collect::<String>())
    }

    /// Says what makes the rule one that nobody should state.
    pub fn problem(&self, allows: bool) -> Option<&'static str> {
        let Some(program) = self.words.first() else { return Some("it names no program") };
        let is_open = |text: &String| text.is_empty() || text == REST || (allows && text.contains('*'));
        match program.texts().is_empty() || program.texts().iter().any(is_open) {
            true => Some("its first word must name a program"),
            false => None,
        }
    }

    /// Says whether the rule, as one that allows, covers a command: every word literal, and all of them meant.
    pub fn covers(&self, part: &Part, spot: &Spot) -> bool {
        let may = part.is_own && part.doubt.is_none() && !matches!(part.standing, Standing::Refused(_));
        may && part
            .layers
            .iter()
            .take(part.n_allowable)
            .any(|words| words.iter().all(Word::is_literal) && self.fits(words, spot, Reach::Whole))
    }

    /// Says whether the rule, as one that asks or denies, speaks of a command.
    pub fn speaks_of(&self, part: &Part, spot: &Spot) -> bool {
        // What only looks reaches no host.
        let is_away = !self.hosts.is_empty() && part.standing == Standing::Looks;
        !is_away && part.layers.iter().any(|words| self.fits(words, spot, Reach::Wide))
    }

    fn fits(&self, words: &[Word], spot: &Spot, reach: Reach) -> bool {
        let mut texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        if let Some(first) = texts.first_mut().filter(|_| reach == Reach::Wide) {
            // `/usr/sbin/reboot` is `reboot`.
            *first = first.rsplit('/').next().unwrap_or_default();
        }
        let rest = texts.get(1..).unwrap_or_default();
        sequence(&self.words, &texts)
            && self
                .options
                .iter()
                .all(|group| group.texts().iter().any(|option| rest.iter().any(|word| has_option(word, option, reach))))
            && !self.without.iter().any(|option| rest.iter().any(|word| has_option(word, option, Reach::Whole)))
            && self.paths.as_ref().is_none_or(|paths| {
                named(rest, reach, |word| is_path(word).then(|| paths_in(word).any(|part| paths.has(&spot.cwd, part))))
            })
            && (self.hosts.is_empty()
                || named(rest, reach, |word| {
                    let host = host::of(word)?;
                    Some(self.hosts.iter().any(|own| host::is(own, &host)))
                }))
    }
}

/// How far a rule reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// No further than its words.
    Whole,
    /// As far as it may be meant.
    Wide,
}

/// Says whether one thing named (every one, for a narrow reach) is meant; `judge` gives none for words that name nothing.
fn named(words: &[&str], reach: Reach, judge: impl Fn(&str) -> Option<bool>) -> bool {
    let mut found = words.iter().filter_map(|word| judge(word)).peekable();
    if found.peek().is_none() {
        return false;
    }
    match reach {
        Reach::Whole => found.all(|is_meant| is_meant),
        Reach::Wide => found.any(|is_meant| is_meant),
    }
}

fn is_path(word: &str) -> bool {
    !word.starts_with('-') || word.contains(['/', '='])
}

fn sequence(pattern: &[Choice], words: &[&str]) -> bool {
    match pattern.split_first() {
        None => words.is_empty(),
        Some((choice, rest)) if choice.is_rest() => (0..=words.len()).any(|skipped| sequence(rest, &words[skipped..])),
        Some((choice, rest)) => {
            words.split_first().is_some_and(|(word, left)| choice.fits(word) && sequence(rest, left))
        }
    }
}

fn has_option(word: &str, option: &str, reach: Reach) -> bool {
    if word == option || word.strip_prefix(option).is_some_and(|rest| rest.starts_with('=')) {
        return true;
    }
    if reach == Reach::Whole {
        return false;
    }
    if let Some(letter) = option.strip_prefix('-').filter(|letter| letter.chars().count() == 1) {
        return word.starts_with('-') && !word.starts_with("--") && word.contains(letter);
    }
    let name = word.split('=').next().unwrap_or(word);
    option.starts_with("--") && name.len() >= MIN_ABBREVIATION && option.starts_with(name)
}
