//! Does the map show what matters, within its budget, and always the same?

use mimi::index::map::{Map, Request};

use crate::index::Project;
use crate::support::Env;

/// A project in which everybody uses one file, and one file uses a corner of it.
fn project() -> Project {
    let project = Project::new(&[
        (
            "src/core.py",
            "class Engine:\n    def start_engine(self, key):\n        return key\n\n\ndef build_engine():\n    return Engine()\n",
        ),
        ("src/corner.py", "def rarely_wanted_thing():\n    return 1\n"),
        ("src/odd.py", "from corner import rarely_wanted_thing\n\n\ndef odd():\n    return rarely_wanted_thing()\n"),
        ("vendor/lib.py", "def build_vendored_thing():\n    return 1\n"),
        (
            "tests/test_core.py",
            "def test_engine_of_core():\n    build_engine().start_engine(1)\n    build_vendored_thing()\n",
        ),
    ]);
    for n in 0..6 {
        project.write(
            &format!("src/user{n}.py"),
            format!("from core import build_engine\n\n\ndef user_{n}():\n    build_vendored_thing()\n    return build_engine().start_engine({n})\n"),
        );
    }
    project.settle();
    project
}

fn map(project: &Project, focus: &[&str], max_tokens: usize) -> Map {
    let focus = focus.iter().map(|path| (*path).to_owned()).collect();
    project.index().map(&Request { focus, names: Vec::new(), max_tokens }).unwrap()
}

#[test]
fn what_everybody_uses_comes_first_and_what_is_in_play_changes_that() {
    let project = project();
    let plain = map(&project, &[], 40);
    assert_eq!(plain.files[0].path, "src/core.py", "{plain:?}");
    assert!(!plain.text().contains("vendor/"), "{plain:?}");
    let focused = map(&project, &["src/odd.py"], 60);
    assert_eq!(focused.files[0].path, "src/corner.py", "{focused:?}");
    assert_eq!(map(&project, &["src"], 60).files[0].path, "src/core.py");
}

#[test]
fn a_helper_called_like_what_the_language_has_does_not_lead() {
    let project = Project::new(&[
        (
            "src/row.rs",
            "fn starts_with(row: &[char], mark: &str) -> bool {\n    row.iter().zip(mark.chars()).all(|(a, b)| *a == b)\n}\n\npub fn any_row(row: &[char]) -> bool {\n    starts_with(row, \"x\")\n}\n",
        ),
        (
            "src/ledger.rs",
            "pub struct Ledger;\n\nimpl Ledger {\n    pub fn post_entry(&self) {}\n\n    pub fn tally_up(&self) -> usize {\n        0\n    }\n}\n",
        ),
        ("src/lib.rs", "mod ledger;\nmod row;\n"),
    ]);
    for n in 0..8 {
        let text = format!(
            "use crate::ledger::Ledger;\n\npub fn user_{n}(name: &str, all: &[u8], ledger: &Ledger) -> bool {{\n    ledger.post_entry();\n    name.starts_with(\"a\") && all.starts_with(b\"b\") && name.trim().starts_with('c') && all.tally_up()\n}}\n"
        );
        project.write(&format!("src/user{n}.rs"), text);
    }
    project.settle();
    let plain = map(&project, &[], 40);
    assert_eq!(plain.files[0].path, "src/ledger.rs", "{plain:?}");
    assert!(!plain.text().contains("fn starts_with"), "{plain:?}");
    // Asked for, it is shown all the same.
    let focused = map(&project, &["src/row.rs"], 400);
    assert!(focused.text().contains("fn starts_with"), "{focused:?}");
}

#[test]
fn the_budget_is_kept_and_the_same_tree_gives_the_same_map() {
    let project = project();
    let mut before = 0;
    for tokens in [10, 50, 100, 400, 5000] {
        let drawn = map(&project, &[], tokens);
        assert!(drawn.n_tokens <= tokens && drawn.n_tokens >= before, "{tokens}: {}", drawn.n_tokens);
        assert_eq!(drawn, map(&project, &[], tokens));
        before = drawn.n_tokens;
    }
    let whole = map(&project, &[], 5000).text();
    assert!(
        whole.contains("     1 class Engine\n     2   def start_engine(self, key)\n     6 def build_engine()\n"),
        "{whole}"
    );
    assert_eq!(map(&Project::new(&[]), &[], 100), Map::default());
}

#[test]
fn a_map_of_the_same_files_is_kept_and_one_of_others_is_not_taken_for_it() {
    let project = project();
    let kept = || {
        let folder = project.index().place().folder.clone();
        let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("map.")).collect::<Vec<_>>()
    };
    let first = map(&project, &[], 100);
    assert_eq!(kept().len(), 1);
    assert_eq!((map(&project, &[], 100), kept().len()), (first.clone(), 1));
    assert_eq!(map(&project, &[], 60), map(&project, &[], 60), "whatever the budget");
    map(&project, &["src/odd.py"], 100);
    assert_eq!(kept().len(), 2, "what is in play is told apart");
    project.write("src/core.py", "def wholly_other_engine():\n    return 1\n");
    project.settle();
    assert_ne!(map(&project, &[], 100), first);
    for n in 0..12 {
        map(&project, &[&format!("src/user{}.py", n % 6), &format!("src/{n}")], 100);
    }
    assert_eq!(kept().len(), 8, "no more than a few");
    let spoiled = project.index().place().folder.join(&kept()[0]);
    std::fs::write(&spoiled, "[").unwrap();
    assert!(!map(&project, &["src/user0.py", "src/0"], 100).files.is_empty());
}

#[test]
fn the_command_prints_it() {
    let env = Env::new();
    crate::index::FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    let shown = env.run(["map"]).outcome().success();
    assert!(
        shown.stdout.contains("src/net/retry.rs\n")
            && shown.stdout.contains("     2 pub fn send_with_backoff(client: &HttpClient) -> Answer"),
        "{shown}"
    );
    assert!(shown.stderr.contains("files with definitions, about"), "{shown}");
    let json = env.run(["map", "--json", "--focus", "src", "--tokens", "200"]).outcome().success();
    let value: serde_json::Value = serde_json::from_str(&json.raw_stdout).unwrap();
    assert!(value["files"][0]["lines"][0]["line"].is_u64() && value["n_tokens"].as_u64().unwrap() <= 200);
    env.run(["map", "--focus", "/"]).outcome().fails_with(2);
    env.run(["map", "--tokens", "1"]).outcome().fails_with(2);
}

#[test]
fn a_project_without_definitions_has_no_map() {
    let env = Env::new();
    env.write("notes.txt", "words");
    let nothing = env.run(["map"]).outcome().fails_with(1);
    assert!(nothing.stderr.contains("nothing is defined in this project"), "{nothing}");
}
