//! Where in this project is the code that answers a question?
//!
//! Search by meaning, by word and by symbol, with nothing but this binary. One database for each repository in the cache
//! folder ([`place`]); every search first settles what changed ([`scan`], [`update`]) and then asks ([`search`]). One process
//! writes at a time, all others read what is there. A model on a server adds its vectors beside those of the built-in embedder
//! ([`fill`], [`ask`]); [`eval`] measures how good answers are. Must not decide what a model sees, nor talk to a server itself.
//! To add a language: a row in `config/languages.yaml`, `config/languages/<name>.scm`, a line in [`grammar`].
//! To add an embedder: a file in [`embed`]. To add a store of vectors: a file in [`vectors`].

pub mod ask;
pub mod chunk;
pub mod document;
pub mod embed;
pub mod engine;
pub mod error;
pub mod eval;
pub mod files;
pub mod fill;
pub mod fresh;
pub mod grammar;
pub mod graph;
pub mod highlight;
pub mod language;
pub mod map;
mod map_kept;
mod map_worth;
pub mod pattern;
pub mod place;
pub mod quick_hash;
pub mod scan;
pub mod search;
pub mod secret;
pub mod store;
pub mod symbols;
pub mod syntax;
pub mod token;
pub mod update;
pub mod vectors;
pub mod words;
