//! Is everything that real servers sent us read as what it says, however the network cuts it?
//!
//! The table beside the recordings says what each means; it was written by another reader of the same bytes than ours.

use std::collections::BTreeMap;

use mimi::base::fault::Fault;
use mimi::base::yaml;
use mimi::model::Answer;
use mimi::model::error::ModelError;
use mimi::model::probe;
use mimi::model::providers::http::Endpoint;
use mimi::model::sse::Decoder;
use mimi::protocol::message::Usage;
use mimi::protocol::server::ServerKind;
use serde::Deserialize;

use super::streams::{judge, read};
use super::{LIMITS, ask, gateway_at, http_to, outcome, quick, request, row, unchecked_route};
use crate::support::wire::WireServer;

/// Ways of cutting a stream into many pieces at random places.
const RANDOM_CUTS: u32 = 12;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    streams: BTreeMap<String, Said>,
    whole: BTreeMap<String, Said>,
    refusals: BTreeMap<String, Refusal>,
    servers: Vec<Server>,
}

/// What an answer says.
#[derive(Deserialize, Debug, Default, PartialEq)]
#[serde(deny_unknown_fields, default)]
struct Said {
    text: String,
    reasoning: String,
    calls: Vec<Called>,
    is_cut: bool,
    cut_call: Option<String>,
    quoted_call: Option<String>,
    tokens: Option<(u64, u64, u64)>,
    fails: Option<String>,
    says: String,
}

#[derive(Deserialize, Debug, PartialEq)]
#[serde(deny_unknown_fields)]
struct Called {
    name: String,
    arguments: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Refusal {
    status: u16,
    #[serde(default)]
    is_empty: bool,
    becomes: String,
    says: String,
    window: Option<u64>,
}

/// What a server answered by path, and what it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    answers: BTreeMap<String, String>,
    kind: ServerKind,
    version: Option<String>,
    front_end: Option<String>,
    slots: Option<u64>,
    model: String,
    window: u64,
    fills_in: Option<bool>,
}

fn root() -> String {
    format!("{}/tests/fixtures/wire/recorded", env!("CARGO_MANIFEST_DIR"))
}

fn table() -> Table {
    yaml::from_str(&std::fs::read_to_string(format!("{}/expected.yaml", root())).unwrap()).unwrap()
}

fn load(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/{name}", root())).unwrap()
}

fn kind(error: &ModelError) -> &'static str {
    match error {
        ModelError::Busy { .. } => "busy",
        ModelError::Auth { .. } => "auth",
        ModelError::NoModel { .. } => "no model",
        ModelError::TooLong { .. } => "too long",
        ModelError::Refused { .. } => "refused",
        ModelError::Broken { .. } => "broken",
        ModelError::Garbled { .. } => "garbled",
        _ => "other",
    }
}

/// Puts what mimi made of a recording into the words of the table.
fn said(outcome: Result<Answer, ModelError>, expected: &Said) -> Said {
    let answer = match outcome {
        Ok(answer) => answer,
        Err(error) => {
            let (kind, words) = (kind(&error).to_owned(), Fault::from(error).to_string());
            let says = if words.contains(&expected.says) { expected.says.clone() } else { words };
            return Said { fails: Some(kind), says, ..Said::default() };
        }
    };
    let ids: std::collections::BTreeSet<_> = answer.tool_calls.iter().map(|call| &call.id.0).collect();
    assert!(ids.len() == answer.tool_calls.len() && ids.iter().all(|id| !id.is_empty()), "{:?}", answer.tool_calls);
    let calls = answer.tool_calls.into_iter().map(|call| Called { name: call.name, arguments: call.arguments });
    let Usage { input_tokens, output_tokens, cached_tokens, .. } = answer.usage;
    let tokens = (input_tokens, output_tokens, cached_tokens);
    Said {
        text: answer.text,
        reasoning: answer.reasoning,
        calls: calls.collect(),
        is_cut: answer.is_cut,
        cut_call: answer.cut_call,
        quoted_call: answer.quoted_call,
        tokens: expected.tokens.map(|_| tokens),
        ..Said::default()
    }
}

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    /// Cuts `bytes` into pieces of up to `most` bytes.
    fn cut<'b>(&mut self, mut bytes: &'b [u8], most: usize) -> Vec<&'b [u8]> {
        let mut pieces = Vec::new();
        while !bytes.is_empty() {
            let (piece, rest) = bytes.split_at((1 + self.roll(most)).min(bytes.len()));
            pieces.push(piece);
            bytes = rest;
        }
        pieces
    }
}

/// Sends the pieces one by one and returns what mimi reads.
async fn over_http(pieces: Vec<Vec<u8>>) -> Result<Answer, ModelError> {
    let server = WireServer::serve(move |_, out| {
        out.begin_events();
        pieces.iter().for_each(|piece| out.chunk(piece));
        out.end();
    });
    let gateway = gateway_at(&server.url(), LIMITS).with_retry(quick(0));
    outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await)
}

#[tokio::test]
async fn each_stream_says_over_http_what_the_table_says() {
    let mut dice = Dice(7);
    for (name, expected) in table().streams {
        let bytes = load(&format!("{name}.sse"));
        let owned = |pieces: Vec<&[u8]>| pieces.into_iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        let cuts = [vec![bytes.clone()], owned(dice.cut(&bytes, 40)), owned(dice.cut(&bytes, 1500))];
        for pieces in cuts {
            let n_pieces = pieces.len();
            assert_eq!(said(over_http(pieces).await, &expected), expected, "{name} in {n_pieces} pieces");
        }
    }
}

/// A piece of a stream may be cut only inside one event, and between events a decoder remembers nothing (checked here too), so
/// each event is cut at every byte for itself.
#[test]
fn each_event_of_each_stream_is_the_same_at_every_cut() {
    for name in table().streams.into_keys() {
        let bytes = load(&format!("{name}.sse"));
        let mut at = 0;
        while at < bytes.len() {
            let blank_line = bytes[at..].windows(2).position(|two| two == b"\n\n");
            let event = &bytes[at..blank_line.map_or(bytes.len(), |end| at + end + 2)];
            let (whole, rest) = frames(&[event]);
            assert_eq!(rest, frames(&[b"data: x\n\n"]).1, "{name} at {at}: something is left of an event");
            for cut in 1..event.len() {
                assert_eq!(frames(&[&event[..cut], &event[cut..]]).0, whole, "{name} cut at {}", at + cut);
            }
            at += event.len();
        }
    }
}

/// Returns the events of these pieces, and what the decoder remembers after them.
fn frames(pieces: &[&[u8]]) -> (Vec<String>, String) {
    let (mut decoder, mut events) = (Decoder::default(), Vec::new());
    for piece in pieces {
        decoder.feed(piece, |event| events.push(format!("{}:{}", event.name, event.data))).unwrap();
    }
    (events, format!("{decoder:?}"))
}

#[test]
fn each_stream_reads_the_same_in_any_pieces() {
    let mut dice = Dice(11);
    for name in table().streams.into_keys() {
        let bytes = load(&format!("{name}.sse"));
        let whole = judge(&read(&[&bytes]));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(judge(&read(&single)), whole, "{name} byte by byte");
        for n in 0..RANDOM_CUTS {
            let most = 1 + dice.roll(bytes.len() / 2);
            assert_eq!(judge(&read(&dice.cut(&bytes, most))), whole, "{name}, cut {n}, up to {most} bytes");
        }
    }
}

#[tokio::test]
async fn each_answer_in_one_piece_says_what_the_table_says() {
    for (name, expected) in table().whole {
        let server = WireServer::answering(200, "application/json", load(&format!("{name}.json")));
        let gateway = gateway_at(&server.url(), LIMITS).with_retry(quick(0));
        let answer = outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await);
        assert_eq!(said(answer, &expected), expected, "{name}");
    }
}

#[tokio::test]
async fn each_refusal_becomes_what_to_do_about_it_and_keeps_its_words() {
    for (name, expected) in table().refusals {
        let body = if expected.is_empty { Vec::new() } else { load(&format!("{name}.json")) };
        let status = expected.status;
        let server = WireServer::serve(move |request, out| match request.path.as_str() {
            "/v1/models" => out.whole(200, "application/json", br#"{"data":[{"id":"m"}]}"#),
            _ if body.is_empty() => out.with_headers(status, &[], &body),
            _ => out.whole(status, "application/json", &body),
        });
        let gateway = gateway_at(&server.url(), LIMITS).with_retry(quick(1));
        let error = outcome(&ask(&gateway, &unchecked_route(&server.url()), request("hi")).await).unwrap_err();
        assert_eq!(kind(&error), expected.becomes, "{name}: {error:?}");
        let sent = server.raw_requests().len();
        assert_eq!(sent, if expected.becomes == "busy" { 2 } else { 1 }, "{name}");
        if let ModelError::TooLong { window_tokens, .. } = &error {
            assert_eq!(*window_tokens, expected.window, "{name}");
        }
        let fault = Fault::from(error);
        assert!(fault.to_string().contains(&expected.says), "{name}: {fault}");
        assert!(!fault.hints.is_empty() && fault.kind.exit_code() == 4, "{name}: {fault}");
    }
}

#[tokio::test]
async fn each_server_is_known_by_what_it_answered() {
    let Table { servers, refusals, .. } = table();
    for expected in servers {
        let answers: BTreeMap<String, (u16, Vec<u8>)> = expected
            .answers
            .iter()
            .map(|(path, name)| {
                let status = refusals.get(name).map_or(200, |refusal| refusal.status);
                (path.clone(), (status, load(&format!("{name}.json"))))
            })
            .collect();
        let server = WireServer::serve(move |request, out| match answers.get(&request.path) {
            Some((status, body)) => out.whole(*status, "application/json", body),
            None => out.with_headers(404, &[], b""),
        });
        let endpoint = Endpoint::new("server", &row(&server.url()), None).unwrap();
        let found = probe::probe(&http_to(&server.url()), &endpoint).await.unwrap();
        let facts = found.facts;
        assert!(found.is_sure, "{facts:?}");
        assert_eq!(
            (facts.kind, &facts.version, &facts.front_end),
            (expected.kind, &expected.version, &expected.front_end)
        );
        assert_eq!((facts.slots, facts.models.len()), (expected.slots, 1), "{facts:?}");
        let model = &facts.models[0];
        assert_eq!((&model.id, model.window_tokens), (&expected.model, Some(expected.window)), "{facts:?}");
        assert_eq!(model.fills_in, expected.fills_in, "{facts:?}");
        let listed = gateway_at(&server.url(), LIMITS).models("server").await.unwrap();
        assert_eq!((&listed[0].id, listed[0].window_tokens), (&expected.model, Some(expected.window)));
    }
}

#[test]
fn every_recording_is_in_the_table() {
    let table = table();
    let known = |name: &str| match name.rsplit_once('.').unwrap() {
        (name, "sse") => table.streams.contains_key(name),
        (name, _) => {
            let is_probe = table.servers.iter().any(|server| server.answers.values().any(|known| known == name));
            table.whole.contains_key(name) || table.refusals.contains_key(name) || is_probe
        }
    };
    for server in ["vllm", "llamacpp"] {
        for file in std::fs::read_dir(format!("{}/{server}", root())).unwrap().map(Result::unwrap) {
            let name = format!("{server}/{}", file.file_name().display());
            assert!(known(&name), "{name} is tested nowhere");
        }
    }
}
