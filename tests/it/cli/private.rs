//! Is what mimi keeps for its user alone, whatever the machine is like?

use std::collections::BTreeSet;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::json;

use super::{run_task, scripted, served};
use crate::support::{Env, PROGRAM};

/// Everything below a folder.
fn inodes(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| inodes(&path).into_iter().chain([path]).collect::<Vec<_>>()).collect()
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn chmod(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn everything_mimi_makes_is_private_and_the_users_own_files_follow_their_umask() {
    let turns = json!({"turns": [
        {"calls": [{"name": "write_file", "arguments": {"path": "new/by-tool.txt", "content": "x\n"}}, {"name": "read_file", "arguments": {"path": "kept.txt"}}]},
        {"calls": [{"name": "shell", "arguments": {"command": "mkdir made && echo x > made/by-shell.txt && seq 1 20000"}}]},
        {"calls": [{"name": "edit_file", "arguments": {"path": "kept.txt", "old_text": "old", "new_text": "new"}}]},
        {"say": "done"},
    ]});
    for (umask, dir, file) in [("000", 0o777, 0o666), ("022", 0o755, 0o644), ("027", 0o750, 0o640)] {
        let (env, _server) = served(&turns.to_string());
        env.write("kept.txt", "old\n");
        chmod(&env.work().join("kept.txt"), 0o640);
        env.git_init();
        let before: BTreeSet<PathBuf> =
            [env.home().to_path_buf(), env.home().join("../tmp")].iter().flat_map(|f| inodes(f)).collect();
        let commands = [
            "run 'do it' --mode auto --allow 'shell:mkdir *' --allow 'shell:echo *' --allow 'shell:seq *'",
            "doctor --quick",
            "session list",
            "usage",
            "undo --yes",
            "redo --yes",
            "auth set dgx < key.txt",
            "config show",
        ];
        env.write("key.txt", "a-key-of-the-team\n");
        for command in commands {
            let script = format!("umask {umask}; exec \"$0\" {command}");
            let outcome = env.program("bash", ["-c", &script, PROGRAM]).outcome();
            assert!(
                outcome.code == 0 || command.starts_with("undo") || command.starts_with("redo"),
                "{command}: {outcome}"
            );
        }
        let after: BTreeSet<PathBuf> =
            [env.home().to_path_buf(), env.home().join("../tmp")].iter().flat_map(|f| inodes(f)).collect();
        let made: Vec<&PathBuf> = after.difference(&before).collect();
        assert!(made.len() > 15, "{made:#?}");
        for path in made {
            let meta = path.symlink_metadata().unwrap();
            let expected = if meta.is_dir() { 0o700 } else { 0o600 };
            // The folders of the user's that are made on the way (`~/.local`) are private too, as XDG wants them.
            assert_eq!(mode(path), expected, "umask {umask}: {}", path.display());
        }
        for (path, expected) in
            [("new", dir), ("new/by-tool.txt", file), ("made", dir), ("made/by-shell.txt", file), ("kept.txt", 0o640)]
        {
            assert_eq!(mode(&env.work().join(path)), expected, "umask {umask}: {path}");
        }
    }
}

#[test]
fn folders_that_others_could_use_are_refused_with_what_mends_it() {
    let env = scripted("turns: [{say: ok}]");
    run_task(&env, &[]).success();
    let state = env.home().join(".local/state/mimi");
    let sessions = state.join("sessions");
    for folder in [&state, &sessions] {
        for wide in [0o770, 0o702, 0o1777] {
            chmod(folder, wide);
            let outcome = run_task(&env, &[]).fails_with(3);
            let shown = folder.display().to_string().replace(&*env.home().to_string_lossy(), "[HOME]");
            let expected =
                format!("error: `{shown}` can be changed by others than its owner\nhint: chmod go-w {shown}\n");
            assert_eq!(outcome.stderr, expected, "{wide:o}");
            chmod(folder, 0o700);
        }
    }
    // The same behind a link, and what others may only read is closed.
    let elsewhere = env.home().join("elsewhere");
    std::fs::rename(&state, &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, &state).unwrap();
    chmod(&elsewhere, 0o777);
    let outcome = run_task(&env, &[]).fails_with(3);
    assert!(outcome.stderr.contains("can be changed by others"), "{outcome}");
    chmod(&elsewhere, 0o755);
    run_task(&env, &[]).success();
    assert_eq!(mode(&elsewhere), 0o700);
    // Somebody else's: only root can make such a folder.
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(&elsewhere, Some(12345), None).unwrap();
        let outcome = run_task(&env, &[]).fails_with(3);
        assert!(outcome.stderr.contains("belongs to another user (number 12345)"), "{outcome}");
        assert!(outcome.stderr.contains("hint: ls -ld "), "{outcome}");
    }
}

/// Runs a program as a user without rights: ourselves, unless we are root.
fn as_nobody(program: &str) -> Command {
    if !rustix::process::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", program]);
    command
}

#[test]
fn no_core_is_written_and_no_other_process_may_look_into_mimi() {
    let env = Env::new();
    let home = tempfile::tempdir().unwrap();
    chmod(home.path(), 0o777);
    // A copy, since others may not reach the folder it was built in.
    let program = home.path().join("mimi");
    std::fs::copy(PROGRAM, &program).unwrap();
    chmod(&program, 0o755);
    // It waits for its task.
    let mut mimi = as_nobody(program.to_str().unwrap())
        .args(["run", "-"])
        .current_dir(home.path())
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var("PATH").unwrap())
        .env("MIMI_SERVER_URL", "http://127.0.0.1:1/v1")
        .env("MIMI_API_KEY", "canary-in-the-environment")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let proc = PathBuf::from(format!("/proc/{}", mimi.id()));
    let limits = || std::fs::read_to_string(proc.join("limits")).unwrap_or_default();
    let cores = || {
        limits()
            .lines()
            .find(|line| line.starts_with("Max core file size"))
            .map(|line| line.split_whitespace().nth(4) == Some("0"))
    };
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    // What others read of it once it has closed itself; before that it is the program that starts it.
    let read = || as_nobody("cat").arg(proc.join("environ")).stdin(Stdio::null()).output().unwrap();
    let mut seen = read();
    while seen.status.success() || cores() != Some(true) {
        assert!(std::time::Instant::now() < deadline, "{}\n{}", limits(), String::from_utf8_lossy(&seen.stdout));
        std::thread::yield_now();
        seen = read();
    }
    assert!(String::from_utf8_lossy(&seen.stderr).contains("Permission denied"), "{seen:?}");
    drop(mimi.stdin.take());
    mimi.wait().unwrap();
    drop(env);
}

#[test]
fn a_home_that_cannot_be_written_is_said_and_the_work_is_done() {
    let env = scripted("turns: [{say: ok}]");
    if rustix::process::geteuid().is_root() {
        // Permissions do not stop root; a file system that is read-only does, and needs a namespace of its own.
        let can = env.program("unshare", ["-m", "true"]).outcome().code == 0;
        if !can {
            eprintln!("not tried: no namespace for a read-only home");
            return;
        }
    } else {
        chmod(env.home(), 0o500);
    }
    let script =
        format!("mount --bind '{0}' '{0}' && mount -o remount,bind,ro '{0}'; exec \"$0\" run x", env.home().display());
    let outcome = match rustix::process::geteuid().is_root() {
        true => env.program("unshare", ["-m", "bash", "-c", &script, PROGRAM]).outcome(),
        false => env.run(["run", "x"]).outcome(),
    };
    chmod(env.home(), 0o700);
    let outcome = outcome.success();
    assert_eq!(outcome.stdout, "ok\n");
    assert!(outcome.stderr.contains("! this session is not kept, and nothing can be taken back later: "), "{outcome}");
}

#[test]
fn a_workspace_behind_links_is_the_one_they_lead_to() {
    let turns = json!({"turns": [
        {"calls": [{"name": "shell", "arguments": {"command": "pwd; echo x > by-shell.txt"}}, {"name": "write_file", "arguments": {"path": "by-tool.txt", "content": "x"}}]},
        {"say": "done"},
    ]});
    let (env, server) = served(&turns.to_string());
    let real = env.home().join("real/project");
    std::fs::create_dir_all(&real).unwrap();
    let link = env.work().join("link");
    std::os::unix::fs::symlink(env.home().join("real"), &link).unwrap();
    let run = env.run(["run", "x", "--mode", "auto", "--allow", "shell:echo *"]).cwd(link.join("project"));
    let outcome = run.env("PWD", link.join("project").display().to_string()).outcome();
    assert!(outcome.code == 0, "{outcome}");
    let told = super::told(&server);
    assert!(told[0].contains(&*real.to_string_lossy()), "{told:#?}");
    assert!(real.join("by-shell.txt").exists() && real.join("by-tool.txt").exists(), "{told:#?}");
    assert_eq!(real.metadata().unwrap().uid(), rustix::process::geteuid().as_raw());
}
