//! What happens when a change is taken in part?

use mimi::protocol::diff::FileDiff;
use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::message::CallId;
use mimi::protocol::op::{Mode, Op};
use mimi::protocol::review::{HunkAnswer, Ruling};

use super::{Stage, Talk, assert_some};

/// A text whose first and last lines are far apart.
fn text(first: &str, last: &str) -> String {
    let middle: String = (2..30).map(|n| format!("line {n}\n")).collect();
    format!("{first}\n{middle}{last}\n")
}

/// A model that reads a file and writes it anew with both ends changed.
fn script(content: &str) -> String {
    let content = serde_json::to_string(content).unwrap();
    format!(
        "turns:\n  - calls: [{{name: read_file, arguments: {{path: f}}}}]\n  \
         - calls: [{{name: write_file, arguments: {{path: f, content: {content}}}}}]\n  - {{say: done}}\n"
    )
}

async fn asked(stage: &Stage) -> (Talk, CallId, FileDiff) {
    let mut talk = stage.with_person(Mode::Ask).await;
    talk.submit("change it").await;
    match talk.until(|event| matches!(event, Event::ApprovalAsked { .. })).await {
        Event::ApprovalAsked { call, preview, .. } => (talk, call, *preview.unwrap()),
        other => panic!("{other:?}"),
    }
}

fn answer(diff: &FileDiff, at: usize, ruling: Ruling) -> HunkAnswer {
    HunkAnswer { path: diff.path.clone(), hunk: diff.hunks[at].id.clone(), ruling }
}

fn leave(why: &str) -> Ruling {
    Ruling::Leave { why: (!why.is_empty()).then(|| why.to_owned()) }
}

#[tokio::test]
async fn only_what_is_taken_is_written_and_the_model_is_told_the_rest_and_why() {
    let stage = Stage::new(&script(&text("FIRST", "LAST"))).file("f", text("first", "last"));
    let (mut talk, call, diff) = asked(&stage).await;
    assert_eq!(diff.hunks.len(), 2);
    let answers = vec![answer(&diff, 0, leave("the name is public")), answer(&diff, 1, Ruling::Take)];
    talk.send(Op::Review { call, answers }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(stage.read("f"), text("first", "LAST"));
    let told = talk.outcomes().pop().unwrap();
    assert!(told.starts_with("write_file ok: replaced `f`"), "{told}");
    assert!(told.contains("Refused, in `f` at line 1 (the name is public):\n-first\n+FIRST\n"), "{told}");
    assert!(!told.contains("LAST"), "{told}");
    let events = talk.log.iter();
    let mut finished = events.filter_map(|event| match event {
        Event::ToolFinished { diffs, summary, .. } if !diffs.is_empty() => Some((diffs.clone(), summary.clone())),
        _ => None,
    });
    let (diffs, summary) = finished.next_back().unwrap();
    assert_eq!((diffs.len(), summary.as_str()), (1, "in part, +1 -1"));
    assert_eq!(diffs[0].hunks.iter().map(|hunk| &hunk.id).collect::<Vec<_>>(), [&diff.hunks[1].id]);
    assert!(talk.log.iter().any(|event| matches!(event, Event::Reviewed { answers, .. } if answers.len() == 2)));
}

#[tokio::test]
async fn what_the_user_writes_instead_is_written_and_can_be_taken_back() {
    let stage = Stage::new(&script(&text("FIRST", "LAST"))).file("f", text("first", "last"));
    let (mut talk, call, diff) = asked(&stage).await;
    let own = diff.hunks[0].new_text().unwrap().replace("FIRST", "my own first");
    talk.send(Op::Review { call, answers: vec![answer(&diff, 0, Ruling::Edit { text: own })] }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(stage.read("f"), text("my own first", "LAST"), "a piece nobody speaks of is taken");
    let told = talk.outcomes().pop().unwrap();
    assert!(
        told.contains("Changed by the user, in `f` at line 1, so that it reads:\nmy own first\nline 2\n"),
        "{told}"
    );
    talk.send(Op::Undo).await;
    talk.until(|event| matches!(event, Event::Undone { .. })).await;
    assert_eq!(stage.read("f"), text("first", "last"));
}

#[tokio::test]
async fn a_change_of_which_nothing_is_taken_is_refused_with_every_reason() {
    let stage = Stage::new(&script(&text("FIRST", "LAST"))).file("f", text("first", "last"));
    let (mut talk, call, diff) = asked(&stage).await;
    let answers = vec![answer(&diff, 0, leave("too loud")), answer(&diff, 1, leave(""))];
    talk.send(Op::Review { call, answers }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(stage.read("f"), text("first", "last"));
    let told = talk.outcomes().pop().unwrap();
    assert!(told.starts_with("write_file denied: "), "{told}");
    assert!(told.contains("at line 1 (too loud):") && told.contains("(no reason given):\n line 27"), "{told}");
}

#[tokio::test]
async fn answers_that_fit_nothing_change_nothing_and_the_call_still_waits() {
    let stage = Stage::new(&script(&text("FIRST", "LAST"))).file("f", text("first", "last"));
    let (mut talk, call, diff) = asked(&stage).await;
    let odd = |path: &str, hunk: &str| HunkAnswer { path: path.to_owned(), hunk: hunk.to_owned(), ruling: leave("") };
    for (answer, expected) in [
        (odd("g", &diff.hunks[0].id), "this call does not change `g`"),
        (odd("f", "nope"), "the change of `f` has no piece `nope`"),
    ] {
        talk.send(Op::Review { call: call.clone(), answers: vec![answer] }).await;
        talk.until(|event| matches!(event, Event::Warning { .. })).await;
        assert_some(&talk.warnings(), expected);
    }
    assert_eq!(stage.read("f"), text("first", "last"));
    talk.send(Op::Review { call, answers: Vec::new() }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(stage.read("f"), text("FIRST", "LAST"));
    assert!(!talk.outcomes().pop().unwrap().contains("piece by piece"));
}

#[tokio::test]
async fn a_new_file_that_is_refused_is_not_made_and_an_edited_one_holds_what_was_written() {
    for (ruling, expected) in [(leave("no"), None), (Ruling::Edit { text: "mine\n".to_owned() }, Some("mine\n"))] {
        let call = "{name: write_file, arguments: {path: deep/new, content: \"theirs\\n\"}}";
        let stage = Stage::new(&format!("turns: [{{calls: [{call}]}}, {{say: done}}]"));
        let (mut talk, call, diff) = asked(&stage).await;
        talk.send(Op::Review { call, answers: vec![answer(&diff, 0, ruling)] }).await;
        assert_eq!(talk.done().await, TurnEnd::Answered);
        assert_eq!(stage.has("deep/new").then(|| stage.read("deep/new")).as_deref(), expected);
        assert_eq!(stage.has("deep"), expected.is_some());
    }
}

#[tokio::test]
async fn a_file_changed_while_the_person_thought_is_not_written() {
    let stage = Stage::new(&script(&text("FIRST", "LAST"))).file("f", text("first", "last"));
    let (mut talk, call, diff) = asked(&stage).await;
    stage.write("f", "somebody else\n");
    talk.send(Op::Review { call, answers: vec![answer(&diff, 0, leave(""))] }).await;
    assert_eq!(talk.done().await, TurnEnd::Answered);
    assert_eq!(stage.read("f"), "somebody else\n");
    assert!(talk.outcomes().pop().unwrap().contains("`f` has changed since it was read"));
}

/// A model that reads two files and changes one, deletes the other and makes a third in one patch.
fn patch() -> Stage {
    let patch = "*** Begin Patch\\n*** Update File: a\\n@@\\n-one\\n+two\\n*** Delete File: b\\n\
        *** Add File: deep/c\\n+new\\n*** End Patch";
    let reads = "{name: read_file, arguments: {path: a}}, {name: read_file, arguments: {path: b}}";
    Stage::new(&format!(
        "turns: [{{calls: [{reads}]}}, {{calls: [{{name: apply_patch, arguments: {{patch: \"{patch}\"}}}}]}}, {{say: done}}, {{say: on}}]"
    ))
    .file("a", "one\n")
    .file("b", "one\n")
}

#[tokio::test]
async fn each_file_of_a_patch_can_be_left_and_what_is_left_is_no_news_later() {
    for left in ["a", "b", "deep/c", ""] {
        let stage = patch();
        let mut talk = stage.with_person(Mode::Ask).await;
        talk.submit("change it").await;
        let asked = talk.until(|event| matches!(event, Event::ApprovalAsked { .. })).await;
        let Event::ApprovalAsked { call, preview, more, .. } = asked else { panic!("{asked:?}") };
        let diffs: Vec<FileDiff> = preview.into_iter().map(|diff| *diff).chain(more).collect();
        assert_eq!(diffs.iter().map(|diff| diff.path.as_str()).collect::<Vec<_>>(), ["a", "b", "deep/c"]);
        let answers =
            diffs.iter().filter(|diff| diff.path == left).map(|diff| answer(diff, 0, leave("not this"))).collect();
        talk.send(Op::Review { call, answers }).await;
        assert_eq!(talk.done().await, TurnEnd::Answered);
        assert_eq!(stage.read("a"), if left == "a" { "one\n" } else { "two\n" });
        assert_eq!(
            (stage.has("b"), stage.has("deep/c"), stage.has("deep")),
            (left == "b", left != "deep/c", left != "deep/c")
        );
        let told = talk.outcomes().pop().unwrap();
        assert_eq!(told.contains("(not this)"), !left.is_empty(), "{told}");
        talk.say("go on").await;
        let last = stage.last_request().pop().unwrap();
        assert_eq!(last, "user: go on", "left {left:?}");
    }
}
