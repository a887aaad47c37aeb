//! Is nothing begun in a window an agent cannot work in, and is a server that cuts prompts found out?

use mimi::context::{estimate, prompt};
use mimi::protocol::event::TurnEnd;
use mimi::protocol::op::{Mode, Op};

use super::{Stage, assert_some};

#[tokio::test]
async fn no_turn_begins_in_a_window_of_four_thousand_tokens() {
    for (window, begins) in [(2048, false), (4096, false), (8192, true), (32_768, true)] {
        let stage = Stage::new(&format!("window_tokens: {window}\nturns: [{{say: hello}}]"));
        let end = stage.alone(Mode::Ask, &[]).await.say("hi").await;
        assert_eq!(stage.requests().len(), usize::from(begins), "{window}: nothing is sent in vain");
        if begins {
            assert_eq!(end, TurnEnd::Answered, "{window}");
            continue;
        }
        let TurnEnd::ModelFailed { message, hints } = end else { panic!("{end:?}") };
        assert!(message.starts_with(&format!("the window of `script` has {window} tokens")), "{message}");
        assert!(message.ends_with("needs at least 8192"), "{message}");
        assert_some(&hints, "--model NAME");
        for setting in ["OLLAMA_CONTEXT_LENGTH=32768", "num_ctx", "--max-model-len", "--context-length", "-c 32768"] {
            assert_some(&hints, setting);
        }
    }
}

#[tokio::test]
async fn what_instructions_and_tools_take_is_what_the_bound_was_made_for() {
    let stage = Stage::new("turns: [{say: hello}]");
    stage.alone(Mode::Ask, &[]).await.say("hi").await;
    let request = stage.requests().remove(0);
    let fixed = estimate::text_tokens(prompt::SYSTEM.text) + estimate::tools_tokens(&request.tools);
    println!("instructions and tools: about {fixed:.0} tokens");
    assert!((1500.0..3000.0).contains(&fixed), "{fixed}: measure the bound in agent::window again");
}

#[tokio::test]
async fn the_chat_goes_on_with_another_model() {
    let stage = Stage::new("window_tokens: 4096\nturns: [{say: fine}]");
    let mut talk = stage.with_person(Mode::Ask).await;
    assert!(matches!(talk.say("hi").await, TurnEnd::ModelFailed { .. }));
    talk.send(Op::SetModel { model: "script".to_owned() }).await;
    assert!(matches!(talk.say("hi").await, TurnEnd::ModelFailed { .. }), "the same window is refused again");
}

#[tokio::test]
async fn a_server_that_cuts_the_prompt_is_found_out_once_and_counted_with() {
    let calls = ["{name: read_file, arguments: {path: a.txt}}"; 4].join(", ");
    let summary = "## Goal\nRead the files and say what they have in common, with all that was found so far.";
    let stage = Stage::new(&format!(
        "
turns:
  - {{calls: [{calls}], usage: {{input: 2400}}}}
  - {{calls: [{{name: list_files, arguments: {{}}}}], usage: {{input: 7800, output: 200}}}}
  - {{when: is about to be replaced, say: {summary:?}, usage: {{input: 7900, output: 30}}}}
  - {{say: what was the task?}}
"
    ));
    let stage = stage.file("a.txt", "some words of a long file\n".repeat(320));
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("go").await, TurnEnd::Answered, "{:#?}", talk.log);
    let told = talk.warnings();
    assert_eq!(told.len(), 1, "once: {told:#?}");
    for part in [
        "the server read 7800 tokens of a prompt of about",
        "From now on a window of 8000 tokens is counted on",
        "OLLAMA_CONTEXT_LENGTH=",
        "--set model.window_tokens=8000",
    ] {
        assert!(told[0].contains(part), "{part}: {told:?}");
    }
    assert_eq!(stage.unused(), 0, "the conversation was summarised to fit");
}
