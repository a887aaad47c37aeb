//! What does the full screen have found or done for the words a person writes?
//!
//! One file a job. Each returns what the screen is given back; none draws anything. To add one: a file here and an arm where
//! the screen is put together
//! (`commands::chat_screen`).

pub mod attach;
pub mod drafts;
pub mod models;
pub mod notes;
pub mod picks;
