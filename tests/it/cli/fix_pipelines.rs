//! Do the recipes for pipelines work as they are written down?
//!
//! Their scripts are cut out of the files users copy, and run by bash as the runner would, with the program under test and a
//! model server that plays a script.

use std::os::unix::fs::symlink;

use serde_json::Value;

use super::served;
use crate::support::report::checked;
use crate::support::wire::WireServer;
use crate::support::{Env, Outcome, PROGRAM};

const WORKFLOW: &str = include_str!("../../../.github/examples/mimi-fix.yml");
const README: &str = include_str!("../../../README.md");
const MENDS: &str =
    "turns: [{calls: [{name: write_file, arguments: {path: new.txt, content: \"good\\n\"}}]}, {say: done}]";
const GIVES_UP: &str = "turns: [{say: no}, {say: no}, {say: no}, {say: no}, {say: no}]";

/// A project whose `make test` fails, a server, and `mimi` on the PATH.
fn project(turns: &str) -> (Env, WireServer) {
    let (mut env, server) = served(turns);
    let bin = env.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    symlink(PROGRAM, bin.join("mimi")).unwrap();
    let path = format!("{}:{}", bin.display(), env.vars()["PATH"]);
    env.set("PATH", path);
    env.write("Makefile", "test:\n\tgrep good new.txt\n");
    env.git_init();
    (env, server)
}

/// Runs a script as runners do: it ends with the first command that fails.
fn bash(env: &Env, script: &str) -> Outcome {
    env.program("bash", ["--noprofile", "--norc", "-eo", "pipefail", "-c", script]).outcome()
}

/// Returns the block of README that begins with this line.
fn block(first: &str) -> &'static str {
    let start = README.find(&format!("\n{first}\n")).unwrap() + 1;
    let end = README[start..].find("\n```").unwrap();
    &README[start..start + end]
}

#[test]
fn the_workflow_for_github_leaves_patch_report_and_annotations() {
    let workflow: Value = serde_yaml::from_str(WORKFLOW).unwrap();
    let steps = workflow["jobs"]["fix"]["steps"].as_array().unwrap();
    let script = steps.iter().find_map(|step| step["run"].as_str()).unwrap();
    for (turns, code, word) in [(MENDS, 0, "fixed"), (GIVES_UP, 1, "not_fixed")] {
        let (mut env, _server) = project(turns);
        let (summary, output) = (env.home().join("summary.md"), env.home().join("output"));
        env.set("GITHUB_ACTIONS", "true").set("GITHUB_STEP_SUMMARY", summary.display().to_string());
        env.set("GITHUB_OUTPUT", output.display().to_string());
        let outcome = bash(&env, script).fails_with(code);
        let report = checked(&env.read("mimi.json"));
        assert_eq!(report["ending"]["word"], word, "{outcome}");
        assert!(outcome.raw_stdout.contains(&format!("title=mimi fix%3A {}::", word.replace('_', " "))), "{outcome}");
        assert_eq!(std::fs::read_to_string(&output).unwrap(), format!("code={code}\n"));
        assert!(std::fs::read_to_string(&summary).unwrap().starts_with("## mimi fix: "));
        assert!(env.read("mimi.xml").contains("<testsuites name=\"mimi fix\""));
        // The patch alone makes the fix elsewhere.
        if code == 0 {
            std::fs::remove_file(env.work().join("new.txt")).unwrap();
            env.git(["apply", "mimi.patch"]);
            assert_eq!(env.read("new.txt"), "good\n");
        } else {
            assert_eq!(env.read("mimi.patch"), "");
        }
    }
}

#[test]
fn the_job_for_gitlab_leaves_patch_and_reports() {
    let jobs: Value = serde_yaml::from_str(block("# .gitlab-ci.yml")).unwrap();
    let lines = jobs["mimi-fix"]["script"].as_array().unwrap();
    let script: String = lines.iter().map(|line| format!("{}\n", line.as_str().unwrap())).collect();
    for (turns, code) in [(MENDS, 0), (GIVES_UP, 1)] {
        let (env, _server) = project(turns);
        let outcome = bash(&env, &script).fails_with(code);
        assert_eq!(checked(&env.read("mimi.json"))["ending"]["code"], code, "{outcome}");
        let artifacts = jobs["mimi-fix"]["artifacts"]["paths"].as_array().unwrap();
        for file in artifacts.iter().chain([&jobs["mimi-fix"]["artifacts"]["reports"]["junit"]]) {
            assert!(env.work().join(file.as_str().unwrap()).exists(), "{file}");
        }
    }
}

#[test]
fn the_array_for_slurm_gets_through_its_list() {
    let script = block("#!/bin/bash");
    let turn = "{calls: [{name: write_file, arguments: {path: new.txt, content: \"good\\n\"}}]}, {say: done}";
    let (mut env, _server) = project(&format!("turns: [{turn}, {turn}, {turn}]"));
    for name in ["a", "b", "c"] {
        env.write(format!("{name}/Makefile"), "test:\n\tgrep good new.txt\n");
    }
    env.write("repos.txt", "a\nb\nc\n");
    env.set("SLURM_ARRAY_TASK_COUNT", "2");
    for (task, expected) in [("1", 2), ("2", 3)] {
        env.set("SLURM_ARRAY_TASK_ID", task);
        bash(&env, script).success();
        let report: Value = serde_json::from_str(&env.read(format!("report-{task}.json"))).unwrap();
        assert_eq!(report["repositories"].as_array().unwrap().len(), expected, "{report}");
        assert_eq!(report["endings"]["fixed"], expected, "{report}");
    }
}
