//! Can a write be led out of the project while it runs?
//!
//! One thread exchanges a folder for a link that leads outside, again and again, while the tools write behind it.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mimi::protocol::tool::Action;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use serde_json::json;

use super::refused::tree;
use crate::tools::support::Bench;

/// Calls of each tool. `MIMI_RACES=N` makes more of them.
const N_CALLS: usize = 700;

fn n_calls() -> usize {
    std::env::var("MIMI_RACES").ok().and_then(|n| n.parse().ok()).unwrap_or(N_CALLS)
}

/// Exchanges the two names until told to stop; returns how often.
fn exchange(one: &Path, other: &Path, is_over: &AtomicBool) -> usize {
    let mut n_exchanges = 0;
    while !is_over.load(Ordering::Relaxed) {
        renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
        n_exchanges += 1;
        if n_exchanges % 8 == 0 {
            std::thread::yield_now();
        }
    }
    n_exchanges
}

#[test]
fn a_link_put_in_the_way_never_leads_a_write_outside() {
    let bench = Bench::new(&[("sub/f", "state 0\n"), ("sub/deep/f", "state 0\n")]);
    let outside = bench.outside().join("outside");
    std::fs::create_dir_all(outside.join("deep")).unwrap();
    for name in ["f", "deep/f"] {
        std::fs::write(outside.join(name), "state 0\n").unwrap();
    }
    symlink(&outside, bench.root().join("trap")).unwrap();
    let before = tree(&outside);
    let is_over = AtomicBool::new(false);
    let (written, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (one, other) = (bench.root().join("sub"), bench.root().join("trap"));
    std::thread::scope(|scope| {
        let exchanger = scope.spawn(|| exchange(&one, &other, &is_over));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for n in 0..n_calls() {
            for (tool, path) in [("edit_file", "sub/f"), ("write_file", "sub/deep/f"), ("write_file", "sub/new/f")] {
                let mut cx = bench.cx.clone();
                // What was judged and approved: a path inside.
                let allowed = Action::Write { path: bench.root().join(path) };
                cx.writer = cx.writer.only(allowed.written().cloned());
                let arguments = match tool {
                    "edit_file" => json!({"path": path, "old_string": "state", "new_string": format!("state {n}")}),
                    _ => json!({"path": path, "content": format!("state {n}\n")}),
                };
                let read = bench.registry.get("read_file").unwrap();
                drop(runtime.block_on(read.run(&cx, json!({ "path": path }))));
                let report = runtime.block_on(bench.registry.get(tool).unwrap().run(&cx, arguments)).unwrap();
                let count = if report.outcome.is_ok() { &written } else { &refused };
                count.fetch_add(1, Ordering::Relaxed);
            }
        }
        is_over.store(true, Ordering::Relaxed);
        let n_exchanges = exchanger.join().unwrap();
        println!("{n_exchanges} exchanges, {written:?} writes, {refused:?} refused");
        assert!(n_exchanges > 100, "{n_exchanges} exchanges");
    });
    assert!(tree(&outside) == before, "something was written outside: {:?}", tree(&outside));
    assert!(written.into_inner() > 0 && refused.into_inner() > 0, "the race was never tight");
}
