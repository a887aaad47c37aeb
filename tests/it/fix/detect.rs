//! Are the checks of a project found by its files, with the programs that are there?

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use mimi::protocol::fix_report::CheckKind;
use mimi::strategy::detect::{Detected, detect, rows};

use CheckKind::{Build, Lint, Test};

type Files = &'static [(&'static str, &'static str)];

/// Row, files, kind, the command that is found first.
const TABLE: &[(&str, Files, CheckKind, &str)] = &[
    ("cargo nextest", &[("Cargo.toml", ""), (".config/nextest.toml", "")], Test, "cargo nextest run --no-fail-fast"),
    ("cargo test", &[("Cargo.toml", "")], Test, "cargo test --no-fail-fast"),
    ("go test", &[("go.mod", "")], Test, "go test ./..."),
    ("pytest", &[("pytest.ini", "")], Test, "python -m pytest -q"),
    ("pytest", &[("pyproject.toml", "[tool.pytest.ini_options]")], Test, "python -m pytest -q"),
    ("pytest", &[("setup.py", "")], Test, "python -m pytest -q"),
    ("pytest", &[("conftest.py", ""), (".venv/bin/python", "!")], Test, ".venv/bin/python -m pytest -q"),
    ("unittest", &[("test_a.py", "import unittest")], Test, "python -m unittest discover"),
    ("unittest", &[("tests/test_a.py", "import unittest")], Test, "python -m unittest discover"),
    ("npm test", &[("package.json", r#"{"scripts": {"test": "jest"}}"#)], Test, "npm test --silent"),
    (
        "jest",
        &[("package.json", r#"{"devDependencies": {"jest": "1"}}"#), ("node_modules/.bin/jest", "!")],
        Test,
        "node_modules/.bin/jest --ci",
    ),
    ("vitest", &[("package.json", r#"{"devDependencies": {"vitest": "1"}}"#)], Test, "vitest run"),
    ("mocha", &[("package.json", r#"{"devDependencies": {"mocha": "1"}}"#)], Test, "mocha"),
    ("node --test", &[("a.test.js", "require('node:test')")], Test, "node --test"),
    ("gradle", &[("gradlew", "!")], Test, "./gradlew test --console=plain"),
    ("gradle", &[("build.gradle.kts", "")], Test, "gradle test --console=plain"),
    ("maven", &[("pom.xml", "")], Test, "mvn -q -B test"),
    ("maven", &[("pom.xml", ""), ("mvnw", "!")], Test, "./mvnw -q -B test"),
    ("dotnet test", &[("a.sln", "")], Test, "dotnet test --nologo"),
    ("dotnet build", &[("a.csproj", "")], Build, "dotnet build --nologo"),
    ("rspec", &[(".rspec", "")], Test, "rspec"),
    ("rspec", &[("Gemfile", "gem 'rspec'"), ("spec/spec_helper.rb", "")], Test, "bundle exec rspec"),
    ("phpunit", &[("phpunit.xml.dist", ""), ("vendor/bin/phpunit", "!")], Test, "vendor/bin/phpunit --colors=never"),
    (
        "ctest",
        &[("CMakeLists.txt", "enable_testing()")],
        Test,
        "cmake -S . -B build && cmake --build build && ctest --test-dir build --output-on-failure",
    ),
    ("ctest", &[("CTestTestfile.cmake", "")], Test, "ctest --output-on-failure"),
    ("make", &[("Makefile", "all:\ntest: all\n")], Test, "make test"),
    ("make", &[("GNUmakefile", "check:\n")], Test, "make check"),
    ("make", &[("Makefile", "all:\n")], Build, "make"),
    ("make", &[("Makefile", "lint:\n")], Lint, "make lint"),
    ("cargo check", &[("Cargo.toml", "")], Build, "cargo check --all-targets"),
    ("rustc", &[("main.rs", "")], Build, "rustc --edition 2021 --emit=metadata --out-dir \"${TMPDIR:-/tmp}\" main.rs"),
    ("go build", &[("go.mod", "")], Build, "go build ./... && go vet ./..."),
    ("tsc", &[("tsconfig.json", "{}")], Build, "tsc --noEmit --pretty false"),
    ("cmake", &[("CMakeLists.txt", "")], Build, "cmake -S . -B build && cmake --build build"),
    ("gcc/clang", &[("a.c", "")], Build, "cc -fsyntax-only -Wall *.c"),
    ("gcc/clang", &[("a.cpp", "")], Build, "c++ -fsyntax-only -Wall $(ls | grep -E '\\.(cpp|cc|cxx)$')"),
    ("clippy", &[("Cargo.toml", "")], Lint, "cargo clippy --all-targets -- -D warnings"),
    ("eslint", &[("eslint.config.mjs", "")], Lint, "eslint ."),
    ("ruff", &[("ruff.toml", "")], Lint, "ruff check ."),
    ("ruff", &[("pyproject.toml", "[tool.ruff]")], Lint, "ruff check ."),
    ("mypy", &[("mypy.ini", "")], Lint, "mypy ."),
    ("mypy", &[("pyproject.toml", "[tool.mypy]")], Lint, "mypy ."),
];

/// Programs that are there; what a row calls by a path lies in the project.
const PROGRAMS: &[&str] = &[
    "cargo",
    "cargo-nextest",
    "cargo-clippy",
    "go",
    "python",
    "npm",
    "jest",
    "vitest",
    "mocha",
    "node",
    "gradle",
    "mvn",
    "dotnet",
    "rspec",
    "bundle",
    "phpunit",
    "cmake",
    "ctest",
    "make",
    "rustc",
    "tsc",
    "cc",
    "c++",
    "eslint",
    "ruff",
    "mypy",
];

/// Writes a file; `!` stands for a program.
fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    let mode = if text == "!" { 0o755 } else { 0o644 };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
}

/// A folder of programs, and an empty project.
fn machine(programs: &[&str]) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    programs.iter().for_each(|name| write(&root, &format!("bin/{name}"), "!"));
    std::fs::create_dir_all(root.join("work/.git")).unwrap();
    let path = root.join("bin").display().to_string();
    (folder, path)
}

fn found(files: &[(&str, &str)], from: &str) -> (Detected, std::path::PathBuf) {
    let (folder, path) = machine(PROGRAMS);
    let work = folder.path().canonicalize().unwrap().join("work");
    files.iter().for_each(|(name, text)| write(&work, name, text));
    std::fs::create_dir_all(work.join(from)).unwrap();
    (detect(&work.join(from), &path).unwrap(), work)
}

#[test]
fn every_row_is_found_by_its_files() {
    for (name, files, kind, command) in TABLE {
        let (detected, work) = found(files, "");
        let first = detected.of_kind(*kind);
        let said: Vec<_> = first.iter().map(|found| (found.name.as_str(), found.command.as_str())).collect();
        assert_eq!(said, [(*name, *command)], "{files:?}");
        assert_eq!((&detected.folder, &first[0].missing), (&work, &None), "{files:?}");
    }
    let tested: BTreeSet<&str> = TABLE.iter().map(|row| row.0).collect();
    let rows: BTreeSet<String> = rows().unwrap().into_iter().map(|row| row.name).collect();
    assert_eq!(
        rows.iter().map(String::as_str).collect::<BTreeSet<_>>(),
        tested,
        "the table of the test and config/runners.yaml"
    );
}

#[test]
fn without_a_wish_tests_come_before_builds_and_builds_before_lints() {
    let table: [(Files, &str); 6] = [
        (&[("Cargo.toml", ""), ("Makefile", "test:\n")], "cargo test --no-fail-fast"),
        (&[("package.json", "{}"), ("tsconfig.json", "")], "tsc --noEmit --pretty false"),
        (&[("ruff.toml", "")], "ruff check ."),
        (
            &[
                ("package.json", "{\"scripts\": {\"test\": \"echo \\\"no test specified\\\"\"}}"),
                ("Makefile", "test:\n"),
            ],
            "make test",
        ),
        (&[("package.json", "{}")], ""),
        (&[], ""),
    ];
    for (files, expected) in table {
        let (detected, _) = found(files, "");
        let usual: Vec<_> = detected.usual().iter().map(|found| found.command.clone()).collect();
        assert_eq!(usual.join(", "), expected, "{files:?}");
    }
}

#[test]
fn the_nearest_root_upwards_counts_and_else_all_roots_below() {
    let files: Files = &[
        ("api/Cargo.toml", "[workspace]"),
        ("api/one/Cargo.toml", ""),
        ("api/one/src/lib.rs", ""),
        ("web/package.json", r#"{"scripts": {"test": "x"}}"#),
        ("web/node_modules/a/package.json", r#"{"scripts": {"test": "x"}}"#),
        ("docs/readme", ""),
    ];
    let table: [(&str, &str, &[&str]); 5] = [
        ("api/one/src", "api/one", &["api/one"]),
        ("api", "api", &["api"]),
        ("web", "web", &["web"]),
        ("", "", &["api", "web"]),
        ("docs", "docs", &[]),
    ];
    for (from, folder, roots) in table {
        let (detected, work) = found(files, from);
        assert_eq!(detected.folder, work.join(folder), "{from}");
        let usual: Vec<_> = detected.usual().iter().map(|found| found.root.clone()).collect();
        assert_eq!(usual, roots.iter().map(|root| work.join(root)).collect::<Vec<_>>(), "{from}");
    }
}

#[test]
fn a_missing_program_is_named_and_another_check_is_taken_before_it() {
    let (folder, path) = machine(&["make"]);
    let work = folder.path().canonicalize().unwrap().join("work");
    write(&work, "Cargo.toml", "");
    let detected = detect(&work, &path).unwrap();
    assert_eq!(detected.usual()[0].missing.as_deref(), Some("cargo"));
    write(&work, "Makefile", "test:\n");
    let detected = detect(&work, &path).unwrap();
    assert_eq!((detected.usual()[0].command.as_str(), &detected.usual()[0].missing), ("make test", &None));
}
