//! With which session does a conversation begin?
//!
//! The one that is named, the one a lost terminal cut off, or a new one; before the very first the walk for newcomers.

use crate::agent::dispatch::Approvals;
use crate::app::{AgentOptions, App, Bounds, Session};
use crate::base::fault::{Fault, Kind};
use crate::cli::commands::chat::{ChatArgs, gone};
use crate::cli::commands::onboard;
use crate::cli::context::Cx;
use crate::cli::cut_off;
use crate::protocol::op::Op;
use crate::protocol::task::{Class, Task};

/// Begins it; returns with the session how others like it are started.
pub(super) async fn begin(cx: &Cx, app: &App, args: &ChatArgs) -> Result<(Session, AgentOptions), Fault> {
    let options = options(cx, args);
    let cut_off = if args.may_offer { cut_off::offered(cx).await? } else { None };
    let first = onboard::before_first(cx, app).await?;
    let resume = cut_off.or_else(|| args.resume.clone());
    let session = start(app, resume.as_deref(), options.clone()).await?;
    if let Some(text) = args.first.clone().or(first) {
        session.handle.ops.send(Op::Submit { text }).await.map_err(|_| gone())?;
    }
    Ok((session, options))
}

/// Notes a session that did not end because somebody wished so.
pub(super) fn note_cut_off(cx: &Cx, session: &str, result: &Result<(), Fault>) {
    if result.as_ref().is_err_and(|fault| fault.kind == Kind::Terminated) {
        cut_off::note(&cx.dirs, session, &cx.workspace_root);
    }
}

fn options(cx: &Cx, args: &ChatArgs) -> AgentOptions {
    AgentOptions {
        task: Task::Chat,
        mode: args.mode.map(Into::into),
        model: cx.global.model.clone(),
        approvals: Approvals::Person,
        allow: Vec::new(),
        class: Class::Interactive,
        bounds: Bounds::default(),
    }
}

async fn start(app: &App, resume: Option<&str>, options: AgentOptions) -> Result<Session, Fault> {
    match resume {
        None => app.start(options).await,
        Some("") => {
            let newest =
                crate::session::list::latest(&app.dirs.sessions(), app.workspace.root())?.ok_or_else(|| {
                    Fault::new(Kind::Usage, "there is no session of this folder yet").hint("start one: mimi chat")
                })?;
            app.resume(&newest.id, options).await
        }
        Some(id) => app.resume(id, options).await,
    }
}
