//! Which slips in a call's arguments are plain enough to read past?
//!
//! Models write numbers and truth values as text, and something empty for what they leave out. Anything with two readings
//! is still an error.

use serde::de::Error as _;
use serde::{Deserialize as _, Deserializer};
use serde_json::Value;

/// Says whether a value stands for "left out".
fn is_absent(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => matches!(text.trim(), "" | "null" | "None" | "undefined"),
        _ => false,
    }
}

/// Reads a count: `12`, `12.0`, `"12"`, or nothing.
pub fn count<'de, D: Deserializer<'de>>(source: D) -> Result<Option<usize>, D::Error> {
    let value = Value::deserialize(source)?;
    if is_absent(&value) {
        return Ok(None);
    }
    let number = match &value {
        Value::String(text) => text.trim().parse::<f64>().ok(),
        other => other.as_f64(),
    };
    match number {
        Some(number) if number >= 0.0 && number.fract() == 0.0 && number < 1e15 => Ok(Some(number as usize)),
        _ => Err(D::Error::custom(format!("`{value}` is not a count"))),
    }
}

/// Reads a truth value: `true`, `"true"`, `"yes"`, `1`, or nothing, which is false.
pub fn flag<'de, D: Deserializer<'de>>(source: D) -> Result<bool, D::Error> {
    let value = Value::deserialize(source)?;
    if is_absent(&value) {
        return Ok(false);
    }
    let word = value.as_str().map_or_else(|| value.to_string(), |text| text.trim().to_lowercase());
    match word.as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(D::Error::custom(format!("`{value}` is neither true nor false"))),
    }
}

/// Reads a text that may be left out.
pub fn text<'de, D: Deserializer<'de>>(source: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(source)? {
        value if is_absent(&value) => Ok(None),
        Value::String(text) => Ok(Some(text)),
        other => Err(D::Error::custom(format!("`{other}` is not a text"))),
    }
}
