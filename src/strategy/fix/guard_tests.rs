use super::*;

fn changed(name: &str, before: &str, after: &str) -> Changed {
    let some = |text: &str| (text != "-").then(|| text.to_owned());
    Changed { name: name.to_owned(), was_there: before != "-", before: some(before), after: some(after) }
}

fn words(rules: &Rules, files: &[Changed]) -> Vec<String> {
    judge(rules, files).into_iter().map(|breach| format!("{}: {}", breach.file, breach.words)).collect()
}

const RUST: &str = "fn f() {}\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn a() {\n        assert_eq!(f(1), 2);\n    }\n    #[test]\n    fn b() {\n        assert!(\n            g(),\n        );\n    }\n}\n";
const PYTHON: &str = "import m\n\n\ndef test_a():\n    assert m.f(1) == 2\n\n\ndef test_b():\n    for a, b in [\n        (1, 2),\n        (3, 4),\n    ]:\n        assert m.f(a) == b\n";
const GO: &str = "func TestA(t *testing.T) {\n\tif f(1) != 2 {\n\t\tt.Fatal(\"no\")\n\t}\n}\n";
const JS: &str = "test('a', () => {\n  expect(f(1)).toBe(2)\n})\n";

#[test]
fn tests_must_not_be_deleted_skipped_or_weakened_in_any_language() {
    let swapped = |text: &str, from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    // File, before, after, a part of what is said; empty for nothing.
    let table: Vec<(&str, &str, String, &str)> = vec![
        ("src/a.rs", RUST, swapped(RUST, "fn f() {}", "fn f() { g() }"), ""),
        ("src/a.rs", RUST, swapped(RUST, "#[test]\n    fn b", "fn b"), "1 tests of 2 are gone"),
        ("src/a.rs", RUST, swapped(RUST, "#[test]\n    fn b", "// #[test]\n    fn b"), "1 tests of 2 are gone"),
        ("src/a.rs", RUST, swapped(RUST, "#[test]\n    fn b", "#[test]\n    #[ignore]\n    fn b"), "skipped"),
        ("src/a.rs", RUST, swapped(RUST, "f(1), 2", "f(1), 3"), "`assert_eq!(f(1), 2)`"),
        ("src/a.rs", RUST, swapped(RUST, "            g(),\n", "            true,\n"), "`assert!( g(), )`"),
        (
            "src/a.rs",
            RUST,
            swapped(RUST, "        assert_eq!(f(1), 2);\n", "        return;\n        assert_eq!(f(1), 2);\n"),
            "ends early",
        ),
        ("src/a.rs", RUST, swapped(RUST, "fn f", "#[allow(dead_code)]\nfn f"), "silenced"),
        ("src/a.rs", RUST, swapped(RUST, "mod tests {", "mod tests {\n    #[test]\n    fn c() { assert!(h()); }"), ""),
        (
            "src/a.rs",
            RUST,
            swapped(RUST, "assert_eq!(f(1), 2);", "assert_eq!( f(1),\n   2 );"),
            "`assert_eq!(f(1), 2)`",
        ),
        ("src/a.rs", RUST, "-".to_owned(), "2 tests of 2 are gone"),
        ("tests/t.rs", "#[test]\nfn a() { assert!(x()); }\n", "#[test]\nfn a() {}\n".to_owned(), "assertion"),
        ("src/b.rs", "fn f() { assert!(x > 0); }\n", "fn f() {}\n".to_owned(), ""),
        ("test_m.py", PYTHON, swapped(PYTHON, "== 2", "== 3"), "`assert m.f(1) == 2`"),
        ("test_m.py", PYTHON, swapped(PYTHON, "def test_b", "def skip_b"), "1 tests of 2"),
        (
            "test_m.py",
            PYTHON,
            swapped(PYTHON, "        (3, 4),\n", "        (3, 5),\n"),
            "expects was changed: `(3, 4)`",
        ),
        ("test_m.py", PYTHON, swapped(PYTHON, "def test_a", "@pytest.mark.xfail\ndef test_a"), "skipped"),
        ("test_m.py", PYTHON, swapped(PYTHON, "    assert m.f(1)", "    # assert m.f(1)"), "`assert m.f(1) == 2`"),
        ("m.py", "x = 1\n", "x = 1  # type: ignore\n".to_owned(), "silenced"),
        ("m.py", "def f():\n    assert x\n", "def f():\n    pass\n".to_owned(), ""),
        ("a_test.go", GO, swapped(GO, "f(1) != 2", "f(1) == 0"), "`if f(1) != 2 {"),
        ("a_test.go", GO, swapped(GO, "\tif", "\tt.Skip()\n\tif"), "skipped"),
        ("a.test.js", JS, swapped(JS, "test(", "test.skip("), "skipped"),
        ("a.test.js", JS, swapped(JS, "toBe(2)", "toBeDefined()"), "assertion"),
        ("a.js", "f()\n", "// eslint-disable-next-line\nf()\n".to_owned(), "silenced"),
        (
            "CalcTest.java",
            "@Test void a() { assertEquals(1, f()); }\n",
            "@Disabled @Test void a() { assertEquals(1, f()); }\n".to_owned(),
            "skipped",
        ),
        (
            "spec/a_spec.rb",
            "it 'a' do\n  expect(f).to eq 1\nend\n",
            "xit 'a' do\n  expect(f).to eq 1\nend\n".to_owned(),
            "skipped",
        ),
        (
            "tests/ATest.php",
            "function testA() { $this->assertSame(1, f()); }\n",
            "function testA() { $this->assertTrue(true); }\n".to_owned(),
            "assertion",
        ),
        ("test_a.c", "void test_a(void) { assert(f() == 1); }\n", "void test_a(void) { }\n".to_owned(), "assertion"),
        (
            "ATests.cs",
            "[Fact] public void A() { Assert.Equal(1, F()); }\n",
            "[Fact(Skip = \"x\")] public void A() { Assert.Equal(1, F()); }\n".to_owned(),
            "skipped",
        ),
        (
            "a.bats",
            "@test \"a\" {\n  [ \"$x\" = 1 ]\n}\n",
            "@test \"a\" {\n  skip\n  [ \"$x\" = 1 ]\n}\n".to_owned(),
            "skipped",
        ),
    ];
    for (name, before, after, expected) in table {
        let found = words(&Rules::default(), &[changed(name, before, &after)]);
        let is_said =
            if expected.is_empty() { found.is_empty() } else { found.iter().any(|words| words.contains(expected)) };
        assert!(is_said, "{name}: expected `{expected}`, found {found:?} of:\n{after}");
        let rules = Rules { allow: BTreeSet::from([Allowed::Tests]), ..Rules::default() };
        assert_eq!(words(&rules, &[changed(name, before, &after)]), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn what_only_moves_to_another_file_is_not_gone() {
    let moved = [
        changed("tests/a.rs", "#[test]\nfn a() {\n    assert!(f());\n}\n", "-"),
        changed("tests/b.rs", "-", "#[test]\nfn a() {\n    assert!(f());\n}\n"),
    ];
    assert_eq!(words(&Rules::default(), &moved), Vec::<String>::new());
    assert_eq!(words(&Rules::default(), &moved[..1]).len(), 2);
}

#[test]
fn files_nobody_asked_for_are_left_alone_unless_a_flag_allows_them() {
    let table = [
        (".github/workflows/ci.yml", Some(Allowed::Ci)),
        ("sub/.gitlab-ci.yml", Some(Allowed::Ci)),
        ("Cargo.lock", Some(Allowed::Lockfiles)),
        ("web/package-lock.json", Some(Allowed::Lockfiles)),
        (".husky/pre-commit", Some(Allowed::Hooks)),
        (".pre-commit-config.yaml", Some(Allowed::Hooks)),
        ("src/__snapshots__/a.snap", Some(Allowed::Tests)),
        ("pytest.ini", Some(Allowed::Tests)),
        ("clippy.toml", Some(Allowed::Tests)),
        ("check.sh", Some(Allowed::Tests)),
        ("src/lib.rs", None),
        ("lock.rs", None),
    ];
    let checks = BTreeSet::from(["check.sh".to_owned()]);
    for (name, flag) in table {
        let file = [changed(name, "a\n", "b\n")];
        let found = judge(&Rules { checks: checks.clone(), ..Rules::default() }, &file);
        assert_eq!(found.first().and_then(|breach| breach.flag), flag.map(Allowed::flag), "{name}");
        let allow: BTreeSet<Allowed> = flag.into_iter().collect();
        assert_eq!(judge(&Rules { checks: checks.clone(), allow, ..Rules::default() }, &file), [], "{name}");
    }
    // New snapshots are made, not changed; new settings of a linter change what it says.
    assert_eq!(words(&Rules::default(), &[changed("a/__snapshots__/x.snap", "-", "b")]), Vec::<String>::new());
    assert_eq!(words(&Rules::default(), &[changed(".eslintrc.json", "-", "{}")]).len(), 1);
}

#[test]
fn only_files_below_the_paths_may_change() {
    let rules = Rules { paths: vec!["src/**".to_owned(), "*.md".to_owned()], ..Rules::default() };
    let table = [("src/a.rs", 0), ("src/b/c.rs", 0), ("docs/a.md", 0), ("lib/a.rs", 1), ("a/src/b.rs", 1)];
    for (name, expected) in table {
        assert_eq!(words(&rules, &[changed(name, "a", "b")]).len(), expected, "{name}");
    }
}

#[test]
fn the_parts_of_files_that_set_up_checks_stay() {
    let package = "{\n  \"scripts\": {\n    \"test\": \"jest\",\n    \"start\": \"node a\"\n  }\n}\n";
    let make = "all:\n\tcc a.c\n\ntest: all\n\t./run\n\nclean:\n\trm a\n";
    let toml = "[project]\nname = \"a\"\n\n[tool.ruff]\nline-length = 88\n";
    let cargo = "[package]\nname = \"a\"\n\n[lints.clippy]\nall = \"deny\"\n\n[dependencies]\n";
    let table = [
        ("package.json", package, "\"jest\"", "\"true\"", 1),
        ("package.json", package, "node a", "node b", 0),
        ("Makefile", make, "\t./run", "\ttrue", 1),
        ("Makefile", make, "cc a.c", "cc -O2 a.c", 0),
        ("Makefile", make, "rm a", "rm b", 0),
        ("pyproject.toml", toml, "88", "200", 1),
        ("pyproject.toml", toml, "\"a\"", "\"b\"", 0),
        ("Cargo.toml", cargo, "deny", "allow", 1),
        ("Cargo.toml", cargo, "[dependencies]", "[dependencies]\nserde = \"1\"", 0),
        ("pom.xml", "<a>\n</a>\n", "<a>", "<a>\n<skipTests>true</skipTests>", 1),
    ];
    for (name, before, from, to, expected) in table {
        let after = before.replacen(from, to, 1);
        assert_ne!(before, after, "{name}");
        assert_eq!(words(&Rules::default(), &[changed(name, before, &after)]).len(), expected, "{name}: {after}");
    }
}

#[test]
fn every_row_of_the_table_is_used() {
    assert!(GUARD.classes.len() >= 5 && GUARD.parts.len() >= 8 && GUARD.languages.len() >= 10);
    for language in &GUARD.languages {
        assert!(!language.files.is_empty() && !language.tests.is_empty(), "{:?}", language.files);
    }
}

#[test]
fn a_check_is_made_of_the_scripts_it_names() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("ci")).unwrap();
    for name in ["check.sh", "ci/test"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let table: [(&str, &[&str]); 5] = [
        ("./check.sh --all", &["check.sh"]),
        ("bash check.sh && ci/test", &["check.sh", "ci/test"]),
        ("sh -c './check.sh; echo'", &["check.sh"]),
        ("make test", &[]),
        ("/bin/true ./gone.sh", &[]),
    ];
    for (command, expected) in table {
        assert_eq!(files_of_command(command, folder.path()), expected, "{command}");
    }
}
