//! What does it cost to look through a conversation for secrets before each request?

use std::time::Instant;

use mimi::base::secrets::{OPEN, example::expand, veil};

use crate::{Measured, Unit, spread};

/// Bytes looked through for one sample: a conversation that fills a large window.
const N_BYTES: usize = 4_000_000;
const N_SAMPLES: usize = 15;

/// Measures finding secrets in source code and tables in which the words that announce them are frequent, with a secret in
/// every hundredth kilobyte.
pub fn finding() -> Result<Measured, String> {
    let source = concat!(include_str!("../../src/base/secrets/mod.rs"), include_str!("../../src/config/secret.rs"));
    let piece = source.repeat(100_000 / source.len() + 1) + &expand("token = ghp_<an:36>\n");
    let text = piece.repeat(N_BYTES / piece.len() + 1);
    let n_secrets = text.matches("token = ghp_").count();
    let n_found = veil(&text).matches(OPEN).count() - text.matches(OPEN).count();
    if n_found != n_secrets {
        return Err(format!("{n_found} of {n_secrets} secrets were found"));
    }
    let sample = |_| {
        let started = Instant::now();
        std::hint::black_box(veil(std::hint::black_box(&text)).len());
        text.len() as f64 / 1e6 / started.elapsed().as_secs_f64()
    };
    spread((0..N_SAMPLES).map(sample).collect(), Unit::MegabytesPerSecond)
}
