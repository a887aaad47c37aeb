//! Can a person decide on each hunk of a change, and is what they decided done?

use std::time::{Duration, Instant};

use crate::chat::Chat;
use crate::support::pty::{Pty, key};
use crate::support::{Env, LIMIT};

/// F10, as a terminal sends it.
const F10: &str = "\x1b[21~";

fn text() -> String {
    (1..=40).map(|n| format!("line {n}\n")).collect()
}

/// A repository in which line 3 and line 30 of `a.txt` changed.
fn repository(env: &Env) {
    env.write("a.txt", text());
    env.git_init();
    env.write("a.txt", text().replace("line 3\n", "line three\n").replace("line 30\n", "line thirty\n"));
}

fn changed() -> Chat {
    let chat = Chat::new("  - say: as you wish\n");
    repository(&chat.env);
    chat
}

fn review(env: &Env) -> Pty {
    let mut pty = Pty::start(env, ["review-diff"]);
    pty.wait_until_shown("0 of 2 decided").wait_until_shown("+line three");
    pty
}

/// Leaves the review when what is being written is.
fn leave(pty: &mut Pty) {
    pty.send("q");
    assert_eq!(pty.wait_exit(), 0, "{}", pty.shown());
}

#[track_caller]
fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + LIMIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "never so: {what}");
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn one_hunk_of_two_is_rejected_and_goes_from_the_file() {
    let chat = changed();
    let mut pty = review(&chat.env);
    pty.send("n").wait_until_shown("1 of 2 decided").send("y").wait_until_shown("2 of 2 decided");
    leave(&mut pty);
    assert_eq!(chat.env.read("a.txt"), text().replace("line 30\n", "line thirty\n"));
    // It can be had again from the checkpoints.
    let list = chat.env.run(["checkpoint", "list"]).outcome().success();
    assert!(list.stdout.contains("review a.txt"), "{list}");
}

#[test]
fn a_decision_is_undone_and_the_file_is_as_it_was() {
    let chat = changed();
    let before = chat.env.read("a.txt");
    let mut pty = review(&chat.env);
    pty.send("n").wait_until_shown("1 of 2 decided");
    wait_until("the hunk is gone", || !chat.env.read("a.txt").contains("three"));
    pty.send("z").wait_until_shown("0 of 2 decided");
    leave(&mut pty);
    assert_eq!(chat.env.read("a.txt"), before);
}

#[test]
fn one_hunk_of_two_is_staged_and_unstaged() {
    let chat = changed();
    let mut pty = review(&chat.env);
    pty.send(key::TAB).send("s").wait_until_shown("1 of 2 decided").wait_until_shown("[staged]");
    leave(&mut pty);
    let staged = chat.env.git(["diff", "--cached"]);
    assert!(staged.contains("+line thirty") && !staged.contains("+line three"), "{staged}");
    let mut pty = Pty::start(&chat.env, ["review-diff", "--staged"]);
    pty.wait_until_shown("0 of 1 decided").send("u").wait_until_shown("1 of 1 decided");
    leave(&mut pty);
    assert_eq!(chat.env.git(["diff", "--cached"]), "");
    assert!(chat.env.read("a.txt").contains("line thirty"), "the file keeps it");
}

#[test]
fn a_hunk_is_rewritten_in_the_editor_and_a_line_in_place() {
    let mut chat = changed();
    let editor = chat.env.write("../editor.sh", "#!/bin/sh\nsed -i 's/line three/line drei/' \"$1\"\n");
    chat.env.set("EDITOR", format!("sh {}", editor.display()));
    let mut pty = review(&chat.env);
    pty.send("e").wait_until_shown("1 of 2 decided");
    pty.send("ji").wait_until_shown("line> line thirty").send("!").send(key::ENTER).wait_until_shown("2 of 2 decided");
    leave(&mut pty);
    assert_eq!(
        chat.env.read("a.txt"),
        text().replace("line 3\n", "line drei\n").replace("line 30\n", "line thirty!\n")
    );
}

#[test]
fn what_was_said_begins_a_conversation() {
    let chat = changed();
    let mut pty = review(&chat.env);
    pty.send("j").send("c").wait_until_shown("comment>").send("why not 3?").send(key::ENTER);
    pty.wait_until_shown("said: why not 3?").send("r").wait_until_shown("reason>").send("too long").send(key::ENTER);
    pty.wait_until_shown("2 remarks");
    wait_until("the hunk is gone", || !chat.env.read("a.txt").contains("three"));
    pty.send(key::ENTER).wait_until_shown("as you wish");
    let said = chat.newest();
    for expected in ["a.txt:3: why not 3?", "+line three", "I do not want this change", "too long"] {
        assert!(said.contains(expected), "{expected} in {said}");
    }
}

#[test]
fn a_kill_loses_nothing_that_was_decided() {
    let chat = changed();
    let mut pty = review(&chat.env);
    pty.send("n").wait_until_shown("1 of 2 decided").send("c").wait_until_shown("comment>").send("hm").send(key::ENTER);
    pty.wait_until_shown("said: hm");
    wait_until("the hunk is gone", || !chat.env.read("a.txt").contains("three"));
    pty.send("y").wait_until_shown("2 of 2 decided");
    let kept = chat.env.home().join(".local/state/mimi/reviews");
    let has_accepted =
        |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default().contains("[[\"a.txt\"");
    wait_until("it is kept", || {
        std::fs::read_dir(&kept).is_ok_and(|found| found.flatten().any(|entry| has_accepted(entry.path())))
    });
    pty.kill();
    let mut again = Pty::start(&chat.env, ["review-diff"]);
    again.wait_until_shown("1 of 1 decided").wait_until_shown("[accepted]").wait_until_shown("said: hm");
    again.wait_until_shown("2 remarks");
}

#[test]
fn a_file_that_changed_meanwhile_is_left_alone() {
    let chat = changed();
    let mut pty = review(&chat.env);
    let theirs = chat.env.read("a.txt").replace("line three", "line 3, by somebody else");
    chat.env.write("a.txt", &theirs);
    pty.send("n").wait_until_shown("has changed since").wait_until_shown("0 of 2 decided");
    pty.send("R").wait_until_shown("by somebody else");
    leave(&mut pty);
    assert_eq!(chat.env.read("a.txt"), theirs);
}

#[test]
fn new_and_deleted_files_go_and_come_as_a_whole_and_commits_are_made_from_here() {
    let mut chat = changed();
    let env = &mut chat.env;
    env.write("gone.txt", "x\n");
    env.git(["add", "gone.txt"]);
    env.git(["commit", "--quiet", "--message=more", "gone.txt"]);
    std::fs::remove_file(env.work().join("gone.txt")).unwrap();
    env.write("new.txt", "n\n");
    let editor = env.write("../editor.sh", "#!/bin/sh\necho 'from the review' > \"$1\"\n");
    env.set("EDITOR", format!("sh {}", editor.display()));
    let mut pty = Pty::start(env, ["review-diff"]);
    pty.wait_until_shown("0 of 4 decided")
        .send("]")
        .wait_until_shown("deleted")
        .send("n")
        .wait_until_shown("1 of 4 decided");
    pty.wait_until_shown("new.txt").send("n").wait_until_shown("2 of 4 decided");
    wait_until("both are undone", || env.work().join("gone.txt").exists() && !env.work().join("new.txt").exists());
    pty.send("g").send("s").wait_until_shown("3 of 4 decided");
    let staged = || env.git(["diff", "--cached", "--name-only"]) == "a.txt\n";
    wait_until("it is staged", staged);
    // The model's words are no message of the kind that is asked for, so that the person writes it.
    pty.send("C").wait_until_shown("commit>").wait_until_shown("no message was written");
    pty.send("\x07").wait_until_shown("commit> from the review").send(key::ENTER).wait_until_shown("committed");
    leave(&mut pty);
    assert_eq!(env.git(["log", "-1", "--format=%s"]), "from the review\n");
    assert!(env.git(["diff"]).contains("+line thirty"));
}

#[test]
fn a_model_words_the_commit_and_the_person_hands_it_over() {
    let chat = Chat::new("  - say: 'fix: count in words'\n");
    repository(&chat.env);
    let mut pty = review(&chat.env);
    pty.send("S").wait_until_shown("2 of 2 decided");
    wait_until("it is staged", || chat.env.git(["diff", "--cached", "--name-only"]) == "a.txt\n");
    let before = chat.env.git(["rev-parse", "HEAD"]);
    pty.send("C").wait_until_shown("commit> fix: count in words").wait_until_shown("enter commits what is staged");
    assert_eq!(chat.env.git(["rev-parse", "HEAD"]), before, "nothing is committed before the person says so");
    pty.send(", all of them").wait_until_shown("words, all of them").send(key::ENTER).wait_until_shown("committed");
    assert_eq!(chat.env.git(["log", "-1", "--format=%s"]), "fix: count in words, all of them\n");
    assert!(chat.newest().contains("+line three"), "{}", chat.newest());
}

#[test]
fn without_a_server_the_message_is_empty_and_says_why() {
    let env = Env::new();
    repository(&env);
    let mut pty = review(&env);
    pty.send("S").wait_until_shown("2 of 2 decided").send("C").wait_until_shown("no message was written");
    pty.send(key::ENTER).wait_until_shown("the message is empty, so nothing is committed");
    assert_eq!(env.git(["log", "--format=%s"]).lines().count(), 1);
}

#[test]
fn what_a_turn_changed_is_reviewed_after_it() {
    let calls = "  - calls: [{name: read_file, arguments: {path: a.txt}}]\n  - calls: [{name: edit_file, arguments: {path: a.txt, old_string: \"line 3\\n\", new_string: \"line three\\n\"}}]\n  - say: done\n";
    let chat = Chat::new(calls);
    chat.env.write("a.txt", text());
    let mut pty = Pty::start(&chat.env, ["chat", "--mode", "auto"]);
    pty.wait_until_shown("auto>").line("change it").wait_until_shown("1 file changed, +1 -1");
    pty.send(F10).wait_until_shown("turn 1  0 of 1 decided").send("n").wait_until_shown("1 of 1 decided");
    wait_until("it is as it was", || chat.env.read("a.txt") == text());
    pty.send("q").wait_until_shown("1 remark not sent");
}

#[test]
fn where_there_is_no_terminal_the_changes_are_printed() {
    let env = Env::new();
    repository(&env);
    let outcome = env.run(["review-diff"]).outcome().success();
    assert!(outcome.stdout.contains("+line three"), "{outcome}");
    env.git(["commit", "--quiet", "--all", "--message=second"]);
    for revision in ["HEAD", "HEAD~..HEAD", "HEAD~...", "main~..main"] {
        let outcome = env.run(["review-diff", revision]).outcome().success();
        assert!(
            outcome.stdout.contains("a.txt  +2 -2") && outcome.stdout.contains("-line 30"),
            "{revision}: {outcome}"
        );
    }
}

#[test]
fn what_cannot_be_reviewed_is_said() {
    let env = Env::new();
    let outcome = env.run(["review-diff"]).outcome().fails_with(8);
    assert!(outcome.stderr.contains("is not in a git repository") && outcome.stderr.contains("git init"), "{outcome}");
    let outcome = env.run(["review-diff", "--turn"]).outcome().fails_with(2);
    assert!(outcome.stderr.contains("there is no session of this folder yet"), "{outcome}");
    env.write("a.txt", "a\n");
    env.git_init();
    let outcome = env.run(["review-diff"]).outcome().success();
    assert!(outcome.stderr.contains("nothing changed: the working tree"), "{outcome}");
    for (revision, expected) in
        [("mian", "there is no revision `mian`"), ("main..nope", "there is no revision `nope`"), ("--staged=x", "")]
    {
        let outcome = env.run(["review-diff", revision]).outcome().fails_with(2);
        assert!(outcome.stderr.contains(expected), "{outcome}");
    }
    let outcome = env.run(["review-diff", "--staged", "--turn"]).outcome().fails_with(2);
    assert!(outcome.stderr.contains("cannot be used with"), "{outcome}");
}
