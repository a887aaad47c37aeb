//! What does a tool's YAML file say?
//!
//! The file owns all that the model and the person watching read about a tool. Key order is kept from the file to the wire:
//! the same bytes for everybody, so that a model server's prefix cache is shared.

use serde::Deserialize;
use serde_json::Value;

use crate::base::fault::{Explain, Kind};
use crate::protocol::tool::ToolSpec;
use crate::tools::bad_call::Form;

/// A manifest that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the manifest of a tool is wrong")]
pub struct ManifestError {
    /// What is wrong, and where.
    #[from]
    source: crate::base::yaml::YamlError,
}

impl Explain for ManifestError {
    fn kind(&self) -> Kind {
        Kind::Config
    }
}

/// How the person watching reads of a call: `Read src/main.rs?`, `Reading src/main.rs`, `Read src/main.rs`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verbs {
    /// When asking whether it may.
    pub ask: String,
    /// While it runs.
    pub doing: String,
    /// Once it has run.
    pub done: String,
}

/// What a tool can do to the world at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It reads files.
    Read,
    /// It creates or changes files.
    Write,
    /// It starts processes.
    Execute,
}

/// All that is written about a tool.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Verb and noun in snake case; the name of the files too.
    pub name: String,
    /// Words for the person watching.
    pub verbs: Verbs,
    /// What the model is told: what it does and when to use it.
    pub description: String,
    /// JSON schema of the arguments, an object schema with `properties`.
    pub parameters: Value,
    /// What it can do to the world.
    pub effects: Vec<Effect>,
    /// Seconds a call may take, where the tool itself has a limit.
    #[serde(default)]
    pub timeout_s: Option<u64>,
    /// Arguments of sensible calls; they must parse.
    pub examples: Vec<Value>,
}

impl Manifest {
    /// Reads a manifest.
    pub fn parse(yaml: &str) -> Result<Self, ManifestError> {
        let mut manifest: Self = crate::base::yaml::from_str(yaml)?;
        // Folded YAML text ends in a newline that means nothing.
        manifest.description.truncate(manifest.description.trim_end().len());
        Ok(manifest)
    }

    /// Returns what the model is told.
    pub fn spec(&self) -> ToolSpec {
        ToolSpec { name: self.name.clone(), description: self.description.clone(), parameters: self.parameters.clone() }
    }

    /// Returns how the tool is called.
    pub fn form(&self) -> Form {
        let example = self.examples.first().map_or_else(|| "{}".to_owned(), Value::to_string);
        Form { tool: self.name.clone(), signature: self.signature(), example }
    }

    /// Renders the arguments on one line: `path (string), start_line? (integer)`.
    pub fn signature(&self) -> String {
        let required: Vec<&str> =
            self.parameters["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let properties = self.parameters["properties"].as_object().into_iter().flatten();
        let parts = properties.map(|(name, schema)| {
            let mark = if required.contains(&name.as_str()) { "" } else { "?" };
            format!("{name}{mark} ({})", type_of(schema))
        });
        let signature = parts.collect::<Vec<_>>().join(", ");
        if signature.is_empty() { "no arguments".to_owned() } else { signature }
    }
}

/// Names the type of a schema; a list of objects is written out because its keys cannot be guessed.
fn type_of(schema: &Value) -> String {
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("|");
    }
    let keys = |schema: &Value| {
        let keys = schema["properties"].as_object().into_iter().flatten();
        keys.map(|(name, schema)| format!("{name}: {}", type_of(schema))).collect::<Vec<_>>().join(", ")
    };
    match schema["type"].as_str() {
        Some("array") if schema["items"]["properties"].is_object() => {
            format!("array of {{{}}}", keys(&schema["items"]))
        }
        Some("array") => format!("array of {}", schema["items"]["type"].as_str().unwrap_or("anything")),
        Some(name) => name.to_owned(),
        None => "anything".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YAML: &str = "
name: try_it
verbs: {ask: Try, doing: Trying, done: Tried}
description: >-
  Tries it.
parameters:
  type: object
  properties:
    zebra: {type: string}
    apple: {type: integer}
    mode: {type: string, enum: [fast, slow]}
    list: {type: array, items: {type: object, properties: {step: {type: string}}}}
  required: [zebra]
  additionalProperties: false
effects: [read]
examples: [{zebra: x}]
";

    #[test]
    fn key_order_is_that_of_the_file() {
        let manifest = Manifest::parse(YAML).unwrap();
        let bytes = serde_json::to_string(&manifest.spec()).unwrap();
        assert!(bytes.starts_with(
            r#"{"name":"try_it","description":"Tries it.","parameters":{"type":"object","properties":{"zebra":{"type":"string"},"apple""#
        ));
    }

    #[test]
    fn the_signature_names_every_argument() {
        assert_eq!(
            Manifest::parse(YAML).unwrap().signature(),
            "zebra (string), apple? (integer), mode? (fast|slow), list? (array of {step: string})"
        );
    }

    #[test]
    fn unknown_keys_are_refused() {
        assert!(Manifest::parse(&format!("{YAML}\nspeed: 3\n")).is_err());
    }
}
