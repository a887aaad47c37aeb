//! Which models can be chosen, and what is known about each?
//!
//! Those of every server of the configuration, as the servers say now: what they hold, what would carry out which task.
//! Takes as long as the servers may take to answer, two seconds at most.

use crate::app::App;
use crate::model::present::Status;
use crate::protocol::server::{ModelFacts, RouteStatus};
use crate::protocol::task::Task;
use crate::protocol::wait::short;
use crate::tui::state::choices::{Choice, Choices, Then};
use crate::tui::state::outside::Given;

/// Lists the models to choose from.
pub async fn choices(app: &App) -> Given {
    let status = app.gateway.status().await;
    let rows = rows(&status);
    if rows.is_empty() {
        let problems: Vec<&str> = status.servers.iter().filter_map(|server| server.problem.as_deref()).collect();
        let why = if problems.is_empty() { "no server is configured".to_owned() } else { problems.join("; ") };
        return Given::Failed(format!("there is no model to choose from: {why}"));
    }
    Given::Choices(Choices::new("model", rows))
}

fn rows(status: &Status) -> Vec<Choice> {
    let several = status.servers.iter().filter(|server| server.facts.is_some()).count() > 1;
    let mut rows = Vec::new();
    for server in &status.servers {
        for model in server.facts.iter().flat_map(|facts| &facts.models) {
            let tasks = status.routes.iter().filter(|route| {
                route.model.as_deref() == Some(&*model.id) && route.provider.as_deref() == Some(&*server.name)
            });
            let place = several.then(|| format!("at {}", server.name));
            // The name alone where it is clear; else with its provider, as `--model` takes it.
            let name = if several { format!("{}/{}", server.name, model.id) } else { model.id.clone() };
            let about = about(model, tasks, place);
            rows.push(Choice::new(&model.id, about, Then::Say(format!("/model {name}"))));
        }
    }
    rows
}

fn about<'r>(model: &ModelFacts, tasks: impl Iterator<Item = &'r RouteStatus>, place: Option<String>) -> String {
    let tasks: Vec<&str> = tasks.map(|route| Task::name(route.task)).collect();
    let can = ["vision", "thinking", "embedding"].into_iter();
    let can: Vec<&str> = can.filter(|can| model.capabilities.iter().any(|capability| capability == can)).collect();
    let parts = [
        model.window_tokens.map(|tokens| format!("{} tokens", short(tokens))),
        (model.is_loaded == Some(true)).then(|| "loaded".to_owned()),
        (!can.is_empty()).then(|| can.join(", ")),
        (!tasks.is_empty()).then(|| format!("for {}", tasks.join(", "))),
        place,
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::server::{ServerFacts, ServerStatus};

    fn server(name: &str, models: &[&str]) -> ServerStatus {
        let model =
            |id: &&str| ModelFacts { id: (*id).to_owned(), window_tokens: Some(32_768), ..ModelFacts::default() };
        let facts = ServerFacts { models: models.iter().map(model).collect(), ..ServerFacts::default() };
        ServerStatus { name: name.to_owned(), facts: Some(facts), ..ServerStatus::default() }
    }

    #[test]
    fn each_model_says_what_is_known_and_what_it_is_for() {
        let route = |task| RouteStatus {
            task,
            wanted: String::new(),
            provider: Some("server".to_owned()),
            model: Some("a".to_owned()),
            window_tokens: None,
            note: None,
        };
        let routes = vec![route(Task::Chat), route(Task::Fix)];
        let mut status = Status { servers: vec![server("server", &["a", "b"])], routes, failure: None };
        let said: Vec<_> = rows(&status).into_iter().map(|row| (row.label, row.meaning)).collect();
        assert_eq!(said[0], ("a".to_owned(), format!("{} tokens; for chat, fix", short(32_768))));
        assert_eq!(said[1].1, format!("{} tokens", short(32_768)));
        status.servers.push(server("other", &["a"]));
        assert_eq!(rows(&status)[2].then, Then::Say("/model other/a".to_owned()));
    }
}
