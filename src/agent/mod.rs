//! How does a request of the user become answers and deeds?
//!
//! [`machine`] decides (pure: state and input in, effects out; their words are in [`step`]), [`driver`] carries out, [`dispatch`] takes one call through
//! its checks. Front ends hold a [`handle::Handle`]: operations in, records out. Must not print, and must not know which
//! front end listens.
//! To add an operation: a variant of `protocol::op::Op`, an arm in [`machine`], and an effect if it touches the world.

mod background;
pub mod batch;
mod brought;
pub mod changed;
pub mod dispatch;
pub mod driver;
pub mod emit;
pub mod handle;
pub mod invalid;
pub mod keeping;
pub mod ladder;
pub mod limits;
pub mod live;
pub mod machine;
pub mod memory;
mod mistakes;
mod pieces;
pub mod pinned;
pub mod review;
pub mod running;
pub mod stated;
pub mod step;
pub mod taking_back;
pub mod taped;
pub mod telling;
pub mod window;
