//! What becomes of a turn whose conversation is summarised?
//!
//! The part of the machine that asks for a summary when the window is full, and goes on behind it. Pure as the rest.

use crate::agent::emit::{say, warn};
use crate::agent::machine::{Machine, State};
use crate::agent::step::{Compaction, Effect};
use crate::protocol::event::{Author, Event, TurnEnd};
use crate::protocol::message::Usage;

impl Machine {
    pub(super) fn on_context_full(&mut self, out: &mut Vec<Effect>) {
        if !matches!(self.state, State::Thinking) {
            return;
        }
        if self.guard.allows(self.total_steps) {
            self.state = State::Compacting { in_turn: true };
            out.push(Effect::Compact);
        } else {
            let what = "the context window is full and summarising no longer helps; start a new session".to_owned();
            self.end_turn(TurnEnd::Limit { what }, out);
        }
    }

    /// What a summary replaced held how calls are written; it is said again, to an idle agent with its next turn.
    fn repeat_plain_calls(&mut self, in_turn: bool, out: &mut Vec<Effect>) {
        if !self.ladder.reads_text() || self.offer.stays_in_prompt {
            return;
        }
        let words = self.plain_calls();
        if in_turn {
            return say(Author::Mimi, words, out);
        }
        self.opening =
            Some(self.opening.take().map_or_else(|| words.clone(), |opening| format!("{opening}\n\n{words}")));
    }

    pub(super) fn on_compacted(&mut self, result: Result<Compaction, String>, usage: Usage, out: &mut Vec<Effect>) {
        let State::Compacting { in_turn } = self.state else { return };
        self.total_usage += usage;
        if in_turn {
            self.turn_usage += usage;
        }
        self.state = if in_turn { State::Thinking } else { State::Idle };
        match result {
            Ok(Compaction { text, before_tokens, after_tokens }) => {
                self.guard.record(self.total_steps, before_tokens, after_tokens);
                out.push(Effect::Emit(Event::Compacted { text, before_tokens, after_tokens }));
                self.repeat_plain_calls(in_turn, out);
                match self.limits.tokens_reached(&self.turn_usage) {
                    Some(what) if in_turn => self.end_turn(TurnEnd::Limit { what }, out),
                    None if in_turn => out.push(Effect::CallModel(self.ladder.tool_choice())),
                    _ => {}
                }
            }
            Err(why) => {
                self.guard.record(self.total_steps, 1, 1);
                warn(&format!("the conversation could not be summarised: {why}"), out);
                if in_turn {
                    let what = "the context window is full; `/compact` tries once more to summarise".to_owned();
                    self.end_turn(TurnEnd::Limit { what }, out);
                }
            }
        }
        // Words that came while an idle agent summarised have no turn whose end would start them.
        if !in_turn {
            self.start_queued(out);
        }
    }
}
