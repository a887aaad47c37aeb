//! Is a text changed in the place that was meant, whatever it looks like?

mod cases;
mod diff;
mod kills;
mod ladder;
mod mutations;
mod race;
mod refused;
mod replace;
mod safety;
mod stored;
