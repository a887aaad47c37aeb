//! What is the model told about a call in the wrong form?
//!
//! What was wrong, which tools there are, what the tool takes, and what to do: call again. Models that read that recover;
//! models that read only "error" repeat themselves.

use crate::base::text::clip_middle;
use crate::context::prompt;
use crate::tools::bad_call::{BadCall, Malformed};

/// Bytes of unreadable arguments that are shown to their writer.
const MAX_GOT_BYTES: usize = 500;

/// Words the refusal of a call.
pub fn words(bad: &BadCall) -> String {
    match bad {
        BadCall::Impossible(words) | BadCall::Unfit { words, .. } => words.clone(),
        BadCall::Malformed(malformed) => malformed_words(malformed),
    }
}

fn malformed_words(malformed: &Malformed) -> String {
    match malformed {
        Malformed::Unknown { name, known, near: None } => prompt::BAD_TOOL.render(&[name, &known.join(", ")]),
        Malformed::Unknown { name, known, near: Some(form) } => {
            prompt::BAD_TOOL_NEAR.render(&[name, &form.tool, &form.signature, &form.example, &known.join(", ")])
        }
        Malformed::NotAnObject { form, why, got } => {
            let got = clip_middle(got, MAX_GOT_BYTES, "");
            prompt::BAD_JSON.render(&[&form.tool, why, &got, &form.signature, &form.example])
        }
        Malformed::Arguments { form, place, why } => {
            let place = if place.is_empty() { String::new() } else { format!(" at `{place}`") };
            prompt::BAD_ARGUMENTS.render(&[&form.tool, &place, why, &form.signature, &form.example])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tools::registry::Registry;

    #[test]
    fn it_names_the_tool_the_names_the_arguments_and_what_to_do() {
        let registry = Registry::new();
        let table = [("read_fil", Some("read_file")), ("teleport", None)];
        for (name, meant) in table {
            let text = words(&registry.unknown(name));
            assert!(text.contains(&format!("no tool `{name}`")) && text.contains("edit_file, "), "{text}");
            assert_eq!(text.contains("`read_file` is probably meant, which takes: path (string)"), meant.is_some());
            assert!(text.contains("Call "), "{text}");
        }
        let form = registry.get("shell").map(|tool| tool.manifest().form()).unwrap();
        let why = "missing field `command`".to_owned();
        let text = words(&Malformed::Arguments { form: form.clone(), place: String::new(), why }.into());
        for part in
            ["`shell` was not run", "missing field `command`", "It takes: command (string)", "Call `shell` again"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        let got = "x".repeat(5000);
        let text = words(&Malformed::NotAnObject { form, why: "expected value".to_owned(), got }.into());
        assert!(text.len() < 1500 && text.contains("such as {\""), "{text}");
    }
}
