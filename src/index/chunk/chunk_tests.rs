use super::*;
use crate::index::language;
use crate::index::syntax;

fn cut(language: &str, code: &str) -> Vec<String> {
    let lines = Lines::of(code.as_bytes());
    let compiled = language::named(language).unwrap().compiled().unwrap();
    let found = tree::cut(&syntax::parse(compiled, code.as_bytes()).unwrap(), &lines, &compiled.remarks);
    texts(code, &lines, &found)
}

fn texts(text: &str, lines: &Lines, pieces: &[Piece]) -> Vec<String> {
    pieces.iter().map(|piece| text[lines.range(*piece)].to_owned()).collect()
}

fn function(name: &str, n_bytes: usize) -> String {
    let body = "    let value = value + 1;\n".repeat(n_bytes / 27);
    format!("/// Says what `{name}` is for.\n#[inline]\nfn {name}() {{\n{body}}}\n\n")
}

#[test]
fn functions_that_fit_stay_whole_with_their_remarks_and_small_ones_are_joined() {
    let code =
        [function("first", 1000), function("second", 1000), function("third", 100), function("fourth", 100)].concat();
    let pieces = cut("rust", &code);
    assert_eq!(pieces.concat(), code, "nothing is lost, nothing is twice");
    assert_eq!(pieces.len(), 2);
    assert!(pieces[0].starts_with("/// Says what `first`") && pieces[1].starts_with("/// Says what `second`"));
    assert!(pieces[1].contains("fn fourth"));
}

#[test]
fn what_is_too_large_is_cut_between_its_parts() {
    let methods: String = (0..6).map(|n| function(&format!("method{n}"), 800)).collect();
    let code = format!("struct Large;\n\nimpl Large {{\n{methods}}}\n\nfn after() {{}}\n");
    let pieces = cut("rust", &code);
    assert_eq!(pieces.concat(), code);
    assert!(pieces.len() >= 6 && pieces.iter().all(|piece| piece.len() <= MAX_BYTES), "{}", pieces.len());
    for n in 0..6 {
        let holds = |piece: &&String| piece.contains(&format!("fn method{n}("));
        assert!(pieces.iter().find(holds).unwrap().contains(&format!("Says what `method{n}`")), "method{n}");
    }
}

#[cfg(feature = "lang-extra")]
#[test]
fn code_of_more_languages_is_cut_between_its_functions_with_their_remarks() {
    let table = [
        (
            "csharp",
            "class Large {\n",
            "  /// Says what NAME does.\n  void NAME() {\nBODY  }\n\n",
            "    value = value + 1;\n",
        ),
        (
            "kotlin",
            "class Large {\n",
            "  // Says what NAME does.\n  fun NAME() {\nBODY  }\n\n",
            "    value = value + 1\n",
        ),
        (
            "scala",
            "class Large {\n",
            "  // Says what NAME does.\n  def NAME() = {\nBODY  }\n\n",
            "    value = value + 1\n",
        ),
        (
            "swift",
            "class Large {\n",
            "  // Says what NAME does.\n  func NAME() {\nBODY  }\n\n",
            "    value = value + 1\n",
        ),
    ];
    for (language, before, function, line) in table {
        let body = line.repeat(900 / line.len());
        let one = |n| function.replace("NAME", &format!("method{n}")).replace("BODY", &body);
        let code = format!("{before}{}}}\n", (0..4).map(one).collect::<String>());
        let pieces = cut(language, &code);
        assert_eq!(pieces.concat(), code, "{language}");
        for n in 0..4 {
            let name = format!("method{n}()");
            let piece = pieces.iter().find(|piece| piece.contains(&name)).unwrap();
            assert!(
                piece.contains(&format!("Says what method{n} does")) && piece.len() <= MAX_BYTES,
                "{language}: {piece}"
            );
            assert!(
                piece.matches("value = value + 1").count() * line.len() >= body.len() - line.len(),
                "{language}: {piece}"
            );
        }
    }
}

#[test]
fn a_long_string_is_cut_between_lines_and_a_long_line_is_left() {
    let code = format!("const A: &str = \"{}\";\n", "some words of a text\n".repeat(300));
    let pieces = cut("rust", &code);
    assert_eq!(pieces.concat(), code);
    assert!(pieces.iter().all(|piece| piece.len() <= MAX_BYTES));
    let line = format!("const A: &str = \"{}\";\n", "x".repeat(4000));
    assert_eq!(cut("rust", &line), [line.as_str()]);
}

#[test]
fn texts_are_cut_at_their_paragraphs() {
    let paragraph = "A sentence about something that matters to somebody.\n".repeat(10);
    let text = [paragraph.as_str(); 7].join("\n");
    let lines = Lines::of(text.as_bytes());
    let pieces = texts(&text, &lines, &text::cut(text.as_bytes(), &lines));
    assert_eq!(pieces.concat(), text);
    assert!(pieces.len() > 2 && pieces.iter().all(|piece| piece.starts_with("A sentence") && piece.len() <= MAX_BYTES));
    for text in ["", "\n", "one line", "a\n\n\nb\n"] {
        let lines = Lines::of(text.as_bytes());
        assert_eq!(texts(text, &lines, &text::cut(text.as_bytes(), &lines)).concat(), text);
    }
}
