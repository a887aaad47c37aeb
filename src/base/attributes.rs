//! How does a file that replaces another keep its extended attributes, access lists included?
//!
//! What cannot be kept is an error: who set an attribute meant it. Except in the namespace `security`, which the system
//! fills by its own rules and ordinary users may not write. Surprising: a new file can have attributes nobody gave it, such
//! as the default access list of its folder; those are taken away again.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};
use std::fs::File;
use std::io;

use rustix::fs::{XattrFlags, fgetxattr, flistxattr, fremovexattr, fsetxattr};
use rustix::io::Errno;

/// Bytes of all names and of one value; the limit of Linux for both.
const MAX_BYTES: usize = 64 * 1024;

/// An attribute that cannot be kept.
#[derive(Debug, thiserror::Error)]
#[error("its extended attribute `{name}` cannot be kept: {source}")]
pub struct NotKept {
    /// The attribute.
    pub name: String,
    /// Why, in words: part of one line.
    source: io::Error,
}

/// Makes the attributes of `new` those of `old`.
pub fn copy(old: &File, new: &File) -> Result<(), NotKept> {
    let (wanted, found) = (read(old)?, read(new)?);
    for (name, value) in &wanted {
        if found.get(name) != Some(value)
            && let Err(error) = fsetxattr(new, name.as_c_str(), value, XattrFlags::empty())
            && !is_of_the_system(name)
        {
            return Err(not_kept(name, error));
        }
    }
    for name in found.keys().filter(|name| !wanted.contains_key(*name) && !is_of_the_system(name)) {
        fremovexattr(new, name.as_c_str()).map_err(|error| not_kept(name, error))?;
    }
    Ok(())
}

/// Reads all attributes that can be read; file systems without any have none.
fn read(file: &File) -> Result<BTreeMap<CString, Vec<u8>>, NotKept> {
    let mut buffer = vec![0_u8; MAX_BYTES];
    let n_bytes = match flistxattr(file, &mut buffer[..]) {
        Ok(n_bytes) => n_bytes,
        Err(Errno::NOTSUP | Errno::NOSYS) => 0,
        Err(error) => return Err(not_kept(c"all", error)),
    };
    let names: Vec<CString> = buffer[..n_bytes]
        .split_inclusive(|byte| *byte == 0)
        .filter_map(|name| Some(CStr::from_bytes_with_nul(name).ok()?.to_owned()))
        .collect();
    let mut found = BTreeMap::new();
    for name in names {
        match fgetxattr(file, name.as_c_str(), &mut buffer[..]) {
            Ok(n_bytes) => drop(found.insert(name, buffer[..n_bytes].to_vec())),
            // It went meanwhile, or is not for our eyes.
            Err(Errno::NODATA) => {}
            Err(_) if is_of_the_system(&name) => {}
            Err(error) => return Err(not_kept(&name, error)),
        }
    }
    Ok(found)
}

fn is_of_the_system(name: &CStr) -> bool {
    name.to_bytes().starts_with(b"security.")
}

fn not_kept(name: &CStr, error: Errno) -> NotKept {
    NotKept { name: name.to_string_lossy().into_owned(), source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_made_the_same() {
        let (old, new) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let set = |file: &File, name: &CStr, value: &[u8]| fsetxattr(file, name, value, XattrFlags::empty());
        if set(&old, c"user.kept", b"a\0b").is_err() {
            // A file system without attributes has nothing to lose.
            return assert!(copy(&old, &new).is_ok());
        }
        set(&old, c"user.empty", b"").unwrap();
        set(&new, c"user.other", b"x").unwrap();
        set(&new, c"user.kept", b"y").unwrap();
        copy(&old, &new).unwrap();
        let found = read(&new).unwrap();
        assert_eq!(found, read(&old).unwrap());
        assert_eq!(found.get(c"user.kept").map(Vec::as_slice), Some(&b"a\0b"[..]));
    }
}
