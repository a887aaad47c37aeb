//! Which assertions and expected values does a text hold?
//!
//! Read by their looks, without a parser for each language: an assertion is what its first word begins, up to the end of the line
//! on which no bracket is open any more; a line of expected values is one that holds nothing but literals. Good enough to
//! tell whether one of them is gone, which is all that is asked.

use regex::Regex;

/// Bytes of one statement that are compared.
const MAX_BYTES: usize = 4000;

/// Returns every statement that begins where `start` matches, on one line and without needless blanks.
pub fn statements(text: &str, start: &Regex) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(hit) = start.find_at(text, at) {
        let whole = hit.start() + end_of(&text[hit.start()..], hit.len());
        found.push(squeezed(&text[hit.start()..whole]));
        at = whole.max(hit.end()).max(at + 1);
        while at < text.len() && !text.is_char_boundary(at) {
            at += 1;
        }
        if at > text.len() {
            break;
        }
    }
    found
}

/// Returns where a statement ends: at the end of a line on which all brackets are closed. `least` bytes belong to it anyway.
fn end_of(text: &str, least: usize) -> usize {
    let (mut depth, mut quote) = (0_i32, None);
    let mut signs = text.char_indices().take_while(|(at, _)| *at < MAX_BYTES).peekable();
    while let Some((at, sign)) = signs.next() {
        match (quote, sign) {
            (Some(_), '\\') => drop(signs.next()),
            (Some(open), sign) if open == sign => quote = None,
            // A quote that is never closed on its line was an apostrophe, or a lifetime.
            (Some('\'' | '"'), '\n') => quote = None,
            (None, '"' | '`' | '\'') => quote = Some(sign),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth -= 1,
            _ => {}
        }
        let is_over = quote.is_none() && (depth < 0 || (depth == 0 && matches!(sign, '\n' | ';')));
        if is_over && at >= least {
            return at;
        }
    }
    signs.peek().map_or_else(|| text.len().min(floor(text, MAX_BYTES)), |(at, _)| *at)
}

fn floor(text: &str, mut at: usize) -> usize {
    at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").trim_end_matches([';', ',', '{']).trim_end().to_owned()
}

/// Returns the lines that hold nothing but literals.
pub fn values(text: &str) -> impl Iterator<Item = String> {
    text.lines().filter(|line| is_values(line)).map(squeezed)
}

fn is_values(line: &str) -> bool {
    const WORDS: [&str; 16] = [
        "true",
        "false",
        "null",
        "None",
        "nil",
        "Some",
        "Ok",
        "Err",
        "vec",
        "True",
        "False",
        "undefined",
        "nullptr",
        "NaN",
        "r",
        "b",
    ];
    let (mut quote, mut word, mut has_value) = (None, String::new(), false);
    for sign in line.trim().chars().chain(['\n']) {
        match (quote, sign) {
            (Some(open), sign) if open == sign => quote = None,
            (Some(_), _) => {}
            (None, sign) if sign.is_alphanumeric() || sign == '_' => word.push(sign),
            (None, sign) => {
                let is_number = word.starts_with(|c: char| c.is_ascii_digit());
                if !word.is_empty() && !is_number && !WORDS.contains(&word.as_str()) {
                    return false;
                }
                has_value |= !word.is_empty();
                word.clear();
                if matches!(sign, '"' | '\'' | '`') {
                    quote = Some(sign);
                    has_value = true;
                }
            }
        }
    }
    has_value && quote.is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_reaches_to_where_its_brackets_are_closed() {
        let rust = Regex::new(r"\bassert(_\w+)?!").unwrap();
        let python = Regex::new(r"(?m)^\s*assert\b|self\.assert\w+\(").unwrap();
        let table = [
            (&rust, "    assert_eq!(\n        a(1),\n        2\n    );\n    let x = 1;", vec!["assert_eq!( a(1), 2 )"]),
            (&rust, "assert!(a); assert!(b);\n", vec!["assert!(a)", "assert!(b)"]),
            (&rust, "assert!(text == \"a ) ; b\");\nx", vec!["assert!(text == \"a ) ; b\")"]),
            (&python, "def test():\n    assert f(1) == 2\n    x = 1\n", vec!["assert f(1) == 2"]),
            (&python, "    assert f(\n        1,\n    ) == 2\n    pass\n", vec!["assert f( 1, ) == 2"]),
            (&python, "    self.assertEqual(1, 2)\n", vec!["self.assertEqual(1, 2)"]),
            (&rust, "assert!(", vec!["assert!("]),
            (&rust, "", vec![]),
        ];
        for (start, text, expected) in table {
            assert_eq!(statements(text, start), expected, "{text}");
        }
    }

    #[test]
    fn a_line_of_values_holds_nothing_but_literals() {
        let table = [
            ("    (1, \"a\", None),", true),
            ("    [1.5, -2, true],", true),
            ("\"key\": 'it is so',", true),
            ("    Some(3),", true),
            ("let x = 3;", false),
            ("    f(3),", false),
            ("})", false),
            ("", false),
            ("x: 3", false),
        ];
        for (line, expected) in table {
            assert_eq!(is_values(line), expected, "{line}");
        }
    }
}
