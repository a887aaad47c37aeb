//! Does a model on a server make the search better, and never worse, slower or less safe?

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use crate::index::FILES;
use crate::support::Env;
use crate::support::ollama::{EMBEDDER, OllamaServer, Setting};
use crate::support::wire::{Out, Received, WireServer};

const MODEL: &str = "nomic-embed-text";
const NAME: &str = "nomic-embed-text [search_document:|search_query:] 1";

fn user(server: &str) -> Env {
    let env = Env::new();
    FILES.iter().for_each(|(path, text)| drop(env.write(path, text)));
    settings(&env, "openai", server, MODEL);
    env
}

fn settings(env: &Env, kind: &str, url: &str, model: &str) {
    let text = format!(
        "providers: {{box: {{kind: {kind}, base_url: '{url}'}}}}\nroutes: {{embed: box/{model}}}\n\
         index: {{embedder: server}}\nmodel: {{max_retries: 0}}\n"
    );
    env.write_home(".config/mimi/config.yaml", text);
}

/// The texts of a request for vectors.
fn inputs(request: &Received) -> Vec<String> {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let texts = body["input"].as_array().or(body["inputs"][0]["data"].as_array()).cloned().unwrap_or_default();
    texts.iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// All texts a server was sent.
fn sent(server: &WireServer) -> Vec<String> {
    server.received().iter().flat_map(inputs).collect()
}

/// Where this model puts a text: `zebra` means to it what `evict_expired` does, and to nobody else.
fn meaning(text: &str) -> [f32; 8] {
    let mut vector = [0.1, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1, (text.len() % 7) as f32 / 100.0];
    if text.contains("zebra") || text.contains("fn evict_expired(") {
        vector[0] = 9.0;
    } else {
        vector[1 + text.len() % 5] = 3.0;
    }
    vector
}

fn answer(request: &Received, out: &mut Out) {
    if request.path.ends_with("/models") {
        return out.whole(200, "application/json", json!({"data": [{"id": MODEL}]}).to_string().as_bytes());
    }
    if request.is_probe() {
        return out.whole(404, "application/json", b"{}");
    }
    vectors(request, out, |text| json!(meaning(text)));
}

fn vectors(request: &Received, out: &mut Out, of: impl Fn(&str) -> Value) {
    let rows: Vec<Value> = inputs(request).iter().map(|text| json!({"embedding": of(text)})).collect();
    out.whole(200, "application/json", json!({"data": rows}).to_string().as_bytes());
}

fn found(env: &Env, question: &str) -> Value {
    let outcome = env.run(["search", question, "--json"]).outcome();
    serde_json::from_str(&outcome.raw_stdout).unwrap_or_else(|_| panic!("{outcome}"))
}

fn first(answer: &Value) -> &str {
    answer["hits"][0]["hit"]["path"].as_str().unwrap_or_default()
}

#[test]
fn pieces_are_embedded_once_with_their_prefix_and_a_question_is_answered_by_what_the_model_knows() {
    let server = WireServer::serve(answer);
    let env = user(&server.url());
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains(&format!("5 vectors made by `{NAME}`: 5 of 5.")), "{built}");
    let pieces = sent(&server);
    assert_eq!(pieces.iter().filter(|text| text.starts_with("search_document: ")).count(), 5, "{pieces:?}");
    let answer = found(&env, "zebra stripes");
    assert_eq!(first(&answer), "src/cache.rs", "{answer}");
    assert_eq!(answer["meaning"][0]["embedder"], NAME);
    assert_eq!(answer["meaning"][0]["coverage"], json!({"n_texts": 5, "n_covered": 5}));
    assert_eq!((&answer["meaning"][0]["is_asked"], &answer["notes"]), (&json!(true), &json!([])));
    assert_eq!(sent(&server).last().unwrap(), "search_query: zebra stripes");
    let n_before = sent(&server).len();
    env.run(["index"]).outcome().success();
    found(&env, "zebra stripes");
    let again = sent(&server).split_off(n_before);
    assert_eq!(again, ["search_query: size"], "nothing is embedded twice but what tells one model from another");
    let status = env.run(["index", "--status"]).outcome().success();
    assert!(status.stdout.contains(&format!("5 of `{NAME}` with 8 numbers in vec0: 5 of 5 texts")), "{status}");
}

#[test]
fn what_changed_since_is_found_all_the_same_and_how_much_the_model_knows_is_said() {
    let server = WireServer::serve(answer);
    let env = user(&server.url());
    (0..20).for_each(|n| drop(env.write(format!("more/{n}.rs"), format!("fn filler_{n}() {{ step_{n}(); }}\n"))));
    let before = found(&env, "remove expired entries");
    assert_eq!(first(&before), "src/cache.rs");
    assert!(before["notes"][0].as_str().unwrap().contains("no model on a server has embedded this project yet"));
    env.run(["index"]).outcome().success();
    env.write("src/new.rs", "fn freshly_written_thing() {}\n");
    let answer = found(&env, "freshly written thing");
    assert_eq!(first(&answer), "src/new.rs", "{answer}");
    assert_eq!(answer["notes"], json!([format!("`{NAME}` knows 96 % of the pieces: mimi index")]));
    let n_before = sent(&server).len();
    env.run(["index"]).outcome().success();
    let new = sent(&server).split_off(n_before);
    assert_eq!(new.iter().filter(|text| text.starts_with("search_document: ")).count(), 1, "only what is new: {new:?}");
    assert_eq!(found(&env, "freshly written thing")["notes"], json!([]));
}

#[test]
fn a_bad_server_is_named_once_and_the_search_answers_with_what_it_has() {
    type Bad = fn(&Received, &mut Out);
    let table: [(&str, Bad, &str); 7] = [
        ("numbers that are none", |request, out| vectors(request, out, |_| json!([null, 1.0])), "no number"),
        ("infinite numbers", |request, out| vectors(request, out, |_| json!([1e99, 1.0])), "cannot be used"),
        ("only zeros", |request, out| vectors(request, out, |_| json!([0.0, 0.0])), "only zeros"),
        (
            "sizes that differ",
            |request, out| vectors(request, out, |text| json!(vec![1.0; 2 + text.len() % 3])),
            "numbers",
        ),
        ("too few", |_, out| out.whole(200, "application/json", b"{\"data\": []}"), "0 vectors"),
        ("a refusal", |_, out| out.whole(400, "application/json", b"{\"error\": \"no\"}"), "no"),
        ("silence", |_, _| {}, ""),
    ];
    for (what, bad, words) in table {
        let server = WireServer::serve(move |request, out| match request.path.ends_with("/embeddings") {
            true => bad(request, out),
            false => answer(request, out),
        });
        let env = user(&server.url());
        let built = env.run(["index"]).outcome().success();
        let notes: Vec<&str> = built.stderr.lines().filter(|line| line.starts_with("note: ")).collect();
        assert_eq!(notes.len(), 1, "{what}: {built}");
        assert!(notes[0].contains(words) && notes[0].contains("goes on without its vectors"), "{what}: {built}");
        let answer = found(&env, "remove expired entries");
        assert_eq!(first(&answer), "src/cache.rs", "{what}");
        assert_eq!(answer["notes"].as_array().unwrap().len(), 1, "{what}: {answer}");
        assert!(env.run(["index", "--verify"]).outcome().success().stdout.contains("sound"));
    }
}

#[test]
fn a_server_that_fails_half_way_keeps_what_it_made_and_goes_on_from_there() {
    let n_asked = AtomicUsize::new(0);
    let server = WireServer::serve(move |request, out| {
        let is_text = inputs(request).len() > 1;
        match is_text && n_asked.fetch_add(1, Ordering::SeqCst) == 2 {
            true => out.whole(500, "application/json", b"{\"error\": {\"message\": \"out of memory\"}}"),
            false => answer(request, out),
        }
    });
    let env = user(&server.url());
    (0..140).for_each(|n| drop(env.write(format!("more/{n}.rs"), format!("fn filler_{n}() {{ step_{n}(); }}\n"))));
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains(&format!("64 vectors made by `{NAME}`: 64 of 145.")), "{built}");
    assert!(built.stderr.contains("out of memory"), "{built}");
    let answer = found(&env, "remove expired entries");
    assert_eq!(first(&answer), "src/cache.rs");
    let note = format!("`{NAME}` knows 44 % of the pieces and is not asked yet: mimi index");
    assert_eq!(answer["notes"], json!([note]));
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains(&format!("81 vectors made by `{NAME}`: 145 of 145.")), "{built}");
    assert_eq!(first(&found(&env, "zebra stripes")), "src/cache.rs");
}

#[test]
fn a_model_replaced_under_its_name_has_all_made_anew_and_nothing_mixed() {
    let small = WireServer::serve(answer);
    let env = user(&small.url());
    env.run(["index"]).outcome().success();
    let large = WireServer::serve(|request, out| match request.path.ends_with("/embeddings") {
        true => vectors(request, out, |text| json!([meaning(text), meaning(text)].concat())),
        false => answer(request, out),
    });
    settings(&env, "openai", &large.url(), MODEL);
    let answer = found(&env, "remove expired entries");
    assert_eq!(first(&answer), "src/cache.rs", "{answer}");
    assert!(answer["notes"][0].as_str().unwrap().contains("has not embedded this project yet"), "{answer}");
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains(&format!("5 vectors made by `{NAME}`: 5 of 5.")), "{built}");
    let status = env.run(["index", "--status"]).outcome().success();
    assert!(status.stdout.contains("with 16 numbers") && !status.stdout.contains("with 8 numbers"), "{status}");
    assert_eq!(first(&found(&env, "zebra stripes")), "src/cache.rs");
}

#[test]
fn a_model_replaced_by_one_of_its_name_and_size_is_noticed_and_nothing_mixed() {
    static IS_OTHER: AtomicUsize = AtomicUsize::new(0);
    let server = WireServer::serve(|request, out| match request.path.ends_with("/embeddings") {
        true => vectors(request, out, |text| {
            let mut vector = meaning(text);
            // The same numbers in another order: as near to each other as before, and far from what was there.
            vector.rotate_left(3 * IS_OTHER.load(Ordering::SeqCst));
            json!(vector)
        }),
        false => answer(request, out),
    });
    let env = user(&server.url());
    env.run(["index"]).outcome().success();
    assert_eq!(first(&found(&env, "zebra stripes")), "src/cache.rs");
    IS_OTHER.store(1, Ordering::SeqCst);
    let answer = found(&env, "zebra crossing");
    assert!(answer["notes"][0].as_str().unwrap().contains("another model than the one that embedded"), "{answer}");
    assert_eq!(answer["meaning"][0]["is_asked"], json!(false), "{answer}");
    assert_eq!(first(&found(&env, "remove expired entries")), "src/cache.rs", "the rest of the search answers");
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains(&format!("5 vectors made by `{NAME}`: 5 of 5.")), "{built}");
    assert!(built.stderr.contains("is another model than before; all is embedded anew"), "{built}");
    let answer = found(&env, "zebra crossing");
    assert_eq!((first(&answer), &answer["meaning"][0]["is_asked"]), ("src/cache.rs", &json!(true)), "{answer}");
    let again = env.run(["index"]).outcome().success();
    assert!(!again.stderr.contains("another model"), "it is said once: {again}");
}

#[test]
fn two_models_lie_side_by_side_and_each_answers_for_itself() {
    let server = WireServer::serve(|request, out| match request.path.ends_with("/models") {
        true => {
            let models = json!({"data": [{"id": MODEL}, {"id": "other-embed"}]});
            out.whole(200, "application/json", models.to_string().as_bytes());
        }
        false => answer(request, out),
    });
    let env = user(&server.url());
    env.run(["index"]).outcome().success();
    settings(&env, "openai", &server.url(), "other-embed");
    env.run(["index"]).outcome().success();
    let status = env.run(["index", "--status"]).outcome().success();
    for name in ["static-256-1", NAME, "other-embed 1"] {
        assert!(status.stdout.contains(&format!("5 of `{name}`")), "{name}: {status}");
    }
    let asked = |answer: &Value| {
        let all = answer["meaning"].as_array().unwrap().clone();
        all.into_iter().filter(|own| own["is_asked"] == true).map(|own| own["embedder"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(asked(&found(&env, "zebra stripes")), ["other-embed 1"]);
    settings(&env, "openai", &server.url(), MODEL);
    assert_eq!(asked(&found(&env, "zebra stripes")), [NAME]);
}

#[test]
fn no_key_of_the_project_reaches_the_server() {
    let server = WireServer::serve(answer);
    let env = user(&server.url());
    let keys = [["ghp_", "a8Fk2LmQz9XcVbN4tRwEoP7uYiHsDgJ31Bq0"].concat(), ["AKIA", "QYZ2J7RLP4XW6TQA"].concat()];
    env.write("src/config.py", format!("region = 'eu'\nkey = '{}'\n", keys[1]));
    env.write("docs/notes.md", format!("# Notes\n\nUse {} here.\n", keys[0]));
    env.write("deploy/.env", "PLANTED_IN_ENV=1\n");
    env.run(["index"]).outcome().success();
    // Put into a file that was indexed without it: what is sent is what was indexed.
    found(&env, "anything at all");
    let all: Vec<u8> = server.everything().into_iter().flat_map(|request| request.body).collect();
    for planted in keys.iter().map(String::as_str).chain(["PLANTED_IN_ENV"]) {
        assert!(!crate::index::holds(&all, planted), "{planted}");
    }
    assert!(crate::index::holds(&all, "draw_line"), "the test looks in the right place");
}

#[test]
fn a_text_too_long_for_the_model_is_cut_and_holds_nobody_up() {
    let server = WireServer::serve(|request, out| {
        let is_too_long = inputs(request).iter().any(|text| text.len() > 500);
        match is_too_long && request.path.ends_with("/embeddings") {
            true => {
                let words = json!({"error": {"message": "the input length exceeds the context length"}});
                out.whole(400, "application/json", words.to_string().as_bytes());
            }
            false => answer(request, out),
        }
    });
    let env = user(&server.url());
    env.write("src/long.rs", format!("fn long() {{\n{}}}\n", "    one_step();\n".repeat(90)));
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains("6 of 6.") && !built.stderr.contains("note: "), "{built}");
}

#[test]
fn a_question_to_a_server_that_does_not_answer_is_given_up_soon() {
    let is_hanging = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let shared = is_hanging.clone();
    let server = WireServer::serve(move |request, out| match shared.load(Ordering::SeqCst) {
        true => out.hang(),
        false => answer(request, out),
    });
    let env = user(&server.url());
    env.run(["index"]).outcome().success();
    is_hanging.store(true, Ordering::SeqCst);
    let answer = found(&env, "remove expired entries");
    assert_eq!(first(&answer), "src/cache.rs");
    let note = answer["notes"][0].as_str().unwrap();
    assert!(note.contains("found without its model"), "{answer}");
    assert_eq!(answer["notes"].as_array().unwrap().len(), 1, "{answer}");
}

#[test]
fn ollama_embeds_with_the_prefixes_it_does_not_add_itself() {
    let setting = Setting { models: vec![EMBEDDER], ..Setting::default() };
    let server = OllamaServer::with(setting, "turns: []");
    let env = user("");
    settings(&env, "ollama", &server.url(), MODEL);
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains(&format!("5 vectors made by `{NAME}`: 5 of 5.")), "{built}");
    let texts = sent(&server.wire);
    assert_eq!(texts.iter().filter(|text| text.starts_with("search_document: ")).count(), 5, "{texts:?}");
    let answer = found(&env, "remove expired entries");
    assert_eq!((first(&answer), &answer["meaning"][0]["is_asked"]), ("src/cache.rs", &json!(true)), "{answer}");
}

#[test]
fn triton_embeds_in_the_batches_its_model_takes() {
    let config = include_bytes!("../../fixtures/wire/triton/small-embed.config.http");
    let model = include_bytes!("../../fixtures/wire/triton/small-embed.model.http");
    let recorded = |bytes: &'static [u8]| bytes.splitn(3, |byte| *byte == b'\n').nth(2).unwrap();
    let server = WireServer::serve(move |request, out| match request.path.as_str() {
        "/v2/models/small-embed/config" => out.raw(recorded(config)),
        "/v2/models/small-embed" => out.raw(recorded(model)),
        "/v2/models/small-embed/infer" => {
            let texts = inputs(request);
            let numbers: Vec<f32> = texts.iter().flat_map(|text| meaning(text)).collect();
            let output = json!({"name": "embedding", "datatype": "FP32", "shape": [texts.len(), 8], "data": numbers});
            let answer = json!({"model_name": "small-embed", "model_version": "1", "outputs": [output]});
            out.whole(200, "application/json", answer.to_string().as_bytes());
        }
        _ => out.whole(404, "application/json", br#"{"error":"Not Found"}"#),
    });
    let env = user("");
    settings(&env, "triton", &server.root_url(), "small-embed");
    let built = env.run(["index"]).outcome().success();
    assert!(built.stdout.contains("5 vectors made by `small-embed 1`: 5 of 5."), "{built}");
    assert!(server.received().iter().map(inputs).all(|texts| texts.len() <= 4));
    assert_eq!(first(&found(&env, "zebra stripes")), "src/cache.rs");
}

/// The model that talks answers only once the other one has seen the project: nothing else holds the run open.
#[test]
fn while_an_agent_works_what_is_new_is_embedded_beside_it() {
    let (n_embedded, bell) = (std::sync::Mutex::new(0_usize), std::sync::Condvar::new());
    let server = WireServer::serve(move |request, out| {
        if request.path.ends_with("/embeddings") {
            answer(request, out);
            let n_pieces = inputs(request).iter().filter(|text| text.starts_with("search_document: ")).count();
            *n_embedded.lock().unwrap() += n_pieces;
            bell.notify_all();
        } else if request.path.ends_with("/chat/completions") {
            let limit = std::time::Duration::from_secs(60);
            drop(bell.wait_timeout_while(n_embedded.lock().unwrap(), limit, |n| *n < 5).unwrap());
            out.begin_events();
            let delta = json!({"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices":
                [{"index": 0, "delta": {"role": "assistant", "content": "Done."}, "finish_reason": "stop"}]});
            out.chunk(format!("data: {delta}\n\ndata: [DONE]\n\n").as_bytes());
            out.end();
        } else if request.path.ends_with("/models") {
            let models = json!({"data": [{"id": MODEL}, {"id": "m", "max_model_len": 32768}]});
            out.whole(200, "application/json", models.to_string().as_bytes());
        } else {
            answer(request, out);
        }
    });
    let env = user(&server.url());
    env.run(["--set", "index.embedder=static", "index"]).outcome().success();
    assert!(sent(&server).is_empty(), "nobody asked for it");
    env.run(["run", "--model", "box/m", "say hello"]).outcome().success();
    let pieces = sent(&server).into_iter().filter(|text| text.starts_with("search_document: ")).count();
    assert_eq!(pieces, 5);
}
