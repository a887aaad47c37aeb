//! What exactly is sent to Ollama for a chat request?
//!
//! As for every wire the order of the keys is the point: what stays the same first, the messages last. `truncate: false`
//! turns Ollama's silent dropping of old messages into an error. Surprising: `num_ctx` and `shift` are left out unless the
//! user forces a window, because a request that differs in them makes the server load the model anew, for everybody.
//! Must not add anything that changes from request to request.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::config::schema::Think;
use crate::model::{Delivery, Request, ToolChoice};
use crate::protocol::message::{Message, ToolCall};
use crate::protocol::tool::ToolSpec;

/// What the user has set for this server.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forced {
    /// Tokens of the window to be allocated.
    pub num_ctx: Option<u64>,
    /// Whether the model thinks first.
    pub think: Option<Think>,
}

/// Renders the body of `request`.
pub fn render(request: &Request, forced: Forced) -> Result<Vec<u8>, serde_json::Error> {
    serde_json::to_vec(&Body::of(request, forced))
}

/// Says whether the answer is held to a call: Ollama has no `tool_choice`, so a schema stands in for it.
pub fn forces_call(request: &Request) -> bool {
    request.tool_choice == ToolChoice::Required && !request.tools.is_empty()
}

/// Returns the tools the server is told of. It looks for calls whenever it knows of tools, so that it is told of none when
/// calls are to stay in the text; the conversation names them then.
fn shown_tools(request: &Request) -> &[ToolSpec] {
    if request.tool_choice == ToolChoice::Text { &[] } else { &request.tools }
}

/// The schema of a call of one of `tools`, in the form most models know from their training.
fn call_schema(tools: &[ToolSpec]) -> Value {
    let call = |tool: &ToolSpec| {
        json!({
            "type": "object",
            "properties": {"name": {"const": tool.name}, "arguments": parameters(tool).as_ref()},
            "required": ["name", "arguments"],
            "additionalProperties": false,
        })
    };
    json!({"oneOf": tools.iter().map(call).collect::<Vec<_>>()})
}

/// Returns a tool's schema, completed where Ollama would refuse it: without `properties` it cannot build its parser.
fn parameters(tool: &ToolSpec) -> Cow<'_, Value> {
    let is_whole = tool.parameters.get("properties").is_some_and(Value::is_object)
        && tool.parameters.get("type").and_then(Value::as_str) == Some("object");
    if is_whole {
        return Cow::Borrowed(&tool.parameters);
    }
    let mut whole = json!({"type": "object", "properties": {}});
    for (key, value) in tool.parameters.as_object().into_iter().flatten() {
        if key != "type" && (key != "properties" || value.is_object()) {
            whole[key] = value.clone();
        }
    }
    Cow::Owned(whole)
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    truncate: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Thinking>,
    options: Options,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    messages: Vec<WireMessage<'a>>,
    // Behind the messages, because it comes and goes: it must not change what stands before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Cow<'a, Value>>,
}

impl<'a> Body<'a> {
    fn of(request: &'a Request, forced: Forced) -> Self {
        let format = match &request.answer_schema {
            _ if forces_call(request) => Some(Cow::Owned(call_schema(&request.tools))),
            schema => schema.as_deref().map(Cow::Borrowed),
        };
        Self {
            model: &request.model,
            stream: request.delivery == Delivery::Streamed,
            truncate: false,
            think: forced.think.map(Thinking::of),
            options: Options {
                num_ctx: forced.num_ctx,
                num_predict: request.max_tokens,
                temperature: request.temperature,
            },
            tools: shown_tools(request).iter().map(Tool::of).collect(),
            messages: request.messages.iter().map(WireMessage::of).collect(),
            format,
        }
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Thinking {
    Switch(bool),
    Level(&'static str),
}

impl Thinking {
    fn of(think: Think) -> Self {
        match think {
            Think::Off => Self::Switch(false),
            Think::On => Self::Switch(true),
            Think::Low => Self::Level("low"),
            Think::Medium => Self::Level("medium"),
            Think::High => Self::Level("high"),
        }
    }
}

#[derive(Serialize)]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    num_ctx: Option<u64>,
    num_predict: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: Function<'a>,
}

impl<'a> Tool<'a> {
    fn of(tool: &'a ToolSpec) -> Self {
        let function = Function { name: &tool.name, description: &tool.description, parameters: parameters(tool) };
        Self { kind: "function", function }
    }
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: &'a str,
    parameters: Cow<'a, Value>,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum WireMessage<'a> {
    System {
        content: &'a str,
    },
    User {
        content: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        images: Vec<&'a str>,
    },
    Assistant {
        content: &'a str,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<WireCall<'a>>,
    },
    Tool {
        tool_name: &'a str,
        tool_call_id: &'a str,
        content: &'a str,
    },
}

impl<'a> WireMessage<'a> {
    fn of(message: &'a Message) -> Self {
        match message {
            Message::System { text } => Self::System { content: text },
            Message::User { text, images } => {
                Self::User { content: text, images: images.iter().map(|image| image.data.as_str()).collect() }
            }
            Message::Assistant { text, tool_calls } => {
                Self::Assistant { content: text, tool_calls: tool_calls.iter().map(WireCall::of).collect() }
            }
            Message::Tool { call_id, name, text } => {
                Self::Tool { tool_name: name, tool_call_id: &call_id.0, content: text }
            }
        }
    }
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: &'a str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: &'a RawValue,
}

impl<'a> WireCall<'a> {
    fn of(call: &'a ToolCall) -> Self {
        let object = serde_json::from_str::<&RawValue>(&call.arguments).ok();
        // Ollama takes objects only. Written as they were received, so that keys and numbers keep their order and form.
        let object = object.filter(|raw| raw.get().starts_with('{'));
        let arguments = object.or_else(|| serde_json::from_str("{}").ok()).unwrap_or(RawValue::NULL);
        Self { id: &call.id.0, function: WireFunction { name: &call.name, arguments } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::message::Image;

    #[test]
    fn images_stand_beside_the_words() {
        let worded = |message: &Message| serde_json::to_string(&WireMessage::of(message)).unwrap();
        assert_eq!(worded(&Message::user("hi")), r#"{"role":"user","content":"hi"}"#);
        let image = Image { media_type: "image/png".into(), data: "QUI=".into(), width: 1, height: 1 };
        let expected = r#"{"role":"user","content":"see","images":["QUI="]}"#;
        assert_eq!(worded(&Message::User { text: "see".into(), images: vec![image] }), expected);
    }
}
