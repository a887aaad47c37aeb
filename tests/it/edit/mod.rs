//! Is a text changed in the place that was meant, whatever it looks like?

mod cases;
mod diff;
mod ladder;
mod replace;
