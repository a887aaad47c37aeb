//! In which files is what an import names?
//!
//! By the rules by which each language finds modules, over the paths of the work tree and the few files that name packages
//! (`Cargo.toml`, `go.mod`, `tsconfig.json`). What is not in the project is [`Files::Elsewhere`]: the standard library, dependencies.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use crate::base::path::open_regular;
use crate::index::graph::aliases::{self, Alias};

/// Where a module lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Files {
    /// In these files of the project: one, or all of a package.
    Here(Vec<String>),
    /// In none of the project.
    Elsewhere,
}

impl Files {
    fn of(found: Vec<String>) -> Self {
        if found.is_empty() { Self::Elsewhere } else { Self::Here(found) }
    }

    fn one(found: Option<String>) -> Self {
        Self::of(found.into_iter().collect())
    }
}

/// The paths of a work tree.
pub struct Modules {
    paths: BTreeSet<String>,
    /// Files by folder.
    folders: HashMap<String, Vec<String>>,
    /// Files by their names, and folders by the last of their names.
    by_name: HashMap<String, Vec<String>>,
    /// Rust's crates: name and root file.
    crates: HashMap<String, String>,
    /// Go's modules: folder and path.
    go: Vec<(String, String)>,
    /// What names stand for in TypeScript.
    aliases: Vec<Alias>,
}

const SCRIPTS: [&str; 9] = ["ts", "tsx", "d.ts", "js", "jsx", "mjs", "cjs", "mts", "cts"];
/// Largest file that names a package.
const MAX_MANIFEST_BYTES: u64 = 1 << 20;

impl Modules {
    /// Takes the paths of a work tree; reads the manifests among them.
    pub fn new(root: &Path, paths: impl Iterator<Item = String>) -> Self {
        let paths: BTreeSet<String> = paths.collect();
        let mut folders: HashMap<String, Vec<String>> = HashMap::new();
        let mut by_name: HashMap<String, Vec<String>> = HashMap::new();
        for path in &paths {
            folders.entry(folder_of(path).to_owned()).or_default().push(path.clone());
            by_name.entry(file_name(path).to_owned()).or_default().push(path.clone());
        }
        let mut all: Vec<&String> = folders.keys().collect();
        all.sort();
        for folder in all {
            by_name.entry(format!("{}/", file_name(folder))).or_default().push(folder.clone());
        }
        let mut modules = Self { folders, by_name, crates: HashMap::new(), go: Vec::new(), aliases: Vec::new(), paths };
        for path in modules.paths.iter().filter(|path| aliases::is_settings(path)) {
            modules.aliases.extend(aliases::read(path, &small_text(&root.join(path)).unwrap_or_default()));
        }
        modules.read_crates(root);
        modules.read_go(root);
        modules
    }

    /// Says whether a path is in the work tree.
    pub fn has(&self, path: &str) -> bool {
        self.paths.contains(path)
    }

    /// Returns the files of a folder.
    pub fn folder(&self, folder: &str) -> &[String] {
        self.folders.get(folder).map_or(&[], Vec::as_slice)
    }

    fn called(&self, name: &str) -> &[String] {
        self.by_name.get(name).map_or(&[], Vec::as_slice)
    }

    fn read_crates(&mut self, root: &Path) {
        let manifests: Vec<String> =
            self.paths.iter().filter(|path| *path == "Cargo.toml" || path.ends_with("/Cargo.toml")).cloned().collect();
        for manifest in manifests {
            let folder = folder_of(&manifest);
            let text = small_text(&root.join(&manifest)).unwrap_or_default();
            // The name of the package; that of the library where it has another one stands behind it.
            for name in text.lines().filter_map(|line| line.trim().strip_prefix("name")).take(2) {
                let name: String = name.chars().filter(|c| c.is_alphanumeric() || matches!(c, '_' | '-')).collect();
                let file =
                    [join(folder, "src/lib.rs"), join(folder, "src/main.rs")].into_iter().find(|file| self.has(file));
                if let Some(file) = file {
                    self.crates.entry(name.replace('-', "_")).or_insert(file);
                }
            }
        }
    }

    fn read_go(&mut self, root: &Path) {
        // `go.mod` has no language and may be missing from the index: looked for in the folders of Go files.
        let mut tried = BTreeSet::new();
        let folders: Vec<String> =
            self.paths.iter().filter(|path| path.ends_with(".go")).map(|path| folder_of(path).to_owned()).collect();
        for folder in folders {
            let mut at = folder.as_str();
            while tried.insert(at.to_owned()) {
                let text = small_text(&root.join(join(at, "go.mod"))).unwrap_or_default();
                let module = text.lines().find_map(|line| line.trim().strip_prefix("module "));
                self.go.extend(module.map(|module| (at.to_owned(), module.trim().trim_matches('"').to_owned())));
                if at.is_empty() {
                    break;
                }
                at = folder_of(at);
            }
        }
    }

    /// Finds the files of a module that a file of this language names.
    pub fn find(&self, language: &str, from: &str, module: &str) -> Files {
        match language {
            "python" => Files::one(self.python(from, module)),
            "rust" => Files::one(self.rust(from, module)),
            "javascript" | "typescript" | "tsx" => Files::one(self.script(from, module)),
            "go" => Files::of(self.go_package(module)),
            "java" | "kotlin" | "scala" => Files::of(self.java(module)),
            "c" | "cpp" => Files::one(self.include(from, module)),
            "ruby" => Files::one(self.near(from, module, &["", ".rb"], &["lib"])),
            "php" => Files::one(self.near(from, module, &[""], &[])),
            "bash" => Files::one(self.sourced(from, module)),
            _ => Files::Elsewhere,
        }
    }

    /// Returns a path that exists: relative to the file, or to one of the roots.
    fn near(&self, from: &str, module: &str, endings: &[&str], roots: &[&str]) -> Option<String> {
        let own = std::iter::once(folder_of(from)).chain([""]).chain(roots.iter().copied());
        let mut tries = own
            .flat_map(|folder| endings.iter().filter_map(move |ending| resolved(folder, &format!("{module}{ending}"))));
        tries.find(|path| self.has(path))
    }

    fn python(&self, from: &str, module: &str) -> Option<String> {
        let dots = module.len() - module.trim_start_matches('.').len();
        let rest = module.trim_start_matches('.').replace('.', "/");
        let file = |base: &str| {
            let whole = if rest.is_empty() { base.to_owned() } else { join(base, &rest) };
            let as_file =
                if rest.is_empty() { Vec::new() } else { vec![format!("{whole}.py"), format!("{whole}.pyi")] };
            as_file
                .into_iter()
                .chain([join(&whole, "__init__.py"), join(&whole, "__init__.pyi")])
                .find(|path| self.has(path))
        };
        if dots > 0 {
            let mut base = folder_of(from);
            for _ in 1..dots {
                base = folder_of(base);
            }
            return file(base);
        }
        // Folders that are no packages themselves are where programs look for them.
        let mut roots = Vec::new();
        let mut at = folder_of(from);
        loop {
            if !self.has(&join(at, "__init__.py")) {
                roots.push(at);
            }
            if at.is_empty() {
                break;
            }
            at = folder_of(at);
        }
        roots.into_iter().chain(["", "src", "lib"]).find_map(file)
    }

    /// Returns the file of a module of Rust by its path; what follows a module that is no file is not looked at.
    fn rust(&self, from: &str, module: &str) -> Option<String> {
        let mut parts = module.split("::").filter(|part| !part.is_empty()).peekable();
        let mut at = match *parts.peek()? {
            "crate" => {
                parts.next();
                self.crate_root(from)
            }
            "self" => {
                parts.next();
                from.to_owned()
            }
            "super" => from.to_owned(),
            first => match self.rust_child(from, first) {
                Some(_) => from.to_owned(),
                None => {
                    parts.next();
                    self.crates.get(first)?.clone()
                }
            },
        };
        for part in parts {
            at = if part == "super" { self.rust_parent(&at)? } else { self.rust_child(&at, part)? };
        }
        Some(at)
    }

    fn rust_child(&self, of: &str, name: &str) -> Option<String> {
        let folder = rust_folder(of);
        [join(&folder, &format!("{name}.rs")), join(&folder, &format!("{name}/mod.rs"))]
            .into_iter()
            .find(|path| self.has(path))
    }

    /// Returns the file of the module around that of a file.
    pub fn rust_parent(&self, of: &str) -> Option<String> {
        let stem = of.strip_suffix(".rs")?;
        // Tests beside what they test, brought in by `#[path]`.
        if let Some(tested) =
            stem.strip_suffix("_tests").or_else(|| stem.strip_suffix("_test")).map(|stem| format!("{stem}.rs"))
            && self.has(&tested)
        {
            return Some(tested);
        }
        let is_root = matches!(file_name(of), "mod.rs" | "lib.rs" | "main.rs");
        if is_root && file_name(of) != "mod.rs" {
            return None;
        }
        let folder = if is_root { folder_of(folder_of(of)) } else { folder_of(of) };
        let own = if is_root { folder_of(of) } else { folder };
        let named = if is_root { None } else { Some(format!("{folder}.rs")).filter(|_| !folder.is_empty()) };
        let beside = ["mod.rs", "lib.rs", "main.rs"].map(|name| join(folder, name));
        let found = named.into_iter().chain(beside).find(|path| path != of && self.has(path));
        found.or_else(|| Some(format!("{}.rs", folder_of(own))).filter(|path| is_root && self.has(path)))
    }

    fn crate_root(&self, from: &str) -> String {
        let mut at = from.to_owned();
        for _ in 0..64 {
            match self.rust_parent(&at) {
                Some(parent) => at = parent,
                None => break,
            }
        }
        at
    }

    fn script(&self, from: &str, module: &str) -> Option<String> {
        if module == "." && !from.is_empty() {
            return Some(from.to_owned());
        }
        if !module.starts_with('.') {
            return aliases::paths(&self.aliases, from, module).iter().find_map(|path| self.script_at(path));
        }
        self.script_at(&resolved(folder_of(from), module)?)
    }

    /// Returns the file of a module by its path, with whatever ending.
    fn script_at(&self, whole: &str) -> Option<String> {
        let bare = SCRIPTS.iter().find_map(|ending| whole.strip_suffix(&format!(".{ending}"))).unwrap_or(whole);
        let tries = std::iter::once(whole.to_owned())
            .chain(SCRIPTS.iter().map(|ending| format!("{whole}.{ending}")))
            .chain(SCRIPTS.iter().map(|ending| format!("{bare}.{ending}")))
            .chain(SCRIPTS.iter().map(|ending| join(whole, &format!("index.{ending}"))));
        let mut tries = tries;
        tries.find(|path| self.has(path))
    }

    fn go_package(&self, module: &str) -> Vec<String> {
        let within = |(folder, path): &(String, String)| {
            let rest = module.strip_prefix(path.as_str())?;
            if rest.is_empty() { Some(folder.clone()) } else { rest.strip_prefix('/').map(|rest| join(folder, rest)) }
        };
        let folder = self.go.iter().filter_map(within).max_by_key(String::len);
        folder.map(|folder| self.go_files(&folder)).unwrap_or_default()
    }

    /// Returns the files of a package of Go but for its tests.
    pub fn go_files(&self, folder: &str) -> Vec<String> {
        self.folder(folder)
            .iter()
            .filter(|path| path.ends_with(".go") && !path.ends_with("_test.go"))
            .cloned()
            .collect()
    }

    /// Returns the file of a class, or the files of a package.
    fn java(&self, module: &str) -> Vec<String> {
        let path = module.replace('.', "/");
        let ends = |whole: &str, end: &str| {
            whole == end || whole.strip_suffix(end).is_some_and(|before| before.ends_with('/'))
        };
        let last = file_name(&path);
        for ending in ["java", "kt", "scala"] {
            let file = format!("{path}.{ending}");
            if let Some(found) = self.called(&format!("{last}.{ending}")).iter().find(|known| ends(known, &file)) {
                return vec![found.clone()];
            }
        }
        let folders = self.called(&format!("{last}/")).iter().filter(|folder| ends(folder, &path));
        let is_code = |path: &&String| [".java", ".kt", ".scala"].iter().any(|ending| path.ends_with(ending));
        folders.flat_map(|folder| self.folder(folder).iter().filter(is_code).cloned()).collect()
    }

    fn include(&self, from: &str, module: &str) -> Option<String> {
        let beside = resolved(folder_of(from), module).filter(|path| self.has(path));
        beside.or_else(|| {
            let end = format!("/{}", module.trim_start_matches("./").trim_start_matches("../"));
            let mut found =
                self.called(file_name(&end)).iter().filter(|path| **path == end[1..] || path.ends_with(&end));
            let first = found.next().cloned();
            // Where several could be meant the compiler's options decide, which nobody knows here.
            if found.next().is_some() { None } else { first }
        })
    }

    fn sourced(&self, from: &str, module: &str) -> Option<String> {
        // What a script finds itself by: `"$(dirname "$0")/lib.sh"`, `$ROOT/lib.sh`.
        let last = module.rsplit(['"', '}', ')']).find(|part| !part.is_empty()).unwrap_or(module);
        let last = if last.starts_with('$') {
            last.split_once('/').map_or("", |(_, rest)| rest)
        } else {
            last.trim_start_matches('/')
        };
        self.near(from, last, &[""], &[])
    }

    /// Returns the file a path of crates ends in and what is left of the path behind it: `crate::a::B::new` is the file of
    /// `a` and `B`, `new`.
    pub fn rust_prefix(&self, from: &str, parts: &[String]) -> Option<(String, usize)> {
        (1..=parts.len()).rev().find_map(|n| Some((self.rust(from, &parts[..n].join("::"))?, n)))
    }
}

/// Returns the folder in which the modules below a file of Rust lie.
fn rust_folder(of: &str) -> String {
    match file_name(of) {
        "mod.rs" | "lib.rs" | "main.rs" => folder_of(of).to_owned(),
        _ => of.strip_suffix(".rs").unwrap_or(of).to_owned(),
    }
}

/// Returns the folder of a path; empty at the root.
pub fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Resolves `.` and `..`; none when it leads out of the project.
pub fn resolved(folder: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn small_text(path: &Path) -> Option<String> {
    let (_, meta) = open_regular(path).ok().filter(|(_, meta)| meta.len() <= MAX_MANIFEST_BYTES)?;
    let _ = meta;
    std::fs::read_to_string(path).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(paths: &[&str], language: &str, from: &str, module: &str) -> Option<String> {
        let modules = Modules::new(Path::new("/nonexistent"), paths.iter().map(|path| (*path).to_owned()));
        match modules.find(language, from, module) {
            Files::Here(files) => Some(files.join(" ")),
            Files::Elsewhere => None,
        }
    }

    #[test]
    fn each_language_finds_its_modules() {
        let python =
            ["app/__init__.py", "app/a.py", "app/sub/__init__.py", "app/sub/b.py", "tests/t.py", "tests/helper.py"];
        let rust =
            ["src/lib.rs", "src/main.rs", "src/a.rs", "src/a/b.rs", "src/c/mod.rs", "src/c/d.rs", "src/a_tests.rs"];
        let script = ["src/a.ts", "src/lib/index.ts", "src/x.js"];
        let java = ["src/main/java/com/x/A.java", "src/main/java/com/x/B.java", "src/main/java/com/x/y/C.java"];
        let c = ["src/a.c", "src/a.h", "include/net/b.h", "one/z.h", "two/z.h"];
        /// Files, language, who brings in, what, and which file that is.
        type Row<'a> = (&'a [&'a str], &'a str, &'a str, &'a str, Option<&'a str>);
        let table: &[Row<'_>] = &[
            (&python, "python", "app/a.py", ".sub.b", Some("app/sub/b.py")),
            (&python, "python", "app/sub/b.py", "..a", Some("app/a.py")),
            (&python, "python", "app/sub/b.py", ".", Some("app/sub/__init__.py")),
            (&python, "python", "app/sub/b.py", "app.a", Some("app/a.py")),
            (&python, "python", "tests/t.py", "helper", Some("tests/helper.py")),
            (&python, "python", "app/a.py", "helper", None),
            (&python, "python", "app/a.py", "os", None),
            (&rust, "rust", "src/a/b.rs", "crate::c::d", Some("src/c/d.rs")),
            (&rust, "rust", "src/a/b.rs", "super", Some("src/a.rs")),
            (&rust, "rust", "src/c/d.rs", "super::super::a", Some("src/a.rs")),
            (&rust, "rust", "src/lib.rs", "c", Some("src/c/mod.rs")),
            (&rust, "rust", "src/a_tests.rs", "super", Some("src/a.rs")),
            (&rust, "rust", "src/a.rs", "std::fmt", None),
            (&script, "typescript", "src/a.ts", "./lib", Some("src/lib/index.ts")),
            (&script, "typescript", "src/lib/index.ts", "../a.js", Some("src/a.ts")),
            (&script, "typescript", "src/a.ts", "./x", Some("src/x.js")),
            (&script, "typescript", "src/a.ts", "react", None),
            (&java, "java", "", "com.x.A", Some("src/main/java/com/x/A.java")),
            (&java, "java", "", "com.x", Some("src/main/java/com/x/A.java src/main/java/com/x/B.java")),
            (&java, "java", "", "java.util", None),
            (&c, "c", "src/a.c", "a.h", Some("src/a.h")),
            (&c, "c", "src/a.c", "net/b.h", Some("include/net/b.h")),
            (&c, "c", "src/a.c", "z.h", None),
        ];
        for (paths, language, from, module, expected) in table {
            assert_eq!(find(paths, language, from, module).as_deref(), *expected, "{language}: {module} from {from}");
        }
    }
}
