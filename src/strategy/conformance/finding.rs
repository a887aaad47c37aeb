//! How did a check come out, and what is to be changed on the server?

use std::sync::LazyLock;

use serde::Deserialize;

use crate::base::yaml;

/// How well something works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Health {
    /// As it should.
    Good,
    /// Works, but not as well as it could.
    Weak,
    /// Does not work.
    Broken,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was checked; `config/doctor.yaml` names it the same way.
    pub check: &'static str,
    /// How well it works.
    pub health: Health,
    /// What was seen.
    pub found: String,
    /// What to do about it.
    pub hints: Vec<String>,
    /// Whether the server no longer answers, so that further checks mean nothing.
    pub is_unreachable: bool,
}

impl Finding {
    /// Works.
    pub fn good(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, health: Health::Good, found: found.into(), hints: Vec::new(), is_unreachable: false }
    }

    /// Works, but not as well as it could.
    pub fn weak(check: &'static str, found: impl Into<String>) -> Self {
        Self { health: Health::Weak, ..Self::good(check, found) }
    }

    /// Does not work.
    pub fn broken(check: &'static str, found: impl Into<String>) -> Self {
        Self { health: Health::Broken, ..Self::good(check, found) }
    }

    /// Adds what to change on a server of the kind `server`, when there is something to mend.
    #[must_use]
    pub fn with_hints(mut self, server: &str) -> Self {
        if self.health != Health::Good && self.hints.is_empty() {
            self.hints.extend(fix(self.check, server));
        }
        self
    }
}

/// One row of `config/doctor.yaml`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fix {
    check: String,
    server: String,
    hint: String,
}

static FIXES: LazyLock<Vec<Fix>> = LazyLock::new(|| {
    // Compiled in and parsed by a test, so a failure cannot reach a user.
    yaml::from_str(include_str!("../../../config/doctor.yaml")).unwrap_or_default()
});

/// Returns the first fix for a check on a kind of server. The same cause has the same fix, however calls arrive.
fn fix(check: &str, server: &str) -> Option<String> {
    let check = if check.starts_with("tool call ") { "tool call" } else { check };
    let fits = |row: &&Fix| row.check == check && (row.server == server || row.server == "any");
    FIXES.iter().find(fits).map(|row| row.hint.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fix_is_for_a_check_there_is() {
        let rows: Vec<Fix> = yaml::from_str(include_str!("../../../config/doctor.yaml")).unwrap();
        let checks = [
            "window",
            "tool call",
            "tool calls of eight tools",
            "prefix reuse",
            "fill",
            "embedding",
            "answer by a schema",
            "forced call",
        ];
        for row in &rows {
            assert!(checks.contains(&row.check.as_str()), "{}", row.check);
            assert!(["ollama", "vllm", "sglang", "llamacpp", "any"].contains(&row.server.as_str()), "{}", row.server);
        }
    }

    #[test]
    fn a_weak_finding_names_the_setting_of_its_server() {
        let hints = |finding: Finding, server: &str| finding.with_hints(server).hints.join("\n");
        assert!(hints(Finding::weak("tool call in pieces", "none"), "vllm").contains("--tool-call-parser"));
        assert!(hints(Finding::broken("window", "4096 tokens"), "ollama").contains("OLLAMA_CONTEXT_LENGTH"));
        assert!(hints(Finding::weak("fill", "refused"), "triton").contains("routes"));
        assert_eq!(hints(Finding::good("window", "65536 tokens"), "ollama"), "");
    }
}
