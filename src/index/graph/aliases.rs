//! Which folders do the names of modules stand for in TypeScript's settings?
//!
//! `baseUrl` and `paths` of `tsconfig*.json` and `jsconfig.json`, for the files below each of them: `@/lib/x` is `src/lib/x`.
//! Must not ask whether a file exists: that is [`crate::index::graph::modules`].

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::index::graph::modules::{folder_of, resolved};

/// A name and what it stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alias {
    /// Files below this folder know it.
    folder: String,
    /// What stands in front of what varies, and behind it; none where nothing varies.
    name: (String, Option<String>),
    /// Where it leads, in front of what varies and behind it, below the root.
    targets: Vec<(String, String)>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    compiler_options: Option<Options>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Options {
    base_url: Option<String>,
    #[serde(default)]
    paths: BTreeMap<String, Vec<String>>,
}

/// Says whether a file holds such settings.
pub fn is_settings(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name == "jsconfig.json" || (name.starts_with("tsconfig") && name.ends_with(".json"))
}

/// Reads the settings of a file; nothing where they cannot be read.
pub fn read(path: &str, text: &str) -> Vec<Alias> {
    let Ok(Settings { compiler_options: Some(options) }) = serde_json::from_str(&plain(text)) else {
        return Vec::new();
    };
    let folder = folder_of(path).to_owned();
    let base = options.base_url.as_deref().and_then(|base| resolved(&folder, base));
    let from = base.clone().unwrap_or_else(|| folder.clone());
    let one = |(name, targets): (&String, &Vec<String>)| Alias {
        folder: folder.clone(),
        name: match name.split_once('*') {
            Some((before, behind)) => (before.to_owned(), Some(behind.to_owned())),
            None => (name.clone(), None),
        },
        targets: targets.iter().filter_map(|target| target_of(&from, target)).collect(),
    };
    let mut found: Vec<Alias> = options.paths.iter().map(one).collect();
    // The folder all names may begin at comes last: nothing stands in front of what varies.
    found.extend(base.and_then(|base| target_of(&base, "*")).map(|target| Alias {
        folder: folder.clone(),
        name: (String::new(), Some(String::new())),
        targets: vec![target],
    }));
    found
}

fn target_of(from: &str, target: &str) -> Option<(String, String)> {
    let (before, behind) = target.split_once('*').unwrap_or((target, ""));
    // A slash at the end is part of what varies.
    let slash = if before.ends_with('/') || before.is_empty() { "/" } else { "" };
    let before = format!("{}{slash}", resolved(from, before)?);
    Some((before.trim_start_matches('/').to_owned(), behind.to_owned()))
}

/// Returns where a module may lie that a file names, the nearest settings and the longest names first.
pub fn paths(aliases: &[Alias], from: &str, module: &str) -> Vec<String> {
    let is_below =
        |folder: &str| folder.is_empty() || from.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'));
    let mut found: Vec<(&Alias, &str)> = Vec::new();
    for alias in aliases.iter().filter(|alias| is_below(&alias.folder)) {
        let (before, behind) = &alias.name;
        let varies = match behind {
            Some(behind) => module.strip_prefix(before.as_str()).and_then(|rest| rest.strip_suffix(behind.as_str())),
            None => (module == before).then_some(""),
        };
        found.extend(varies.map(|varies| (alias, varies)));
    }
    found.sort_by_key(|(alias, _)| std::cmp::Reverse((alias.folder.len(), alias.name.0.len())));
    let all = found.into_iter().flat_map(|(alias, varies)| {
        alias.targets.iter().map(move |(before, behind)| format!("{before}{varies}{behind}"))
    });
    all.collect()
}

/// Takes away what JSON does not have and these files do: remarks, and commas before a closing bracket.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut is_quoted = false;
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('\\', Some(next)) if is_quoted => {
                out.extend([c, *next]);
                rest.next();
            }
            ('"', _) => {
                is_quoted = !is_quoted;
                out.push(c);
            }
            ('/', Some('/')) if !is_quoted => while rest.next_if(|c| *c != '\n').is_some() {},
            ('/', Some('*')) if !is_quoted => {
                let mut last = ' ';
                for c in rest.by_ref() {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            ('}' | ']', _) if !is_quoted => {
                if out.trim_end().ends_with(',') {
                    out.truncate(out.trim_end().len() - 1);
                }
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_to_folders_as_the_settings_say() {
        let text = "{ // of the app\n \"compilerOptions\": {\"baseUrl\": \".\", /* and */ \"paths\": {\"@/*\": [\"src/*\", \"gen/*\"], \"~lib\": [\"./lib/index.ts\",], \"ui/*\": [\"packages/ui/src/*.tsx\"]},},}";
        let mut aliases = read("web/tsconfig.json", text);
        aliases.extend(read("tsconfig.base.json", "{\"compilerOptions\": {\"paths\": {\"@/*\": [\"shared/*\"]}}}"));
        let table: [(&str, &str, &[&str]); 6] = [
            ("web/src/a.ts", "@/lib/x", &["web/src/lib/x", "web/gen/lib/x", "shared/lib/x", "web/@/lib/x"]),
            ("web/src/a.ts", "~lib", &["web/lib/index.ts", "web/~lib"]),
            ("web/src/a.ts", "ui/button", &["web/packages/ui/src/button.tsx", "web/ui/button"]),
            ("api/a.ts", "@/x", &["shared/x"]),
            ("api/a.ts", "react", &[]),
            ("webs/a.ts", "~lib", &[]),
        ];
        for (from, module, expected) in table {
            let mut found = paths(&aliases, from, module);
            let mut expected: Vec<String> = expected.iter().map(|path| (*path).to_owned()).collect();
            assert_eq!(found.first(), expected.first(), "{module} from {from}");
            found.sort();
            expected.sort();
            assert_eq!(found, expected, "{module} from {from}");
        }
        assert!(read("tsconfig.json", "{\"compilerOptions\": 1}").is_empty());
        assert!(read("tsconfig.json", "\"/*").is_empty() && read("tsconfig.json", "{\"a\": \"\\").is_empty());
        assert!(is_settings("a/tsconfig.app.json") && is_settings("jsconfig.json") && !is_settings("package.json"));
    }
}
