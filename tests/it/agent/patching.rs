//! Is a patch of several files one step, however the model hands it over: kept before, shown, and taken back as a whole?

use mimi::base::hash::of_bytes;
use mimi::protocol::event::{Event, TurnEnd};
use mimi::protocol::op::{Mode, Op};

use super::Stage;

const SECTIONS: &str = "*** Begin Patch\\n*** Add File: new.txt\\n+new\\n*** Update File: a.txt\\n@@\\n-one\\n+two\\n*** Delete File: b.txt\\n*** Update File: c.txt\\n*** Move to: d.txt\\n*** End Patch";

fn stage(call: &str) -> Stage {
    let read = |path| format!("{{name: read_file, arguments: {{path: {path}}}}}");
    let reads = ["a.txt", "b.txt", "c.txt"].map(read).join(", ");
    Stage::new(&format!("turns:\n  - calls: [{reads}]\n  - calls: [{call}]\n  - {{say: done}}\n"))
        .file("a.txt", "one\n")
        .file("b.txt", "b\n")
        .file("c.txt", "c\n")
}

fn files(stage: &Stage) -> Vec<(&'static str, String)> {
    let names = ["a.txt", "b.txt", "c.txt", "d.txt", "new.txt"];
    names.into_iter().filter(|name| stage.has(name)).map(|name| (name, stage.read(name))).collect()
}

#[tokio::test]
async fn a_patch_is_made_and_taken_back_as_a_whole_through_every_door() {
    let calls = [
        format!("{{name: apply_patch, arguments: {{patch: \"{SECTIONS}\"}}}}"),
        format!("{{name: edit_file, arguments: {{patch: \"{SECTIONS}\"}}}}"),
        format!("{{name: shell, arguments: {{command: \"apply_patch <<'EOF'\\n{SECTIONS}\\nEOF\"}}}}"),
    ];
    for call in calls {
        let stage = stage(&call);
        // No command is allowed: the one in the shell is an edit, and judged as one.
        let mut talk = stage.with_person(Mode::Auto).await;
        assert_eq!(talk.say("patch").await, TurnEnd::Answered);
        let done: Vec<(&str, String)> = [("a.txt", "two\n"), ("d.txt", "c\n"), ("new.txt", "new\n")]
            .map(|(name, text)| (name, text.to_owned()))
            .into();
        assert_eq!(files(&stage), done, "{call}\n{:#?}", talk.outcomes());
        let promised: Vec<Option<String>> = talk
            .log
            .iter()
            .filter_map(|event| match event {
                Event::FileKept { promised, .. } => Some(promised.clone()),
                _ => None,
            })
            .collect();
        let hash = |text: &str| Some(of_bytes(text.as_bytes()));
        assert_eq!(promised, [hash("new\n"), hash("two\n"), None, hash("c\n"), None]);
        talk.send(Op::Undo).await;
        let undone = talk.until(|event| matches!(event, Event::Undone { .. })).await;
        assert!(matches!(&undone, Event::Undone { conflicts, .. } if conflicts.is_empty()), "{undone:?}");
        let before: Vec<(&str, String)> =
            [("a.txt", "one\n"), ("b.txt", "b\n"), ("c.txt", "c\n")].map(|(name, text)| (name, text.to_owned())).into();
        assert_eq!(files(&stage), before, "{call}");
    }
}

#[tokio::test]
async fn a_patch_in_a_shell_is_refused_where_writing_is() {
    let stage = stage(&format!("{{name: shell, arguments: {{command: \"apply_patch <<'EOF'\\n{SECTIONS}\\nEOF\"}}}}"));
    let mut talk = stage.alone(Mode::Plan, &["shell:*"]).await;
    talk.say("patch").await;
    assert!(talk.outcomes()[3].starts_with("shell denied: "), "{:#?}", talk.outcomes());
    assert_eq!(files(&stage).len(), 3);
}
