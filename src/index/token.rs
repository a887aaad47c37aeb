//! Which words does a text consist of, for searching?
//!
//! Identifiers are cut into their parts, lowered and stemmed, by the very rules the built-in embedder was trained with
//! (`config/embedder/README.md`): a changed rule here makes its table useless. What is longer than any identifier is data
//! and no word. Words of other scripts, which the embedder does not know, are found by [`foreign`].

/// Longest run of characters that is taken for an identifier; what is longer is encoded data or a key.
const MAX_RUN_BYTES: usize = 64;
/// Words as long as this are not stemmed.
const SHORT: usize = 4;
/// Letters a stem keeps.
const MIN_STEM: usize = 3;

/// What a byte may be of an identifier or a number.
const LETTER: u8 = 1;
const DIGIT: u8 = 2;
/// By the byte: every byte of a project is looked up here, which takes half the time of asking for ranges.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphabetic() || byte as u8 == b'_' {
            classes[byte] = LETTER;
        } else if (byte as u8).is_ascii_digit() {
            classes[byte] = DIGIT;
        }
        byte += 1;
    }
    classes
};

/// Calls `each` with every run of an identifier or a number in a text.
pub fn runs<'t>(text: &'t str, mut each: impl FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let begin = at;
        let within = match CLASSES[usize::from(bytes[at])] {
            LETTER => LETTER | DIGIT,
            // A letter behind a number begins something new.
            DIGIT => DIGIT,
            _ => {
                at += 1;
                continue;
            }
        };
        while bytes.get(at).is_some_and(|byte| CLASSES[usize::from(*byte)] & within != 0) {
            at += 1;
        }
        if at - begin <= MAX_RUN_BYTES {
            each(&text[begin..at]);
        }
    }
}

/// Calls `each` with the parts of an identifier as they are written: `HTTPServer2` has `HTTP`, `Server` and `2`.
pub fn parts<'t>(run: &'t str, mut each: impl FnMut(&'t str)) {
    let bytes = run.as_bytes();
    let while_at = |mut at: usize, fits: fn(&u8) -> bool| {
        while bytes.get(at).is_some_and(fits) {
            at += 1;
        }
        at
    };
    let mut at = 0;
    while at < bytes.len() {
        let begin = at;
        let byte = bytes[at];
        at = if byte.is_ascii_uppercase() {
            let end = while_at(at, u8::is_ascii_uppercase);
            let is_word = bytes.get(end).is_some_and(u8::is_ascii_lowercase);
            match end - at {
                1 if is_word => while_at(end, u8::is_ascii_lowercase),
                // The last capital begins the next word.
                _ if is_word => end - 1,
                _ => end,
            }
        } else if byte.is_ascii_lowercase() {
            while_at(at, u8::is_ascii_lowercase)
        } else if byte.is_ascii_digit() {
            while_at(at, u8::is_ascii_digit)
        } else {
            at += 1;
            continue;
        };
        each(&run[begin..at]);
    }
}

/// Stems a lower-case word in place.
pub fn stem(word: &mut String) {
    if word.len() <= SHORT {
        return;
    }
    if word.ends_with("ies") {
        word.truncate(word.len() - 3);
        word.push('y');
        return;
    }
    let fits =
        |ending: &&str| word.ends_with(*ending) && word.len() - ending.len() >= MIN_STEM && !word.ends_with("ss");
    if let Some(ending) = ["ing", "ed", "es", "s", "er"].into_iter().find(fits) {
        word.truncate(word.len() - ending.len());
        let bytes = word.as_bytes();
        if let [.., before, last] = bytes
            && before == last
            && !b"ls".contains(last)
            && bytes.len() > 2
        {
            word.pop();
        }
    }
    if word.len() > SHORT {
        word.truncate(word.trim_end_matches('e').len());
    }
}

/// Calls `each` with every stemmed part of every identifier of a text, in its order, and, after the parts of an identifier
/// that has several, with the whole of it in lower case, marked as such.
pub fn tokens(text: &str, mut each: impl FnMut(&str, Form)) {
    let mut word = String::new();
    runs(text, |run| of_run(run, &mut word, &mut each));
}

/// As [`tokens`], of one identifier; `word` is room to put them together.
pub fn of_run(run: &str, word: &mut String, mut each: impl FnMut(&str, Form)) {
    let mut n_parts = 0;
    parts(run, |part| {
        n_parts += 1;
        word.clear();
        word.push_str(part);
        word.make_ascii_lowercase();
        stem(word);
        each(word, Form::Part);
    });
    if n_parts > 1 {
        word.clear();
        word.push_str(run);
        word.make_ascii_lowercase();
        each(word, Form::Whole);
    }
}

/// What a token is of its identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A stemmed part.
    Part,
    /// All of an identifier of several parts.
    Whole,
}

/// Calls `each` with the words of a text that are not written in ASCII letters alone: in lower case; scripts without
/// spaces in pairs of characters.
pub fn foreign(text: &str, mut each: impl FnMut(&str)) {
    if text.is_ascii() {
        return;
    }
    for run in
        text.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_ascii() && run.len() <= 4 * MAX_RUN_BYTES)
    {
        if run.chars().any(is_unspaced) {
            let chars: Vec<char> = run.chars().collect();
            chars.windows(2).for_each(|pair| each(&pair.iter().collect::<String>()));
            if chars.len() == 1 {
                each(run);
            }
        } else {
            each(&run.to_lowercase());
        }
    }
}

/// Chinese characters, kana, Hangul and Thai, by the blocks of Unicode.
fn is_unspaced(c: char) -> bool {
    matches!(u32::from(c), 0x0E00..=0x0E7F | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        tokens(text, |token, _| found.push(token.to_owned()));
        found
    }

    #[test]
    fn identifiers_are_cut_where_people_cut_them() {
        let table = [
            ("HTTPServer", vec!["http", "serv", "httpserver"]),
            ("parse_request_line2", vec!["pars", "request", "line", "2", "parse_request_line2"]),
            ("AServer", vec!["a", "serv", "aserver"]),
            ("__init__", vec!["init"]),
            ("ABC", vec!["abc"]),
            ("x86-64 é", vec!["x", "86", "x86", "64"]),
        ];
        for (text, expected) in table {
            assert_eq!(all(text), expected, "{text}");
        }
        assert!(all(&"A1".repeat(40)).is_empty(), "data is no word");
    }

    #[test]
    fn stems_follow_the_rules_of_the_table() {
        let table = [
            ("queries", "query"),
            ("running", "run"),
            ("classes", "class"),
            ("class", "class"),
            ("falling", "fall"),
            ("parse", "pars"),
            ("bytes", "byt"),
            ("used", "used"),
            ("server", "serv"),
            ("tree", "tree"),
            ("being", "being"),
        ];
        for (word, expected) in table {
            let mut stemmed = word.to_owned();
            stem(&mut stemmed);
            assert_eq!(stemmed, expected, "{word}");
        }
    }

    #[test]
    fn other_scripts_have_words_too() {
        let mut found = Vec::new();
        foreign("Größe naïve plain разбор 読み込み 字", |word| found.push(word.to_owned()));
        assert_eq!(found, ["größe", "naïve", "разбор", "読み", "み込", "込み", "字"]);
    }
}
