//! What is known about a model by its name alone?
//!
//! The rows of `config/models.yaml`; the first one that fits counts. What a server says of itself comes before anything
//! here. To add a family: a row there.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::{text, yaml};
use crate::protocol::profile::EditDialect;

/// What is known about one family of models.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Which names it is about, in lower case; `*` stands for any text.
    #[serde(rename = "match")]
    pub pattern: String,
    /// Tokens the model was made for.
    pub window_tokens: u64,
    /// How many tools are offered at once.
    pub tool_budget: usize,
    /// Sampling temperature; the server's own when none.
    #[serde(default)]
    pub temperature: Option<f32>,
    /// Upper bound of one answer.
    pub max_output_tokens: u32,
    /// How it is told to change files.
    #[serde(default)]
    pub edit: EditDialect,
    /// Whether it turns text into vectors instead of answering.
    #[serde(default)]
    pub embeds: bool,
    /// Whether it sees images; none where that differs within the family or is not known.
    #[serde(default)]
    pub vision: Option<bool>,
    /// The row of `config/fim.yaml` with the tokens it fills gaps by; none when it does not know any.
    #[serde(default)]
    pub fim: Option<String>,
}

static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    // Compiled in and parsed by a test, so a failure cannot reach a user.
    yaml::from_str(include_str!("../../config/models.yaml")).unwrap_or_default()
});

/// For a name that fits no row: the values of the last row.
static UNKNOWN: Row = Row {
    pattern: String::new(),
    window_tokens: 32_768,
    tool_budget: 12,
    temperature: None,
    max_output_tokens: 8192,
    edit: EditDialect::Replace,
    embeds: false,
    vision: None,
    fim: None,
};

/// Returns what is known about the model a server calls `name`.
pub fn row(name: &str) -> &'static Row {
    let name = name.to_lowercase();
    ROWS.iter().find(|row| text::fits(&row.pattern, &name)).unwrap_or(&UNKNOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sound_and_its_last_row_fits_all() {
        let rows: Vec<Row> = yaml::from_str(include_str!("../../config/models.yaml")).unwrap();
        assert_eq!(rows.last().unwrap(), &Row { pattern: "*".to_owned(), ..UNKNOWN.clone() });
        for row in &rows {
            assert_eq!(row.pattern, row.pattern.to_lowercase());
            assert!(row.window_tokens >= 512, "{}", row.pattern);
            assert_eq!(row.embeds, row.tool_budget == 0, "{}", row.pattern);
            assert!(u64::from(row.max_output_tokens) * 2 <= row.window_tokens, "{}", row.pattern);
            assert!(row.fim.as_deref().is_none_or(|name| crate::model::fim::named(name).is_some()), "{}", row.pattern);
            assert!(row.temperature.is_none_or(|t| (0.0..=1.0).contains(&t)), "{}", row.pattern);
        }
    }

    #[test]
    fn real_names_find_their_row() {
        let table = [
            ("qwen3-coder:30b", "*qwen3-coder*"),
            ("Qwen/Qwen3-Coder-30B-A3B-Instruct-FP8", "*qwen3-coder*"),
            ("hf.co/unsloth/Qwen3-Coder-30B-A3B-Instruct-GGUF:Q4_K_M", "*qwen3-coder*"),
            ("qwen2.5-coder:1.5b", "*qwen2.5-coder*1.5b*"),
            ("qwen2.5-coder:14b", "*qwen2.5-coder*"),
            ("qwen3:30b-a3b", "*qwen3*"),
            ("openai/gpt-oss-120b", "*gpt-oss*"),
            ("mistralai/Devstral-Small-2507", "*devstral*"),
            ("llama3.1:8b", "*llama*8b*"),
            ("meta-llama/Llama-3.3-70B-Instruct", "*llama*"),
            ("/models/deepseek-r1.gguf", "*deepseek*"),
            ("zai-org/GLM-4.6", "*glm*"),
            ("nomic-embed-text:latest", "*nomic-embed*"),
            ("codellama:7b-code", "*codellama*"),
            ("granite-code:8b", "*granite*code*"),
            ("granite-3.2-8b-instruct-q4_K_M", "*granite*"),
            ("ibm-granite/granite-4.0-h-small", "*granite-4*"),
            ("codegemma:2b", "*codegemma*"),
            ("something-else", "*"),
        ];
        for (name, pattern) in table {
            assert_eq!(row(name).pattern, pattern, "{name}");
        }
        for (pattern, name, expected) in
            [("a*b", "ab", true), ("a*b", "axxb", true), ("a*b", "abx", false), ("a", "a", true)]
        {
            assert_eq!(text::fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
