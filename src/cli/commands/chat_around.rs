//! How does a person who goes line by line get to what is around the conversation?
//!
//! The lists of full screen as numbered lines: a number shows what is in one, a word and a number does something with it. The
//! rows come from where they come from in full screen (`desk`, the transcript). Part of `chat`, which owns the terminal.

use std::cell::Cell;

use crate::base::clock::{Clock as _, SystemClock};
use crate::base::fault::Fault;
use crate::base::text::{count, first_line, visible};
use crate::cli::commands::chat_lines::{After, Chat};
use crate::cli::desk::Desk;
use crate::cli::prompt::Line;
use crate::protocol::event::Event;
use crate::protocol::message::CallId;
use crate::protocol::op::Op;
use crate::tui::diff_view::Spans;
use crate::tui::look::Look;
use crate::tui::state::around::board::{Board, Kind, Row};
use crate::tui::state::around::go::Go;
use crate::tui::state::around::{Ask, Next, Told, made, viewer};
use crate::tui::state::item::{Item, What};
use crate::tui::state::outside::Given;

/// Lines shown of what is in a row.
const MAX_LINES: usize = 200;
/// Lines of a file that a page is.
const PAGE: usize = 40;
/// Places shown where words were found.
const MAX_FOUND: usize = 50;
/// Characters of a line in which words were found.
const MAX_CHARS: usize = 160;

/// What a person typed under a list.
#[derive(Debug, PartialEq, Eq)]
struct Said<'t> {
    /// What is to be done; to look into it where nothing is named.
    verb: &'t str,
    /// The row, from 0.
    at: usize,
    /// What else was typed.
    rest: &'t str,
}

/// Says what can be done with a row of a list besides looking into it.
fn verbs(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Sessions => &["go", "fork", "name", "export", "delete"],
        Kind::Made => &[],
        Kind::Context => &["drop"],
        Kind::Checkpoints => &["restore"],
        Kind::Running => &["kill"],
    }
}

/// Reads `3`, `kill 3` or `name 3 what it is called`; none when it is neither.
fn read(kind: Kind, text: &str, n_rows: usize) -> Option<Said<'_>> {
    let (first, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
    let row = |word: &str| word.parse::<usize>().ok().filter(|n| (1..=n_rows).contains(n)).map(|n| n - 1);
    if let Some(at) = row(first) {
        return Some(Said { verb: "", at, rest });
    }
    let verb = verbs(kind).iter().find(|verb| **verb == first)?;
    let (number, rest) = rest.trim().split_once(' ').unwrap_or((rest.trim(), ""));
    row(number).map(|at| Said { verb, at, rest: rest.trim() })
}

fn prompt(kind: Kind) -> String {
    let verbs: String = verbs(kind).iter().map(|verb| format!(", {verb} N")).collect();
    format!("N shows it{verbs}, enter goes back> ")
}

impl Chat<'_> {
    /// Goes there, and comes back unless the conversation goes on elsewhere.
    pub(super) async fn go(&mut self, go: Go) -> Result<After, Fault> {
        let id = self.session_id().to_owned();
        match go {
            Go::Board(kind, words) => return self.board(kind, words).await,
            Go::New => return Ok(After::GoOn(Next::New)),
            Go::Fork(turn) => return self.ask(Ask::Fork { id, turn }).await,
            Go::Rename(title) => return self.ask(Ask::Rename { id, title }).await,
            Go::Export(path) => {
                let path = if path.is_empty() { format!("session-{}.md", &id[..id.len().min(13)]) } else { path };
                return self.ask(Ask::Export { id, path }).await;
            }
            Go::Find(words) => self.find(&words)?,
            Go::Open(words) => {
                let (path, line) = viewer::place(&words).unwrap_or((words, None));
                self.open(path, line).await?;
            }
            Go::Behind => self.cx.out.styled(
                Look::Dim,
                "no command runs that could go on in the background; while one does, ctrl+\\ puts it there, and `!COMMAND &` \
                 begins one there",
            )?,
            Go::Level(_) | Go::Preset(_) => self.cx.out.styled(
                Look::Dim,
                "line by line nothing stands beside the conversation; /plan, /artefacts, /ps and /context show it",
            )?,
        }
        Ok(After::Continue)
    }

    /// Has something done that is said in a line.
    async fn ask(&mut self, ask: Ask) -> Result<After, Fault> {
        match self.desk().answer(ask).await {
            Given::Around(Told::Forked { id }) => return Ok(After::GoOn(Next::Session(id))),
            Given::Around(Told::Done { words }) => self.cx.out.styled(Look::Dim, visible(&words))?,
            Given::Failed(wrong) => self.cx.out.styled(Look::Bad, visible(&wrong))?,
            _ => {}
        }
        Ok(After::Continue)
    }

    fn desk(&self) -> Desk<'_> {
        let session = self.session_id().to_owned();
        Desk { app: self.app, session, route: self.route().clone(), lined_at: Cell::new(0) }
    }

    /// Lists what there is, and does what is asked about it until nothing is.
    async fn board(&mut self, kind: Kind, words: String) -> Result<After, Fault> {
        loop {
            let Some(rows) = self.rows(kind, &words).await? else { return Ok(After::Continue) };
            if rows.is_empty() {
                self.cx.out.styled(Look::Dim, kind.empty())?;
                return Ok(After::Continue);
            }
            self.cx.out.styled(Look::Bold, format!("{} ({})", kind.title(), rows.len()))?;
            for (at, row) in rows.iter().enumerate() {
                self.print_row(at, row)?;
            }
            loop {
                let Line::Text(text) = self.line(&prompt(kind)).await? else { return Ok(After::Continue) };
                if text.trim().is_empty() {
                    return Ok(After::Continue);
                }
                match read(kind, &text, rows.len()) {
                    None => {
                        self.cx.out.styled(Look::Notice, "a number of the list, or one of the words with a number")?;
                    }
                    Some(said) if said.verb.is_empty() => self.look_into(kind, &rows[said.at]).await?,
                    Some(said) => match self.act(&said, &rows[said.at]).await? {
                        After::Continue => break,
                        after => return Ok(after),
                    },
                }
            }
        }
    }

    async fn rows(&self, kind: Kind, words: &str) -> Result<Option<Vec<Row>>, Fault> {
        let now_ms = SystemClock.now_ms();
        let rows = match kind {
            Kind::Made => made::rows(&self.transcript),
            Kind::Running => made::running(&self.transcript, now_ms),
            _ => match self.desk().answer(Ask::Rows { kind, words: words.to_owned() }).await {
                Given::Around(Told::Rows { rows, .. }) => rows,
                Given::Failed(wrong) => {
                    self.cx.out.styled(Look::Bad, visible(&wrong))?;
                    return Ok(None);
                }
                _ => Vec::new(),
            },
        };
        // Sessions were looked for outside; of the others those are shown that fit.
        let mut board = Board::new(kind, words);
        (board.rows, board.rows_of) = (rows, words.to_owned());
        Ok(Some(board.fitting().into_iter().cloned().collect()))
    }

    fn print_row(&self, at: usize, row: &Row) -> Result<(), Fault> {
        let plain = |text: &str| visible(text).replace(['\n', '\t'], " ");
        self.cx.out.line(format!("{:>3}  {}  {}", at + 1, plain(&row.label), plain(&row.meaning)))?;
        if row.more.is_empty() { Ok(()) } else { self.cx.out.styled(Look::Dim, format!("     {}", plain(&row.more))) }
    }

    /// Shows what is in a row.
    async fn look_into(&mut self, kind: Kind, row: &Row) -> Result<(), Fault> {
        let lines = match kind {
            Kind::Made => made::beside(&self.transcript, &row.id),
            // The end of what a command printed says most.
            Kind::Running => {
                let lines = made::beside(&self.transcript, &row.id);
                lines[lines.len().saturating_sub(MAX_LINES)..].to_vec()
            }
            _ => match self.desk().answer(Ask::Beside { kind, id: row.id.clone() }).await {
                Given::Around(Told::Beside { lines, .. }) => lines,
                Given::Failed(wrong) => return self.cx.out.styled(Look::Bad, visible(&wrong)),
                _ => Vec::new(),
            },
        };
        self.print(&lines)
    }

    fn print(&self, lines: &[Spans]) -> Result<(), Fault> {
        let shown =
            |spans: &Spans| -> Spans { spans.iter().map(|(look, text)| (*look, visible(text).into_owned())).collect() };
        lines.iter().take(MAX_LINES).try_for_each(|spans| self.cx.out.spans(&shown(spans)))?;
        let n_more = lines.len().saturating_sub(MAX_LINES);
        if n_more > 0 { self.cx.out.styled(Look::Dim, format!("and {}", count(n_more, "more line"))) } else { Ok(()) }
    }

    /// Does something with a row.
    async fn act(&mut self, said: &Said<'_>, row: &Row) -> Result<After, Fault> {
        let (id, rest) = (row.id.clone(), said.rest.to_owned());
        let risk = match said.verb {
            "delete" => Some("it is deleted for good"),
            "restore" => Some("files go back to how they were before this; what is there now is kept"),
            "drop" => Some("its text goes from the window, and the server reads what follows it again"),
            _ => None,
        };
        if let Some(risk) = risk
            && !self.is_sure(risk).await?
        {
            return Ok(After::Continue);
        }
        match said.verb {
            "go" if id == self.session_id() => self.cx.out.styled(Look::Dim, "this is that session")?,
            "go" => return Ok(After::GoOn(Next::Session(id))),
            "fork" => return self.ask(Ask::Fork { id, turn: None }).await,
            "name" => return self.ask(Ask::Rename { id, title: rest }).await,
            "export" => {
                let path = if rest.is_empty() { format!("session-{}.md", &id[..id.len().min(13)]) } else { rest };
                return self.ask(Ask::Export { id, path }).await;
            }
            "delete" => return self.ask(Ask::Delete { id }).await,
            "restore" => return self.ask(Ask::Restore { id }).await,
            "drop" => match id.strip_prefix("call ") {
                Some(call) => self.operation(Op::Drop { call: CallId(call.to_owned()) }, 1).await?,
                None => self
                    .cx
                    .out
                    .styled(Look::Notice, "only results of calls can be taken out; /compact shortens the rest")?,
            },
            "kill" => self.kill(CallId(id)).await?,
            _ => {}
        }
        Ok(After::Continue)
    }

    async fn is_sure(&mut self, risk: &str) -> Result<bool, Fault> {
        let answer = self.line(&format!("{risk}; y does it> ")).await?;
        Ok(matches!(answer, Line::Text(text) if text.trim() == "y"))
    }

    /// Ends a command in the background, and waits until it is over.
    async fn kill(&mut self, call: CallId) -> Result<(), Fault> {
        self.send(Op::Stop { call: call.clone() }).await?;
        loop {
            let record = self.next_record().await?;
            self.show(&record)?;
            if matches!(&record.event, Event::BackgroundEnded { behind, .. } if *behind == call) {
                return Ok(());
            }
        }
    }

    /// Shows where words were said.
    fn find(&self, words: &str) -> Result<(), Fault> {
        let query = words.to_lowercase();
        if query.trim().is_empty() {
            return self.cx.out.styled(Look::Dim, "/find WORDS");
        }
        let mut n = 0;
        for item in self.transcript.items() {
            let (who, text) = said(item);
            for line in text.lines().filter(|line| line.to_lowercase().contains(&query)) {
                n += 1;
                if n <= MAX_FOUND {
                    self.cx.out.line(visible(&format!("{who}: {}", first_line(line.trim(), MAX_CHARS))))?;
                }
            }
        }
        match n {
            0 => self.cx.out.styled(Look::Dim, format!("`{}` is nowhere", visible(words))),
            n if n > MAX_FOUND => self.cx.out.styled(Look::Dim, format!("and {}", count(n - MAX_FOUND, "more line"))),
            _ => Ok(()),
        }
    }

    /// Shows a file page by page.
    async fn open(&mut self, path: String, line: Option<usize>) -> Result<(), Fault> {
        let viewer = match self.desk().answer(Ask::Open { path, line }).await {
            Given::Around(Told::File(viewer)) => viewer,
            Given::Failed(wrong) => return self.cx.out.styled(Look::Bad, visible(&wrong)),
            _ => return Ok(()),
        };
        self.cx.out.styled(Look::Bold, visible(&format!("{}  {}", viewer.title, viewer.note)))?;
        let mut at = viewer.at;
        loop {
            let page = viewer.lines.iter().enumerate().skip(at).take(PAGE);
            for (n, spans) in page {
                let number = if viewer.is_numbered { format!("{:>5}  ", n + 1) } else { String::new() };
                let text = spans.iter().map(|(look, text)| (*look, visible(text).into_owned()));
                let row: Spans = std::iter::once((Look::Dim, number)).chain(text).collect();
                self.cx.out.spans(&row)?;
            }
            at += PAGE;
            if at >= viewer.lines.len() {
                return Ok(());
            }
            let left = count(viewer.lines.len() - at, "more line");
            match self.line(&format!("{left}; enter shows them, a number goes there, q goes back> ")).await? {
                Line::Text(text) if text.trim().is_empty() => {}
                Line::Text(text) => match text.trim().parse::<usize>() {
                    Ok(line) => at = line.saturating_sub(1).min(viewer.lines.len().saturating_sub(1)),
                    Err(_) => return Ok(()),
                },
                Line::End | Line::Interrupted => return Ok(()),
            }
        }
    }
}

/// Says who said what.
fn said(item: &Item) -> (&'static str, &str) {
    match &item.what {
        What::Person(text) => ("you", text),
        What::Words { text, .. } => ("model", text),
        What::Thought { text, .. } => ("thought", text),
        What::Call(call) => ("call", if call.output.is_empty() { &call.target } else { &call.output }),
        What::Note { text, .. } => ("mimi", text),
        What::Plan(_) | What::Changed { .. } => ("", ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A verb, a place in the list and the words behind it.
    type Expected = Option<(&'static str, usize, &'static str)>;

    #[test]
    fn a_number_looks_and_a_word_with_a_number_does() {
        let table: [(Kind, &str, Expected); 8] = [
            (Kind::Running, "2", Some(("", 1, ""))),
            (Kind::Running, " kill 3 ", Some(("kill", 2, ""))),
            (Kind::Running, "kill", None),
            (Kind::Running, "kill 4", None),
            (Kind::Running, "drop 1", None),
            (Kind::Sessions, "name 1 the first one", Some(("name", 0, "the first one"))),
            (Kind::Context, "drop 1", Some(("drop", 0, ""))),
            (Kind::Made, "0", None),
        ];
        for (kind, text, expected) in table {
            let expected = expected.map(|(verb, at, rest)| Said { verb, at, rest });
            assert_eq!(read(kind, text, 3), expected, "{text}");
        }
    }
}
