use super::*;

fn brief(at: &At<'_>) -> String {
    match at {
        At::Whole(call) => format!("{}{}", call.name, Value::Object(call.arguments.clone())),
        At::Cut(name) => format!("cut {name}"),
        At::Nothing => "nothing".to_owned(),
    }
}

#[test]
fn arguments_follow_the_name_in_each_familys_way() {
    let table = [
        ("read[ARGS]{\"path\": \"a\"}", "read{\"path\":\"a\"}"),
        ("read[CALL_ID]a1b2c3d4e[ARGS]{\"path\": \"a\"}", "read{\"path\":\"a\"}"),
        ("function<｜tool▁sep｜>read\n```json\n{\"path\": \"a\"}\n```", "read{\"path\":\"a\"}"),
        ("read<｜tool▁sep｜>{\"path\": \"a\"}<｜tool▁call▁end｜>", "read{\"path\":\"a\"}"),
        ("functions.read:0<|tool_call_argument_begin|>{}<|tool_call_end|>", "functions.read:0{}"),
        ("functions.read <|constrain|>json<|message|>{\"path\": \"a\"}<|call|>", "functions.read{\"path\":\"a\"}"),
        ("functions.read json{\"path\": \"a\"}", "functions.read{\"path\":\"a\"}"),
        (
            "read\n<arg_key>path</arg_key>\n<arg_value>a\n</arg_value>b</arg_value>\n</tool_call>",
            "read{\"path\":\"a\\n</arg_value>b\"}",
        ),
        ("read<arg_key>path</arg_key><arg_value>a</arg_value></tool_call>", "read{\"path\":\"a\"}"),
        ("list\n</tool_call>", "list{}"),
        (
            "read(path=\"a\", n=3, deep=True, also=['x', None])",
            "read{\"path\":\"a\",\"n\":3,\"deep\":true,\"also\":[\"x\",null]}",
        ),
        ("read.call(path='it is')", "read{\"path\":\"it is\"}"),
        ("list()", "list{}"),
        ("read[ARGS]{\"path\": \"a", "cut read"),
        ("read(path=\"a", "cut read"),
        ("read\n<arg_key>path</arg_key>\n<arg_value>a", "cut read"),
        ("read is a tool", "nothing"),
        ("read(the file)", "nothing"),
        ("{}", "nothing"),
    ];
    for (text, expected) in table {
        assert_eq!(brief(&read(text, 0)), expected, "{text}");
    }
}

#[test]
fn a_list_holds_several() {
    let (calls, end) = python_list("[a(x=1), b(y=\"z\")] rest", 0);
    assert_eq!(calls.iter().map(brief).collect::<Vec<_>>(), ["a{\"x\":1}", "b{\"y\":\"z\"}"]);
    assert_eq!(end, 18);
    let (calls, _) = python_list("[a(x=1), b(y=", 0);
    assert_eq!(calls.iter().map(brief).collect::<Vec<_>>(), ["a{\"x\":1}", "cut b"]);
}
