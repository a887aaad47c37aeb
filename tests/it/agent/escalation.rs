//! What is tried, one after the other, when a model's calls cannot be read?

use mimi::model::ToolChoice;
use mimi::protocol::event::TurnEnd;
use mimi::protocol::op::Mode;

use super::Stage;

const BAD: &str = "{calls: [{name: read_fil, arguments: {path: a.txt}}]}";

fn choices(stage: &Stage) -> Vec<ToolChoice> {
    stage.requests().iter().map(|request| request.tool_choice).collect()
}

#[tokio::test]
async fn a_model_that_recovers_is_set_free_again() {
    let stage = Stage::new(&format!(
        "turns: [{BAD}, {{calls: [{{name: read_file, arguments: {{}}}}]}}, {{calls: [{{name: read_file, arguments: {{path: a.txt}}}}]}}, {{say: done}}]"
    ));
    let stage = stage.file("a.txt", "alpha\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered);
    assert_eq!(choices(&stage), [ToolChoice::Auto, ToolChoice::Auto, ToolChoice::Required, ToolChoice::Auto]);
    let told = talk.outcomes();
    assert!(told[0].contains("`read_file` is probably meant, which takes: path (string)"), "{told:#?}");
    assert!(told[1].contains("Call `read_file` again"), "{told:#?}");
    let forced = stage.bodies().remove(2);
    assert!(forced.ends_with(b"],\"tool_choice\":\"required\"}"), "{}", String::from_utf8_lossy(&forced));
}

#[tokio::test]
async fn a_model_that_never_recovers_ends_the_turn_with_words_and_not_the_session() {
    let stage = Stage::new(&format!("turns: [{BAD}, {BAD}, {BAD}, {BAD}, {{say: sorry}}]"));
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    let end = talk.say("look").await;
    let TurnEnd::Limit { what } = end else { panic!("{end:?}") };
    assert_eq!(what, "4 answers in a row without a call that could be run; another model may do better");
    use ToolChoice::{Auto, Required, Text};
    assert_eq!(choices(&stage), [Auto, Auto, Required, Text]);
    let last = stage.last_request();
    assert!(
        last.last().unwrap().contains("<function=search>\n<parameter=pattern>\nfn main\n</parameter>"),
        "{last:#?}"
    );
    assert_eq!(talk.say("well?").await, TurnEnd::Answered);
}

#[tokio::test]
async fn a_server_that_refuses_to_force_is_no_reason_to_stop() {
    let refusal = "{error: {status: 400, body: {error: {message: tool_choice required is not supported}}}}";
    let read = "{calls: [{name: read_file, arguments: {path: a.txt}}]}";
    let stage = Stage::new(&format!("turns: [{BAD}, {BAD}, {refusal}, {read}, {{say: done}}]")).file("a.txt", "x\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered, "{:#?}", talk.log);
    use ToolChoice::{Auto, Required, Text};
    assert_eq!(choices(&stage), [Auto, Auto, Required, Text, Text]);
    let lines = stage.last_request();
    assert!(lines.iter().any(|line| line.starts_with("user: Your last tool call could not be read")), "{lines:#?}");
}

#[tokio::test]
async fn an_answer_that_got_lost_on_the_way_is_told_once_and_then_asked_for_by_force() {
    let lost = "{say: '', usage: {input: 2000, output: 40}}";
    let stage = Stage::new(&format!("turns: [{lost}, {lost}, {{say: here}}]"));
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered);
    assert_eq!(choices(&stage), [ToolChoice::Auto, ToolChoice::Auto, ToolChoice::Required]);
    let lines = stage.last_request();
    assert_eq!(lines.len(), 3, "{lines:#?}");
    assert!(lines[2].starts_with("user: You wrote 40 tokens, but nothing of them arrived"), "{lines:#?}");
}

#[tokio::test]
async fn calls_that_the_server_chokes_on_twice_come_as_text_and_the_tools_stay_where_they_were() {
    let choked = "{error: {status: 500, body: {error: {code: 500, message: 'Unexpected empty grammar stack after accepting piece: x', type: server_error}}}}";
    let written = "{say: \"<tool_call>\\n{\\\"name\\\": \\\"read_file\\\", \\\"arguments\\\": {\\\"path\\\": \\\"a.txt\\\"}}\\n</tool_call>\"}";
    let stage = Stage::new(&format!("turns: [{choked}, {choked}, {written}, {{expect: alpha, say: done}}]"))
        .file("a.txt", "alpha\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered, "{:#?}", talk.log);
    use ToolChoice::{Auto, Text};
    assert_eq!(choices(&stage), [Auto, Auto, Text, Text]);
    let bodies = stage.bodies();
    let text = bodies.last().unwrap();
    assert!(text.ends_with(b"],\"tool_choice\":\"none\"}"), "{}", String::from_utf8_lossy(text));
    let tools =
        |body: &[u8]| String::from_utf8_lossy(body).split_once("\"messages\"").map(|(start, _)| start.to_owned());
    assert_eq!(tools(text), tools(&bodies[0]));
}

#[tokio::test]
async fn a_call_in_the_words_that_cannot_be_run_is_no_answer() {
    let call = |tool: &str, argument: &str| {
        format!(
            "{{say: \"I will read it.\\n<function={tool}>\\n<parameter={argument}>\\na.txt\\n</parameter>\\n</function>\"}}"
        )
    };
    let (no_tool, no_argument, good) =
        (call("open_file", "path"), call("read_file", "line"), call("read_file", "path"));
    let stage =
        Stage::new(&format!("turns: [{no_tool}, {good}, {no_argument}, {{say: done}}]")).file("a.txt", "alpha\n");
    let mut talk = stage.alone(Mode::Ask, &[]).await;
    assert_eq!(talk.say("look").await, TurnEnd::Answered, "{:#?}", talk.log);
    let lines = stage.last_request();
    let notes: Vec<&String> = lines.iter().filter(|line| line.contains("that was not run")).collect();
    assert!(notes[0].contains("`open_file` that was not run: no such tool is on offer. These are"), "{lines:#?}");
    assert!(notes[0].contains("- read_file: path (string), start_line? (integer)"), "{lines:#?}");
    assert!(notes[1].contains("`read_file` that was not run: "), "{lines:#?}");
    // Shown to the user in a fence, it is an answer.
    let shown = "{say: \"Write it so:\\n```\\n<function=open_file>\\n</function>\\n```\"}";
    let stage = Stage::new(&format!("turns: [{shown}]"));
    assert_eq!(stage.alone(Mode::Ask, &[]).await.say("how?").await, TurnEnd::Answered);
}
