//! Can a database work safely where it is to lie?
//!
//! SQLite's WAL mode shares memory between processes, which no network file system carries over; files have been spoiled
//! that way. There the rollback journal is used, and what may be lost goes to a folder of this machine instead.

use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::base::path::{create_private_dir, user_id};

/// How changes are kept apart until they are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journal {
    /// Write-ahead log: readers and a writer do not wait for each other. Needs a local file system.
    Wal,
    /// Rollback journal: works wherever locks do.
    Rollback,
}

/// File systems on which another machine may have the same file open, by the `f_type` of statfs(2), and those that pass
/// calls on to a program of unknown abilities. Numbers from <linux/magic.h> and the file systems' own headers.
const SHARED: &[(u64, &str)] = &[
    (0x6969, "nfs"),
    (0x517b, "smb"),
    (0xff53_4d42, "cifs"),
    (0xfe53_4d42, "smb2"),
    (0x0102_1997, "9p"),
    (0x6573_5546, "fuse"),
    (0x5346_414f, "afs"),
    (0x6b41_4653, "kafs"),
    (0x7375_7245, "coda"),
    (0x00c3_6400, "ceph"),
    (0x0bd0_0bd0, "lustre"),
    (0x4750_4653, "gpfs"),
    (0x0116_1970, "gfs2"),
    (0x7461_636f, "ocfs2"),
    (0x1983_0326, "beegfs"),
];

/// Returns the journal that is safe in a folder that exists. Where the kind of file system is not known, the safe one.
pub fn journal(folder: &Path) -> Journal {
    match magic(folder) {
        Some(magic) if !is_shared(magic) => Journal::Wal,
        _ => Journal::Rollback,
    }
}

/// Returns the kind of the file system a folder lies on when other machines may have its files open too.
pub fn shared_kind(folder: &Path) -> Option<&'static str> {
    kind(magic(folder)?)
}

fn kind(magic: u64) -> Option<&'static str> {
    SHARED.iter().find(|(known, _)| *known == magic).map(|(_, name)| *name)
}

/// Returns `folder`, or on a network file system a folder of this user below `local` (normally [`LOCAL`]). Only for what
/// can be made again. `folder` may still be missing; what exists of it decides.
pub fn local(folder: &Path, local: &Path) -> PathBuf {
    let existing = folder.ancestors().find(|path| path.exists()).unwrap_or(folder);
    if journal(existing) == Journal::Wal {
        return folder.to_path_buf();
    }
    private_below(local).unwrap_or_else(|| folder.to_path_buf())
}

/// Where a folder of this machine's own is made: kept over a restart, and a disk rather than memory.
pub const LOCAL: &str = "/var/tmp";

/// Makes the user's own folder where everybody may write. Somebody else's of that name, or one others can enter, is not
/// used: it may be a trap.
fn private_below(base: &Path) -> Option<PathBuf> {
    let folder = base.join(format!("mimi-{}", user_id()));
    create_private_dir(&folder).ok()?;
    let meta = folder.symlink_metadata().ok()?;
    let is_ours = meta.is_dir() && meta.uid() == user_id() && meta.mode() & 0o077 == 0;
    (is_ours && journal(&folder) == Journal::Wal).then_some(folder)
}

fn is_shared(magic: u64) -> bool {
    kind(magic).is_some()
}

#[cfg(target_os = "linux")]
fn magic(folder: &Path) -> Option<u64> {
    // The type of the field differs between processors; the numbers have 32 bits on all of them.
    rustix::fs::statfs(folder).ok().map(|stat| stat.f_type as u64 & 0xffff_ffff)
}

#[cfg(not(target_os = "linux"))]
fn magic(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_and_local_ones_are_not_among_them() {
        for (magic, name) in SHARED {
            assert_eq!(kind(*magic), Some(*name));
        }
        // ext4, xfs, btrfs, tmpfs, overlayfs, zfs.
        for magic in [0xef53, 0x5846_5342, 0x9123_683e, 0x0102_1994, 0x794c_7630, 0x2fc1_2fc1] {
            assert!(!is_shared(magic), "{magic:x}");
        }
    }

    #[test]
    fn a_folder_for_all_is_used_only_through_one_that_is_ours_alone() {
        let base = tempfile::tempdir().unwrap();
        let own = private_below(base.path()).unwrap();
        assert_eq!(own.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(private_below(base.path()), Some(own.clone()));
        crate::base::path::set_mode(&own, 0o777).unwrap();
        assert_eq!(private_below(base.path()), None, "others could have put something in");
        std::fs::remove_dir(&own).unwrap();
        std::os::unix::fs::symlink(base.path(), &own).unwrap();
        assert_eq!(private_below(base.path()), None, "a link leads anywhere");
    }

    #[test]
    fn a_local_folder_stays_where_it_is_also_before_it_is_made() {
        let base = tempfile::tempdir().unwrap();
        let wanted = base.path().join("a/b");
        assert_eq!(local(&wanted, base.path()), wanted);
    }
}
