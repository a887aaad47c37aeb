//! Do the words around a call mean it, or do they explain how calls are written?
//!
//! Markup outside of any fence is sometimes an example. Words that present something ("for example:", "you write:") speak
//! for that unless the writer says what he is about to do ("let me ..."); words about the form of calls always do. Patterns
//! only, of the languages our users' models mix; the sentence next to the call counts.

use std::sync::LazyLock;

use regex::Regex;

/// Says about the form of calls, whoever does it.
const ABOUT_CALLS: &[&str] = &[
    r"\btool[ _-]?call(s|ing)?\b.{0,60}\b(looks?|format|syntax|example|is written|are written|written as|consists?)\b",
    r"\b(format|syntax|example|anatomy|structure|shape|form|markup)\b.{0,30}\b(of|for)\b.{0,30}\btool[ _-]?(call|use)",
    r"\b(format|syntax|form|markup|shape) of (a|an|the|each|every|such a|my|its) calls?\b",
    r"\b(show|shows|explain|explains|illustrate|illustrates|demonstrate|demonstrates|describe|describes)\b.{0,60}\b(tool[ _-]?calls?|calls? (is|are|look|looks|works?)|markup)\b",
    r"\b(beispiel|syntax|format|schreibweise)\b.{0,40}\b(tool|werkzeug)",
    r"\b(werkzeug|tool)-?aufrufe?\b.{0,60}\b(sieht|aussieht|lautet|schreibt|geschrieben)",
];

/// Presents something.
const PRESENTS: &[&str] = &[
    r"\b(for example|for instance|e\.g\.|an? example|example( call| output| usage| request| answer)?|examples|like this|like so|as follows|looks? like( this)?|syntax|template)[\s:：*_]*$",
    r"\b(zum beispiel|z\. ?b\.|beispiel|so aus|etwa so|par exemple|exemple|por ejemplo|ejemplo|esempio|например|пример)[\s:：*_]*$",
    r"(例如|比如|示例|例子|格式|如下)[\s:：*_]*$",
    r"\bto (call|invoke|use) (a|the|any|each|this|that) (tool|function)s?\b",
    r"\b(format|syntax|example|form)\b.{0,30}\b(of|for)\b.{0,30}\b(function|call)\b.{0,40}[:：]\W*$",
    r"\b(function|tool)[ _-]?calls?\b.{0,40}\b(looks?|is|are)\b.{0,20}[:：]\W*$",
    r"\b(you|one|users?|models?|assistants?|agents?|clients?|it|man|du|sie|das modell|der agent)\b ?(can|could|would|should|must|may|might|will|then|simply|just|have to|has to|need to|needs to|kann|muss|soll)? ?(writes?|emits?|outputs?|types?|sends?|produces?|generates?|calls?|invokes?|prints?|schreibt|schreiben|gibt|sendet)\b[^.:：]*[:：]\W*$",
    r"\b(models?|servers?|agents?|clients?|parsers?)\b.{0,40}\b(writes?|emits?|outputs?|sends?|produces?|generates?|expects?|accepts?)\b[^.:：]*[:：]\W*$",
    r"\b(you|they|he|she|user|users|somebody|someone)\b.{0,30}\b(provided|pasted|sent|wrote|gave|said|typed|posted|shared|asked)\b[^.:：]*[:：]\W*$",
    r"\b(said|contains?|says|reads|shows?|printed|prints|returned|returns|received|logged|output|response|result|transcript|log|prompt|documentation|docs|quotes?|quoted|wrote|sent|enthält|steht|lautet|ausgabe|ergebnis)\b[^.:：]{0,40}[:：]\W*$",
];

/// Announces what the writer does next.
const ANNOUNCES: &[&str] = &[
    r"\b(i['’]ll|i will|i['’]m going to|i am going to|i need to|i should|i want to|i have to|i['’]d like to|let me|let['’]?s|let us|we need to|we should|we['’]ll|we will)\b",
    r"^\W*(now|next|first|then|finally|ok|okay|sure|alright|step \d+)\b[,:]? ?(i|let|we|to|the|for)?\b",
    r"^\W*\w+ing\b",
    r"\b(ich (werde|lese|prüfe|schaue|suche|öffne|führe|schreibe|sehe|rufe)|lass mich|lasst uns|als nächstes|zuerst|je vais|voy a|vamos a|ora)\b",
    r"(我来|让我|我将|接下来|现在|首先)",
];

/// Names the form of what stands above.
const LOOKS_BACK: &[&str] = &[
    r"^\W*(this|that|these|those|the above|above|such|here|the (block|snippet|example|markup|call|tags?))\b.{0,80}\b(example|format|syntax|how (a|the|to|you|models?)|look|illustrates?|demonstrates?|markup|tags?|template)\b",
    r"^\W*(das|dies|so|oben)\b.{0,60}\b(beispiel|format|syntax|aussehen|aussieht)\b",
];

struct Patterns {
    about_calls: Regex,
    presents: Regex,
    announces: Regex,
    looks_back: Regex,
}

#[expect(clippy::expect_used, reason = "the patterns are compiled in, and the tests use every one")]
fn any_of(patterns: &[&str]) -> Regex {
    let all: Vec<String> = patterns.iter().map(|pattern| format!("(?:{pattern})")).collect();
    Regex::new(&format!("(?i){}", all.join("|"))).expect("a compiled-in pattern parses")
}

static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| Patterns {
    about_calls: any_of(ABOUT_CALLS),
    presents: any_of(PRESENTS),
    announces: any_of(ANNOUNCES),
    looks_back: any_of(LOOKS_BACK),
});

/// Says whether the line before a call presents it as an example.
pub fn leads(line: &str) -> bool {
    let sentence = last_sentence(line);
    let patterns = &*PATTERNS;
    patterns.about_calls.is_match(sentence)
        || (patterns.presents.is_match(sentence) && !patterns.announces.is_match(sentence))
}

/// Says whether the line after a call, the next that is not blank, speaks of it as an example. A heading before the call
/// and words after it make it part of a document.
pub fn follows(lead: &str, line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() {
        return false;
    }
    let patterns = &*PATTERNS;
    lead.trim_start().starts_with('#') || patterns.looks_back.is_match(line) || patterns.about_calls.is_match(line)
}

fn last_sentence(line: &str) -> &str {
    let line = line.trim();
    let ends = [". ", "! ", "? ", "。"];
    let start = ends.iter().filter_map(|end| line.rfind(end).map(|at| at + end.len())).max().unwrap_or(0);
    // An abbreviation at the end is no sentence.
    if line.len() - start < 4 || line[..start].ends_with("z. ") || line[..start].ends_with("e.g. ") {
        line
    } else {
        &line[start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_presented_is_told_from_what_is_announced() {
        let explained = [
            "For example:",
            "Here is an example of a tool call:",
            "To call a tool you write:",
            "A tool call looks like this:",
            "The syntax of a function call is this:",
            "You would write:",
            "The model then emits:",
            "Let me show you what a tool call looks like:",
            "I'll explain the format of a call:",
            "The function call looks like this:",
            "The log file contains:",
            "The server returned:",
            "Ein Tool-Aufruf sieht so aus:",
            "Zum Beispiel:",
            "Man schreibt:",
            "例如：",
            "**Example:**",
            "The template says:",
            "Done reading. Its syntax, for example:",
        ];
        for line in explained {
            assert!(leads(line), "{line}");
        }
        let meant = [
            "I'll read the file:",
            "Let me look at the examples:",
            "Let me check the log:",
            "Now I read the output:",
            "Reading the documentation:",
            "Here is the function call to read the file:",
            "Here is the call:",
            "I need to see the template:",
            "Ich lese die Datei:",
            "First, the prompt:",
            "Sure.",
            "",
            "The tests fail because of a typo.",
            "It fails because of the template.",
            "The parser stops early, so it prints nothing.",
            "The function call is written in main.rs.",
            "I need to use the tool to read the file:",
            "Let me look at the structure of the function:",
            "I found an example. Let me read it:",
            "让我看看这个文件：",
        ];
        for line in meant {
            assert!(!leads(line), "{line}");
        }
    }

    #[test]
    fn words_after_a_call_may_make_it_an_example() {
        let table = [
            ("", "This is how a call looks.", true),
            ("", "The above is only an example.", true),
            ("", "So würde das Format aussehen, so sieht ein Tool-Aufruf aus", true),
            ("## Calling tools", "The server parses it.", true),
            ("## Calling tools", "", false),
            ("", "I'll wait for the result.", false),
            ("", "This will read the file.", false),
            ("Now:", "Then I go on.", false),
        ];
        for (lead, line, expected) in table {
            assert_eq!(follows(lead, line), expected, "{lead:?} {line:?}");
        }
    }
}
