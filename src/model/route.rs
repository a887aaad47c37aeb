//! Which model is meant by a route or a `--model` flag, and what stands in when the server does not have it?
//!
//! Pure: names in, names out. The rule for stand-ins is the one in the comments of `config/default.yaml`.

use std::sync::Arc;

use crate::model::ModelInfo;
use crate::model::catalog;
use crate::protocol::profile::{EditDialect, Profile, Support};
use crate::protocol::server::ServerFacts;
use crate::protocol::task::Task;

/// The word in a route for the server that is set or found.
pub const AUTO: &str = "auto";

/// Where a task goes: settled, with everything a request needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Route {
    /// The provider's name.
    pub provider: String,
    /// Its base URL; empty for one that has none.
    pub url: String,
    /// The model's name on that server.
    pub model: String,
    /// Tokens the model takes there.
    pub window_tokens: u64,
    /// What is known about the model's family.
    pub row: &'static catalog::Row,
    /// Its place in the task's list of `routes`, counted from 0; none when it was asked for by name.
    pub rank: Option<usize>,
    /// What `mimi doctor` measured about it; none when it was not asked.
    pub profile: Option<Profile>,
    /// What the server said about itself; of the kind that says nothing where it was not asked.
    pub server: Arc<ServerFacts>,
    /// What the user should be told about the choice: a server that was found, a stand-in that was taken.
    pub note: Option<String>,
}

impl Route {
    /// Says whether the model sees images: as its server says, else as its family is known; none where nobody says.
    pub fn sees_images(&self) -> Option<bool> {
        let said = self.server.model(&self.model).map(|model| &model.capabilities);
        said.filter(|said| !said.is_empty()).map(|said| said.iter().any(|can| can == "vision")).or(self.row.vision)
    }

    /// Returns how many tools the model is offered at once: as its family is known, or fewer where this one was seen to
    /// lose its way.
    pub fn tool_budget(&self) -> usize {
        let measured = self.profile.as_ref().and_then(|profile| profile.max_tools);
        measured.map_or(self.row.tool_budget, |max| max.min(self.row.tool_budget))
    }

    /// Returns how the model is told to change files: as it was measured, else as its family is known.
    pub fn edit_dialect(&self) -> EditDialect {
        self.profile.as_ref().and_then(|profile| profile.edit_dialect).unwrap_or(self.row.edit)
    }

    /// Says whether several calls in one answer arrive.
    pub fn takes_several_calls(&self) -> bool {
        self.profile.as_ref().is_none_or(|profile| profile.two_calls != Support::No)
    }

    /// Says whether asking for a call is worth a try: not where it was seen to change nothing.
    pub fn may_force_calls(&self) -> bool {
        self.profile.as_ref().is_none_or(|profile| profile.tool_choice != Support::No)
    }
}

/// A provider and a model as somebody wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The provider; none for the server that is set or found.
    pub provider: Option<String>,
    /// The model; may be empty.
    pub model: String,
}

/// Reads `provider/model` or `model`. Model names may hold slashes themselves, so the part before the first one counts
/// as a provider only when there is a provider of that name.
pub fn parse(text: &str, is_provider: impl Fn(&str) -> bool) -> Target {
    match text.split_once('/') {
        Some((AUTO, model)) => Target { provider: None, model: model.to_owned() },
        Some((provider, model)) if is_provider(provider) => {
            Target { provider: Some(provider.to_owned()), model: model.to_owned() }
        }
        _ => Target { provider: None, model: text.to_owned() },
    }
}

/// Finds `wanted` among the models a server has. `name` and `name:latest` are the same to Ollama.
pub fn find<'a>(wanted: &str, served: &'a [ModelInfo]) -> Option<&'a ModelInfo> {
    let is_it = |model: &&ModelInfo| {
        model.id == wanted
            || model.id.strip_suffix(":latest") == Some(wanted)
            || wanted.strip_suffix(":latest") == Some(&model.id)
    };
    served.iter().find(|model| model.id == wanted).or_else(|| served.iter().find(is_it))
}

/// Chooses a stand-in: the first of `preferred` that is served, else the first model of the right kind. For vectors only
/// a model made for them will do, and for words never one of those.
pub fn stand_in<'a>(task: Task, preferred: &[&str], served: &'a [ModelInfo]) -> Option<&'a ModelInfo> {
    let fits = |model: &&ModelInfo| catalog::row(&model.id).embeds == (task == Task::Embed);
    let known = preferred.iter().filter(|name| !name.is_empty()).filter_map(|name| find(name, served)).find(fits);
    known.or_else(|| served.iter().find(fits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn served(names: &[&str]) -> Vec<ModelInfo> {
        names.iter().map(|name| ModelInfo { id: (*name).to_owned(), window_tokens: None }).collect()
    }

    #[test]
    fn a_slash_separates_only_what_is_a_provider() {
        let table = [
            ("auto/qwen3-coder:30b", None, "qwen3-coder:30b"),
            ("dgx/Qwen/Qwen3-Coder", Some("dgx"), "Qwen/Qwen3-Coder"),
            ("Qwen/Qwen3-Coder", None, "Qwen/Qwen3-Coder"),
            ("plain", None, "plain"),
            ("auto/", None, ""),
        ];
        for (text, provider, model) in table {
            let expected = Target { provider: provider.map(str::to_owned), model: model.to_owned() };
            assert_eq!(parse(text, |name| name == "dgx"), expected, "{text}");
        }
    }

    #[test]
    fn a_stand_in_is_of_the_right_kind() {
        let box_models = served(&["nomic-embed-text:latest", "llama3.1:8b", "qwen2.5-coder:1.5b"]);
        let table = [
            (Task::Chat, vec!["gone", "qwen2.5-coder:1.5b"], Some("qwen2.5-coder:1.5b")),
            (Task::Chat, vec!["nomic-embed-text"], Some("llama3.1:8b")),
            (Task::Embed, vec![], Some("nomic-embed-text:latest")),
        ];
        for (task, preferred, expected) in table {
            assert_eq!(stand_in(task, &preferred, &box_models).map(|model| model.id.as_str()), expected);
        }
        assert_eq!(stand_in(Task::Embed, &[], &served(&["llama3.1:8b"])), None);
        assert_eq!(find("nomic-embed-text", &box_models).unwrap().id, "nomic-embed-text:latest");
    }
}
