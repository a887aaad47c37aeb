//! Are the failures in the recorded outputs of real runners read as a person reads them?

use std::path::{Path, PathBuf};

use mimi::base::yaml;
use mimi::protocol::failure::{Failure, FailureKind};
use mimi::strategy::failure::{self, findings, readers, report};
use serde::{Deserialize, Serialize};

/// What a person says a recorded output tells.
#[derive(Debug, Serialize, Deserialize, PartialEq)]
struct Said {
    kind: FailureKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expected: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    actual: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    rerun: Option<String>,
}

fn said(failure: &Failure) -> Said {
    Said {
        kind: failure.kind,
        id: failure.id.clone(),
        file: failure.file.clone(),
        line: failure.line,
        message: failure.message.clone(),
        expected: failure.expected.clone(),
        actual: failure.actual.clone(),
        code: failure.code.clone(),
        rerun: failure.rerun.clone(),
    }
}

fn samples() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/runners");
    let mut found: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

fn text(sample: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(sample.join(name)).ok()
}

/// The samples were recorded in a project of this name.
fn output(text: &str) -> Vec<Said> {
    failure::read(text, Path::new("/project")).failures.iter().map(said).collect()
}

fn read(sample: &Path) -> Vec<Said> {
    if let Some(output) = text(sample, "output.txt") {
        return self::output(&output);
    }
    let report = text(sample, "report.xml").or_else(|| text(sample, "report.json")).unwrap();
    report::read(&report).unwrap_or_else(|error| panic!("{}: {error}", sample.display())).iter().map(said).collect()
}

#[test]
fn every_recorded_output_is_read_as_a_person_reads_it() {
    for sample in samples() {
        let found = read(&sample);
        let file = sample.join("expected.yaml");
        if std::env::var_os("MIMI_UPDATE").is_some() {
            std::fs::write(&file, yaml::to_string(&found).unwrap()).unwrap();
        }
        let expected: Vec<Said> = yaml::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(found, expected, "{}", sample.display());
    }
}

#[test]
fn colours_change_nothing() {
    let coloured: Vec<PathBuf> = samples().into_iter().filter(|sample| sample.join("colour.txt").exists()).collect();
    assert!(coloured.len() > 10);
    for sample in coloured {
        let key = |said: &Said| (said.id.clone(), said.file.clone(), said.line, said.message.clone());
        let keys = |text: &str| output(text).iter().map(key).collect::<std::collections::BTreeSet<_>>();
        let (plain, colour) = (text(&sample, "output.txt").unwrap(), text(&sample, "colour.txt").unwrap());
        assert_eq!(keys(&colour), keys(&plain), "{}", sample.display());
    }
}

#[test]
fn every_reader_finds_its_lines_in_some_sample() {
    let outputs: Vec<String> = samples().iter().filter_map(|sample| text(sample, "output.txt")).collect();
    for reader in &readers::TABLE {
        let pattern = if reader.opens.is_empty() { reader.notes } else { reader.opens };
        let pattern = regex::Regex::new(pattern).unwrap();
        let is_found = outputs.iter().flat_map(|output| output.lines()).any(|line| pattern.is_match(line));
        assert!(is_found, "no sample for {}", reader.name);
    }
}

#[test]
fn a_test_that_may_fail_is_no_failure() {
    for line in ["not ok 1 - a # TODO later", "not ok 2 b # todo", "not ok 3 - c # SKIP no network", "not ok 4 d #skip"]
    {
        assert!(output(line).is_empty(), "{line}");
    }
    for line in ["not ok 1 - a", "not ok 2 - counts # of todos", "not ok 3 - a # TODOs"] {
        assert_eq!(output(line).len(), 1, "{line}");
    }
}

#[test]
fn every_pattern_compiles() {
    for reader in &readers::TABLE {
        for pattern in [reader.opens, reader.closes, reader.heads, reader.notes] {
            regex::Regex::new(pattern).unwrap_or_else(|error| panic!("{}: {error}", reader.name));
        }
    }
    for row in findings::rows().unwrap() {
        for pattern in [&row.line, &row.heading] {
            regex::Regex::new(pattern).unwrap_or_else(|error| panic!("{}: {error}", row.name));
        }
    }
}

#[test]
fn what_is_no_report_is_said() {
    let table = [
        ("", "neither JUnit XML nor SARIF"),
        ("ok 1", "neither JUnit XML nor SARIF"),
        ("<html><body></body></html>", "neither JUnit XML nor SARIF"),
        ("<testsuite><testcase name='a'>", ""),
        ("<testsuite><testcase name='a'></testsuite>", "its XML is broken at byte"),
        ("{\"runs\": 3}", "neither JUnit XML nor SARIF"),
        ("{\"runs\": [", "its JSON is broken"),
    ];
    for (report, expected) in table {
        let result = report::read(report);
        match result {
            Ok(_) => assert!(expected.is_empty(), "{report}"),
            Err(error) => assert!(!expected.is_empty() && error.to_string().contains(expected), "{report}: {error}"),
        }
    }
}

#[test]
fn nothing_is_kept_beyond_a_bound_and_all_is_counted() {
    let flood: String = (0..10_000).map(|n| format!("src/a.c:{n}: error: number {n}\n")).collect();
    let read = failure::read(&flood, Path::new("/project"));
    assert_eq!((read.failures.len(), read.n_more), (1000, 9000));
    let words = failure::digest::words(&read, 2_000);
    assert!(words.len() < 3_000 && words.starts_with("1. src/a.c:0: number 0\n"), "{words}");
    assert!(words.ends_with("and 9980 more\n"), "{words}");
    let long = format!("src/a.c:1: error: {}", "x".repeat(1 << 20));
    assert!(failure::read(&long, Path::new("/project")).failures[0].message.len() < 500);
}
