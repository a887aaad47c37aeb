//! Is it known what a check complains of, and is that put right?

mod codes;
mod detect;
mod readers;
