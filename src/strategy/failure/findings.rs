//! Which complaints of compilers and linters stand on one line?
//!
//! The patterns are the rows of `config/findings.yaml`. Only errors count; a warning that fails the check says so itself
//! (`-Werror`, `--max-warnings`).

use std::sync::LazyLock;

use regex::{Regex, RegexSet};
use serde::Deserialize;

use crate::base::yaml;
use crate::protocol::failure::{Failure, FailureKind};
use crate::strategy::failure::block::{NOTHING, clip, pattern, tidy};

/// Findings kept of one output.
const MAX_FINDINGS: usize = 1000;

/// One row of the table.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// Whose findings look like this.
    pub name: String,
    /// What kind they are.
    pub kind: FailureKind,
    /// The line, with the groups `file`, `line`, `message` and, where they exist, `code`.
    pub line: String,
    /// For tools that name the file once, above its findings: that line, with the group `file`.
    #[serde(default)]
    pub heading: String,
}

struct Table {
    rows: Vec<(Row, Regex, Option<Regex>)>,
    /// Both patterns of each row, in their order.
    set: RegexSet,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let rows = rows().unwrap_or_default();
    let both = rows.iter().flat_map(|row| [&row.line, &row.heading]);
    let both = both.map(|text| if text.is_empty() { NOTHING } else { text.as_str() });
    let set = RegexSet::new(both).unwrap_or_default();
    let compiled = |row: Row| {
        let (line, heading) = (pattern(&row.line), (!row.heading.is_empty()).then(|| pattern(&row.heading)));
        (row, line, heading)
    };
    Table { rows: rows.into_iter().map(compiled).collect(), set }
});

/// Reads the rows of `config/findings.yaml`.
///
/// # Errors
/// The compiled-in table is broken.
pub fn rows() -> Result<Vec<Row>, String> {
    yaml::from_str(include_str!("../../../config/findings.yaml")).map_err(|error| error.to_string())
}

/// The findings of one output.
#[derive(Default)]
pub struct Findings {
    found: Vec<Failure>,
    heading: String,
}

impl Findings {
    /// Takes the next line; says whether there was room for what it holds.
    pub fn line(&mut self, line: &str) -> bool {
        let matched = TABLE.set.matches(line);
        for n in &matched {
            let (row, finding, heading) = &TABLE.rows[n / 2];
            if n % 2 == 1 {
                let file =
                    heading.as_ref().and_then(|heading| heading.captures(line)?.name("file").map(|file| file.as_str()));
                file.unwrap_or_default().clone_into(&mut self.heading);
                continue;
            }
            if let Some(failure) = self.read(row, finding, line) {
                let has_room = self.found.len() < MAX_FINDINGS;
                if has_room {
                    self.found.push(failure);
                }
                return has_room;
            }
        }
        true
    }

    fn read(&self, row: &Row, finding: &Regex, line: &str) -> Option<Failure> {
        let groups = finding.captures(line)?;
        let group = |name| groups.name(name).map(|group| group.as_str().to_owned());
        // Below no heading it is a line of something else.
        let file = group("file").or_else(|| Some(self.heading.clone()).filter(|_| !row.heading.is_empty()))?;
        if file.is_empty() {
            return None;
        }
        let said = clip(&group("message")?);
        let message = if said.is_empty() { format!("{} would change it", row.name) } else { said };
        Some(Failure {
            file: Some(tidy(&file)),
            line: group("line").and_then(|line| line.parse().ok()),
            code: group("code"),
            ..Failure::new(row.kind, message)
        })
    }

    /// Ends the output.
    pub fn finish(self) -> Vec<Failure> {
        self.found
    }
}
