//! Which files would a command run as code?
//!
//! The programs it starts, and the scripts it names: what a person who approves it relies on without seeing it. Found by the
//! words alone; what a program reads by itself is not known here.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::policy::command::scan::Word;
use crate::policy::command::table::Table;
use crate::policy::{Policy, rules};
use crate::protocol::tool::Action;

impl Policy {
    /// Returns the files, links followed; only those that are there.
    pub fn code(&self, actions: &[Action]) -> BTreeSet<PathBuf> {
        let mut files = BTreeSet::new();
        for action in actions {
            if let Action::Execute { command, cwd } = action {
                let cwd = rules::folder(cwd.as_ref(), &self.ground.root);
                self.add_code(command, cwd, &mut files);
            }
        }
        files
    }

    fn add_code(&self, command: &str, cwd: &Path, files: &mut BTreeSet<PathBuf>) {
        let Some(table) = Table::get() else { return };
        let disk = self.ground.disk.as_ref();
        // Nobody knows whether a `cd` succeeds, so a name may mean a file in any of these.
        let mut folders = vec![cwd.to_path_buf()];
        for words in self.read(command, cwd).parts.iter().flat_map(|part| &part.layers) {
            let Some(first) = words.first() else { continue };
            if first.text == "cd" {
                folders.extend(words.get(1).map(|word| cwd.join(&word.text)));
                continue;
            }
            let bare = table.bare(&first.text);
            if let Some(name) = bare.filter(|_| !first.text.contains('/')) {
                files.extend(disk.program(name));
            }
            // An interpreter runs what it is given; a program named by its path is code itself.
            let runs_others = bare.is_some_and(|name| table.is_interpreter(name) || table.is_shell(name));
            let named: &[Word] = if runs_others { words } else { &words[..1] };
            // The command `.` is no file, though there is one of that name: the folder.
            let paths = named.iter().filter(|word| (runs_others && word.text != ".") || word.text.contains('/'));
            let paths = paths.flat_map(|word| folders.iter().map(|folder| folder.join(&word.text)));
            files.extend(paths.filter(|path| disk.exists(path)).map(|path| disk.follow(&path)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Ground;
    use crate::protocol::op::Mode;

    #[test]
    fn scripts_and_programs_are_found_and_data_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("sub")).unwrap();
        for file in ["x.sh", "x.py", "data.txt", "sub/y.sh"] {
            std::fs::write(root.join(file), "").unwrap();
        }
        let policy = Policy::new(Mode::Ask, Ground::new(root.clone(), "/home/me".into()), Vec::new()).unwrap();
        let table: [(&str, &[&str]); 11] = [
            ("./x.sh data.txt", &["x.sh"]),
            ("sh x.sh", &["x.sh"]),
            ("bash -eu ./x.sh", &["x.sh"]),
            ("timeout 5 ./x.sh", &["x.sh"]),
            ("python3 x.py data.txt", &["data.txt", "x.py"]),
            (". ./x.sh", &["x.sh"]),
            ("source x.sh && make", &["x.sh"]),
            ("cd sub && ./y.sh", &["sub/y.sh"]),
            ("make; (./x.sh)", &["x.sh"]),
            ("tee data.txt", &[]),
            ("./gone.sh", &[]),
        ];
        for (command, expected) in table {
            let found = policy.code(&[Action::Execute { command: command.to_owned(), cwd: None }]);
            let found: Vec<_> = found.iter().filter_map(|path| path.strip_prefix(&root).ok()).collect();
            assert_eq!(found, expected.iter().map(Path::new).collect::<Vec<_>>(), "{command}");
        }
    }
}
