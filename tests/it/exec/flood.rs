//! Does mimi stay small when a command prints without end?

use std::os::unix::fs::PermissionsExt as _;

use mimi::exec::run::Ending;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Bench;

/// Kilobytes of memory this process uses now.
fn resident_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

#[tokio::test]
async fn a_flood_is_counted_clipped_and_kept_up_to_a_limit() {
    let bench = Bench::new();
    let before_kb = resident_kb();
    let output = bench.run("yes 0123456789 | head -c 80000000").await;
    assert!(resident_kb() < before_kb + 64 * 1024, "{} kB more", resident_kb() - before_kb);
    assert_eq!((output.ending, output.total_bytes), (Ending::Exited(0), 80_000_000));
    assert!(output.text.len() < 10_300, "{}", output.text.len());
    let spill = output.spilled.unwrap();
    assert!(output.text.contains(&format!("left out; first 64 MiB in {} ...]", spill.display())), "{}", output.text);
    let meta = std::fs::metadata(&spill).unwrap();
    assert!((64 << 20..(64 << 20) + 100).contains(&meta.len()), "{}", meta.len());
    assert_eq!(meta.permissions().mode() & 0o777, 0o600);
}

#[tokio::test]
async fn a_line_of_100_mb_shows_its_ends() {
    let bench = Bench::new();
    let before_kb = resident_kb();
    let output = bench.run("printf start; head -c 100000000 /dev/zero | tr '\\0' x; printf end").await;
    assert!(resident_kb() < before_kb + 64 * 1024, "{} kB more", resident_kb() - before_kb);
    assert_eq!(output.total_bytes, 100_000_008);
    assert!(output.text.starts_with("startx") && output.text.ends_with("xend"));
    assert!(output.text.len() < 4300, "{}", output.text.len());
}

#[tokio::test]
async fn binary_output_is_named_and_kept_in_the_file() {
    let bench = Bench::new();
    let output = bench.run("head -c 20000 /dev/urandom").await;
    let spill = output.spilled.unwrap();
    let expected = format!("[binary output of 20000 bytes, not shown; whole output in {}]", spill.display());
    assert_eq!(output.text, expected);
    assert_eq!(std::fs::metadata(spill).unwrap().len(), 20_000);
}

#[tokio::test]
async fn a_watcher_who_does_not_keep_up_holds_up_nothing() {
    let bench = Bench::new();
    let (progress, mut pieces) = mpsc::channel(2);
    let command = bench.command("yes 'r\u{e4}t \u{1b}[31m\u{202e}' | head -c 5000000; echo last");
    let output = bench.runner.run(command, CancellationToken::new(), Some(progress)).await.unwrap();
    assert!(output.text.ends_with("last\n"));
    let mut n_pieces = 0;
    while let Some(piece) = pieces.recv().await {
        n_pieces += 1;
        assert!(piece.len() < 16_384 && !piece.contains(['\u{1b}', '\u{202e}']), "{piece}");
    }
    assert_eq!(n_pieces, 2);
}
