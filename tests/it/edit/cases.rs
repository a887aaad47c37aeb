//! Does every case of `tests/fixtures/edit` come out as it says, and does the table leave nothing out?

use std::collections::{BTreeMap, BTreeSet};

use mimi::edit::EditError;
use mimi::edit::locate::Rung;
use mimi::edit::plan::Next;
use mimi::edit::trial::{self, Files};
use mimi::protocol::profile::EditDialect;
use mimi::tools::refusal::plain_words;
use serde::Deserialize;
use serde_json::Value;

/// A call on files, and what comes of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    files: Files,
    call: Value,
    /// The dialect the call is in.
    #[serde(default)]
    dialect: Option<EditDialect>,
    /// What had to be forgiven.
    #[serde(default)]
    rung: Option<String>,
    /// The files afterwards.
    #[serde(default)]
    want: Option<Files>,
    /// The kind of refusal.
    #[serde(default)]
    refused: Option<String>,
    /// A part of its words.
    #[serde(default)]
    says: Option<String>,
}

fn cases() -> Vec<Case> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/edit");
    let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == "jsonl"));
    paths.sort();
    let lines = |path| {
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Case>>()
    };
    paths.into_iter().flat_map(lines).collect()
}

/// Names the kind of a refusal, also of one among several changes.
fn kind(error: &EditError) -> String {
    let debug = match error {
        EditError::InPart { source, .. } => return kind(source),
        EditError::Misstated(why) => format!("{why:?}"),
        other => format!("{other:?}"),
    };
    debug.chars().take_while(|c| c.is_alphanumeric()).collect()
}

fn rung_name(rung: Rung) -> String {
    let name = format!("{rung:?}");
    name.chars().enumerate().fold(String::new(), |mut out, (at, c)| {
        if at > 0 && c.is_uppercase() {
            out.push('_');
        }
        out.extend(c.to_lowercase());
        out
    })
}

/// Says what is wrong with the outcome of a case; none when it is as it says.
fn breach(case: &Case) -> Option<String> {
    let mut files = case.files.clone();
    let set = trial::stated(&case.call);
    let dialect = set.as_ref().ok().map(|set| set.dialect);
    let outcome = set.and_then(|set| trial::apply(&mut files, &set));
    if dialect.is_some() && case.dialect.is_some() && dialect != case.dialect {
        return Some(format!("was read as {dialect:?}"));
    }
    match (outcome, &case.refused) {
        (Ok(_), Some(_)) => Some(format!("was done: {files:?}")),
        (Err(error), None) => Some(format!("was refused: {}", plain_words(&error))),
        (Err(error), Some(_)) if files != case.files => Some(format!("{error} changed {files:?}")),
        (Err(error), Some(wanted)) if kind(&error) != *wanted => {
            Some(format!("is {}: {}", kind(&error), plain_words(&error)))
        }
        (Err(error), Some(_)) => {
            let (words, says) = (plain_words(&error), case.says.clone().unwrap_or_default());
            (!words.contains(&says)).then(|| format!("says `{words}`, not `{says}`"))
        }
        (Ok(_), None) if Some(&files) != case.want.as_ref() => Some(format!("became {files:?}\n  not {:?}", case.want)),
        (Ok(outcomes), None) => {
            let highest = outcomes.iter().filter_map(|next| match next {
                Next::Text { rung, .. } => Some(*rung),
                _ => None,
            });
            let rung = highest.max().map(rung_name);
            (case.rung.is_some() && rung != case.rung).then(|| format!("was found by {rung:?}, not {:?}", case.rung))
        }
    }
}

#[test]
fn every_case_comes_out_as_it_says() {
    let cases = cases();
    let breaches: Vec<String> =
        cases.iter().filter_map(|case| Some(format!("{}: {}", case.name, breach(case)?))).collect();
    assert!(breaches.is_empty(), "{} of {}:\n{}", breaches.len(), cases.len(), breaches.join("\n"));
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have the same name");
    assert!(cases.len() >= 400, "{} cases", cases.len());
}

#[test]
fn every_dialect_rung_and_refusal_has_cases() {
    let cases = cases();
    let mut refusals: BTreeMap<String, usize> = BTreeMap::new();
    for case in cases.iter().filter_map(|case| case.refused.as_ref()) {
        *refusals.entry(case.clone()).or_default() += 1;
    }
    // What needs a disk to be refused is in `tests/it/tools`.
    let all = [
        "AboveAnchor",
        "Ambiguous",
        "BelowAFile",
        "CaseOnly",
        "Elided",
        "EmptyOld",
        "Exists",
        "Form",
        "Missing",
        "Name",
        "NoAnchor",
        "NoContext",
        "NoMatch",
        "NotAFile",
        "Nothing",
        "OtherContent",
        "Outside",
        "Overlap",
        "Same",
        "Shrunk",
        "Twice",
        "Unknown",
    ];
    assert_eq!(refusals.keys().map(String::as_str).collect::<Vec<_>>(), all);
    let rungs = ["exact", "trailing_blanks", "line_numbers", "indent", "punctuation", "escapes", "elision"];
    for dialect in EditDialect::ALL {
        let of = || cases.iter().filter(|case| case.dialect == Some(dialect));
        assert!(of().filter(|case| case.want.is_some()).count() >= 20, "{dialect:?}");
        assert!(of().filter(|case| case.refused.is_some()).count() >= 5, "{dialect:?}");
        for rung in rungs.iter().filter(|_| dialect != EditDialect::Whole) {
            assert!(of().any(|case| case.rung.as_deref() == Some(rung)), "{dialect:?} has no case of {rung}");
        }
    }
}
