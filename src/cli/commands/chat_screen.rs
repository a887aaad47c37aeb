//! How is a conversation held in full screen?
//!
//! Puts the full screen ([`crate::tui`]) and a running agent together: the past of the session, the history of what was
//! written, the editor. When it is left, the conversation stands in the scrollback of the terminal, as anything printed does.

use std::cell::Cell;
use std::io::IsTerminal as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use futures_util::FutureExt as _;
use futures_util::future::LocalBoxFuture;

use crate::app::reviewing::Reviewing;
use crate::app::{AgentOptions, App, Session};
use crate::base::clock::{SystemClock, new_id};
use crate::base::fault::{Fault, Kind};
use crate::base::text::visible;
use crate::cli::commands::commit::commit;
use crate::cli::context::Cx;
use crate::cli::desk::history;
use crate::cli::desk::{self, next_session};
use crate::cli::editing::edited;
use crate::cli::paint::SKILLS;
use crate::cli::signal::{GRACE, Signals, Stop};
use crate::cli::writing;
use crate::cli::writing::drafts::Drafts;
use crate::config::ui::{KeysChoice, MouseChoice, NotifyChoice, ScreenChoice};
use crate::exec::interactive;
use crate::protocol::changes::Outcome;
use crate::session::header::machine;
use crate::session::reader::each_record;
use crate::tools::registry::Registry;
use crate::tui::answer::Ground;
use crate::tui::keymap::Keymap;
use crate::tui::links::{Lines, Links};
use crate::tui::look::{Look, Theme};
use crate::tui::run::{self, Ending, Follows, Outside, Parts};
use crate::tui::screen::printed;
use crate::tui::state::State;
use crate::tui::state::around::Next;
use crate::tui::state::composer::Composer;
use crate::tui::state::item::{VerbTable, Verbs};
use crate::tui::state::message::Hand;
use crate::tui::state::outside::{Given, Want};
use crate::tui::state::status::{Facts, Status};
use crate::tui::state::transcript::Transcript;
use crate::tui::telling::{Notify, knows_links};
use crate::tui::terminal::Ways;
use crate::tui::views::Views;
use crate::workspace::git::head_branch;
use crate::workspace::walk::{EntryKind, Walk};

/// Columns and rows below which lines are easier to read than a full screen.
const MIN_COLUMNS: u16 = 20;
const MIN_ROWS: u16 = 6;

/// Says whether the conversation is held in full screen.
pub(super) fn is_wanted(cx: &Cx, choice: ScreenChoice, is_inline: bool) -> bool {
    match choice {
        _ if is_inline => false,
        ScreenChoice::Inline => false,
        ScreenChoice::Full => true,
        ScreenChoice::Auto => {
            let is_capable = cx.env.get("TERM").is_some_and(|term| !matches!(term, "" | "dumb" | "unknown"));
            let has_room =
                crossterm::terminal::size().is_ok_and(|(columns, rows)| columns >= MIN_COLUMNS && rows >= MIN_ROWS);
            is_capable && has_room && speaks_utf8(cx) && std::io::stdout().is_terminal()
        }
    }
}

/// Lines and marks of the full screen are beyond ASCII.
fn speaks_utf8(cx: &Cx) -> bool {
    let locale =
        ["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| cx.env.get(name).filter(|value| !value.is_empty()));
    // Without any word about it most terminals of today do.
    locale.is_none_or(|locale| {
        let locale = locale.to_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    })
}

/// Holds the conversation. The session goes on where its file ends.
pub(super) async fn converse(
    cx: &Cx,
    app: &App,
    session: &mut Session,
    options: &AgentOptions,
    signals: &mut Signals,
) -> Result<(), Fault> {
    let (theme, follows, keymap) = looks(cx, app)?;
    let history = cx.dirs.history_file();
    let drafts = Drafts::new(&cx.dirs.state, app.workspace.root(), &session.id);
    let draft = drafts.take_over(&session.id).unwrap_or_default();
    let composer = Composer::new(history::read(&history), &draft);
    let composer = if app.config.ui.keys == KeysChoice::Vim { composer.with_vim() } else { composer };
    let mut state = state_of(app, session, composer, keymap)?;
    loop {
        let around = around(app, session);
        let reviewing = Reviewing::new(Some(&session.id));
        let mut outside = Desk { around: Some(around), ..Desk::new(cx, app, &session.id, reviewing) };
        let parts = Parts {
            ops: session.handle.ops.clone(),
            records: &mut session.handle.records,
            clock: &SystemClock,
            follows,
            ways: ways(cx, app),
            outside: &mut outside,
        };
        let terminated = async { while signals.next().await != Stop::Terminate {} };
        let ending = run::run(&mut state, theme.clone(), parts, terminated).await;
        // What was begun is kept when others end it, not when the person leaves.
        let left = if matches!(ending, Ok(Ending::Left)) { String::new() } else { state.draft() };
        outside.drafts.keep(&left);
        let ending = ending.map_err(|error| {
            Fault::io(Kind::Task, "the full screen cannot be shown", &error).hint("line by line: mimi chat --inline")
        })?;
        match ending {
            Ending::Terminated => return Err(Stop::Terminate.fault()),
            Ending::AgentGone => return Err(Fault::new(Kind::Bug, "the agent ended unexpectedly")),
            Ending::Left => match state.around.next.take() {
                None => return leave_behind(cx, &state, theme),
                Some(next) => state = gone_on(app, session, options, &next, state).await?,
            },
        }
    }
}

/// Goes on in another session. Where that cannot be had, the present one stays as it is, and why is said in it.
async fn gone_on(
    app: &App,
    session: &mut Session,
    options: &AgentOptions,
    next: &Next,
    mut state: State,
) -> Result<State, Fault> {
    match next_session(app, next, options.clone()).await {
        Err(fault) => {
            state.transcript.note(Look::Bad, fault.words());
            Ok(state)
        }
        Ok(fresh) => {
            let old = std::mem::replace(session, fresh);
            drop(tokio::time::timeout(GRACE, old.handle.close()).await);
            // What was being written goes along.
            let (composer, keymap) = (std::mem::take(&mut state.composer), state.keymap);
            state_of(app, session, composer, keymap)
        }
    }
}

fn around<'a>(app: &'a App, session: &Session) -> Rc<desk::Desk<'a>> {
    Rc::new(desk::Desk { app, session: session.id.clone(), route: session.route.clone(), lined_at: Cell::new(0) })
}

/// Shows a session as its file has it.
fn state_of(app: &App, session: &Session, composer: Composer, keymap: Keymap) -> Result<State, Fault> {
    let mut state = State::new(
        Transcript::new(verbs()),
        composer,
        Status { facts: facts(app, session), mode: session.mode, ..Status::default() },
        keymap,
    );
    state.around.kept = desk::kept(&app.dirs);
    state.around.has_line = !app.config.ui.status_command.is_empty();
    if session.recap.is_some() {
        let path = crate::session::list::find(&app.dirs.sessions(), &session.id)?;
        each_record(&path, |record| state.recall(record))?;
        state.transcript.note(Look::Dim, "resumed");
    } else {
        state
            .transcript
            .note(Look::Dim, format!("mimi {}; f1 lists the keys, /help the commands", env!("CARGO_PKG_VERSION")));
    }
    state.status.mode = session.mode;
    let ui = &app.config.ui;
    state.looking.notify_after_ms = (ui.notify != NotifyChoice::Off).then(|| ui.notify_after_s.saturating_mul(1000));
    Ok(state)
}

/// What this terminal is asked for, as its names and the settings say.
pub(super) fn ways(cx: &Cx, app: &App) -> Ways {
    let variable = |name: &str| cx.env.get(name).map(str::to_owned);
    let is_remote = ["SSH_CONNECTION", "SSH_TTY", "MOSH_CONNECTION"].iter().any(|name| cx.env.get(name).is_some());
    let notify = match app.config.ui.notify {
        NotifyChoice::Auto => Notify::of(variable),
        NotifyChoice::Bell => Notify::Bell,
        NotifyChoice::Osc9 => Notify::Osc9,
        NotifyChoice::Osc777 => Notify::Osc777,
        NotifyChoice::Osc99 => Notify::Osc99,
        NotifyChoice::Off => Notify::Off,
    };
    Ways {
        has_mouse: match app.config.ui.mouse {
            MouseChoice::Auto => !is_remote,
            MouseChoice::On => true,
            MouseChoice::Off => false,
        },
        has_new_keys: cx.env.get("TERM").is_some_and(|term| term != "linux"),
        links: knows_links(variable).then(|| links(cx, app)),
        notify,
    }
}

/// Where names of files lead on this terminal.
fn links(cx: &Cx, app: &App) -> Links {
    let is_kitty = cx.env.get("TERM").is_some_and(|term| term == "xterm-kitty");
    Links {
        host: machine().unwrap_or_default(),
        root: app.workspace.root().display().to_string(),
        lines: if is_kitty { Lines::Behind } else { Lines::Unknown },
    }
}

/// Prints the conversation where it can be scrolled back to.
fn leave_behind(cx: &Cx, state: &State, theme: Theme) -> Result<(), Fault> {
    let width = cx.out.columns().unwrap_or(80);
    let rows = Views::new(theme).left_behind(state, width);
    rows.iter().try_for_each(|row| cx.out.line(printed(row)))
}

fn facts(app: &App, session: &Session) -> Facts {
    let route = &session.route;
    Facts {
        model: route.model.clone(),
        server: route.url.clone(),
        tier: app.choice.tier.name().to_owned(),
        branch: head_branch(app.workspace.root()),
        session: session.id.clone(),
    }
}

fn verbs() -> VerbTable {
    let registry = Registry::new();
    let named = registry.names().into_iter().filter_map(|name| {
        let verbs = &registry.get(name)?.manifest().verbs;
        let verbs = Verbs { ask: verbs.ask.clone(), doing: verbs.doing.clone(), done: verbs.done.clone() };
        Some((name.to_owned(), verbs))
    });
    named.collect()
}

/// Finds the theme and the keys, as the user wants them.
pub(super) fn looks(cx: &Cx, app: &App) -> Result<(Theme, Follows, Keymap), Fault> {
    let (theme, follows) = theme(cx, &app.config.ui.theme)?;
    Ok((theme.with_skills(SKILLS), follows, keymap(cx)?))
}

/// Finds the theme: one that comes along, or a file of the user's. None is coloured where colours are not wanted.
fn theme(cx: &Cx, name: &str) -> Result<(Theme, Follows), Fault> {
    let theme = match Theme::named(name) {
        Some(theme) => theme,
        None if name == "auto" => Theme::for_ground(guessed(cx)),
        None => own_theme(cx, name)?,
    };
    // The console of Linux shows questions it does not know.
    let can_ask = cx.env.get("TERM").is_some_and(|term| term != "linux");
    match cx.out.is_coloured() {
        false => Ok((Theme::without_colours(), Follows::Choice)),
        true if name == "auto" && can_ask => Ok((theme, Follows::Ground)),
        true => Ok((theme, Follows::Choice)),
    }
}

/// Guesses the background until the terminal tells it: most are dark.
fn guessed(cx: &Cx) -> Ground {
    cx.env.get("COLORFGBG").and_then(Ground::from_variable).unwrap_or(Ground::Dark)
}

fn own_theme(cx: &Cx, name: &str) -> Result<Theme, Fault> {
    let path = cx.dirs.config.join("themes").join(format!("{name}.yaml"));
    let known = crate::tui::look::THEMES.map(|(name, _)| name).join(", ");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Fault::io(Kind::Config, format!("there is no theme `{name}`: cannot read `{}`", path.display()), &error)
            .hint(format!("themes that come along: {known}"))
    })?;
    Theme::read(&text)
        .map_err(|wrong| Fault::new(Kind::Config, format!("the theme `{}` is invalid", path.display())).cause(wrong))
}

fn keymap(cx: &Cx) -> Result<Keymap, Fault> {
    let path = cx.dirs.config.join("keymap.yaml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Fault::io(Kind::Config, format!("cannot read `{}`", path.display()), &error)),
    };
    Keymap::read(text.as_deref())
        .map_err(|wrong| Fault::new(Kind::Config, format!("the keys of `{}` are invalid", path.display())).cause(wrong))
}

/// What the full screen has done by others.
pub(super) struct Desk<'a> {
    cx: &'a Cx,
    app: &'a App,
    history: PathBuf,
    /// What is around a conversation; none without one.
    around: Option<Rc<desk::Desk<'a>>>,
    drafts: Drafts,
    reviewing: Reviewing,
}

impl<'a> Desk<'a> {
    /// Prepares for a conversation, or under another name for a review without one.
    pub(super) fn new(cx: &'a Cx, app: &'a App, session: &str, reviewing: Reviewing) -> Self {
        let drafts = Drafts::new(&cx.dirs.state, app.workspace.root(), session);
        Self { cx, app, history: cx.dirs.history_file(), around: None, drafts, reviewing }
    }
}

impl Outside for Desk<'_> {
    async fn edit(&mut self, text: &str, name: &str) -> Result<String, String> {
        let extension = Path::new(name).extension().and_then(|extension| extension.to_str());
        let name = format!("words-{}.{}", new_id(), extension.unwrap_or("txt"));
        let edited = edited(self.cx, &name, text).await;
        edited.map_err(|error| visible(&format!("the text was not edited: {error}")).into_owned())
    }

    async fn hand(&mut self, hand: Hand) -> Given {
        let Hand::Commit(message) = hand;
        let result = commit(self.cx, &message).map_err(|fault| visible(&fault.words()).into_owned());
        Given::Review(Box::new(Outcome::Committed(result)))
    }

    fn remember(&mut self, words: &str) {
        history::keep(&self.history, words);
    }

    fn give<'b>(&self, want: Want) -> LocalBoxFuture<'b, Given>
    where
        Self: 'b,
    {
        let (app, around, reviewing) = (self.app, self.around.clone(), self.reviewing.clone());
        let path = self.cx.env.get("PATH").unwrap_or_default().to_owned();
        async move {
            match want {
                Want::Files => files(app).await,
                Want::Around(ask) => match around {
                    Some(around) => around.answer(ask).await,
                    None => Given::Failed("there is no conversation here".to_owned()),
                },
                Want::Picks { kind, typed, token } => {
                    Given::Picks { token, rows: writing::picks::find(app, kind, &typed).await }
                }
                Want::Attach { text, model } => writing::attach::gather(app, &text, &model).await,
                Want::Note { text, place } => writing::notes::keep(app, text, place).await,
                Want::Tests => writing::attach::tests(app, &path).await,
                Want::Models => writing::models::choices(app).await,
                Want::Review(order) => Given::Review(Box::new(reviewing.carry_out(app, *order).await)),
            }
        }
        .boxed_local()
    }

    fn keep_draft(&mut self, words: &str) {
        self.drafts.keep(words);
    }

    fn suspend(&mut self) {
        interactive::suspend();
    }
}

/// Lists the project's files and folders.
async fn files(app: &App) -> Given {
    let root = app.workspace.root().to_path_buf();
    let listed = tokio::task::spawn_blocking(move || {
        let mut files = Vec::new();
        Walk::new(&root, &root).visit(&mut |entry| {
            let end = if entry.kind == EntryKind::Folder { "/" } else { "" };
            files.push(format!("{}{end}", entry.relative.display()));
            ControlFlow::Continue(())
        });
        files
    });
    listed.await.map_or_else(|error| Given::Failed(format!("the files were not listed: {error}")), Given::Files)
}
