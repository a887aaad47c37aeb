//! Do the tools do what their descriptions promise the model?

mod git;
mod shell;
