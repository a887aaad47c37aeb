//! What do both sides of a changed file look like, whole?
//!
//! One side is at hand: the file as it is, or what git has of it. The other follows from the change; where it does not fit, the
//! file is not what was compared any more, and there is nothing.

use crate::app::App;
use crate::app::reviewing::{Reviewing, git};
use crate::edit::encoding::decode_owned;
use crate::edit::places;
use crate::protocol::changes::{Place, Source};
use crate::protocol::diff::FileDiff;
use crate::workspace::git_review::Between;

/// Bytes of a file that is coloured as a whole; what is larger is data.
const MAX_SIDE_BYTES: usize = 2 << 20;

impl Reviewing {
    /// Returns both sides of a changed file, old and new, whole; none where they cannot be had or are too large to be looked at.
    pub async fn sides(&self, app: &App, source: &Source, file: &FileDiff) -> Option<(String, String)> {
        let name = file.from.as_deref().unwrap_or(&file.path);
        let (bytes, side) = match self.between(app, source) {
            None => (std::fs::read(self.path(app, &file.path)).ok()?, Place::New),
            Some(Ok(Between::Revision(revision))) => {
                let old = first_of(&revision)?;
                (git(app).content_at(&old, name).await.ok()?, Place::Old)
            }
            Some(between) => (git(app).old_content(&between.ok()?, name).await.ok()?, Place::Old),
        };
        if bytes.len() > MAX_SIDE_BYTES {
            return None;
        }
        let text = decode_owned(bytes).text;
        let other = places::other_side(&text, file, &side)?;
        Some(if side == Place::Old { (text, other) } else { (other, text) })
    }
}

/// Names the commit that is compared with: the first of a range, or the one before a commit.
fn first_of(revision: &str) -> Option<String> {
    let first = match revision.split_once("..") {
        Some((_, second)) if second.starts_with('.') => return None,
        Some(("", _)) => "HEAD".to_owned(),
        Some((first, _)) => first.to_owned(),
        None => format!("{revision}^"),
    };
    (!first.starts_with('-')).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_older_commit_of_what_is_compared_is_named() {
        let table = [
            ("HEAD", Some("HEAD^")),
            ("main..HEAD", Some("main")),
            ("..HEAD", Some("HEAD")),
            ("main...HEAD", None),
            ("-x", None),
        ];
        for (revision, first) in table {
            assert_eq!(first_of(revision).as_deref(), first, "{revision}");
        }
    }
}
