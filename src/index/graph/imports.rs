//! Which names does an import bring in, and from where?
//!
//! Reads the text of one import, as the tables or the queries give it; each language in its own way. Must not ask whether
//! what is named exists: that is [`crate::index::graph::modules`].
//! To add a language: an arm in [`read`] and its rows in the test.

/// Something brought in.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Brought {
    /// The name it has here; several parts where it is used with dots. Empty when it has none of its own.
    pub local: Vec<String>,
    /// Where it comes from, as it is written.
    pub module: String,
    /// What of it; none for the whole.
    pub name: Option<String>,
    /// Whether everything in it is brought in.
    pub is_star: bool,
}

impl Brought {
    fn new(local: &str, module: &str, name: Option<&str>) -> Self {
        Self { local: vec![local.to_owned()], module: module.to_owned(), name: name.map(str::to_owned), is_star: false }
    }

    fn star(module: &str) -> Self {
        Self { module: module.to_owned(), is_star: true, ..Self::default() }
    }

    /// Rust's module in a file of its own.
    pub fn child(name: &str) -> Self {
        Self::new(name, &format!("self::{name}"), None)
    }
}

/// Reads one import of this language.
pub fn read(language: &str, text: &str) -> Vec<Brought> {
    let text = text.trim().trim_end_matches(';').trim();
    match language {
        "python" => python(text),
        "rust" => {
            let mut found = Vec::new();
            rust("", text, &mut found);
            found
        }
        "javascript" | "typescript" | "tsx" => script(text),
        "go" => go(text),
        "java" | "kotlin" => java(text),
        "scala" => scala(text),
        "c" | "cpp" => vec![Brought::star(text.trim_matches(['"', '<', '>']))],
        "php" => php(text),
        "csharp" => csharp(text),
        _ => vec![Brought::star(text.trim_matches(['"', '\'']))],
    }
}

fn python(text: &str) -> Vec<Brought> {
    let alias = |item: &str| match item.split_once(" as ") {
        Some((name, local)) => (name.trim().to_owned(), Some(local.trim().to_owned())),
        None => (item.trim().to_owned(), None),
    };
    let items = |list: &str| -> Vec<String> {
        list.split(',')
            .map(|item| item.trim_matches(['(', ')', ' ']).to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    };
    if let Some((module, list)) = text.strip_prefix("from ").and_then(|rest| rest.split_once(" import")) {
        let module = module.trim();
        let one = |item: String| {
            let (name, local) = alias(&item);
            if name == "*" {
                Brought::star(module)
            } else {
                Brought::new(local.as_deref().unwrap_or(&name), module, Some(&name))
            }
        };
        return items(list.trim_start_matches(' ')).into_iter().map(one).collect();
    }
    let whole = |item: String| {
        let (name, local) = alias(&item);
        let local = local.map_or_else(|| name.split('.').map(str::to_owned).collect(), |local| vec![local]);
        Brought { local, module: name, name: None, is_star: false }
    };
    items(text.strip_prefix("import ").unwrap_or(text)).into_iter().map(whole).collect()
}

/// Reads a tree of `use`, behind what stands in front of it.
fn rust(before: &str, text: &str, found: &mut Vec<Brought>) {
    let text = text.trim();
    let join = |name: &str| if before.is_empty() { name.to_owned() } else { format!("{before}::{name}") };
    if let Some(open) = text.find('{') {
        let path = text[..open].trim().trim_end_matches("::");
        let before = if path.is_empty() { before.to_owned() } else { join(path) };
        let inner = text[open + 1..].trim_end().trim_end_matches('}');
        // The last brace was that of this list only.
        let inner = if text.ends_with('}') { &text[open + 1..text.len() - 1] } else { inner };
        let (mut depth, mut begin) = (0_i32, 0);
        for (at, c) in inner.char_indices().chain([(inner.len(), ',')]) {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    let item = inner.get(begin..at).unwrap_or_default().trim();
                    if !item.is_empty() {
                        rust(&before, item, found);
                    }
                    begin = at + 1;
                }
                _ => {}
            }
        }
        return;
    }
    let (path, local) = match text.split_once(" as ") {
        Some((path, local)) => (join(path.trim()), Some(local.trim())),
        None => (join(text), None),
    };
    let path = path.strip_suffix("::self").unwrap_or(&path);
    if let Some(module) = path.strip_suffix("::*") {
        found.push(Brought::star(module));
        return;
    }
    let (module, name) = path.rsplit_once("::").map_or((path, None), |(module, name)| (module, Some(name)));
    found.push(Brought::new(local.or(name).unwrap_or(path), module, name));
}

fn script(text: &str) -> Vec<Brought> {
    let quoted = |text: &str| {
        let begin = text.rfind(['\'', '"'])?;
        let quote = text.as_bytes().get(begin).map(|byte| char::from(*byte))?;
        let first = text[..begin].rfind(quote)?;
        Some(text[first + 1..begin].to_owned())
    };
    let is_export = text.starts_with("export");
    let Some(module) = quoted(text) else {
        // Names given out under others; what is behind them is here.
        return if is_export { names(text, ".", true) } else { Vec::new() };
    };
    if text.contains("require(") || text.contains("require (") {
        let left = text.split('=').next().unwrap_or_default().trim();
        return match left.strip_prefix('{') {
            Some(_) => names(&left.replace(':', " as "), &module, false),
            None if left.starts_with(['\'', '"']) => vec![Brought::star(&module)],
            None => vec![Brought::new(left, &module, None)],
        };
    }
    let head = text.split(['\'', '"']).next().unwrap_or_default();
    let mut found = names(head, &module, is_export);
    if let Some((_, local)) = head.split_once("* as ") {
        let local: String = local.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect();
        found.push(Brought::new(&local, &module, None));
    } else if is_export && head.contains('*') {
        found.push(Brought::star(&module));
    }
    let first = head.trim_start_matches("import").trim_start().trim_start_matches("type ").trim_start();
    let default: String = first.chars().take_while(|c| c.is_alphanumeric() || matches!(c, '_' | '$')).collect();
    if !is_export && !default.is_empty() && default != "from" && !first.starts_with(['{', '*']) {
        found.push(Brought::new(&default, &module, Some("default")));
    }
    if found.is_empty() && !is_export {
        found.push(Brought { module, ..Brought::default() });
    }
    found
}

/// Reads `{a, b as c}`.
fn names(text: &str, module: &str, is_export: bool) -> Vec<Brought> {
    let Some((_, list)) = text.split_once('{') else { return Vec::new() };
    let list = list.split('}').next().unwrap_or_default();
    let one = |item: &str| {
        let item = item.trim().trim_start_matches("type ").trim();
        let (name, local) = item.split_once(" as ").map_or((item, item), |(name, local)| (name.trim(), local.trim()));
        let is_itself = is_export && module == "." && name == local;
        (!name.is_empty() && !is_itself).then(|| Brought::new(local, module, Some(name)))
    };
    list.split(',').filter_map(one).collect()
}

fn go(text: &str) -> Vec<Brought> {
    let Some(begin) = text.find(['"', '`']) else { return Vec::new() };
    let module = text[begin..].trim_matches(['"', '`']);
    match text[..begin].trim() {
        "." => vec![Brought::star(module)],
        "_" => vec![Brought { module: module.to_owned(), ..Brought::default() }],
        "" => {
            // By custom a package is called like its folder, without a version.
            let mut parts = module.rsplit('/');
            let mut last = parts.next().unwrap_or(module);
            if last.len() > 1 && last.starts_with('v') && last[1..].bytes().all(|byte| byte.is_ascii_digit()) {
                last = parts.next().unwrap_or(last);
            }
            vec![Brought::new(last.split('.').next().unwrap_or(last), module, None)]
        }
        local => vec![Brought::new(local, module, None)],
    }
}

fn java(text: &str) -> Vec<Brought> {
    let text = text.strip_prefix("import ").unwrap_or(text).trim();
    let (text, is_static) = text.strip_prefix("static ").map_or((text, false), |rest| (rest.trim(), true));
    let (text, alias) = text.split_once(" as ").map_or((text, None), |(path, alias)| (path, Some(alias.trim())));
    if let Some(module) = text.strip_suffix(".*").or_else(|| text.strip_suffix("._")) {
        return vec![Brought::star(module)];
    }
    let Some((module, name)) = text.rsplit_once('.') else { return vec![Brought::star(text)] };
    // `a.b.C` is a file, `static a.b.C.f` something in it: both are a name in what is before it.
    let _ = is_static;
    vec![Brought::new(alias.unwrap_or(name), module, Some(name))]
}

fn php(text: &str) -> Vec<Brought> {
    if text.starts_with(['"', '\'']) {
        return vec![Brought::star(text.trim_matches(['"', '\'']))];
    }
    let text = text.trim_start_matches("function ").trim_start_matches("const ").trim_start_matches('\\');
    let (path, local) = text.split_once(" as ").map_or((text, None), |(path, local)| (path.trim(), Some(local.trim())));
    let (module, name) = path.rsplit_once('\\').unwrap_or(("", path));
    vec![Brought::new(local.unwrap_or(name), module, Some(name))]
}

/// Reads one import of Scala, in the words of its second and of its third version.
fn scala(text: &str) -> Vec<Brought> {
    let text = text.strip_prefix("import ").unwrap_or(text).trim();
    let Some((module, list)) = text.split_once('{') else {
        return java(&text.strip_suffix(".given").unwrap_or(text).replace(".*", "._"));
    };
    let module = module.trim().trim_end_matches('.');
    let one = |item: &str| match item.split_once("=>").or_else(|| item.split_once(" as ")) {
        Some((name, local)) => Brought::new(local.trim(), module, Some(name.trim())),
        None if matches!(item, "_" | "*" | "given") => Brought::star(module),
        None => Brought::new(item, module, Some(item)),
    };
    list.trim_end_matches('}').split(',').map(str::trim).filter(|item| !item.is_empty()).map(one).collect()
}

fn csharp(text: &str) -> Vec<Brought> {
    let words = ["global ", "using ", "static ", "unsafe "];
    let text = words.iter().fold(text, |text, word| text.strip_prefix(word).unwrap_or(text).trim());
    match text.split_once('=') {
        Some((local, path)) => {
            let (module, name) = path.trim().rsplit_once('.').unwrap_or(("", path.trim()));
            vec![Brought::new(local.trim(), module, Some(name))]
        }
        None => vec![Brought::star(text)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `local=module:name`, `*module`, `module` for one without a name.
    fn said(language: &str, text: &str) -> Vec<String> {
        let one = |brought: &Brought| match (&brought.name, brought.is_star) {
            (_, true) => format!("*{}", brought.module),
            (Some(name), _) => format!("{}={}:{name}", brought.local.join("."), brought.module),
            (None, _) => format!("{}={}", brought.local.join("."), brought.module),
        };
        read(language, text).iter().map(one).collect()
    }

    #[test]
    fn each_language_brings_names_in_by_its_own_rules() {
        let table: &[(&str, &str, &[&str])] = &[
            ("python", "import os.path", &["os.path=os.path"]),
            ("python", "import a.b as c, d", &["c=a.b", "d=d"]),
            ("python", "from .a import (b, c as d,)", &["b=.a:b", "d=.a:c"]),
            ("python", "from .. import *", &["*.."]),
            ("rust", "crate::a::{self, b::C as D, c::*}", &["a=crate:a", "D=crate::a::b:C", "*crate::a::c"]),
            ("rust", "super::x", &["x=super:x"]),
            ("rust", "{a::b, c}", &["b=a:b", "c=c"]),
            ("rust", "std", &["std=std"]),
            ("typescript", "import a, {b as c, type D} from './x'", &["c=./x:b", "D=./x:D", "a=./x:default"]),
            ("typescript", "import * as ns from \"./x\";", &["ns=./x"]),
            ("typescript", "import type {T} from './t'", &["T=./t:T"]),
            ("typescript", "import './side'", &["=./side"]),
            ("typescript", "export * from './x'", &["*./x"]),
            ("typescript", "export {a as b} from './x'", &["b=./x:a"]),
            ("typescript", "export {a as b, c}", &["b=.:a"]),
            ("javascript", "x = require('./y')", &["x=./y"]),
            ("javascript", "{a, b: c} = require('./y')", &["a=./y:a", "c=./y:b"]),
            ("go", "\"a/b/yaml.v3\"", &["yaml=a/b/yaml.v3"]),
            ("go", "\"a/b/v2\"", &["b=a/b/v2"]),
            ("go", "x \"a/b\"", &["x=a/b"]),
            ("go", ". \"a/b\"", &["*a/b"]),
            ("java", "import a.b.C;", &["C=a.b:C"]),
            ("java", "import static a.b.C.f;", &["f=a.b.C:f"]),
            ("java", "import a.b.*;", &["*a.b"]),
            ("c", "\"a/b.h\"", &["*a/b.h"]),
            ("php", "A\\B as C", &["C=A:B"]),
            ("php", "'x.php'", &["*x.php"]),
            ("ruby", "'set'", &["*set"]),
            ("bash", "./a.sh", &["*./a.sh"]),
            ("csharp", "using A = B.C;", &["A=B:C"]),
            ("csharp", "global using static A.B;", &["*A.B"]),
            ("kotlin", "import a.b.c as d", &["d=a.b:c"]),
            ("kotlin", "import a.b.*", &["*a.b"]),
            ("scala", "import a.b.{C, D => E, _}", &["C=a.b:C", "E=a.b:D", "*a.b"]),
            ("scala", "import a.b.*", &["*a.b"]),
        ];
        for (language, text, expected) in table {
            assert_eq!(said(language, text), *expected, "{language}: {text}");
        }
    }
}
