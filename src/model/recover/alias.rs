//! Which argument does a model mean by `file_path`, `oldString` or `cmd`?
//!
//! Models were trained on other agents' tools and use their names. Only a key that the tool does not have itself is looked
//! up, and only where exactly one argument that was not given can be meant.

use serde_json::{Map, Value};

use crate::model::recover::toolbox::folded;

/// Names that mean the same thing in tools of different agents, folded: lower case, without separators. In each row the
/// likelier meaning stands in the earlier row.
const SAME: &[&[&str]] = &[
    &["path", "filepath", "filename", "file", "targetfile", "relativepath", "absolutepath", "relpath", "pathname"],
    &["path", "dir", "directory", "folder", "dirpath", "directorypath", "root"],
    &["cwd", "workdir", "workingdirectory", "workingdir", "directory", "dir"],
    &["command", "cmd", "script", "shellcommand", "bash", "commandline"],
    &["content", "contents", "text", "filetext", "filecontent", "filecontents", "body", "data", "code"],
    &["oldstring", "oldstr", "oldtext", "old", "search", "find", "original", "searchstring", "oldcontent"],
    &["newstring", "newstr", "newtext", "new", "replace", "replacement", "updated", "replacestring", "newcontent"],
    &["replaceall", "all", "replaceeveryoccurrence"],
    &["pattern", "query", "regex", "regexp", "search", "searchterm", "q", "expression"],
    &["glob", "include", "globpattern", "filepattern", "fileglob"],
    &["startline", "start", "linestart", "from", "fromline", "startlineoneindexed"],
    &["endline", "end", "lineend", "to", "toline", "endlineoneindexed", "endlineoneindexedinclusive"],
    &["maxresults", "limit", "max", "headlimit", "maxcount", "n"],
    &["ignorecase", "caseinsensitive", "i"],
    &["url", "uri", "link", "href"],
    &["message", "msg", "commitmessage"],
    &["question", "prompt"],
    &["tool", "name", "toolname"],
    &["location", "city", "place"],
];

/// Returns for each given key the argument it stands for, in their order; none for keys nobody knows.
pub fn assign(properties: &Map<String, Value>, given: &Map<String, Value>) -> Vec<Option<String>> {
    let mut taken: Vec<&str> = given.keys().map(String::as_str).filter(|key| properties.contains_key(*key)).collect();
    let mut names = Vec::with_capacity(given.len());
    for key in given.keys() {
        let name = match properties.get_key_value(key) {
            Some((name, _)) => Some(name),
            None => meant(properties, &taken, key),
        };
        if let Some(name) = name {
            taken.push(name);
        }
        names.push(name.cloned());
    }
    names
}

fn meant<'a>(properties: &'a Map<String, Value>, taken: &[&str], key: &str) -> Option<&'a String> {
    let key = folded(key.trim());
    let free: Vec<&String> = properties.keys().filter(|name| !taken.contains(&name.as_str())).collect();
    if let Some(name) = only(free.iter().filter(|name| folded(name) == key)) {
        return Some(name);
    }
    let rows = SAME.iter().filter(|row| row.contains(&key.as_str()));
    rows.filter_map(|row| only(free.iter().filter(|name| row.contains(&folded(name).as_str()))).copied()).next()
}

fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn other_agents_names_are_understood_where_one_thing_can_be_meant() {
        let table = [
            (json!({"path": 0}), json!({"file_path": 0}), vec![Some("path")]),
            (
                json!({"path": 0, "old_string": 0, "new_string": 0}),
                json!({"filePath": 0, "oldString": 0, "new": 0}),
                vec![Some("path"), Some("old_string"), Some("new_string")],
            ),
            (json!({"path": 0}), json!({"path": 0, "file": 0}), vec![Some("path"), None]),
            (json!({"path": 0}), json!({"file": 0, "path": 0}), vec![None, Some("path")]),
            (json!({"command": 0, "cwd": 0}), json!({"cmd": 0, "directory": 0}), vec![Some("command"), Some("cwd")]),
            (
                json!({"pattern": 0, "path": 0}),
                json!({"query": 0, "directory": 0}),
                vec![Some("pattern"), Some("path")],
            ),
            (json!({"file": 0, "path": 0}), json!({"filename": 0}), vec![None]),
            (json!({"start_line": 0}), json!({"offset": 0}), vec![None]),
        ];
        for (properties, given, expected) in table {
            let found = assign(properties.as_object().unwrap(), given.as_object().unwrap());
            let found: Vec<Option<&str>> = found.iter().map(Option::as_deref).collect();
            assert_eq!(found, expected, "{given}");
        }
    }
}
