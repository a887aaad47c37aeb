//! How does mimi keep something in SQLite that several processes use at once and that a crash must not spoil?
//!
//! [`open::Db`] opens one file by a [`open::Plan`]: private, in WAL mode on local disks, brought to the newest version by
//! numbered migrations. The only room that knows SQLite; must not know what is kept. Nothing here is opened at the start
//! of mimi: whoever needs a file opens it when it is first needed, away from the path of a turn.
//! To add a database: a `Plan` with its migrations in the room that owns the data. To change one: a further migration at
//! the end of its list; those before are never edited.

pub mod error;
pub mod open;
pub mod place;
pub(crate) mod vec0;
pub mod work;
