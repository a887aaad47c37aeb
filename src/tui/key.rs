//! What did the person press, in terms of mimi's own?
//!
//! The outside crate that reads the terminal stays behind [`crate::tui::terminal`]; everything else knows only these keys, by
//! the names a keymap file uses: `ctrl+k`, `alt+enter`, `pagedown`, `?`.

use std::fmt;
use std::str::FromStr;

/// Which key, without what was held with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Code {
    /// A sign. Shift is in the sign itself: `A`, `?`.
    Char(char),
    /// Enter.
    Enter,
    /// Escape.
    Esc,
    /// Tab.
    Tab,
    /// Shift and Tab.
    BackTab,
    /// Removes the sign before the cursor.
    Backspace,
    /// Removes the sign at the cursor.
    Delete,
    /// An arrow.
    Up,
    /// An arrow.
    Down,
    /// An arrow.
    Left,
    /// An arrow.
    Right,
    /// To the beginning.
    Home,
    /// To the end.
    End,
    /// A page back.
    PageUp,
    /// A page on.
    PageDown,
    /// F1 to F12.
    F(u8),
}

/// A key with what was held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// Which key.
    pub code: Code,
    /// Whether Ctrl was held.
    pub ctrl: bool,
    /// Whether Alt was held.
    pub alt: bool,
    /// Whether Shift was held with a key that is no sign.
    pub shift: bool,
}

/// Names of keys that are no signs.
const NAMES: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("tab", Code::Tab),
    ("backtab", Code::BackTab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("pageup", Code::PageUp),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
];

impl Key {
    /// A key with nothing held.
    pub const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// Returns the sign that is typed by this key; none for keys that do something.
    pub fn typed(self) -> Option<char> {
        match self.code {
            Code::Char(c) if !self.ctrl && !self.alt => Some(c),
            _ => None,
        }
    }
}

impl FromStr for Key {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let unknown = || format!("there is no key `{name}`; keys are written as ctrl+k, alt+enter, pagedown, f1 or ?");
        let mut key = Self::plain(Code::Esc);
        let mut rest = name;
        loop {
            let (held, after) = match rest.split_once('+') {
                // The key `+` itself.
                Some(("", _)) | None => break,
                Some(split) => split,
            };
            match held {
                "ctrl" => key.ctrl = true,
                "alt" => key.alt = true,
                "shift" => key.shift = true,
                _ => return Err(unknown()),
            }
            rest = after;
        }
        key.code = code(rest).ok_or_else(unknown)?;
        if key.shift && matches!(key.code, Code::Char(_)) {
            return Err(format!("`{name}`: write the sign itself, as the keyboard gives it: `A`, `?`"));
        }
        Ok(key)
    }
}

fn code(name: &str) -> Option<Code> {
    let mut signs = name.chars();
    if let (Some(c), None) = (signs.next(), signs.next()) {
        return Some(Code::Char(c));
    }
    if let Some((_, code)) = NAMES.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    let n: u8 = name.strip_prefix('f')?.parse().ok()?;
    (1..=12).contains(&n).then_some(Code::F(n))
}

impl fmt::Display for Key {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (is_held, name) in [(self.ctrl, "ctrl+"), (self.alt, "alt+"), (self.shift, "shift+")] {
            if is_held {
                out.write_str(name)?;
            }
        }
        match self.code {
            Code::F(n) => write!(out, "f{n}"),
            code => match NAMES.iter().find(|(_, known)| *known == code) {
                Some((name, _)) => out.write_str(name),
                None => match code {
                    Code::Char(c) => write!(out, "{c}"),
                    _ => Ok(()),
                },
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_written_alike() {
        for name in [
            "ctrl+k",
            "alt+enter",
            "shift+tab",
            "?",
            "A",
            "+",
            "ctrl++",
            "f1",
            "f12",
            "pagedown",
            "space",
            "ctrl+alt+x",
        ] {
            let key: Key = name.parse().unwrap();
            assert_eq!(key.to_string(), name);
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for name in ["", "ctrl+", "strg+k", "f13", "f0", "pagdown", "shift+a"] {
            assert!(name.parse::<Key>().is_err(), "{name}");
        }
    }
}
