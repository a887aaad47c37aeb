//! Which face does a conversation get, and with which session does it begin?
//!
//! The full screen (`chat_screen`) or line by line (`chat_lines`): both listen to the same records.

use std::io::IsTerminal as _;

use crate::app::{AgentOptions, App, Session};
use crate::base::fault::{Fault, Kind};
use crate::cli::SandboxArg;
use crate::cli::commands::chat_lines::Chat;
use crate::cli::commands::chat_screen;
use crate::cli::commands::chat_start;
use crate::cli::commands::run::ModeArg;
use crate::cli::context::{Cx, block_on};
use crate::cli::desk::next_session;
use crate::cli::signal::{GRACE, Signals};
use crate::cli::trusting;
use crate::config::schema::SandboxTier;
use crate::tui::look::Look;

/// Arguments of `mimi chat`.
#[derive(Debug, Default, clap::Args)]
pub struct ChatArgs {
    /// How much may be done without asking
    #[arg(long, value_enum)]
    pub mode: Option<ModeArg>,
    /// Continue this session; without an ID the newest one of this folder
    #[arg(long, value_name = "ID", num_args = 0..=1, default_missing_value = "")]
    pub resume: Option<String>,
    /// Confine commands this way instead of the best that works here
    #[arg(long, value_name = "TIER", value_enum)]
    pub sandbox: Option<SandboxArg>,
    /// Let commands reach this host as well, on its usual ports or the one given: `crates.io`, `10.0.0.7:8443`
    #[arg(long, value_name = "HOST")]
    pub allow_host: Vec<String>,
    /// Go line by line instead of in full screen: for screen readers, recordings and simple terminals
    #[arg(long)]
    pub inline: bool,
    /// Words to begin with, from whoever opens the conversation.
    #[arg(skip)]
    pub first: Option<String>,
    /// Whether `mimi` alone was typed: then a session that was cut off is offered.
    #[arg(skip)]
    pub may_offer: bool,
}

impl ChatArgs {
    /// What `mimi` alone means.
    pub fn unnamed() -> Self {
        Self { may_offer: true, ..Self::default() }
    }

    /// Asks to go on with a session: the one whose id begins so, or the newest of the folder.
    pub fn resuming(id: Option<&str>) -> Self {
        Self { resume: Some(id.unwrap_or_default().to_owned()), ..Self::default() }
    }
}

/// Holds the conversation.
pub fn run(cx: &Cx, args: &ChatArgs) -> Result<(), Fault> {
    if !std::io::stdin().is_terminal() {
        return Err(Fault::new(Kind::Usage, "`mimi chat` needs a terminal to read from")
            .hint("one task without a conversation: mimi run \"TASK\""));
    }
    // They are theirs, and what they approve must be seen whole.
    cx.out.show_secrets();
    let app = cx.app_of(trusting::settled(cx)?)?;
    // Without a sandbox a person can still look at each command; a tier they named is not taken for another.
    if app.config.sandbox.tier != SandboxTier::Auto {
        app.need_sandbox()?;
    }
    block_on(async {
        let (mut session, options) = chat_start::begin(cx, &app, args).await?;
        if chat_screen::is_wanted(cx, app.config.ui.screen, args.inline) {
            let mut signals = Signals::listen()?;
            let result = chat_screen::converse(cx, &app, &mut session, &options, &mut signals).await;
            chat_start::note_cut_off(cx, &session.id, &result);
            leave(cx, session).await;
            return result;
        }
        let mut chat = Chat::new(cx, &app, session)?;
        chat.greet()?;
        let result = hold(&app, &options, &mut chat).await;
        chat_start::note_cut_off(cx, chat.session_id(), &result);
        chat.leave().await;
        result
    })
}

/// Talks line by line, in one session after the other.
async fn hold(app: &App, options: &AgentOptions, chat: &mut Chat<'_>) -> Result<(), Fault> {
    while let Some(next) = chat.converse().await? {
        match next_session(app, &next, options.clone()).await {
            Ok(session) => chat.take_over(session).await?,
            Err(fault) => chat.stays(&fault)?,
        }
    }
    Ok(())
}

/// Ends the agent in good order and says how to come back.
pub(super) async fn leave(cx: &Cx, session: Session) {
    // Given up after a while: what a lost disk holds up must not hold up the person.
    drop(tokio::time::timeout(GRACE, session.handle.close()).await);
    cx.out.note_styled(Look::Dim, format!("to go on: mimi chat --resume {}", session.id));
}

/// Says that the other side of the channel is gone.
pub(super) fn gone() -> Fault {
    Fault::new(Kind::Bug, "the agent ended unexpectedly")
}
