//! What is offered to be done next, once a turn is over?
//!
//! Rows of `config/suggestions.yaml` whose facts hold: what the turn changed, whether its last command failed, whether the tests
//! of the project are known. Facts only, never the model's opinion. To add one: a row there.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::yaml;
use crate::protocol::event::Event;
use crate::protocol::op::Op;
use crate::protocol::tool::ToolOutcome;
use crate::tui::slash;
use crate::tui::state::State;
use crate::tui::state::choices::{Choice, Then};
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;

/// Rows that are shown.
const MAX_SHOWN: usize = 3;

/// A fact of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Fact {
    Changed,
    Failed,
    Tests,
    Git,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    label: String,
    when: Vec<Fact>,
    says: Option<String>,
    command: Option<String>,
    runs: Option<Runs>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Runs {
    Tests,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    // Compiled in and read by a test, so that a failure cannot reach a user.
    yaml::from_str(include_str!("../../../config/suggestions.yaml")).unwrap_or_default()
});

/// What the turn did so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TurnFacts {
    has_changed: bool,
    has_failed: bool,
}

impl TurnFacts {
    /// Takes what happened.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::TurnStarted { .. } => *self = Self::default(),
            Event::Checkpointed { .. } | Event::TreeChanged { .. } => self.has_changed = true,
            Event::ToolFinished { tool, outcome, diffs, .. } => {
                self.has_changed |= !diffs.is_empty();
                if tool == "shell" {
                    self.has_failed = matches!(outcome, ToolOutcome::Failed { .. } | ToolOutcome::TimedOut { .. });
                }
            }
            _ => {}
        }
    }
}

impl State {
    /// A turn is over: says what may come next. The tests of the project are looked for once, when there is something to test.
    pub(super) fn suggest(&mut self) -> Vec<Cmd> {
        self.suggested = self.fitting_suggestions();
        if !self.turn_facts.has_changed || self.has_asked_tests {
            return Vec::new();
        }
        self.has_asked_tests = true;
        vec![Cmd::Want(Want::Tests)]
    }

    /// Takes the command that runs the project's tests.
    pub(super) fn take_tests(&mut self, command: Option<String>) {
        self.tests = command;
        if !self.status.is_busy() {
            self.suggested = self.fitting_suggestions();
        }
    }

    fn fitting_suggestions(&self) -> Vec<Choice> {
        let holds = |fact: &Fact| match fact {
            Fact::Changed => self.turn_facts.has_changed,
            Fact::Failed => self.turn_facts.has_failed,
            Fact::Tests => self.tests.is_some(),
            Fact::Git => self.status.facts.branch.is_some(),
        };
        let fits = ROWS.iter().filter(|row| row.when.iter().all(holds)).filter_map(|row| self.suggestion(row));
        fits.take(MAX_SHOWN).collect()
    }

    fn suggestion(&self, row: &Row) -> Option<Choice> {
        let (meaning, then) = match (&row.says, &row.command, row.runs) {
            (Some(words), ..) => (words.clone(), Then::Tell(words.clone())),
            (None, Some(command), _) if matches!(slash::parse(command), Some(Ok(_))) => {
                (command.clone(), Then::Say(command.clone()))
            }
            (None, None, Some(Runs::Tests)) => {
                let command = self.tests.clone()?;
                (command.clone(), Then::Do(Cmd::Send(Op::Run { command })))
            }
            _ => return None,
        };
        Some(Choice::new(&row.label, meaning, then))
    }

    pub(super) fn show_suggestions(&mut self) -> Vec<Cmd> {
        if self.suggested.is_empty() {
            self.hint = Some("nothing is suggested: it follows a turn that changed something".to_owned());
        } else {
            let all = self.suggested.clone();
            self.choose("next", all);
        }
        Vec::new()
    }

    pub(super) fn take_suggestion(&mut self, nth: usize) -> Vec<Cmd> {
        let Some(choice) = self.suggested.get(nth).cloned() else { return Vec::new() };
        self.suggested.clear();
        self.follow(choice.then)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::CallId;
    use crate::tui::state::message::Msg;
    use crate::tui::state::outside::Given;
    use crate::tui::state::tests::{begin_turn, end_turn, keys, record, sent, state};

    fn ran(state: &mut State, outcome: ToolOutcome) {
        let event = Event::ToolFinished {
            call: CallId("c".into()),
            tool: "shell".into(),
            outcome,
            summary: String::new(),
            diffs: Vec::new(),
            seen: Vec::new(),
            duration_ms: 1,
        };
        record(state, event);
    }

    fn changed(state: &mut State) {
        let event = Event::Checkpointed { turn: 1, path: "a.rs".into(), before: None, after: None, mode: None };
        record(state, event);
    }

    fn labels(state: &State) -> Vec<&str> {
        state.suggested.iter().map(|choice| choice.label.as_str()).collect()
    }

    #[test]
    fn the_table_can_be_read_and_each_row_does_one_thing() {
        let rows: Vec<Row> = yaml::from_str(include_str!("../../../config/suggestions.yaml")).unwrap();
        for row in rows {
            let n = [row.says.is_some(), row.command.is_some(), row.runs.is_some()].iter().filter(|is| **is).count();
            assert_eq!(n, 1, "{}", row.label);
        }
    }

    #[test]
    fn what_a_turn_did_decides_what_is_offered() {
        let mut state = state();
        begin_turn(&mut state);
        end_turn(&mut state);
        assert!(labels(&state).is_empty(), "a turn that did nothing asks for nothing");
        begin_turn(&mut state);
        changed(&mut state);
        assert!(end_turn(&mut state).contains(&Cmd::Want(Want::Tests)));
        state.update(Msg::Given(Given::Tests(Some("make test".to_owned()))));
        assert!(labels(&state).contains(&"run the tests"), "{:?}", labels(&state));
        let run = keys(&mut state, "alt+1");
        assert_eq!(sent(&run), [&Op::Run { command: "make test".to_owned() }]);
        begin_turn(&mut state);
        ran(&mut state, ToolOutcome::Failed { text: "1 failed".into() });
        end_turn(&mut state);
        assert_eq!(labels(&state), ["fix the failing tests"]);
        assert_eq!(sent(&keys(&mut state, "alt+1")), [&Op::Submit { text: "Fix what fails.".to_owned() }]);
    }
}
