//! Where does a command's output go?
//!
//! Results to standard output, one line at a time; remarks to standard error. A reader that went away ends the command
//! quietly. Must not decide what is said.

use std::io::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::fault::{Fault, Kind};

/// The two streams of a command. Cheap to clone.
#[derive(Clone)]
pub struct Out {
    results: Stream,
    remarks: Stream,
}

type Stream = Arc<Mutex<dyn Write + Send>>;

impl Out {
    /// Writes to the streams of the process.
    pub fn process() -> Self {
        Self::to(std::io::stdout(), std::io::stderr())
    }

    /// Writes to `results` and `remarks`; for tests and pagers.
    pub fn to(results: impl Write + Send + 'static, remarks: impl Write + Send + 'static) -> Self {
        Self { results: Arc::new(Mutex::new(results)), remarks: Arc::new(Mutex::new(remarks)) }
    }

    /// Prints one line of the result.
    ///
    /// # Errors
    /// [`Kind::BrokenPipe`] when the reader went away, [`Kind::Task`] when the disk is full.
    pub fn line(&self, text: impl AsRef<str>) -> Result<(), Fault> {
        let mut results = open(&self.results);
        writeln!(results, "{}", text.as_ref())
            .and_then(|()| results.flush())
            .map_err(|error| Fault::io(Kind::Task, "cannot write the output", &error))
    }

    /// Prints one remark. A remark nobody can read is dropped.
    pub fn note(&self, text: impl AsRef<str>) {
        writeln!(open(&self.remarks), "{}", text.as_ref()).ok();
    }
}

/// A panic of another thread while it wrote does not silence us.
fn open<'a>(stream: &'a Mutex<dyn Write + Send + 'static>) -> MutexGuard<'a, dyn Write + Send + 'static> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for Out {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Out")
    }
}
