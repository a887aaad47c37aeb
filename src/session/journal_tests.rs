//! What happens to a session when the disk does not take what it is given?

use std::sync::Mutex;

use super::*;
use crate::base::clock::FakeClock;
use crate::base::fault::Explain as _;
use crate::session::reader::{Line, Reader};

/// A disk that takes a given number of bytes and then none, until it is given room again.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<DiskState>>);

#[derive(Default)]
struct DiskState {
    bytes: Vec<u8>,
    room: usize,
    n_writes: usize,
    n_syncs: usize,
    is_sync_broken: bool,
    is_interrupted: bool,
}

impl Sink for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut disk = self.0.lock().unwrap();
        disk.n_writes += 1;
        if std::mem::take(&mut disk.is_interrupted) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let taken = bytes.len().min(disk.room);
        if taken == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        disk.bytes.extend_from_slice(&bytes[..taken]);
        disk.room -= taken;
        Ok(taken)
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut disk = self.0.lock().unwrap();
        disk.n_syncs += 1;
        if disk.is_sync_broken { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

impl Disk {
    fn with<T>(&self, change: impl FnOnce(&mut DiskState) -> T) -> T {
        change(&mut self.0.lock().unwrap())
    }

    fn journal(&self) -> Journal {
        let header = Header::unknown("s");
        Journal::over(Box::new(self.clone()), "/state/s.jsonl".into(), header, Arc::new(FakeClock::at(5)))
    }

    fn texts(&self) -> Vec<String> {
        let bytes = self.with(|disk| disk.bytes.clone());
        let mut reader = Reader::new(&bytes[..], Path::new("s.jsonl"));
        let mut texts = Vec::new();
        while let Some(line) = reader.next_line().unwrap() {
            match line {
                Line::Record(record) => texts.push(text_of(&record.event)),
                Line::Unreadable => {}
                other => panic!("{other:?}"),
            }
        }
        texts
    }
}

fn said(text: &str) -> Event {
    Event::UserMessage { author: Author::User, text: text.to_owned() }
}

fn text_of(event: &Event) -> String {
    match event {
        Event::UserMessage { text, .. } => text.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_full_disk_at_any_byte_loses_only_the_event_that_was_refused() {
    let length = line(&Record { v: 1, seq: 1, at_ms: 5, event: said("lost") }).unwrap().len();
    for room in 0..length {
        let disk = Disk::default();
        let mut journal = disk.journal();
        disk.with(|disk| disk.room = 1000);
        journal.append(&said("before")).unwrap();
        disk.with(|disk| disk.room = room);
        let error = journal.append(&said("lost")).unwrap_err();
        assert!(error.is_disk_full() && error.hints()[0].starts_with("df -h /state"), "{error:?}");
        disk.with(|disk| disk.room = room / 2);
        journal.append(&said("lost again")).unwrap_err();
        disk.with(|disk| disk.room = 1000);
        journal.append(&said("after")).unwrap();
        assert_eq!(disk.texts(), ["before", "after"], "room for {room} bytes");
    }
}

#[test]
fn an_event_is_one_write_and_only_work_is_synced() {
    let disk = Disk::default();
    disk.with(|disk| disk.room = 10_000);
    let mut journal = disk.journal();
    journal.append(&Event::TextDelta { text: "a\nb".into() }).unwrap();
    assert_eq!(disk.with(|disk| (disk.n_writes, disk.n_syncs)), (1, 0));
    let record = journal.append(&said("x")).unwrap();
    assert_eq!(disk.with(|disk| (disk.n_writes, disk.n_syncs)), (2, 1));
    assert_eq!((record.v, record.seq, record.at_ms), (1, 2, 6));
    let (text, reasoning) = ("let me look".to_owned(), String::new());
    let table = [
        (Event::AssistantMessage { text, reasoning, tool_calls: Vec::new() }, 1),
        (Event::UserMessage { author: Author::Project, text: "facts".to_owned() }, 1),
        (Event::Undone { turn: 1, restored: Vec::new(), conflicts: Vec::new(), checkpoint: None }, 2),
    ];
    for (event, n_syncs) in table {
        journal.append(&event).unwrap();
        assert_eq!(disk.with(|disk| disk.n_syncs), n_syncs, "{event:?}");
    }
}

#[test]
fn signals_and_failing_syncs_neither_repeat_nor_tear_a_line() {
    let disk = Disk::default();
    disk.with(|disk| (disk.room, disk.is_interrupted) = (10_000, true));
    let mut journal = disk.journal();
    journal.append(&said("one")).unwrap();
    disk.with(|disk| disk.is_sync_broken = true);
    assert!(journal.append(&said("two")).unwrap_err().is_disk_full());
    disk.with(|disk| disk.is_sync_broken = false);
    assert_eq!(journal.append(&said("three")).unwrap().seq, 3);
    assert_eq!(disk.texts(), ["one", "two", "three"]);
}

#[test]
fn a_line_no_reader_would_take_is_refused_before_it_is_written() {
    let disk = Disk::default();
    disk.with(|disk| disk.room = 1000);
    let error = disk.journal().append(&said(&"x".repeat(MAX_LINE_BYTES))).unwrap_err();
    assert!(matches!(error, SessionError::TooLong { .. }), "{error:?}");
    assert_eq!(disk.with(|disk| disk.n_writes), 0);
}
