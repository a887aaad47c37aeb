//! How does one task become one answer, by a schema if the user asked for one?

use serde_json::Value;

use crate::agent::handle::{Handle, TurnSummary};
use crate::base::fault::{Fault, Kind};
use crate::context::prompt;
use crate::protocol::event::{Record, TurnEnd};

/// Times the model may correct an answer that does not follow the schema.
const MAX_CORRECTIONS: u32 = 3;

/// The schema of the final answer.
pub struct AnswerSchema {
    /// As given, for the model.
    pub text: String,
    schemas: boon::Schemas,
    index: boon::SchemaIndex,
}

impl AnswerSchema {
    /// Compiles a JSON schema (any draft up to 2020-12). References to other documents are refused: nothing is fetched.
    pub fn compile(schema: &Value) -> Result<Self, Fault> {
        let bad = |error: &dyn std::fmt::Display| {
            // The alternate form of its words names the cause, too.
            Fault::new(Kind::Usage, "the answer schema is not valid").cause(format!("{error:#}"))
        };
        let mut compiler = boon::Compiler::new();
        compiler.use_loader(Box::new(NoLoader));
        compiler.add_resource("mimi:answer", schema.clone()).map_err(|error| bad(&error))?;
        let mut schemas = boon::Schemas::new();
        let index = compiler.compile("mimi:answer", &mut schemas).map_err(|error| bad(&error))?;
        Ok(Self { text: schema.to_string(), schemas, index })
    }

    /// Reads an answer: the whole text, or what stands in its only code fence. `Err` says what is wrong with it.
    pub fn read(&self, answer: &str) -> Result<Value, String> {
        let value: Value =
            serde_json::from_str(unfenced(answer)).map_err(|error| format!("it is not JSON: {error}"))?;
        self.schemas.validate(&value, self.index).map_err(|error| error.to_string())?;
        Ok(value)
    }
}

/// Refuses to load referenced documents from files or the network.
struct NoLoader;

impl boon::UrlLoader for NoLoader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("`{url}` would have to be fetched").into())
    }
}

fn unfenced(answer: &str) -> &str {
    let answer = answer.trim();
    let Some(body) = answer.strip_prefix("```").and_then(|rest| rest.strip_suffix("```")) else { return answer };
    body.split_once('\n').map_or(body, |(_, body)| body).trim()
}

/// Carries out one task; with a schema, until the answer follows it.
pub async fn run(
    agent: &mut Handle,
    task: String,
    schema: Option<&AnswerSchema>,
    mut listen: impl FnMut(&Record),
) -> Result<(TurnSummary, Option<Value>), Fault> {
    let gone = || Fault::new(Kind::Bug, "the agent ended in the middle of its work");
    let words = match schema {
        Some(schema) => format!("{task}\n\n{}", prompt::NOTE_SCHEMA.render(&[&schema.text])),
        None => task,
    };
    let mut turn = agent.turn(words, &mut listen).await.ok_or_else(gone)?;
    let Some(schema) = schema else { return Ok((turn, None)) };
    let mut corrections = 0;
    loop {
        if turn.end != TurnEnd::Answered {
            return Ok((turn, None));
        }
        match schema.read(&turn.answer) {
            Ok(value) => return Ok((turn, Some(value))),
            Err(error) if corrections < MAX_CORRECTIONS => {
                corrections += 1;
                let note = prompt::NOTE_SCHEMA_RETRY.render(&[&error]);
                turn = agent.turn(note, &mut listen).await.ok_or_else(gone)?;
            }
            Err(error) => {
                return Err(Fault::new(Kind::Task, "the model's answer does not follow the schema").cause(error));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_held_to_the_schema() {
        let schema = serde_json::json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
        let schema = AnswerSchema::compile(&schema).unwrap();
        let table = [
            (r#"{"n": 1}"#, true),
            ("```json\n{\"n\": 1}\n```", true),
            (r#"{"n": "1"}"#, false),
            ("the number is 1", false),
            ("", false),
        ];
        for (answer, expected) in table {
            assert_eq!(schema.read(answer).is_ok(), expected, "{answer}");
        }
    }

    #[test]
    fn a_schema_can_make_nothing_be_fetched() {
        for schema in [serde_json::json!({"$ref": "file:///etc/passwd"}), serde_json::json!({"type": 7})] {
            assert!(AnswerSchema::compile(&schema).is_err(), "{schema}");
        }
    }
}
