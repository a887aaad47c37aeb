//! Can an outside suite judge commands line by line?

use serde_json::{Value, json};

use crate::support::Env;

#[test]
fn each_line_gets_its_verdict_and_a_bad_one_an_error() {
    let long = json!({"deny": ["make", "..."], "match": ["make x"], "not_match": ["ls"]});
    let table = [
        (json!({"command": "ls"}), "allow"),
        (json!({"command": "make", "cwd": null, "rules": null}), "ask"),
        (json!({"command": "rm -rf /", "cwd": "/nowhere", "rules": []}), "deny"),
        (json!({"command": "git log -1", "rules": ["allow git log *"]}), "allow"),
        (json!({"command": "git logout", "rules": ["allow git log"]}), "ask"),
        (json!({"command": "make x; rm y", "rules": "shell:make *"}), "ask"),
        (json!({"command": "make x", "rules": {"allow": ["make *"]}}), "allow"),
        (json!({"command": "make x", "rules": {"allow": "make *", "deny": ["shell:make x"]}}), "deny"),
        (json!({"command": "make x", "rules": [{"decision": "allow", "pattern": ["make", "*"]}]}), "allow"),
        (json!({"command": "make x", "rules": [{"verdict": "ask", "prefix": "make *"}, "allow: make *"]}), "ask"),
        (json!({"command": "make x", "rules": [long]}), "deny"),
        (json!({"command": "echo x > a", "mode": "auto"}), "allow"),
        (json!({"command": "make", "mode": "auto"}), "ask"),
        (json!({"command": "make", "mode": "auto", "sandbox": "full"}), "allow"),
        (json!({"command": "make", "mode": "ask", "sandbox": "full"}), "ask"),
        (json!({"command": "make", "mode": "plan", "rules": ["make"]}), "deny"),
        (json!({"command": "cat a", "cwd": "/w/sub", "root": "/w"}), "allow"),
        (json!({"command": "cat ../../a", "cwd": "/w/sub", "root": "/w"}), "ask"),
    ];
    let input: String = table.iter().map(|(line, _)| format!("{line}\n")).collect();
    let bad = "no json\n{\"cwd\": \"/\"}\n{\"command\": \"ls\", \"rules\": 3}\n{\"command\": \"ls\", \"rules\": [\"fly:me:x *\", \"deny shell:\"]}\n";
    let outcome = Env::new().run(["debug", "policy"]).stdin(format!("{input}{bad}")).outcome().success();
    let answers = outcome.json_lines();
    assert_eq!(answers.len(), table.len() + 4, "{outcome}");
    for ((line, verdict), answer) in table.iter().zip(&answers) {
        assert_eq!(answer["verdict"], *verdict, "{line}: {answer}");
        assert!(answer["why"].as_str().is_some_and(|why| !why.is_empty()), "{answer}");
    }
    let errors: Vec<&Value> = answers[table.len()..].iter().map(|answer| &answer["error"]).collect();
    assert!(errors.iter().all(|error| error.is_string()), "{errors:?}");
}
