//! Does what decides over commands hold what it promises, against lists of commands and against bash itself?

mod against_bash;
mod corpus;
mod debug;
mod hostile;
