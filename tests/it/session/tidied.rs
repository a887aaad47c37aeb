//! Are sessions deleted when the user does not want them kept any longer, and only then?

use std::path::Path;
use std::time::{Duration, SystemTime};

use mimi::protocol::op::Mode;

use crate::session::resumed::{app, options};
use crate::support::Env;
use crate::support::live::PATIENCE;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn age(path: &Path, days: u32) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - days * DAY).unwrap();
}

/// Starts a session, which looks after the old ones.
fn start(env: &Env) -> String {
    let app = app(env, "http://127.0.0.1:1/v1");
    let script = mimi::model::providers::script::Script::parse("turns: []").unwrap();
    let provider = std::sync::Arc::new(mimi::model::providers::script::ScriptProvider::new(script));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let session = app.with_provider("script", provider).start(options(Mode::Ask)).await.unwrap();
        let id = session.id.clone();
        session.handle.close().await;
        id
    })
}

#[test]
fn old_sessions_go_with_their_outputs_once_a_day() {
    let env = Env::new();
    let state = env.home().join(".local/state/mimi");
    let (old, young) = (start(&env), start(&env));
    let file = |id: &str| state.join("sessions").join(format!("{id}.jsonl"));
    env.write(state.join("out").join(&old).join("1.txt"), "a long output");
    let kept = env.write(state.join("checkpoints/ab").join("ab".repeat(32)), "old content");
    age(&file(&old), 91);
    age(&kept, 91);
    age(&file(&young), 89);
    // Looked after today already.
    start(&env);
    assert!(file(&old).exists());
    age(&state.join("tidied"), 2);
    start(&env);
    let deadline = std::time::Instant::now() + PATIENCE;
    while file(&old).exists() || kept.exists() || state.join("out").join(&old).exists() {
        assert!(std::time::Instant::now() < deadline, "the old session is still there");
        std::thread::yield_now();
    }
    assert!(file(&young).exists());
}
