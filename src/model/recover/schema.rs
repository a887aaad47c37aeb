//! Do arguments follow a tool's JSON schema?
//!
//! Asked about calls only, so a schema is compiled when the first call of its tool comes. Nothing is fetched: a schema that
//! refers to other documents, or is none, cannot be followed and so is not held against the call.

use serde_json::Value;

/// Address under which the compiler knows the schema; never fetched.
const ADDRESS: &str = "mimi:tool";

/// Longest complaint handed on, in bytes.
const MAX_WORDS: usize = 300;

/// A schema ready to be asked.
pub struct Check {
    /// None when the schema cannot be followed.
    compiled: Option<(boon::Schemas, boon::SchemaIndex)>,
}

impl Check {
    /// Compiles a schema.
    pub fn new(schema: &Value) -> Self {
        let mut compiler = boon::Compiler::new();
        compiler.use_loader(Box::new(NoLoader));
        let mut schemas = boon::Schemas::new();
        let added = compiler.add_resource(ADDRESS, schema.clone()).ok();
        let index = added.and_then(|()| compiler.compile(ADDRESS, &mut schemas).ok());
        Self { compiled: index.map(|index| (schemas, index)) }
    }

    /// Checks arguments; the error says in one line what does not fit.
    pub fn check(&self, arguments: &Value) -> Result<(), String> {
        match &self.compiled {
            Some((schemas, index)) => schemas.validate(arguments, *index).map_err(|error| in_one_line(&error)),
            None => Ok(()),
        }
    }
}

/// Returns the innermost complaints with their places.
fn in_one_line(error: &boon::ValidationError<'_, '_>) -> String {
    let mut words = Vec::new();
    collect(error, &mut words);
    let words = words.join("; ");
    crate::base::text::first_line(&words, MAX_WORDS)
}

fn collect(error: &boon::ValidationError<'_, '_>, words: &mut Vec<String>) {
    if error.causes.is_empty() {
        let place = error.instance_location.to_string();
        let place = if place.is_empty() { String::new() } else { format!("`{place}`: ") };
        words.push(format!("{place}{}", error.kind));
    }
    for cause in &error.causes {
        collect(cause, words);
    }
}

/// Refuses to load referenced documents from files or the network.
struct NoLoader;

impl boon::UrlLoader for NoLoader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn std::error::Error>> {
        Err(format!("`{url}` would have to be fetched").into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_are_held_to_the_schema_and_nothing_is_fetched() {
        let check = |schema: &Value, arguments: &Value| Check::new(schema).check(arguments);
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        assert_eq!(check(&schema, &json!({"n": 1})), Ok(()));
        assert!(check(&schema, &json!({"n": "1"})).unwrap_err().contains("/n"));
        assert!(check(&schema, &json!({})).unwrap_err().contains('n'));
        assert_eq!(check(&json!({"$ref": "file:///etc/passwd"}), &json!({})), Ok(()));
        assert_eq!(check(&json!({"type": 7}), &json!({})), Ok(()));
    }
}
