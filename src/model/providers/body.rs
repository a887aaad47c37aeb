//! What exactly is sent for a chat request?
//!
//! The order of the keys is the point: what stays the same first, the messages last, so that each request of a session
//! starts with all bytes of the one before minus what closes its messages. Servers then find the prompt in their prefix cache.
//! Must not add anything that changes from request to request.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::assemble::is_valid_arguments;
use crate::model::{Calls, Delivery, Request, ToolChoice};
use crate::protocol::message::{Image, Message, ToolCall};
use crate::protocol::server::ServerKind;
use crate::protocol::tool::ToolSpec;

/// What is sent in addition to a server that is known to take it. Must stay the same for all requests of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extras {
    /// Asks for word of how far the server is with the prompt; llama.cpp only, others may refuse the key.
    pub return_progress: bool,
    /// Has gaps filled by `/infill`, which knows the tokens of the model itself; llama.cpp only.
    pub infill: bool,
}

impl Extras {
    /// Returns what a server of this kind takes; nothing more for one that is not known.
    pub fn of(server: Option<ServerKind>) -> Self {
        let is_llama_cpp = server == Some(ServerKind::LlamaCpp);
        Self { return_progress: is_llama_cpp, infill: is_llama_cpp }
    }
}

/// Renders the body of `request`. `priority` is the key and number that tell who waits.
pub fn render(request: &Request, extras: Extras, priority: Option<(&str, i32)>) -> Result<Vec<u8>, serde_json::Error> {
    let body = Body::of(request, extras);
    serde_json::to_vec(&Body { priority: priority.into_iter().collect(), ..body })
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    // Beside `stream: false` vLLM refuses it.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    return_progress: bool,
    // One entry or none: its key is the server's affair.
    #[serde(flatten)]
    priority: BTreeMap<&'a str, i32>,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
    // vLLM answers an empty list with status 400.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Tool<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
    messages: Vec<WireMessage<'a>>,
    // Behind the messages, because it comes and goes: it must not change what stands before them.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<&'static str>,
}

impl<'a> Body<'a> {
    fn of(request: &'a Request, extras: Extras) -> Self {
        Self {
            model: &request.model,
            stream: request.delivery == Delivery::Streamed,
            stream_options: (request.delivery == Delivery::Streamed).then_some(StreamOptions { include_usage: true }),
            return_progress: extras.return_progress,
            priority: BTreeMap::new(),
            max_tokens: request.max_tokens,
            temperature: request.temperature,
            response_format: request.answer_schema.as_deref().map(|schema| ResponseFormat {
                kind: "json_schema",
                json_schema: NamedSchema { name: "answer", strict: true, schema },
            }),
            tools: request.tools.iter().map(|function| Tool { kind: "function", function }).collect(),
            parallel_tool_calls: (request.calls == Calls::One && !request.tools.is_empty()).then_some(false),
            messages: request.messages.iter().map(WireMessage::of).collect(),
            // vLLM refuses a choice without tools.
            tool_choice: choice_word(request.tool_choice).filter(|_| !request.tools.is_empty()),
        }
    }
}

/// Words a choice. With `none` vLLM and llama.cpp keep the tools in the prompt and leave what the model writes as it is.
fn choice_word(choice: ToolChoice) -> Option<&'static str> {
    match choice {
        ToolChoice::Auto => None,
        ToolChoice::Required => Some("required"),
        ToolChoice::Text => Some("none"),
    }
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: NamedSchema<'a>,
}

#[derive(Serialize)]
struct NamedSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a serde_json::Value,
}

#[derive(Serialize)]
struct Tool<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    function: &'a ToolSpec,
}

#[derive(Serialize)]
#[serde(tag = "role", rename_all = "snake_case")]
enum WireMessage<'a> {
    System {
        content: &'a str,
    },
    User {
        content: UserContent<'a>,
    },
    Assistant {
        content: Option<&'a str>,
        #[serde(skip_serializing_if = "Vec::is_empty")]
        tool_calls: Vec<WireCall<'a>>,
    },
    Tool {
        tool_call_id: &'a str,
        content: &'a str,
    },
}

impl<'a> WireMessage<'a> {
    fn of(message: &'a Message) -> Self {
        match message {
            Message::System { text } => Self::System { content: text },
            Message::User { text, images } => Self::User { content: UserContent::of(text, images) },
            Message::Assistant { text, tool_calls } => Self::Assistant {
                content: (!text.is_empty() || tool_calls.is_empty()).then_some(text.as_str()),
                tool_calls: tool_calls.iter().map(WireCall::of).collect(),
            },
            Message::Tool { call_id, text, .. } => Self::Tool { tool_call_id: &call_id.0, content: text },
        }
    }
}

/// Words alone as they always were, so that requests without images keep their bytes; else parts, the images first, as
/// models that see were trained.
#[derive(Serialize)]
#[serde(untagged)]
enum UserContent<'a> {
    Words(&'a str),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    ImageUrl { image_url: Url },
    Text { text: &'a str },
}

#[derive(Serialize)]
struct Url {
    url: String,
}

impl<'a> UserContent<'a> {
    fn of(text: &'a str, images: &[Image]) -> Self {
        if images.is_empty() {
            return Self::Words(text);
        }
        let url = |image: &Image| format!("data:{};base64,{}", image.media_type, image.data);
        let images = images.iter().map(|image| Part::ImageUrl { image_url: Url { url: url(image) } });
        Self::Parts(images.chain([Part::Text { text }]).collect())
    }
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    arguments: &'a str,
}

impl<'a> WireCall<'a> {
    fn of(call: &'a ToolCall) -> Self {
        // Arguments that are no JSON object would have vLLM refuse this and every later request of the session.
        let arguments = if is_valid_arguments(&call.arguments) { call.arguments.as_str() } else { "{}" };
        Self { id: &call.id.0, kind: "function", function: WireFunction { name: &call.name, arguments } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worded(message: &Message) -> String {
        serde_json::to_string(&WireMessage::of(message)).unwrap()
    }

    #[test]
    fn an_image_is_a_part_before_the_words_and_words_alone_stay_a_string() {
        assert_eq!(worded(&Message::user("hi")), r#"{"role":"user","content":"hi"}"#);
        let image = Image { media_type: "image/png".into(), data: "QUI=".into(), width: 1, height: 1 };
        let expected = r#"{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,QUI="}},{"type":"text","text":"see"}]}"#;
        assert_eq!(worded(&Message::User { text: "see".into(), images: vec![image] }), expected);
    }
}
