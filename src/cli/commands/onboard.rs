//! How does somebody get to know mimi in three steps?
//!
//! The server that was found, how it works, something to try. Line by line, so that it works on every terminal and without a
//! server; shown once before the first conversation, left at any step, and shown again by `mimi onboard`.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::app::App;
use crate::base::fault::Fault;
use crate::base::path::{create_private_dir, touch_new};
use crate::base::text::visible;
use crate::cli::commands::status::facts_of;
use crate::cli::context::{Cx, block_on};
use crate::cli::prompt::{Key, forget_typed, read_key};
use crate::config::ui::WalkChoice;
use crate::model::present::Status;
use crate::session::list;
use crate::tui::look::Look;

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

/// Whether the walk was gone to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Next,
    Skip,
}

/// Shows the walk.
pub fn run(cx: &Cx, _args: &OnboardArgs) -> Result<(), Fault> {
    let app = cx.app()?;
    block_on(async { walk(cx, &app).await })
}

/// Shows it before the first conversation: at a terminal, when there is no session at all, and once.
pub async fn before_first(cx: &Cx, app: &App) -> Result<(), Fault> {
    let is_new = app.config.ui.walk == WalkChoice::First
        && !place(app).exists()
        && list::summaries(&app.dirs.sessions(), None).is_ok_and(|sessions| sessions.is_empty());
    if !is_new || !std::io::stdout().is_terminal() {
        return Ok(());
    }
    walk(cx, app).await
}

fn place(app: &App) -> std::path::PathBuf {
    app.dirs.state.join("onboarded")
}

async fn walk(cx: &Cx, app: &App) -> Result<(), Fault> {
    // Noted at the beginning: who leaves in the middle is not shown it again either.
    drop(create_private_dir(&app.dirs.state));
    drop(touch_new(&place(app)));
    let status = app.gateway.status().await;
    title(cx, "mimi, step 1 of 3: the model server")?;
    server(cx, &status)?;
    if next(cx).await? == Step::Skip {
        return Ok(());
    }
    title(cx, "step 2 of 3: how it works")?;
    HOW.iter().try_for_each(|line| cx.out.line(line))?;
    if next(cx).await? == Step::Skip {
        return Ok(());
    }
    title(cx, "step 3 of 3: try it")?;
    let has_server = status.failure.is_none();
    let tries: &[&str] = match has_server {
        true => &[
            "In `mimi chat`, say: what does this project do, and where would I begin?",
            "With tests that fail: mimi fix",
            "One task from a script: mimi run \"TASK\"",
        ],
        false => &[
            "Without a server: mimi demo shows real edits and real tests, with scripted words.",
            "Once there is a server: mimi doctor checks it, mimi chat begins.",
        ],
    };
    tries.iter().try_for_each(|line| cx.out.line(format!("  {line}")))?;
    cx.out.styled(Look::Dim, "mimi onboard shows this again")?;
    cx.out.line("")
}

fn title(cx: &Cx, text: &str) -> Result<(), Fault> {
    cx.out.line("")?;
    cx.out.styled(Look::Heading, text)
}

fn server(cx: &Cx, status: &Status) -> Result<(), Fault> {
    let found: Vec<_> = status.servers.iter().filter(|server| server.facts.is_some()).collect();
    for server in &found {
        let (title, rows) = facts_of(server);
        cx.out.styled(Look::Good, format!("found {}", visible(&title)))?;
        rows.iter().try_for_each(|(label, text)| cx.out.line(format!("  {label:<8}{}", visible(text))))?;
    }
    let chat = status.routes.iter().find(|route| route.task == crate::protocol::task::Task::Chat);
    if let (Some(model), Some(window)) =
        (chat.and_then(|route| route.model.as_ref()), chat.and_then(|route| route.window_tokens))
    {
        return cx.out.line(format!("It answers with `{}`, which takes {window} tokens.", visible(model)));
    }
    if found.is_empty() {
        cx.out.styled(Look::Notice, "no model server answers yet")?;
        status.servers.iter().try_for_each(|server| cx.out.line(format!("  looked at {}", visible(&server.url))))?;
    }
    cx.out.line("Say where yours is, in the environment or in ~/.config/mimi/config.yaml (`mimi config edit`):")?;
    cx.out.line("  export MIMI_SERVER_URL=http://dgx:8000/v1")?;
    cx.out.line("vLLM, Ollama, llama.cpp, SGLang or anything that speaks the OpenAI dialect; `mimi doctor` says more.")
}

/// Waits for a key, where there is somebody to press one.
async fn next(cx: &Cx) -> Result<Step, Fault> {
    if !std::io::stdin().is_terminal() || !std::io::stdout().is_terminal() {
        return Ok(Step::Next);
    }
    // Before it is asked: what is typed once the words are there is an answer.
    forget_typed();
    cx.out.styled(Look::Dim, "any key goes on, s or Esc skips the rest")?;
    Ok(match read_key(Arc::new(AtomicBool::new(false))).await? {
        Key::Interrupt | Key::Char('s') => Step::Skip,
        Key::Char(_) | Key::Other => Step::Next,
    })
}
