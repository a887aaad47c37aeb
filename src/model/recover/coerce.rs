//! How are arguments made to fit the schema of their tool without changing what they mean?
//!
//! Keys under other common names, numbers and truth values written as text, one value where a list is wanted, something
//! empty for what is left out. A value that fits is never touched: text stays text even when it looks like JSON. What has
//! two readings is left as it is, and the schema refuses it.

use serde_json::{Map, Value};

use crate::model::recover::alias;
use crate::model::recover::json;
use crate::model::recover::toolbox::folded;

/// How the values were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// As text between tags, which has no types and no way to say "nothing".
    Tags,
    /// As JSON.
    Json,
}

/// Keys under which a call of another tool puts its arguments.
const INNER: [&str; 4] = ["arguments", "args", "parameters", "input"];

/// Fits the arguments of a call. The error says in words what cannot be made to fit.
pub fn fit(schema: &Value, given: Map<String, Value>, origin: Origin) -> Result<Map<String, Value>, String> {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else { return Ok(given) };
    let required = required(schema);
    let keeps_unknown = keeps_unknown(schema, properties);
    let names = alias::assign(properties, &given);
    let (mut fitted, mut unknown) = (Map::new(), Map::new());
    for ((key, value), name) in given.into_iter().zip(names) {
        let Some(name) = name else {
            unknown.insert(key, value);
            continue;
        };
        let schema = &properties[&name];
        let is_needed = required.contains(&name.as_str());
        if !is_needed && stands_for_nothing(&value, schema, origin) {
            continue;
        }
        fitted.insert(name, fit_value(schema, value, origin));
    }
    if !unknown.is_empty() {
        place_unknown(properties, &mut fitted, unknown, keeps_unknown)?;
    }
    match required.iter().find(|name| !fitted.contains_key(**name)) {
        Some(missing) => Err(format!("`{missing}` is missing")),
        None => Ok(fitted),
    }
}

/// Says whether keys without a property may stay.
fn keeps_unknown(schema: &Value, properties: &Map<String, Value>) -> bool {
    match schema.get("additionalProperties") {
        Some(Value::Bool(keeps)) => *keeps,
        Some(_) => true,
        None => properties.is_empty(),
    }
}

fn required(schema: &Value) -> Vec<&str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Keeps keys nobody knows where they are allowed or belong to an inner call, else drops them; but a call that holds
/// nothing else is no call of this tool.
fn place_unknown(
    properties: &Map<String, Value>,
    fitted: &mut Map<String, Value>,
    unknown: Map<String, Value>,
    keeps_unknown: bool,
) -> Result<(), String> {
    if keeps_unknown {
        fitted.extend(unknown);
        return Ok(());
    }
    let is_open = |name: &&&str| {
        let schema = properties.get(**name);
        schema.is_some_and(|schema| schema["type"] == "object" && schema.get("properties").is_none())
    };
    if let Some(inner) = INNER.iter().find(is_open).filter(|inner| !fitted.contains_key(**inner)) {
        fitted.insert((*inner).to_owned(), Value::Object(unknown));
        return Ok(());
    }
    if fitted.is_empty() {
        let names: Vec<&str> = unknown.keys().map(String::as_str).collect();
        return Err(format!("it has no argument `{}`", names.join("`, `")));
    }
    Ok(())
}

/// Says whether an optional value means that it is left out.
fn stands_for_nothing(value: &Value, schema: &Value, origin: Origin) -> bool {
    match value {
        Value::Null => !allows(schema, "null"),
        Value::String(text) => {
            let is_nothing = matches!(text.trim(), "" | "null" | "undefined" | "None");
            // In tags there is no other way to write nothing; in JSON a text that fits is what the model means.
            is_nothing && (origin == Origin::Tags || !allows(schema, "string"))
        }
        _ => false,
    }
}

/// Says whether a schema takes values of this JSON type, as far as it says so itself.
fn allows(schema: &Value, kind: &str) -> bool {
    let any = |key: &str| {
        schema.get(key).and_then(Value::as_array).is_some_and(|options| options.iter().any(|one| allows(one, kind)))
    };
    let is_number = |name: &str| name == kind || (name == "number" && kind == "integer");
    match schema.get("type") {
        Some(Value::String(name)) => is_number(name),
        Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).any(is_number),
        _ if schema.get("enum").is_some() => {
            let values = schema["enum"].as_array();
            values.is_some_and(|values| values.iter().any(|value| kind_of(value) == kind))
        }
        _ if ["anyOf", "oneOf"].iter().any(|key| schema.get(*key).is_some()) => any("anyOf") || any("oneOf"),
        _ => true,
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Fits one value; what cannot be fitted comes back as it is.
fn fit_value(schema: &Value, value: Value, origin: Origin) -> Value {
    if let Some(fitted) = fit_choice(schema, &value) {
        return fitted;
    }
    if allows(schema, kind_of(&value)) {
        return fit_inside(schema, value, origin);
    }
    let text = match &value {
        Value::String(text) => Some(text.trim()),
        _ => None,
    };
    let number = || text.map_or_else(|| value.as_f64(), |text| text.parse().ok());
    let whole = number().filter(|n: &f64| n.fract() == 0.0 && n.abs() < 1e15);
    if allows(schema, "integer")
        && let Some(number) = whole
    {
        return Value::from(number as i64);
    }
    if allows(schema, "number")
        && let Some(number) = number()
    {
        return Value::from(number);
    }
    if allows(schema, "boolean")
        && let Some(flag) = truth(&value)
    {
        return Value::Bool(flag);
    }
    if let Some(nested) = text.and_then(|text| nested(schema, text)) {
        return fit_inside(schema, nested, origin);
    }
    if allows(schema, "string") {
        return written(value);
    }
    if allows(schema, "array") && !matches!(value, Value::Null) {
        return fit_inside(schema, Value::Array(vec![value]), origin);
    }
    value
}

/// Finds the one choice that is meant by a value in another spelling.
fn fit_choice(schema: &Value, value: &Value) -> Option<Value> {
    let choices = schema.get("enum")?.as_array()?;
    if choices.contains(value) {
        return Some(value.clone());
    }
    let said = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let spelt = |choice: &Value| folded(choice.as_str().map_or_else(|| choice.to_string(), str::to_owned).trim());
    let mut meant = choices.iter().filter(|choice| spelt(choice) == folded(said.trim()));
    let first = meant.next()?;
    meant.next().is_none().then(|| first.clone())
}

/// Fits what stands inside a list or an object.
fn fit_inside(schema: &Value, value: Value, origin: Origin) -> Value {
    match value {
        Value::Array(items) => {
            let fit_item = |item: Value| match schema.get("items") {
                Some(schema) => fit_value(schema, item, origin),
                None => item,
            };
            Value::Array(items.into_iter().map(fit_item).collect())
        }
        Value::Object(fields) => match fit(schema, fields.clone(), Origin::Json) {
            Ok(fitted) => Value::Object(fitted),
            Err(_) => Value::Object(fields),
        },
        other => other,
    }
}

fn truth(value: &Value) -> Option<bool> {
    let word = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_lowercase());
    match word.as_str() {
        "true" | "yes" | "on" | "1" => Some(true),
        "false" | "no" | "off" | "0" => Some(false),
        _ => None,
    }
}

/// Reads a list or an object that was written as text.
fn nested(schema: &Value, text: &str) -> Option<Value> {
    if !text.starts_with(['{', '[']) {
        return None;
    }
    let value = json::read_all(text).ok()?.value;
    allows(schema, kind_of(&value)).then_some(value)
}

/// Writes a value as the text it would be in a file.
fn written(value: Value) -> Value {
    match value {
        Value::Number(_) | Value::Bool(_) => Value::String(value.to_string()),
        Value::Object(_) | Value::Array(_) => serde_json::to_string_pretty(&value).map_or(Value::Null, Value::String),
        other => other,
    }
}

#[cfg(test)]
#[path = "coerce_tests.rs"]
mod tests;
