//! How does mimi use a terminal?
//!
//! The section `ui`: colours, faces, keys, what a terminal is asked for beside cells. Like all sections it is data.

use serde::{Deserialize, Serialize};

/// When output is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ColorChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Which face a conversation has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ScreenChoice {
    /// The full screen, where the terminal can do that.
    Auto,
    /// The full screen.
    Full,
    /// Line by line.
    Inline,
}

/// When the walk for newcomers is shown by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WalkChoice {
    /// Before the first conversation.
    First,
    /// Never: `mimi onboard` shows it.
    Never,
}

/// Whose keys move and change words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum KeysChoice {
    /// Those of most programs: arrows, Ctrl keys as in a shell.
    Plain,
    /// Those of vi.
    Vim,
}

/// Whether the mouse is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum MouseChoice {
    /// Unless mimi runs on another machine.
    Auto,
    /// Always.
    On,
    /// Never: the terminal selects text with it.
    Off,
}

/// How the person is told of something while they look elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotifyChoice {
    /// As the terminal can; the bell where nothing better is known.
    Auto,
    /// The bell.
    Bell,
    /// As iTerm2 began it: most terminals.
    Osc9,
    /// As urxvt began it: foot, Ghostty, WezTerm.
    Osc777,
    /// As kitty began it.
    Osc99,
    /// Not at all.
    Off,
}

/// The terminal.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct UiConfig {
    /// When output is coloured.
    pub color: ColorChoice,
    /// Which face `mimi chat` shows.
    pub screen: ScreenChoice,
    /// Whose keys move and change words in the full screen.
    pub keys: KeysChoice,
    /// Whether the full screen takes the mouse.
    pub mouse: MouseChoice,
    /// How the person is told that a long turn ended, or asks, while they look elsewhere.
    pub notify: NotifyChoice,
    /// Seconds from which a turn is long.
    pub notify_after_s: u64,
    /// How the full screen looks: a theme that comes along, or a file `themes/NAME.yaml` beside the configuration.
    pub theme: String,
    /// What prints the line in the place of the status line; empty for none.
    pub status_command: String,
    /// When the walk for newcomers is shown by itself.
    pub walk: WalkChoice,
}
