//! Do `mimi eval search` and `mimi eval questions` let anybody measure a search?

use serde_json::Value;

use crate::index::FILES;
use crate::support::Env;

fn user() -> Env {
    let env = Env::new();
    FILES.iter().for_each(|(path, text)| drop(env.write(format!("p/{path}"), text)));
    env.write(
        "q.jsonl",
        "{\"question\":\"remove expired entries\",\"relevant\":[\"src/cache.rs:4-6\"],\"kind\":\"a\"}\n\
         {\"question\":\"HttpClient\",\"relevant\":[\"src/net/retry.rs\"],\"kind\":\"b\"}\n",
    );
    env
}

#[test]
fn figures_are_printed_for_each_part_and_kind() {
    let env = user();
    let outcome = env.run(["eval", "search", "q.jsonl", "--repo", "p", "--part", "all"]).outcome().success();
    let lines: Vec<&str> = outcome.stdout.lines().collect();
    assert!(lines[0].contains("R@1") && lines[0].contains("NDCG@10") && lines[0].ends_with("tokens"), "{outcome}");
    for part in ["whole-words", "words", "vectors", "fused", "ranked"] {
        for kind in ["all", "a", "b"] {
            let row = |line: &&str| line.split_whitespace().take(2).eq([part, kind]);
            assert_eq!(lines.iter().filter(|line| row(line)).count(), 1, "{part} {kind}: {outcome}");
        }
    }
    let ranked = lines.iter().find(|line| line.starts_with("ranked")).unwrap();
    assert!(ranked.contains("1.000") && !ranked.ends_with('-'), "{outcome}");
    assert!(outcome.stdout.contains("ranked less fused: R@10 +0.000 [+0.000, +0.000]"), "{outcome}");
}

#[test]
fn two_results_are_compared_and_what_got_worse_fails() {
    let env = user();
    let good = env.run(["eval", "search", "q.jsonl", "--repo", "p", "--json"]).outcome().success().raw_stdout;
    let value: Value = serde_json::from_str(&good).unwrap();
    assert_eq!(value["parts"][0]["part"], "ranked");
    assert_eq!(value["parts"][0]["figures"]["mrr"], 1.0);
    assert_eq!(value["parts"][0]["kinds"]["a"]["n"], 1);
    env.write("good.json", &good);
    let same = env.run(["eval", "search", "q.jsonl", "--repo", "p", "--compare", "good.json"]).outcome().success();
    assert!(same.stdout.contains("ranked less before: R@10 +0.000"), "{same}");
    // Questions whose answers stand elsewhere are answered worse.
    env.write(
        "q.jsonl",
        env.read("q.jsonl").replace("src/cache.rs:4-6", "lib/paint.py").replace("src/net/retry.rs", "README.md"),
    );
    let worse = env.run(["eval", "search", "q.jsonl", "--repo", "p", "--compare", "good.json"]).outcome().fails_with(1);
    assert!(worse.stderr.contains("1 part got worse"), "{worse}");
}

#[test]
fn questions_are_made_from_doc_comments_and_asked_of_a_copy_without_them() {
    let env = user();
    let made = env.run(["eval", "questions", "p"]).outcome().success();
    let questions: Vec<Value> = made.json_lines();
    let asked: Vec<&str> = questions.iter().map(|question| question["question"].as_str().unwrap()).collect();
    assert_eq!(asked, ["Removes entries that have expired", "Sends a request again after a pause that doubles"]);
    assert!(questions[1]["without_docs"] == true && questions[1]["relevant"][0] == "src/net/retry.rs:2-4", "{made}");
    env.write("made.jsonl", &made.raw_stdout);
    env.run(["eval", "search", "made.jsonl", "--repo", "p"]).outcome().success();
    assert!(env.read("p/src/net/retry.rs").starts_with("/// Sends a request"), "the project itself is left alone");
    env.run(["eval", "questions", "p", "--limit", "0"]).outcome().fails_with(2);
    env.write("empty/a.txt", "x");
    let nothing = env.run(["eval", "questions", "empty"]).outcome().fails_with(1);
    assert!(nothing.stderr.contains("no doc comment"), "{nothing}");
}

#[test]
fn bad_files_are_named_with_what_is_wrong() {
    let env = user();
    env.write("bad.jsonl", "{\"question\":\"x\",\"relevant\":[\"a\"]}\n{\"question\":1}\n");
    env.write("elsewhere.jsonl", "{\"question\":\"x\",\"relevant\":[\"nowhere.rs\"]}\n");
    env.write("empty.jsonl", "\n");
    env.write("bad.yaml", "words: 1\n");
    let table: [(&[&str], &str); 8] = [
        (&["missing.jsonl"], "cannot use `missing.jsonl`"),
        (&["bad.jsonl"], "line 2 of `bad.jsonl` is no question"),
        (&["empty.jsonl"], "no question in `empty.jsonl`"),
        (&["elsewhere.jsonl"], "none of the files the questions are about"),
        (&["q.jsonl", "--compare", "bad.jsonl"], "is no result of mimi eval search"),
        (&["q.jsonl", "--weights", "bad.yaml"], "`bad.yaml` are no weights"),
        (&["q.jsonl", "--repo", "nowhere"], "cannot read the folder `nowhere`"),
        (&["q.jsonl", "--part", "none"], "invalid value 'none'"),
    ];
    for (arguments, expected) in table {
        let arguments: Vec<&str> = ["eval", "search"].iter().chain(arguments).copied().collect();
        let arguments =
            if arguments.contains(&"--repo") { arguments } else { [arguments, vec!["--repo", "p"]].concat() };
        let outcome = env.run(arguments.clone()).outcome().fails_with(2);
        assert!(outcome.stderr.contains(expected), "{arguments:?}: {outcome}");
    }
    let missing = env.run(["eval", "search", "missing.jsonl"]).outcome().fails_with(2);
    assert!(
        missing.stderr.contains("hint: mimi eval questions DIR > FILE.jsonl") && !missing.stderr.contains("ls -ld")
    );
}

#[test]
fn a_folder_called_search_is_still_a_folder_of_tasks_by_its_path() {
    let env = user();
    let outcome = env.run(["eval", "./search"]).outcome();
    assert!(outcome.stderr.contains("search") && !outcome.stderr.contains("FILE"), "{outcome}");
    env.run(["eval"]).outcome().fails_with(2);
}
