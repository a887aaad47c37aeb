//! Are mimi's changes, and only they, what the patch and the commit of `mimi fix` hold?

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;

use super::fix_report::{fix, mended, red};
use crate::support::Env;
use crate::support::report::checked;

/// A repository whose check fails, with an identity of its own.
fn repository(turns: &str) -> Env {
    let env = red(turns);
    env.git_init();
    env.git(["config", "user.name", "Somebody"]);
    env.git(["config", "user.email", "somebody@example.org"]);
    env
}

/// A model that runs this in a shell, and then says that it is done.
fn runs(command: &str) -> String {
    let call = json!({"name": "shell", "arguments": {"command": command}});
    json!([{"calls": [call]}, {"say": "done"}]).to_string()
}

/// Makes a second folder with what was committed, to apply patches in.
fn clone(env: &Env) -> String {
    let folder = env.home().join("clone").display().to_string();
    env.git(["clone", "--quiet", ".", &folder]);
    folder
}

#[test]
fn a_patch_makes_of_the_start_what_mimi_made() {
    // Text with odd names and ends, a binary file, modes, a link, and files that come and go.
    let work = "printf 'good\\n' > answer.txt; printf 'a\\0b\\377' > 'bin ä.dat'; head -c 3000 /dev/urandom > old.bin; \
        chmod +x run.sh; rm gone.txt; ln -s answer.txt link; printf 'no end' > sub/new.txt; printf 'a\\rb\\r' > cr.txt; \
        printf 'x\\r\\ny\\r\\n' > 'crlf \"q\".txt'; : > empty; rm was; ln -s gone was";
    let env = red(&runs(work));
    for (name, bytes) in
        [("old.bin", &b"\0\x01\x02"[..]), ("run.sh", b"#!/bin/sh\n"), ("gone.txt", b"x\n"), ("was", b"file\n")]
    {
        env.write(name, bytes);
    }
    env.write("sub/kept.txt", "kept\n");
    env.write("crlf \"q\".txt", "x\r\n");
    env.git_init();
    let clone = clone(&env);
    let patch = env.home().join("all.patch").display().to_string();
    // Not all of this is needed for the check to pass, and all of it is to be in the patch.
    let outcome = fix(&env, &["--patch", &patch, "--output", "json", "--set", "fix.minimise_s=0"]).success();
    let report = checked(&outcome.raw_stdout);
    assert_eq!(report["patch"], json!(patch));
    let files: Vec<String> = report["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| format!("{} {}", file["kind"].as_str().unwrap(), file["path"].as_str().unwrap()))
        .collect();
    assert!(files.contains(&"mode run.sh".to_owned()) && files.contains(&"deleted gone.txt".to_owned()), "{files:?}");
    env.git(["-C", &clone, "apply", "--index", &patch]);
    // Git sees the same tree in both.
    env.git(["add", "--all"]);
    let tree = |folder: &str| env.git(["-C", folder, "write-tree"]);
    assert_eq!(tree(&clone), tree("."), "{}", std::fs::read_to_string(&patch).unwrap_or_default());
    env.git(["-C", &clone, "apply", "--index", "-R", &patch]);
    assert_eq!(env.git(["-C", &clone, "status", "--porcelain"]), "");
}

#[test]
fn changes_of_the_user_are_in_no_patch() {
    let env = repository(&mended());
    env.write("answer.txt", "bad\n");
    env.write("own.txt", "mine\n");
    env.git(["add", "--intent-to-add", "own.txt"]);
    fix(&env, &["--patch", "p/mimi.patch"]).success();
    let patch = env.read("p/mimi.patch");
    let (head, rest) = patch.split_once('\n').unwrap();
    assert_eq!(head, "diff --git a/answer.txt b/answer.txt");
    let lines = rest.split_once('\n').unwrap().1;
    assert_eq!(lines, "--- a/answer.txt\n+++ b/answer.txt\n@@ -1 +1 @@\n-bad\n+good\n");
    // The names in it are git's own.
    let (old, new) = patch_names(&patch);
    assert_eq!(env.git(["rev-parse", "HEAD:answer.txt"]).trim(), old);
    assert_eq!(env.git(["hash-object", "answer.txt"]).trim(), new);
}

/// Returns the names of both sides in a patch of one file.
fn patch_names(patch: &str) -> (&str, &str) {
    let line = patch.lines().find_map(|line| line.strip_prefix("index ")).unwrap();
    line.split(' ').next().unwrap().split_once("..").unwrap()
}

#[test]
fn a_commit_holds_only_what_mimi_changed_and_leaves_the_rest_as_it_was() {
    let turns = "[{calls: [{name: read_file, arguments: {path: answer.txt}}, {name: edit_file, arguments: {path: answer.txt, old_string: bad, new_string: good}}]}, {say: done}]";
    let env = repository(turns);
    let far = "\n1\n2\n3\n4\n5\n6\n7\n8\n9\n";
    env.write("answer.txt", format!("bad{far}end\n"));
    env.write("other.txt", "one\n");
    env.git(["add", "--all"]);
    env.git(["commit", "--quiet", "--message=base"]);
    // Staged, not staged, both in the file that mimi changes, and a new file.
    env.write("answer.txt", format!("bad{far}END\n"));
    env.write("other.txt", "two\n");
    env.git(["add", "other.txt"]);
    env.write("other.txt", "three\n");
    env.write("new.txt", "new\n");
    let (staged, unstaged) = (env.git(["diff", "--cached"]), env.git(["diff"]));
    let hook = env.write(".git/hooks/post-commit", "#!/bin/sh\ntouch hooked\n");
    std::fs::set_permissions(hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let outcome = fix(&env, &["--commit", "--output", "json"]).success();
    let report = checked(&outcome.raw_stdout);
    assert_eq!(report["commit"]["branch"], "main");
    assert_eq!(env.git(["rev-parse", "HEAD"]).trim(), report["commit"]["hash"].as_str().unwrap());
    assert_eq!(env.git(["show", "--format=", "--name-only", "HEAD"]), "answer.txt\n");
    assert_eq!(env.git(["show", "HEAD:answer.txt"]), format!("good{far}end\n"));
    assert_eq!(env.read("answer.txt"), format!("good{far}END\n"));
    assert_eq!(env.git(["diff", "--cached"]), staged);
    let ends = |diff: &str| {
        diff.lines()
            .filter(|line| line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---"))
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    assert_eq!(ends(&env.git(["diff"])), ends(&unstaged));
    assert_eq!(env.git(["status", "--porcelain", "new.txt"]), "?? new.txt\n");
    assert!(!env.work().join("hooked").exists());
    let message = env.git(["log", "-1", "--format=%an <%ae>%n%B"]);
    assert_eq!(
        message.trim_end(),
        "Somebody <somebody@example.org>\nMake grep good answer.txt pass\n\nAssisted-by: mimi"
    );
}

#[test]
fn author_and_trailer_are_settings() {
    let env = repository(&mended());
    let arguments = [
        "--commit",
        "--set",
        "fix.commit_author=Bot <bot@example.org>",
        "--set",
        "fix.commit_trailer=Signed-off-by: Bot <bot@example.org>",
    ];
    fix(&env, &arguments).success();
    let message = env.git(["log", "-1", "--format=%an %cn%n%(trailers)"]);
    assert_eq!(message.trim_end(), "Bot Bot\nSigned-off-by: Bot <bot@example.org>");
    let outcome = fix(&env, &["--commit", "--set", "fix.commit_author=Bot"]).fails_with(3);
    assert!(outcome.stderr.contains("`fix.commit_author` is `Bot`"), "{outcome}");
}

#[test]
fn a_branch_of_its_own_leaves_what_is_checked_out_alone() {
    let env = repository(&mended());
    let before = (env.git(["rev-parse", "HEAD"]), std::fs::read(env.work().join(".git/index")).unwrap());
    let outcome = fix(&env, &["--branch", "mimi/fix", "--output", "json"]).success();
    assert_eq!(checked(&outcome.raw_stdout)["commit"]["branch"], "mimi/fix");
    assert_eq!(env.git(["rev-parse", "HEAD"]), before.0);
    assert_eq!(std::fs::read(env.work().join(".git/index")).unwrap(), before.1);
    assert_eq!(env.git(["show", "mimi/fix:answer.txt"]), "good\n");
    assert_eq!(env.git(["rev-parse", "mimi/fix^"]), before.0);
    // A branch that is there is refused before anything is done, and so is what is no name.
    env.write("answer.txt", "bad\n");
    for (name, words) in
        [("mimi/fix", "there is a branch `mimi/fix` already"), ("a..b", "no branch can be called `a..b`")]
    {
        let outcome = fix(&env, &["--branch", name]).fails_with(2);
        assert!(outcome.stderr.contains(words), "{outcome}");
    }
    assert_eq!(env.read("answer.txt"), "bad\n");
}

#[test]
fn without_a_branch_or_a_first_commit_it_goes_on_all_the_same() {
    let env = repository(&mended());
    env.git(["checkout", "--quiet", "--detach"]);
    let before = env.git(["rev-parse", "HEAD"]);
    let outcome = fix(&env, &["--commit", "--output", "json"]).success();
    assert_eq!(checked(&outcome.raw_stdout)["commit"]["branch"], json!(null));
    assert_eq!(env.git(["rev-parse", "HEAD^"]), before);
    assert_eq!(env.git(["rev-parse", "main"]), before);
    // Nothing is committed yet: a new file can be, one that was there already cannot be told apart.
    let turns = "[{calls: [{name: write_file, arguments: {path: fresh.txt, content: \"good\\n\"}}]}, {say: done}]";
    for (check, code) in [("grep good fresh.txt", 0), ("grep good answer.txt", 1)] {
        let env = if code == 0 { red(turns) } else { red(&mended()) };
        env.git(["init", "--quiet", "--initial-branch=main"]);
        env.git(["config", "user.name", "Somebody"]);
        env.git(["config", "user.email", "somebody@example.org"]);
        let outcome = env.run(["fix", "--test", check, "--commit"]).outcome().fails_with(code);
        if code == 0 {
            assert_eq!(env.git(["show", "--format=", "--name-only", "HEAD"]), "fresh.txt\n");
        } else {
            assert!(outcome.stderr.contains("nothing is committed: `answer.txt` is in no commit yet"), "{outcome}");
            assert_eq!(env.read("answer.txt"), "good\n");
        }
    }
}

#[test]
fn a_commit_that_cannot_be_made_is_refused_before_the_work() {
    let env = red(&mended());
    let outcome = fix(&env, &["--commit"]).fails_with(2);
    assert!(outcome.stderr.contains("is not in a git repository"), "{outcome}");
    assert_eq!(env.read("answer.txt"), "bad\n");
    let env = repository(&mended());
    env.write(".git/MERGE_HEAD", env.git(["rev-parse", "HEAD"]));
    let outcome = fix(&env, &["--commit"]).fails_with(2);
    assert!(outcome.stderr.contains("a merge is under way in this repository"), "{outcome}");
    assert_eq!(env.read("answer.txt"), "bad\n");
}

#[test]
fn changes_of_one_place_by_both_are_not_committed() {
    let env = repository(&mended());
    env.write("answer.txt", "worse\n");
    let outcome = fix(&env, &["--commit", "--output", "json"]).fails_with(1);
    let report = checked(&outcome.raw_stdout);
    assert_eq!(report["ending"]["word"], "not_committed");
    assert!(outcome.stderr.contains("your own changes of `answer.txt` cannot be told from mimi's"), "{outcome}");
    assert_eq!(env.git(["log", "--oneline"]).lines().count(), 1);
    assert!(Path::new(report["patch"].as_str().unwrap()).exists());
}

#[test]
fn a_dry_run_leaves_nothing_but_the_patch() {
    let env = repository(&runs("echo good > answer.txt; echo x > new.txt; chmod 600 answer.txt"));
    let outcome = fix(&env, &["--dry-run", "--set", "fix.minimise_s=0"]).success();
    assert!(outcome.raw_stdout.starts_with("diff --git a/answer.txt b/answer.txt\n"), "{outcome}");
    assert!(outcome.stderr.contains("Everything is as it was: this was a dry run."), "{outcome}");
    assert_eq!(env.git(["status", "--porcelain", "--ignored"]), "");
    let patch = env.home().join("printed.patch");
    std::fs::write(&patch, &outcome.raw_stdout).unwrap();
    env.git(["apply", &patch.display().to_string()]);
    assert_eq!((env.read("answer.txt"), env.read("new.txt")), ("good\n".to_owned(), "x\n".to_owned()));
}

#[test]
fn what_was_done_when_a_budget_ends_is_in_the_patch() {
    let better = "{name: write_file, arguments: {path: answer.txt, content: \"better\\n\"}}";
    let read = "{name: read_file, arguments: {path: answer.txt}}";
    let env = repository(&format!("[{{calls: [{read}, {better}]}}]"));
    let outcome = fix(&env, &["--set", "agent.max_steps=1", "--output", "json"]);
    let report = checked(&outcome.raw_stdout);
    let patch = std::fs::read_to_string(report["patch"].as_str().unwrap()).unwrap();
    assert!(patch.contains("\n-bad\n+better\n"), "{patch}{outcome}");
    assert!(report["patch"].as_str().unwrap().contains(report["session"].as_str().unwrap()), "{report}");
}

#[test]
fn a_project_below_the_top_of_its_repository_has_paths_from_the_top() {
    let env = red(&mended());
    env.write("deep/answer.txt", "bad\n");
    env.git_init();
    let patch = env.home().join("deep.patch").display().to_string();
    env.run(["fix", "-C", "deep", "--test", "grep good answer.txt", "--patch", &patch]).outcome().success();
    env.git(["checkout", "--quiet", "."]);
    env.git(["apply", &patch]);
    assert_eq!(env.read("deep/answer.txt"), "good\n");
}
