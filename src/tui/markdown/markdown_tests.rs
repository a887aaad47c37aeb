use proptest::prelude::*;

use super::growing::Growing;
use super::render;
use crate::tui::look::Theme;

fn shown(text: &str, width: usize) -> Vec<String> {
    let rows = render(text, width, &Theme::without_colours());
    rows.iter().map(|row| row.to_string().trim_end().to_owned()).collect()
}

#[test]
fn each_block_has_its_form() {
    let table: [(&str, &[&str]); 13] = [
        ("one\ntwo", &["one two"]),
        ("one  \ntwo", &["one", "two"]),
        ("one\n\ntwo", &["one", "", "two"]),
        ("# Title\nwords", &["Title", "", "words"]),
        ("## Part", &["## Part"]),
        ("- a\n- b\n  - c", &["- a", "- b", "  - c"]),
        ("3. a\n4. b", &["3. a", "4. b"]),
        ("- [x] done\n- [ ] open", &["- [x] done", "- [ ] open"]),
        ("> quoted\n> words", &["│ quoted words"]),
        ("```rust\nfn a() {}\n\n  b\n```", &["  rust", "  fn a() {}", "", "    b"]),
        ("a `b` *c* **d**", &["a b c d"]),
        ("[words](http://x.y)", &["words (http://x.y)"]),
        ("<b>tag</b> & <script>", &["<b>tag</b> & <script>"]),
    ];
    for (text, expected) in table {
        assert_eq!(shown(text, 40), expected, "{text:?}");
    }
}

#[test]
fn what_belongs_to_an_item_stands_under_it() {
    let text = "1. first words that need two rows\n\n   more\n\n   ```\n   code\n   ```\n2. second";
    assert_eq!(
        shown(text, 20),
        ["1. first words that", "   need two rows", "", "   more", "", "     code", "2. second"]
    );
}

#[test]
fn tables_fit_or_become_lists() {
    let text = "| name | what it does |\n|---|--:|\n| a | adds |\n| bb | removes things |";
    assert_eq!(
        shown(text, 40),
        ["name    what it does", "────  ──────────────", "a               adds", "bb    removes things"]
    );
    assert_eq!(
        shown(text, 16),
        [
            "name     what it",
            "            does",
            "────  ──────────",
            "a           adds",
            "bb       removes",
            "          things"
        ]
    );
    assert_eq!(shown(text, 9)[..2], ["- name: a".to_owned(), "  what it".to_owned()]);
}

#[test]
fn text_that_grows_ends_as_if_it_had_come_at_once() {
    let theme = Theme::without_colours();
    let text = "# A\n\nwords **bold** and\nmore\n\n- a\n- b\n\n```sh\nls -l\n\necho `x`\n```\nafter\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n\nend";
    let whole: Vec<String> = render(text, 30, &theme).iter().map(ToString::to_string).collect();
    let mut growing = Growing::default();
    for (at, _) in text.char_indices() {
        growing.update(&text[..at], 30, &theme);
    }
    growing.update(text, 30, &theme);
    let grown: Vec<String> = growing.settled().iter().chain(growing.open()).map(ToString::to_string).collect();
    assert_eq!(grown, whole);
    assert!(growing.settled().len() > whole.len() / 2, "what cannot change is rendered once");
}

proptest! {
    #[test]
    fn any_text_can_be_shown_at_any_width(text in "[-#>`*_|a \n\\[\\]()1.é日\t]{0,200}", width in 1usize..60) {
        let theme = Theme::without_colours();
        render(&text, width, &theme);
        let mut growing = Growing::default();
        for (at, _) in text.char_indices() {
            growing.update(&text[..at], width, &theme);
        }
        growing.update(&text, width, &theme);
    }

    #[test]
    fn no_word_is_lost(words in prop::collection::vec("[a-z]{1,12}", 1..30), width in 4usize..60) {
        let text = words.join(" ");
        let rows = shown(&text, width);
        prop_assert_eq!(rows.join("").replace(' ', ""), words.concat());
    }
}
