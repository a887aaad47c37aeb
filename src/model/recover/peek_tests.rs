use super::*;
use crate::protocol::tool::ToolSpec;

fn toolbox() -> Toolbox {
    let spec = |name: &str| ToolSpec {
        name: name.to_owned(),
        description: String::new(),
        parameters: serde_json::json!({"type": "object", "properties": {}}),
    };
    Toolbox::new([spec("read_file"), spec("shell")].into())
}

fn look(text: &str) -> Peek {
    let opener = match wrapper::opener(text) {
        wrapper::Found::Yes(opener) => opener,
        _ if text.starts_with("```") => &wrapper::FENCE,
        _ => &wrapper::NAMED,
    };
    peek(&toolbox(), text, opener)
}

#[test]
fn a_call_is_known_by_the_name_of_its_tool() {
    let (call, other) = (Peek::Call("read_file".to_owned()), Peek::Other);
    let table = [
        ("<tool_call>\n<function=read_file>", &call),
        ("<tool_call>\n<tool_call>\n{\"name\": \"read_file\"", &call),
        ("<tool_call>read_file\n<arg_key>", &call),
        ("<tool_call>\n", &Peek::More),
        ("<tool_call>\n<func", &Peek::More),
        ("<tool_call>\n{\"na", &Peek::More),
        ("<tool_call> is the tag", &Peek::Other),
        ("<tool_call>`", &other),
        ("<function=Read-File>", &call),
        ("<function=read_fi", &Peek::More),
        ("<function=delete>", &Peek::Unknown("delete".to_owned())),
        ("<invoke name=\"read_file\">", &call),
        ("[TOOL_CALLS]read_file[ARGS]", &call),
        ("[TOOL_CALLS][{\"name\": \"read_file\"", &call),
        ("[read_file(path", &call),
        ("[read_file](docs/tools.md)", &other),
        ("[1, 2]", &other),
        ("{\"name\": \"read_file\", ", &call),
        ("{'tool': 'read_file'", &call),
        ("{\"type\": \"function\", \"function\": {\"name\": \"read_file\"", &call),
        ("{\"arguments\": {\"path\": \"}\"}, \"name\": \"read_file\"", &call),
        ("{\"arguments\": {\"path\": \"", &Peek::More),
        ("{\"name\": \"Alice\"}", &other),
        ("{\"answer\": 1}", &other),
        ("{ x }", &other),
        ("{\n", &Peek::More),
        ("functions.read_file:0{", &call),
        ("functions.txt is read", &other),
        ("commentary to=functions.read_file json{", &call),
        ("<|python_tag|>import os", &other),
        ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n", &call),
        ("<｜tool▁call▁begin｜>function<｜tool", &Peek::More),
        ("```json\n{\"name\": \"read_file\"", &call),
        ("```rust\nfn main", &other),
        ("```js", &Peek::More),
        ("<tool_call>\n{\"thought\": \"hm\", \"name\": \"read_file\"", &call),
    ];
    for (text, expected) in table {
        assert_eq!(look(text), *expected, "{text}");
    }
}

#[test]
fn a_verdict_stays_when_more_comes() {
    let texts = [
        "<tool_call>\n<function=read_file>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>",
        "{\"id\": \"a, b\", \"arguments\": {\"path\": [\"x\"]}, \"name\": \"read_file\"}",
        "[{\"name\": \"shell\", \"arguments\": {}}]",
        "<tool_call>shell is a tool",
        "[shell(command='ls')]",
        "```json\n{\"name\": \"shell\", \"arguments\": {}}\n```",
        "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>shell\n```json\n{}\n```",
        "<|start|>assistant<|channel|>commentary to=functions.shell <|constrain|>json<|message|>{}",
        "<function=unknown_thing>\n",
    ];
    for text in texts {
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).filter(|at| *at > 0).collect();
        let opener = match wrapper::opener(text) {
            wrapper::Found::Yes(opener) => opener,
            _ => &wrapper::FENCE,
        };
        let mut before = Peek::More;
        for end in starts.into_iter().filter(|end| *end >= opener.text.len()) {
            let now = peek(&toolbox(), &text[..end], opener);
            assert!(before == Peek::More || before == now, "{}: {before:?}, then {now:?}", &text[..end]);
            before = now;
        }
    }
}
