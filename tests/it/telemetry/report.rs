//! Do the sums say what happened?

use std::path::Path;

use mimi::config::schema::PriceConfig;
use mimi::protocol::task::Task;
use mimi::protocol::usage::{RequestRecord, Stats};
use mimi::telemetry::price::Prices;
use mimi::telemetry::report::{self, By, Report, Since};

use crate::telemetry::{NOON_MS, ledger, record, recovering};

const DAY_MS: u64 = 86_400_000;

/// Three days, two models, two tasks, two projects.
fn fill(path: &Path) {
    let here = ledger(path, "/work/here");
    here.record(record(NOON_MS, "big"));
    here.record(recovering(record(NOON_MS + DAY_MS, "big"), &[("xml", 2)]));
    let failed = RequestRecord { is_answered: false, usage: Default::default(), ..record(NOON_MS + DAY_MS, "big") };
    here.record(RequestRecord { stats: Stats { retries: 4, total_ms: 9000, ..Stats::default() }, ..failed });
    drop(here);
    let there = ledger(path, "/work/there");
    there.record(RequestRecord { task: Task::Title, ..record(NOON_MS + 2 * DAY_MS, "small") });
    let told = Stats { queue_ms: Some(100), prefill_ms: Some(300), ..record(0, "").stats };
    there.record(RequestRecord { stats: told, ..recovering(record(NOON_MS + 2 * DAY_MS, "big"), &[]) });
}

fn read(path: &Path, by: By, since: &Since, prices: &Prices) -> Report {
    report::read(path, by, since, prices).unwrap()
}

/// `key: requests/answered in out retries recovered` of each row.
fn brief(report: &Report) -> Vec<String> {
    let row = |row: &report::Sum| {
        let recovered: u64 = row.recovered.values().sum();
        let (n, m, tokens) = (row.requests, row.answered, (row.input_tokens, row.output_tokens));
        format!("{}: {n}/{m} {}+{} {} {recovered}", row.key, tokens.0, tokens.1, row.retries)
    };
    report.rows.iter().map(row).collect()
}

#[test]
fn requests_are_added_up_by_each_side() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("usage.db");
    fill(&path);
    let table = [
        (By::Day, vec!["2026-01-01: 1/1 1000+50 0 0", "2026-01-02: 2/1 1000+50 4 2", "2026-01-03: 2/2 2000+100 0 0"]),
        (By::Model, vec!["dgx/big: 4/3 3000+150 4 2", "dgx/small: 1/1 1000+50 0 0"]),
        (By::Task, vec!["chat: 4/3 3000+150 4 2", "title: 1/1 1000+50 0 0"]),
        (By::Project, vec!["/work/here: 3/2 2000+100 4 2", "/work/there: 2/2 2000+100 0 0"]),
    ];
    for (by, expected) in table {
        let report = read(&path, by, &Since::Ever, &Prices::default());
        assert_eq!(brief(&report), expected);
        let total = &report.total;
        assert_eq!((total.requests, total.answered, total.input_tokens, total.cached_tokens), (5, 4, 4000, 3600));
        assert_eq!((total.first_token_ms, total.queue_ms, total.prefill_ms), (Some(200), Some(100), Some(300)));
        assert_eq!(total.tokens_per_second, Some(100.0), "200 tokens in two seconds; the failed one wrote none");
        assert_eq!(total.cost, None);
    }
}

#[test]
fn only_what_came_since_counts() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("usage.db");
    fill(&path);
    let table = [
        (Since::Time(NOON_MS + 1), 4),
        (Since::Time(NOON_MS), 5),
        (Since::Day("2026-01-02".to_owned()), 4),
        (Since::Day("2026-01-04".to_owned()), 0),
        (Since::Time(u64::MAX), 0),
    ];
    for (since, expected) in table {
        let report = read(&path, By::Task, &since, &Prices::default());
        assert_eq!(report.total.requests, expected, "{since:?}");
        assert_eq!(report.rows.is_empty(), expected == 0);
    }
}

#[test]
fn costs_come_from_tokens_and_from_the_time_the_server_worked() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("usage.db");
    fill(&path);
    let price = PriceConfig {
        input_per_mtok: 100.0,
        cached_per_mtok: Some(10.0),
        output_per_mtok: 1000.0,
        per_gpu_second: 0.0,
    };
    let prices = |name: &str, price| Prices::new([(name.to_owned(), price)].into());
    let report = read(&path, By::Model, &Since::Ever, &prices("dgx/big", price));
    // Three answers of 100 new, 900 cached and 50 written tokens: 0.01 + 0.009 + 0.05 each.
    assert!((report.rows[0].cost.unwrap() - 0.207).abs() < 1e-9, "{:?}", report.rows[0].cost);
    assert_eq!((report.rows[1].cost, report.without_price), (None, vec!["dgx/small".to_owned()]));
    let seconds = PriceConfig { per_gpu_second: 1.0, ..PriceConfig::default() };
    let report = read(&path, By::Model, &Since::Ever, &prices("*", seconds));
    // 0.7 twice, 9 for the failed one, and 0.3 + 0.5 where the server told.
    assert!((report.rows[0].cost.unwrap() - 11.2).abs() < 1e-9, "{:?}", report.rows[0].cost);
    assert!((report.total.cost.unwrap() - 11.9).abs() < 1e-9, "{:?}", report.total.cost);
}

#[test]
fn no_ledger_is_an_empty_one_and_is_not_made() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("usage.db");
    assert_eq!(read(&path, By::Day, &Since::Ever, &Prices::default()), Report::default());
    assert!(!path.exists());
}
