//! How does a running command get behind the turn, and what is told of it?
//!
//! The command stays where it runs ([`crate::agent::running`]); here the words about it are made. Surprising: one that was behind
//! a turn when mimi ended is found when the session goes on, and told then.

use crate::agent::driver::Driver;
use crate::agent::emit::{behind_ended, behind_lost, behind_report};
use crate::agent::running::{Behind, Wish};
use crate::agent::step::Input;
use crate::agent::taped;
use crate::base::text::first_line;
use crate::protocol::event::Event;
use crate::protocol::message::CallId;
use crate::protocol::tool::{ToolOutcome, ToolReport};
use crate::session::transcript::Background;

/// Characters of a command in a warning.
const MAX_NAME_CHARS: usize = 60;

impl Driver {
    /// Puts a running command behind the turn, which goes on with what it printed so far.
    pub(in crate::agent) async fn put_behind(&mut self, call: &CallId) {
        for (call, text) in self.running.printed() {
            self.emit(Event::ToolOutput { call, text }).await;
        }
        let Behind { name, command, text, duration_ms } = match self.running.put_behind(call) {
            Wish::Granted(behind) => behind,
            Wish::Kept => return,
            Wish::Unknown => {
                let text = "only a command that runs can go on in the background".to_owned();
                return self.emit(Event::Warning { text }).await;
            }
        };
        let report = Box::new(behind_report(duration_ms, &text));
        self.parts.tape.ran(|| taped::ran(call, &report, &[], duration_ms));
        let call = call.clone();
        self.inputs.push_back(Input::Backgrounded { call, behind: name, command, report, duration_ms });
    }

    /// Tells what became of commands that were behind a turn when the session ended last.
    pub(in crate::agent) async fn miss_background(&mut self) {
        for Background { name, command, ended } in self.parts.memory.background() {
            if let Some((outcome, summary)) = ended {
                // It ended in good order, and nobody spoke since.
                self.parts.machine.bring(behind_ended(&command, &ToolReport::of(outcome, summary)));
                continue;
            }
            self.parts.machine.bring(behind_lost(&command));
            let (behind, summary) = (name, "was running in the background when mimi ended".to_owned());
            let ended = Event::BackgroundEnded { behind, outcome: ToolOutcome::Cancelled, summary, duration_ms: 0 };
            self.emit(ended).await;
        }
    }

    /// Says what may still write to files that are about to go back to how they were.
    pub(in crate::agent) async fn warn_of_background(&mut self) {
        let running = self.running.behind();
        if !running.is_empty() {
            let names: Vec<String> =
                running.iter().map(|what| format!("`{}`", first_line(what, MAX_NAME_CHARS))).collect();
            let names = names.join(", ");
            let text = format!("still running in the background, and may write to what is put back: {names}");
            self.emit(Event::Warning { text }).await;
        }
    }
}
