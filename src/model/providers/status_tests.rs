//! Is every server's way of saying no understood?

use super::*;
use crate::base::fault::Fault;

fn reply(status: u16, body: &str) -> ModelError {
    let origin = Origin {
        url: "http://box/v1".into(),
        model: "m".into(),
        key_env: "BOX_KEY".into(),
        provider: "box".into(),
        ..Origin::default()
    };
    from_reply(&origin, &Reply { status, body: body.to_owned(), ..Reply::default() })
}

fn kind(error: &ModelError) -> &'static str {
    match error {
        ModelError::Offline { .. } => "offline",
        ModelError::Busy { .. } => "busy",
        ModelError::Auth { .. } => "auth",
        ModelError::NoModel { .. } => "no model",
        ModelError::TooLong { .. } => "too long",
        ModelError::Refused { .. } => "refused",
        ModelError::Broken { .. } => "broken",
        ModelError::Garbled { .. } => "garbled",
        _ => "other",
    }
}

/// Server, status, body, what it becomes, words that must reach the user.
const REPLIES: [(&str, u16, &str, &str, &str); 27] = [
    (
        "vLLM",
        400,
        r#"{"error":{"message":"`tools` must not be an empty array.","type":"BadRequestError","param":null,"code":400}}"#,
        "refused",
        "must not be an empty array",
    ),
    (
        "vLLM",
        404,
        r#"{"error":{"message":"The model `x` does not exist.","type":"NotFoundError","param":"model","code":404}}"#,
        "no model",
        "",
    ),
    ("vLLM", 401, r#"{"error":"Unauthorized"}"#, "auth", "Unauthorized"),
    (
        "vLLM",
        503,
        r#"{"error":{"message":"The engine is currently busy and cannot accept new requests.","type":"Service Unavailable","code":503}}"#,
        "busy",
        "currently busy",
    ),
    ("vLLM", 500, "", "busy", "500 Internal Server Error without further words"),
    (
        "vLLM",
        400,
        r#"{"error":{"message":"This model's maximum context length is 4096 tokens. However, your prompt contains at least 5000 input tokens.","type":"BadRequestError","param":"input_tokens","code":400}}"#,
        "too long",
        "4096",
    ),
    (
        "vLLM Rust",
        500,
        r#"{"error":{"message":"failed to submit chat request: tool parsing is not available for model m","code":500}}"#,
        "refused",
        "tool parsing is not available",
    ),
    (
        "SGLang",
        400,
        r#"{"object":"error","message":"The input (40 tokens) is longer than the model's context length (32 tokens).","type":"BadRequestError","param":null,"code":400}"#,
        "too long",
        "32",
    ),
    (
        "SGLang",
        503,
        r#"{"object":"error","message":"The request queue is full.","type":"ServiceUnavailable","code":503}"#,
        "busy",
        "queue is full",
    ),
    (
        "llama.cpp",
        503,
        r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
        "busy",
        "Loading model",
    ),
    (
        "llama.cpp",
        401,
        r#"{"error":{"code":401,"message":"Invalid API Key","type":"authentication_error"}}"#,
        "auth",
        "",
    ),
    (
        "llama.cpp",
        400,
        r#"{"error":{"code":400,"message":"request (9 tokens) exceeds the available context size (8 tokens)","type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":8}}"#,
        "too long",
        "available context size",
    ),
    (
        "llama.cpp",
        400,
        r#"{"error":{"code":400,"message":"Cannot use custom grammar constraints with tools.","type":"invalid_request_error"}}"#,
        "refused",
        "custom grammar",
    ),
    (
        "llama.cpp",
        501,
        r#"{"error":{"code":501,"message":"This server does not support embeddings.","type":"not_supported_error"}}"#,
        "refused",
        "does not support embeddings",
    ),
    (
        "Ollama",
        404,
        r#"{"error":{"message":"model \"x\" not found, try pulling it first","type":"api_error","param":null,"code":null}}"#,
        "no model",
        "",
    ),
    ("Ollama", 404, r#"{"error":"model 'x' not found"}"#, "no model", ""),
    ("Ollama", 404, "404 page not found", "refused", "is the base URL complete"),
    (
        "Ollama",
        503,
        r#"{"error":{"message":"server busy, please try again.  maximum pending requests exceeded"}}"#,
        "busy",
        "server busy, please try again. maximum",
    ),
    ("TensorRT-LLM", 400, r#"{"error":"max_tokens must be positive"}"#, "refused", "must be positive"),
    (
        "FastAPI",
        422,
        r#"{"detail":[{"loc":["body","messages"],"msg":"field required","type":"value_error"}]}"#,
        "refused",
        "body.messages: field required",
    ),
    ("FastAPI", 404, r#"{"detail":"Not Found"}"#, "refused", "Not Found; is the base URL complete"),
    (
        "LiteLLM",
        400,
        r#"{"error":{"message":"/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available models for your key.","code":"400"}}"#,
        "no model",
        "",
    ),
    (
        "nginx",
        502,
        "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>...</body></html>",
        "busy",
        "a web page titled `502 Bad Gateway`",
    ),
    ("nginx", 413, "<html><head><title>413 Request Entity Too Large</title></head></html>", "too long", "413"),
    ("a proxy", 429, r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#, "busy", "slow down"),
    ("a proxy", 403, "forbidden", "auth", ""),
    ("terminal trickery", 400, "\u{1b}]0;owned\u{7} \u{202e}evil", "refused", "\\x1b]0;owned\\x07 \\u{202e}evil"),
];

#[test]
fn each_servers_error_becomes_what_to_do_about_it_and_keeps_its_words() {
    for (server, status, body, expected, words) in REPLIES {
        let error = reply(status, body);
        assert_eq!(kind(&error), expected, "{server} {status} {body}");
        let fault = Fault::from(error);
        assert!(fault.causes.join(" ").contains(words), "{server} {status}: {fault}");
        assert_eq!(fault.kind.exit_code(), 4);
        assert!(!fault.hints.is_empty(), "{server} {status}: nothing to type next");
    }
}

#[test]
fn the_window_is_learned_and_long_words_are_cut() {
    let error =
        reply(400, r#"{"error":{"message":"too long, sorry","type":"exceed_context_size_error","n_ctx":8192}}"#);
    assert!(matches!(error, ModelError::TooLong { window_tokens: Some(8192), .. }), "{error:?}");
    let long = Fault::from(reply(400, &"x".repeat(100_000)));
    assert!(long.causes[0].len() < 700 && long.causes[0].ends_with("more bytes]"), "{}", long.causes[0].len());
}

#[test]
fn a_redirect_names_the_address_instead_of_following_it() {
    let location = Some("http://elsewhere/v1".to_owned());
    let error = from_reply(&Origin::default(), &Reply { status: 307, location, ..Reply::default() });
    assert!(Fault::from(error).causes[0].contains("http://elsewhere/v1"));
}

#[test]
fn an_error_inside_a_stream_is_sorted_by_its_own_code() {
    let table = [
        (r#"{"error":{"message":"a","code":500}}"#, "busy"),
        (r#"{"error":{"message":"a","code":"503"}}"#, "busy"),
        (r#"{"error":{"message":"a","code":400}}"#, "refused"),
        (r#"{"error":{"message":"a","code":null}}"#, "broken"),
        (r#"{"error":"a"}"#, "broken"),
        (r#"{"object":"error","message":"a","code":503}"#, "busy"),
        (r#"{"error":{"message":"Context size has been exceeded.","code":500}}"#, "too long"),
        (r#"{"error":{}}"#, "broken"),
    ];
    for (body, expected) in table {
        let error = from_stream(&Origin::default(), &serde_json::from_str(body).unwrap());
        assert_eq!(kind(&error), expected, "{body}");
    }
}
