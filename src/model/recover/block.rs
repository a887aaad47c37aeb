//! Which calls stand in the rest of a message that begins with an opener?
//!
//! Asked once, when the message is over, because a value may hold any mark and only the end shows which of them was meant.
//! Each call is fitted to its tool's schema; what does not fit, breaks off or names no tool on offer is said and not run.

use std::ops::Range;

use serde_json::{Map, Value};

use crate::model::recover::coerce::Origin;
use crate::model::recover::json::{self, Broken};
use crate::model::recover::named::{self, At, Named};
use crate::model::recover::peek::{ARGUMENT_KEYS, CALL_KEYS, NAME_KEYS, OTHER_KEYS, fence_body};
use crate::model::recover::toolbox::Toolbox;
use crate::model::recover::wrapper::{self, Gate, Opener};
use crate::model::recover::xml::{self, Body, Element, Ending};

/// Calls beyond this in one message are a model that has lost its way.
const MAX_CALLS: usize = 64;

/// A call that may be run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The tool's name as registered.
    pub name: String,
    /// The arguments as JSON text, in the model's order.
    pub arguments: String,
    /// What was wrong with it, for counting.
    pub kind: &'static str,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// It may be run.
    Call(Call),
    /// It must not.
    Refused {
        /// The name as written.
        name: String,
        /// Why, in words.
        why: String,
    },
    /// It breaks off.
    Cut {
        /// The name as written.
        name: String,
    },
}

/// One call and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What became of it.
    pub what: What,
    /// Its bytes, with the marks around it.
    pub span: Range<usize>,
}

/// Calls that stand together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Block {
    /// In their order; none when it was no call after all.
    pub items: Vec<Item>,
    /// The byte after the last of them and its closing marks.
    pub end: usize,
    /// Whether the code fence around them is closed, where there is one.
    pub is_fence_closed: bool,
}

/// Reads the calls at the beginning of `text`, which begins with `opener`.
pub fn read(toolbox: &Toolbox, text: &str, opener: &Opener) -> Block {
    let mut block = Block::default();
    let reader = Reader { toolbox, text, opener };
    let mut at = match opener.gate {
        Gate::Fence => fence_body(text).unwrap_or(text.len()),
        _ => opener.body,
    };
    while let Some((mut outcomes, end)) = reader.calls(at, block.items.is_empty()) {
        let end = reader.closed(end, outcomes.last());
        block.is_fence_closed = text[..end].ends_with("```");
        if block.items.len() + outcomes.len() > MAX_CALLS {
            outcomes.truncate(1);
            let why = format!("the message holds more than {MAX_CALLS} calls");
            outcomes[0] = What::Refused { name: String::new(), why };
        }
        let is_over = matches!(outcomes.last(), Some(What::Cut { .. })) || end == text.len();
        // Calls of one list share its bytes.
        let spans = std::iter::once(block.end..end).chain(std::iter::repeat(end..end));
        block.items.extend(outcomes.into_iter().zip(spans).map(|(what, span)| Item { what, span }));
        block.end = end;
        if is_over || opener.gate == Gate::Fence || block.items.len() > MAX_CALLS {
            break;
        }
        at = end;
    }
    block
}

/// Arguments as they were found.
struct Found<'a> {
    name: &'a str,
    arguments: Map<String, Value>,
    origin: Origin,
    kind: &'static str,
}

struct Reader<'a> {
    toolbox: &'a Toolbox,
    text: &'a str,
    opener: &'a Opener,
}

impl<'a> Reader<'a> {
    /// Reads the calls after the marks at byte `at`: what became of each, and the byte after the last. None when there
    /// is no call.
    fn calls(&self, at: usize, is_first: bool) -> Option<(Vec<What>, usize)> {
        let (start, n_openers) = wrapper::skip_openers(self.text, at);
        let is_wrapped = start > at + wrapper::spaces(&self.text[at..]) || (is_first && self.opener.body > 0);
        let n_openers = n_openers + usize::from(is_first && self.opener.text == "<tool_call>");
        let style = Style { is_first, is_wrapped, is_doubled: n_openers > 1 };
        let rest = &self.text[start..];
        let (outcomes, end) = match rest.chars().next()? {
            '<' => self.element(start, &style)?,
            '{' => self.object(start, &style)?,
            '[' => self.list(start, &style)?,
            _ if is_wrapped || is_first || rest.starts_with("functions.") => {
                let (what, end) = self.named(named::read(self.text, start), &style)?;
                (vec![what], end)
            }
            _ => return None,
        };
        (!outcomes.is_empty()).then_some((outcomes, end))
    }

    /// Returns the byte after the closing marks that follow a call; stray braces inside a wrapper go with them.
    fn closed(&self, end: usize, last: Option<&What>) -> usize {
        if matches!(last, Some(What::Cut { .. })) {
            return self.text.len();
        }
        let braces = self.text[end..].trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '}' | ']'));
        let after = self.text.len() - braces.len();
        let is_stray = self.opener.gate == Gate::Marked && matches!(wrapper::closer(braces), wrapper::Found::Yes(_));
        let end = wrapper::skip_closers(self.text, if is_stray { after } else { end });
        if self.opener.gate != Gate::Fence {
            return end;
        }
        let rest = self.text[end..].trim_start();
        let after = rest.trim_start_matches('`');
        if rest.len() - after.len() >= 3 { self.text.len() - after.len() } else { end }
    }

    fn element(&self, at: usize, style: &Style) -> Option<(Vec<What>, usize)> {
        let element = xml::read(self.text, at)?;
        let is_function = self.text[at..].starts_with("<function");
        let kind = if is_function { "qwen_xml" } else { "invoke_xml" };
        let arguments = match &element.body {
            Body::Json(at) => return Some(self.element_json(&element, *at, style.kind(self.opener, "functionary"))),
            Body::Arguments(arguments) => arguments,
        };
        if element.ending == Ending::Cut {
            return Some((vec![What::Cut { name: element.name.to_owned() }], self.text.len()));
        }
        let fields = arguments.iter().map(|(key, value)| ((*key).to_owned(), Value::String((*value).to_owned())));
        let kind = match element.ending {
            _ if element.has_open_value => "unclosed_parameter",
            Ending::Followed | Ending::AtEnd => "unclosed_function",
            _ => style.kind(self.opener, kind),
        };
        let found = Found { name: element.name, arguments: fields.collect(), origin: Origin::Tags, kind };
        Some((vec![self.fit(found)], element.end))
    }

    fn element_json(&self, element: &Element<'a>, at: usize, kind: &'static str) -> (Vec<What>, usize) {
        match json::read(self.text, at) {
            Ok(read) => {
                let kind = if read.is_repaired { "broken_json" } else { kind };
                let arguments = json::object_of(read.value).unwrap_or_default();
                let found = Found { name: element.name, arguments, origin: Origin::Json, kind };
                (vec![self.fit(found)], read.end)
            }
            Err(Broken::Truncated) => (vec![What::Cut { name: element.name.to_owned() }], self.text.len()),
            Err(Broken::Malformed) => (vec![unreadable(element.name)], self.refused_end(at)),
        }
    }

    fn object(&self, at: usize, style: &Style) -> Option<(Vec<What>, usize)> {
        let read = match json::read(self.text, at) {
            Ok(read) => read,
            Err(broken) => return self.broken_json(at, broken),
        };
        let kind = if read.is_repaired { "broken_json" } else { style.kind(self.opener, "hermes_json") };
        let outcomes = self.of_value(read.value, kind)?;
        let is_open = style.is_wrapped && self.opener.text == "<tool_call>" && self.is_unclosed(read.end);
        let outcomes = outcomes.into_iter().map(|what| match what {
            What::Call(call) if is_open && !read.is_repaired => What::Call(Call { kind: "unclosed_wrapper", ..call }),
            other => other,
        });
        Some((outcomes.collect(), read.end))
    }

    fn is_unclosed(&self, end: usize) -> bool {
        let rest = self.text[end..].trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '}' | ']'));
        !matches!(wrapper::closer(rest), wrapper::Found::Yes(_))
    }

    fn list(&self, at: usize, style: &Style) -> Option<(Vec<What>, usize)> {
        let inside = self.text[at + 1..].trim_start();
        if !inside.starts_with(['{', ']']) && !inside.is_empty() {
            let (calls, end) = named::python_list(self.text, at);
            let outcomes: Option<Vec<What>> =
                calls.into_iter().map(|call| self.named(call, style).map(|(what, _)| what)).collect();
            return Some((outcomes?, end));
        }
        let read = match json::read(self.text, at) {
            Ok(read) => read,
            Err(broken) => return self.broken_json(at, broken),
        };
        let kind = if read.is_repaired { "broken_json" } else { style.kind(self.opener, "json_array") };
        let Value::Array(items) = read.value else { return None };
        let mut outcomes = Vec::new();
        for item in items {
            outcomes.extend(self.of_value(item, kind)?);
        }
        Some((outcomes, read.end))
    }

    fn named(&self, call: At<'a>, style: &Style) -> Option<(What, usize)> {
        match call {
            At::Whole(Named { name, arguments, end, kind, is_repaired }) => {
                let origin = if kind == "glm" { Origin::Tags } else { Origin::Json };
                let kind = match kind {
                    // Gemma's own way to write JSON is nothing broken.
                    _ if is_repaired && self.opener.kind != "gemma" => "broken_json",
                    "pythonic" => kind,
                    _ => style.kind(self.opener, kind),
                };
                Some((self.fit(Found { name, arguments, origin, kind }), end))
            }
            At::Cut(name) => Some((What::Cut { name: name.to_owned() }, self.text.len())),
            At::Nothing => None,
        }
    }

    /// Says what becomes of JSON that cannot be read.
    fn broken_json(&self, at: usize, broken: Broken) -> Option<(Vec<What>, usize)> {
        let peek = crate::model::recover::peek::peek(self.toolbox, &self.text[at..], &BARE);
        let crate::model::recover::peek::Peek::Call(name) = peek else { return None };
        match broken {
            Broken::Truncated => Some((vec![What::Cut { name }], self.text.len())),
            Broken::Malformed => Some((vec![unreadable(&name)], self.refused_end(at))),
        }
    }

    /// Returns where a call ends that cannot be read: after its closing mark, or before the next blank line.
    fn refused_end(&self, at: usize) -> usize {
        let rest = &self.text[at..];
        let closer = self.opener.closer;
        let closed = (!closer.is_empty()).then(|| rest.find(closer)).flatten().map(|n| at + n + closer.len());
        closed.or_else(|| rest.find("\n\n").map(|n| at + n)).unwrap_or(self.text.len())
    }

    /// Takes the calls out of a value; none when it holds something else.
    fn of_value(&self, value: Value, kind: &'static str) -> Option<Vec<What>> {
        let Value::Object(mut fields) = value else { return None };
        if let Some(key) = CALL_KEYS.iter().find(|key| fields.get(**key).is_some_and(|v| v.is_object() || v.is_array()))
        {
            return match fields.remove(*key)? {
                Value::Array(items) => {
                    let outcomes: Option<Vec<Vec<What>>> =
                        items.into_iter().map(|item| self.of_value(item, kind)).collect();
                    Some(outcomes?.into_iter().flatten().collect())
                }
                inner => self.of_value(inner, kind),
            };
        }
        let is_name = |key: &&&str| fields.get(**key).and_then(Value::as_str).is_some();
        let key = NAME_KEYS.iter().find(is_name)?;
        let Some(Value::String(name)) = fields.remove(*key) else { return None };
        let given = ARGUMENT_KEYS.iter().find_map(|key| fields.remove(*key));
        fields.retain(|key, _| !OTHER_KEYS.contains(&key.as_str()));
        let is_loose = self.opener.gate == Gate::Marked;
        if !is_loose && (given.is_none() || !fields.is_empty()) {
            return None;
        }
        let arguments = match given {
            Some(given) => json::object_of(given),
            // The arguments stand beside the name.
            None => Some(fields),
        };
        let Some(arguments) = arguments else {
            return Some(vec![What::Refused { name, why: "its arguments are no JSON object".to_owned() }]);
        };
        Some(vec![self.fit(Found { name: &name, arguments, origin: Origin::Json, kind })])
    }

    fn fit(&self, found: Found<'_>) -> What {
        let name = found.name.to_owned();
        let Some(tool) = self.toolbox.resolve(found.name) else {
            return What::Refused { why: "no such tool is on offer".to_owned(), name };
        };
        if is_description(&found.arguments, &tool.parameters) {
            return What::Refused { name, why: "it describes the tool".to_owned() };
        }
        match self.toolbox.accept(tool, found.arguments, found.origin) {
            Ok(accepted) => {
                let (name, arguments) = (accepted.name, accepted.arguments.to_string());
                What::Call(Call { name, arguments, kind: found.kind })
            }
            Err(why) => What::Refused { name, why },
        }
    }
}

/// How a call stands among the others.
struct Style {
    is_first: bool,
    is_wrapped: bool,
    is_doubled: bool,
}

impl Style {
    /// Names what is counted for a call that has nothing else wrong with it.
    fn kind(&self, opener: &Opener, own: &'static str) -> &'static str {
        let is_bare = opener.kind == "missing_opener" || opener.kind.starts_with("naked");
        match opener.kind {
            _ if self.is_doubled => "doubled_opener",
            "" => own,
            _ if is_bare && !self.is_first && self.is_wrapped => own,
            kind => kind,
        }
    }
}

/// A JSON object wherever it stands.
const BARE: Opener = Opener { text: "{", gate: Gate::Marked, kind: "", closer: "", body: 0 };

fn unreadable(name: &str) -> What {
    What::Refused { name: name.to_owned(), why: "its JSON cannot be read".to_owned() }
}

/// Says whether "arguments" are the schema of a tool, as in a list of tools.
fn is_description(arguments: &Map<String, Value>, parameters: &Value) -> bool {
    let is_schema = arguments.get("properties").is_some_and(Value::is_object)
        && arguments.get("type").and_then(Value::as_str) == Some("object");
    is_schema && parameters["properties"].get("properties").is_none()
}
