//! Which numbers make sense?
//!
//! One row per number of `default.yaml`; a test compares the two. Bounds are generous: they stop slips of the keyboard and
//! values that would overflow or never end, not unusual wishes.

/// A week: nothing mimi waits for takes longer.
const WEEK_S: i64 = 7 * 24 * 3600;
/// More than any model takes or any turn could use.
const MANY_TOKENS: i64 = 1_000_000_000;

/// Key, lowest and highest value.
pub const RANGES: &[(&str, i64, i64)] = &[
    ("model.max_output_tokens", 1, 10_000_000),
    ("model.window_tokens", 0, MANY_TOKENS),
    ("model.connect_timeout_s", 1, 3600),
    ("model.first_byte_timeout_s", 1, WEEK_S),
    ("model.idle_timeout_s", 1, WEEK_S),
    ("model.max_retries", 0, 100),
    ("model.max_in_flight", 1, 1000),
    ("agent.max_steps", 1, 100_000),
    ("agent.max_tokens", 0, 1000 * MANY_TOKENS),
    ("agent.max_seconds", 0, WEEK_S),
    ("agent.max_same_failures", 1, 1000),
    // Below some hundred bytes a clipped output is nothing but the note that it was clipped.
    ("tools.max_output_bytes", 500, 10_000_000),
    ("policy.always_days", 0, 36_500),
    ("tools.shell_timeout_s", 1, WEEK_S),
    ("sandbox.max_processes", 0, 4_194_304),
    ("sandbox.max_memory_mb", 0, 1_000_000_000),
    ("sandbox.max_file_mb", 0, 1_000_000_000),
    ("sandbox.network_mb", 0, 1_000_000),
    ("sandbox.tmp_mb", 0, 1_000_000),
    ("fix.max_rounds", 0, 1000),
    ("fix.test_timeout_s", 1, WEEK_S),
    ("fix.max_steps", 0, 100_000),
    ("fix.max_tokens", 0, 1000 * MANY_TOKENS),
    ("fix.max_seconds", 0, WEEK_S),
    ("fix.minimise_s", 0, WEEK_S),
    ("fix.heartbeat_s", 0, WEEK_S),
    ("review.max_parts", 1, 10_000),
    ("commit.max_subject", 20, 1000),
    ("session.keep_days", 0, 36_500),
    // A terabyte.
    ("checkpoint.max_mb", 0, 1_000_000),
    ("checkpoint.keep_days", 0, 36_500),
    ("checkpoint.max_files", 0, 10_000_000),
    // The largest file that is kept at all.
    ("checkpoint.max_ignored_file_kb", 0, 64_000),
    ("checkpoint.max_ignored_mb", 0, 1_000_000),
    ("cache.max_mb", 0, 1_000_000),
    ("index.max_mb", 1, 10_000_000),
    ("usage.keep_days", 0, 36_500),
    ("ui.notify_after_s", 0, WEEK_S),
];

/// As [`RANGES`], for the numbers of a row of `providers`.
pub const ROW_RANGES: &[(&str, i64, i64)] = &[
    ("search", 0, 1000),
    ("timeouts.connect_s", 1, 3600),
    ("timeouts.first_byte_s", 1, WEEK_S),
    ("timeouts.idle_s", 1, WEEK_S),
    // What Dynamo's header holds; vLLM and SGLang take more.
    ("priority.interactive", i32::MIN as i64, i32::MAX as i64),
    ("priority.ci", i32::MIN as i64, i32::MAX as i64),
    ("priority.background", i32::MIN as i64, i32::MAX as i64),
    ("num_ctx", 512, 10_000_000),
];

/// Numbers for which 0 stands for no limit.
pub const ZERO_IS_UNLIMITED: &[&str] =
    &["agent.max_tokens", "agent.max_seconds", "fix.max_steps", "fix.max_tokens", "fix.max_seconds"];

/// Returns what is wrong with a number, to be read after the key.
pub fn problem(key: &str, value: i64) -> Option<String> {
    let of_row = key.strip_prefix("providers.").and_then(|row| row.split_once('.'));
    let (key, ranges) = of_row.map_or((key, RANGES), |(_, field)| (field, ROW_RANGES));
    let (_, low, high) = ranges.iter().find(|(name, ..)| *name == key)?;
    if value < *low {
        Some(format!("must be at least {low}"))
    } else if value > *high {
        Some(format!("must be at most {high}"))
    } else {
        None
    }
}
