//! Does the model find code by what it does, in a project nobody has indexed?

use std::sync::Arc;
use std::time::Duration;

use mimi::index::embed::server::{Server, Trouble, Witness};
use mimi::index::engine::Index;
use serde_json::json;

use super::support::Bench;

const FILES: &[(&str, &str)] = &[
    (
        "src/retry.rs",
        "/// Sends a request again after a pause that doubles.\npub fn send_with_backoff(client: &HttpClient) -> Answer {\n    client.send()\n}\n\npub struct HttpClient;\n",
    ),
    ("src/paint.py", "class Canvas:\n    def draw_line(self, start, end):\n        self.points.append((start, end))\n"),
];

#[test]
fn code_is_found_by_what_it_does_and_shown_with_its_place() {
    let bench = Bench::new(FILES);
    let report = bench.call("search_code", json!({"query": "try a failed request again"}));
    let text = report.outcome.text();
    assert!(text.starts_with("src/retry.rs:1-6  send_with_backoff, HttpClient\n    1  /// Sends a request"), "{text}");
    assert!(text.ends_with("the best first]"), "{text}");
    let narrow = bench.call("search_code", json!({"query": "symbol:Canvas", "max_results": "1"}));
    assert!(narrow.outcome.text().starts_with("src/paint.py:1-3"), "{}", narrow.outcome.text());
}

#[test]
fn a_change_a_moment_ago_is_found_and_nothing_is_said_so() {
    let bench = Bench::new(FILES);
    bench.call("search_code", json!({"query": "canvas"}));
    bench.write("src/late.rs", "pub fn brew_espresso_slowly() {}\n");
    let report = bench.call("search_code", json!({"query": "brew_espresso_slowly"}));
    assert!(report.outcome.text().starts_with("src/late.rs:1-1"), "{}", report.outcome.text());
    let nothing = bench.call("search_code", json!({"query": "symbol:nowhere_at_all"}));
    assert!(nothing.outcome.text().contains("no code found for `symbol:nowhere_at_all`"), "{}", nothing.outcome.text());
    assert!(bench.intent("search_code", json!({"query": " "})).is_err());
}

#[test]
fn what_is_returned_is_bounded() {
    let bench = Bench::new(&[]);
    for n in 0..40 {
        bench.write(
            &format!("src/f{n}.py"),
            format!("def common_thing_{n}(value):\n    return 'x{}'\n", "y".repeat(200)).repeat(20),
        );
    }
    let report = bench.call("search_code", json!({"query": "common thing value", "max_results": 99}));
    let text = report.outcome.text();
    assert!(text.len() < 10_000 && text.contains("left out"), "{} bytes", text.len());
}

#[test]
fn files_that_may_hold_secrets_are_not_shown() {
    let bench = Bench::new(&[
        ("src/a.py", "def find_the_planted_word(): pass\n"),
        (".env", "planted_word=1\n"),
        ("id_rsa", "planted word\n"),
    ]);
    let report = bench.call("search_code", json!({"query": "planted word"}));
    let text = report.outcome.text();
    assert!(text.contains("src/a.py") && !text.contains(".env") && !text.contains("id_rsa"), "{text}");
}

#[test]
fn the_map_shows_the_outline_within_its_budget() {
    let bench = Bench::new(FILES);
    let report = bench.call("repo_map", json!({}));
    let text = report.outcome.text();
    assert!(text.contains("src/paint.py\n     1 class Canvas\n     2   def draw_line(self, start, end)\n"), "{text}");
    assert!(text.contains("2 of 2 files with definitions"), "{text}");
    let focused = bench.call("repo_map", json!({"focus": "src", "max_tokens": 1}));
    assert!(focused.outcome.text().len() < 600);
    let missing = bench.call("repo_map", json!({"focus": ["src/nothing.rs"]}));
    assert!(missing.outcome.text().contains("does not exist"), "{}", missing.outcome.text());
    let empty = Bench::new(&[("notes.txt", "words")]).call("repo_map", json!({}));
    assert!(empty.outcome.text().contains("nothing is defined"), "{}", empty.outcome.text());
}

/// A model to which `zebra` means what drawing does.
struct Zebra;

impl Server for Zebra {
    fn model(&self, _limit: Option<Duration>) -> Result<String, Trouble> {
        Ok("zebra-embed".to_owned())
    }

    fn embed(
        &self,
        texts: Vec<String>,
        _witness: Option<&Witness>,
        _limit: Option<Duration>,
    ) -> Result<Vec<Vec<f32>>, Trouble> {
        let is_near = |text: &String| text.contains("zebra") || text.contains("draw_line");
        Ok(texts.iter().map(|text| if is_near(text) { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).collect())
    }

    fn embed_anew(&self, _text: String, _limit: Option<Duration>) -> Result<Vec<f32>, Trouble> {
        Ok(vec![0.0, 1.0])
    }
}

#[test]
fn a_model_on_a_server_is_asked_too_once_it_knows_the_project() {
    let mut bench = Bench::new(FILES);
    bench.cx.embedder = Some(Arc::new(Zebra));
    bench.call("search_code", json!({"query": "zebra"}));
    let index = Index::of(&bench.cx.cache, bench.root()).unwrap().served_by(Arc::new(Zebra));
    assert_eq!(index.fill(Duration::ZERO, &|_, _| {}).unwrap().n_made, 2);
    let report = bench.call("search_code", json!({"query": "zebra"}));
    assert!(report.outcome.text().starts_with("src/paint.py"), "{}", report.outcome.text());
}
