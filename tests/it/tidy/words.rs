//! Which words stand in no file, or only in the room that answers for them?

use crate::tidy::source::{PathAt, Source, paths};
use crate::tidy::{assert_none, root};

/// Where a word is forbidden.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Where {
    /// In everything, tests included.
    Everywhere,
    /// In what users run.
    Shipped,
    /// In tests.
    Tests,
}

/// A word of code that is forbidden, or has a home.
struct Word {
    /// As written in code. With `::` it is part of a path, found also through `use` groups.
    text: &'static str,
    /// Where it is forbidden.
    place: Where,
    /// Files and folders that may use it all the same.
    homes: &'static [&'static str],
    /// What to do instead.
    instead: &'static str,
}

const fn word(text: &'static str, place: Where, homes: &'static [&'static str], instead: &'static str) -> Word {
    Word { text, place, homes, instead }
}

const FINISH: &str = "finish it, or leave it out";
const RETURN: &str =
    "return an error that says what to do; a true invariant takes `#[expect(clippy::..., reason = ...)]`";
const PRINT: &str = "report an event; only `cli` prints";
const RUN: &str = "use `crate::exec`; only it starts processes";
const WRITE: &str = "use `crate::base::path`; only it writes files, so that none is ever torn";
const ENVIRONMENT: &str = "take it from the configuration; only `config` reads the environment";
const WAIT: &str = "wait for the thing itself, with a deadline; a sleep is too short on a busy machine";
const DIAL: &str =
    "use the client of `crate::model::providers::http`; only it connects, and only to configured servers";
const HTTP: &[&str] = &["src/model/providers/http.rs"];
/// Connects for commands, to the hosts their user named.
const PROXY: &[&str] = &["src/exec/proxy/serve.rs"];
/// Hands listening sockets over; connects to nothing.
const DOORS: &[&str] = &["src/exec/doors.rs"];
/// The two that look names up: those of model servers, and those of hosts a user named for commands.
const NAMES: &[&str] = &["src/model/providers/egress.rs", "src/exec/proxy/mod.rs"];
const CLI: &[&str] = &["src/cli/", "src/main.rs"];
const EXEC: &[&str] = &["src/exec/"];
/// What calls C: system calls, and an extension of SQLite.
// The last: what is compiled for some processors alone.
const FOREIGN: &[&str] = &["src/exec/", "src/db/vec0.rs", "src/index/vectors/differing.rs"];
const PATH: &[&str] = &["src/base/path.rs"];
// The journal is appended to, which a rename cannot do.
const APPEND: &[&str] = &["src/base/path.rs", "src/session/journal.rs"];
const CONFIG: &[&str] = &["src/config/"];

const WORDS: &[Word] = &[
    word("todo!", Where::Everywhere, &[], FINISH),
    word("unimplemented!", Where::Everywhere, &[], FINISH),
    word("dbg!", Where::Everywhere, &[], "remove it"),
    word("#[ignore", Where::Everywhere, &[], "make the test quick and sure, or delete it"),
    word("#[should_panic", Where::Everywhere, &[], "compare what is returned"),
    word("env::set_var", Where::Everywhere, &[], "pass the value; the environment is shared by all threads"),
    word("env::remove_var", Where::Everywhere, &[], "pass the value; the environment is shared by all threads"),
    word("println!", Where::Shipped, CLI, PRINT),
    word("eprintln!", Where::Shipped, CLI, PRINT),
    word("print!", Where::Shipped, CLI, PRINT),
    word("eprint!", Where::Shipped, CLI, PRINT),
    word(".unwrap()", Where::Shipped, &[], RETURN),
    word(".expect(", Where::Shipped, &[], RETURN),
    word("panic!", Where::Shipped, &[], RETURN),
    word("process::Command", Where::Shipped, EXEC, RUN),
    word("tokio::process", Where::Shipped, EXEC, RUN),
    word("unsafe", Where::Shipped, FOREIGN, "find a safe way, or put it behind a safe function in `exec`"),
    word("fs::write", Where::Shipped, PATH, WRITE),
    word("fs::copy", Where::Shipped, PATH, WRITE),
    word("File::create", Where::Shipped, PATH, WRITE),
    word("File::create_new", Where::Shipped, PATH, WRITE),
    word("OpenOptions", Where::Shipped, APPEND, WRITE),
    word("env::var", Where::Shipped, CONFIG, ENVIRONMENT),
    word("env::var_os", Where::Shipped, CONFIG, ENVIRONMENT),
    word("env::vars", Where::Shipped, CONFIG, ENVIRONMENT),
    word("TcpStream", Where::Shipped, PROXY, DIAL),
    word("TcpSocket", Where::Shipped, &[], DIAL),
    word("UdpSocket", Where::Shipped, &[], DIAL),
    word("UnixStream::connect", Where::Shipped, &[], DIAL),
    word("ToSocketAddrs", Where::Shipped, &[], DIAL),
    word("to_socket_addrs", Where::Shipped, &[], DIAL),
    word("rustix::net", Where::Shipped, DOORS, DIAL),
    word("lookup_host", Where::Shipped, NAMES, DIAL),
    // Only the client that was built there is guarded.
    word("reqwest::get", Where::Shipped, &[], DIAL),
    word("reqwest::blocking", Where::Shipped, &[], DIAL),
    word("ClientBuilder", Where::Shipped, HTTP, DIAL),
    word("Client::builder", Where::Shipped, HTTP, DIAL),
    word("Client::new", Where::Shipped, HTTP, DIAL),
    word("Client::default", Where::Shipped, HTTP, DIAL),
    word("sleep(", Where::Tests, &[], WAIT),
];

/// Words that may stand where the lint against them is answered with a reason.
const ANSWERED: &[(&str, &str)] =
    &[(".unwrap()", "clippy::unwrap_used"), (".expect(", "clippy::expect_used"), ("panic!", "clippy::panic")];

/// Words that stand for unfinished work in a comment. `FIXME(#123)` with its number is the way to leave a note.
const NOTES: &[&str] = &["TODO", "XXX"];

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// Finds a word that is not part of a longer one.
fn find_word(code: &str, text: &str) -> Vec<usize> {
    let is_bound = |at: usize, end: usize| {
        let before = at.checked_sub(1).map(|at| code.as_bytes()[at]);
        let after = code.as_bytes().get(end);
        let starts = !is_word_byte(text.as_bytes()[0]) || !before.is_some_and(is_word_byte);
        let ends = !is_word_byte(text.as_bytes()[text.len() - 1]) || !after.copied().is_some_and(is_word_byte);
        starts && ends
    };
    code.match_indices(text).map(|(at, _)| at).filter(|at| is_bound(*at, at + text.len())).collect()
}

/// A text that is looked through for many words.
struct Looked<'s> {
    code: &'s str,
    /// What `code` names, found once.
    paths: Vec<PathAt>,
}

impl<'s> Looked<'s> {
    fn new(code: &'s str) -> Self {
        Self { code, paths: paths(code) }
    }

    fn find(&self, text: &str) -> Vec<usize> {
        if text.contains("::") {
            self.paths.iter().filter(|path| path.contains(text)).map(|path| path.at).collect()
        } else {
            find_word(self.code, text)
        }
    }
}

/// Says whether the lines just above answer for a lint: a true invariant is stated with
/// `#[expect(clippy::expect_used, reason = "...")]` on the function, and clippy sees to it that the statement stays true.
fn is_answered_for(source: &Source, at: usize, text: &str) -> bool {
    const FUNCTION_LINES: usize = 15;
    let Some((_, lint)) = ANSWERED.iter().find(|row| row.0 == text) else { return false };
    let above: Vec<&str> = source.code[..at].lines().rev().take(FUNCTION_LINES).collect();
    above.iter().any(|line| line.contains(lint))
}

fn word_breaches(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        // A bench may sleep between two looks at something.
        let tests = if source.path.starts_with("tests/bench/") { String::new() } else { source.test_code() };
        let (code, shipped, tests) = (Looked::new(&source.code), Looked::new(&source.shipped), Looked::new(&tests));
        let is_run_by_users = source.path.starts_with("src/");
        for word in WORDS.iter().filter(|word| !word.homes.iter().any(|home| source.path.starts_with(home))) {
            let looked = match word.place {
                Where::Everywhere => &code,
                Where::Shipped if is_run_by_users => &shipped,
                Where::Shipped => continue,
                Where::Tests => &tests,
            };
            let say = |at: usize| source.breach(at, format!("`{}`: {}", word.text, word.instead));
            let found = looked.find(word.text).into_iter().filter(|at| !is_answered_for(source, *at, word.text));
            breaches.extend(found.map(say));
        }
    }
    breaches
}

fn note_breaches(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        for note in NOTES {
            let say = |at: usize| source.breach(at, format!("`{note}`: do it now, or write `FIXME(#number)`"));
            breaches.extend(find_word(&source.comments, note).into_iter().map(say));
        }
    }
    breaches
}

fn all() -> Vec<Source> {
    ["src", "tests"].iter().flat_map(|folder| Source::read_all(&root(), folder)).collect()
}

#[test]
fn dangerous_words_stay_at_home() {
    assert_none("Some words have one home or none.", &word_breaches(&all()));
}

#[test]
fn nothing_is_left_undone() {
    assert_none("No notes of unfinished work.", &note_breaches(&all()));
}

#[test]
fn dangerous_words_are_found() {
    let table = [
        ("src/base/x.rs", "fn f() { todo!() }", 1),
        ("tests/it/x.rs", "fn f() { dbg!(1); }", 1),
        ("tests/it/x.rs", "#[ignore = \"slow\"]\nfn f() {}", 1),
        ("src/agent/x.rs", "fn f() { println!(); eprintln!(); }", 2),
        ("src/cli/x.rs", "fn f() { println!(); }", 0),
        ("src/agent/x.rs", "fn f() { writeln!(a, \"println!\"); my_println!(); }", 0),
        ("src/agent/x.rs", "fn f() { a.unwrap(); b.expect(\"x\"); c.unwrap_or(1); panic!(); }", 3),
        ("src/agent/x.rs", "#[expect(clippy::expect_used, reason = \"x\")]\nfn f() { a.expect(\"x\") }", 0),
        ("src/agent/x.rs", "#[expect(clippy::expect_used, reason = \"x\")]\nfn f() { a.unwrap() }", 1),
        ("src/agent/x.rs", "#[expect(dead_code)]\n#[cfg(test)]\nmod tests { fn f() { a.unwrap(); } }", 0),
        ("src/agent/x.rs", "use std::process::{Command, Stdio};", 1),
        ("src/agent/x.rs", "use std::process; fn f() { process::Command::new(\"a\"); process::id(); }", 1),
        ("src/agent/x.rs", "use tokio::{process::Command, sync::mpsc};", 2),
        ("src/exec/x.rs", "use tokio::process::Command;", 0),
        ("src/edit/x.rs", "fn f() { std::fs::write(a, b); std::fs::read(a); }", 1),
        ("src/edit/x.rs", "use std::fs::{File, OpenOptions}; fn f() { File::create(a); File::open(a); }", 2),
        ("src/session/journal.rs", "use std::fs::OpenOptions;", 0),
        ("src/agent/x.rs", "fn f() { std::env::var(\"HOME\"); std::env::args(); }", 1),
        ("src/config/x.rs", "fn f() { std::env::var(\"HOME\"); }", 0),
        (
            "src/base/x.rs",
            "#[cfg(test)]\nmod tests { fn f() { std::fs::write(a, b); unsafe { env::set_var(a, b) } } }",
            1,
        ),
        ("tests/it/x.rs", "fn f() { std::thread::sleep(a); run(\"sleep(1)\"); asleep(); }", 1),
        ("src/exec/x.rs", "fn f() { tokio::time::sleep(a).await }", 0),
        ("src/exec/x_tests.rs", "fn f() { tokio::time::sleep(a).await }", 1),
        (
            "src/agent/x.rs",
            "use std::net::{IpAddr, TcpStream}; fn f() { UdpSocket::bind(a); tokio::net::lookup_host(a); }",
            3,
        ),
        ("src/model/x.rs", "fn f() { reqwest::Client::new(); reqwest::ClientBuilder::new(); reqwest::get(a); }", 3),
        ("src/model/providers/http.rs", "fn f() { reqwest::Client::builder(); }", 0),
        (
            "src/exec/x.rs",
            "use std::os::unix::net::UnixStream; fn f() { UnixStream::pair(); UnixStream::connect(a); }",
            1,
        ),
        ("src/agent/x.rs", "fn f() { unsafe { g() } }\n#![forbid(unsafe_code)]", 1),
    ];
    for (path, text, expected) in table {
        let breaches = word_breaches(&[Source::of(path, text)]);
        assert_eq!(breaches.len(), expected, "{path}: {text}: {breaches:?}");
    }
}

#[test]
fn notes_are_found_in_comments_only() {
    let note = NOTES[0];
    let table =
        [(format!("// {note}: later"), 1), (format!("let a = \"{note}\";"), 0), (format!("// {note}S_LEFT"), 0)];
    for (text, expected) in table {
        assert_eq!(note_breaches(&[Source::of("src/base/x.rs", &text)]).len(), expected, "{text}");
    }
}
