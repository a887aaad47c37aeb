//! Which marks do model families put around a tool call?
//!
//! Tables only. A server that knows a family's marks takes them out; these are for servers that do not, or lose half.
//! Where a server drops special tokens, what is left is a naked form, which counts only at the end of a message.

/// What may stand around a call for it to be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gate {
    /// Nothing but a call begins like this, so words may follow.
    Marked,
    /// It might as well be an answer or an example: only at the end of the message.
    Naked,
    /// A code fence that is the whole message.
    Fence,
}

/// A text that begins a call at the start of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opener {
    /// As the model writes it.
    pub text: &'static str,
    /// What may stand around it.
    pub gate: Gate,
    /// The name recoveries are counted under; empty when what stands inside decides.
    pub kind: &'static str,
    /// Where a block that is not run ends; empty when at the end of its line.
    pub closer: &'static str,
    /// Where the call's own text begins, in bytes from the start of `text`.
    pub body: usize,
}

/// An opener in front of a call's own text.
const fn around(text: &'static str, kind: &'static str, closer: &'static str) -> Opener {
    Opener { text, gate: Gate::Marked, kind, closer, body: text.len() }
}

/// An opener that is the beginning of a call's own text.
const fn part(text: &'static str, kind: &'static str, closer: &'static str) -> Opener {
    Opener { text, gate: Gate::Marked, kind, closer, body: 0 }
}

const fn naked(text: &'static str, kind: &'static str, body: usize) -> Opener {
    Opener { text, gate: Gate::Naked, kind, closer: "", body }
}

/// The code fence that holds one call and is the whole message.
pub const FENCE: Opener = Opener { text: "```", gate: Gate::Fence, kind: "fenced_json", closer: "", body: 3 };
/// A tool's name in front of its arguments, at the very start of a message.
pub const NAMED: Opener = naked("", "named_json", 0);

/// Every opener besides [`FENCE`] and [`NAMED`]. No text may be the beginning of a later one.
pub const OPENERS: &[Opener] = &[
    // Qwen, Hermes, Granite 4, GLM.
    around("<tool_call>", "", "</tool_call>"),
    around("<tool_calls>", "tool_calls_tag", "</tool_calls>"),
    around("<seed:tool_call>", "seed", "</seed:tool_call>"),
    around("<minimax:tool_call>", "minimax", "</minimax:tool_call>"),
    around("<longcat_tool_call>", "longcat", "</longcat_tool_call>"),
    around("<steptml:toolcall>", "step", "</steptml:toolcall>"),
    around("<function_calls>", "invoke_xml", "</function_calls>"),
    around("<function_call>", "function_call_tag", "</function_call>"),
    around("<TOOLCALL>", "nemotron", "</TOOLCALL>"),
    part("<function=", "missing_opener", "</function>"),
    part("<function name=", "missing_opener", "</function>"),
    part("<invoke name=", "invoke_xml", "</invoke>"),
    part("<minimax:invoke name=", "minimax", "</minimax:invoke>"),
    part("<steptml:invoke name=", "step", "</steptml:invoke>"),
    // DeepSeek V3.2 and later, then V3 and V3.1.
    around("<｜DSML｜function_calls>", "dsml", "</｜DSML｜function_calls>"),
    around("<｜DSML｜tool_calls>", "dsml", "</｜DSML｜tool_calls>"),
    part("<｜DSML｜invoke name=", "dsml", "</｜DSML｜invoke>"),
    around("<｜tool▁calls▁begin｜>", "deepseek", "<｜tool▁calls▁end｜>"),
    around("<｜tool▁call▁begin｜>", "deepseek", "<｜tool▁call▁end｜>"),
    // Kimi K2.
    around("<|tool_calls_section_begin|>", "kimi", "<|tool_calls_section_end|>"),
    around("<|tool_call_begin|>", "kimi", "<|tool_call_end|>"),
    naked("functions.", "kimi", 0),
    // Mistral.
    around("[TOOL_CALLS]", "mistral", ""),
    // Llama 3, Granite 3, Gemma, LFM2, Cohere, InternLM, Phi.
    around("<|python_tag|>", "llama", ""),
    around("<|tool_call|>", "granite", ""),
    around("<|tool_call>", "gemma", "<tool_call|>"),
    around("<|tool_call_start|>", "pythonic", "<|tool_call_end|>"),
    around("<|START_ACTION|>", "cohere", "<|END_ACTION|>"),
    around("<|action_start|>", "internlm", "<|action_end|>"),
    naked("functools[", "phi", "functools".len()),
    // gpt-oss.
    around("<|start|>assistant<|channel|>commentary to=", "harmony", "<|call|>"),
    around("<|start|>assistant to=", "harmony", "<|call|>"),
    around("<|channel|>commentary to=", "harmony", "<|call|>"),
    naked("assistantcommentary to=", "harmony", "assistantcommentary to=".len()),
    naked("commentary to=", "harmony", "commentary to=".len()),
    // Nothing around it at all.
    naked("{", "naked_json", 0),
    naked("[", "naked_array", 0),
];

/// Marks without meaning of their own that may stand in front of a call's text, besides the openers.
pub const FILLERS: &[&str] = &["<|plugin|>", "<|interpreter|>", "<｜tool▁calls▁begin｜>", "<|tool_call_begin|>"];

/// What may follow a call: closers of every family, and the ends of turns that special tokens leave behind.
pub const CLOSERS: &[&str] = &[
    "</tool_call>",
    "</tool_calls>",
    "</seed:tool_call>",
    "</minimax:tool_call>",
    "</longcat_tool_call>",
    "</steptml:toolcall>",
    "</function_calls>",
    "</function_call>",
    "</TOOLCALL>",
    "</function>",
    "</invoke>",
    "</minimax:invoke>",
    "</steptml:invoke>",
    "</parameter>",
    "</｜DSML｜function_calls>",
    "</｜DSML｜tool_calls>",
    "</｜DSML｜invoke>",
    "<｜tool▁calls▁end｜>",
    "<｜tool▁call▁end｜>",
    "<｜end▁of▁sentence｜>",
    "<|tool_calls_section_end|>",
    "<|tool_call_end|>",
    "<tool_call|>",
    "<|END_ACTION|>",
    "<|action_end|>",
    "<|call|>",
    "<|end|>",
    "<|eom_id|>",
    "<|eot_id|>",
    "<|im_end|>",
    "<|endoftext|>",
];

/// Tags whose content somebody else wrote, or the model only thinks or shows: nothing in them is a call.
pub const QUOTING: &[&str] = &[
    "think",
    "thinking",
    "thought",
    "reasoning",
    "scratchpad",
    "example",
    "examples",
    "pre",
    "code",
    "xmp",
    "samp",
    "blockquote",
    "tool_response",
    "tool_result",
    "tool_results",
    "function_results",
    "function_result",
    "result",
    "output",
    "stdout",
    "file",
    "file_content",
    "document",
    "content",
];

/// Tags in which results stand. A model that writes one after its own call invents the result.
pub const RESULTS: &[&str] = &["<tool_response>", "<tool_result>", "<function_results>", "<tool_results>"];

/// The longest text that is needed to know an opener, in bytes.
pub fn longest() -> usize {
    OPENERS.iter().map(|opener| opener.text.len()).max().unwrap_or_default()
}

/// Says whether a line ends with an opener, so that what follows belongs to it.
pub fn ends_with_opener(line: &str) -> bool {
    OPENERS.iter().any(|opener| opener.gate == Gate::Marked && opener.body > 0 && line.ends_with(opener.text))
}

/// How a text compares with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<T> {
    /// It begins with this row.
    Yes(T),
    /// It is the beginning of a row and may become one.
    Maybe,
    /// It is something else.
    No,
}

/// Finds the opener `text` begins with.
pub fn opener(text: &str) -> Found<&'static Opener> {
    if let Some(opener) = OPENERS.iter().find(|opener| text.starts_with(opener.text)) {
        return Found::Yes(opener);
    }
    let is_start = text.len() < longest() && OPENERS.iter().any(|opener| opener.text.starts_with(text));
    if is_start { Found::Maybe } else { Found::No }
}

/// Says whether more text may make a mark of `text`: `[` stands for a call by itself and begins `[TOOL_CALLS]`.
pub fn may_be_mark(text: &str) -> bool {
    let is_longer = |opener: &&Opener| opener.gate == Gate::Marked && opener.text.len() > text.len();
    OPENERS.iter().filter(is_longer).any(|opener| opener.text.starts_with(text))
}

/// Finds the closer `text` begins with and returns its length.
pub fn closer(text: &str) -> Found<usize> {
    if !text.starts_with('<') {
        return if text.is_empty() { Found::Maybe } else { Found::No };
    }
    match CLOSERS.iter().find(|closer| text.starts_with(**closer)) {
        Some(closer) => Found::Yes(closer.len()),
        None if CLOSERS.iter().any(|closer| closer.starts_with(text)) => Found::Maybe,
        None => Found::No,
    }
}

/// Skips white space, closers and separators after a call, and returns where they end. White space at the end is
/// skipped only when something was skipped before it or nothing follows.
pub fn skip_closers(text: &str, at: usize) -> usize {
    let (mut end, mut at) = (at, at);
    loop {
        at += spaces(&text[at..]);
        let rest = &text[at..];
        match (closer(rest), rest.chars().next()) {
            (Found::Yes(length), _) => at += length,
            (_, Some(';')) => at += 1,
            _ => return if rest.is_empty() { at } else { end },
        }
        end = at;
    }
}

/// Skips white space and openers in front of a call's own text, and returns where that begins and how many of the first
/// opener there were.
pub fn skip_openers(text: &str, at: usize) -> (usize, usize) {
    let (mut at, mut count) = (at, 0);
    loop {
        at += spaces(&text[at..]);
        let rest = &text[at..];
        let wraps = OPENERS.iter().filter(|opener| opener.gate == Gate::Marked && opener.body > 0);
        let mark = wraps.map(|opener| opener.text).chain(FILLERS.iter().copied()).find(|mark| rest.starts_with(mark));
        let Some(mark) = mark else { return (at, count) };
        count += usize::from(mark == "<tool_call>");
        at += mark.len();
    }
}

/// Returns how many bytes of white space `text` begins with.
pub fn spaces(text: &str) -> usize {
    text.len() - text.trim_start().len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_opener_hides_a_later_one() {
        for (n, opener) in OPENERS.iter().enumerate() {
            let hidden = OPENERS[n + 1..].iter().find(|later| later.text.starts_with(opener.text));
            assert!(hidden.is_none() || opener.text.len() == 1, "{} hides {hidden:?}", opener.text);
            assert!(opener.body <= opener.text.len(), "{}", opener.text);
            let is_closed = opener.closer.is_empty() || CLOSERS.contains(&opener.closer);
            assert!(is_closed, "{} is closed by what CLOSERS lacks", opener.text);
        }
    }

    #[test]
    fn the_beginning_of_an_opener_may_become_one() {
        let table = [
            ("<", Found::Maybe),
            ("<tool_cal", Found::Maybe),
            ("<tools>", Found::No),
            ("<｜tool▁ca", Found::Maybe),
            ("functio", Found::Maybe),
            ("functional", Found::No),
            ("", Found::Maybe),
        ];
        for (text, expected) in table {
            assert_eq!(opener(text), expected, "{text}");
        }
        assert!(matches!(opener("<tool_call>\n"), Found::Yes(opener) if opener.text == "<tool_call>"));
    }
}
