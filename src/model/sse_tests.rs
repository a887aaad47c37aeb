//! Does every way of cutting and spelling an event stream give the same events?

use proptest::prelude::*;

use super::*;

fn decode(pieces: &[&[u8]], limit_bytes: usize) -> (Vec<(String, String)>, bool) {
    let mut events = Vec::new();
    let mut decoder = Decoder::with_limit(limit_bytes);
    let mut keep = |event: Event<'_>| events.push((event.name.into_owned(), event.data.into_owned()));
    let mut is_fine = pieces.iter().all(|piece| decoder.feed(piece, &mut keep).is_ok());
    is_fine &= decoder.finish(&mut keep).is_ok();
    (events, is_fine)
}

#[test]
fn every_spelling_of_an_event_is_read() {
    let table: [(&str, &[(&str, &str)]); 14] = [
        ("data: a\n\n", &[("", "a")]),
        ("data: a\r\n\r\ndata: b\r\n\r\n", &[("", "a"), ("", "b")]),
        ("data: a\r\rdata: b\r\r", &[("", "a"), ("", "b")]),
        ("data:a\n\n", &[("", "a")]),
        ("data:  a\n\n", &[("", " a")]),
        (": keep-alive\n\ndata: a\n\n:\n\n", &[("", "a")]),
        ("event: error\ndata: a\n\ndata: b\n\n", &[("error", "a"), ("", "b")]),
        ("data: a\ndata: b\n\n", &[("", "a\nb")]),
        ("data\n\n", &[("", "")]),
        ("data: a", &[("", "a")]),
        ("\u{feff}data: a\n\n", &[("", "a")]),
        ("id: 7\nretry: 10\nnonsense\ndata: a\n\n", &[("", "a")]),
        ("event: lonely\n\ndata: a\n\n", &[("", "a")]),
        ("data: a:b: c\n\n", &[("", "a:b: c")]),
    ];
    for (text, expected) in table {
        let (events, is_fine) = decode(&[text.as_bytes()], MAX_EVENT_BYTES);
        let expected: Vec<(String, String)> =
            expected.iter().map(|(name, data)| ((*name).to_owned(), (*data).to_owned())).collect();
        assert!(is_fine);
        assert_eq!(events, expected, "{text:?}");
    }
}

#[test]
fn bytes_that_are_not_text_are_replaced_and_a_character_may_be_cut_anywhere() {
    assert_eq!(decode(&[b"data: \xff\n\n"], 99).0[0].1, "\u{fffd}");
    let text = "data: 日本\n\n".as_bytes();
    for cut in 0..text.len() {
        assert_eq!(decode(&[&text[..cut], &text[cut..]], 99).0[0].1, "日本", "{cut}");
    }
}

#[test]
fn a_line_without_end_is_refused_instead_of_filling_memory() {
    let long = [b'x'; 64];
    let mut decoder = Decoder::with_limit(100);
    decoder.feed(b"data: ", |_| {}).unwrap();
    decoder.feed(&long, |_| {}).unwrap();
    assert_eq!(decoder.feed(&long, |_| {}), Err(EventTooLong { limit_bytes: 100 }));
    assert!(decoder.feed(b"\n\ndata: a\n\n", |_| panic!("read on")).is_err());
    let lines = "data: 0123456789\n".repeat(20);
    assert!(!decode(&[lines.as_bytes()], 100).1, "many short lines of one event count together");
}

proptest! {
    #[test]
    fn any_split_gives_the_same_events(
        text in proptest::collection::vec(
            prop_oneof![
                Just("data: "), Just("data:"), Just("event: e"), Just(": c"), Just("\n"), Just("\r\n"), Just("\r"),
                Just("\n\n"), Just("é"), Just("{\"a\":1}"), Just("\u{feff}"), Just("x"), Just(" ")
            ],
            0..40,
        ),
        cuts in proptest::collection::vec(0usize..400, 0..20),
        limit_bytes in prop_oneof![Just(12usize), Just(1000)],
    ) {
        let text = text.concat();
        let bytes = text.as_bytes();
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
        prop_assert_eq!(decode(&pieces, limit_bytes), decode(&[bytes], limit_bytes));
    }
}
