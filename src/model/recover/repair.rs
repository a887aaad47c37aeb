//! What is done about a call the server reported itself, but with a slip in it?
//!
//! The name is set right, arguments that are almost JSON are read, and values are fitted to the schema. Arguments that were
//! fine stay byte for byte. What cannot be repaired goes on as it is: the agent tells the model what is wrong.

use serde_json::Value;

use crate::model::recover::coerce::Origin;
use crate::model::recover::json;
use crate::model::recover::toolbox::Toolbox;
use crate::protocol::message::ToolCall;

/// Repairs a call in place; `count` is told what was done.
pub fn repair(toolbox: &Toolbox, call: &mut ToolCall, count: &mut impl FnMut(&str)) {
    let tool = match toolbox.get(&call.name) {
        Some(tool) => tool,
        None => {
            let Some(tool) = toolbox.resolve(&call.name) else { return };
            call.name.clone_from(&tool.name);
            count("name_normalised");
            tool
        }
    };
    let fields = match serde_json::from_str::<Value>(&call.arguments) {
        Ok(value @ Value::Object(_)) if toolbox.check(tool, &value).is_ok() => return,
        Ok(Value::Object(fields)) => fields,
        Ok(other) => match json::object_of(other) {
            Some(fields) => fields,
            None => return,
        },
        Err(_) => match json::read_all(call.arguments.trim()).ok().and_then(|read| json::object_of(read.value)) {
            Some(fields) => fields,
            None => return,
        },
    };
    let is_readable = serde_json::from_str::<Value>(&call.arguments).is_ok_and(|value| value.is_object());
    if !is_readable {
        count("arguments_repaired");
        call.arguments = Value::Object(fields.clone()).to_string();
    }
    if let Ok(accepted) = toolbox.accept(tool, fields, Origin::Json)
        && accepted.is_coerced
    {
        count("coerced");
        call.arguments = accepted.arguments.to_string();
    }
}

/// Says whether two texts of arguments hold the same values.
pub fn is_same(left: &str, right: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    left == right || read(left).zip(read(right)).is_some_and(|(left, right)| left == right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::CallId;
    use crate::protocol::tool::ToolSpec;
    use serde_json::json;

    fn repaired(name: &str, arguments: &str) -> (String, String, Vec<String>) {
        let spec = ToolSpec {
            name: "read_file".to_owned(),
            description: String::new(),
            parameters: json!({
                "type": "object", "required": ["path"], "additionalProperties": false,
                "properties": {"path": {"type": "string"}, "start_line": {"type": "integer"}},
            }),
        };
        let mut call = ToolCall { id: CallId("c".to_owned()), name: name.to_owned(), arguments: arguments.to_owned() };
        let mut counts = Vec::new();
        repair(&Toolbox::new([spec].into()), &mut call, &mut |kind: &str| counts.push(kind.to_owned()));
        (call.name, call.arguments, counts)
    }

    #[test]
    fn slips_are_repaired_and_what_was_fine_is_not_touched() {
        let fine = "{\"start_line\" : 3,\n \"path\":\"a\"}";
        let table: &[(&str, &str, &str, &str, &[&str])] = &[
            ("read_file", fine, "read_file", fine, &[]),
            ("Read-File", fine, "read_file", fine, &["name_normalised"]),
            ("read_file", "{\"path\": \"a\",}", "read_file", "{\"path\":\"a\"}", &["arguments_repaired"]),
            (
                "read_file",
                "{'path': 'a', 'start_line': None}",
                "read_file",
                "{\"path\":\"a\"}",
                &["arguments_repaired", "coerced"],
            ),
            ("read_file", "\"{\\\"path\\\": \\\"a\\\"}\"", "read_file", "{\"path\":\"a\"}", &["arguments_repaired"]),
            (
                "read_file",
                "{\"file_path\":\"a\",\"start_line\":\"3\"}",
                "read_file",
                "{\"path\":\"a\",\"start_line\":3}",
                &["coerced"],
            ),
            ("read_file", "{\"path\":\"a\"}}", "read_file", "{\"path\":\"a\"}", &["arguments_repaired"]),
            ("read_file", "{\"path\": \"a", "read_file", "{\"path\": \"a", &[]),
            ("read_file", "{\"nothing\": 1}", "read_file", "{\"nothing\": 1}", &[]),
            ("read_file", "read it", "read_file", "read it", &[]),
            ("other", "{'a': 1}", "other", "{'a': 1}", &[]),
        ];
        for (name, arguments, new_name, new_arguments, counts) in table {
            let (got_name, got_arguments, got_counts) = repaired(name, arguments);
            assert_eq!((got_name.as_str(), got_arguments.as_str()), (*new_name, *new_arguments), "{name} {arguments}");
            assert_eq!(got_counts, *counts, "{name} {arguments}");
        }
    }
}
