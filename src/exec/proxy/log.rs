//! What was asked of the proxy while a command ran?

use crate::base::text;
use crate::exec::proxy::allowed::Refusal;

/// Different targets that are kept; a program that tries names by the thousand is told enough by these.
const MAX_KEPT: usize = 50;

/// Lines told below the output of a command.
const MAX_TOLD: usize = 6;

/// What came of one target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was reached; bytes to it and from it.
    Reached {
        /// Bytes the command sent.
        n_sent: u64,
        /// Bytes it got.
        n_received: u64,
    },
    /// It was not.
    Refused(Refusal),
}

/// One target and what came of it, all times it was asked for together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// The target as it was understood: `host:port`.
    pub target: String,
    /// What came of it.
    pub fate: Fate,
}

/// Everything that was asked during one command.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Log {
    /// Each target once for each fate, in the order they came.
    pub asked: Vec<Asked>,
    /// Requests that were not understood.
    pub n_malformed: usize,
    /// Whether the bytes a command may move were used up.
    pub is_spent: bool,
}

impl Log {
    /// Says whether there was nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Notes that a target was refused.
    pub(crate) fn refused(&mut self, target: &str, refusal: &Refusal) {
        let fate = Fate::Refused(refusal.clone());
        let is_known = self.asked.iter().any(|asked| asked.target == target && asked.fate == fate);
        if !is_known {
            self.add(target, fate);
        }
    }

    /// Notes what went to and came from a target.
    pub(crate) fn moved(&mut self, target: &str, sent: u64, received: u64) {
        let known = self.asked.iter_mut().find_map(|asked| match &mut asked.fate {
            Fate::Reached { n_sent, n_received } if asked.target == target => Some((n_sent, n_received)),
            _ => None,
        });
        match known {
            Some((n_sent, n_received)) => (*n_sent, *n_received) = (*n_sent + sent, *n_received + received),
            None => self.add(target, Fate::Reached { n_sent: sent, n_received: received }),
        }
    }

    fn add(&mut self, target: &str, fate: Fate) {
        if self.asked.len() < MAX_KEPT {
            self.asked.push(Asked { target: target.to_owned(), fate });
        }
    }

    /// Says it in lines, refusals first: at most `max_lines`, and one for the rest.
    pub fn lines(&self, max_lines: usize) -> Vec<String> {
        let line = |asked: &Asked| match &asked.fate {
            Fate::Refused(why) => format!("{} was refused: {why}", asked.target),
            Fate::Reached { n_sent, n_received } => {
                format!(
                    "{} was reached: {} sent, {} received",
                    asked.target,
                    text::size(*n_sent),
                    text::size(*n_received)
                )
            }
        };
        let is_refused = |asked: &&Asked| matches!(asked.fate, Fate::Refused(_));
        let (refused, reached): (Vec<_>, Vec<_>) = self.asked.iter().partition(is_refused);
        let mut lines: Vec<String> = refused.into_iter().chain(reached).map(line).collect();
        let n_more = lines.len().saturating_sub(max_lines);
        lines.truncate(max_lines);
        lines.extend((n_more > 0).then(|| format!("and {} more", text::count(n_more, "host"))));
        lines.extend(
            (self.n_malformed > 0).then(|| format!("{} not understood", text::count(self.n_malformed, "request"))),
        );
        lines.extend(self.is_spent.then(|| "`sandbox.network_mb` is used up".to_owned()));
        lines
    }

    /// Says it below the output of the command, for whoever reads that: nothing where nothing was asked.
    pub fn notes(&self) -> String {
        let mut notes: Vec<String> = self.lines(MAX_TOLD).iter().map(|line| format!("[network: {line}]\n")).collect();
        let wanted = self.wanted();
        notes.extend(wanted.first().map(|target| {
            format!("[only the user can allow a host: in `sandbox.hosts` of their configuration, or by --allow-host {target}]\n")
        }));
        notes.concat()
    }

    /// Returns the hosts somebody would have to allow: those nobody named.
    pub fn wanted(&self) -> Vec<&str> {
        let unlisted = self.asked.iter().filter(|asked| asked.fate == Fate::Refused(Refusal::NotListed));
        unlisted.map(|asked| asked.target.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_is_told_once_refusals_first() {
        let mut log = Log::default();
        assert!(log.is_empty() && log.lines(9).is_empty());
        log.moved("crates.io:443", 100, 2_000_000);
        log.refused("evil.example:443", &Refusal::NotListed);
        log.refused("evil.example:443", &Refusal::NotListed);
        log.moved("crates.io:443", 20, 0);
        log.refused("gpu.corp:8000", &Refusal::ModelServer);
        log.n_malformed = 1;
        let lines = log.lines(2);
        assert_eq!(lines.len(), 4, "{lines:?}");
        assert_eq!(lines[0], "evil.example:443 was refused: it is not in `sandbox.hosts`");
        assert!(lines[1].starts_with("gpu.corp:8000 was refused") && lines[2] == "and 1 host more", "{lines:?}");
        assert_eq!(log.wanted(), ["evil.example:443"]);
        assert_eq!(log.lines(9)[2], "crates.io:443 was reached: 120 bytes sent, 2.0 MB received");
        let notes = log.notes();
        assert!(
            notes.starts_with("[network: evil.example:443 was refused")
                && notes.ends_with("--allow-host evil.example:443]\n")
        );
        (0..100).for_each(|n| log.refused(&format!("{n}.example:443"), &Refusal::NotListed));
        assert_eq!(log.asked.len(), MAX_KEPT);
    }
}
