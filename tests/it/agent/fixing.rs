//! Does `mimi fix` hand on what fails, stop when it should, and let the agent run nothing but the check?

use mimi::agent::dispatch::Approvals;
use mimi::app::AgentOptions;
use mimi::base::fault::{Fault, Kind};
use mimi::policy::rules::relative_rule;
use mimi::protocol::event::Event;
use mimi::protocol::fix_report::CheckSpec;
use mimi::protocol::op::Mode;
use mimi::protocol::tool::{Action, ToolOutcome};
use mimi::strategy::fix::budget::Limits;
use mimi::strategy::fix::guard::Rules;
use mimi::strategy::fix::{Bench, Check, Ending, Job, Outcome, Progress, Worker, fix};
use mimi::telemetry::price::Prices;
use tokio_util::sync::CancellationToken;

use super::{Stage, assert_some, options};

const CHECK: &str = "grep -q three a.txt || { cat a.txt; exit 4; }";

struct Report {
    outcome: Result<Outcome, Fault>,
    outcomes: Vec<ToolOutcome>,
    checks: Vec<(u32, bool)>,
}

async fn run(stage: &Stage, command: &str, max_rounds: u32) -> Report {
    let app = stage.app();
    let (folder, spill_dir) = (stage.work.clone(), app.spill_dir());
    let spec = CheckSpec { command: command.to_owned(), ..CheckSpec::default() };
    let job = Job {
        checks: vec![Check { spec, ..Check::default() }],
        folder,
        limits: Limits { max_rounds, ..Limits::default() },
        rules: Rules::default(),
        timeout_s: 60,
        minimise_s: 60,
        spill_dir,
        outputs: std::collections::BTreeSet::new(),
    };
    let rule = relative_rule(&Action::Execute { command: command.to_owned(), cwd: None }, &stage.work);
    let agent = AgentOptions { allow: vec![rule], ..options(Mode::Auto, Approvals::Nobody) };
    let (mut outcomes, mut checks) = (Vec::new(), Vec::new());
    let listen = |progress: Progress<'_>| match progress {
        Progress::Agent(record) => {
            if let Event::ToolFinished { outcome, .. } = &record.event {
                outcomes.push(outcome.clone());
            }
        }
        Progress::CheckDone { round, run, .. } => checks.push((round, run.is_green)),
        Progress::CheckStarted { .. } | Progress::Step(_) | Progress::Budget(_) => {}
    };
    let start = async || {
        let session = app.start(agent).await?;
        Ok(Worker { handle: session.handle, provider: session.route.provider })
    };
    let bench = Bench {
        runner: &app.runner,
        keeper: app.keeper_of_checks(),
        prices: Prices::default(),
        tape: app.tape.clone(),
    };
    let outcome = fix(&job, &bench, start, CancellationToken::new(), listen).await;
    Report { outcome, outcomes, checks }
}

fn edit(old: &str, new: &str) -> String {
    format!(
        "  - calls:
      - {{name: read_file, arguments: {{path: a.txt}}}}
      - {{name: edit_file, arguments: {{path: a.txt, old_string: {old}, new_string: {new}}}}}
"
    )
}

#[tokio::test]
async fn each_round_is_told_what_fails_and_only_the_check_decides() {
    let script = format!(
        "turns:\n{}  - {{say: it passes now}}\n{}  - {{say: now it does}}\n",
        edit("one", "two"),
        edit("two", "three")
    );
    let stage = Stage::new(&script).file("a.txt", "one\n");
    let report = run(&stage, CHECK, 5).await;
    let outcome = report.outcome.unwrap();
    assert_eq!((outcome.ending, outcome.rounds, outcome.answer.as_str()), (Ending::Fixed, 2, "now it does"));
    assert_eq!(report.checks, [(0, false), (1, false), (2, true)]);
    let users: Vec<String> = stage.last_request().into_iter().filter(|line| line.starts_with("user: ")).collect();
    assert_eq!(users.len(), 2);
    assert!(users[0].contains(CHECK) && users[0].contains("exit code 4") && users[0].ends_with("one"), "{users:#?}");
    assert!(users[1].contains("still fails after your changes") && users[1].contains("\n\ntwo\n"), "{users:#?}");
}

#[tokio::test]
async fn the_agent_may_run_the_check_and_no_other_command() {
    for check in [CHECK, "xargs -a *.txt expr three :", "xargs -a a.txt expr three :"] {
        let turn = |command: &str| {
            let arguments = serde_json::json!({ "command": command });
            format!("  - {{calls: [{{name: shell, arguments: {arguments}}}]}}\n")
        };
        let others =
            ["grep -q three /etc/passwd", "make", "xargs", &format!("{check}; make"), &format!("{check} b; make")]
                .map(&turn);
        let script = format!("turns:\n{}{}{}  - {{say: done}}\n", turn(check), others.concat(), edit("one", "three"));
        let stage = Stage::new(&script).file("a.txt", "one\n");
        let report = run(&stage, check, 1).await;
        assert_eq!(report.outcome.unwrap().ending, Ending::Fixed, "{check}");
        let is_denied: Vec<bool> =
            report.outcomes.iter().map(|outcome| matches!(outcome, ToolOutcome::Denied { .. })).collect();
        assert_eq!(is_denied, [false, true, true, true, true, true, false, false], "{check}: {:#?}", report.outcomes);
    }
}

#[tokio::test]
async fn it_ends_when_the_rounds_are_used_up_or_nothing_can_be_done() {
    let stage = Stage::new("turns: []").file("a.txt", "three\n");
    let report = run(&stage, CHECK, 5).await;
    assert_eq!(report.outcome.unwrap().ending, Ending::NothingToDo);
    assert_eq!(stage.requests().len(), 0, "no model is needed to see that");

    let stage = Stage::new("turns: [{say: fixed}, {say: now really}]").file("a.txt", "one\n");
    let report = run(&stage, CHECK, 2).await;
    assert_eq!(report.outcome.unwrap().ending, Ending::NotFixed);

    let refused = "  - {calls: [{name: shell, arguments: {command: make}}]}\n";
    let stage = Stage::new(&format!("turns:\n{refused}  - {{say: I may not}}\n")).file("a.txt", "one\n");
    let rules = vec!["shell:make".to_owned()];
    assert_eq!(run(&stage, CHECK, 5).await.outcome.unwrap().ending, Ending::Refused { rules });

    // A refusal is no reason to give up while the agent gets on without what it was refused.
    let script = format!(
        "turns:\n{refused}{}  - {{say: better}}\n{}  - {{say: done}}\n",
        edit("one", "two"),
        edit("two", "three")
    );
    let stage = Stage::new(&script).file("a.txt", "one\n");
    assert_eq!(run(&stage, CHECK, 5).await.outcome.unwrap().ending, Ending::Fixed);

    let stage =
        Stage::new(&format!("turns:\n{}", edit("one", "two"))).set("agent.max_steps", "1").file("a.txt", "one\n");
    let ending = run(&stage, CHECK, 5).await.outcome.unwrap().ending;
    assert!(matches!(ending, Ending::OutOfBudget { .. }), "{ending:?}");
}

#[tokio::test]
async fn a_check_that_cannot_run_and_a_server_that_is_gone_are_told_apart() {
    let stage = Stage::new("turns: []").file("a.txt", "one\n");
    let fault = run(&stage, "no-such-program --test", 5).await.outcome.unwrap_err();
    assert_eq!(fault.kind, Kind::Check, "{fault}");
    assert_some(&[fault.words()], "no-such-program");

    let stage = Stage::new("turns: [{error: offline}]").file("a.txt", "one\n");
    let ending = run(&stage, CHECK, 5).await.outcome.unwrap().ending;
    assert!(matches!(&ending, Ending::Failed(fault) if fault.kind == Kind::Model), "{ending:?}");
}
