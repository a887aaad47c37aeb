//! Which tier is in force, what is said about it, and does nothing run without one unless somebody said so?

use std::os::unix::fs::symlink;

use seccompiler::{SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule};

use crate::support::{Env, Outcome};

/// What a machine does not have.
#[derive(Clone, Copy)]
struct Missing {
    bwrap: bool,
    namespaces: bool,
    landlock: bool,
}

const NOTHING: Missing = Missing { bwrap: true, namespaces: true, landlock: true };

/// Runs mimi on a machine that misses something. A filter on this thread stands in for another kernel; children inherit it.
fn on_machine(env: &mut Env, missing: Missing, arguments: &[&str]) -> Outcome {
    if missing.bwrap {
        let bin = env.home().join("no-bwrap");
        std::fs::create_dir_all(&bin).unwrap();
        for folder in ["/usr/bin", "/bin"] {
            for entry in std::fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.file_name() != "bwrap") {
                drop(symlink(entry.path(), bin.join(entry.file_name())));
            }
        }
        env.set("PATH", bin.display().to_string());
    }
    let run = || {
        let flags = |flag: libc::c_int| {
            let flag = u64::from(flag as u32);
            let operator = SeccompCmpOp::MaskedEq(flag);
            SeccompRule::new(vec![SeccompCondition::new(0, SeccompCmpArgLen::Dword, operator, flag).unwrap()]).unwrap()
        };
        let namespaces = [
            (libc::SYS_clone, vec![flags(libc::CLONE_NEWUSER)]),
            (libc::SYS_unshare, vec![flags(libc::CLONE_NEWUSER)]),
        ];
        if missing.namespaces {
            refuse(namespaces.into(), libc::EPERM);
        }
        if missing.landlock {
            refuse([(libc::SYS_landlock_create_ruleset, Vec::new())].into(), libc::ENOSYS);
        }
        env.run(arguments.iter().copied()).without("MIMI_SANDBOX_TIER").outcome()
    };
    std::thread::scope(|scope| scope.spawn(run).join().unwrap())
}

fn refuse(rules: std::collections::BTreeMap<i64, Vec<SeccompRule>>, errno: i32) {
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, SeccompAction::Errno(errno as u32), arch).unwrap();
    let program: seccompiler::BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[test]
fn headless_work_without_a_sandbox_is_refused_and_what_helps_is_named() {
    for arguments in [&["run", "say hello"][..], &["fix", "--test", "false"], &["sandbox", "run", "--", "true"]] {
        let outcome = on_machine(&mut Env::new(), NOTHING, arguments).fails_with(6);
        for part in ["no working sandbox", "bubblewrap is not installed", "no Landlock", "apt install bubblewrap"] {
            assert!(outcome.stderr.contains(part), "{part}: {outcome}");
        }
        assert!(
            outcome.stderr.contains("--sandbox external") && outcome.stderr.contains("--sandbox none"),
            "{outcome}"
        );
    }
}

#[test]
fn without_a_sandbox_work_goes_on_only_when_that_is_said() {
    let mut env = Env::new();
    // The check fails, and there is no model server: as far as it gets shows that the check ran.
    on_machine(&mut env, NOTHING, &["fix", "--sandbox", "none", "--test", "echo ran; false"]).fails_with(4);
    let outcome = on_machine(&mut env, NOTHING, &["sandbox", "--sandbox", "none", "run", "--", "echo", "hello"]);
    assert_eq!(outcome.success().stdout, "hello\n");
}

#[test]
fn where_namespaces_are_forbidden_landlock_stands_in_and_says_so() {
    for missing in [Missing { bwrap: true, ..FREE }, Missing { namespaces: true, ..FREE }] {
        let mut env = Env::new();
        env.write("src/lib.rs", "");
        let outcome = on_machine(&mut env, missing, &["sandbox", "probe", "--json"]);
        let found: serde_json::Value = serde_json::from_str(&outcome.raw_stdout).unwrap();
        if found["landlock"].is_null() {
            eprintln!("NOT RUN: Landlock is missing here: {outcome}");
            return;
        }
        assert_eq!(found["tier"], "landlock", "{outcome}");
        assert_eq!(found["lacks"][0]["tier"], "full", "{outcome}");
        assert!(!found["lacks"][0]["fix"].as_array().unwrap().is_empty(), "{outcome}");
        let script = "touch src/made && echo made; touch ~/made || echo kept out";
        let outcome = on_machine(&mut env, missing, &["sandbox", "run", "--", "bash", "-c", script]).success();
        assert!(outcome.stdout.contains("made\n") && outcome.stdout.contains("kept out"), "{outcome}");
        assert!(env.work().join("src/made").exists() && !env.home().join("made").exists());
        let words = ["sandbox", "--allow-host", "crates.io", "run", "--", "bash", "-c", "echo proxy:$http_proxy"];
        let outcome = on_machine(&mut env, missing, &words).success();
        assert!(
            outcome.stderr.contains("counts in the sandbox `full` only; in `landlock` commands reach no host"),
            "{outcome}"
        );
        assert_eq!(outcome.stdout, "proxy:\n");
    }
}

const FREE: Missing = Missing { bwrap: false, namespaces: false, landlock: false };

#[test]
fn a_tier_that_is_asked_for_is_not_exchanged_for_another() {
    let mut env = Env::new();
    let outcome = on_machine(&mut env, Missing { bwrap: true, ..FREE }, &["run", "--sandbox", "full", "say hello"]);
    let outcome = outcome.fails_with(6);
    assert!(outcome.stderr.contains("the sandbox `full` that was asked for does not work here"), "{outcome}");
    env.write_home(".config/mimi/config.yaml", "sandbox: {tier: landlock}\n");
    let missing = Missing { landlock: true, ..FREE };
    on_machine(&mut env, missing, &["sandbox", "run", "--", "true"]).fails_with(6);
}

#[test]
fn doctor_says_which_tier_is_in_force_and_how_to_get_the_better_one() {
    let mut env = Env::new();
    let outcome = on_machine(&mut env, NOTHING, &["doctor", "--quick", "--json"]);
    let rows: serde_json::Value = serde_json::from_str(&outcome.raw_stdout).unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["check"] == "sandbox").unwrap();
    assert_eq!(row["health"], "broken", "{row}");
    let hints = row["hints"].to_string();
    assert!(row["found"].as_str().unwrap().contains("no `bwrap` in PATH") && hints.contains("apt install"), "{row}");
}

#[test]
fn a_project_cannot_choose_its_own_sandbox() {
    for line in ["tier: none", "writable: [/]", "readable: [/]", "caches: [cargo]", "devices: [nvidia]"] {
        let env = Env::new();
        env.write(".mimi/config.yaml", format!("sandbox: {{{line}}}\n"));
        let outcome = env.run(["sandbox", "run", "--", "true"]).outcome().fails_with(3);
        assert!(outcome.stderr.contains("sandbox"), "{outcome}");
    }
}

#[test]
fn names_that_are_not_known_are_refused_with_those_that_are() {
    for (key, name, known) in [("caches", "pipp", "pip"), ("devices", "nvidea", "nvidia")] {
        let env = Env::new();
        let set = format!("sandbox.{key}=[{name}]");
        let outcome = env.run(["sandbox", "run", "--set", &set, "--", "true"]).outcome().fails_with(3);
        assert!(outcome.stderr.contains(name) && outcome.stderr.contains(known), "{outcome}");
    }
}

#[test]
fn a_command_below_the_sandbox_ends_as_it_ends() {
    let env = Env::new();
    let run = |words: &[&str]| env.run(["sandbox", "run", "--"].iter().chain(words).copied()).outcome();
    assert_eq!(run(&["echo", "a b", "$HOME"]).success().stdout, "a b $HOME\n");
    let failed = run(&["bash", "-c", "echo shown; exit 3"]).fails_with(1);
    assert!(failed.stdout == "shown\n" && failed.stderr.contains("exit code 3"), "{failed}");
    run(&["no-such-program-here"]).fails_with(8);
}
