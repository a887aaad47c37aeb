//! Does a changed file keep everything the change did not mean?

use std::ffi::CStr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use rustix::fs::{XattrFlags, getxattr, setxattr};
use serde_json::json;

use crate::tools::support::Bench;

/// How text becomes bytes; none where it has no such character.
type Encode = fn(&str) -> Vec<u8>;

fn utf16(text: &str, bytes_of: fn(u16) -> [u8; 2]) -> Vec<u8> {
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(bytes_of).collect()
}

/// Every encoding, each with a letter that it stores in its own way.
const ENCODINGS: [(&str, Encode); 6] = [
    ("ascii", |text| text.replace('ü', "u").into_bytes()),
    ("utf-8", |text| text.as_bytes().to_vec()),
    ("utf-8 with mark", |text| [b"\xef\xbb\xbf", text.as_bytes()].concat()),
    ("utf-16le", |text| utf16(text, u16::to_le_bytes)),
    ("utf-16be", |text| utf16(text, u16::to_be_bytes)),
    ("latin-1", |text| text.chars().map(|c| c as u8).collect()),
];

/// Line ends: all the same, or changing from line to line.
const ENDS: [[&str; 3]; 5] = [["\n"; 3], ["\r\n"; 3], ["\r"; 3], ["\r\n", "\n", "\r\n"], ["\n", "\r\n", "\r"]];

fn lines(words: [&str; 3], ends: [&str; 3], last: &str) -> String {
    let all: String = words.iter().zip(ends).map(|(word, end)| format!("{word}{end}")).collect();
    format!("{all}{last}")
}

#[test]
fn bytes_nobody_meant_are_the_same_in_every_encoding_and_with_every_line_end() {
    let mut n_cases = 0;
    for (encoding, encode) in ENCODINGS {
        for ends in ENDS {
            for last in ["", "no newline ü"] {
                let bench = Bench::new(&[]);
                bench.write("f", encode(&lines(["erste ü", "zweite ü", "dritte ü"], ends, last)));
                bench.read("f");
                bench.ok("edit_file", json!({"path": "f", "old_string": "zweite", "new_string": "2."}));
                let expected = encode(&lines(["erste ü", "2. ü", "dritte ü"], ends, last));
                assert_eq!(bench.bytes("f"), expected, "{encoding} {ends:?} {last:?}");
                n_cases += 1;
            }
        }
    }
    assert_eq!(n_cases, 60);
}

/// An access list as the kernel stores it: owner rw, user 1234 r, group r, mask r, others nothing.
fn access_list() -> Vec<u8> {
    let entry =
        |tag: u16, rights: u16, id: u32| [&tag.to_le_bytes()[..], &rights.to_le_bytes(), &id.to_le_bytes()].concat();
    let nobody = u32::MAX;
    let rows = [(1, 6, nobody), (2, 4, 1234), (4, 4, nobody), (16, 4, nobody), (32, 0, nobody)];
    let rows: Vec<u8> = rows.iter().flat_map(|(tag, rights, id)| entry(*tag, *rights, *id)).collect();
    [&2_u32.to_le_bytes()[..], &rows].concat()
}

const ACCESS: &CStr = c"system.posix_acl_access";

#[test]
fn mode_owner_attributes_and_access_lists_are_kept() {
    for tool in ["edit_file", "write_file"] {
        let bench = Bench::new(&[("f", "one\n")]);
        let path = bench.root().join("f");
        let is_root = rustix::process::geteuid().is_root();
        if is_root {
            std::os::unix::fs::chown(&path, Some(4321), Some(8765)).unwrap();
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o2750)).unwrap();
        // File systems without them have none to lose.
        let has_attributes = setxattr(&path, c"user.origin", b"a\0b", XattrFlags::empty()).is_ok();
        let has_lists = setxattr(&path, ACCESS, &access_list(), XattrFlags::empty()).is_ok();
        let before = std::fs::metadata(&path).unwrap();
        bench.read("f");
        bench.ok(
            tool,
            json!(match tool {
                "edit_file" => json!({"path": "f", "old_string": "one", "new_string": "two"}),
                _ => json!({"path": "f", "content": "two\n"}),
            }),
        );
        assert_eq!(bench.text("f"), "two\n");
        let after = std::fs::metadata(&path).unwrap();
        assert_eq!((after.mode(), after.uid(), after.gid()), (before.mode(), before.uid(), before.gid()), "{tool}");
        let mut buffer = [0_u8; 256];
        if has_attributes {
            let n = getxattr(&path, c"user.origin", &mut buffer[..]).unwrap();
            assert_eq!(&buffer[..n], b"a\0b");
        }
        if has_lists {
            let n = getxattr(&path, ACCESS, &mut buffer[..]).unwrap();
            assert_eq!(&buffer[..n], access_list());
        }
    }
}

#[test]
fn an_access_list_a_folder_gives_to_new_files_does_not_open_an_old_one() {
    let bench = Bench::new(&[("f", "one\n")]);
    std::fs::set_permissions(bench.root().join("f"), std::fs::Permissions::from_mode(0o600)).unwrap();
    if setxattr(bench.root(), c"system.posix_acl_default", &access_list(), XattrFlags::empty()).is_err() {
        return assert!(bench.text("f") == "one\n", "no access lists here");
    }
    bench.read("f");
    bench.ok("edit_file", json!({"path": "f", "old_string": "one", "new_string": "two"}));
    let mut buffer = [0_u8; 256];
    assert!(getxattr(bench.root().join("f"), ACCESS, &mut buffer[..]).is_err(), "user 1234 may read it now");
    bench.ok("write_file", json!({"path": "new", "content": "x\n"}));
    assert!(
        getxattr(bench.root().join("new"), ACCESS, &mut buffer[..]).is_ok(),
        "a new file gets what its folder says"
    );
}
