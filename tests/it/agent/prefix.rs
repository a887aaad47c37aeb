//! Do requests only ever grow, and do two users share all but what differs between them?

use mimi::context::prompt;
use mimi::protocol::event::TurnEnd;
use mimi::protocol::op::Mode;
use serde_json::Value;

use super::Stage;

const WORK: &str = "
turns:
  - say: I look.
    calls:
      - {name: read_file, arguments: {path: a.txt}}
      - {name: search, arguments: {pattern: one}}
    usage: {input: 2500, output: 40}
  - calls: [{name: edit_file, arguments: {path: a.txt, old_string: one, new_string: two}}]
  - say: Done.
  - say: Thanks.
";

#[tokio::test]
async fn each_request_starts_with_all_of_the_one_before() {
    let stage = Stage::new(WORK).file("a.txt", "one\n");
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    assert_eq!(talk.say("change it").await, TurnEnd::Answered);
    assert_eq!(talk.say("good").await, TurnEnd::Answered);
    let bodies = stage.bodies();
    assert_eq!(bodies.len(), 4);
    for pair in bodies.windows(2) {
        let open = pair[0].strip_suffix(b"]}").unwrap();
        assert!(pair[1].starts_with(open), "{}", String::from_utf8_lossy(&pair[1]));
    }
    assert_eq!(stage.read("a.txt"), "two\n");
}

#[tokio::test]
async fn two_users_share_everything_but_their_names() {
    let mut bodies = Vec::new();
    for (home, work) in [("ada", "shop"), ("bartholomew/longer", "services/shop")] {
        let stage = Stage::named("turns: [{say: hello}]", home, work).file("src/main.rs", "fn main() {}\n");
        stage.write("AGENTS.md", "Use tabs.\n");
        stage.alone(Mode::Ask, &[]).await.say("fix the failing test").await;
        bodies.push(stage.bodies().remove(0));
    }
    assert_eq!(bodies[0], bodies[1], "the same task in the same project is the same prompt");
    println!("shared by two users, same task and project: 100 % of {} bytes", bodies[0].len());

    let stage = Stage::named("turns: [{say: hello}]", "carol", "billing").file("main.py", "print()\n");
    stage.alone(Mode::Auto, &[]).await.say("fix the failing test").await;
    let other = stage.bodies().remove(0);
    let part = |body: &[u8], key: &str| serde_json::from_slice::<Value>(body).unwrap()[key].clone();
    assert_eq!(part(&bodies[0], "tools").to_string(), part(&other, "tools").to_string());
    assert_eq!(part(&bodies[0], "messages")[0].to_string(), part(&other, "messages")[0].to_string());
    let n_shared = bodies[0].iter().zip(&other).take_while(|(one, two)| one == two).count();
    let share = 100.0 * n_shared as f64 / other.len() as f64;
    println!("shared by two users, other project: {share:.2} % ({n_shared} of {} bytes)", other.len());
    assert!(share >= 98.0, "{share}");
}

#[tokio::test]
async fn instructions_and_core_tools_stay_below_eight_kilobytes() {
    for (model, limit) in [("qwen2.5-coder:1.5b", 8000), ("script", 9000)] {
        let stage = Stage::new(&format!("model: {model}\nturns: [{{say: hello}}]"));
        stage.alone(Mode::Ask, &[]).await.say("hi").await;
        let body: Value = serde_json::from_slice(&stage.bodies()[0]).unwrap();
        let (tools, system) = (body["tools"].to_string(), body["messages"][0]["content"].to_string());
        let n_tools = body["tools"].as_array().unwrap().len();
        println!("{model}: system {} bytes, {n_tools} tools {} bytes", system.len(), tools.len());
        assert_eq!(body["messages"][0]["content"], prompt::SYSTEM.text.trim_end());
        assert!(tools.len() + system.len() <= limit, "{} + {}", tools.len(), system.len());
    }
}

#[tokio::test]
async fn what_was_sent_is_what_a_resumed_session_sends_again() {
    let stage = Stage::new(WORK).file("a.txt", "one\n");
    let mut talk = stage.alone(Mode::Auto, &[]).await;
    talk.say("change it").await;
    let id = talk.leave().await;
    assert_eq!(stage.resume(&id).await.say("good").await, TurnEnd::Answered);
    let bodies = stage.bodies();
    assert!(bodies[3].starts_with(bodies[2].strip_suffix(b"]}").unwrap()));
}
