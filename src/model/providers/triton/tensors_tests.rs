use serde_json::{Value, json};

use super::*;

fn tensor(name: &str, datatype: &str, shape: &[i64]) -> Value {
    json!({"name": name, "datatype": datatype, "shape": shape})
}

fn model(inputs: &[Value], outputs: &[Value]) -> Value {
    json!({"name": "m", "inputs": inputs, "outputs": outputs})
}

#[test]
fn the_shape_of_a_request_follows_the_model() {
    let vector = tensor("embedding", "FP32", &[-1, 768]);
    // Shape of the input, max_batch_size, what three texts are sent as, texts at once.
    type Case = (&'static [i64], Option<u64>, &'static [usize], usize);
    let table: [Case; 8] = [
        (&[-1, 1], Some(8), &[3, 1], 8),
        (&[-1, -1], Some(8), &[3, 1], 8),
        (&[-1], Some(16), &[3], 16),
        (&[-1], Some(0), &[3], MANY),
        (&[-1, 1], Some(0), &[3, 1], MANY),
        (&[1], Some(0), &[3], 1),
        (&[1, 1], Some(0), &[3, 1], 1),
        (&[-1, 1], None, &[3, 1], MANY),
    ];
    for (shape, batch, sent, max_texts) in table {
        let metadata = model(&[tensor("text", "BYTES", shape)], std::slice::from_ref(&vector));
        let config = batch.map(|batch| json!({"max_batch_size": batch}));
        let plan = plan(&metadata, config.as_ref(), &Named::default()).unwrap();
        assert_eq!((plan.shape(3).as_slice(), plan.max_texts), (sent, max_texts), "{shape:?} {batch:?}");
        assert_eq!((plan.text.as_str(), plan.vector.as_str()), ("text", "embedding"));
    }
}

#[test]
fn tensors_are_found_or_the_trouble_is_named() {
    let text = || tensor("text", "BYTES", &[-1, 1]);
    let vector = |name: &str, datatype: &str| tensor(name, datatype, &[-1, 8]);
    let (fp32, fp16) = (|| vector("dense", "FP32"), || vector("half", "FP16"));
    let table = [
        (model(&[text()], &[fp32(), fp16()]), ("", ""), Ok(("text", "dense"))),
        (model(&[text()], &[fp16(), vector("ids", "INT64")]), ("", ""), Ok(("text", "half"))),
        (model(&[text()], &[fp32(), vector("pooled", "FP32")]), ("", ""), Err("has 2 outputs that give numbers")),
        (model(&[text()], &[fp32(), vector("pooled", "FP32")]), ("", "pooled"), Ok(("text", "pooled"))),
        (model(&[text()], &[fp32()]), ("", "gone"), Err("has no output `gone`")),
        (
            model(&[text(), tensor("prefix", "BYTES", &[-1, 1])], &[fp32()]),
            ("", ""),
            Err("has 2 inputs that take text"),
        ),
        (model(&[text(), tensor("prefix", "BYTES", &[-1, 1])], &[fp32()]), ("text", ""), Ok(("text", "dense"))),
        (model(&[text()], &[fp32()]), ("gone", ""), Err("has no input `gone`")),
        (model(&[tensor("input_ids", "INT64", &[-1, -1])], &[fp32()]), ("", ""), Err("takes no text")),
        (model(&[text()], &[vector("ids", "INT64")]), ("", ""), Err("gives no floating-point numbers")),
        (model(&[tensor("text", "BYTES", &[-1, 4])], &[fp32()]), ("", ""), Err("takes texts in the shape [-1, 4]")),
        (json!({}), ("", ""), Err("says nothing about its inputs")),
        (json!([]), ("", ""), Err("says nothing about its inputs")),
    ];
    for (metadata, (text, vector), expected) in table {
        let named = Named { text: text.to_owned(), vector: vector.to_owned() };
        match (plan(&metadata, None, &named), expected) {
            (Ok(plan), Ok(names)) => assert_eq!((plan.text.as_str(), plan.vector.as_str()), names, "{metadata}"),
            (Err(trouble), Err(words)) => assert!(trouble.starts_with(words), "{metadata}: {trouble}"),
            (is, _) => panic!("{metadata}: {is:?}"),
        }
    }
}

#[test]
fn a_models_tensors_are_told_in_one_line() {
    let metadata =
        model(&[tensor("text", "BYTES", &[-1, 1])], &[tensor("a", "FP32", &[-1, 8]), tensor("b", "INT8", &[])]);
    assert_eq!(describe(&metadata), "inputs: `text` BYTES [-1, 1]; outputs: `a` FP32 [-1, 8], `b` INT8 []");
    assert_eq!(describe(&json!(null)), "inputs: none; outputs: none");
}
