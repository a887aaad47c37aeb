//! How does somebody get to know mimi in three steps?
//!
//! The server that was found, how it works, something to try: the last step can be taken at once, as the first words of a
//! conversation. Lines that are broken between words and stop where the screen is full, so that it reads well on every terminal
//! and in a screen reader; shown once before the first conversation, left at any step, and shown again by `mimi onboard`. Must not
//! ask for what is known: of a server that answers only what it does not tell is left open.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::app::App;
use crate::base::fault::Fault;
use crate::base::path::{create_private_dir, touch_new};
use crate::base::text::visible;
use crate::cli::commands::chat::{self, ChatArgs};
use crate::cli::commands::status::facts_of;
use crate::cli::context::{Cx, block_on};
use crate::cli::prompt::{Key, forget_typed, read_key};
use crate::config::ui::WalkChoice;
use crate::model::present::Status;
use crate::protocol::task::Task;
use crate::session::list;
use crate::tui::look::Look;
use crate::tui::wrap::rows_of;

/// How mimi works, for somebody who has not seen it yet.
const HOW: &[&str] = &[
    "You say what you want; the model reads, searches, edits and runs in this folder until it is done.",
    "Before a file is changed or a command run you are asked, with the exact change or command:",
    "  y once, s for this session, a always (the rule is shown), n no, r no with a reason.",
    "Modes: plan only reads, ask asks, auto also edits without asking. Shift-Tab goes to the next.",
    "Whatever a turn changed, commands included, goes back with /undo. Esc stops what runs.",
    "F1 lists the keys of the present view, Ctrl-P everything that can be done, /help the commands.",
];

/// Arguments of `mimi onboard`.
#[derive(Debug, clap::Args)]
pub struct OnboardArgs {}

/// What is offered to be said first.
const FIRST_WORDS: &str = "What does this project do, and where would I begin?";
/// Columns of text at most; longer lines are hard to read.
const MAX_COLUMNS: usize = 100;
/// Columns and rows where nobody knows them.
const USUAL: (usize, usize) = (80, 24);

/// Whether the walk was gone to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Next,
    Skip,
    /// What is offered is done at once.
    Try,
}

/// Shows the walk, and begins a conversation where the person takes its last step.
pub fn run(cx: &Cx, _args: &OnboardArgs) -> Result<(), Fault> {
    let app = cx.app()?;
    match block_on(async { walk(cx, &app).await })? {
        Some(first) => chat::run(cx, &ChatArgs { first: Some(first), ..ChatArgs::default() }),
        None => Ok(()),
    }
}

/// Shows it before the first conversation: at a terminal, when there is no session at all, and once. Returns words to begin with,
/// if the person wants to.
pub async fn before_first(cx: &Cx, app: &App) -> Result<Option<String>, Fault> {
    let is_new = app.config.ui.walk == WalkChoice::First
        && !place(app).exists()
        && list::summaries(&app.dirs.sessions(), None).is_ok_and(|sessions| sessions.is_empty());
    if !is_new || !std::io::stdout().is_terminal() {
        return Ok(None);
    }
    walk(cx, app).await
}

fn place(app: &App) -> std::path::PathBuf {
    app.dirs.state.join("onboarded")
}

async fn walk(cx: &Cx, app: &App) -> Result<Option<String>, Fault> {
    // Noted at the beginning: who leaves in the middle is not shown it again either.
    drop(create_private_dir(&app.dirs.state));
    drop(touch_new(&place(app)));
    cx.out.busy("looking for a model server");
    let status = app.gateway.status().await;
    cx.out.idle();
    let mut page = Page::new(cx);
    let has_server = status.failure.is_none();
    let steps: [(&str, Vec<(Look, String)>); 2] = [
        ("mimi, step 1 of 3: the model server", server(&status)),
        ("step 2 of 3: how it works", HOW.iter().map(|line| (Look::Plain, (*line).to_owned())).collect()),
    ];
    for (title, lines) in steps {
        if page.step(title, &lines).await? == Step::Skip || page.key(GO_ON).await? == Step::Skip {
            return Ok(None);
        }
    }
    if page.step("step 3 of 3: try it", &tries(has_server)).await? == Step::Skip {
        return Ok(None);
    }
    let wants = has_server && page.key("t asks that now, any other key begins without").await? == Step::Try;
    Ok(wants.then(|| FIRST_WORDS.to_owned()))
}

/// What there is to try.
fn tries(has_server: bool) -> Vec<(Look, String)> {
    let rows: &[&str] = match has_server {
        true => &["With tests that fail: mimi fix", "One task from a script: mimi run \"TASK\""],
        false => &[
            "Without a server: mimi demo shows real edits and real tests, with scripted words.",
            "Once there is a server: mimi doctor checks it, mimi chat begins.",
        ],
    };
    let first = has_server.then(|| format!("  In `mimi chat`, say: {FIRST_WORDS}"));
    let rows = first.into_iter().chain(rows.iter().map(|row| format!("  {row}")));
    let again = (Look::Dim, "mimi onboard shows this again".to_owned());
    rows.map(|row| (Look::Plain, row)).chain([again]).collect()
}

/// Says what was found, and only what of it is not known how it comes about.
fn server(status: &Status) -> Vec<(Look, String)> {
    let mut lines = Vec::new();
    let mut say = |look, text: String| lines.push((look, visible(&text).into_owned()));
    let found: Vec<_> = status.servers.iter().filter(|server| server.facts.is_some()).collect();
    for server in &found {
        let (title, rows) = facts_of(server);
        say(Look::Good, format!("found {title}"));
        rows.iter().for_each(|(label, text)| say(Look::Plain, format!("  {label:<8}{text}")));
    }
    let chat = status.routes.iter().find(|route| route.task == Task::Chat);
    match chat.map(|route| (&route.model, route.window_tokens, &route.note)) {
        Some((Some(model), Some(window), _)) => {
            say(Look::Plain, format!("It answers with `{model}`, which takes {window} tokens."));
        }
        Some((Some(model), None, _)) => {
            say(
                Look::Plain,
                format!(
                    "It answers with `{model}`. How many tokens that takes it does not say; mimi finds out \
                                      as it goes."
                ),
            );
        }
        Some((None, _, note)) if !found.is_empty() => {
            let why = note.as_ref().map_or_else(|| "it names no model".to_owned(), Clone::clone);
            say(Look::Notice, format!("No model for a conversation is known yet: {why}"));
            say(Look::Plain, "Its models: mimi status. One of them: export MIMI_MODEL=NAME".to_owned());
        }
        _ => {
            say(Look::Notice, "no model server answers yet".to_owned());
            status.servers.iter().for_each(|server| say(Look::Plain, format!("  looked at {}", server.url)));
            say(
                Look::Plain,
                "Say where yours is, in the environment or in ~/.config/mimi/config.yaml (`mimi config edit`):"
                    .to_owned(),
            );
            say(Look::Plain, "  export MIMI_SERVER_URL=http://dgx:8000/v1".to_owned());
            say(
                Look::Plain,
                "vLLM, Ollama, llama.cpp, SGLang or anything that speaks the OpenAI dialect; `mimi doctor` says more."
                    .to_owned(),
            );
        }
    }
    lines
}

/// What is said where the walk waits.
const GO_ON: &str = "any key goes on, s or Esc skips the rest";
/// What is said where a step is longer than the screen.
const MORE: &str = "any key shows the rest of it, s or Esc skips";
/// How a line begins that is copied: it is not broken.
const COPIED: &str = "  export ";

/// A terminal that is written page by page.
struct Page<'a> {
    cx: &'a Cx,
    columns: usize,
    /// Rows of a page, the last of them for what is asked.
    rows: usize,
    /// Rows written on this one.
    at: usize,
}

impl<'a> Page<'a> {
    fn new(cx: &'a Cx) -> Self {
        let size = crossterm::terminal::size().ok().map(|(columns, rows)| (usize::from(columns), usize::from(rows)));
        let (columns, rows) = size.filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or(USUAL);
        let columns = cx.out.columns().unwrap_or(columns).min(MAX_COLUMNS);
        // A blank row above, and what is asked below.
        let rows = rows.saturating_sub(2 + rows_of(MORE, columns).len()).max(4);
        Self { cx, columns, rows, at: 0 }
    }

    /// Writes a step; where it does not fit the screen it waits for a key between.
    async fn step(&mut self, title: &str, lines: &[(Look, String)]) -> Result<Step, Fault> {
        self.at = 0;
        self.cx.out.line("")?;
        for (look, text) in
            std::iter::once((Look::Heading, title)).chain(lines.iter().map(|(look, text)| (*look, text.as_str())))
        {
            let rows = if text.starts_with(COPIED) { vec![text.to_owned()] } else { rows_of(text, self.columns) };
            for row in rows {
                if self.at >= self.rows && self.is_asked() {
                    if self.key(MORE).await? == Step::Skip {
                        return Ok(Step::Skip);
                    }
                    self.at = 0;
                }
                self.cx.out.styled(look, row)?;
                self.at += 1;
            }
        }
        Ok(Step::Next)
    }

    /// Says whether somebody is there to press a key.
    fn is_asked(&self) -> bool {
        std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
    }

    /// Waits for a key, where there is somebody to press one.
    async fn key(&self, words: &str) -> Result<Step, Fault> {
        if !self.is_asked() {
            return Ok(Step::Next);
        }
        // Before it is asked: what is typed once the words are there is an answer.
        forget_typed();
        rows_of(words, self.columns).iter().try_for_each(|row| self.cx.out.styled(Look::Dim, row))?;
        Ok(match read_key(Arc::new(AtomicBool::new(false))).await? {
            Key::Interrupt | Key::Char('s') => Step::Skip,
            Key::Char('t') => Step::Try,
            Key::Char(_) | Key::Other => Step::Next,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_broken_between_words_at_every_width() {
        let widths = [120, 80, 40, 20];
        for columns in widths {
            for line in HOW {
                let rows = rows_of(line, columns);
                assert!(rows.iter().all(|row| row.chars().count() <= columns), "{columns}: {rows:?}");
                let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
                assert_eq!(words(&rows.join(" ")), words(line), "{columns}: no word is broken");
            }
        }
        assert_eq!(rows_of("  y once, s for this session", 16), ["  y once, s for", "  this session"]);
    }
}
