//! Do rules of a file do what they say, and does a broken file stop everything?

use super::*;
use crate::policy::{Decision, Policy, own_rules};
use crate::protocol::op::Mode;

fn ground() -> Ground {
    Ground::new("/w".into(), "/home/me".into())
}

fn read(text: &str, right: Right) -> Result<Vec<Stated>, String> {
    let node = yaml::parse(text).map_err(|error| error.to_string())?;
    let rules = node.get("rules").ok_or("no rules")?;
    parse(rules, "policy.yaml", right, &ground(), Examples::Tried).map_err(|error| error.to_string())
}

#[test]
fn the_rules_of_mimi_itself_do_what_they_say() {
    let rules = own_rules(&ground(), Examples::Tried).unwrap();
    assert!(rules.len() > 10 && rules.iter().all(|stated| stated.force == Force::Deny && stated.why.is_some()));
}

const GOOD: &str = r#"rules:
  - allow: [cargo, [test, check], "..."]
    where: any
    match: [cargo test --lib, cargo check]
    not_match: [cargo run, cargo, "cargo test; cargo run"]
  - allow: [npm, run, lint]
    where: sandbox
    match: [npm run lint]
    not_match: [npm run lint --fix, npm run]
  - ask: [git, push, "..."]
    why: somebody else sees it
    match: [git push, sudo git push origin, "x=$(git push)"]
    not_match: [git status]
  - deny: [git, push, "..."]
    options: [[-f, --force, --force-with-lease]]
    match: [git push -f, git push origin --force, git push --forc]
    not_match: [git push, git push origin]
  - deny: [rm, "..."]
    paths: [db/**, ~/data/**]
    match: [rm db/x, rm -f a db/b, rm ~/data/y]
    not_match: [rm x, rm dbx]
  - allow: [curl, "..."]
    where: host
    hosts: [docs.example.com]
    match: ["curl -s https://docs.example.com/x"]
    not_match: ["curl https://evil.example", "curl https://docs.example.com https://evil.example", "curl https://docs.example.com@evil.example/"]
  - deny: "shell:make install"
    match: [make install]
    not_match: [make]
  - deny: "write:gen/**"
    match: [gen/x.rs]
    not_match: [src/x.rs]
"#;

fn verdict(rules: Vec<Stated>, command: &str) -> usize {
    let policy = Policy::new(Mode::Ask, ground(), rules).unwrap();
    match policy.decide(&[Action::Execute { command: command.to_owned(), cwd: None }]) {
        Decision::Allow(_) => 0,
        Decision::Ask { .. } => 1,
        Decision::Deny { .. } => 2,
    }
}

#[test]
fn rules_over_words_cover_what_they_say_and_the_strictest_wins() {
    let table = [
        ("cargo test", 0),
        ("cargo test --lib 2>&1 | tail -5", 0),
        ("timeout 60 cargo check", 0),
        ("cargo test $X", 1),
        ("cargo test > /etc/x", 1),
        ("cargo test && cargo run", 1),
        ("sudo cargo test", 1),
        ("X=1 cargo test", 1),
        ("cargo 'test'", 0),
        ("npm run lint", 1),
        ("git push", 1),
        ("git push -f", 2),
        ("cargo test; git push --force", 2),
        ("/usr/bin/git push --force-with-lease=x", 2),
        ("rm -rf ./db/x", 2),
        ("rm src/../db/x", 2),
        ("curl https://docs.example.com/a", 0),
        ("curl -o /tmp/x https://docs.example.com/a", 0),
        ("curl https://DOCS.example.com./a", 0),
        ("curl https://evil.example", 1),
        ("make install", 2),
        ("make  install -j", 1),
    ];
    for (command, expected) in table {
        assert_eq!(verdict(read(GOOD, Right::All).unwrap(), command), expected, "{command}");
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_line() {
    let table = [
        ("rules:\n  - allow: [make]\n    where: any\n    match: [make]\n", "not_match"),
        ("rules:\n  - allow: [make]\n    where: any\n    match: []\n    not_match: [ls]\n", "need an example each"),
        (
            "rules:\n\n  - allow: [make]\n    where: any\n    match: [make x]\n    not_match: [ls]\n",
            "line 3: the rule does not match its own example `make x`",
        ),
        (
            "rules:\n  - allow: [make, \"...\"]\n    where: any\n    match: [make]\n    not_match: [make x]\n",
            "line 2: the rule matches `make x`",
        ),
        ("rules:\n  - allow: [make]\n    deny: [make]\n    match: [make]\n    not_match: [ls]\n", "one of"),
        ("rules:\n  - allow: [make]\n    match: [make]\n    not_match: [ls]\n", "says `where`"),
        ("rules:\n  - match: [make]\n    not_match: [ls]\n", "one of"),
        ("rules:\n  - alow: [make]\n    match: [make]\n    not_match: [ls]\n", "alow"),
        ("rules:\n  - allow: [\"*\"]\n    where: any\n    match: [make]\n    not_match: [ls]\n", "first word"),
        (
            "rules:\n  - allow: [[make, \"...\"]]\n    where: any\n    match: [make]\n    not_match: [ls]\n",
            "first word",
        ),
        ("rules:\n  - allow: make\n    where: any\n    match: [make]\n    not_match: [ls]\n", "no `kind:`"),
        ("rules:\n  - deny: [rm]\n    paths: [\"{\"]\n    match: [rm]\n    not_match: [ls]\n", "line 2"),
        ("rules: 3\n", "a list is expected"),
        ("rules:\n  - deny: [rm]\n    where: moon\n    match: [rm]\n    not_match: [ls]\n", "where"),
    ];
    for (text, expected) in table {
        let error = read(text, Right::All).unwrap_err();
        assert!(error.contains(expected) && error.contains("line "), "{text}: {error}");
    }
}

#[test]
fn what_allows_in_a_project_nobody_trusts_is_checked_and_left_out() {
    let allow = "rules:\n  - allow: [make]\n    where: any\n    match: [make]\n    not_match: [ls]\n";
    assert_eq!(read(allow, Right::Narrow).unwrap().len(), 0);
    assert_eq!(read(allow, Right::All).unwrap().len(), 1);
    assert_eq!(read(&allow.replace("allow", "ask"), Right::Narrow).unwrap().len(), 1);
    assert!(read(&allow.replace("[ls]", "[make]"), Right::Narrow).unwrap_err().contains("line 2"));
}

/// Commands by which a rule lost shows.
const PROBES: &[&str] = &[
    "cargo test",
    "cargo run",
    "npm run lint",
    "npm run lint --fix",
    "git push",
    "git push -f",
    "git push --force",
    "git status",
    "rm db/x",
    "rm x",
    "curl https://docs.example.com/x",
    "curl https://evil.example",
    "make install",
    "make",
    "rm ~/data/y",
    "ls",
    "rm -rf /",
    "sudo git push",
];

#[test]
fn a_file_with_a_mistake_in_it_never_allows_more() {
    let before: Vec<usize> = PROBES.iter().map(|probe| verdict(read(GOOD, Right::All).unwrap(), probe)).collect();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut refused, mut same) = (0, 0);
    for _ in 0..200 {
        let mut bytes = GOOD.as_bytes().to_vec();
        let at = random(bytes.len());
        match random(5) {
            0 => drop(bytes.remove(at)),
            1 => bytes.insert(at, b" -:#[]\"'*,x\n"[random(12)]),
            2 => bytes[at] = b" -:#[]\"'*,x\n.~/"[random(15)],
            3 => bytes.swap(at, (at + 1) % GOOD.len()),
            _ => {
                // A line lost.
                let mut lines: Vec<&str> = GOOD.lines().collect();
                lines.remove(random(lines.len()));
                bytes = lines.join("\n").into_bytes();
            }
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let Ok(rules) = read(&text, Right::All) else {
            refused += 1;
            continue;
        };
        same += 1;
        for (probe, before) in PROBES.iter().zip(&before) {
            let after = verdict(rules.clone(), probe);
            assert!(after >= *before, "{probe}: {before} before, {after} after\n{text}");
        }
    }
    println!("200 files with a mistake: {refused} refused, {same} used and no weaker");
}
