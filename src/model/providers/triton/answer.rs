//! What vectors does an answer of the protocol hold, be they raw numbers behind a JSON head or written out in JSON?
//!
//! Raw numbers are little-endian and stand behind the head in the order of the outputs; a server may leave them out and
//! write JSON although it was asked for them. Reads every floating-point type of the protocol. Pure; nothing a server
//! sends may panic, so every length is checked. Whether the numbers make sense is for the gateway.

use serde_json::Value;

/// Reads one vector for each text, in their order. `head_bytes` is the length of the JSON head, when numbers follow it.
/// The error says what is wrong, to be read after `cannot be used: `.
pub fn read(head_bytes: Option<usize>, body: &[u8], tensor: &str, n_texts: usize) -> Result<Vec<Vec<f32>>, String> {
    let at = head_bytes.unwrap_or(body.len());
    let (head, mut raw) = body
        .split_at_checked(at)
        .ok_or_else(|| format!("its head is said to have {at} bytes, and all of it has {}", body.len()))?;
    let value: Value = serde_json::from_slice(head).map_err(|error| not_json(head, &error))?;
    let outputs = value.get("outputs").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for output in outputs {
        let size = output.get("parameters").and_then(|parameters| parameters.get("binary_data_size")?.as_u64());
        let (own, rest) =
            raw.split_at_checked(size.unwrap_or(0) as usize).ok_or("it ends in the middle of the numbers")?;
        raw = rest;
        if output.get("name").and_then(Value::as_str) == Some(tensor) {
            let datatype = output.get("datatype").and_then(Value::as_str).unwrap_or_default();
            let numbers = match size {
                Some(_) => from_raw(datatype, own)?,
                None => from_json(output)?,
            };
            return rows(&numbers, &shape(output), n_texts);
        }
    }
    Err(format!("it has no output `{tensor}`"))
}

fn not_json(head: &[u8], error: &serde_json::Error) -> String {
    // Triton writes numbers that are none as they are called, which is no JSON.
    let holds = |word: &[u8]| head.windows(word.len()).any(|part| part == word);
    match ["NaN", "Infinity"].iter().find(|word| holds(word.as_bytes())) {
        Some(word) => format!("its vectors hold {word}"),
        None => format!("it is not JSON ({error})"),
    }
}

fn shape(output: &Value) -> Vec<usize> {
    let sizes = output.get("shape").and_then(Value::as_array).into_iter().flatten();
    sizes.filter_map(Value::as_u64).map(|size| size as usize).collect()
}

fn from_json(output: &Value) -> Result<Vec<f32>, String> {
    let data = output.get("data").and_then(Value::as_array).ok_or("it holds no numbers")?;
    let numbers: Option<Vec<f32>> = data.iter().map(|number| number.as_f64().map(|n| n as f32)).collect();
    numbers.ok_or_else(|| "its vectors hold something that is no number".to_owned())
}

fn from_raw(datatype: &str, raw: &[u8]) -> Result<Vec<f32>, String> {
    let numbers = match datatype {
        "FP32" => each(raw, f32::from_le_bytes),
        "FP64" => each(raw, |bytes| f64::from_le_bytes(bytes) as f32),
        "FP16" => each(raw, |bytes| from_half(u16::from_le_bytes(bytes))),
        // The upper half of an FP32.
        "BF16" => each(raw, |bytes| f32::from_bits(u32::from(u16::from_le_bytes(bytes)) << 16)),
        other => return Err(format!("its vectors are made of {other}, and floating-point numbers are needed")),
    };
    numbers.ok_or_else(|| format!("{} bytes are no whole number of {datatype}", raw.len()))
}

fn each<const N: usize>(raw: &[u8], read: impl Fn([u8; N]) -> f32) -> Option<Vec<f32>> {
    let (whole, rest) = raw.as_chunks::<N>();
    rest.is_empty().then(|| whole.iter().map(|bytes| read(*bytes)).collect())
}

/// Widens an IEEE 754 half: one bit of sign, five of exponent (bias 15), ten of fraction.
fn from_half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f32::from(bits & 0x3ff);
    match (bits >> 10) & 0x1f {
        0 => sign * fraction * 2f32.powi(-24),
        0x1f if bits & 0x3ff == 0 => sign * f32::INFINITY,
        0x1f => f32::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2f32.powi(i32::from(exponent) - 15),
    }
}

/// Cuts the numbers into rows, one for each text.
fn rows(numbers: &[f32], shape: &[usize], n_texts: usize) -> Result<Vec<Vec<f32>>, String> {
    let n_numbers = shape.iter().try_fold(1usize, |product, size| product.checked_mul(*size));
    if n_numbers != Some(numbers.len()) {
        return Err(format!("it holds {} numbers and says their shape is {shape:?}", numbers.len()));
    }
    // A model without a dimension for the batch gives the one vector it was asked for bare.
    let (n_rows, dims) = match shape {
        [rows, dims @ ..] if !dims.is_empty() => (*rows, dims),
        bare => (1, bare),
    };
    if n_rows != n_texts {
        return Err(format!("it holds {n_rows} vectors for {}", crate::base::text::count(n_texts, "text")));
    }
    if dims.iter().filter(|size| **size != 1).count() > 1 {
        return Err(format!(
            "it holds {dims:?} numbers for each text, one for each token it seems; a pooled vector is needed"
        ));
    }
    match numbers.len() / n_texts.max(1) {
        0 => Err("its vectors are empty".to_owned()),
        size => Ok(numbers.chunks(size).map(<[f32]>::to_vec).collect()),
    }
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
