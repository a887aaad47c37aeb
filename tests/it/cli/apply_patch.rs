//! Does `mimi debug apply-patch` leave exactly what the V4A format's own program leaves, also when it fails half way?

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::Env;

/// What the program does with a patch.
struct Case {
    name: &'static str,
    before: &'static [(&'static str, &'static str)],
    patch: &'static str,
    after: &'static [(&'static str, &'static str)],
    /// What it prints: on standard output when it succeeds, else on standard error. `{}` stands for the folder.
    said: &'static str,
}

const CASES: &[Case] = &[
    Case {
        name: "a new file",
        before: &[],
        patch: "*** Begin Patch\n*** Add File: bar.md\n+This is a new file\n*** End Patch\n",
        after: &[("bar.md", "This is a new file\n")],
        said: "A bar.md\n",
    },
    Case {
        name: "sections of every kind, told by kind",
        before: &[("modify.txt", "line1\nline2\n"), ("delete.txt", "obsolete\n")],
        patch: "*** Begin Patch\n*** Add File: nested/new.txt\n+created\n*** Delete File: delete.txt\n*** Update File: modify.txt\n@@\n-line2\n+changed\n*** End Patch",
        after: &[("modify.txt", "line1\nchanged\n"), ("nested/new.txt", "created\n")],
        said: "A nested/new.txt\nM modify.txt\nD delete.txt\n",
    },
    Case {
        name: "several chunks",
        before: &[("multi.txt", "line1\nline2\nline3\nline4\n")],
        patch: "*** Begin Patch\n*** Update File: multi.txt\n@@\n-line2\n+changed2\n@@\n-line4\n+changed4\n*** End Patch",
        after: &[("multi.txt", "line1\nchanged2\nline3\nchanged4\n")],
        said: "M multi.txt\n",
    },
    Case {
        name: "another name in a new folder",
        before: &[("old/name.txt", "old content\n"), ("old/other.txt", "unrelated\n")],
        patch: "*** Begin Patch\n*** Update File: old/name.txt\n*** Move to: renamed/dir/name.txt\n@@\n-old content\n+new content\n*** End Patch",
        after: &[("old/other.txt", "unrelated\n"), ("renamed/dir/name.txt", "new content\n")],
        said: "M renamed/dir/name.txt\n",
    },
    Case {
        name: "another name over a file",
        before: &[("old/name.txt", "from\n"), ("renamed/name.txt", "existing\n")],
        patch: "*** Begin Patch\n*** Update File: old/name.txt\n*** Move to: renamed/name.txt\n@@\n-from\n+new\n*** End Patch",
        after: &[("renamed/name.txt", "new\n")],
        said: "M renamed/name.txt\n",
    },
    Case {
        name: "a new file over another",
        before: &[("duplicate.txt", "old content\n")],
        patch: "*** Begin Patch\n*** Add File: duplicate.txt\n+new content\n*** End Patch",
        after: &[("duplicate.txt", "new content\n")],
        said: "A duplicate.txt\n",
    },
    Case {
        name: "a last line that gets an end",
        before: &[("no_newline.txt", "no newline at end")],
        patch: "*** Begin Patch\n*** Update File: no_newline.txt\n@@\n-no newline at end\n+first line\n+second line\n*** End Patch",
        after: &[("no_newline.txt", "first line\nsecond line\n")],
        said: "M no_newline.txt\n",
    },
    Case {
        name: "what was done before a failure stays",
        before: &[],
        patch: "*** Begin Patch\n*** Add File: created.txt\n+hello\n*** Update File: missing.txt\n@@\n-old\n+new\n*** End Patch",
        after: &[("created.txt", "hello\n")],
        said: "Failed to read file to update {}/missing.txt: No such file or directory (os error 2)\n",
    },
    Case {
        name: "lines added alone",
        before: &[("input.txt", "line1\nline2\n")],
        patch: "*** Begin Patch\n*** Update File: input.txt\n@@\n+added line 1\n+added line 2\n*** End Patch",
        after: &[("input.txt", "line1\nline2\nadded line 1\nadded line 2\n")],
        said: "M input.txt\n",
    },
    Case {
        name: "blanks around markers",
        before: &[("file.txt", "one\n")],
        patch: " *** Begin Patch \n  *** Update File: file.txt\n@@\n-one\n+two\n *** End Patch \n",
        after: &[("file.txt", "two\n")],
        said: "M file.txt\n",
    },
    Case {
        name: "characters beyond ASCII",
        before: &[("foo.txt", "line1\nnaïve café\nline3\n")],
        patch: "*** Begin Patch\n*** Update File: foo.txt\n@@\n line1\n-naïve café\n+naïve café ✅\n*** End Patch",
        after: &[("foo.txt", "line1\nnaïve café ✅\nline3\n")],
        said: "M foo.txt\n",
    },
    Case {
        name: "characters that look alike",
        before: &[("foo.txt", "a \u{2013} b \u{201c}c\u{201d}\nd\n")],
        patch: "*** Begin Patch\n*** Update File: foo.txt\n@@\n-a - b \"c\"\n+x\n*** End Patch",
        after: &[("foo.txt", "x\nd\n")],
        said: "M foo.txt\n",
    },
    Case {
        name: "lines removed",
        before: &[("lines.txt", "line1\nline2\nline3\n")],
        patch: "*** Begin Patch\n*** Update File: lines.txt\n@@\n line1\n-line2\n line3\n*** End Patch",
        after: &[("lines.txt", "line1\nline3\n")],
        said: "M lines.txt\n",
    },
    Case {
        name: "the end of the file",
        before: &[("tail.txt", "second\nfirst\nsecond\n")],
        patch: "*** Begin Patch\n*** Update File: tail.txt\n@@\n-second\n+second updated\n*** End of File\n*** End Patch",
        after: &[("tail.txt", "second\nfirst\nsecond updated\n")],
        said: "M tail.txt\n",
    },
    Case {
        name: "an anchor, and the first place below it",
        before: &[("f", "x\na\n  x\nx\n")],
        patch: "*** Begin Patch\n*** Update File: f\n@@ a\n-x\n+y\n*** End Patch",
        after: &[("f", "x\na\n  x\ny\n")],
        said: "M f\n",
    },
    Case {
        name: "context takes the patch's blanks",
        before: &[("f", "  a  \nb\n")],
        patch: "*** Begin Patch\n*** Update File: f\n a\n-b\n+c\n*** End Patch",
        after: &[("f", "a\nc\n")],
        said: "M f\n",
    },
    Case {
        name: "an empty last line in the patch",
        before: &[("f", "a\nb\n")],
        patch: "*** Begin Patch\n*** Update File: f\n@@\n-b\n+c\n\n*** End Patch",
        after: &[("f", "a\nc\n")],
        said: "M f\n",
    },
    Case {
        name: "line ends of the file stay",
        before: &[("f", "one\r\ntwo\nthree\r\nfour\n")],
        patch: "*** Begin Patch\n*** Update File: f\n@@\n one\n two\n-three\n+THREE\n four\n*** End Patch",
        after: &[("f", "one\r\ntwo\nTHREE\r\nfour\n")],
        said: "M f\n",
    },
    Case {
        name: "a new last line end is like the others",
        before: &[("f", "one\r\ntwo")],
        patch: "*** Begin Patch\n*** Update File: f\n@@\n-one\n+ONE\n*** End Patch",
        after: &[("f", "ONE\r\ntwo\r\n")],
        said: "M f\n",
    },
    Case {
        name: "a here-document around",
        before: &[],
        patch: "<<'EOF'\n*** Begin Patch\n*** Add File: x\n+1\n*** End Patch\nEOF\n",
        after: &[("x", "1\n")],
        said: "A x\n",
    },
    Case {
        name: "an environment",
        before: &[],
        patch: "*** Begin Patch\n*** Environment ID: remote\n*** Add File: x\n+1\n*** End Patch",
        after: &[("x", "1\n")],
        said: "A x\n",
    },
    Case {
        name: "no sections",
        before: &[("foo.txt", "stable\n")],
        patch: "*** Begin Patch\n*** End Patch",
        after: &[("foo.txt", "stable\n")],
        said: "No files were modified.\n",
    },
    Case {
        name: "lines that are not there",
        before: &[("modify.txt", "line1\nline2\n")],
        patch: "*** Begin Patch\n*** Update File: modify.txt\n@@\n-missing\n+changed\n*** End Patch",
        after: &[("modify.txt", "line1\nline2\n")],
        said: "Failed to find expected lines in {}/modify.txt:\nmissing\n",
    },
    Case {
        name: "an anchor that is not there",
        before: &[("f", "a\n")],
        patch: "*** Begin Patch\n*** Update File: f\n@@ def g():\n-a\n+b\n*** End Patch",
        after: &[("f", "a\n")],
        said: "Failed to find context 'def g():' in {}/f\n",
    },
    Case {
        name: "a deletion of nothing",
        before: &[("foo.txt", "stable\n")],
        patch: "*** Begin Patch\n*** Delete File: missing.txt\n*** End Patch",
        after: &[("foo.txt", "stable\n")],
        said: "Failed to delete file {}/missing.txt\n",
    },
    Case {
        name: "a deletion of a folder",
        before: &[("dir/foo.txt", "stable\n")],
        patch: "*** Begin Patch\n*** Delete File: dir\n*** End Patch",
        after: &[("dir/foo.txt", "stable\n")],
        said: "Failed to delete file {}/dir\n",
    },
    Case {
        name: "a section without changes",
        before: &[("foo.txt", "stable\n")],
        patch: "*** Begin Patch\n*** Update File: foo.txt\n*** End Patch",
        after: &[("foo.txt", "stable\n")],
        said: "Invalid patch hunk on line 2: Update file hunk for path 'foo.txt' is empty\n",
    },
    Case {
        name: "a chunk without lines",
        before: &[("foo.txt", "stable\n")],
        patch: "*** Begin Patch\n*** Update File: foo.txt\n@@\n*** End of File\n*** End Patch",
        after: &[("foo.txt", "stable\n")],
        said: "Invalid patch hunk on line 4: Update hunk does not contain any lines\n",
    },
    Case {
        name: "a second chunk without its sign",
        before: &[("foo.txt", "a\nb\n")],
        patch: "*** Begin Patch\n*** Update File: foo.txt\n@@\n-a\n+b\nb\n*** End Patch",
        after: &[("foo.txt", "a\nb\n")],
        said: "Invalid patch hunk on line 6: Expected update hunk to start with a @@ context marker, got: 'b'\n",
    },
    Case {
        name: "no beginning",
        before: &[],
        patch: "bad",
        after: &[],
        said: "Invalid patch: The first line of the patch must be '*** Begin Patch'\n",
    },
    Case {
        name: "no end",
        before: &[],
        patch: "*** Begin Patch\n*** Add File: x\n+1",
        after: &[],
        said: "Invalid patch: The last line of the patch must be '*** End Patch'\n",
    },
];

fn tree(folder: &Path) -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => folders.push(path),
                false => {
                    let name = path.strip_prefix(folder).unwrap().display().to_string();
                    drop(files.insert(name, std::fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    files
}

#[test]
fn the_folder_and_the_words_are_those_of_the_formats_own_program() {
    for case in CASES {
        let env = Env::new();
        for (name, text) in case.before {
            env.write(name, text);
        }
        let outcome = env.run(["debug", "apply-patch"]).stdin(case.patch).outcome();
        let after: BTreeMap<String, String> =
            case.after.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        assert_eq!(tree(env.work()), after, "{}: {outcome}", case.name);
        let is_done = case.said.starts_with(['A', 'M', 'D']);
        let said = case.said.replace("{}", &env.work().display().to_string());
        let expected = match is_done {
            true => (0, format!("Success. Updated the following files:\n{said}"), String::new()),
            false => (1, String::new(), said),
        };
        assert_eq!((outcome.code, outcome.raw_stdout, outcome.raw_stderr), expected, "{}", case.name);
    }
}

#[test]
fn a_header_that_is_none_is_named() {
    let patch = "*** Begin Patch\n*** Frobnicate File: foo\n*** End Patch";
    let outcome = Env::new().run(["debug", "apply-patch"]).stdin(patch).outcome().fails_with(1);
    let words = "Invalid patch hunk on line 2: '*** Frobnicate File: foo' is not a valid hunk header. Valid hunk headers: '*** Add File: {path}', '*** Delete File: {path}', '*** Update File: {path}'\n";
    assert_eq!(outcome.raw_stderr, words);
}
