//! Is a window large enough for an agent, and what is to be changed where it is not?
//!
//! A model served with too small a window forgets its instructions, or its server cuts the prompt without a word; both
//! look like a bad model. So no turn begins there, and the person is told what to set.

use crate::context::compact;
use crate::protocol::server::ServerKind;

/// Tokens a turn needs beside instructions, tools and answer: a request and one tool result of the longest kind (10 kB,
/// `tools.max_output_bytes`), or nothing can be looked at.
const MIN_ROOM_TOKENS: u64 = 2_500;
/// The window to serve a model with where memory allows: room for a few files and the way to a change.
const ADVISED_TOKENS: u64 = 32_768;

/// What makes the window larger, by the kinds of servers; `{n}` stands for the tokens.
const SETTINGS: [(ServerKind, &str); 6] = [
    (ServerKind::Ollama, "OLLAMA_CONTEXT_LENGTH={n} ollama serve, or PARAMETER num_ctx {n} in the Modelfile"),
    (ServerKind::Vllm, "--max-model-len {n}"),
    (ServerKind::Nim, "-e NIM_MAX_MODEL_LEN={n} for the container"),
    (ServerKind::Sglang, "--context-length {n}"),
    (ServerKind::LlamaCpp, "-c {n} for one slot; with -np N slots N times as much, because they share it"),
    (ServerKind::TensorRtLlm, "--max_seq_len {n} --max_num_tokens {n}"),
];

/// Says whether a window leaves too little room beside instructions and tools of `fixed_tokens` for a turn.
pub fn is_too_small(fixed_tokens: u64, window_tokens: u64, answer_tokens: u64) -> bool {
    compact::is_needed(fixed_tokens + MIN_ROOM_TOKENS, window_tokens, answer_tokens)
}

/// Returns the smallest window in which a turn may begin, in steps of 1024 tokens.
pub fn smallest(fixed_tokens: u64, answer_tokens: u64) -> u64 {
    let sizes = (1..).map(|n| n * 1024);
    sizes.take(1024).find(|size| !is_too_small(fixed_tokens, *size, answer_tokens)).unwrap_or(ADVISED_TOKENS)
}

/// Says how to serve a model with a larger window on a server of this kind; of an unknown one, how on each.
pub fn settings(kind: ServerKind) -> Vec<String> {
    let is_known = SETTINGS.iter().any(|row| row.0 == kind);
    let rows = SETTINGS.iter().filter(|row| !is_known || row.0 == kind);
    rows.map(|(kind, setting)| format!("{}: {}", kind.title(), setting.replace("{n}", &ADVISED_TOKENS.to_string())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_thousand_tokens_are_too_few_and_eight_thousand_enough() {
        // What instructions and tools take is measured by `tests/it/agent/window.rs`.
        let (fixed, answer) = (2_300, 8_192);
        for (window, expected) in [(2_048, true), (4_096, true), (6_144, true), (8_192, false), (32_768, false)] {
            assert_eq!(is_too_small(fixed, window, answer), expected, "{window}");
        }
        assert_eq!(smallest(fixed, answer), 8_192);
    }

    #[test]
    fn each_kind_of_server_has_its_own_setting() {
        assert_eq!(
            settings(ServerKind::Ollama),
            ["Ollama: OLLAMA_CONTEXT_LENGTH=32768 ollama serve, or PARAMETER num_ctx 32768 in the Modelfile"]
        );
        assert_eq!(settings(ServerKind::Vllm), ["vLLM: --max-model-len 32768"]);
        for unknown in [ServerKind::Openai, ServerKind::LiteLlm] {
            assert_eq!(settings(unknown).len(), SETTINGS.len(), "any of them may be behind it");
        }
    }
}
