//! What does a person see and press in full screen?
//!
//! ```text
//! terminal -> key -> keymap -> state::update -> Cmd -> run -> the agent's operations
//!                     agent's records ---^         |
//!                                state -> views -> screen -> terminal
//! ```
//!
//! [`state`] is a pure function of messages, [`views`] turns it into cells, [`screen`] sends what changed, [`terminal`] is the only
//! place that knows the crate that reads keys, [`run`] is the loop between them. The face line by line is `cli::commands::chat`;
//! both listen to the same records, and neither holds a truth. Must not start, read or write anything but the terminal.
//! To add an action: a row in [`keymap`], a row in `config/keymap.yaml`, an arm in `state::keys`.

pub mod answer;
pub mod diff_view;
pub mod fuzzy;
pub mod key;
pub mod keymap;
pub mod links;
pub mod look;
pub mod markdown;
pub mod run;
pub mod screen;
pub mod slash;
pub mod state;
pub mod telling;
pub mod terminal;
pub mod views;
pub mod wrap;

#[cfg(test)]
#[path = "storm_tests.rs"]
mod storm;
