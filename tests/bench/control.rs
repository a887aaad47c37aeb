//! What does it cost to look through a conversation for control strings before each request?

use std::time::Instant;

use mimi::base::control::{neutralise, restore};

use crate::{Measured, Unit, spread};

/// Bytes looked through for one sample: a conversation that fills a large window.
const N_BYTES: usize = 4_000_000;
const N_SAMPLES: usize = 15;

/// Measures breaking up control strings in source code and markup, where the characters they begin with are frequent.
pub fn breaking_up() -> Result<Measured, String> {
    let piece = concat!(include_str!("../../src/base/control.rs"), include_str!("../../config/control_tokens.yaml"));
    let markup = "<ul class=\"a\"><li><a href='b[0]'>x</a></li></ul>\n".repeat(100);
    let text = format!("{piece}{markup}").repeat(N_BYTES / (piece.len() + markup.len()) + 1);
    let sent = neutralise(&text).into_owned();
    if restore(&sent) != text {
        return Err("what was broken up does not come back".to_owned());
    }
    let sample = |_| {
        let started = Instant::now();
        std::hint::black_box(neutralise(std::hint::black_box(&text)).len());
        text.len() as f64 / 1e6 / started.elapsed().as_secs_f64()
    };
    spread((0..N_SAMPLES).map(sample).collect(), Unit::MegabytesPerSecond)
}
