//! What when the project lies in an odd place?

use super::{CHECK, ends, fix, make_executable, program, red, writes};
use crate::support::Env;

fn good() -> String {
    format!("[{}]", writes(&[("answer.txt", "good\n")]))
}

#[test]
fn there_is_no_git() {
    let env = red(&good());
    ends(&env, &fix(&env, &[]), 0, &["fixed in 1 round"]);
}

#[test]
fn the_repository_is_empty() {
    let env = red(&good());
    env.git(["init", "--quiet"]);
    ends(&env, &env.run(["fix"]).outcome(), 8, &["no check was found"]);
    ends(&env, &fix(&env, &[]), 0, &["fixed in 1 round"]);
}

#[test]
fn no_branch_is_checked_out() {
    let env = red(&good());
    env.git_init();
    env.git(["checkout", "--quiet", "--detach"]);
    let head = env.git(["rev-parse", "HEAD"]);
    ends(&env, &fix(&env, &[]), 0, &["fixed in 1 round"]);
    assert_eq!(env.git(["rev-parse", "HEAD"]), head);
}

#[test]
fn the_clone_is_shallow() {
    let env = red(&good());
    let origin = env.home().join("origin");
    std::fs::create_dir(&origin).unwrap();
    let git = |arguments: &[&str]| {
        let outcome = env.program("git", arguments.iter().copied()).cwd(&origin).outcome();
        assert_eq!(outcome.code, 0, "{outcome}");
    };
    git(&["init", "--quiet", "--initial-branch=main"]);
    for n in 0..3 {
        env.write(origin.join("a.txt"), format!("{n}\n"));
        git(&["add", "--all"]);
        git(&["commit", "--quiet", "--message=next"]);
    }
    let url = format!("file://{}", origin.display());
    env.git(["clone", "--quiet", "--depth=1", &url, "clone"]);
    env.write("clone/answer.txt", "bad\n");
    let outcome = env.run(["fix", "--test", CHECK]).cwd("clone").outcome();
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
}

#[test]
fn it_is_a_submodule() {
    let env = red(&good());
    let inner = env.home().join("inner");
    std::fs::create_dir(&inner).unwrap();
    env.write(inner.join("answer.txt"), "bad\n");
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message=start"],
    ] {
        assert_eq!(env.program("git", arguments.iter().copied()).cwd(&inner).outcome().code, 0);
    }
    env.git_init();
    env.git(["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", &inner.display().to_string(), "part"]);
    let outcome = env.run(["fix", "--test", CHECK]).cwd("part").outcome();
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
    assert_eq!((env.read("part/answer.txt").as_str(), env.read("answer.txt").as_str()), ("good\n", "bad\n"));
}

#[test]
fn changes_of_the_user_stay_apart() {
    let env = red(&good());
    env.write("other.txt", "committed\n");
    env.git_init();
    env.write("other.txt", "changed by the user\n");
    env.write("new.txt", "made by the user\n");
    ends(&env, &fix(&env, &[]), 0, &["fixed in 1 round"]);
    assert_eq!(
        (env.read("other.txt").as_str(), env.read("new.txt").as_str()),
        ("changed by the user\n", "made by the user\n")
    );
    assert_eq!(env.git(["diff", "--cached", "--name-only"]), "");
}

/// Runs `mimi fix` where the project is mounted for reading only.
fn read_only(env: &Env, arguments: &str) -> crate::support::Outcome {
    let (work, mimi) = (env.work().display(), crate::support::PROGRAM);
    let script = format!(
        "mount --bind {work} {work} && mount -o remount,bind,ro {work} && cd {work} && exec {mimi} fix --sandbox none {arguments}"
    );
    env.program("unshare", ["--user", "--map-root-user", "--mount", "bash", "-c", &script]).outcome()
}

/// Says whether this machine lets a user mount.
fn can_mount(env: &Env) -> bool {
    env.program("unshare", ["--user", "--map-root-user", "--mount", "true"]).outcome().code == 0
}

#[test]
fn its_file_system_is_read_only() {
    let env = red(&good());
    if !can_mount(&env) {
        return;
    }
    let outcome = read_only(&env, "--test 'grep -q good answer.txt'");
    ends(&env, &outcome, 1, &["nothing can be changed in `[WORK]`", "read-only"]);
    assert_eq!(env.read("answer.txt"), "bad\n");
    env.write("answer.txt", "good\n");
    ends(&env, &read_only(&env, "--test 'grep -q good answer.txt'"), 0, &["nothing to fix"]);
}

#[test]
fn nothing_can_be_kept_of_it() {
    let env = red(&good());
    // A file where a folder has to be: that stops root too.
    env.write_home(".local/state", "no folder\n");
    let outcome = fix(&env, &[]);
    ends(&env, &outcome, 3, &["XDG_STATE_HOME"]);
    assert_eq!(env.read("answer.txt"), "bad\n");
    env.write("answer.txt", "good\n");
    ends(&env, &fix(&env, &[]), 0, &["nothing to fix"]);
}

#[test]
fn the_disk_is_full() {
    let env = red(&good());
    // What does not get shorter when it is packed.
    let noise = (0..40_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 11) as u8).collect::<Vec<u8>>();
    env.write("large.bin", noise);
    let script = format!("ulimit -f 4 && exec {} fix --sandbox none --test \"$CHECK\"", crate::support::PROGRAM);
    let outcome = env.program("bash", ["-c", &script]).env("CHECK", "grep -q good answer.txt").outcome();
    ends(&env, &outcome, 3, &["cannot write the checkpoint"]);
    assert_eq!(env.read("answer.txt"), "bad\n");
}

#[test]
fn it_has_more_files_than_are_watched() {
    let env = red(&good());
    (0..20).for_each(|n| drop(env.write(format!("many/{n}.txt"), "x\n")));
    let outcome = fix(&env, &["--set", "checkpoint.max_files=10"]);
    ends(&env, &outcome, 3, &["holds more than 10 files and folders", "checkpoint.max_files"]);
    assert_eq!(env.read("answer.txt"), "bad\n");
}

#[test]
fn it_has_several_parts_of_which_one_fails() {
    let env = red("[{say: no}]");
    for part in ["one", "two"] {
        program(&env, &format!("{part}/gradlew"), "grep -q good answer.txt");
        make_executable(&env.work().join(part).join("gradlew"));
        env.write(format!("{part}/answer.txt"), if part == "one" { "good\n" } else { "bad\n" });
    }
    let outcome = env.run(["fix", "--max-rounds", "1"]).outcome();
    ends(&env, &outcome, 1, &["check `./gradlew test --console=plain` passes", "still fail after 1 round"]);
    let detected = env.run(["fix", "--detect"]).outcome().stdout;
    assert_eq!(
        detected,
        "runs   test   one  ./gradlew test --console=plain\nruns   test   two  ./gradlew test --console=plain\n"
    );
}

#[test]
fn the_work_begins_in_a_folder_of_it() {
    let env = red(&good());
    program(&env, "gradlew", "grep -q good answer.txt");
    env.write("src/deep/a.txt", "");
    env.git(["init", "--quiet"]);
    let outcome = env.run(["fix"]).cwd("src/deep").outcome();
    ends(&env, &outcome, 0, &["fixed in 1 round"]);
}
