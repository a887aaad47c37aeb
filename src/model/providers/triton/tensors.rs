//! Which tensor of this model takes texts, which gives vectors, and how many texts go into one request?
//!
//! Read from the metadata every server of the protocol gives, and from Triton's own configuration of the model, which
//! alone says how large a batch may be. Pure. Guesses nothing: two tensors that would both do are named to the user.

use serde_json::Value;

/// Texts in one request where a model sets no limit; the gateway hands over no more at once.
const MANY: usize = 64;

/// Tensors the user has named; empty where not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Takes the texts.
    pub text: String,
    /// Gives the vectors.
    pub vector: String,
}

/// How a model is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The tensor that takes the texts.
    pub text: String,
    /// The tensor that gives the vectors.
    pub vector: String,
    /// Dimensions of the input, of which the first one stands for the number of texts.
    pub dims: Vec<i64>,
    /// Texts in one request, at most.
    pub max_texts: usize,
}

impl Plan {
    /// Returns the shape of the input for so many texts: one text in each row.
    pub fn shape(&self, n_texts: usize) -> Vec<usize> {
        let mut shape = vec![1; self.dims.len()];
        if let Some(first) = shape.first_mut() {
            *first = n_texts;
        }
        shape
    }
}

/// Finds out how a model is asked. The error says what is wrong, to be read after its name.
pub fn plan(metadata: &Value, config: Option<&Value>, named: &Named) -> Result<Plan, String> {
    let (inputs, outputs) = (tensors(metadata, "inputs"), tensors(metadata, "outputs"));
    let text = choose(&inputs, &named.text, is_text).map_err(|n| match n {
        0 if inputs.is_empty() => "says nothing about its inputs".to_owned(),
        0 if !named.text.is_empty() => format!("has no input `{}`", named.text),
        0 => "takes no text: its tokenizer must run on the server, as part of an ensemble".to_owned(),
        n => format!("has {n} inputs that take text"),
    })?;
    let vector = choose(&outputs, &named.vector, |datatype| datatype == "FP32")
        .or_else(|n| if n == 0 { choose(&outputs, &named.vector, is_float) } else { Err(n) })
        .map_err(|n| match n {
            0 if !named.vector.is_empty() => format!("has no output `{}`", named.vector),
            0 => "gives no floating-point numbers, so no vectors".to_owned(),
            n => format!("has {n} outputs that give numbers"),
        })?;
    let batch = config.and_then(|config| config.get("max_batch_size")).and_then(Value::as_u64);
    // The configuration says 0 for a model that has no dimension of its own for the batch; the input's first one may
    // stand for any number of texts all the same.
    let is_open = text.shape.first() == Some(&-1);
    let max_texts = match batch {
        Some(most @ 1..) => most as usize,
        _ if is_open => MANY,
        _ => 1,
    };
    if text.shape.iter().skip(1).any(|size| !matches!(size, -1 | 1)) || text.shape.first().is_some_and(|n| *n > 1) {
        return Err(format!("takes texts in the shape {:?}, not one in each row", text.shape));
    }
    Ok(Plan { text: text.name.clone(), vector: vector.name.clone(), dims: text.shape.clone(), max_texts })
}

/// Lists a model's tensors in one line.
pub fn describe(metadata: &Value) -> String {
    let list = |key: &str| {
        let words: Vec<String> = tensors(metadata, key)
            .iter()
            .map(|tensor| format!("`{}` {} {:?}", tensor.name, tensor.datatype, tensor.shape))
            .collect();
        if words.is_empty() { "none".to_owned() } else { words.join(", ") }
    };
    format!("inputs: {}; outputs: {}", list("inputs"), list("outputs"))
}

#[derive(Debug)]
struct Tensor {
    name: String,
    datatype: String,
    shape: Vec<i64>,
}

fn tensors(metadata: &Value, key: &str) -> Vec<Tensor> {
    let read = |row: &Value| {
        let shape = row.get("shape").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        Some(Tensor {
            name: row.get("name")?.as_str()?.to_owned(),
            datatype: row.get("datatype")?.as_str()?.to_owned(),
            shape: shape.iter().filter_map(Value::as_i64).collect(),
        })
    };
    metadata.get(key).and_then(Value::as_array).into_iter().flatten().filter_map(read).collect()
}

/// Takes the tensor the user has named, else the only one of the right type; fails with the number of those there are.
fn choose<'a>(tensors: &'a [Tensor], named: &str, fits: fn(&str) -> bool) -> Result<&'a Tensor, usize> {
    if !named.is_empty() {
        return tensors.iter().find(|tensor| tensor.name == named).ok_or(0);
    }
    let fitting: Vec<&Tensor> = tensors.iter().filter(|tensor| fits(&tensor.datatype)).collect();
    match fitting.as_slice() {
        [only] => Ok(only),
        several => Err(several.len()),
    }
}

fn is_text(datatype: &str) -> bool {
    datatype == "BYTES"
}

fn is_float(datatype: &str) -> bool {
    matches!(datatype, "FP16" | "BF16" | "FP32" | "FP64")
}

#[cfg(test)]
#[path = "tensors_tests.rs"]
mod tests;
