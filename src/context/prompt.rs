//! Where do the sentences for the model come from?
//!
//! From `prompts/`, compiled in. `{{name}}` stands for a value; a template and its caller must name the same variables.

/// A text from `prompts/`, with the variables it must be given.
#[derive(Debug, Clone, Copy)]
pub struct Prompt {
    /// File below `prompts/`, without `.md`.
    pub name: &'static str,
    /// The text.
    pub text: &'static str,
    /// Its variables, in the order callers give them.
    pub variables: &'static [&'static str],
}

macro_rules! prompts {
    ($($constant:ident = $name:literal [$($variable:literal),*];)*) => {
        $(
            #[doc = concat!("`prompts/", $name, ".md`.")]
            pub const $constant: Prompt = Prompt {
                name: $name,
                text: include_str!(concat!("../../prompts/", $name, ".md")),
                variables: &[$($variable),*],
            };
        )*
        /// Every prompt.
        pub const TABLE: &[Prompt] = &[$($constant),*];
    };
}

prompts! {
    SYSTEM = "system" [];
    OPENING = "opening" ["facts", "instructions"];
    COMPACT = "compact" [];
    COMPACTED = "compacted" ["summary", "carried"];
    NOTE_CUT_CALL = "note_cut_call" ["tool"];
    NOTE_QUOTED_CALL = "note_quoted_call" ["tool"];
    NOTE_FAILED_CALL = "note_failed_call" ["tool", "why", "tools"];
    NOTE_CUT_ANSWER = "note_cut_answer" [];
    NOTE_EMPTY = "note_empty" [];
    NOTE_LOST_CALL = "note_lost_call" ["tokens"];
    NOTE_PLAIN_CALLS = "note_plain_calls" ["tools"];
    NOTE_BROKEN_UP = "note_broken_up" [];
    NOTE_SECRET = "note_secret" [];
    NOTE_WITHHELD = "note_withheld" ["kinds"];
    REVIEW_NONE = "review_none" ["parts"];
    REVIEW_PART = "review_part" ["parts"];
    REVIEW_LEFT = "review_left" ["path", "line", "why", "lines"];
    REVIEW_EDITED = "review_edited" ["path", "line", "lines"];
    DIFF_REVIEW = "diff_review" ["source", "remarks"];
    DIFF_COMMENT = "diff_comment" ["place", "words", "lines"];
    DIFF_REJECTED = "diff_rejected" ["place", "words", "lines"];
    DIFF_UNWANTED = "diff_unwanted" ["place", "words", "lines"];
    DIFF_EDITED = "diff_edited" ["place", "lines", "words"];
    NOTE_CHANGED = "note_changed" ["files"];
    NOTE_UNDONE = "note_undone" ["turns", "files", "left"];
    NOTE_REDONE = "note_redone" ["turns", "files", "left"];
    NOTE_BACKGROUND = "note_background" ["seconds", "output"];
    NOTE_BACKGROUND_ENDED = "note_background_ended" ["command", "outcome"];
    NOTE_BACKGROUND_LOST = "note_background_lost" ["command"];
    NO_ANSWER = "no_answer" [];
    OWN_COMMAND = "own_command" ["command", "outcome"];
    ATTACHED_IMAGE = "attached_image" ["name", "size"];
    IMAGE_LEFT_OUT = "image_left_out" ["count"];
    BAD_TOOL = "bad_tool" ["name", "known"];
    BAD_TOOL_NEAR = "bad_tool_near" ["name", "near", "signature", "example", "known"];
    BAD_ARGUMENTS = "bad_arguments" ["tool", "place", "why", "signature", "example"];
    BAD_JSON = "bad_json" ["tool", "why", "got", "signature", "example"];
    NOTE_SCHEMA = "note_schema" ["schema"];
    NOTE_SCHEMA_RETRY = "note_schema_retry" ["error"];
    DOCTOR_SYSTEM = "doctor/system" [];
    DOCTOR_CALL = "doctor/call" [];
    DOCTOR_TWO_CALLS = "doctor/two_calls" [];
    DOCTOR_LIST = "doctor/list" [];
    DOCTOR_SEARCH = "doctor/search" [];
    DOCTOR_EDIT = "doctor/edit" ["tool"];
    DOCTOR_HELLO = "doctor/hello" [];
    DOCTOR_SCHEMA = "doctor/schema" [];
    DOCTOR_SPEED = "doctor/speed" [];
    DOCTOR_PREFIX = "doctor/prefix" ["nonce", "lines"];
    TASK_FIX = "task/fix" ["checks", "seen", "failures"];
    TASK_FIX_AGAIN = "task/fix_again" ["checks", "taken", "failures"];
    TASK_FIX_CHECK = "task/fix_check" ["command", "ending", "failures", "output"];
    TASK_FIX_CONTEXT = "task/fix_context" ["code", "changed"];
    TASK_FIX_GUARD = "task/fix_guard" ["breaches"];
    TASK_REVIEW = "task/review" ["what", "part", "change"];
    TASK_REVIEW_PART = "task/review_part" ["number", "of"];
    TASK_REVIEW_AGAIN = "task/review_again" ["error"];
    TASK_COMMIT = "task/commit" ["style", "max", "recent", "files", "change"];
    TASK_COMMIT_CONVENTIONAL = "task/commit_conventional" ["types"];
    TASK_COMMIT_PLAIN = "task/commit_plain" [];
    TASK_COMMIT_AGAIN = "task/commit_again" ["error"];
    TASK_EXPLAIN_PLACE = "task/explain_place" ["place", "code"];
    TASK_EXPLAIN_ERROR = "task/explain_error" ["text", "failures", "code"];
    TASK_EXPLAIN_FAILURES = "task/explain_failures" ["list"];
    TASK_EXPLAIN_CODE = "task/explain_code" ["code"];
    TASK_STDIN = "task/stdin" ["task", "input"];
    MENTION = "mention" ["what", "body"];
}

impl Prompt {
    /// Fills in the variables, in the order of [`Prompt::variables`]. Values are not searched for variables again.
    pub fn render(&self, values: &[&str]) -> String {
        debug_assert_eq!(self.variables.len(), values.len(), "prompts/{}.md", self.name);
        let mut out = String::with_capacity(self.text.len() + values.iter().map(|value| value.len()).sum::<usize>());
        let mut rest = self.text.trim_end();
        while let Some((before, after)) = rest.split_once("{{") {
            out.push_str(before);
            let Some((name, after)) = after.split_once("}}") else {
                rest = after;
                break;
            };
            let position = self.variables.iter().position(|variable| *variable == name);
            out.push_str(position.and_then(|at| values.get(at)).copied().unwrap_or_default());
            rest = after;
        }
        out.push_str(rest);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_uses_exactly_its_variables() {
        for prompt in TABLE {
            let mut used: Vec<&str> =
                prompt.text.split("{{").skip(1).map(|part| part.split("}}").next().unwrap()).collect();
            used.sort_unstable();
            used.dedup();
            let mut declared = prompt.variables.to_vec();
            declared.sort_unstable();
            assert_eq!(used, declared, "prompts/{}.md", prompt.name);
        }
    }

    #[test]
    fn values_are_put_in_once_and_not_searched_again() {
        let text = TASK_FIX_CHECK.render(&["make", "exit code 2", "", "{{command}}"]);
        assert!(text.contains("`make`") && text.ends_with("{{command}}"), "{text}");
    }

    #[test]
    fn no_prompt_holds_a_control_string() {
        // They would be broken up like anybody else's words, and a note about calls would not show what it explains.
        for prompt in TABLE {
            assert!(!crate::base::control::is_found_in(prompt.text), "prompts/{}.md", prompt.name);
        }
    }

    #[test]
    fn the_system_prompt_holds_nothing_volatile() {
        assert!(SYSTEM.variables.is_empty());
        assert!(SYSTEM.text.len() < 4_000, "{} bytes", SYSTEM.text.len());
    }
}
