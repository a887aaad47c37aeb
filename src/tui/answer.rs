//! What did the terminal answer when it was asked for its background?
//!
//! The question goes out with the first frame and nobody waits for the answer: it comes among the keys, soon, late or never, and
//! must not end up in what is being written. Keys that may be the beginning of one are held until that is known.

use crate::tui::key::{Code, Key};

/// Asks for the colour of the background (OSC 11).
pub const QUESTION: &str = "\x1b]11;?\x1b\\";
/// What every answer begins with, behind its first key.
const BEGINNING: &str = "11;rgb";
/// Keys of the longest answer: `]11;rgba:ffff/ffff/ffff/ffff` and its end.
const MAX_KEYS: usize = 32;

/// How bright the background is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ground {
    /// Light words stand out.
    Dark,
    /// Dark words stand out.
    Light,
}

impl Ground {
    /// Judges by the brightness that the eye sees.
    fn of([red, green, blue]: [f64; 3]) -> Self {
        if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 { Self::Light } else { Self::Dark }
    }

    /// Reads `COLORFGBG`, which some terminals set: colours of words and ground, by number.
    pub fn from_variable(value: &str) -> Option<Self> {
        let ground: u8 = value.rsplit(';').next()?.parse().ok()?;
        Some(if matches!(ground, 7 | 9..=15) { Self::Light } else { Self::Dark })
    }
}

/// What came of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// Keys of the person, in order; none while one is held.
    Keys(Vec<Key>),
    /// The terminal's answer.
    Ground(Ground),
}

/// Listens for the answer among the keys.
#[derive(Debug, Default)]
pub struct Answer {
    held: Vec<Key>,
}

impl Answer {
    /// Takes a key.
    pub fn hear(&mut self, key: Key) -> Heard {
        let is_end = key == Key { ctrl: true, ..Key::plain(Code::Char('g')) }
            || key == Key { alt: true, ..Key::plain(Code::Char('\\')) };
        if is_end && self.text().is_some_and(|text| text.starts_with(BEGINNING)) {
            let text = self.text().unwrap_or_default();
            self.held.clear();
            return match read(&text) {
                Some(ground) => Heard::Ground(ground),
                None => Heard::Keys(Vec::new()),
            };
        }
        self.held.push(key);
        let may_be = self.text().is_some_and(|text| {
            BEGINNING.starts_with(&text)
                || text.strip_prefix(BEGINNING).is_some_and(|rest| {
                    rest.chars().all(|c| c.is_ascii_hexdigit() || matches!(c, ':' | '/')) && text.len() < MAX_KEYS
                })
        });
        if may_be { Heard::Keys(Vec::new()) } else { Heard::Keys(std::mem::take(&mut self.held)) }
    }

    /// Returns what is held, for when nothing more comes.
    pub fn give_up(&mut self) -> Vec<Key> {
        std::mem::take(&mut self.held)
    }

    /// Says whether something is held.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Returns the signs behind the first key; none when that is not one an answer begins with.
    fn text(&self) -> Option<String> {
        let (first, rest) = self.held.split_first()?;
        let is_first = *first == Key { alt: true, ..Key::plain(Code::Char(']')) };
        (is_first && rest.iter().all(|key| key.typed().is_some()))
            .then(|| rest.iter().filter_map(|key| key.typed()).collect())
    }
}

/// Reads `11;rgb:1e1e/1e1e/1e1e`: each part of one to four digits.
fn read(text: &str) -> Option<Ground> {
    let (_, colours) = text.split_once(':')?;
    let part = |part: &str| {
        let most = (16_u32.checked_pow(u32::try_from(part.len()).ok()?)?).checked_sub(1).filter(|most| *most > 0)?;
        Some(f64::from(u32::from_str_radix(part, 16).ok()?) / f64::from(most))
    };
    let mut parts = colours.split('/').map(part);
    Some(Ground::of([parts.next()??, parts.next()??, parts.next()??]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys as the reader gives them for these bytes.
    fn keys(text: &str) -> Vec<Key> {
        let mut keys = Vec::new();
        let mut signs = text.chars();
        while let Some(c) = signs.next() {
            keys.push(match c {
                '\x1b' => Key { alt: true, ..Key::plain(Code::Char(signs.next().unwrap())) },
                '\x07' => Key { ctrl: true, ..Key::plain(Code::Char('g')) },
                c => Key::plain(Code::Char(c)),
            });
        }
        keys
    }

    fn hear(text: &str) -> (Vec<Key>, Option<Ground>) {
        let (mut answer, mut person, mut ground) = (Answer::default(), Vec::new(), None);
        for key in keys(text) {
            match answer.hear(key) {
                Heard::Keys(keys) => person.extend(keys),
                Heard::Ground(found) => ground = Some(found),
            }
        }
        person.extend(answer.give_up());
        (person, ground)
    }

    #[test]
    fn answers_are_heard_among_the_keys_and_never_typed() {
        let table = [
            ("\x1b]11;rgb:1e1e/1e1e/1e1e\x07", Some(Ground::Dark)),
            ("\x1b]11;rgb:ffff/ffff/ffff\x1b\\", Some(Ground::Light)),
            ("\x1b]11;rgb:fd/f6/e3\x1b\\", Some(Ground::Light)),
            ("\x1b]11;rgba:0000/2b2b/3636/ffff\x07", Some(Ground::Dark)),
            ("\x1b]11;rgb:/\x07", None),
        ];
        for (bytes, expected) in table {
            let (person, ground) = hear(&format!("ab{bytes}cd"));
            assert_eq!((person, ground), (keys("abcd"), expected), "{bytes:?}");
        }
    }

    #[test]
    fn what_only_begins_like_an_answer_is_the_persons() {
        for text in ["\x1b]", "\x1b]11 apples", "\x1b]11;rgb is", "11;rgb:00/00/00\x07", "\x1b]\x1b]", "\x07"] {
            assert_eq!(hear(text), (keys(text), None), "{text:?}");
        }
        let long = format!("\x1b]11;rgb:{}", "0".repeat(100));
        assert_eq!(hear(&long), (keys(&long), None));
    }

    #[test]
    fn the_variable_names_the_ground_last() {
        let table = [
            ("15;0", Some(Ground::Dark)),
            ("0;15", Some(Ground::Light)),
            ("0;default;7", Some(Ground::Light)),
            ("", None),
        ];
        for (value, expected) in table {
            assert_eq!(Ground::from_variable(value), expected, "{value}");
        }
    }
}
