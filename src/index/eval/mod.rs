//! How well does a search answer questions whose answers are known, and better or worse than before?
//!
//! [`question`] reads what is asked and what is right, [`build`] takes such questions out of doc comments ([`docs`]), [`run`]
//! asks them, [`whole_words`] answers as a plain full-text search would, [`figures`] counts, and [`compare`] says whether a
//! difference is more than chance. Must not change the project: questions from its docs are asked of a copy without them.
//! To add a figure: a row of [`figures::FIGURES`].

pub mod build;
pub mod compare;
pub mod docs;
pub mod figures;
pub mod question;
pub mod run;
pub mod whole_words;
