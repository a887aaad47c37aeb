//! How fast is the output of a check read?

use std::io::BufReader;
use std::path::Path;
use std::time::Instant;

use mimi::strategy::failure;

use crate::Measured;

/// Megabytes of output.
const N_MEGABYTES: usize = 100;

/// Measures how long a hundred megabytes take: lines of passing tests, of logs, and now and then a failure.
pub fn reading() -> Result<Measured, String> {
    let passing = "test strategy::failure::tests::a_test_with_a_name_of_usual_length ... ok\n".repeat(40);
    let log =
        "2026-11-26T14:42:45.123Z  INFO request{id=42}: server: answered in 12 ms with 200 and 1234 bytes\n".repeat(40);
    let failing = "---- tests::adds stdout ----\n\nthread 'tests::adds' (7) panicked at src/lib.rs:12:9:\n\
                   assertion `left == right` failed\n  left: 3\n right: 4\n\nfailures:\n";
    let part = format!("{passing}{log}{failing}");
    let output = part.repeat(N_MEGABYTES * 1_000_000 / part.len());
    let started = Instant::now();
    let found = failure::read_from(BufReader::new(output.as_bytes()), Path::new("/project"));
    let value = started.elapsed().as_secs_f64() * 1e3;
    let n_found = found.failures.len();
    let n_repeated = output.matches("panicked at").count();
    if n_found != 1 {
        return Err(format!("{n_found} failures were read where one is repeated {n_repeated} times"));
    }
    Ok(Measured { value, detail: format!("{:.0} MB/s, {n_repeated} failures", output.len() as f64 / 1e3 / value) })
}
