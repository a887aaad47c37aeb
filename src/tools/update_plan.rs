//! How does the model keep its plan where everybody can see it?

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use crate::protocol::plan::{Plan, PlanStep, StepStatus};
use crate::protocol::tool::{Intent, ToolReport};
use crate::tools::bad_call::BadCall;
use crate::tools::manifest::Manifest;
use crate::tools::{Tool, ToolBug, ToolContext, parse_arguments};

/// Steps of a plan; a longer one is no plan.
const MAX_STEPS: usize = 50;
/// Characters of a step.
const MAX_STEP_CHARS: usize = 300;

/// Replaces the plan.
pub struct UpdatePlan {
    manifest: Manifest,
}

impl UpdatePlan {
    /// Builds the tool.
    pub fn new(manifest: Manifest) -> Self {
        Self { manifest }
    }

    fn plan(&self, arguments: &Value) -> Result<Plan, BadCall> {
        let arguments: Arguments = parse_arguments(&self.manifest, arguments)?;
        let steps: Vec<PlanStep> = arguments.steps.into_iter().map(PlanStep::from).collect();
        let n_current = steps.iter().filter(|step| step.status == StepStatus::InProgress).count();
        if n_current > 1 {
            return Err(BadCall::Impossible(format!(
                "{n_current} steps are in_progress; mark only the one being worked on"
            )));
        }
        if steps.len() > MAX_STEPS {
            return Err(BadCall::Impossible(format!(
                "the plan has {} steps; at most {MAX_STEPS} are kept: join some",
                steps.len()
            )));
        }
        if let Some(empty) = steps.iter().position(|step| step.step.is_empty()) {
            return Err(BadCall::Impossible(format!("step {} is empty; say what is to be done", empty + 1)));
        }
        Ok(Plan { steps })
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    #[serde(alias = "plan", alias = "todos")]
    steps: Vec<Step>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Step {
    #[serde(alias = "content", alias = "description")]
    step: String,
    status: Status,
}

/// The states of a step in the words models use.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Status {
    #[serde(alias = "todo", alias = "not_started")]
    Pending,
    #[serde(alias = "in-progress", alias = "active", alias = "doing")]
    InProgress,
    #[serde(alias = "completed", alias = "complete", alias = "finished")]
    Done,
}

impl From<Step> for PlanStep {
    fn from(step: Step) -> Self {
        let status = match step.status {
            Status::Pending => StepStatus::Pending,
            Status::InProgress => StepStatus::InProgress,
            Status::Done => StepStatus::Done,
        };
        Self { step: crate::base::text::first_line(&step.step, MAX_STEP_CHARS), status }
    }
}

/// Renders how far a plan is: `2 of 5 done`.
fn progress(plan: &Plan) -> String {
    let n_done = plan.steps.iter().filter(|step| step.status == StepStatus::Done).count();
    format!("{n_done} of {} done", plan.steps.len())
}

impl Tool for UpdatePlan {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn intent(&self, _cx: &ToolContext, arguments: &Value) -> Result<Intent, BadCall> {
        let plan = self.plan(arguments)?;
        Ok(Intent { target: progress(&plan), ..Intent::default() })
    }

    fn run<'a>(&'a self, _cx: &'a ToolContext, arguments: Value) -> BoxFuture<'a, Result<ToolReport, ToolBug>> {
        let report = match self.plan(&arguments) {
            Ok(plan) => {
                let progress = progress(&plan);
                let mut report = ToolReport::ok(format!("the plan is updated: {progress}"), progress);
                report.plan = Some(plan);
                report
            }
            Err(bad) => ToolReport::failed(bad.to_string()),
        };
        Box::pin(std::future::ready(Ok(report)))
    }
}
