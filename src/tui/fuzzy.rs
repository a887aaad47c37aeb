//! Which of many names did the person mean by a few signs?
//!
//! The signs of a pattern must occur in order, not side by side: `stst` finds `src/tui/state`. Names in which they begin words,
//! stand together or are in the last part of a path come first. Words between blanks must all fit, in any order. Pure, and
//! quick enough to be asked with every key: 100,000 paths are ranked within one frame.

/// Signs of a name that are looked at; of longer ones only whether they contain the pattern.
const MAX_SIGNS: usize = 256;
/// Marks a place where nothing fits.
const NONE: i32 = i32::MIN / 2;
/// What a sign is worth that is there, and more where it follows the last one or begins a word or a part of a path.
const THERE: i32 = 16;
const FOLLOWS: i32 = 18;
const BEGINS_WORD: i32 = 12;
const BEGINS_PART: i32 = 14;
/// More for signs in the last part of a path.
const IN_NAME: i32 = 4;
/// A word that the name only contains far behind, or that only its description contains.
const CONTAINED: i32 = 8;

/// A pattern as it was typed.
#[derive(Debug, Default)]
pub struct Pattern {
    words: Vec<Vec<char>>,
    // Kept from name to name, so that ranking many allocates little.
    signs: Vec<char>,
    worth: Vec<i32>,
    before: Vec<i32>,
    here: Vec<i32>,
}

impl Pattern {
    /// Reads what was typed; case does not matter.
    pub fn new(typed: &str) -> Self {
        let words = typed.split_whitespace().map(|word| word.chars().flat_map(char::to_lowercase).collect());
        Self { words: words.collect(), ..Self::default() }
    }

    /// Says how well a name fits, more being better; none when it does not. A description may contain words the name lacks.
    pub fn rate(&mut self, name: &str, description: &str) -> Option<i32> {
        let words = std::mem::take(&mut self.words);
        // Most names fall out here, before anything is weighed.
        let is_out = description.is_empty() && name.len() <= MAX_SIGNS && !words.iter().all(|word| may_fit(word, name));
        if is_out {
            self.words = words;
            return None;
        }
        self.read(name);
        let rates = words.iter().map(|word| {
            let contains = |text: &str| {
                let word: String = word.iter().collect();
                text.to_lowercase().contains(&word).then_some(CONTAINED * i32::try_from(word.len()).unwrap_or(0))
            };
            let is_long = name.len() > MAX_SIGNS;
            self.rate_word(word)
                .or_else(|| if is_long { contains(name) } else { None })
                .or_else(|| contains(description))
        });
        let rate = rates.sum();
        self.words = words;
        rate
    }

    fn read(&mut self, name: &str) {
        self.signs.clear();
        self.worth.clear();
        let name_from = name.trim_end_matches('/').rfind('/').map_or(0, |at| at + 1);
        let mut last = '/';
        for (at, sign) in name.char_indices().take(MAX_SIGNS) {
            let begins = match last {
                '/' => BEGINS_PART,
                _ if !last.is_alphanumeric() || last.is_lowercase() && sign.is_uppercase() => BEGINS_WORD,
                _ => 0,
            };
            self.worth.push(begins + if at >= name_from { IN_NAME } else { 0 });
            // One sign for one: where small letters are several, the first tells.
            self.signs.push(sign.to_lowercase().next().unwrap_or(sign));
            last = sign;
        }
    }

    /// Finds the best way in which the signs of a word occur in order.
    fn rate_word(&mut self, word: &[char]) -> Option<i32> {
        let mut rest = self.signs.iter();
        if !word.iter().all(|sign| rest.any(|there| there == sign)) {
            return None;
        }
        let n = self.signs.len();
        self.before.clear();
        self.before.resize(n, NONE);
        for (nth, sign) in word.iter().enumerate() {
            self.here.clear();
            self.here.resize(n, NONE);
            // The best end of what came before, less what lies between.
            let mut best = if nth == 0 { 0 } else { NONE };
            for at in 0..n {
                if self.signs[at] == *sign {
                    let follows = if at > 0 { self.before[at - 1] + FOLLOWS } else { NONE };
                    self.here[at] = best.max(follows) + THERE + self.worth[at];
                }
                if nth > 0 {
                    best = (best - 1).max(self.before[at] - 1);
                }
            }
            std::mem::swap(&mut self.before, &mut self.here);
        }
        self.before.iter().copied().max().filter(|rate| *rate > 0)
    }
}

/// Says whether the plain signs of a word occur in order, whatever their case; of other signs anything may be.
fn may_fit(word: &[char], name: &str) -> bool {
    let mut bytes = name.bytes();
    word.iter().filter(|sign| sign.is_ascii()).all(|sign| {
        let sign = u8::try_from(*sign).unwrap_or_default();
        bytes.any(|byte| byte.eq_ignore_ascii_case(&sign))
    })
}

/// Ranks names with their descriptions: the places of those that fit, best first; of equals the shorter, then the earlier. All,
/// in their order, for an empty pattern.
pub fn rank<'a>(typed: &str, all: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<usize> {
    let mut pattern = Pattern::new(typed);
    let rated = all.enumerate().filter_map(|(at, (name, description))| {
        Some((std::cmp::Reverse(pattern.rate(name, description)?), name.len(), at))
    });
    let mut rated: Vec<_> = rated.collect();
    if !typed.trim().is_empty() {
        rated.sort_unstable();
    }
    rated.into_iter().map(|(_, _, at)| at).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranked<'a>(typed: &str, names: &[&'a str]) -> Vec<&'a str> {
        rank(typed, names.iter().map(|name| (*name, ""))).into_iter().map(|at| names[at]).collect()
    }

    #[test]
    fn the_best_comes_first_and_what_does_not_fit_not_at_all() {
        let table: [(&str, &[&str], &[&str]); 9] = [
            ("", &["b", "a"], &["b", "a"]),
            ("xz", &["zx", "y"], &[]),
            ("stst", &["src/tui/state.rs", "src/a/b.rs"], &["src/tui/state.rs"]),
            ("state", &["src/state_of/a.rs", "src/tui/state.rs"], &["src/tui/state.rs", "src/state_of/a.rs"]),
            ("mod", &["src/model.rs", "src/a/mod.rs", "my/odd.rs"], &["src/model.rs", "src/a/mod.rs", "my/odd.rs"]),
            ("cp", &["scope.rs", "ChatPanel.rs", "chat_panel.rs"], &["ChatPanel.rs", "chat_panel.rs", "scope.rs"]),
            ("CALC", &["calc.py"], &["calc.py"]),
            ("rs state", &["src/tui/state.rs", "state.py"], &["src/tui/state.rs"]),
            ("é", &["Éa", "ea"], &["Éa"]),
        ];
        for (typed, names, expected) in table {
            assert_eq!(ranked(typed, names), expected, "{typed}");
        }
    }

    #[test]
    fn a_description_is_searched_too_and_counts_less() {
        let all = [("/undo", "take back"), ("/back", ""), ("/redo", "again")];
        assert_eq!(rank("back", all.into_iter()), [1, 0]);
    }

    #[test]
    fn what_stands_far_behind_in_a_long_text_is_found() {
        let long = format!("{} needle", "x ".repeat(1000));
        assert_eq!(ranked("needle", &[&long, "none"]), [long.as_str()]);
    }
}
