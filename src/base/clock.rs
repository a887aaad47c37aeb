//! What time is it, and what is the next id?
//!
//! Rooms take a [`Clock`] instead of reading the system's, so that tests fix it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// A source of wall-clock time.
pub trait Clock: Send + Sync {
    /// Returns milliseconds since the Unix epoch.
    fn now_ms(&self) -> u64;
}

/// The clock of the machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> u64 {
        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |passed| passed.as_millis() as u64)
    }
}

/// A clock for tests: starts where told and moves one millisecond a reading, so that order is visible.
#[derive(Debug, Default)]
pub struct FakeClock(AtomicU64);

impl FakeClock {
    /// Starts the clock at `start_ms`.
    pub fn at(start_ms: u64) -> Self {
        Self(AtomicU64::new(start_ms))
    }
}

impl Clock for FakeClock {
    fn now_ms(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed)
    }
}

/// Returns a fresh identifier whose text order is the order of creation (UUID version 7).
pub fn new_id() -> String {
    uuid::Uuid::now_v7().to_string()
}

/// Returns a fresh number from zero up to, not including, one; for spreading retries, not for secrets.
pub fn random_fraction() -> f64 {
    // The low 62 bits of a version-7 identifier are random; 53 of them fill a float.
    const BITS: u32 = 53;
    let random = uuid::Uuid::now_v7().as_u128() & ((1 << BITS) - 1);
    random as f64 / (1u64 << BITS) as f64
}

/// Renders milliseconds since the epoch as `2026-01-31T12:00:00Z`.
pub fn format_utc(at_ms: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + std::time::Duration::from_millis(at_ms)).to_string()
}

/// Reads a duration such as `7d`, `12h` or `2weeks`, in milliseconds.
pub fn parse_duration(text: &str) -> Option<u64> {
    humantime::parse_duration(text).ok().and_then(|duration| u64::try_from(duration.as_millis()).ok())
}

/// Says whether a text is a day that exists, written `2026-01-31`.
pub fn is_day(text: &str) -> bool {
    text.len() == "2026-01-31".len() && humantime::parse_rfc3339(&format!("{text}T00:00:00Z")).is_ok()
}

/// Renders a duration for people: `0.4s`, `12.3s`, `2m05s`.
pub fn format_duration(duration_ms: u64) -> String {
    let seconds = duration_ms / 1000;
    if seconds < 60 {
        format!("{}.{}s", seconds, duration_ms % 1000 / 100)
    } else {
        format!("{}m{:02}s", seconds / 60, seconds % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_durations_are_read_as_people_write_them() {
        let table = [
            ("7d", Some(604_800_000)),
            ("1h 30m", Some(5_400_000)),
            ("0s", Some(0)),
            ("7", None),
            ("-1d", None),
            ("", None),
        ];
        for (text, expected) in table {
            assert_eq!(parse_duration(text), expected, "{text}");
        }
        for (text, expected) in [
            ("2026-02-28", true),
            ("2026-02-30", false),
            ("2026-2-8", false),
            ("yesterday", false),
            ("2026-01-31x", false),
        ] {
            assert_eq!(is_day(text), expected, "{text}");
        }
    }
}
