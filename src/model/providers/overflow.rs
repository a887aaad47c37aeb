//! Do these words of a server mean that the request is longer than the model's window, and how large is the window?
//!
//! A table, because every server says it in its own words and most with the same status as any other mistake. Read from
//! the servers' sources and from live answers; the tests hold one real sentence per row.

/// One way of saying it. All parts of `says` must occur, in any letter case.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    /// Who says so.
    pub server: &'static str,
    /// What the sentence contains.
    pub says: &'static [&'static str],
    /// The words right before the window's size, when the sentence names it.
    pub window_after: Option<&'static str>,
}

const fn row(server: &'static str, says: &'static [&'static str], window_after: Option<&'static str>) -> Row {
    Row { server, says, window_after }
}

/// Every known way.
pub const TABLE: &[Row] = &[
    row("vLLM", &["maximum context length is"], Some("maximum context length is")),
    row("vLLM", &["exceeds model's maximum context length"], Some("maximum context length")),
    row("SGLang", &["is longer than the model's context length"], Some("model's context length")),
    row("SGLang", &["exceeds the model's maximum context length"], Some("maximum context length of")),
    row("llama.cpp", &["exceeds the available context size"], Some("available context size")),
    row("llama.cpp", &["exceed_context_size_error"], None),
    row("llama.cpp", &["context size has been exceeded"], None),
    row("llama.cpp", &["is too large to process. increase the physical batch size"], None),
    row("Ollama", &["prompt is longer than the context length"], None),
    row("Ollama", &["input length exceeds the context length"], None),
    row("TensorRT-LLM", &["should not exceed max_num_tokens"], Some("max_num_tokens")),
    row("LM Studio", &["greater than the context length"], None),
    row("OpenAI", &["context_length_exceeded"], None),
    row("OpenAI", &["exceeds the context window"], None),
    row("Groq", &["reduce the length of the messages"], None),
    row("Mistral", &["too large for model", "maximum context length"], Some("maximum context length")),
    row("Anthropic", &["prompt is too long"], Some("tokens >")),
    row("Gemini", &["exceeds the maximum number of tokens"], Some("number of tokens allowed")),
];

/// What the sentence gave away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Overflow {
    /// The size of the window in tokens, when named.
    pub window_tokens: Option<u64>,
}

/// Judges a server's words; `None` when they are about something else.
pub fn recognise(words: &str) -> Option<Overflow> {
    let words = words.to_lowercase();
    let row = TABLE.iter().find(|row| row.says.iter().all(|part| words.contains(part)))?;
    let window_tokens = row.window_after.and_then(|before| number_after(&words, before));
    Some(Overflow { window_tokens })
}

/// Reads the number that follows `before`, a few signs such as ` (` aside.
fn number_after(words: &str, before: &str) -> Option<u64> {
    let rest = &words[words.find(before)? + before.len()..];
    let rest = rest.trim_start_matches([' ', '(', ':', '=']);
    let digits: String = rest.chars().take_while(|c| c.is_ascii_digit() || *c == ',').filter(|c| *c != ',').collect();
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_servers_sentence_is_recognised_and_the_window_learned() {
        let table: [(&str, Option<u64>); 17] = [
            (
                "This model's maximum context length is 32768 tokens. However, you requested 40000 tokens (39000 in the messages, 1000 in the completion).",
                Some(32_768),
            ),
            ("Input length (40000) exceeds model's maximum context length (32768).", Some(32_768)),
            ("The input (40000 tokens) is longer than the model's context length (32768 tokens).", Some(32_768)),
            ("Requested token count exceeds the model's maximum context length of 32768 tokens.", Some(32_768)),
            ("request (9001 tokens) exceeds the available context size (8192 tokens), try increasing it", Some(8192)),
            ("exceed_context_size_error", None),
            ("Context size has been exceeded.", None),
            (
                "input (900 tokens) is too large to process. increase the physical batch size (current batch size: 512)",
                None,
            ),
            ("the prompt is longer than the context length currently available to the model; shorten the prompt", None),
            ("the input length exceeds the context length", None),
            ("The sum of prompt length (9000), query length (0) should not exceed max_num_tokens (8192)", Some(8192)),
            ("The number of tokens to keep from the initial prompt is greater than the context length", None),
            ("context_length_exceeded", None),
            ("Your input exceeds the context window of this model.", None),
            ("Please reduce the length of the messages or completion.", None),
            ("prompt is too long: 213462 tokens > 200000 maximum", Some(200_000)),
            ("The input token count (9) exceeds the maximum number of tokens allowed (8).", Some(8)),
        ];
        for (words, window_tokens) in table {
            assert_eq!(recognise(words), Some(Overflow { window_tokens }), "{words}");
        }
        assert_eq!(recognise("tools must not be an empty array"), None);
        assert_eq!(
            recognise("Prompt contains 5 tokens too large for model with 4,096 maximum context length 4096"),
            Some(Overflow { window_tokens: Some(4096) })
        );
    }
}
