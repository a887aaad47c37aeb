//! Which commands are patches, and which only hold one?

use super::*;

const PATCH: &str = "*** Begin Patch\n*** Add File: a\n+it's \"b\" $x \\n\n*** End Patch\n";

fn patch(folder: Option<&str>) -> Option<Command> {
    Some(Command::Patch { folder: folder.map(str::to_owned), text: PATCH.to_owned() })
}

#[test]
fn a_command_that_only_applies_a_patch_is_one() {
    let single = PATCH.replace('\'', "'\\''");
    let double = PATCH.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
    let document = format!("apply_patch <<'EOF'\n{PATCH}EOF");
    let nested = document.replace('\'', "'\\''");
    let table: Vec<(String, Option<&str>)> = vec![
        (document.clone(), None),
        (format!("{document}\n\n"), None),
        (format!("applypatch << \"PATCH\"\n{PATCH}PATCH\n"), None),
        (format!("apply_patch <<EOF\n{PATCH}EOF"), None),
        (format!("apply_patch <<\\EOF\n{PATCH}EOF"), None),
        (format!("apply_patch <<-'EOF'\n{PATCH}\tEOF"), None),
        (format!("cd src && {document}"), Some("src")),
        (format!("cd 'my src' && {document}"), Some("my src")),
        (format!("cd \"my src\"   &&   {document}"), Some("my src")),
        (format!("apply_patch '{single}'"), None),
        (format!("apply_patch \"{double}\""), None),
        (format!("cat <<'EOF' | apply_patch\n{PATCH}EOF"), None),
        (format!("bash -lc '{nested}'"), None),
        (format!("/bin/bash -c '{nested}'"), None),
        (format!("sh -c 'cd x && {nested}'"), Some("x")),
        (serde_json::json!(["bash", "-lc", document]).to_string(), None),
        (format!("apply_patch <<'EOF'\n{PATCH}"), None),
    ];
    for (command, folder) in table {
        assert_eq!(patch_in(&command), patch(folder), "{command}");
    }
    let list = serde_json::json!(["apply_patch", PATCH]).to_string();
    assert!(matches!(patch_in(&list), Some(Command::Patch { folder: None, text }) if text.trim() == PATCH.trim()));
}

#[test]
fn a_command_that_does_more_is_mixed_and_others_are_none() {
    let document = format!("apply_patch <<'EOF'\n{PATCH}EOF");
    for command in [
        format!("{document}\ncargo test"),
        format!("cargo fmt && {document}"),
        format!("cd a; {document}"),
        format!("cd a || {document}"),
        format!("cd a b && {document}"),
        format!("cd a && cd b && {document}"),
        format!("apply_patch --check <<'EOF'\n{PATCH}EOF"),
        format!("apply_patch <<'EOF' && echo done\n{PATCH}EOF"),
    ] {
        assert_eq!(patch_in(&command), Some(Command::Mixed), "{command}");
    }
    for command in [
        "ls".to_owned(),
        "grep -rn apply_patch src".to_owned(),
        "apply_patch --help".to_owned(),
        format!("cat > p.patch <<'EOF'\n{PATCH}EOF"),
        format!("echo '{}'", PATCH.replace('\'', "")),
        "git apply <<'EOF'\n--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\nEOF".to_owned(),
    ] {
        assert_eq!(patch_in(&command), None, "{command}");
    }
}
