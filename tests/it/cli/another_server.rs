//! A server of another kind takes the place of the one that was known: does the task go on there?

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::{run_task, user_of};
use crate::support::wire::WireServer;

const ANSWER: &[u8] =
    b"data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";

#[test]
fn a_server_that_becomes_another_in_the_middle_is_looked_at_again_and_asked_again() {
    let n_asked = AtomicUsize::new(0);
    let server = WireServer::serve(move |request, out| {
        // The first question of the second run meets the other server.
        let is_new = n_asked.load(Ordering::SeqCst) >= 1;
        match request.path.as_str() {
            "/v1/models" => {
                let owner = if is_new { "llamacpp" } else { "vllm" };
                let models = json!({"data": [{"id": "m", "owned_by": owner, "max_model_len": 32768}]});
                out.whole(200, "application/json", models.to_string().as_bytes());
            }
            "/version" if !is_new => out.whole(200, "application/json", b"{\"version\": \"0.33.0\"}"),
            "/props" if is_new => out.whole(200, "application/json", b"{\"total_slots\": 1}"),
            "/v1/chat/completions" if n_asked.fetch_add(1, Ordering::SeqCst) != 1 => {
                out.begin_events();
                out.chunk(ANSWER);
                out.end();
            }
            _ => out.whole(404, "application/json", b"{\"detail\": \"Not Found\"}"),
        }
    });
    let user = user_of(&server);
    run_task(&user, &["--model", "m"]).success();
    let outcome = run_task(&user, &["--model", "m"]).success();
    assert_eq!(outcome.stdout, "hi\n");
    assert!(outcome.stderr.contains("! llama.cpp answers at"), "{outcome}");
    assert!(outcome.stderr.contains("where vLLM did; going on with `m`"), "{outcome}");
}
