//! Is YAML read as its 1.2 standard says, and is every refusal located and silent about values?

use std::collections::BTreeMap;

use super::*;

fn one(text: &str) -> Value {
    parse(text).unwrap().value
}

#[test]
fn words_are_resolved_by_yaml_1_2() {
    let text = |word: &str| Value::Text(word.to_owned());
    let table = [
        ("", Value::Null),
        ("~", Value::Null),
        ("null", Value::Null),
        ("true", Value::Bool(true)),
        ("False", Value::Bool(false)),
        ("no", text("no")),
        ("on", text("on")),
        ("Yes", text("Yes")),
        ("12", Value::Int(12)),
        ("-12", Value::Int(-12)),
        ("+7", Value::Int(7)),
        ("007", Value::Int(7)),
        ("0x1F", Value::Int(31)),
        ("0o17", Value::Int(15)),
        ("0x-1", text("0x-1")),
        ("1_000", text("1_000")),
        ("1.5", Value::Float(1.5)),
        ("1e3", Value::Float(1000.0)),
        (".5", Value::Float(0.5)),
        ("1.2.3", text("1.2.3")),
        ("1e999", text("1e999")),
        (".inf", text(".inf")),
        (".nan", text(".nan")),
        ("inf", text("inf")),
        ("e5", text("e5")),
        ("-", Value::List(vec![Node { line: 1, column: 2, value: Value::Null }])),
        ("'12'", text("12")),
        ("\"true\"", text("true")),
        ("http://dgx:8000/v1", text("http://dgx:8000/v1")),
        ("|\n  a\n  b\n", text("a\nb\n")),
    ];
    for (source, expected) in table {
        assert_eq!(one(source), expected, "{source}");
    }
}

#[test]
fn every_value_knows_its_line_and_column() {
    let root = parse("# comment\nagent:\n  max_steps: 60\n  list: [a, {b: c}]\n").unwrap();
    let agent = &root.entries()[0];
    assert_eq!((agent.line, agent.column), (2, 1));
    let steps = &agent.value.entries()[0];
    assert_eq!((steps.line, steps.column, steps.value.line, steps.value.column), (3, 3, 3, 14));
    let Value::List(items) = &agent.value.get("list").unwrap().value else { panic!() };
    assert_eq!((items[1].line, items[1].column), (4, 13));
}

#[test]
fn windows_line_ends_and_a_byte_order_mark_are_taken() {
    assert_eq!(one("\u{feff}a: 1\r\nb: 2\r\n"), one("a: 1\nb: 2\n").clone_places_of("\u{feff}a: 1\r\nb: 2\r\n"));
}

impl Value {
    /// Values carry places; compare against the same text parsed with the marks of another.
    fn clone_places_of(self, text: &str) -> Self {
        let other = parse(text).unwrap();
        assert_eq!(to_json(&other), to_json(&Node { line: 1, column: 1, value: self }));
        other.value
    }
}

#[test]
fn what_could_unfold_or_mislead_is_refused_where_it_stands() {
    let deep = "[".repeat(200) + &"]".repeat(200);
    let many = "- 1\n".repeat(MAX_NODES + 1);
    let table: &[(&str, usize, usize, &str)] = &[
        ("a: 1\nb: 2\na: 3\n", 3, 1, "duplicate key `a`"),
        ("a: &x 1\n", 1, 7, "anchors"),
        ("a: &x [1]\nb: *x\n", 1, 7, "anchors"),
        ("b: *x\n", 1, 4, "unknown anchor"),
        ("a: !!str 1\n", 1, 10, "tags"),
        ("a: !env HOME\n", 1, 9, "tags"),
        ("<<: {a: 1}\n", 1, 1, "merge keys"),
        ("? [a]\n: 1\n", 1, 3, "a key must be text"),
        ("'': 1\n", 1, 1, "a key must be text"),
        ("a: 1\n---\nb: 2\n", 3, 1, "second document"),
        ("a: [1, 2\n", 1, 4, "unclosed bracket"),
        ("a: \"open\n", 2, 1, "quoted"),
        ("a: b: c\n", 1, 5, ""),
        ("a:\n\tb: 1\n", 2, 2, "tabs"),
        ("a: 99999999999999999999\n", 1, 4, "too large"),
        (&deep, 1, 66, "nested deeper than 64"),
        (&many, MAX_NODES, 3, "more than 50000 values"),
    ];
    for (text, line, column, message) in table {
        let error = parse(text).unwrap_err();
        let shown = crate::base::text::prefix(text, 40);
        assert!(error.message.contains(message), "{shown:?}: {error}");
        assert_eq!((error.line, error.column), (*line, *column), "{shown:?}: {error}");
    }
}

#[test]
fn an_alias_bomb_and_a_huge_text_are_refused_at_once() {
    let mut bomb = String::from("a0: &a0 [x, x]\n");
    for level in 1..40 {
        bomb += &format!("a{level}: &a{level} [*a{0}, *a{0}]\n", level - 1);
    }
    assert!(parse(&bomb).unwrap_err().message.contains("anchors"));
    assert!(parse(&"x".repeat(MAX_BYTES + 1)).unwrap_err().message.contains("longer than"));
}

#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
struct Row {
    name: String,
    limit: u32,
    #[serde(default)]
    mode: Option<Mode>,
    #[serde(default)]
    list: Vec<String>,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Plan,
    Ask,
}

#[test]
fn misfits_name_the_key_the_place_and_what_is_expected_but_never_the_value() {
    let table = [
        (
            "r:\n  name: x\n  limit: sk-SECRET\n",
            3,
            10,
            "r.limit",
            "expected a whole number from 0 to 4294967295, found text",
        ),
        ("r: {name: x, limit: -5}\n", 1, 21, "r.limit", "a whole number from 0 to 4294967295"),
        ("r: {name: [sk-SECRET], limit: 1}\n", 1, 11, "r.name", "expected text, found a list"),
        ("r: {name: x, limit: 1, mode: sk-SECRET}\n", 1, 30, "r.mode", "`plan` or `ask`, found text"),
        ("r: {name: x, limit: 1, list: [a, 5]}\n", 1, 34, "r.list[1]", "expected text, found a whole number"),
        ("r: {name: x}\n", 1, 4, "r", "missing field `limit`"),
        ("r:\n  name: x\n  limt: 1\n", 3, 3, "r", "unknown field `limt`"),
        ("r: \"sk-SECRET, expected b\"\n", 1, 4, "r", "expected a map of keys, found text"),
    ];
    for (text, line, column, path, message) in table {
        let error = from_str::<BTreeMap<String, Row>>(text).unwrap_err();
        assert!(error.message.contains(message), "{error}");
        assert_eq!((error.line, error.column, error.path.as_str()), (line, column, path), "{error}");
        assert!(!format!("{error} {error:?}").contains("SECRET"), "{error}");
    }
}

#[test]
fn written_text_is_read_back_the_same() {
    let words = ["no", "null", "12", "a: b", "- x", "multi\nline", "trailing ", "#x", "", "é", "{{x}}", "\u{1b}[31m"];
    let long = "word ".repeat(60);
    let map: BTreeMap<String, String> = words
        .iter()
        .copied()
        .chain([long.as_str()])
        .enumerate()
        .map(|(n, word)| (format!("k{n}"), word.to_owned()))
        .collect();
    let text = to_string(&map).unwrap();
    assert_eq!(from_str::<BTreeMap<String, String>>(&text).unwrap(), map, "{text}");
}

proptest::proptest! {
    /// Text made of what YAML acts on: taken or refused with a place in it, never a panic.
    #[test]
    fn any_text_is_taken_or_refused_with_its_place(text in "[\\[\\]{}:,&*!|>'\"%#?~<@`\\-\\\\ \t\n\r.0-9a-eé\u{feff}]{0,80}") {
        match parse(&text) {
            Ok(node) => proptest::prop_assert!(node.line >= 1 && to_json(&node).to_string().len() < 10_000),
            Err(error) => proptest::prop_assert!(error.line >= 1 && error.column >= 1 && !error.message.is_empty()),
        }
    }
}
