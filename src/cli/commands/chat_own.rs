//! What does a person do for themselves in a conversation, line by line?
//!
//! Commands of their own (`!`) and notes for later sessions (`#`). Part of `chat`, which owns the terminal.

use crate::base::fault::Fault;
use crate::base::text::visible;
use crate::cli::commands::chat_lines::Chat;
use crate::cli::prompt::Line;
use crate::cli::writing;
use crate::protocol::event::Event;
use crate::protocol::op::Op;
use crate::tui::look::Look;
use crate::tui::state::outside::{Given, Note, NotePlace};
use crate::tui::state::saying;

impl Chat<'_> {
    /// Runs a command of the person's own; what it prints goes along with their next words.
    pub(super) async fn run_own(&mut self, text: &str) -> Result<(), Fault> {
        let command = saying::own_command(text).unwrap_or_default().to_owned();
        self.send(Op::Run { command }).await?;
        loop {
            let record = self.next_record().await?;
            self.show(&record)?;
            if matches!(&record.event, Event::ToolFinished { call, .. } if call.is_of_user()) {
                return Ok(());
            }
        }
    }

    /// Keeps a note where the person says.
    pub(super) async fn keep_note(&mut self, text: &str) -> Result<(), Fault> {
        let note = saying::note(text).unwrap_or_default().to_owned();
        let answer = self.line("note for: p the project, m me (all your projects)> ").await?;
        let place = match answer {
            Line::Text(answer) if answer.trim() == "p" => NotePlace::Project,
            Line::Text(answer) if answer.trim() == "m" => NotePlace::User,
            _ => return self.cx.out.styled(Look::Dim, "nothing was noted"),
        };
        let note = Note { text: note, place, turn: self.transcript.turn() };
        let session = self.session_id().to_owned();
        match writing::notes::keep(self.app, &session, note).await {
            Given::Noted { said, change } => {
                if let Some(change) = change {
                    self.send(Op::Changed(change)).await?;
                }
                self.cx.out.styled(Look::Dim, visible(&said))
            }
            Given::Failed(wrong) => self.cx.out.styled(Look::Bad, visible(&wrong)),
            _ => Ok(()),
        }
    }
}
