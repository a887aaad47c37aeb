//! Are two runs of the same work in different folders told in the same bytes?

use super::fix_report::{mended, red};
use crate::support::Env;

/// Prints what differs from run to run, and fails until the file says `good`.
const CHECK: &str = "echo \"$PWD/answer.txt:1: took 0.${RANDOM}s at $(date -u +%FT%TZ)\"; grep good answer.txt";
const FORMS: [&str; 7] = ["text", "json", "jsonl", "markdown", "sarif", "junit", "github"];

/// Runs it and returns everything that came out, by name.
fn told(env: &Env, extra: &[&str]) -> Vec<(String, String)> {
    let files: Vec<String> = FORMS.iter().map(|form| format!("{form}={}/out.{form}", env.home().display())).collect();
    let outputs = files.iter().flat_map(|file| ["--output", file.as_str()]);
    let arguments = ["fix", "--test", CHECK, "--deterministic", "--max-rounds", "2"].into_iter();
    let outcome = env.run(arguments.chain(outputs).chain(extra.iter().copied())).outcome();
    let mut all = vec![
        ("stdout".to_owned(), outcome.raw_stdout.clone()),
        ("stderr".to_owned(), outcome.raw_stderr.clone()),
        ("code".to_owned(), outcome.code.to_string()),
    ];
    let read = |form: &&str| std::fs::read_to_string(env.home().join(format!("out.{form}"))).unwrap();
    all.extend(FORMS.iter().map(|form| ((*form).to_owned(), read(form))));
    all
}

#[test]
fn the_same_script_gives_the_same_bytes_in_another_folder() {
    let bad = "[{say: It is fine.}, {say: Really.}]".to_owned();
    for (turns, extra) in
        [(mended(), &[][..]), (mended(), &["--dry-run"]), (bad.clone(), &[]), (bad, &["--output", "jsonl"])]
    {
        let (first, second) = (told(&red(&turns), extra), told(&red(&turns), extra));
        for ((name, a), (_, b)) in first.iter().zip(&second) {
            assert_eq!(a, b, "{name} with {extra:?}");
            assert!(!a.is_empty() || matches!(name.as_str(), "stdout" | "stderr"), "{name} is empty");
        }
    }
}
