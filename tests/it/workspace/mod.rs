//! Is what mimi knows of a project true and safe to ask?

pub mod git;
