//! What does this project ask for beyond narrowing, and does the person want that?
//!
//! Shown in full before a key is taken: each thing that would count, its place, and what changed since the files were trusted
//! last. What cannot be shown on a screen cannot be agreed to by a key. Where nobody is there to be asked it is ignored, in one
//! line.

use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::base::clock::{Clock as _, SystemClock, format_utc};
use crate::base::fault::{Fault, Kind};
use crate::base::text::{count, one_line_name, visible};
use crate::cli::context::{Cx, block_on};
use crate::cli::prompt::{Key, Prompt, forget_typed};
use crate::cli::render::{Channel, Lines};
use crate::cli::signal::Signals;
use crate::config::layer::Loaded;
use crate::config::trust::{Agreed, Brought, Trust};
use crate::edit::diff::file_diff;
use crate::policy::layers;
use crate::protocol::diff::FileDiff;
use crate::tui::look::Look;

/// Most wishes that are shown with a question; whoever asks for more is looked through without hurry.
const MAX_ASKED: usize = 40;
/// Wishes named in the line that says they are ignored.
const MAX_NAMED: usize = 3;

/// One thing a project asks for and gets only when it is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wish {
    /// The key, or `allow`.
    pub key: String,
    /// The value, or the rule.
    pub value: String,
    /// Where it stands.
    pub place: String,
}

/// Returns everything the project asks for, its rules included.
///
/// # Errors
/// Rules that cannot be read.
pub fn wishes(cx: &Cx, loaded: &Loaded) -> Result<Vec<Wish>, Fault> {
    let settings = loaded.wants.iter().map(|want| Wish {
        key: want.key.clone(),
        value: want.value.clone(),
        place: want.origin.to_string(),
    });
    let ground = layers::ground(&cx.workspace_root, &cx.dirs, "");
    let root = format!("{}/", cx.workspace_root.display());
    let rules = layers::wanted(&ground, &loaded.brought)?.into_iter().map(|stated| Wish {
        key: "allow".to_owned(),
        value: stated.rule.text().to_owned(),
        place: stated.origin.strip_prefix(&root).unwrap_or(&stated.origin).to_owned(),
    });
    Ok(settings.chain(rules).collect())
}

/// Says in one line what is left out, and how it comes in; none when nothing is.
pub fn ignored(cx: &Cx, loaded: &Loaded) -> Option<String> {
    // Rules that cannot be read stop whoever needs them, with a better message.
    let wishes = wishes(cx, loaded).unwrap_or_default();
    if wishes.is_empty() || loaded.brought.is_trusted() {
        return None;
    }
    let named = wishes.iter().take(MAX_NAMED).map(|wish| wish.key.as_str()).collect::<Vec<_>>().join(", ");
    let more = wishes.len().saturating_sub(MAX_NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let way = match cx.global.trust_project {
        Some(_) => "they are not the files --trust-project names: mimi trust show".to_owned(),
        None => format!("mimi trust show; for one run: --trust-project {}", loaded.brought.hash()),
    };
    Some(visible(&format!("not used, because you have not trusted this project with it: {named}{more} ({way})")).into())
}

/// Loads the settings and, where the project asks for more than it may have, asks the person.
///
/// # Errors
/// Settings or rules that cannot be read, a terminal that is gone, or the person who leaves.
pub fn settled(cx: &Cx) -> Result<Loaded, Fault> {
    let loaded = cx.load_silently()?;
    let wishes = wishes(cx, &loaded)?;
    if wishes.is_empty() || loaded.brought.is_trusted() {
        return Ok(loaded);
    }
    if wishes.len() > MAX_ASKED {
        cx.out.note(format!("warning: {}", ignored(cx, &loaded).unwrap_or_default()));
        return Ok(loaded);
    }
    show(cx, &loaded.brought, &wishes)?;
    if !agrees(cx)? {
        return Ok(loaded);
    }
    keep(cx, &loaded.brought)?;
    // Read again: were they exchanged meanwhile, then these are not the files that were agreed to.
    cx.load()
}

/// Keeps what was shown as agreed to.
///
/// # Errors
/// The file cannot be written.
pub fn keep(cx: &Cx, brought: &Brought) -> Result<(), Fault> {
    Ok(Trust::of(&cx.dirs, &cx.workspace_root).agree(brought, SystemClock.now_ms())?)
}

/// Shows what a project asks for, and what changed since it was trusted.
///
/// # Errors
/// What was agreed to cannot be read, or the output cannot be written.
pub fn show(cx: &Cx, brought: &Brought, wishes: &[Wish]) -> Result<(), Fault> {
    let n = count(wishes.len(), "thing");
    cx.out.styled(Look::Bold, format!("? this project's own files ask for {n} that only you can grant:"))?;
    list(cx, wishes)?;
    let agreed = Trust::of(&cx.dirs, &cx.workspace_root).agreed()?;
    agreed.map_or(Ok(()), |agreed| show_changes(cx, &agreed, brought))
}

/// Lists wishes with their places.
///
/// # Errors
/// The output cannot be written.
pub fn list(cx: &Cx, wishes: &[Wish]) -> Result<(), Fault> {
    wishes.iter().try_for_each(|wish| {
        let text = format!("  {}: {}", wish.key, wish.value.replace('\n', "\\n"));
        cx.out.line(visible(&text))?;
        cx.out.styled(Look::Dim, visible(&format!("      {}", wish.place)))
    })
}

/// Shows what changed since files were agreed to.
fn show_changes(cx: &Cx, agreed: &Agreed, brought: &Brought) -> Result<(), Fault> {
    let diffs = changes(agreed, brought);
    if diffs.is_empty() {
        return Ok(());
    }
    cx.out.styled(Look::Bold, format!("  changed since you trusted it on {}:", format_utc(agreed.at_ms)))?;
    let mut lines = Lines::new(&cx.out, Channel::Conversation);
    for diff in &diffs {
        cx.out.line(visible(&format!("  {}", one_line_name(&diff.path))))?;
        lines.previews(&[diff])?;
    }
    Ok(())
}

/// Returns how files differ from those agreed to.
pub fn changes(agreed: &Agreed, brought: &Brought) -> Vec<FileDiff> {
    let names = agreed.files.keys().chain(brought.files().keys().filter(|name| !agreed.files.contains_key(*name)));
    let pairs = names.map(|name| (name, agreed.files.get(name).map(String::as_str), brought.text(name)));
    pairs
        .filter(|(_, before, after)| before != after)
        .map(|(name, before, after)| file_diff(name, before, after))
        .collect()
}

/// Asks for a key.
///
/// # Errors
/// The terminal is gone, or the person leaves.
pub fn agrees(cx: &Cx) -> Result<bool, Fault> {
    block_on(async {
        let mut signals = Signals::listen()?;
        let mut prompt = Prompt::new(&cx.dirs.history_file())?;
        // What was typed before the question is no answer to it.
        forget_typed();
        cx.out.line("  y trust these files as they are, n work without, Ctrl-C leave")?;
        loop {
            let mut reading = pin!(prompt.key(Arc::new(AtomicBool::new(false))));
            let key = tokio::select! {
                key = &mut reading => key?,
                stop = signals.next() => return Err(stop.fault()),
            };
            match key {
                Key::Char('y') => return Ok(true),
                Key::Char('n') => return Ok(false),
                Key::Interrupt => return Err(Fault::new(Kind::Interrupted, "interrupted")),
                Key::Char(_) | Key::Other => {}
            }
        }
    })
}
