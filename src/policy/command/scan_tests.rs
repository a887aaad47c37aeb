//! Does the reader see the words bash sees?

use super::*;

fn words(text: &str) -> Vec<String> {
    let scan = scan(text, "/home/me");
    let shown = |token: &Token| match token {
        Token::Word(word) => match (word.unknown, &word.pattern) {
            (Some(why), _) => format!("?{why:?} {}", word.text),
            (None, Some(pattern)) => format!("*{pattern}"),
            (None, None) if word.is_range => format!("#{}", word.text),
            (None, None) => word.text.clone(),
        },
        Token::Then => ";".to_owned(),
        Token::Pipe => "|".to_owned(),
        Token::Other(sign) => format!("<{sign}>"),
        Token::Lead(lead) => format!("{lead:?}"),
    };
    scan.tokens.iter().map(shown).collect()
}

#[test]
fn quotes_are_taken_off_as_bash_does() {
    let table: &[(&str, &[&str])] = &[
        (r"t''ouch \rm 'r'm", &["touch", "rm", "rm"]),
        (r#"echo "a\"b\$c\d" 'x"y'"#, &["echo", r#"a"b$c\d"#, r#"x"y"#]),
        (r"$'\x74ouch' $'\164' $'a\'; b #'", &["touch", "t", "a'; b #"]),
        (r"$'\u00e9' $'\x00'", &["é", "?Expansion "]),
        ("a\\\nb c", &["ab", "c"]),
        ("a b # c", &["a", "b"]),
        ("a#b", &["a#b"]),
        ("~ ~/x ~you a~ x=~/y", &["/home/me", "/home/me/x", "?Tilde ~you", "a~", "?Tilde x=/home/me/y"]),
        (
            "$HOME/x ${HOME} $PPID ${x:-y} $(ls) `ls` \"$a\"",
            &[
                "?Expansion /home/me/x",
                "?Expansion /home/me",
                "?Expansion $PPID",
                "?Expansion ${x:-y}",
                "?Expansion $(ls)",
                "?Expansion `ls`",
                "?Expansion $a",
            ],
        ),
        ("{1..3} {a,b} {} a{b} {1..100000000}", &["#{1..3}", "?Braces {a,b}", "{}", "a{b}", "?Braces {1..100000000}"]),
        ("*.txt [ a ] [ab]c '*' \\*", &["**.txt", "[", "a", "]", "*[ab]c", "*", "*"]),
        ("a;b&&c||d|e|&f&", &["a", ";", "b", ";", "c", ";", "d", "|", "e", "|", "f", "<&>"]),
        (
            "a >x 2>&1 >&y <z <<<t &>w 2>>v >|u",
            &["a", "To", "x", "Copy", "1", "To", "y", "From", "z", "HereText", "t", "To", "w", "To", "v", "To", "u"],
        ),
        ("cat <<'E'\n$(x)\nE\nls", &["cat", "HereDocument", "E", ";", "ls"]),
        ("cat <<-E\n\tE\nls", &["cat", "HereDocument", "E", ";", "ls"]),
        ("diff <(a) b", &["diff", "?Expansion <(a)", "b"]),
        ("(a)", &["<(>", "a", "<)>"]),
        ("$ a$ \"$\"", &["$", "a$", "$"]),
    ];
    for (text, expected) in table {
        assert_eq!(words(text), *expected, "{text}");
    }
}

#[test]
fn what_has_no_end_is_doubted_and_what_stands_before_it_still_seen() {
    for text in ["echo 'a", "echo \"a", "echo $(a", "echo `a", "cat <<E\nx", "echo a\\", "cat <<", "echo ${a"] {
        let scan = scan(text, "/h");
        assert!(!scan.doubts.is_empty(), "{text}");
        assert!(matches!(&scan.tokens[0], Token::Word(_)), "{text}");
    }
}

#[test]
fn commands_in_substitutions_are_found() {
    for text in
        ["echo $(rm x)", "echo `rm x`", "echo \"${a:-$(rm x)}\"", "diff <(rm x) y", "cat <<E\n$(rm x)\nE", "a=$(rm x)"]
    {
        let found = crate::policy::command::line::group(&scan(text, "/h"));
        let has = found.commands.iter().any(|command| command.depth > 0 && command.words[0].text == "rm");
        assert!(has, "{text}: {found:?}");
    }
}
