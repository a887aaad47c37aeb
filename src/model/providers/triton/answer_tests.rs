use serde_json::json;

use super::*;

/// An answer with one output and its numbers behind the head.
fn binary(datatype: &str, shape: &[usize], raw: &[u8]) -> (Option<usize>, Vec<u8>) {
    let parameters = json!({"binary_data_size": raw.len()});
    let outputs = json!([{"name": "v", "datatype": datatype, "shape": shape, "parameters": parameters}]);
    let head = json!({"model_name": "m", "outputs": outputs}).to_string();
    (Some(head.len()), [head.as_bytes(), raw].concat())
}

fn bytes<const N: usize>(numbers: impl IntoIterator<Item = [u8; N]>) -> Vec<u8> {
    numbers.into_iter().flatten().collect()
}

#[test]
fn every_type_of_number_is_read() {
    let numbers = [0.5f32, -1.0, 3.0, 0.25];
    let wide = bytes(numbers.map(|n| f64::from(n).to_le_bytes()));
    let brain = bytes(numbers.map(|n| ((n.to_bits() >> 16) as u16).to_le_bytes()));
    let half = bytes([0x3800u16, 0xbc00, 0x4200, 0x3400].map(u16::to_le_bytes));
    let table = [("FP32", bytes(numbers.map(f32::to_le_bytes))), ("FP64", wide), ("BF16", brain), ("FP16", half)];
    for (datatype, raw) in table {
        let (head, body) = binary(datatype, &[2, 2], &raw);
        assert_eq!(read(head, &body, "v", 2).unwrap(), [[0.5, -1.0], [3.0, 0.25]], "{datatype}");
        let (head, body) = binary(datatype, &[2, 2], &raw[1..]);
        assert!(read(head, &body, "v", 2).unwrap_err().contains("no whole number of"), "{datatype}");
    }
    let (head, body) = binary("INT8", &[1, 2], &[1, 2]);
    assert!(read(head, &body, "v", 1).unwrap_err().contains("made of INT8"));
}

#[test]
fn a_half_is_widened_exactly() {
    let table = [
        (0x0000, 0.0),
        (0x8000, -0.0),
        (0x0001, 2f32.powi(-24)),
        (0x03ff, 1023.0 * 2f32.powi(-24)),
        (0x0400, 2f32.powi(-14)),
        (0x3c00, 1.0),
        (0x3555, 0.333_251_95),
        (0x7bff, 65504.0),
        (0xfc00, f32::NEG_INFINITY),
    ];
    for (bits, expected) in table {
        assert_eq!(from_half(bits).to_bits(), f32::to_bits(expected), "{bits:04x}");
    }
    assert!(from_half(0x7e00).is_nan());
}

#[test]
fn numbers_written_in_json_are_as_good() {
    let body = |outputs: Value| json!({"outputs": outputs}).to_string().into_bytes();
    let other = json!({"name": "other", "datatype": "FP32", "shape": [1], "data": [9]});
    let own = json!({"name": "v", "datatype": "FP32", "shape": [2, 2], "data": [1, 2.5, -3, 0]});
    assert_eq!(read(None, &body(json!([other, own])), "v", 2).unwrap(), [[1.0, 2.5], [-3.0, 0.0]]);
    let bare = json!([{"name": "v", "datatype": "FP32", "shape": [2], "data": [1, 2]}]);
    assert_eq!(read(None, &body(bare), "v", 1).unwrap(), [[1.0, 2.0]]);
    let deep = json!([{"name": "v", "datatype": "FP32", "shape": [1, 1, 2], "data": [1, 2]}]);
    assert_eq!(read(None, &body(deep), "v", 1).unwrap(), [[1.0, 2.0]]);
}

#[test]
fn numbers_of_other_outputs_are_stepped_over() {
    let outputs = json!([
        {"name": "ids", "datatype": "INT64", "shape": [1, 1], "parameters": {"binary_data_size": 8}},
        {"name": "v", "datatype": "FP32", "shape": [1, 1], "parameters": {"binary_data_size": 4}}]);
    let head = json!({"outputs": outputs}).to_string();
    let body = [head.as_bytes(), &[7; 8], &2f32.to_le_bytes()].concat();
    assert_eq!(read(Some(head.len()), &body, "v", 1).unwrap(), [[2.0]]);
}

#[test]
fn what_does_not_add_up_is_named() {
    let one = 1f32.to_le_bytes();
    let (head, body) = binary("FP32", &[1, 1], &one);
    let whole = head.unwrap();
    let json = |shape: Value, data: Value| {
        json!({"outputs": [{"name": "v", "datatype": "FP32", "shape": shape, "data": data}]}).to_string().into_bytes()
    };
    let table: [(Option<usize>, Vec<u8>, usize, &str); 12] = [
        (Some(9999), body.clone(), 1, "its head is said to have 9999 bytes"),
        (Some(whole - 1), body.clone(), 1, "it is not JSON"),
        (head, body[..body.len() - 1].to_vec(), 1, "it ends in the middle of the numbers"),
        (head, body.clone(), 2, "it holds 1 vectors for 2 texts"),
        (None, json(json!([1, 2]), json!([1])), 1, "it holds 1 numbers and says their shape is [1, 2]"),
        (None, json(json!([1, 3, 2]), json!([1, 2, 3, 4, 5, 6])), 1, "it holds [3, 2] numbers for each text"),
        (None, json(json!([1, 1]), json!(["a"])), 1, "its vectors hold something that is no number"),
        (None, json(json!([1, 0]), json!([])), 1, "its vectors are empty"),
        (None, json(json!([u64::MAX, 9]), json!([])), 1, "it holds 0 numbers"),
        (
            None,
            br#"{"outputs":[{"name":"v","datatype":"FP32","shape":[1,2],"data":[0.5,NaN]}]}"#.to_vec(),
            1,
            "its vectors hold NaN",
        ),
        (None, br#"{"outputs":[{"name":"other"}]}"#.to_vec(), 1, "it has no output `v`"),
        (None, b"[]".to_vec(), 1, "it has no output `v`"),
    ];
    for (head, body, n_texts, expected) in table {
        let trouble = read(head, &body, "v", n_texts).unwrap_err();
        assert!(trouble.starts_with(expected), "{trouble}");
    }
    assert!(read(None, br#"{"outputs":[{"name":"v"}]}"#, "v", 1).unwrap_err().contains("no numbers"));
}
