//! How is the change of a file shown?

use std::time::Duration;

use similar::{ChangeTag, TextDiff};

use crate::base::text::{clip_middle, one_line_name};
use crate::protocol::diff::FileDiff;

/// Time spent on finding a small diff; after it a coarser one is taken.
const DIFF_TIME: Duration = Duration::from_millis(300);
/// Bytes of a diff that are kept; nobody reads more of one file.
const MAX_DIFF_BYTES: usize = 200_000;

/// Compares the text of the file called `path` before and after; `None` for a file that is not there.
pub fn file_diff(path: &str, before: Option<&str>, after: Option<&str>) -> FileDiff {
    let name = one_line_name(path);
    let (old, new) = (before.unwrap_or_default(), after.unwrap_or_default());
    let diff = TextDiff::configure().timeout(DIFF_TIME).diff_lines(old, new);
    let count = |tag| diff.iter_all_changes().filter(|change| change.tag() == tag).count();
    let heading = |side: Option<&str>, prefix: &str| match side {
        Some(_) => format!("{prefix}/{name}"),
        None => "/dev/null".to_owned(),
    };
    let unified = diff.unified_diff().context_radius(3).header(&heading(before, "a"), &heading(after, "b")).to_string();
    FileDiff {
        path: path.to_owned(),
        added: count(ChangeTag::Insert),
        removed: count(ChangeTag::Delete),
        unified: clip_middle(&unified, MAX_DIFF_BYTES, "").into_owned(),
    }
}
