//! What does each kind of server say about its models, and in which field?
//!
//! Pure readers of JSON, one a server. A field that is missing, of another type or zero leaves the fact unknown. What a
//! model was trained for (`n_ctx_train`, `<arch>.context_length`) is never taken for what is served.

use serde_json::Value;

use crate::model::probe::fetch::Reply;
use crate::protocol::server::{ModelFacts, ServerFacts};

/// Reads the common list of models: `data`, or `models` where there is no other. vLLM and SGLang say `max_model_len`,
/// llama.cpp `meta.n_ctx`.
pub fn listed(reply: Option<&Reply>) -> Vec<ModelFacts> {
    let Some(reply) = reply else { return Vec::new() };
    let rows = ["data", "models"].iter().find_map(|key| reply.json.get(*key)?.as_array());
    rows.into_iter().flatten().filter_map(listed_model).collect()
}

fn listed_model(row: &Value) -> Option<ModelFacts> {
    let id = ["id", "name", "model"].iter().find_map(|key| row.get(*key)?.as_str())?;
    let window = ["max_model_len", "context_length", "context_window"].iter().find_map(|key| positive(row.get(*key)?));
    let meta = row.get("meta");
    Some(ModelFacts {
        id: id.to_owned(),
        window_tokens: window.or_else(|| positive(meta?.get("n_ctx")?)),
        // llama.cpp in router mode lists what it could load, too.
        is_loaded: row.pointer("/status/value").and_then(Value::as_str).map(|state| state == "loaded"),
        ..ModelFacts::default()
    })
}

/// Reads Ollama's `/api/tags`: all models it has.
pub fn ollama_tags(facts: &mut ServerFacts, reply: &Reply) {
    let Some(rows) = reply.json.get("models").and_then(Value::as_array) else { return };
    let names = rows.iter().filter_map(|row| ["model", "name"].iter().find_map(|key| row.get(*key)?.as_str()));
    facts.models = names.map(|id| ModelFacts { id: id.to_owned(), ..ModelFacts::default() }).collect();
}

/// Reads Ollama's `/api/ps`: what is in memory, with the window that was really allocated.
pub fn ollama_loaded(facts: &mut ServerFacts, reply: &Reply) {
    let Some(rows) = reply.json.get("models").and_then(Value::as_array) else { return };
    for model in &mut facts.models {
        let is_it =
            |row: &&Value| ["model", "name"].iter().any(|key| row.get(*key).and_then(Value::as_str) == Some(&model.id));
        let row = rows.iter().find(is_it);
        model.is_loaded = Some(row.is_some());
        let allocated = row.and_then(|row| positive(row.get("context_length")?));
        model.window_tokens = allocated.or(model.window_tokens);
    }
}

/// Reads Ollama's `/api/show`: what the model can do, and the window its Modelfile asks for.
pub fn ollama_show(model: &mut ModelFacts, json: &Value) {
    let list = json.get("capabilities").and_then(Value::as_array);
    model.capabilities = list.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    let can = |what: &str| model.capabilities.iter().any(|capability| capability == what);
    let (fills_in, embeds) = (can("insert"), can("embedding"));
    if list.is_some() {
        model.fills_in = Some(fills_in);
    }
    if embeds {
        model.embedding_size = by_suffix(json.get("model_info"), ".embedding_length");
    }
    model.window_tokens = json.get("parameters").and_then(Value::as_str).and_then(num_ctx).or(model.window_tokens);
}

/// Reads `num_ctx   65536` from the lines of a Modelfile's parameters.
fn num_ctx(parameters: &str) -> Option<u64> {
    let mut lines = parameters.lines().map(str::split_whitespace);
    lines.find_map(|mut words| (words.next()? == "num_ctx").then(|| words.next()?.parse().ok())?).filter(|n| *n > 0)
}

/// Reads llama.cpp's `/props`; its window is that of one slot.
pub fn llama_props(facts: &mut ServerFacts, reply: Option<&Reply>) {
    let Some(json) = reply.filter(|reply| reply.is_success()).map(|reply| &reply.json) else { return };
    facts.slots = json.get("total_slots").and_then(positive);
    let window = json.pointer("/default_generation_settings/n_ctx").and_then(positive);
    for model in &mut facts.models {
        model.window_tokens = window.or(model.window_tokens);
    }
}

/// Reads SGLang's `/server_info`.
pub fn sglang(facts: &mut ServerFacts, json: &Value) {
    let text = |key: &str| json.get(key).and_then(Value::as_str).map(str::to_owned);
    facts.version = text("version").or(facts.version.take());
    facts.tool_parser = text("tool_call_parser");
    facts.slots = json.get("max_running_requests").and_then(positive);
    let window = ["context_length", "max_req_input_len"].iter().find_map(|key| positive(json.get(*key)?));
    for model in &mut facts.models {
        model.window_tokens = model.window_tokens.or(window);
    }
}

/// Reads LiteLLM's `/v1/model/info`; the limits are those somebody wrote down for the model behind it.
pub fn lite_llm(facts: &mut ServerFacts, reply: &Reply) {
    let rows = reply.json.get("data").and_then(Value::as_array);
    for row in rows.into_iter().flatten() {
        let name = row.get("model_name").and_then(Value::as_str);
        let info = row.get("model_info");
        let Some(model) = facts.models.iter_mut().find(|model| Some(model.id.as_str()) == name) else { continue };
        let window = ["max_input_tokens", "max_tokens"].iter().find_map(|key| positive(info?.get(*key)?));
        model.window_tokens = model.window_tokens.or(window);
        model.embedding_size = info.and_then(|info| positive(info.get("output_vector_size")?));
    }
}

/// Reads the names in Triton's repository index; what failed to load is left out.
pub fn triton_names(index: &Value) -> Vec<String> {
    let rows = index.as_array().into_iter().flatten();
    let ready = rows.filter(|row| row.get("state").and_then(Value::as_str).is_none_or(|state| state == "READY"));
    let mut names: Vec<String> = ready.filter_map(|row| row.get("name")?.as_str()).map(str::to_owned).collect();
    names.dedup();
    names
}

/// Reads Triton's metadata of one model: the size of its vectors is the last dimension of its one FP32 output.
pub fn triton_model(name: &str, meta: &Value) -> ModelFacts {
    let outputs = meta.get("outputs").and_then(Value::as_array);
    let floats =
        outputs.into_iter().flatten().filter(|output| output.get("datatype").and_then(Value::as_str) == Some("FP32"));
    let size = floats.filter_map(|output| positive(output.get("shape")?.as_array()?.last()?)).next();
    ModelFacts { id: name.to_owned(), embedding_size: size, ..ModelFacts::default() }
}

fn by_suffix(map: Option<&Value>, suffix: &str) -> Option<u64> {
    let mut fields = map?.as_object()?.iter();
    fields.find(|(key, _)| key.ends_with(suffix)).and_then(|(_, value)| positive(value))
}

fn positive(value: &Value) -> Option<u64> {
    value.as_u64().filter(|number| *number > 0)
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
