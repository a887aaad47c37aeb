//! Which sessions are there, and what becomes of one?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::base::clock::{Clock as _, SystemClock};
use crate::base::fault::{Fault, Kind};
use crate::base::path::{PRIVATE_FILE, remove_tree, resolve, write_atomic};
use crate::base::text::{count, first_line, visible};
use crate::cli::desk::age;
use crate::config::dirs::Dirs;
use crate::protocol::event::{Author, Event};
use crate::session::export::{self, Format};
use crate::session::fork::fork;
use crate::session::list::{self, Summary};
use crate::session::reader::{each_record, id_of, load};
use crate::session::search::{Hit, search};
use crate::session::title;
use crate::tui::diff_view::Spans;
use crate::tui::look::Look;
use crate::tui::state::around::Told;
use crate::tui::state::around::board::Row;

/// Places found at most.
const MAX_HITS: usize = 100;
/// Messages of a session that are shown before it is gone on with.
const MAX_SHOWN: usize = 8;
/// Lines of each.
const MAX_LINES: usize = 12;

/// Returns the sessions of a workspace, the latest first; those only in whose name or in which these words were said.
pub fn rows(folder: &Path, workspace: &Path, words: &str) -> Result<Vec<Row>, Fault> {
    let now_ms = SystemClock.now_ms();
    let mut all = list::summaries(folder, Some(workspace))?;
    all.retain(|summary| summary.title.is_some());
    if words.trim().is_empty() {
        return Ok(all.iter().map(|summary| row(summary, now_ms, None)).collect());
    }
    let mut hits: BTreeMap<PathBuf, Hit> = BTreeMap::new();
    for hit in search(folder, Some(workspace), words, MAX_HITS)? {
        hits.entry(hit.path.clone()).or_insert(hit);
    }
    let words = words.to_lowercase();
    let is_named = |summary: &Summary| {
        let title = summary.title.clone().unwrap_or_default().to_lowercase();
        words.split_whitespace().all(|word| title.contains(word))
    };
    let fits = |summary: &&Summary| hits.contains_key(&summary.path) || is_named(summary);
    Ok(all.iter().filter(fits).map(|summary| row(summary, now_ms, hits.get(&summary.path))).collect())
}

fn row(summary: &Summary, now_ms: u64, hit: Option<&Hit>) -> Row {
    let mut meaning = age(now_ms, summary.active_ms);
    if summary.forked_from.is_some() {
        meaning.push_str(", a copy");
    }
    meaning.push_str(&format!(", {}", count(summary.turns as usize, "turn")));
    if let Some(model) = &summary.model {
        meaning.push_str(&format!(", {model}"));
    }
    Row {
        id: summary.id.clone(),
        label: first_line(summary.title.as_deref().unwrap_or_default(), 80),
        meaning,
        more: hit.map_or_else(String::new, |hit| format!("{}: {}", hit.who, hit.said)),
    }
}

/// Returns the last that was said in a session.
pub fn beside(folder: &Path, id: &str) -> Result<Vec<Spans>, Fault> {
    let mut said: Vec<(Look, &'static str, String)> = Vec::new();
    each_record(&list::find(folder, id)?, |record| match &record.event {
        Event::UserMessage { author: Author::User, text } => said.push((Look::Person, "> ", text.clone())),
        Event::AssistantMessage { text, .. } if !text.trim().is_empty() => said.push((Look::Plain, "", text.clone())),
        _ => {}
    })?;
    let last = &said[said.len().saturating_sub(MAX_SHOWN)..];
    let lines = last.iter().flat_map(|(look, mark, text)| {
        let shown = text.trim().lines().take(MAX_LINES).enumerate();
        let shown = shown.map(|(at, line)| {
            let mark = if at == 0 { mark } else { "" };
            vec![(*look, format!("{mark}{line}"))]
        });
        shown.chain([Vec::new()]).collect::<Vec<_>>()
    });
    Ok(lines.collect())
}

/// Copies a session; the conversation goes on in the copy.
pub(super) fn forked(folder: &Path, id: &str, turn: Option<u32>) -> Result<Told, Fault> {
    let copy = fork(&list::find(folder, id)?, turn, &SystemClock)?;
    Ok(Told::Forked { id: copy.id })
}

/// Names a session.
pub(super) fn renamed(folder: &Path, id: &str, name: &str) -> Result<Told, Fault> {
    let path = list::find(folder, id)?;
    title::set(&path, name)?;
    let words = match title::of(&path) {
        Some(title) => format!("it is called `{title}` now"),
        None => "it is called by its first words now".to_owned(),
    };
    Ok(Told::Done { words })
}

/// Writes a session as Markdown, in the project's folder where no other is named.
pub(super) fn exported(folder: &Path, workspace: &Path, id: &str, file: &str) -> Result<Told, Fault> {
    let place = resolve(workspace, Path::new(file));
    if place.absolute.exists() {
        return Err(Fault::new(Kind::Usage, format!("`{}` is there already", place.display())));
    }
    write(&list::find(folder, id)?, Format::Markdown, &place.absolute)?;
    Ok(Told::Done { words: format!("written to {}", place.display()) })
}

/// Writes a session to a file, private to the user.
pub fn write(session: &Path, format: Format, output: &Path) -> Result<(), Fault> {
    load(session)?;
    let mut text = String::new();
    export::write(session, format, |line| {
        text.push_str(line);
        text.push('\n');
        Ok::<(), Fault>(())
    })?;
    write_atomic(output, text.as_bytes(), PRIVATE_FILE).map_err(|error| {
        Fault::io(Kind::Usage, format!("cannot write `{}`", visible(&output.display().to_string())), &error)
    })
}

/// Deletes a session.
pub(super) fn deleted(dirs: &Dirs, id: &str) -> Result<Told, Fault> {
    delete(dirs, &list::find(&dirs.sessions(), id)?)?;
    Ok(Told::Done { words: "deleted".to_owned() })
}

/// Deletes a session with all that was kept beside it.
pub fn delete(dirs: &Dirs, session: &Path) -> Result<(), Fault> {
    list::delete(session)?;
    // Outputs too long for the model were kept beside the session; without it nobody reads them again.
    drop(remove_tree(&dirs.outputs().join(id_of(session))));
    drop(remove_tree(&dirs.checkpoints().join("steps").join(id_of(session))));
    Ok(())
}
