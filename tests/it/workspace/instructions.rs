//! Which instruction files apply, and what is a project like at first sight?

use mimi::workspace::instructions::{collect, project_facts};

use super::project;

#[test]
fn files_come_from_the_root_down_and_agents_md_beats_claude_md() {
    let (_folder, workspace) = project(&[
        ("AGENTS.md", "root\n"),
        ("CLAUDE.md", "not this\n"),
        ("a/CLAUDE.md", "middle\n"),
        ("a/b/AGENTS.md", "near\n"),
        ("other/AGENTS.md", "elsewhere\n"),
    ]);
    let found = |cwd: &str| {
        let found = collect(&workspace, &workspace.root().join(cwd));
        assert_eq!(found.warnings, Vec::<String>::new());
        found.files.into_iter().map(|file| (file.path, file.text)).collect::<Vec<_>>()
    };
    let row = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let all = [row("AGENTS.md", "root\n"), row("a/CLAUDE.md", "middle\n"), row("a/b/AGENTS.md", "near\n")];
    assert_eq!(found("a/b"), all);
    assert_eq!(found("a/b/missing"), all);
    assert_eq!(found(""), all[..1]);
    assert_eq!(found("/elsewhere"), all[..1]);
}

#[test]
fn long_files_are_cut_and_the_nearest_last() {
    let long = "x".repeat(40_000);
    let (_folder, workspace) = project(&[
        ("AGENTS.md", &long),
        ("a/AGENTS.md", &long),
        ("a/b/AGENTS.md", &long),
        ("a/b/c/AGENTS.md", "near\n"),
    ]);
    let found = collect(&workspace, &workspace.root().join("a/b/c"));
    let texts: Vec<&str> = found.files.iter().map(|file| file.text.as_str()).collect();
    assert_eq!(texts[3], "near\n");
    assert!(texts[2].ends_with("\n[... cut here, 8.0 kB left out ...]\n"), "{}", &texts[2][31_990..]);
    assert!(texts.iter().map(|text| text.len()).sum::<usize>() < 64_300);
    assert!(texts[0].len() < 200, "the outermost is the first to be cut");
}

#[test]
fn what_is_no_instruction_file_is_passed_over_with_a_word() {
    let (folder, workspace) = project(&[("a/x", ""), ("binary/AGENTS.md", "a\0b"), ("empty/AGENTS.md", " \n")]);
    let outside = tempfile::NamedTempFile::new().unwrap();
    std::fs::create_dir(folder.path().join("AGENTS.md")).unwrap();
    std::os::unix::fs::symlink(outside.path(), folder.path().join("a/AGENTS.md")).unwrap();
    let table = [
        ("a", vec!["`a/AGENTS.md` was passed over: it is a link that leaves the project."]),
        ("binary", vec!["`binary/AGENTS.md` was passed over: it is not text."]),
        ("empty", vec![]),
    ];
    for (cwd, mut warnings) in table {
        warnings.push("`AGENTS.md` was passed over: it is not a file.");
        let found = collect(&workspace, &workspace.root().join(cwd));
        assert_eq!((found.files, found.warnings), (vec![], warnings.into_iter().map(str::to_owned).collect()));
    }
}

#[test]
fn facts_are_short_and_the_same_for_everybody() {
    let files = [
        ("Cargo.toml", ""),
        ("package.json", ""),
        ("tsconfig.json", ""),
        ("src/main.rs", ""),
        (".env", ""),
        ("README.md", ""),
    ];
    let (_one, here) = project(&files);
    let (_two, there) = project(&files);
    let facts = project_facts(&here);
    assert_eq!(
        facts,
        "languages: Rust (Cargo.toml), JavaScript (package.json), TypeScript (tsconfig.json)\n\
         top level: Cargo.toml, README.md, package.json, src/, tsconfig.json\n"
    );
    assert_eq!(facts, project_facts(&there));
    assert_eq!(project_facts(&project(&[]).1), "top level: (empty folder)\n");
}
