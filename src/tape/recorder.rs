//! How does a recording get onto disk so that a killed run leaves a readable one?
//!
//! One line a record, each in one write, to a file that only the user may read. In the place of secrets stand the placeholders
//! that models get, so that a request that is played is the same. A disk that is full ends the recording, never the run.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Serialize;

use crate::base::path::create_private;
use crate::base::secrets::{change_json, veil};
use crate::model::Request;
use crate::tape::asked;
use crate::tape::entry::{Entry, Head};
use crate::tape::error::TapeError;

/// What stands in place of a key.
const STRUCK: &str = "[secret]";
/// Shorter texts are no keys, and striking them out would garble everything.
const MIN_SECRET_BYTES: usize = 6;

/// Writes a recording.
pub struct Recorder {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: File,
    secrets: Vec<String>,
    last: Option<Request>,
    n_requests: u64,
    trouble: Option<String>,
}

impl Recorder {
    /// Begins a recording; refuses to replace a file. `secrets` never reach it.
    pub fn create(path: &Path, head: &Head, secrets: &[String]) -> Result<Self, TapeError> {
        let file = create_private(path).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => TapeError::Exists { path: path.to_path_buf() },
            _ => TapeError::Create { path: path.to_path_buf(), source },
        })?;
        // As it stands in JSON text.
        let secrets = secrets.iter().filter(|secret| secret.len() >= MIN_SECRET_BYTES).map(|secret| {
            let json = serde_json::Value::from(secret.as_str()).to_string();
            json.trim_matches('"').to_owned()
        });
        let inner = Inner { file, secrets: secrets.collect(), last: None, n_requests: 0, trouble: None };
        let recorder = Self { path: path.to_path_buf(), inner: Mutex::new(inner) };
        recorder.lock().write(head);
        match recorder.trouble() {
            Some(why) => Err(TapeError::Create { path: path.to_path_buf(), source: io::Error::other(why) }),
            None => Ok(recorder),
        }
    }

    /// Returns the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a record.
    pub fn put(&self, entry: &Entry) {
        self.lock().write(entry);
    }

    /// Writes a request before it is sent; returns its number.
    pub fn request(&self, request: &Request) -> u64 {
        let mut inner = self.lock();
        inner.n_requests += 1;
        let n = inner.n_requests;
        let asked = Box::new(asked(request, inner.last.as_ref()));
        inner.write(&Entry::Request { n, asked });
        inner.last = Some(request.clone());
        n
    }

    /// Returns why the recording is not complete, if it is not.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn write(&mut self, value: &impl Serialize) {
        if self.trouble.is_some() {
            return;
        }
        let written = serde_json::to_string(value).map_err(io::Error::from).and_then(|line| {
            let mut line = change_json(&line, veil).into_owned();
            for secret in &self.secrets {
                if line.contains(secret.as_str()) {
                    line = line.replace(secret.as_str(), STRUCK);
                }
            }
            line.push('\n');
            self.file.write_all(line.as_bytes())
        });
        self.trouble = written.err().map(|error| error.to_string());
    }
}
