//! Is somebody without a terminal told that a request waits, once, and what a turn took?

use std::io::Write;
use std::sync::{Arc, Mutex};

use super::*;
use crate::protocol::message::Usage;
use crate::protocol::usage::Stats;
use crate::protocol::wait::WaitState;

/// Both streams, written into one text.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn shown(channel: Channel, events: Vec<Event>) -> String {
    let paper = Paper::default();
    let out = Out::to(paper.clone(), paper.clone());
    let mut lines = Lines::new(&out, channel);
    for event in events {
        lines.show(&Record { v: 1, seq: 1, at_ms: 0, event }).unwrap();
    }
    let bytes = paper.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn waiting(state: WaitState, waited_ms: u64) -> Event {
    Event::Waiting(Wait { waited_ms, prompt_tokens: Some(38_000), ..Wait::new(state) })
}

#[test]
fn a_long_wait_is_told_once_where_there_is_no_terminal() {
    let events = || {
        vec![
            waiting(WaitState::Queued, 1000),
            waiting(WaitState::Prefilling, 5000),
            waiting(WaitState::Prefilling, 9000),
            Event::TextDelta { text: "Done.\n".to_owned() },
            waiting(WaitState::Paused, 6000),
        ]
    };
    let expected = "(prefilling 38k tokens, 5.0s so far)\nDone.\n(the answer has paused, 6.0s so far)\n";
    for channel in [Channel::Conversation, Channel::Result] {
        assert_eq!(shown(channel, events()), expected, "{channel:?}");
    }
    assert_eq!(shown(Channel::Progress, vec![waiting(WaitState::Queued, 4999)]), "");
}

#[test]
fn a_conversation_tells_what_each_turn_took() {
    let answered = |input_tokens, cached_tokens| Event::Usage {
        usage: Usage { input_tokens, output_tokens: 50, cached_tokens },
        model: "m".to_owned(),
        context_tokens: 0,
        window_tokens: 0,
        stats: Stats { decode_ms: Some(1000), first_token_ms: Some(300), ..Stats::default() },
    };
    let done = |turn| Event::TurnDone { turn, end: TurnEnd::Answered, steps: 1, usage: Usage::default(), refused: 0 };
    let turns = || {
        vec![
            Event::TurnStarted { turn: 1 },
            answered(1000, 0),
            answered(1000, 900),
            done(1),
            Event::TurnStarted { turn: 2 },
            answered(2000, 1900),
            done(2),
        ]
    };
    let expected = "(2 requests: 2.0k tokens read (45% from the cache), 100 written at 50 tokens/s, first after 0.3s)\n\
        (1 request: 2.0k tokens read (95% from the cache), 50 written at 50 tokens/s, first after 0.3s)\n";
    assert_eq!(shown(Channel::Conversation, turns()), expected);
    assert_eq!(shown(Channel::Result, turns()), "", "a result stands alone");
}

#[test]
fn a_change_is_coloured_only_where_colour_is_wanted() {
    let diff = crate::edit::diff::file_diff("f", Some("let one = 1;\n"), Some("let two = 1;\n"));
    let shown = |choice| {
        let paper = Paper::default();
        let out = Out::to(paper.clone(), paper.clone());
        out.set_colour(choice, &crate::config::env::Env::from_pairs([("NO_COLOR", "1")]));
        Lines::new(&out, Channel::Conversation).previews(&[&diff]).unwrap();
        let bytes = paper.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    };
    use crate::config::ui::ColorChoice;
    let plain = "    @@ -1 +1 @@\n    -let one = 1;\n    +let two = 1;\n";
    assert_eq!(shown(ColorChoice::Never), plain);
    assert_eq!(shown(ColorChoice::Auto), plain, "NO_COLOR");
    let coloured = shown(ColorChoice::Always);
    assert!(coloured.contains("\x1b[31m    -let \x1b[0m\x1b[31;7mone\x1b[0m\x1b[31m = 1;\x1b[0m\n"), "{coloured:?}");
    assert!(coloured.contains("\x1b[32;7mtwo\x1b[0m"), "{coloured:?}");
}
