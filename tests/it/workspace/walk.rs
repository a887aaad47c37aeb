//! Which files does a walk meet?

use std::ops::ControlFlow;
use std::path::Path;

use mimi::workspace::walk::Walk;

use super::project;

fn files(walk: &Walk) -> Vec<String> {
    let mut names = Vec::new();
    walk.visit(&mut |entry| {
        names.push(entry.relative.display().to_string());
        ControlFlow::Continue(())
    });
    names
}

const TREE: [(&str, &str); 12] = [
    (".gitignore", "*.log\n/sub/generated/\n"),
    (".mimiignore", "vendor/\n"),
    (".git/info/exclude", "private\n"),
    (".git/HEAD", ""),
    (".hidden/a", ""),
    ("b.rs", ""),
    ("private", ""),
    ("sub/.gitignore", "!keep.log\n"),
    ("sub/a.log", ""),
    ("sub/generated/x", ""),
    ("sub/keep.log", ""),
    ("vendor/v.rs", ""),
];

#[test]
fn ignore_rules_hold_and_the_order_is_that_of_names() {
    let (_folder, workspace) = project(&TREE);
    let walk = |start: &str| Walk::new(workspace.root(), &workspace.root().join(start));
    assert_eq!(files(&walk("")), ["b.rs", "sub", "sub/keep.log"]);
    assert_eq!(files(&walk("sub")), ["keep.log"]);
    // Whoever names an ignored or hidden folder wants to see it.
    assert_eq!(files(&walk("vendor")), ["v.rs"]);
    assert_eq!(files(&walk("sub/generated")), ["x"]);
    assert_eq!(files(&walk(".hidden")), ["a"]);
    assert_eq!(files(&walk("").max_depth(1)), ["b.rs", "sub"]);
    assert_eq!(files(&walk("sub").max_depth(1)), ["keep.log"]);
}

#[test]
fn a_pattern_chooses_files_but_does_not_lift_the_rules() {
    let (_folder, workspace) = project(&TREE);
    let walk = |pattern: &str| Walk::new(workspace.root(), workspace.root()).matching(pattern);
    let table = [
        ("*.rs", vec!["b.rs", "sub"]),
        ("*.log", vec!["sub", "sub/keep.log"]),
        ("!*.log", vec!["b.rs", "sub"]),
        ("sub/**", vec!["sub", "sub/keep.log"]),
        ("./b.rs", vec!["b.rs", "sub"]),
        ("*.{rs,log}", vec!["b.rs", "sub", "sub/keep.log"]),
    ];
    for (pattern, expected) in table {
        assert_eq!(files(&walk(pattern).unwrap()), expected, "{pattern}");
    }
    assert!(walk("[").is_err());
}

#[test]
fn ignore_files_above_count_only_up_to_the_repository() {
    let (folder, _) = project(&[
        (".gitignore", "stray\n"),
        ("repo/.git/HEAD", ""),
        ("repo/.gitignore", "repo-rule\n"),
        ("repo/sub/stray", ""),
        ("repo/sub/repo-rule", ""),
        ("plain/stray", ""),
    ]);
    let open = |name: &str| mimi::workspace::Workspace::open(&folder.path().join(name)).unwrap();
    let all = |name: &str| files(&Walk::new(open(name).root(), open(name).root()));
    assert_eq!(all("repo/sub"), ["stray"]);
    assert_eq!(all("plain"), ["stray"]);
}

#[test]
fn links_are_met_and_not_followed() {
    let (_folder, workspace) = project(&[("a/x", "")]);
    std::os::unix::fs::symlink("..", workspace.root().join("a/up")).unwrap();
    std::os::unix::fs::symlink("/etc", workspace.root().join("etc")).unwrap();
    assert_eq!(files(&Walk::new(workspace.root(), workspace.root())), ["a", "a/up", "a/x", "etc"]);
    assert!(files(&Walk::new(workspace.root(), Path::new("/nonexistent"))).is_empty());
}
