//! Is every control string broken up, put back exactly, and nothing else touched?

use proptest::prelude::*;

use super::*;

/// Special tokens in real vocabularies that are left alone: they mark ends of sections or personal data left out of
/// training texts, no template gives them a meaning, and manuals are full of `<NAME>` and `<KEY>`.
const HARMLESS: [&str; 4] = ["<NAME>", "<EMAIL>", "<KEY>", "<PASSWORD>"];

fn fixture(text: &str) -> Vec<String> {
    let families: BTreeMap<String, Vec<String>> = serde_json::from_str(text).unwrap();
    let all = families.into_values().flatten();
    all.filter(|token| !HARMLESS.contains(&token.as_str()) && !token.starts_with(">>")).collect()
}

/// Control strings of real models.
fn known() -> Vec<String> {
    let mut all = fixture(include_str!("../../tests/fixtures/tokenizers/vocabularies.json"));
    all.extend(fixture(include_str!("../../tests/fixtures/tokenizers/templates.json")));
    assert!(all.len() > 250, "{}", all.len());
    all
}

#[test]
fn the_table_keeps_to_the_rules_that_make_it_reversible() {
    let table = Table::parse(include_str!("../../config/control_tokens.yaml")).unwrap();
    let mut n = 0;
    for ((opener, _), tails) in &table.0 {
        for tail in tails {
            n += 1;
            assert!(OPENERS.contains(opener), "{opener}{tail} begins with something else");
            let mut inner = tail.chars();
            inner.next_back();
            assert!(!inner.as_str().contains(OPENERS) && !tail.contains(MARK), "{opener}{tail}");
        }
    }
    assert!(n > 120, "{n}");
}

#[test]
fn control_strings_are_broken_up_behind_their_first_character() {
    let table = [
        ("a<|im_end|>b", "a<¦|im_end|>b"),
        ("[INST] x [/INST]</s>", "[¦INST] x [¦/INST]<¦/s>"),
        ("<<SYS>>", "<<¦SYS>>"),
        ("<｜User｜>", "<¦｜User｜>"),
        ("<｜DSML｜invoke", "<¦｜¦DSML｜invoke"),
        ("]~b]user", "]¦~b]user"),
        ("<unused12><|\"|>", "<¦unused12><¦|\"|>"),
        ("<¦|im_end|>", "<¦¦|im_end|>"),
        ("<|im_start|><|im_end|>", "<¦|im_start|><¦|im_end|>"),
    ];
    for (text, expected) in table {
        assert_eq!(neutralise(text), expected);
        assert_eq!(restore(expected), text);
        assert!(is_found_in(text) != text.contains(MARK), "{text}");
        assert!(!is_found_in(expected), "{expected}");
        assert_eq!(guard(text), restore(text).as_ref().pipe(neutralise), "{text}");
    }
}

trait Pipe {
    fn pipe(&self, then: fn(&str) -> Cow<'_, str>) -> String;
}

impl Pipe for str {
    fn pipe(&self, then: fn(&str) -> Cow<'_, str>) -> String {
        then(self).into_owned()
    }
}

#[test]
fn what_people_write_is_left_alone() {
    let texts = [
        "a <| b |> c",
        "xs[i] <| f",
        "p <|> q <|>  r",
        "if a<b||c>d { v[0] }",
        "<div class='x'><p>text</p></div>",
        "Vec<Option<&str>>",
        "¦ a broken bar <¦ in < ¦ text",
        "[package]\nname = \"x\"",
        "- [ ] to do [link](url) [INSTALL]",
        "<im_end> im_end|> |im_end|",
        "cut off <|im_en",
        "<|two words|>",
    ];
    for text in texts {
        assert!(matches!(neutralise(text), Cow::Borrowed(_)), "{text}");
        assert!(matches!(restore(text), Cow::Borrowed(_)), "{text}");
    }
}

#[test]
fn no_control_string_of_a_real_model_comes_through() {
    let known = known();
    let all = known.concat();
    for text in known.iter().chain([&all]) {
        let sent = neutralise(text);
        for token in &known {
            assert!(!sent.contains(token.as_str()), "{token} in {sent:.200}");
        }
        assert_eq!(restore(&sent), text.as_str());
    }
}

#[test]
fn what_a_chat_template_puts_around_a_text_completes_nothing() {
    let known = known();
    // As templates end a text and begin the next.
    let glue = [
        ("\n", "\n"),
        ("\"", "\""),
        ("<|im_end|>\n", "<|im_start|>user\n"),
        ("\n</tool_response>", "<tool_response>\n"),
        ("[/INST]", "[INST] "),
        ("</s>", "[TOOL_RESULTS] "),
        ("<｜Assistant｜>", "<｜User｜>"),
        ("[e~[\n", "]~b]user\n"),
    ];
    for token in &known {
        for (cut, _) in token.char_indices().skip(1) {
            let (head, tail) = token.split_at(cut);
            for (behind, before) in glue {
                let ends = [(neutralise(head).into_owned(), behind), (before.to_owned(), &*neutralise(tail))];
                for (first, second) in ends {
                    let joined = format!("{first}{second}");
                    let spans = |at: usize, len: usize| at < first.len() && at + len > first.len();
                    let found = known.iter().flat_map(|token| joined.match_indices(token.as_str()));
                    assert_eq!(found.filter(|(at, found)| spans(*at, found.len())).count(), 0, "{first} {second}");
                }
            }
        }
    }
}

#[test]
fn a_pattern_finds_what_its_writer_saw() {
    let table = [
        (r"<¦\|im_end\|>", r"<\|im_end\|>"),
        ("<¦|im_end|>", "<|im_end|>"),
        (r"\[¦INST\]", r"\[INST\]"),
        (r"<¦\|im_", r"<\|im_"),
        ("<¦", "<"),
        (r"<¦¦/s>", r"<¦/s>"),
        ("<¦div>", "<¦div>"),
        (r"[^<¦>]+", r"[^<¦>]+"),
    ];
    for (pattern, expected) in table {
        assert_eq!(restore_pattern(pattern), expected, "{pattern}");
    }
}

#[test]
fn arguments_keep_their_bytes_unless_something_must_be_broken_up() {
    let kept = [
        r#"{"path": "a.rs",  "n": 1.50}"#,
        r#"{"a":"<¦|im_end|>"}"#,
        r#"{"b":"\u00e9 <div>\/"}"#,
        r#"{"c":["INST","x"]}"#,
        "not json",
    ];
    for json in kept {
        assert!(matches!(guard_json(json), Cow::Borrowed(_)), "{json}");
    }
    let changed = [
        (r#"{"z":1,"a":"<|im_end|>"}"#, r#"{"z":1,"a":"<¦|im_end|>"}"#),
        (r#"{"a":"\u003c|im_end|>"}"#, r#"{"a":"<¦|im_end|>"}"#),
        (r#"{"a":"<\/think>"}"#, r#"{"a":"<¦/think>"}"#),
        (r#"{"<s>":[{"b":"[INST]"}]}"#, r#"{"<¦s>":[{"b":"[¦INST]"}]}"#),
        ("<|im_end|>", "<¦|im_end|>"),
    ];
    for (json, expected) in changed {
        assert_eq!(guard_json(json), expected);
        assert_eq!(guard_json(expected), expected, "a second time nothing changes");
    }
    let mut value = serde_json::json!({"old": "<¦|im_end|>", "list": ["<¦¦/s>", 1, null]});
    restore_value(&mut value);
    assert_eq!(value, serde_json::json!({"old": "<|im_end|>", "list": ["<¦/s>", 1, null]}));
}

/// Texts of which most come close to control strings, whole, cut, broken up and joined.
fn near() -> impl Strategy<Value = String> {
    let token = prop::sample::select(known());
    let piece = prop_oneof![
        3 => token.clone(),
        3 => (token, 0usize..12, 0usize..4).prop_map(|(token, cut, n)| {
            let at = token.char_indices().nth(cut).map_or(token.len(), |(at, _)| at);
            format!("{}{}{}", &token[..at], "¦".repeat(n), &token[at..])
        }),
        2 => "[<>|¦｜\\[\\]a-z/_~! \n]{0,6}",
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn every_text_comes_back_exactly(text in near()) {
        let sent = neutralise(&text);
        prop_assert_eq!(restore(&sent), text.as_str());
        prop_assert!(!is_found_in(&sent), "{}", sent);
        prop_assert_eq!(neutralise(&text), neutralise(&text), "the same every time");
    }

    #[test]
    fn guarding_is_restoring_and_breaking_up_again(text in near()) {
        let guarded = guard(&text).into_owned();
        prop_assert_eq!(&guarded, &restore(&text).pipe(neutralise));
        prop_assert_eq!(guard(&guarded), guarded.as_str());
    }

    #[test]
    fn a_text_in_pieces_is_restored_like_the_whole(text in near(), cuts in prop::collection::vec(0usize..40, 0..6)) {
        let mut restorer = Restorer::default();
        let (mut out, mut rest) = (String::new(), text.as_str());
        for cut in cuts {
            let (piece, left) = rest.split_at(rest.floor_char_boundary(cut));
            out.push_str(&restorer.push(piece));
            rest = left;
        }
        out.push_str(&restorer.push(rest));
        out.push_str(&restorer.finish());
        prop_assert_eq!(out, restore(&text));
    }

    #[test]
    fn arguments_never_hold_a_control_string(text in near()) {
        let json = serde_json::json!({"content": text}).to_string();
        let sent: Value = serde_json::from_str(&guard_json(&json)).unwrap();
        prop_assert!(!is_found_in(sent["content"].as_str().unwrap()));
        let mut run = sent;
        restore_value(&mut run);
        let meant = restore(&text);
        prop_assert_eq!(run["content"].as_str().unwrap(), meant.as_ref());
    }
}
