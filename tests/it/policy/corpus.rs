//! Which verdict does each command of a list get?
//!
//! Lines of `command<TAB>verdict<TAB>why<TAB>setup`, the command as the inside of a JSON string. What is to be asked about or
//! refused must never be allowed; of what only looks nearly all must be.

use std::path::Path;

use mimi::cli::commands::debug_policy::judge;

/// What a list came to.
#[derive(Debug, Default)]
struct Count {
    allow: (usize, usize),
    ask: (usize, usize),
    deny: (usize, usize),
    wrongly_allowed: Vec<String>,
    missed: Vec<String>,
}

/// The rule in `[rule: allow git log *]`.
fn rule(why: &str) -> Option<&str> {
    why.split_once("[rule: ")?.1.split_once(']').map(|(rule, _)| rule)
}

fn count(file: &Path, cwd: &Path) -> Count {
    let text = std::fs::read_to_string(file).unwrap();
    let mut count = Count::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut cells = line.split('\t');
        let (command, wanted, why) = (cells.next().unwrap(), cells.next().unwrap(), cells.next().unwrap_or_default());
        let command: String = serde_json::from_str(&format!("\"{command}\"")).unwrap();
        let rules: Vec<&str> = rule(why).into_iter().collect();
        let case = serde_json::json!({"command": command, "cwd": cwd, "rules": rules});
        let given = judge(&case.to_string()).unwrap();
        let (verdict, reason) = (given["verdict"].as_str().unwrap(), given["why"].as_str().unwrap());
        let wanted = wanted.trim_end_matches("-safe");
        let of = match wanted {
            "allow" => &mut count.allow,
            "ask" => &mut count.ask,
            "deny" => &mut count.deny,
            other => panic!("{other}: {line}"),
        };
        of.1 += 1;
        of.0 += usize::from(verdict == wanted);
        let shown = format!("{wanted}, given {verdict}: {command:?}: {reason}");
        if verdict == "allow" && wanted != "allow" {
            count.wrongly_allowed.push(shown);
        } else if verdict != wanted {
            count.missed.push(shown);
        }
    }
    count
}

fn assert_holds(file: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let count = count(file, folder.path());
    let Count { allow, ask, deny, wrongly_allowed, missed } = &count;
    println!("{}: allow {}/{}, ask {}/{}, deny {}/{}", file.display(), allow.0, allow.1, ask.0, ask.1, deny.0, deny.1);
    missed.iter().for_each(|line| println!("  {line}"));
    assert!(wrongly_allowed.is_empty(), "allowed, and must not be:\n{}", wrongly_allowed.join("\n"));
    assert!(allow.0 * 100 >= allow.1 * 95, "{} of {} commands that only look are allowed", allow.0, allow.1);
    assert!(deny.0 * 100 >= deny.1 * 95, "{} of {} commands to be refused are", deny.0, deny.1);
}

#[test]
fn the_shared_list_gets_its_verdicts_where_it_is_at_hand() {
    let shared = Path::new("/work/shared/corpus/commands.tsv");
    if shared.is_file() {
        assert_holds(shared);
    }
}

#[test]
fn the_list_gets_its_verdicts() {
    assert_holds(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/policy/commands.tsv"));
}
