//! How much stands on the screen beside the conversation?
//!
//! Three levels, as a person's skill grows: the conversation and its changes; panels of plan, files and running commands; the
//! server and the records themselves. Each level has the layouts of those before it. What was chosen is remembered.

use serde::{Deserialize, Serialize};

use crate::protocol::event::{Event, Record};
use crate::tui::keymap::Action;
use crate::tui::state::State;
use crate::tui::state::around::Ask;
use crate::tui::state::message::Cmd;
use crate::tui::state::outside::Want;

/// Time between two looks at the server while its panel is there, in milliseconds.
pub const SERVER_MS: u64 = 4000;
/// Steps of a plan from which a panel for it helps.
const OFFERED_STEPS: usize = 3;

/// How much a person wants to see.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The conversation and its changes.
    #[default]
    Simple,
    /// Panels beside it: plan, files, running commands.
    Advanced,
    /// The server and the records as well.
    Expert,
}

/// What stands beside the conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// Nothing.
    #[default]
    Chat,
    /// Plan, files, running commands.
    Build,
    /// The server, and the records as they come.
    Debug,
}

/// What is remembered from one time to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Kept {
    /// How much a person wants to see.
    pub level: Level,
    /// What of it they look at.
    pub preset: Preset,
    /// Whether the next level was offered.
    pub is_offered: bool,
}

/// Every level with its name and the most it shows.
pub const LEVELS: [(&str, Level, Preset); 3] = [
    ("simple", Level::Simple, Preset::Chat),
    ("advanced", Level::Advanced, Preset::Build),
    ("expert", Level::Expert, Preset::Debug),
];

/// Every layout with its name.
pub const PRESETS: [(&str, Preset); 3] = [("chat", Preset::Chat), ("build", Preset::Build), ("debug", Preset::Debug)];

impl Kept {
    /// Says whether records are shown as they are.
    pub fn shows_raw(self) -> bool {
        self.preset == Preset::Debug
    }
}

impl Level {
    /// Names it.
    pub fn name(self) -> &'static str {
        LEVELS[self as usize].0
    }

    /// Reads its name.
    pub fn named(name: &str) -> Option<Self> {
        LEVELS.iter().find(|(known, ..)| *known == name).map(|(_, level, _)| *level)
    }
}

impl Preset {
    /// Names it.
    pub fn name(self) -> &'static str {
        PRESETS[self as usize].0
    }

    /// Reads its name.
    pub fn named(name: &str) -> Option<Self> {
        PRESETS.iter().find(|(known, _)| *known == name).map(|(_, preset)| *preset)
    }
}

impl State {
    /// Goes to a level, or to the next, with all that it shows.
    pub(super) fn set_level(&mut self, level: Option<Level>) -> Vec<Cmd> {
        let next = (self.around.kept.level as usize + 1) % LEVELS.len();
        let (name, level, preset) = LEVELS[level.map_or(next, |level| level as usize)];
        self.around.kept = Kept { level, preset, is_offered: true };
        let shows = match preset {
            Preset::Chat => "the conversation and its changes",
            Preset::Build => "plan, files and running commands beside it, on wide screens",
            Preset::Debug => "the server and the records beside it, on wide screens",
        };
        self.hint = Some(format!("level {name}: {shows}"));
        self.arranged()
    }

    /// Goes to a layout, or to the next of those the level has.
    pub(super) fn set_preset(&mut self, preset: Option<Preset>) -> Vec<Cmd> {
        let Kept { level, preset: now, .. } = self.around.kept;
        let n = level as usize + 1;
        let at = preset.map_or((now as usize + 1) % n, |preset| preset as usize);
        let (name, preset) = PRESETS[at];
        // Who names a layout of a higher level has arrived there.
        let level = level.max(LEVELS[at].1);
        self.around.kept = Kept { level, preset, is_offered: true };
        self.hint = Some(match level {
            Level::Simple => {
                let key = self.keymap.key_of(self.view(), Action::NextLevel).unwrap_or_default();
                format!("the level simple has one layout; {key} goes to the next level")
            }
            _ => format!("layout {name}"),
        });
        self.arranged()
    }

    fn arranged(&mut self) -> Vec<Cmd> {
        let mut cmds = vec![Cmd::Want(Want::Around(Ask::Keep(self.around.kept)))];
        if !self.around.kept.shows_raw() {
            self.around.raw.clear();
        }
        cmds.extend(self.ask_server(0));
        cmds
    }

    /// Has the server looked at, as long as somebody sees it.
    pub(in crate::tui::state) fn ask_server(&mut self, after_ms: u64) -> Vec<Cmd> {
        if self.around.kept.preset != Preset::Debug || self.around.is_asking {
            return Vec::new();
        }
        self.around.is_asking = true;
        vec![Cmd::Want(Want::Around(Ask::Server { after_ms }))]
    }

    /// Says once that there is more to see, when it would help: a plan of some length, in the simplest level.
    pub(in crate::tui::state) fn offer_level(&mut self, record: &Record) -> Vec<Cmd> {
        let helps = matches!(&record.event, Event::PlanUpdated { plan } if plan.steps.len() >= OFFERED_STEPS);
        if !helps || self.around.kept.is_offered || self.around.kept.level != Level::Simple {
            return Vec::new();
        }
        self.around.kept.is_offered = true;
        if let Some(key) = self.keymap.key_of(self.view(), Action::NextLevel) {
            self.note_dim(format!("{key} shows plan, files and running commands beside the conversation"));
        }
        vec![Cmd::Want(Want::Around(Ask::Keep(self.around.kept)))]
    }
}
