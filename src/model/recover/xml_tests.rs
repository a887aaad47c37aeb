use super::*;

fn brief(text: &str) -> String {
    let Some(element) = read(text, 0) else { return "nothing".to_owned() };
    let body = match &element.body {
        Body::Arguments(arguments) => {
            arguments.iter().map(|(key, value)| format!(" {key}={value:?}")).collect::<String>()
        }
        Body::Json(at) => format!(" json at {at}"),
    };
    let open = if element.has_open_value { " open" } else { "" };
    format!("{}{body} {:?}{open} +{:?}", element.name, element.ending, &text[element.end..])
}

#[test]
fn tags_are_read_in_every_style() {
    let table = [
        ("<function=f>\n<parameter=k>\nv\n</parameter>\n</function>", "f k=\"v\" Closed +\"\""),
        ("<function=f><parameter=k>v</parameter></function>x", "f k=\"v\" Closed +\"x\""),
        (
            "<function name=\"f\">\n<parameter name='k' string=\"true\">v</parameter>\n</function>",
            "f k=\"v\" Closed +\"\"",
        ),
        ("<invoke name=\"f\">\n<parameter name=\"k\">v</parameter>\n</invoke>", "f k=\"v\" Closed +\"\""),
        (
            "<｜DSML｜invoke name=\"f\"><｜DSML｜parameter name=\"k\">v</｜DSML｜parameter></｜DSML｜invoke>",
            "f k=\"v\" Closed +\"\"",
        ),
        ("<function=f>\n{\"k\": 1}</function>", "f json at 13 Closed +\"\\n{\\\"k\\\": 1}</function>\""),
        ("<function=f>\n</function>", "f Closed +\"\""),
        ("<function=f>\n<parameter=k>\n\n  v\n\n</parameter>\n</function>", "f k=\"\\n  v\\n\" Closed +\"\""),
        ("<function=f>\r\n<parameter=k>\r\nv\r\n</parameter>\r\n</function>", "f k=\"v\" Closed +\"\""),
        ("<function=f>\n<parameter=k>\n&lt;b&gt;\n</parameter>\n</function>", "f k=\"&lt;b&gt;\" Closed +\"\""),
    ];
    for (text, expected) in table {
        assert_eq!(brief(text), expected, "{text}");
    }
}

#[test]
fn missing_tags_are_made_up_for_where_one_thing_can_be_meant() {
    let table = [
        ("<function=f>\n<parameter=a>\n1\n<parameter=b>\n2\n</function>", "f a=\"1\" b=\"2\" Closed open +\"\""),
        ("<function=f>\n<parameter=a>\n1\n</parameter>\n</tool_call>", "f a=\"1\" Followed +\"</tool_call>\""),
        (
            "<function=f>\n<parameter=a>\n1\n</parameter>\n<function=g>\n</function>",
            "f a=\"1\" Followed +\"<function=g>\\n</function>\"",
        ),
        ("<function=f>\n<parameter=a>\n1\n</parameter>\n", "f a=\"1\" AtEnd +\"\""),
        ("<function=f>\n<parameter=a>\n1\n</parameter>\n</func", "f a=\"1\" Cut +\"</func\""),
        ("<function=f>\n<parameter=a>\n1\n</tool_call>", "f a=\"1\" Followed open +\"</tool_call>\""),
        ("<function=f>\n<parameter=a>\n1", "f Cut +\"<parameter=a>\\n1\""),
        ("<function=f>\n<parameter=a>\n1\n</parameter>\n<param", "f a=\"1\" Cut +\"<param\""),
        ("<function=f>\n<parameter=a>\n1\n</parameter>\nand words", "nothing"),
        ("<function=f> is how it begins", "nothing"),
        ("<function=f>\n", "f Cut +\"\""),
    ];
    for (text, expected) in table {
        assert_eq!(brief(text), expected, "{text}");
    }
}

#[test]
fn a_value_may_hold_the_very_tags_around_it() {
    let bodies = [
        "Close a value with\n</parameter>\nand go on.",
        "<tool_call>\n<function=g>\n<parameter=path>\nx\n</parameter>\n</function>\n</tool_call>\nDone.",
        "<function=g>\n<parameter=q>\nx\n</parameter>\n</function>",
        "It ends so:\n</parameter>\n</function>\n</tool_call>\nThat is all.",
        "one `<function=g>` in the line",
        "it begins with\n<tool_call>\nand a name",
        "</parameter>",
        "<parameter=path>\nagain\n</parameter>",
        "a < b && c > d </div>",
    ];
    for body in bodies {
        let text = format!(
            "<function=f>\n<parameter=path>\np\n</parameter>\n<parameter=content>\n{body}\n</parameter>\n</function>\n</tool_call>"
        );
        let element = read(&text, 0).unwrap();
        assert_eq!(element.body, Body::Arguments(vec![("path", "p"), ("content", body)]), "{body}");
        assert_eq!(element.ending, Ending::Closed, "{body}");
    }
}

#[test]
fn a_value_does_not_swallow_the_next_call() {
    let one = "<tool_call>\n<function=f>\n<parameter=a>\n1\n</parameter>\n</function>\n</tool_call>";
    let text = format!("{one}\n{one}");
    let element = read(&text, 12).unwrap();
    assert_eq!(element.body, Body::Arguments(vec![("a", "1")]));
    let text = format!("{one}\nAnd now the second:\n\n{one}");
    let element = read(&text, 12).unwrap();
    assert_eq!(element.body, Body::Arguments(vec![("a", "1")]));
    assert_eq!(element.end, one.len() - "\n</tool_call>".len());
}

#[test]
fn a_value_that_breaks_off_is_cut_whatever_it_holds() {
    let head = "<function=f>\n<parameter=content>\n";
    let bodies = [
        "plain",
        "Text about </function> tags",
        "Ends with\n</function>\nand more",
        "<tool_call>\n<function=g>\n<parameter=q>\nx\n</parameter>\n</function>\n</tool_call>\nmore",
        "<tool_call>\n<function=g>\n<parameter=q>\nx\n</parameter>\n</function>\n",
        "<function=g>\n<parameter=q>\nx\n</parameter>\n",
        "<function=g>\nis never closed here\n</parameter>\n</function>\n</tool_call>",
    ];
    for body in bodies {
        let text = format!("{head}{body}");
        assert_eq!(read(&text, 0).map(|element| element.ending), Some(Ending::Cut), "{body}");
    }
}
