//! THE MAP: how mimi is laid out, and why.
//!
//! # One path from input to output
//!
//! `mimi fix` -> [`cli`] -> [`app`] -> [`strategy::fix`] -> [`strategy::runner`] and [`exec`] run the tests -> an `Op` goes
//! into [`agent`] -> `agent::machine` says "call the model" -> `agent::driver` -> `agent::memory` and [`context`] build the
//! request -> [`model`]'s gateway -> a provider -> stream events -> `machine` says "run this call" -> `agent::dispatch`:
//! arguments, [`policy`], approval, [`checkpoint`] -> [`tools`]' `edit_file` -> [`edit`] -> the outcome is clipped and
//! recorded ([`session`]) -> `machine` ... -> `Event::TurnDone` -> the tests again -> report and exit code.
//!
//! The chat, `--json`, the session file and every later front end listen to the same stream of events ([`protocol::event`]).
//!
//! # Layers: a room uses only rooms on a lower line, never a sibling
//!
//! | Layer | Rooms |
//! | --- | --- |
//! | 0 | [`base`] errors as people read them, text, paths and atomic writes, YAML, clock and ids |
//! | 1 | [`protocol`] operations, events, messages, tools, plans: plain data |
//! | 2 | [`config`] settings and where they came from; [`db`] SQLite files; [`exec`] running processes |
//! | 3 | [`workspace`] the project; [`model`] servers and streams; [`edit`] changing text; [`policy`] may it be done?; [`telemetry`] what it cost |
//! | 4 | [`index`] finding code; [`session`] what happened, kept; [`checkpoint`] files as they were; [`tape`] a run, recorded and played again |
//! | 5 | [`context`] what the model sees; [`tools`] what it can do |
//! | 6 | [`agent`] the loop |
//! | 7 | [`strategy`] recipes: fix, review, commit message, explanation, answer by a schema |
//! | 8 | [`app`] puts everything together |
//! | 9 | [`tui`] the full screen |
//! | 10 | [`cli`] the command line |
//!
//! `tests/it/tidy` reads every `crate::` path and fails on a breach; it also holds the table of which outside crate lives in
//! which room. Layers named there without a room here (`mcp`, `fim`, `serve`) are kept
//! free for what is to come.
//!
//! # Invariants
//!
//! 1. `protocol`, `agent::machine`, `agent::batch`, `context::compact` and `session::transcript` do no I/O and read no clock.
//! 2. No tool decides its own permission; the only caller of `Tool::run` is `agent::dispatch`.
//! 3. Only `exec` starts processes. Only `base` writes files (`path`; `swap` where others may write too); the user's files only
//!    through `edit`, and of a running call only those it was judged for.
//! 4. Only `model::gateway` calls a provider. Nothing else knows keys or retries. Nothing else connects, but for `exec::proxy`
//!    to the hosts a user named for commands.
//! 5. A front end holds no truth: replayed from the session file, the same transcript shows.
//! 6. The prompt prefix only grows: tools, then system, then history, byte for byte, except at a recorded compaction. Nothing
//!    that changes (time, folder, git, user) stands in tools or system.
//! 7. Every tool call gets exactly one outcome, in the model's order, also when denied or cancelled.
//! 8. Everything put into the model's context has a cap and a label.
//! 9. Config is data: no live object in it; each room receives its own section.
//! 10. A tool failure is a result for the model, never an `Err`; `Err` from a tool means a bug in mimi.
//!
//! # What runs through all rooms
//!
//! - **Ending things**: `Op::Interrupt` drops the model's stream and cancels one token that every running call holds; commands
//!   end with their supervisor, which notices also when mimi itself is killed.
//! - **Clipping**: tools cap what they return; `agent::dispatch` caps again; the whole output is spilled to a file.
//! - **Hidden characters**: every byte of tools and models passes `base::text::visible` before a terminal sees it, and
//!   `cli::output` lets nothing through but colours, whatever somebody forgot.
//! - **Secrets** (`base::secrets`): a placeholder stands for each in what is sent (`context::sent`, and the gateway's door), in
//!   exports, records as JSON, reports, failures and remarks; never in what a person approves. The session file keeps them.
//! - **Files of mimi's own** are 0600 in folders of 0700 (`base::umask`); those in the project follow the user's umask.
//! - **Control tokens**: what mimi only passes on to a model is broken up where a tokenizer would read structure
//!   (`base::control`, applied by `context::sent`, checked at the gateway's door); `agent::dispatch` and `agent::live` put the
//!   strings back in what the model asks for and says. The conversation itself is kept as it was.
//! - **Durability**: an event is in the session file before it is shown or acted on.
//!
//! # One obvious place
//!
//! | To add | Touch |
//! | --- | --- |
//! | an OpenAI-compatible server | a row in `config/providers.yaml` |
//! | a provider with another wire | `model/providers/<name>.rs` and a row |
//! | a kind of server | a variant of `ServerKind`, `model::probe::identify` and `read`, `model::metrics`, `model::providers::wires` |
//! | a model family | a row in `config/models.yaml` |
//! | a way of stating edits | `edit/parse/<name>.rs`, a variant of `EditDialect`, a tool for it, cases in `tests/fixtures/edit` |
//! | a tool | `tools/<name>.yaml`, `src/tools/<name>.rs`, a row in `tools::registry` |
//! | a slash command | a row in `tui::slash`, an arm in `tui::state::keys` and one in `cli::commands::chat` |
//! | a test runner | a row in `config/runners.yaml`; its output: a row in `strategy::failure::readers` and a sample |
//! | a fixer that needs no model | a row in `config/fixers.yaml` |
//! | what `fix` must not change | a row in `config/guard.yaml` |
//! | a compiler or linter | a row in `config/findings.yaml` and a sample under `tests/fixtures/runners` |
//! | an action of the full screen | a variant and a row in `tui::keymap`, a row in `config/keymap.yaml`, an arm in `tui::state::keys` |
//! | a view around the conversation | a variant of `tui::state::around::board::Kind`, its keys, an arm in `cli::desk` |
//! | a screen in README | a row in `tests/it/screens.rs` |
//! | a suggestion after a turn | a row in `config/suggestions.yaml` |
//! | something the full screen wants from outside | a variant of `Want` and of `Given` in `tui::state::outside`, an arm where it is put together |
//! | a look of text | a row in `tui::look` and in every file of `config/themes` |
//! | a form of a report | `cli/report/<name>.rs`, a variant of `cli::report::target::Format`, an arm in `cli::report::render` |
//! | a kind of step of `fix` | a variant of `protocol::fix_report::What`, its words in `cli::report::words`, its form in `config/fix_report.schema.json` |
//! | a command | `cli/commands/<name>.rs` and a variant of `cli::Command` |
//! | a setting | `config/default.yaml` and a field in `config::schema` |
//! | a language of the index | a row in `config/languages.yaml`, `config/languages/<name>.scm`, a line in `index::grammar` |
//! | a source of changes to review | a variant of `protocol::changes::Source`, arms in `app::reviewing` |
//! | a decision in a review | a method in `tui::state::review::decide`, rows in `tui::keymap` and `config/keymap.yaml` |
//! | a colour of code | a kind in `config/highlight.yaml` |
//! | a language of the graph | `config/graph/<name>.scm`, an arm in `index::graph::imports` and `modules`, `tests/fixtures/graph/<name>` |
//! | a rule of ranking | a weight in `config/ranking.yaml`, its lines in `index::search::rank`, and `mimi eval search` before and after |
//! | how a language writes places in traces | a row in `config/frames.yaml` with its sample |
//! | a store of vectors | `index/vectors/<name>.rs`, a variant of `index::vectors::Store` |
//! | what a model for vectors wants before a text | a row in `config/embedders.yaml` |
//! | a form of secret | a row in `config/secrets.yaml` |
//! | a control token | a row in `config/control_tokens.yaml` |
//! | a fact of the ledger | a migration at the end of `telemetry::ledger::MIGRATIONS` and a column in `telemetry::report` |
//! | a prompt | `prompts/<name>.md` and a row in `context::prompt` |
//!
//! Each of these tables is walked by a test, so a forgotten half fails.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests set up files and look at them"))]

pub mod agent;
pub mod app;
pub mod base;
pub mod checkpoint;
pub mod cli;
pub mod config;
pub mod context;
pub mod db;
pub mod edit;
pub mod exec;
pub mod index;
pub mod model;
pub mod policy;
pub mod protocol;
pub mod session;
pub mod strategy;
pub mod tape;
pub mod telemetry;
pub mod tools;
pub mod tui;
pub mod workspace;
