//! How does SQLite come to know tables of vectors?
//!
//! sqlite-vec is compiled in and made known to one connection at a time: nothing of the process changes, and files that hold
//! no vectors are opened without it. Tables of it can be read only by connections that know it.

use std::ffi::{c_char, c_int};
use std::ptr;

use rusqlite::{Connection, ffi};

/// What every extension of SQLite begins with.
type Entry = unsafe extern "C" fn(*mut ffi::sqlite3, *mut *mut c_char, *const ffi::sqlite3_api_routines) -> c_int;

/// Makes the module `vec0` known to a connection.
#[expect(unsafe_code, reason = "an extension in C that has no safe entry")]
pub(crate) fn load(connection: &Connection) -> rusqlite::Result<()> {
    // SAFETY: sqlite-vec declares its entry without arguments so that any version of the bindings takes it; it has the form
    // of every extension's, and both crates are pinned to versions that agree.
    let entry = unsafe {
        std::mem::transmute::<unsafe extern "C" fn(), Entry>(sqlite_vec::sqlite3_vec_init as unsafe extern "C" fn())
    };
    let mut message = ptr::null_mut();
    // SAFETY: the handle is that of an open connection which this thread alone uses; compiled in, an extension takes no table of
    // routines; a message is SQLite's own and given back to it, where nothing is given back nothing.
    let code = unsafe {
        let code = entry(connection.handle(), &raw mut message, ptr::null());
        ffi::sqlite3_free(message.cast());
        code
    };
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_knows_vectors_once_it_was_told_and_others_do_not() {
        let one = Connection::open_in_memory().unwrap();
        load(&one).unwrap();
        load(&one).unwrap();
        let version: String = one.query_row("SELECT vec_version()", [], |row| row.get(0)).unwrap();
        assert_eq!(version, "v0.1.9");
        let other = Connection::open_in_memory().unwrap();
        assert!(other.query_row("SELECT vec_version()", [], |_| Ok(())).is_err());
    }
}
