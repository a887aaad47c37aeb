//! What does the supervisor tell mimi when everything is over?
//!
//! One line of text on the lifeline. It exists because an exit code cannot say it: a program that exits with 137 and one
//! killed by signal 9 look the same one process further up.

use std::fmt;

/// How the command itself ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// With this exit code.
    Exited(i32),
    /// By this signal.
    Signalled(i32),
    /// It never started, for the reason with this `errno`.
    NotStarted(i32),
    /// It never started, because there is no sandbox for it; why stands where its errors would.
    Unconfined,
}

/// The line: verdict, then how many processes the command left running.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Report {
    /// How the command ended.
    pub(crate) verdict: Verdict,
    /// Processes still running when it ended, which were ended too.
    pub(crate) n_leftovers: usize,
}

impl fmt::Display for Report {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (word, number) = match self.verdict {
            Verdict::Exited(code) => ("exited", code),
            Verdict::Signalled(signal) => ("signalled", signal),
            Verdict::NotStarted(errno) => ("not-started", errno),
            Verdict::Unconfined => ("unconfined", 0),
        };
        writeln!(out, "{word} {number} {}", self.n_leftovers)
    }
}

impl Report {
    /// Reads the first line; none when it is not whole, which means that the supervisor was killed while writing it.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let (line, _) = std::str::from_utf8(bytes).ok()?.split_once('\n')?;
        let mut words = line.split(' ');
        let (word, number) = (words.next()?, words.next()?.parse().ok()?);
        let verdict = match word {
            "exited" => Verdict::Exited(number),
            "signalled" => Verdict::Signalled(number),
            "not-started" => Verdict::NotStarted(number),
            "unconfined" => Verdict::Unconfined,
            _ => return None,
        };
        Some(Self { verdict, n_leftovers: words.next()?.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_survives_the_wire_and_a_torn_line_is_none() {
        for verdict in [Verdict::Exited(137), Verdict::Signalled(9), Verdict::NotStarted(2), Verdict::Unconfined] {
            let report = Report { verdict, n_leftovers: 3 };
            let line = report.to_string();
            assert_eq!(Report::parse(line.as_bytes()), Some(report));
            assert_eq!(Report::parse(format!("{line}unconfined 0 0\n").as_bytes()), Some(report));
            assert_eq!(Report::parse(line.trim_end().as_bytes()), None);
        }
        assert_eq!(Report::parse(b""), None);
    }
}
