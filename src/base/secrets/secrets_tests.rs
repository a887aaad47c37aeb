//! Is every kind of secret found, nothing else, and is it put back exactly?

use super::*;
use crate::base::secrets::example::expand;

fn formats() -> Vec<Format> {
    Table::parse(include_str!("../../../config/secrets.yaml"))
        .unwrap_or_else(|error| panic!("config/secrets.yaml: {error}"))
}

fn one(name: &str) -> String {
    let formats = formats();
    let format = formats.iter().find(|format| &*format.name == name).unwrap_or_else(|| panic!("{name}"));
    format.matching[0].clone()
}

#[test]
fn every_row_finds_its_examples_and_leaves_the_others() {
    let formats = formats();
    let names: std::collections::BTreeSet<&str> = formats.iter().map(|format| &*format.name).collect();
    assert_eq!(names.len(), formats.len(), "a name stands twice");
    assert!(formats.len() >= 60, "{}", formats.len());
    for format in &formats {
        for text in &format.matching {
            // Another row may find it too, which is as good.
            let redacted = redact(text);
            assert!(redacted.contains(OPEN), "{}: {text}", format.name);
            assert_eq!(redact(&redacted), redacted, "{}: redacting twice changes nothing", format.name);
        }
    }
}

#[test]
fn what_only_looks_like_a_secret_stays() {
    for text in [
        "let token = next_token(&mut input)?;",
        "api_key_env: DGX_API_KEY",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "id = \"0193a5c2-7f3e-7c1a-8a55-1f2e3d4c5b6a\"",
        "integrity sha512-AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhAAAAB3NzaC1yc2EAAAADAQAB==",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGPKXy me@host",
        "http://dgx:8000/v1 and http://user@dgx:8000/v1 and git@github.com:a/b.git",
        "https://user:password@localhost/ and https://$USER:$PASS@localhost/",
        "Authorization: Bearer $TOKEN",
        "sk_live_xxxxxxxxxxxxxxxxxxxxxxxx",
        "the path.to.something and the basic idea of a bearer",
        "grep -rn 'BEGIN RSA PRIVATE KEY' src/",
    ] {
        assert_eq!(find(text), [], "{text}");
    }
}

#[test]
fn the_rest_of_a_line_stays_readable() {
    let password = one("url-password");
    let line = format!("psql {password} -c 'select 1' && curl https://api.example.com/v1 -H '{}'", one("bearer-token"));
    let redacted = redact(&line);
    for kept in [
        "psql postgres://app:",
        "@db.internal:5432/x",
        "-c 'select 1'",
        "https://api.example.com/v1",
        "Authorization: Bearer ",
    ] {
        assert!(redacted.contains(kept), "{redacted}");
    }
    assert!(redacted.contains("[secret: url-password]") && redacted.contains("[secret: bearer-token]"), "{redacted}");
}

#[test]
fn placeholders_are_the_same_each_time_and_can_be_undone() {
    let (first, second) = (expand("ghp_<an:36>"), expand("<an:1>ghp_<an:36>")[1..].to_owned());
    let text = format!("a = {first}\nb = {second}\na again = {first}\n");
    let veiled = veil(&text).into_owned();
    assert_eq!(veiled, veil(&text));
    let names: Vec<&str> = veiled.lines().filter_map(|line| line.split_once(" = ").map(|(_, name)| name)).collect();
    assert!(names[0] == names[2] && names[0] != names[1], "{veiled}");
    assert_eq!(veil(&veiled), veiled, "a placeholder is no secret");
    let mut known = Veiled::default();
    known.learn(&text);
    assert_eq!(known.unveil(&veiled).unwrap(), text);
    assert_eq!(known.unveil("[secret: key] and [secret: x 12345g]").unwrap(), "[secret: key] and [secret: x 12345g]");
    assert_eq!(known.unveil("put [secret: github-token 000000] here"), Err("[secret: github-token 000000]".to_owned()));
    let mut value = serde_json::json!({"edits": [{"old": names[0], "new": format!("x{}", names[1])}]});
    known.unveil_value(&mut value).unwrap();
    assert_eq!(value, serde_json::json!({"edits": [{"old": first, "new": format!("x{second}")}]}));
}

#[test]
fn a_key_of_our_own_is_found_in_every_form_it_is_written_in() {
    let key = "team-\"k\\y\"/with+odd=signs";
    know(key);
    for text in [
        format!("sent {key}!"),
        serde_json::json!({ "key": key }).to_string(),
        format!("?k={}", "team-%22k%5Cy%22%2Fwith%2Bodd%3Dsigns"),
    ] {
        assert!(redact(&text).contains("[secret: own-key]"), "{text}");
        assert!(matches!(veil_own(&text), Cow::Owned(_)), "{text}");
    }
    for word in ["EMPTY", "none", "password", "aaaaaaaaaaaa", "ollama", "sk-no-key-required"] {
        know(word);
        assert_eq!(find(&format!("the word {word} stays")), [], "{word}");
    }
}

#[test]
fn json_is_redacted_by_what_it_says() {
    let key = expand("ghp_<an:36>");
    // In the text of the JSON the key follows the letter n.
    let json = serde_json::json!({"text": format!("first\n{key}"), "n": 1.0, "list": [{ "deep": key }]}).to_string();
    assert!(json.contains(&format!("\\n{key}")));
    let safe = redact_json(&json);
    assert!(!safe.contains(&key), "{safe}");
    assert!(safe.contains("\"n\":1.0"), "{safe}");
    let clean = "{ \"a\" :  \"b\", \"c\": 1e3 }";
    assert!(matches!(redact_json(clean), Cow::Borrowed(text) if text == clean));
}

#[test]
fn a_row_that_does_not_do_what_it_says_is_refused_with_its_line() {
    let row = |text: &str| Table::parse(&format!("\n{text}\n")).map(|rows| rows.len());
    let good = "- {name: team-key, keywords: [TEAM-], regex: 'TEAM-[A-Z0-9]{20}', match: ['TEAM-<up:20>'], not_match: [TEAM-x]}";
    assert_eq!(row(good), Ok(1));
    for (from, to, why) in [
        ("TEAM-<up:20>", "TEAM-<lo:20>", "does not match its own example"),
        ("TEAM-x", "TEAM-<up:20>", "stands under `not_match`"),
        ("{20}'", "{20'", "cannot be used"),
        ("keywords: [TEAM-]", "keywords: [X]", "three characters"),
        ("team-key", "Team Key", "small letters"),
        ("match: ['TEAM-<up:20>']", "match: []", "needs an example"),
        ("regex:", "rexeg:", "rexeg"),
    ] {
        let error = row(&good.replacen(from, to, 1)).unwrap_err();
        assert!(error.line == 2 && error.why.contains(why), "{to}: {error}");
    }
    let rows = Table::parse(good).unwrap();
    add(rows);
    assert!(redact(&expand("TEAM-<up:20>")).contains("[secret: team-key]"));
}
