//! Are edges that are called exact right, and does the graph show them in every form?

use std::path::{Path, PathBuf};

use mimi::index::graph::resolve::Confidence;
use mimi::index::graph::{Call, Direction, Request, Root};

use crate::index::Project;
use crate::support::Env;

/// The least share of exact edges that are right.
const PRECISION: f64 = 0.95;
/// The least share of calls into the project that are drawn.
const RECALL: f64 = 0.9;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() { found.extend(files_below(&entry)) } else { found.push(entry) }
    }
    found.sort();
    found
}

/// A fixture as a project, with its files and their texts.
fn fixture(language: &str) -> (Project, Vec<(String, String)>) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/graph").join(language);
    let files: Vec<(String, String)> = files_below(&folder)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect();
    let project = Project::new(&[]);
    files.iter().for_each(|(path, text)| project.write(path, text));
    project.settle();
    (project, files)
}

/// What remarks say of one line: the names of its calls and their true targets.
fn truths(line: &str) -> Vec<(String, String)> {
    let remark = line.split_once("// => ").or_else(|| line.split_once("# => "));
    let Some((_, remark)) = remark else { return Vec::new() };
    let pair =
        |pair: &str| pair.trim().split_once(' ').map(|(name, target)| (name.to_owned(), target.trim().to_owned()));
    remark.split(", ").filter_map(pair).collect()
}

fn is_target(call: &Call, truth: &str) -> bool {
    let (place, line) = truth.split_once('@').map_or((truth, None), |(place, line)| (place, line.parse::<u32>().ok()));
    call.targets
        .iter()
        .any(|node| format!("{}:{}", node.path, node.name) == place && line.is_none_or(|line| line == node.line))
}

#[derive(Debug, Default)]
struct Score {
    n_exact: usize,
    n_right: usize,
    n_calls_here: usize,
    wrong: Vec<String>,
    missed: Vec<String>,
    unread: Vec<String>,
}

impl Score {
    fn of(language: &str) -> Self {
        let (project, files) = fixture(language);
        let mut score = Self::default();
        for (path, text) in files {
            let calls = project.index().calls(&path).unwrap();
            for (at, line) in text.lines().enumerate() {
                let number = at as u32 + 1;
                let mut found: Vec<&Call> = calls.iter().filter(|call| call.line == number).collect();
                let truths = truths(line);
                for (name, truth) in &truths {
                    match found.iter().position(|call| call.name == *name) {
                        Some(at) => score.add(&format!("{language}/{path}:{number}"), found.remove(at), truth),
                        None => score.unread.push(format!("{language}/{path}:{number}: no call of `{name}` is met")),
                    }
                }
                if !truths.is_empty() && !found.is_empty() {
                    score.unread.push(format!("{language}/{path}:{number}: nothing is said of {found:?}"));
                }
                for call in found {
                    score.add(&format!("{language}/{path}:{number}"), call, "-");
                }
            }
        }
        score
    }

    fn add(&mut self, place: &str, call: &Call, truth: &str) {
        let is_exact = call.confidence == Confidence::Exact && !call.targets.is_empty();
        let is_here = !matches!(truth, "-" | "?");
        let names = || {
            call.targets
                .iter()
                .map(|node| format!("{}:{}@{}", node.path, node.name, node.line))
                .collect::<Vec<_>>()
                .join(" ")
        };
        self.n_calls_here += usize::from(is_here);
        if is_exact {
            self.n_exact += 1;
            if is_target(call, truth) {
                self.n_right += 1;
            } else {
                self.wrong.push(format!("{place} {} is {truth}, not {}", call.name, names()));
            }
        } else if is_here {
            self.missed.push(format!("{place} {} is {truth}; {:?} {}", call.name, call.confidence, names()));
        }
    }
}

#[test]
fn edges_called_exact_are_right_in_each_language() {
    let mut languages = vec!["python", "typescript", "rust", "go", "java", "c", "cpp", "php", "ruby", "bash"];
    if cfg!(feature = "lang-extra") {
        languages.extend(["csharp", "kotlin"]);
    }
    let (mut exact, mut right, mut here) = (0, 0, 0);
    let mut failed = Vec::new();
    for language in languages {
        let score = Score::of(language);
        println!(
            "{language:<12} exact edges {:>3}, right {:>3}; calls into the project {:>3}, drawn {:>3}",
            score.n_exact, score.n_right, score.n_calls_here, score.n_right
        );
        (score.wrong.iter().chain(&score.missed).chain(&score.unread)).for_each(|line| println!("    {line}"));
        if (score.n_right as f64) < PRECISION * score.n_exact as f64 || score.n_exact < 5 {
            failed.push(format!("{language}: {:?}", score.wrong));
        }
        failed.extend(score.unread);
        (exact, right, here) = (exact + score.n_exact, right + score.n_right, here + score.n_calls_here);
    }
    let (precision, recall) = (right as f64 / exact as f64, right as f64 / here as f64);
    println!(
        "in all: precision {precision:.3} of {exact} exact edges, recall {recall:.3} of {here} calls into the project"
    );
    assert!(failed.is_empty() && precision >= PRECISION, "{failed:?}");
    assert!(recall >= RECALL, "{recall}");
}

fn graph_of(project: &Project, what: &str, direction: Direction, depth: usize) -> Vec<String> {
    let (symbols, _) = project.index().symbols_meant(what).unwrap();
    let root = if symbols.is_empty() { Root::File(what.to_owned()) } else { Root::Symbols(symbols) };
    let request = Request { directions: vec![direction], depth, least: Confidence::Exact };
    let graph = project.index().graph(&root, &request).unwrap();
    let name = |at: usize| graph.nodes[at].name.clone();
    let mut edges: Vec<String> =
        graph.edges.iter().map(|edge| format!("{} -> {}", name(edge.from), name(edge.to))).collect();
    edges.sort();
    edges
}

#[test]
fn calls_are_followed_both_ways_through_aliases_and_circles() {
    let (project, _) = fixture("python");
    assert_eq!(graph_of(&project, "app/util.py:helper", Direction::Callers, 1), ["main -> helper"]);
    assert_eq!(
        graph_of(&project, "sync", Direction::Callees, 1),
        ["sync -> DiskStore.check", "sync -> DiskStore.flush"]
    );
    let two = graph_of(&project, "sync", Direction::Callees, 2);
    assert!(two.contains(&"DiskStore.flush -> Store.put".to_owned()), "{two:?}");
    let (rust, _) = fixture("rust");
    let circle = graph_of(&rust, "Shape.grow", Direction::Callees, 9);
    assert!(
        circle.contains(&"Shape.grow -> Shape.grow".to_owned()) && circle.contains(&"area -> Shape.grow".to_owned()),
        "{circle:?}"
    );
}

#[test]
fn files_are_followed_both_ways() {
    let (python, _) = fixture("python");
    let imports = graph_of(&python, "app/store/disk.py", Direction::Imports, 1);
    assert_eq!(imports, ["app/store/disk.py -> app/store/base.py", "app/store/disk.py -> app/util.py"]);
    let dependents = graph_of(&python, "app/store/base.py", Direction::Dependents, 1);
    assert!(dependents.contains(&"tests/test_store.py -> app/store/base.py".to_owned()), "{dependents:?}");
    assert_eq!(dependents.len(), 4, "{dependents:?}");
    let (go, _) = fixture("go");
    assert_eq!(graph_of(&go, "store/disk.go", Direction::Dependents, 1).len(), 2);
    let (rust, _) = fixture("rust");
    let imports = graph_of(&rust, "src/net/client.rs", Direction::Imports, 1);
    assert_eq!(
        imports,
        ["src/net/client.rs -> src/net/mod.rs", "src/net/client.rs -> src/shape.rs", "src/net/client.rs -> std"]
    );
    let (java, _) = fixture("java");
    assert!(
        graph_of(&java, "src/shop/pay/Payment.java", Direction::Dependents, 1)
            .contains(&"src/shop/Book.java -> src/shop/pay/Payment.java".to_owned())
    );
}

#[cfg(feature = "lang-extra")]
#[test]
fn files_of_csharp_and_kotlin_are_followed_both_ways() {
    let (csharp, _) = fixture("csharp");
    assert_eq!(
        graph_of(&csharp, "App.cs", Direction::Imports, 1),
        ["App.cs -> Store/", "App.cs -> System", "App.cs -> Tools/Tools.cs"]
    );
    assert_eq!(graph_of(&csharp, "Store/Stores.cs", Direction::Dependents, 1), ["App.cs -> Store/Stores.cs"]);
    let (kotlin, _) = fixture("kotlin");
    let imports = graph_of(&kotlin, "app/Main.kt", Direction::Imports, 1);
    assert_eq!(
        imports,
        ["app/Main.kt -> app/store/Stores.kt", "app/Main.kt -> app/store/Texts.kt", "app/Main.kt -> java.io"]
    );
    assert_eq!(
        graph_of(&kotlin, "app/store/Texts.kt", Direction::Dependents, 1),
        ["app/Main.kt -> app/store/Texts.kt"]
    );
}

fn user(language: &str) -> Env {
    let env = Env::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/graph").join(language);
    for path in files_below(&folder) {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
        env.write(&name, std::fs::read_to_string(&path).unwrap());
    }
    env
}

#[test]
fn the_command_draws_trees_diagrams_and_json() {
    let env = user("python");
    let tree = env.run(["graph", "app/util.py:clean", "--callers"]).outcome().success();
    assert!(tree.stdout.starts_with("function clean  app/util.py:10\n  used by\n"), "{tree}");
    assert!(tree.stdout.contains("function helper  app/util.py:6, line 7"), "{tree}");
    let both = env.run(["graph", "sync_any"]).outcome().success();
    assert!(both.stdout.contains("calls\n    (none)") && both.stderr.contains("by name alone: --all"), "{both}");
    let all = env.run(["graph", "sync_any", "--callees", "--all"]).outcome().success();
    assert!(all.stdout.contains("(by name)"), "{all}");
    let json = env.run(["graph", "sync", "--callees", "--format", "json"]).outcome().success();
    let value: serde_json::Value = serde_json::from_str(&json.raw_stdout).unwrap();
    assert_eq!(
        (value["edges"][0]["confidence"].as_str(), value["nodes"][0]["name"].as_str()),
        (Some("exact"), Some("sync"))
    );
    for (format, begin) in [("dot", "digraph code {"), ("mermaid", "flowchart LR")] {
        let drawn =
            env.run(["graph", "app/main.py", "--imports", "--depth", "3", "--format", format]).outcome().success();
        assert!(drawn.stdout.starts_with(begin) && drawn.stdout.contains("main.py"), "{drawn}");
    }
}

#[test]
fn a_name_of_several_things_or_of_none_is_answered_with_what_to_type() {
    let env = user("python");
    let several = env.run(["graph", "flush"]).outcome().fails_with(2);
    assert!(
        several.stderr.contains("mimi graph 'app/store/base.py:12'") && several.stderr.contains("DiskStore.flush"),
        "{several}"
    );
    env.run(["graph", "app/store/base.py:12"]).outcome().success();
    env.run(["graph", "DiskStore.flush"]).outcome().success();
    let unknown = env.run(["graph", "open_stor"]).outcome().fails_with(1);
    assert!(unknown.stderr.contains("did you mean `open_store`?"), "{unknown}");
    env.run(["graph", "main", "--depth", "0"]).outcome().fails_with(2);
    let odd = env.run(["graph", "\u{202e}x'; --"]).outcome().fails_with(1);
    assert!(odd.stdout.is_empty(), "{odd}");
}
