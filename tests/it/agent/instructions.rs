//! Which instructions of the project does the model get, how often, and what is never read?

use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::message::Message;
use mimi::protocol::op::{Mode, Op};

use super::{Stage, Talk, assert_some, options};
use mimi::agent::dispatch::Approvals;

const HELLO: &str = "turns: [{say: hello}, {say: again}, {say: and again}]";

/// Returns the first message the model got, and the warnings.
async fn opening(stage: &Stage, folder: &str) -> (String, Vec<String>) {
    let app = stage.app_in(&stage.work.join(folder));
    let mut talk = Talk::new(app.start(options(Mode::Ask, Approvals::Nobody)).await.unwrap());
    talk.say("hi").await;
    let request = stage.requests().pop().unwrap();
    assert_eq!(request.messages.len(), 2, "facts and words are one message");
    (request.messages[1].text().to_owned(), talk.warnings())
}

#[tokio::test]
async fn instructions_stand_in_the_first_message_and_nowhere_else() {
    let stage = Stage::new(HELLO).file("AGENTS.md", "Use tabs.\n").file("CLAUDE.md", "Use spaces.\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    talk.say("one").await;
    talk.say("two").await;
    let request = stage.requests().pop().unwrap();
    let told: Vec<usize> =
        (0..request.messages.len()).filter(|at| request.messages[*at].text().contains("Use tabs.")).collect();
    assert_eq!(told, [1]);
    assert!(
        matches!(&request.messages[1], Message::User { text, .. } if text.ends_with("one") && !text.contains("spaces"))
    );
}

#[tokio::test]
async fn claude_md_counts_alone_and_odd_files_are_passed_over_aloud() {
    let stage = Stage::new(HELLO).file("CLAUDE.md", "Use spaces.\n");
    assert!(opening(&stage, "").await.0.contains("# CLAUDE.md\nUse spaces."));

    let stage = Stage::new(HELLO).file("AGENTS.md", "x".repeat(100_000));
    let (text, _) = opening(&stage, "").await;
    assert!(text.contains("[... cut here, 68.0 kB left out ...]") && text.len() < 33_000, "{}", text.len());

    let stage = Stage::new(HELLO).file("../secret", "PASSWORD\n");
    std::os::unix::fs::symlink(stage.home.join("secret"), stage.work.join("AGENTS.md")).unwrap();
    let (text, warnings) = opening(&stage, "").await;
    assert!(!text.contains("PASSWORD"), "{text}");
    assert_some(&warnings, "`AGENTS.md` was passed over: it is a link that leaves the project");

    let stage = Stage::new(HELLO).file("docs/agents.md", "Use tabs.\n");
    std::os::unix::fs::symlink("docs/agents.md", stage.work.join("AGENTS.md")).unwrap();
    assert!(opening(&stage, "").await.0.contains("Use tabs."), "a link inside the project is followed");

    let stage = Stage::new(HELLO);
    std::fs::create_dir(stage.work.join("AGENTS.md")).unwrap();
    assert_some(&opening(&stage, "").await.1, "`AGENTS.md` was passed over: it is not a file");
}

#[tokio::test]
async fn in_a_sub_folder_of_a_repository_those_above_it_count_too_and_the_nearest_last() {
    let stage = Stage::new(HELLO)
        .file("AGENTS.md", "Root rule.\n")
        .file("a/CLAUDE.md", "Middle rule.\n")
        .file("a/b/AGENTS.md", "Near rule.\n")
        .file("../AGENTS.md", "Not of this repository.\n");
    stage.git(&stage.work, &["init", "--quiet"]);
    let (text, warnings) = opening(&stage, "a/b").await;
    let at = |part: &str| text.find(part).unwrap_or_else(|| panic!("{part}: {text}"));
    assert!(at("# ../../AGENTS.md\nRoot rule.") < at("# ../CLAUDE.md\nMiddle rule."));
    assert!(at("# ../CLAUDE.md\nMiddle rule.") < at("# AGENTS.md\nNear rule."));
    assert!(!text.contains("Not of this repository") && !text.contains("home"), "{text}");
    assert_eq!(warnings, Vec::<String>::new());
}

#[tokio::test]
async fn above_the_home_folder_and_without_a_repository_nothing_is_read() {
    let stage = Stage::new(HELLO).file("AGENTS.md", "Above.\n").file("a/x", "");
    assert!(!opening(&stage, "a").await.0.contains("Above."), "no repository");

    let stage = Stage::new(HELLO).file("a/x", "");
    let above = stage.home.parent().unwrap();
    std::fs::write(above.join("AGENTS.md"), "Above home.\n").unwrap();
    stage.git(above, &["init", "--quiet"]);
    assert!(!opening(&stage, "a").await.0.contains("Above home."), "the repository begins above home");

    let stage = Stage::new(HELLO).file("AGENTS.md", "Outer.\n").file("a/x", "");
    stage.git(&stage.work, &["init", "--quiet"]);
    stage.git(&stage.work.join("a"), &["init", "--quiet"]);
    assert!(!opening(&stage, "a").await.0.contains("Outer."), "the nearest repository ends it");
}

#[tokio::test]
async fn after_the_first_turn_is_taken_back_they_are_said_again() {
    let stage = Stage::new(HELLO).file("AGENTS.md", "Use tabs.\n");
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.say("one").await;
    talk.send(Op::Undo).await;
    talk.until(|event| matches!(event, Event::Undone { .. })).await;
    assert_eq!(talk.say("two").await, TurnEnd::Answered);
    let lines = stage.last_request();
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("Use tabs.") && lines[0].ends_with("two") && !lines[0].contains("one"), "{lines:?}");
}
