//! Does a search find the right code, as it is now, whatever happens to files, database and other processes?

mod commands;
mod crowd;
mod embedders;
mod freshness;
mod graph;
mod map;
mod measuring;
mod quality;
mod questions;
mod sharing;

use std::path::{Path, PathBuf};

use mimi::index::engine::{Index, Settled, Settling};
use mimi::index::search::route::Query;
use mimi::index::search::{Hit, Sides};
use tempfile::TempDir;

/// A project and a cache folder.
pub(crate) struct Project {
    root: PathBuf,
    cache: PathBuf,
    _folder: Option<TempDir>,
}

impl Project {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("project");
        std::fs::create_dir(&root).unwrap();
        let project = Self { cache: folder.path().join("cache"), root, _folder: Some(folder) };
        files.iter().for_each(|(path, text)| project.write(path, text));
        project
    }

    /// A project and a cache folder that are there already.
    pub(crate) fn at(root: PathBuf, cache: PathBuf) -> Self {
        Self { root, cache, _folder: None }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.root.clone()
    }

    pub(crate) fn cache(&self) -> PathBuf {
        self.cache.clone()
    }

    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        std::fs::remove_file(self.root().join(path)).unwrap();
    }

    pub(crate) fn index(&self) -> Index {
        Index::of(&self.cache(), &self.root()).unwrap()
    }

    pub(crate) fn settle(&self) -> Settled {
        self.index().settle(&Settling::PLAIN).unwrap()
    }

    /// Settles and searches as the command does.
    pub(crate) fn search(&self, question: &str) -> Vec<Hit> {
        self.settle();
        self.index().search(&Query::parse(question), 10, Sides::All).unwrap()
    }

    /// The paths found, best first.
    pub(crate) fn paths(&self, question: &str) -> Vec<String> {
        self.search(question).into_iter().map(|hit| hit.path).collect()
    }

    /// Every byte of every file of the database.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let folder = self.index().place().folder.clone();
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.flat_map(|path| std::fs::read(path).unwrap()).collect()
    }
}

pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    let (bytes, text) = (bytes.to_ascii_lowercase(), text.to_ascii_lowercase());
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// A small project with something to find.
pub(crate) const FILES: &[(&str, &str)] = &[
    (
        "src/cache.rs",
        "//! Kept answers.\n\n/// Removes entries that have expired.\npub fn evict_expired(map: &mut Map, now: u64) {\n    map.retain(|_, entry| entry.deadline > now);\n}\n",
    ),
    (
        "src/net/retry.rs",
        "/// Sends a request again after a pause that doubles.\npub fn send_with_backoff(client: &HttpClient) -> Answer {\n    client.send()\n}\n\npub struct HttpClient;\n",
    ),
    ("lib/paint.py", "class Canvas:\n    def draw_line(self, start, end):\n        self.points.append((start, end))\n"),
    ("README.md", "# Example\n\nA project with a cache and a client.\n"),
    ("tests/cache_test.rs", "fn evict_expired_works() { evict_expired(&mut map(), 5); }\n"),
];

#[test]
fn questions_names_paths_and_traces_lead_to_the_right_place() {
    let project = Project::new(FILES);
    let table = [
        ("remove expired entries", "src/cache.rs"),
        ("try the request again with a growing pause", "src/net/retry.rs"),
        ("evict_expired", "src/cache.rs"),
        ("HttpClient", "src/net/retry.rs"),
        ("symbol:canvas", "lib/paint.py"),
        ("src/net/retry.rs", "src/net/retry.rs"),
        ("draw lang:python", "lib/paint.py"),
        ("cache path:tests", "tests/cache_test.rs"),
        ("panicked at src/net/retry.rs:3:9: no answer", "src/net/retry.rs"),
        ("File \"/home/x/lib/paint.py\", line 3, in draw_line", "lib/paint.py"),
    ];
    for (question, expected) in table {
        assert_eq!(project.paths(question).first().map(String::as_str), Some(expected), "{question}");
    }
    let hit = project.search("evict_expired").remove(0);
    assert!(hit.line <= 4 && hit.end_line >= 6 && hit.names.contains(&"evict_expired".to_owned()), "{hit:?}");
}

#[test]
fn no_question_breaks_the_search() {
    let project = Project::new(FILES);
    let long = "expired entries \" OR ".repeat(5000);
    let questions = [
        "",
        "\"",
        "a AND NOT b",
        "NEAR(a b, 2)",
        "col:^x*",
        "'; DROP TABLE blob;--",
        "удалить записи",
        "\0\u{202e}",
        "path:",
        "* *",
        &long,
    ];
    for question in questions {
        project.search(question);
    }
    assert_eq!(project.paths(&long)[0], "src/cache.rs");
    assert!(project.paths("zzzz_nothing_like_this").iter().all(|path| !path.is_empty()));
}

#[test]
fn words_of_other_languages_are_found() {
    let project = Project::new(&[
        ("a.py", "# Удаляет старые записи из кэша\ndef f(): pass\n"),
        ("b.py", "# 接続を再試行する\ndef g(): pass\n"),
        ("c.py", "x = 1\n"),
    ]);
    assert_eq!(project.paths("старые записи")[0], "a.py");
    assert_eq!(project.paths("再試行")[0], "b.py");
}

#[test]
fn planted_keys_are_in_no_byte_of_the_database() {
    let keys = [
        ["AKIA", "QYZ2J7RLP4XW6TQA"].concat(),
        ["ghp_", "a8Fk2LmQz9XcVbN4tRwEoP7uYiHsDgJ31Bq0"].concat(),
        ["glpat-", "x9Yz8Wv7Ut6Sr5Qp4On3"].concat(),
        "q8Zr2Lw9Xc4Vb7Nm1Kj6Hg3F".to_owned(),
    ];
    let project =
        Project::new(&[("src/open.rs", "fn open_door() { let handle = turn(); }\n"), (".gitignore", "ignored/\n")]);
    project.write("src/config.py", format!("region = 'eu'\nkey = '{}'\napi_token = \"{}\"\n", keys[0], keys[3]));
    project.write("docs/notes.md", format!("# Notes\n\nUse {} here.\n", keys[1]));
    project.write("deploy/.env.d", "x");
    project.write("deploy/prod.env", format!("TOKEN={}\n", keys[2]));
    project.write("deploy/server.pem", "planted-pem-body-text\n");
    project.write("ignored/a.rs", "fn planted_in_ignored_file() {}\n");
    project.settle();
    assert_eq!(project.paths("open door handle")[0], "src/open.rs");
    let bytes = project.bytes();
    for key in keys.iter().map(String::as_str).chain(["planted-pem-body", "planted_in_ignored"]) {
        assert!(!holds(&bytes, key), "{key}");
        // Nor in the pieces a word of it would be cut into.
        let parts = key.split(['-', '_']).filter(|part| part.len() > 12);
        parts.for_each(|part| assert!(!holds(&bytes, part), "{part}"));
    }
    assert!(holds(&bytes, "open_door"), "the test looks in the right place");
    let status = project.index().status().unwrap().unwrap();
    assert!(status.n_secrets >= 2);
    assert_eq!(status.passed.get("may hold keys"), Some(&2));
}

#[test]
fn unwanted_and_odd_files_do_not_stand_in_the_way() {
    let project = Project::new(FILES);
    project.write("big.txt", "word ".repeat(200_000));
    project.write("image.rs", b"\x89PNG\0\0\0 evict_expired");
    project.write("bundle.js", "a=1;".repeat(3000));
    project.write("broken.rs", "fn broken( {{{ evict let ] \n".repeat(20));
    project.write("latin.c", b"/* caf\xe9 */ int espresso_machine(void) { return 1; }\n");
    project.write("vendor/lib/other.go", "package lib\n\n// text_of_vendored\nfunc VendoredThing() { other() }\n");
    std::os::unix::fs::symlink(project.root(), project.root().join("loop")).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", project.root().join("outside.txt")).unwrap();
    let settled = project.settle();
    assert!(settled.notes.is_empty(), "{:?}", settled.notes);
    assert_eq!(project.paths("espresso machine")[0], "latin.c");
    assert_eq!(project.paths("VendoredThing")[0], "vendor/lib/other.go");
    assert!(!holds(&project.bytes(), "text_of_vendored"), "only names of vendored code are kept");
    let status = project.index().status().unwrap().unwrap();
    let passed: Vec<(&str, u64)> = status.passed.iter().map(|(why, n)| (why.as_str(), *n)).collect();
    assert_eq!(passed, [("binary", 1), ("minified", 1), ("too large", 1)]);
    assert!(!project.paths("root passwd").contains(&"outside.txt".to_owned()));
}

#[test]
fn texts_in_several_encodings_and_links_in_circles_cost_nobody_an_answer() {
    let project = Project::new(FILES);
    let mut mixed =
        b"# caf\xe9 in one line, \xd1\x84 and \xe2\x82\xac in the next\ndef mixed_encodings(): pass\n".to_vec();
    mixed.extend(b"x = '\xff\xfe\xc3\x28'\r\n");
    project.write("mixed.py", mixed);
    project.write("marked.py", b"\xef\xbb\xbfdef with_a_mark(): pass\n");
    let wide: Vec<u8> = "\u{feff}def in_wide_letters(): pass\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
    project.write("wide.py", wide);
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, project.root().join(at)).unwrap();
    link("b", "a");
    link("a", "b");
    link("..", "src/up");
    link("nowhere", "dangling.py");
    let settled = project.settle();
    assert!(settled.notes.is_empty(), "{:?}", settled.notes);
    assert_eq!(project.paths("symbol:mixed_encodings"), ["mixed.py"]);
    assert_eq!(project.paths("symbol:with_a_mark"), ["marked.py"]);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
    let status = project.index().status().unwrap().unwrap();
    assert_eq!(status.passed.get("binary"), Some(&1), "two bytes a letter: {:?}", status.passed);
    assert_eq!(status.n_files, FILES.len() as u64 + 2);
    assert!(project.settle().updated.n_chunks == 0, "nothing of it is read again and again");
}

#[test]
fn each_side_finds_something_and_both_together_are_no_worse() {
    let project = Project::new(FILES);
    project.settle();
    let query = Query::parse("remove expired entries");
    for sides in [Sides::Words, Sides::Vectors, Sides::Fused, Sides::All] {
        let hits = project.index().search(&query, 3, sides).unwrap();
        assert!(hits.iter().any(|hit| hit.path == "src/cache.rs"), "{sides:?}: {hits:?}");
    }
}

#[test]
fn a_test_is_found_when_tests_are_asked_for() {
    let project = Project::new(FILES);
    assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
    assert_eq!(project.paths("test that evict expired works")[0], "tests/cache_test.rs");
}

#[test]
fn the_same_text_in_many_files_has_one_vector() {
    let text = "def same_everywhere(value):\n    return value + 1\n";
    let project = Project::new(&[("a.py", text), ("b.py", text), ("c/d.py", text)]);
    project.settle();
    let status = project.index().status().unwrap().unwrap();
    assert_eq!(status.n_chunks, 3);
    assert_eq!(status.vectors.values().sum::<u64>(), 1);
    let mut paths = project.paths("same_everywhere");
    paths.sort();
    assert_eq!(paths, ["a.py", "b.py", "c/d.py"]);
}

pub(crate) fn rename(from: &Path, to: &Path) {
    std::fs::rename(from, to).unwrap();
}

#[test]
fn a_project_without_git_one_with_submodules_and_a_file_of_500_mb_are_searched_alike() {
    let project = Project::new(FILES);
    project.write(".git/config", "[core]\n\tbare = false\n[submodule \"sub\"]\n");
    project.write(".gitmodules", "[submodule \"sub\"]\n\tpath = sub\n\turl = ../sub\n");
    project.write("sub/.git", "gitdir: ../.git/modules/sub\n");
    project.write("sub/.gitignore", "made/\n");
    project.write("sub/src/inner.rs", "fn inside_of_the_submodule() {}\n");
    project.write("sub/made/out.rs", "fn ignored_in_the_submodule() {}\n");
    let file = std::fs::File::create(project.root().join("huge.rs")).unwrap();
    file.set_len(500 << 20).unwrap();
    let settled = project.settle();
    assert!(settled.notes.is_empty(), "{:?}", settled.notes);
    assert_eq!(project.paths("symbol:inside_of_the_submodule"), ["sub/src/inner.rs"]);
    assert!(project.paths("symbol:ignored_in_the_submodule").is_empty());
    assert_eq!(project.index().status().unwrap().unwrap().passed.get("too large"), Some(&1));
}

#[test]
fn a_file_that_changes_again_and_again_while_it_is_read_ends_as_it_is_last() {
    let project = Project::new(FILES);
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut n = 0;
            while !is_over.load(std::sync::atomic::Ordering::SeqCst) {
                n += 1;
                project.write("src/busy.rs", format!("fn version_{n}() {{}}\n").repeat(1 + n % 500));
            }
        });
        for _ in 0..20 {
            project.settle();
            assert_eq!(project.paths("evict_expired")[0], "src/cache.rs");
        }
        is_over.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    project.write("src/busy.rs", "fn the_last_version() {}\n");
    assert_eq!(project.paths("symbol:the_last_version"), ["src/busy.rs"]);
    assert_eq!(project.index().verify().unwrap(), Vec::<String>::new());
}

#[test]
fn both_ways_of_keeping_vectors_find_the_same_and_either_can_become_the_other() {
    use mimi::index::vectors::{Choice, Store};
    let project = Project::new(FILES);
    let by = |choice| {
        let index = project.index().keeping_vectors(choice);
        project.write("src/other.rs", format!("fn kept_as() {{ {choice:?} }}\n"));
        index.settle(&Settling::PLAIN).unwrap();
        let hits = index.search(&Query::parse("remove expired entries"), 1, Sides::Vectors).unwrap();
        let store = index.status().unwrap().unwrap().embedders[0].store;
        assert_eq!(index.verify().unwrap(), Vec::<String>::new());
        (store, hits.into_iter().map(|hit| hit.path).collect::<Vec<_>>())
    };
    let (auto, first) = by(Choice::Auto);
    let (codes, second) = by(Choice::Only(Store::Codes));
    let (kept, third) = by(Choice::Keep);
    let (vec0, fourth) = by(Choice::Only(Store::Vec0));
    assert_eq!([auto, codes, kept, vec0], ["vec0", "codes", "codes", "vec0"]);
    assert!(first == second && second == third && third == fourth, "{first:?} {second:?} {third:?} {fourth:?}");
}
