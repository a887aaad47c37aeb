//! What do tests of more than one feature need?

pub mod wire;
