use super::*;

fn rules(style: CommitStyle) -> CommitConfig {
    let types = ["feat", "fix", "docs"].map(str::to_owned).to_vec();
    CommitConfig { style, max_subject: 50, types, trailers: Vec::new() }
}

#[test]
fn a_message_is_taken_out_of_whatever_stands_around_it() {
    let expected = "fix: count pages from one\n";
    let table = [
        "fix: count pages from one",
        "fix: count pages from one.",
        "\n\n  fix: count pages from one  \n",
        "`fix: count pages from one`",
        "\"fix: count pages from one\"",
        "**fix: count pages from one**",
        "Subject: fix: count pages from one",
        "```\nfix: count pages from one\n```",
        "Here is the commit message:\n\n```text\nfix: count pages from one\n```\nIt says what changed.",
        "Here is the commit message:\nfix: count pages from one",
        "<think>maybe `feat`?</think>\nfix: count pages from one",
        "fix: count pages from one\n\nCo-authored-by: Model <m@example.org>\nSigned-off-by: You <y@example.org>",
        "fix: count\u{200b} pages\u{202e} from\u{1b} one",
    ];
    for answer in table {
        assert_eq!(read(answer, &rules(CommitStyle::Conventional)).as_deref(), Ok(expected), "{answer:?}");
    }
}

#[test]
fn bodies_are_kept_and_wrapped() {
    let long = "word ".repeat(20);
    let message =
        read(&format!("fix: a\n\n{long}\n\n- {long}\n```rust\ncode\n```"), &rules(CommitStyle::Plain)).unwrap();
    let lines: Vec<&str> = message.lines().collect();
    assert_eq!(lines[..2], ["fix: a", ""]);
    assert!(lines.iter().all(|line| line.chars().count() <= BODY_COLUMNS), "{message}");
    assert!(message.contains("\n- word") && message.contains("\n  word"), "{message}");
    assert!(message.contains("```rust\ncode\n```\n"), "{message}");
}

#[test]
fn subjects_are_held_to_the_style() {
    let long = format!("fix: {}", "x".repeat(60));
    let table = [
        (CommitStyle::Conventional, "fix: a", None),
        (CommitStyle::Conventional, "feat(api)!: a", None),
        (CommitStyle::Conventional, "Fix things", Some("is not `type: words`")),
        (CommitStyle::Conventional, "fix:a", Some("is not `type: words`")),
        (CommitStyle::Conventional, "perf: a", Some("`perf` is none of the types feat, fix, docs")),
        (CommitStyle::Conventional, "Fix: a", Some("`Fix` is none of the types")),
        (CommitStyle::Conventional, &long, Some("has 65 characters, at most 50")),
        (CommitStyle::Conventional, "", Some("there is no first line")),
        (CommitStyle::Plain, "Count pages from one", None),
        (CommitStyle::Plain, &long, Some("at most 50")),
    ];
    for (style, answer, expected) in table {
        let got = read(answer, &rules(style)).err();
        assert_eq!(got.is_some(), expected.is_some(), "{answer}: {got:?}");
        assert!(expected.is_none_or(|words| got.as_ref().unwrap().contains(words)), "{answer}: {got:?}");
    }
}

#[test]
fn trailers_are_set_by_the_configuration_alone() {
    let trailers = vec!["Assisted-by: mimi".to_owned(), "Team: core".to_owned()];
    let rules = CommitConfig { trailers, ..rules(CommitStyle::Plain) };
    let table = [
        ("Do it", "Do it\n\nAssisted-by: mimi\nTeam: core\n"),
        ("Do it\n\nBecause.\n\nTeam: core", "Do it\n\nBecause.\n\nAssisted-by: mimi\nTeam: core\n"),
    ];
    for (answer, expected) in table {
        assert_eq!(read(answer, &rules).as_deref(), Ok(expected));
    }
}
