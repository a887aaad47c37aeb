//! Shows a terminal emulator what was sent, and compares it with what was drawn.

use proptest::prelude::*;
use ratatui_core::style::Style;

use super::*;

fn screen(width: u16, height: u16) -> Screen<Vec<u8>> {
    Screen::new(Vec::new(), Rect::new(0, 0, width, height))
}

fn rows(screen: &mut Screen<Vec<u8>>, rows: &[&str]) {
    screen
        .draw(|buffer| {
            for (y, row) in rows.iter().enumerate() {
                buffer.set_string(0, y as u16, row, Style::new());
            }
            None
        })
        .unwrap();
}

/// What a terminal shows after all that was sent.
fn emulated(screen: &Screen<Vec<u8>>) -> Vec<String> {
    let area = screen.area();
    let mut parser = vt100::Parser::new(area.height, area.width, 0);
    parser.process(&screen.out);
    parser.screen().rows(0, area.width).map(|row| row.trim_end().to_owned()).collect()
}

fn bytes_of_last(screen: &mut Screen<Vec<u8>>, next: &[&str]) -> usize {
    let before = screen.n_bytes();
    rows(screen, next);
    (screen.n_bytes() - before) as usize
}

#[test]
fn only_what_changed_is_sent() {
    let mut screen = screen(80, 5);
    rows(&mut screen, &["some words that stand", "and others"]);
    let n = bytes_of_last(&mut screen, &["some words that stand", "and others too"]);
    assert!(n < 40, "{n} bytes for four signs");
    assert_eq!(bytes_of_last(&mut screen, &["some words that stand", "and others too"]), 0);
    assert_eq!(emulated(&screen)[..2], ["some words that stand", "and others too"]);
}

#[test]
fn rows_that_move_up_are_moved_by_the_terminal() {
    let words: Vec<String> = (0..30).map(|n| format!("row {n} with quite a number of words behind it")).collect();
    let frame = |from: usize| -> Vec<&str> {
        let part = words[from..from + 18].iter().map(String::as_str);
        part.chain(["", "ask> "]).collect()
    };
    let mut screen = screen(100, 20);
    rows(&mut screen, &frame(0));
    let n = bytes_of_last(&mut screen, &frame(1));
    assert!(n < 120, "{n} bytes for one new row");
    let expected: Vec<String> = frame(1).iter().map(|row| row.trim_end().to_owned()).collect();
    assert_eq!(emulated(&screen), expected);
}

#[test]
fn what_becomes_blank_is_erased() {
    let mut screen = screen(200, 3);
    rows(&mut screen, &[&"x".repeat(200), "b"]);
    assert!(bytes_of_last(&mut screen, &["x", "b"]) < 40);
    assert_eq!(emulated(&screen), ["x", "b", ""]);
}

#[test]
fn a_style_is_named_once_and_ends() {
    let mut screen = screen(40, 2);
    screen
        .draw(|buffer| {
            buffer.set_string(0, 0, "red words", Style::new().fg(Color::Red));
            buffer.set_string(9, 0, " plain", Style::new());
            None
        })
        .unwrap();
    let sent = String::from_utf8(screen.out.clone()).unwrap();
    assert!(sent.contains("\x1b[0;31mred words\x1b[0m plain"), "{sent:?}");
}

/// Draws one row on a screen that knows links; returns what was sent for it.
fn linked(screen: &mut Screen<Vec<u8>>, row: &str) -> String {
    let before = screen.out.len();
    let draw = |buffer: &mut Buffer| {
        buffer.set_string(0, 0, row, Style::new());
        None
    };
    screen.draw_with(&|name| name == "src/a.rs", draw).unwrap();
    String::from_utf8(screen.out[before..].to_vec()).unwrap()
}

#[test]
fn a_name_is_a_link_once_and_none_when_it_turns_out_to_be_another() {
    let links = Links { root: "/p".into(), ..Links::default() };
    let mut screen = screen(60, 2).with_links(Some(links));
    let link = "\x1b]8;;file:///p/src/a.rs\x1b\\";
    assert_eq!(linked(&mut screen, "see src/a.rs and").matches(link).count(), 1);
    let more = linked(&mut screen, "see src/a.rs and what stands behind it");
    assert!(!more.contains("]8;;"), "{more:?}");
    let other = linked(&mut screen, "see src/a.rs.bak, not what stands behind it");
    assert!(!other.contains(link) && other.contains("src/a.rs"), "its signs are sent once more: {other:?}");
    let again = linked(&mut screen, "see src/a.rs bak, not what stands behind it");
    assert_eq!(again.matches(link).count(), 1, "{again:?}");
    assert_eq!(emulated(&screen)[0], "see src/a.rs bak, not what stands behind it");
}

proptest! {
    /// Whatever is drawn after whatever was drawn: the terminal shows it.
    #[test]
    fn the_terminal_shows_what_was_drawn(
        frames in prop::collection::vec(prop::collection::vec("[a-c 日é]{0,12}", 6), 1..6),
        moves in prop::collection::vec(0usize..4, 6),
    ) {
        let mut screen = screen(14, 6);
        let mut last: Vec<String> = Vec::new();
        for (frame, by) in frames.iter().zip(moves) {
            // Often a part of the last frame, moved up.
            let moved = last.iter().skip(by).cloned();
            let next: Vec<String> = moved.chain(frame.iter().cloned()).take(6).collect();
            rows(&mut screen, &next.iter().map(String::as_str).collect::<Vec<_>>());
            let expected: Vec<String> = {
                let mut buffer = Buffer::empty(screen.area());
                for (y, row) in next.iter().enumerate() {
                    buffer.set_string(0, y as u16, row, Style::new());
                }
                let row = |y| -> String {
                    let mut text = String::new();
                    let mut x = 0;
                    while x < 14 {
                        let symbol = buffer.cell((x, y)).map_or(" ", Cell::symbol);
                        text.push_str(symbol);
                        x += unicode_width::UnicodeWidthStr::width(symbol).max(1) as u16;
                    }
                    text.trim_end().to_owned()
                };
                (0..6).map(row).collect()
            };
            prop_assert_eq!(emulated(&screen), expected);
            last = next;
        }
    }
}
