//! Does anything a person presses, pastes or resizes make the full screen fail, or lose what they wrote?
//!
//! Random events over the real update and the real views, the same for the same seed. Twenty thousand in the suite; with
//! `MIMI_FUZZ=100000` as many.

use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;

use crate::protocol::diff::{FileDiff, Hunk};
use crate::protocol::event::{Author, Event, Record, TurnEnd};
use crate::protocol::message::{CallId, Usage};
use crate::protocol::op::Op;
use crate::protocol::tool::{Question, ToolOutcome};
use crate::tui::key::{Code, Key};
use crate::tui::keymap::{Keymap, View};
use crate::tui::look::Theme;
use crate::tui::state::choices::{Choice, Choices, Then};
use crate::tui::state::composer::Composer;
use crate::tui::state::item::VerbTable;
use crate::tui::state::message::{Cmd, Msg};
use crate::tui::state::outside::{Given, Want};
use crate::tui::state::status::Status;
use crate::tui::state::transcript::Transcript;
use crate::tui::state::{Purpose, State};
use crate::tui::views::Views;

/// A generator of numbers that only have to look random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        let n = all.len() as u64;
        &all[usize::try_from(self.below(n)).unwrap()]
    }

    fn key(&mut self) -> Key {
        let plain = [
            Code::Enter,
            Code::Esc,
            Code::Tab,
            Code::BackTab,
            Code::Backspace,
            Code::Delete,
            Code::Up,
            Code::Down,
            Code::Left,
            Code::Right,
            Code::Home,
            Code::End,
            Code::PageUp,
            Code::PageDown,
            Code::F(1),
            Code::F(4),
            Code::F(10),
        ];
        let signs: Vec<char> = "abcdefghijklmnopqrstuvwxyzJKGD0123 @/#!\"?[].éß日🙂\u{301}ا".chars().collect();
        let code = if self.below(3) == 0 { *self.of(&plain) } else { Code::Char(*self.of(&signs)) };
        let ctrl = self.below(6) == 0;
        let alt = self.below(6) == 0;
        Key { code, ctrl, alt, shift: false }
    }
}

fn state(has_vim: bool) -> State {
    let composer = Composer::new(vec!["said before".to_owned(), "and that\nin two lines".to_owned()], "");
    let composer = if has_vim { composer.with_vim() } else { composer };
    State::new(Transcript::new(VerbTable::new()), composer, Status::default(), Keymap::read(None).unwrap())
}

fn diff() -> FileDiff {
    let hunk = |line: usize| Hunk {
        id: line.to_string(),
        old_start: line,
        old_lines: 1,
        new_start: line,
        new_lines: 1,
        lines: vec!["-old".to_owned(), "+new".to_owned()],
        words: Vec::new(),
        left_out: 0,
        is_cut: false,
    };
    FileDiff { path: "a.rs".into(), added: 2, removed: 2, hunks: vec![hunk(1), hunk(9)], ..FileDiff::default() }
}

/// What an agent might report, in an order it never would.
fn event(dice: &mut Dice) -> Event {
    let call = CallId(dice.of(&["a", "b", "user-1-1"]).to_string());
    let text =
        dice.of(&["words", "# head\n\n- a\n- b\n", "```rs\nfn a() {}\n", "日本 \u{301}\u{200d}", "\n"]).to_string();
    match dice.below(14) {
        0 => Event::TurnStarted { turn: 1 + dice.below(4) as u32 },
        1 => {
            let end = dice.of(&[TurnEnd::Answered, TurnEnd::Interrupted]).clone();
            Event::TurnDone { turn: 1, end, steps: 1, usage: Usage::default(), refused: 0 }
        }
        2 => Event::UserMessage { author: Author::User, text },
        3 | 4 => Event::TextDelta { text },
        5 => Event::ReasoningDelta { text },
        6 => Event::AssistantMessage { text, reasoning: String::new(), tool_calls: Vec::new() },
        7 => Event::ApprovalAsked {
            call,
            tool: "shell".into(),
            target: "make".into(),
            actions: Vec::new(),
            preview: (dice.below(2) == 0).then(|| Box::new(diff())),
            more: Vec::new(),
            why: "it is asked".into(),
            always: None,
        },
        8 => Event::QuestionAsked { call, question: Question { question: text, options: vec!["one".into()] } },
        9 => Event::ToolStarted { call, tool: "shell".into(), target: text },
        10 => Event::ToolOutput { call, text },
        11 => Event::ToolFinished {
            call,
            tool: "shell".into(),
            outcome: ToolOutcome::Failed { text },
            summary: "1 failed".into(),
            diffs: vec![diff()],
            seen: Vec::new(),
            duration_ms: 1,
        },
        12 => Event::Undone { turn: 1, restored: Vec::new(), conflicts: Vec::new(), checkpoint: None },
        _ => Event::Warning { text },
    }
}

/// What comes back from outside for what is wanted.
fn given(want: Want) -> Option<Given> {
    Some(match want {
        Want::Files => Given::Files(vec!["src/".into(), "src/a.rs".into(), "b c.txt".into()]),
        Want::Picks { token, .. } => {
            Given::Picks { rows: vec![Choice::new("x", "", Then::Write(format!("{token}x")))], token }
        }
        Want::Attach { text, .. } if text.len() % 3 == 0 => Given::Refused("cannot see".into()),
        Want::Attach { .. } => Given::Attached { attached: Vec::new(), trouble: vec!["no file".into()] },
        Want::Tests => Given::Tests(Some("make test".into())),
        Want::Models => Given::Choices(Choices::new("model", vec![Choice::new("m", "", Then::Say("/model m".into()))])),
        _ => return None,
    })
}

struct Storm {
    state: State,
    views: Views,
    dice: Dice,
    size: (u16, u16),
}

impl Storm {
    fn new(seed: u64) -> Self {
        let views = Views::new(Theme::without_colours());
        Self { state: state(seed.is_multiple_of(2)), views, dice: Dice(seed), size: (80, 24) }
    }

    fn step(&mut self) {
        let now = self.state.now_ms + self.dice.below(300);
        self.state.update(Msg::Tick(now));
        let msg = match self.dice.below(40) {
            0 => Msg::Paste("pasted\nlines of text ".repeat(1 + self.dice.below(40) as usize)),
            1 => Msg::Wheel(if self.dice.below(2) == 0 { -1 } else { 1 }),
            2 => Msg::Click(self.views.at(self.dice.below(120) as u16, self.dice.below(60) as u16)),
            3 => Msg::Focus(self.dice.below(2) == 0),
            4..=12 => {
                let event = event(&mut self.dice);
                Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms: now, event }))
            }
            13 => {
                self.size = (1 + self.dice.below(400) as u16, 1 + self.dice.below(200) as u16);
                return;
            }
            _ => Msg::Key(self.dice.key()),
        };
        self.take_and_look(msg);
        if self.dice.below(10) == 0 {
            self.draw();
        }
    }

    /// Takes what happened, and looks whether all that was written is still somewhere: in the composer, or acted on.
    fn take_and_look(&mut self, msg: Msg) {
        let before = self.state.draft();
        let (view, writes) = (self.state.view(), self.state.purpose == Purpose::Words);
        let is_written = writes && matches!(view, View::Composer | View::Picks);
        let done = self.take(msg.clone());
        let after = self.state.draft();
        match msg {
            Msg::Key(key) => {
                let is_vim = self.state.composer.vim_mode().is_some();
                let is_typed = key.typed().is_some() && self.state.keymap.action(view, key).is_none();
                if is_typed && is_written && !is_vim {
                    assert_eq!(after.chars().count(), before.chars().count() + 1, "{key} behind {before:?}: {after:?}");
                } else if self.state.keymap.action(view, key).is_some() && after.is_empty() {
                    self.is_somewhere(before.trim(), &done);
                }
            }
            Msg::Paste(text) if is_written || (writes && view == View::Approval) => {
                assert!(after.contains(&text), "a paste behind {before:?}: {after:?}");
            }
            // Words that are taken back stand where they can be changed.
            Msg::Paste(_) | Msg::Click(_) => {}
            Msg::Record(record) if matches!(record.event, Event::Undone { .. } | Event::Redone { .. }) => {
                self.is_somewhere(before.trim(), &done);
            }
            // What was queued may come back to be changed, where nothing stands.
            _ => assert!(before.is_empty() || after == before, "nobody wrote: {before:?} became {after:?}"),
        }
    }

    /// Fails when words that were written are nowhere any more.
    fn is_somewhere(&self, words: &str, done: &[Cmd]) {
        // A line for mimi itself is done, not kept.
        let is_for_mimi = words.is_empty() || words.starts_with(['/', '!', '#']);
        let is_kept = || {
            let state = &self.state;
            let all = state.queue.iter().cloned().chain(state.composer.written()).chain([state.draft()]);
            all.map(|text| text.trim().to_owned()).any(|text| text == words)
        };
        assert!(is_for_mimi || is_kept() || format!("{done:?}").contains(&format!("{words:?}")), "lost: {words:?}");
    }

    /// Takes what happened, with all that follows from it; returns what was done.
    fn take(&mut self, msg: Msg) -> Vec<Cmd> {
        let mut cmds = self.state.update(msg);
        let mut done = Vec::new();
        while let Some(cmd) = cmds.pop() {
            done.push(cmd.clone());
            match cmd {
                Cmd::Scroll(by) => self.views.scroll(by, &self.state),
                Cmd::Want(want) => {
                    if let Some(given) = given(want) {
                        cmds.extend(self.state.update(Msg::Given(given)));
                    }
                }
                Cmd::Edit { what, text, .. } => cmds.extend(self.state.update(Msg::Edited { what, text: Some(text) })),
                _ => {}
            }
        }
        done
    }

    fn draw(&mut self) {
        let mut buffer = Buffer::empty(Rect::new(0, 0, self.size.0, self.size.1));
        let cursor = self.views.draw(&self.state, &mut buffer);
        if let Some(cursor) = cursor {
            assert!(cursor.x < self.size.0 && cursor.y < self.size.1, "{cursor:?} in {:?}", self.size);
        }
    }
}

fn n_events() -> usize {
    std::env::var("MIMI_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(20_000)
}

#[test]
fn a_storm_of_keys_sizes_and_reports_is_weathered() {
    for seed in [0x9e37_79b9_7f4a_7c15, 0xdead_beef_cafe_f00d, 42, 7] {
        let mut storm = Storm::new(seed);
        for _ in 0..n_events() / 4 {
            storm.step();
        }
        storm.draw();
    }
}

#[test]
fn every_size_draws_whatever_is_in_front() {
    let fronts = ["", "ctrl+p", "f1", "alt+m", "/ h", "@", "alt+q", "ctrl+r", "esc esc"];
    let widths = [1, 2, 3, 7, 19, 20, 40, 80, 120, 400];
    let heights = [1, 2, 3, 5, 6, 12, 24, 36, 200];
    for front in fronts {
        let mut storm = Storm::new(1);
        let begun = Event::TurnStarted { turn: 1 };
        let said = Event::UserMessage { author: Author::User, text: "fix 日本 it".to_owned() };
        for event in [begun, said] {
            storm.take(Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms: 0, event })));
        }
        for name in ["q", "alt+enter"] {
            storm.take(Msg::Key(name.parse().unwrap()));
        }
        storm.state.status.end_turn();
        front.split(' ').filter_map(|name| name.parse().ok()).for_each(|key| drop(storm.take(Msg::Key(key))));
        for (width, height) in widths.iter().flat_map(|width| heights.iter().map(move |height| (*width, *height))) {
            storm.size = (width, height);
            storm.draw();
        }
    }
}

#[test]
fn a_paste_outlives_a_question_that_comes_over_it() {
    let mut storm = Storm::new(3);
    let log = "a line of a log\n".repeat(40);
    storm.take(Msg::Paste(log.clone()));
    let question = Question { question: "which?".to_owned(), options: Vec::new() };
    let event = Event::QuestionAsked { call: CallId("q".into()), question };
    storm.take(Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms: 0, event })));
    assert_eq!(storm.state.draft(), log, "kept in case mimi ends");
    "t h i s enter".split(' ').for_each(|name| drop(storm.take(Msg::Key(name.parse().unwrap()))));
    let cmds = storm.take(Msg::Key(Key::plain(Code::Enter)));
    assert!(cmds.contains(&Cmd::Send(Op::Submit { text: log })), "{cmds:?}");
}

#[test]
fn words_that_give_way_to_others_are_found_in_the_history() {
    let mut storm = Storm::new(3);
    let press = |storm: &mut Storm, keys: &str| {
        keys.split(' ').for_each(|name| drop(storm.take(Msg::Key(name.parse().unwrap()))));
    };
    press(&mut storm, "d r a f t ctrl+r s a i d enter");
    assert_eq!(storm.state.composer.text(), "said before");
    assert_eq!(storm.state.composer.written()[0], "draft");
}

#[test]
fn no_sign_that_is_typed_is_lost_while_the_agent_reports() {
    let mut storm = Storm::new(3);
    let text = "the quick brown fox, 日本語 and é; ".repeat(20);
    storm.take(Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms: 0, event: Event::TurnStarted { turn: 1 } })));
    for c in text.chars() {
        storm.take(Msg::Key(Key::plain(Code::Char(c))));
        let event = Event::TextDelta { text: "more words ".to_owned() };
        storm.take(Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms: 0, event })));
    }
    assert_eq!(storm.state.composer.text(), text);
}

#[test]
fn a_huge_paste_a_huge_message_and_a_huge_line_are_taken() {
    let mut storm = Storm::new(5);
    storm.take(Msg::Paste("0123456789 abcdef\n".repeat(600_000)));
    storm.draw();
    let cmds = storm.state.update(Msg::Key(Key::plain(Code::Enter)));
    let sent =
        cmds.iter().find_map(|cmd| if let Cmd::Send(Op::Submit { text }) = cmd { Some(text.len()) } else { None });
    assert_eq!(sent, Some(10_800_000), "all of it is sent");
    for text in ["x".repeat(1_000_000), "word ".repeat(10_000_000)] {
        let event = Event::AssistantMessage { text, reasoning: String::new(), tool_calls: Vec::new() };
        storm.take(Msg::Record(Box::new(Record { v: 1, seq: 1, at_ms: 0, event })));
        storm.draw();
    }
    storm.take(Msg::Paste("y".repeat(1_999)));
    (0..20).for_each(|_| drop(storm.take(Msg::Key("left".parse().unwrap()))));
    storm.draw();
}
