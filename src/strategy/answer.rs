//! How does one task become one answer, by a schema if the user asked for one?

use serde_json::Value;

use crate::agent::handle::{Handle, TurnSummary};
use crate::base::fault::{Fault, Kind};
use crate::context::prompt::{self, Prompt};
use crate::model::recover::json;
use crate::protocol::event::{Record, TurnEnd};

/// Times the model may correct an answer that does not follow the schema.
const MAX_CORRECTIONS: u32 = 3;
/// Places of an answer where a value is looked for; prose about code is full of braces.
const MAX_PLACES: usize = 200;

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

    /// Reads an answer: the whole text, what stands in its only code fence, or else the last object or array in it that
    /// follows the schema. `Err` says what is wrong with it.
    pub fn read(&self, answer: &str) -> Result<Value, String> {
        let strictly = serde_json::from_str(unfenced(answer)).map_err(|error| format!("it is not JSON: {error}"));
        let why = match strictly.and_then(|value| self.check(value)) {
            Ok(value) => return Ok(value),
            Err(why) => why,
        };
        values(answer).into_iter().rev().find_map(|value| self.check(value).ok()).ok_or(why)
    }

    fn check(&self, value: Value) -> Result<Value, String> {
        self.schemas.validate(&value, self.index).map_err(|error| error.to_string())?;
        Ok(value)
    }
}

/// Returns the objects and arrays that stand in a text, among whatever else a model wrote, in their order. Small slips of its
/// JSON are mended; what broke off is not completed.
pub fn values(text: &str) -> Vec<Value> {
    let (mut found, mut at) = (Vec::new(), 0);
    for _ in 0..MAX_PLACES {
        let Some(start) = text[at..].find(['{', '[']).map(|offset| at + offset) else { break };
        match json::read(text, start) {
            Ok(read) => {
                at = read.end;
                found.push(read.value);
            }
            Err(_) => at = start + 1,
        }
    }
    found
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
    listen: impl FnMut(&Record),
) -> Result<(TurnSummary, Option<Value>), Fault> {
    let Some(schema) = schema else {
        let turn = agent.turn(task, listen).await.ok_or_else(gone)?;
        return Ok((turn, None));
    };
    let words = format!("{task}\n\n{}", prompt::NOTE_SCHEMA.render(&[&schema.text]));
    let wanted = Wanted { read: |answer: &str| schema.read(answer), again: prompt::NOTE_SCHEMA_RETRY };
    match ask(agent, words, wanted, listen).await? {
        (_, Some(Err(error))) => {
            Err(Fault::new(Kind::Task, "the model's answer does not follow the schema").cause(error))
        }
        (turn, value) => Ok((turn, value.and_then(Result::ok))),
    }
}

/// What an answer must be.
pub struct Wanted<R> {
    /// Reads it; `Err` says what is wrong with it, for the model.
    pub read: R,
    /// What the model is told then, with the variable `error`.
    pub again: Prompt,
}

/// Asks until the answer can be read, a few times. The value is none when the turn did not end with an answer, and `Err`, with
/// what is wrong with the last one, when no answer could be read.
pub async fn ask<T>(
    agent: &mut Handle,
    words: String,
    wanted: Wanted<impl Fn(&str) -> Result<T, String>>,
    mut listen: impl FnMut(&Record),
) -> Result<(TurnSummary, Option<Result<T, String>>), Fault> {
    let mut turn = agent.turn(words, &mut listen).await.ok_or_else(gone)?;
    let mut corrections = 0;
    loop {
        if turn.end != TurnEnd::Answered {
            return Ok((turn, None));
        }
        match (wanted.read)(&turn.answer) {
            Err(error) if corrections < MAX_CORRECTIONS => {
                corrections += 1;
                turn = agent.turn(wanted.again.render(&[&error]), &mut listen).await.ok_or_else(gone)?;
            }
            read => return Ok((turn, Some(read))),
        }
    }
}

/// Says with which failure a turn that did not end with an answer ends a command.
pub fn end_fault(end: TurnEnd) -> Fault {
    match end {
        TurnEnd::Answered => Fault::new(Kind::Bug, "an answer is no failure"),
        TurnEnd::Interrupted => Fault::new(Kind::Interrupted, "interrupted"),
        TurnEnd::Limit { what } => Fault::new(Kind::Budget, format!("stopped at a limit: {what}")),
        TurnEnd::Stuck { tool } => Fault::new(Kind::Task, format!("stopped: the same call of `{tool}` kept failing")),
        TurnEnd::ModelFailed { message, hints } => Fault { kind: Kind::Model, message, causes: Vec::new(), hints },
    }
}

fn gone() -> Fault {
    Fault::new(Kind::Bug, "the agent ended in the middle of its work")
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
            ("I think {so}: the answer is {\"n\": 1,} as you see", true),
            ("<think>{\"n\": \"x\"}</think>{'n': 1}", true),
            ("{\"n\": 1", false),
            ("{\"m\": 1} or {\"n\": \"1\"}", false),
            ("", false),
        ];
        for (answer, expected) in table {
            assert_eq!(schema.read(answer).is_ok(), expected, "{answer}");
        }
    }

    #[test]
    fn values_are_found_among_words() {
        let found = |text: &str| values(text).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(found("a [1, 2,] b {\"x\": {}} }{"), ["[1,2]", "{\"x\":{}}"]);
        assert_eq!(found("fn f() { g(); }"), [""; 0]);
        assert_eq!(found(&"{".repeat(100_000)), [""; 0]);
    }

    #[test]
    fn a_schema_can_make_nothing_be_fetched() {
        for schema in [serde_json::json!({"$ref": "file:///etc/passwd"}), serde_json::json!({"type": 7})] {
            assert!(AnswerSchema::compile(&schema).is_err(), "{schema}");
        }
    }
}
