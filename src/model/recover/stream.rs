//! Which part of an answer may be shown at once, and which waits because it may be a call?
//!
//! Words pass line by line; only the beginning of a line can open a call, so only that waits, for as long as it may still
//! become an opener. What has become the beginning of a call of a tool on offer waits for the end of the message, because
//! only then is it known what it was. White space waits for what follows it: around a call it goes with the call.

use crate::model::recover::block::{self, Call, What};
use crate::model::recover::explain;
use crate::model::recover::peek::{self, Peek};
use crate::model::recover::scan::Place;
use crate::model::recover::toolbox::Toolbox;
use crate::model::recover::wrapper::{self, FENCE, Found, Gate, NAMED, Opener, RESULTS};

/// Bytes that may wait and be looked at again with each piece; beyond, they are looked at when an eighth has been added.
const EAGER_BYTES: usize = 512;
/// Spaces before an opener; more make a block of code in Markdown.
const MAX_INDENT: usize = 3;
/// Bytes kept of what was refused, for whoever asks why.
const MAX_DROPPED: usize = 4000;

/// Something that looked like a call and was not run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dropped {
    /// Why, in words.
    pub why: String,
    /// The tool's name as written, where there was one.
    pub name: Option<String>,
    /// Its text, clipped.
    pub text: String,
    /// Whether it was meant as a call: nothing shows, quotes or explains it.
    pub is_meant: bool,
}

/// A call found in the words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// The call.
    pub call: Call,
    /// Calls that the server itself had reported before this one.
    pub after: usize,
}

/// What the words of an answer held besides words.
#[derive(Debug, Default)]
pub struct Findings {
    /// The calls, in their order.
    pub calls: Vec<Recovered>,
    /// What looked like one.
    pub dropped: Vec<Dropped>,
    /// The name of a call that broke off.
    pub cut: Option<String>,
    /// Lines that held nothing but closing tags of calls the server had taken out.
    pub stray_closers: u32,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    /// At the start of a line.
    #[default]
    LineStart,
    /// Within a line of words.
    Middle,
    /// Within a block that is shown as it is.
    Skipping { closer: &'static str, opener: &'static str, depth: usize },
    /// A call has begun; everything waits for the end.
    Holding,
}

/// What to do with the text that is not decided yet.
enum Step {
    /// This many bytes are dealt with.
    Took(usize),
    /// More must be seen.
    More,
}

/// Whether more can come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Live,
    Last,
}

/// The words of one answer on their way to the reader.
pub struct Words {
    toolbox: Toolbox,
    accepts_naked: bool,
    state: State,
    place: Place,
    /// What is not decided yet.
    held: String,
    /// Bytes below which looking again at what is held is not worth it.
    look_again_at: usize,
    shown: Shown,
    /// Calls the server itself has reported so far.
    pub n_structured: usize,
    /// What was found so far.
    pub findings: Findings,
}

impl Words {
    /// Starts an answer. JSON without any mark around it counts as a call only if `accepts_naked`.
    pub fn new(toolbox: Toolbox, accepts_naked: bool) -> Self {
        Self {
            toolbox,
            accepts_naked,
            state: State::LineStart,
            place: Place::default(),
            held: String::new(),
            look_again_at: 0,
            shown: Shown::default(),
            n_structured: 0,
            findings: Findings::default(),
        }
    }

    /// Takes the next piece and returns what may be shown by now.
    pub fn push(&mut self, piece: &str) -> String {
        if self.state == State::Holding || (!self.held.is_empty() && self.held.len() + piece.len() < self.look_again_at)
        {
            self.held.push_str(piece);
            return String::new();
        }
        if self.held.is_empty() {
            let used = self.run(piece, Phase::Live);
            self.held.push_str(&piece[used..]);
        } else {
            let mut text = std::mem::take(&mut self.held);
            text.push_str(piece);
            let used = self.run(&text, Phase::Live);
            self.held.push_str(&text[used..]);
        }
        let waits = self.held.len();
        self.look_again_at = if waits > EAGER_BYTES { waits + waits / 8 } else { 0 };
        self.shown.take()
    }

    /// Says whether a call that the server reports right here stands in an example.
    pub fn shows_example(&self) -> bool {
        self.place.shows_example()
    }

    /// Ends the message and returns the rest of what may be shown.
    pub fn finish(&mut self) -> String {
        let text = std::mem::take(&mut self.held);
        if self.state == State::Holding {
            self.state = State::LineStart;
        }
        let used = self.run(&text, Phase::Last);
        self.show(&text[used..]);
        self.shown.end();
        self.shown.take()
    }

    /// Deals with as much of the text as can be decided; returns how many bytes that is.
    fn run(&mut self, text: &str, phase: Phase) -> usize {
        let mut at = 0;
        while at < text.len() && self.state != State::Holding {
            let rest = &text[at..];
            let step = match self.state {
                State::Middle => self.middle(rest),
                State::LineStart => self.line_start(rest, phase),
                State::Skipping { closer, opener, depth } => self.skip(rest, (closer, opener, depth), phase),
                State::Holding => Step::More,
            };
            match step {
                Step::Took(n) => at += n,
                Step::More => break,
            }
        }
        at
    }

    fn show(&mut self, text: &str) {
        self.place.feed(text);
        self.shown.add(text);
    }

    fn middle(&mut self, rest: &str) -> Step {
        let end = rest.find('\n').map_or(rest.len(), |at| at + 1);
        self.show(&rest[..end]);
        if rest[..end].ends_with('\n') {
            self.state = State::LineStart;
        }
        Step::Took(end)
    }

    /// Shows the line as words, or waits when more may make it something else.
    fn words_or_wait(&mut self, may_wait: bool, phase: Phase) -> Step {
        if may_wait && phase == Phase::Live {
            return Step::More;
        }
        self.state = State::Middle;
        Step::Took(0)
    }

    fn line_start(&mut self, rest: &str, phase: Phase) -> Step {
        if self.place.is_quoted() || self.toolbox.is_empty() {
            return self.words_or_wait(false, phase);
        }
        let indent = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let text = &rest[indent..];
        let is_code = indent > MAX_INDENT || rest[..indent].contains('\t');
        if is_code || text.is_empty() {
            return self.words_or_wait(!is_code, phase);
        }
        match self.opener(text) {
            Found::Yes(opener) => return self.candidate(rest, indent, opener, phase),
            Found::Maybe if phase == Phase::Live => return Step::More,
            Found::Maybe | Found::No => {}
        }
        match wrapper::closer(text) {
            Found::Yes(_) => self.stray(text, indent, phase),
            found => self.words_or_wait(found == Found::Maybe, phase),
        }
    }

    /// Finds what may open a call at the start of a line.
    fn opener(&self, text: &str) -> Found<&'static Opener> {
        let is_first = !self.place.has_text() && self.findings.calls.is_empty();
        let found = match wrapper::opener(text) {
            Found::No if is_first && text.starts_with(FENCE.text) => Found::Yes(&FENCE),
            Found::No if is_first && FENCE.text.starts_with(text) => Found::Maybe,
            Found::No if is_first => self.named(text),
            found => found,
        };
        match found {
            Found::Yes(opener) if opener.gate != Gate::Marked && !self.may_be_naked() => {
                if wrapper::may_be_mark(text) {
                    Found::Maybe
                } else {
                    Found::No
                }
            }
            found => found,
        }
    }

    fn may_be_naked(&self) -> bool {
        self.accepts_naked && !self.place.is_inside_braces()
    }

    /// Finds a tool's name in front of its arguments.
    fn named(&self, text: &str) -> Found<&'static Opener> {
        if !text.starts_with(|c: char| c.is_alphabetic() || c == '_') {
            return Found::No;
        }
        let Some(tool) = self.toolbox.at_start(text) else {
            return if self.toolbox.may_start(text) { Found::Maybe } else { Found::No };
        };
        let rest = text[tool.name.len()..].trim_start();
        let begins = ["{", "(", "[ARGS]", "[CALL_ID]", "```", "<arg_key>", "<｜tool▁sep｜>"];
        if begins.iter().any(|mark| rest.starts_with(mark)) {
            return Found::Yes(&NAMED);
        }
        if begins.iter().any(|mark| mark.starts_with(rest)) { Found::Maybe } else { Found::No }
    }

    fn candidate(&mut self, rest: &str, indent: usize, opener: &'static Opener, phase: Phase) -> Step {
        let text = &rest[indent..];
        let peek = peek::peek(&self.toolbox, text, opener);
        if peek == Peek::More && phase == Phase::Live {
            return Step::More;
        }
        let obstacle = self.place.obstacle(&rest[..indent]);
        let (why, name) = match (peek, obstacle) {
            (Peek::Other, _) => {
                self.show(&rest[..indent + opener.text.len()]);
                self.state = State::Middle;
                return Step::Took(indent + opener.text.len());
            }
            (Peek::Unknown(name), _) => ("no such tool is on offer", Some(name)),
            (Peek::Call(name), Some(obstacle)) => (obstacle, Some(name)),
            (Peek::Call(_), None) if phase == Phase::Live => {
                self.state = State::Holding;
                return Step::Took(0);
            }
            (Peek::Call(_), None) => return Step::Took(indent + self.block(text, indent, opener)),
            (Peek::More, None) if opener.gate == Gate::Marked => {
                self.drop("it breaks off", None, text);
                self.shown.cut();
                return Step::Took(rest.len());
            }
            (Peek::More, _) => return self.words_or_wait(false, phase),
        };
        self.drop(why, name, "");
        self.mark_meant(opener.gate == Gate::Marked && obstacle.is_none());
        self.show(&rest[..indent]);
        self.refuse(indent, opener)
    }

    /// Has a block shown as it is: nothing in it is looked at, since it may quote other calls.
    fn refuse(&mut self, indent: usize, opener: &'static Opener) -> Step {
        if opener.gate == Gate::Marked && !opener.closer.is_empty() {
            self.state = State::Skipping { closer: opener.closer, opener: opener.text, depth: 0 };
        } else {
            self.state = State::Middle;
        }
        Step::Took(indent)
    }

    fn skip(&mut self, rest: &str, (closer, opener, depth): (&'static str, &'static str, usize), phase: Phase) -> Step {
        let next = [closer, opener].into_iter().filter_map(|mark| Some((rest.find(mark)?, mark))).min();
        let Some((at, mark)) = next else {
            let kept = if phase == Phase::Live { overlap(rest, closer).max(overlap(rest, opener)) } else { 0 };
            self.show_dropped(&rest[..rest.len() - kept]);
            return if kept == rest.len() { Step::More } else { Step::Took(rest.len() - kept) };
        };
        let end = at + mark.len();
        self.show_dropped(&rest[..end]);
        let depth = if mark == opener { depth + 1 } else { depth.saturating_sub(1) };
        self.state =
            if mark == closer && depth == 0 { State::Middle } else { State::Skipping { closer, opener, depth } };
        Step::Took(end)
    }

    fn show_dropped(&mut self, text: &str) {
        self.show(text);
        if let Some(dropped) = self.findings.dropped.last_mut().filter(|dropped| dropped.text.len() < MAX_DROPPED) {
            dropped.text.push_str(text);
        }
    }

    fn drop(&mut self, why: &str, name: Option<String>, text: &str) {
        let text = text[..text.floor_char_boundary(MAX_DROPPED)].trim_end().to_owned();
        let name = name.filter(|name| !name.is_empty());
        self.findings.dropped.push(Dropped { why: why.to_owned(), name, text, is_meant: false });
    }

    /// Says of what was dropped last whether it was meant as a call.
    fn mark_meant(&mut self, is_meant: bool) {
        if let Some(dropped) = self.findings.dropped.last_mut() {
            dropped.is_meant = is_meant;
        }
    }

    /// Deals with a line of closing tags. They are shown only when words follow and no call was taken out before.
    fn stray(&mut self, text: &str, indent: usize, phase: Phase) -> Step {
        let end = wrapper::skip_closers(text, 0);
        let rest = &text[end..];
        let has_calls = self.n_structured > 0 || !self.findings.calls.is_empty();
        let is_alone = rest.is_empty() || rest.starts_with(['\n', '\r']);
        let may_grow = rest.trim_start().is_empty() || wrapper::closer(rest.trim_start()) == Found::Maybe;
        if may_grow && phase == Phase::Live {
            return Step::More;
        }
        let is_left_over = has_calls || !self.place.mentions_calls();
        if is_left_over && (rest.trim().is_empty() || (has_calls && is_alone)) {
            self.findings.stray_closers += 1;
            self.shown.cut();
            self.state = State::Middle;
            return Step::Took(indent + end);
        }
        self.words_or_wait(false, phase)
    }

    /// Takes the calls out of the rest of the message, which begins with `opener`; returns how many bytes are dealt with.
    fn block(&mut self, text: &str, indent: usize, opener: &'static Opener) -> usize {
        let block = block::read(&self.toolbox, text, opener);
        self.state = State::Middle;
        if block.items.is_empty() {
            self.show(&text[..opener.text.len()]);
            return opener.text.len();
        }
        let after = &text[block.end..];
        if let Some(why) = self.doubt(opener, &block, after) {
            for item in &block.items {
                self.drop(why, Some(name_of(&item.what)), &text[item.span.clone()]);
            }
            self.show(&text[..block.end]);
            return block.end;
        }
        let is_refused = block.items.iter().all(|item| matches!(item.what, What::Refused { .. }));
        if is_refused {
            self.show(&" ".repeat(indent));
            self.show(&text[..block.end]);
        }
        for item in block.items {
            let part = &text[item.span.clone()];
            match item.what {
                What::Call(call) => {
                    self.findings.calls.push(Recovered { call, after: self.n_structured });
                    self.shown.cut();
                }
                What::Cut { name } => {
                    self.drop("it breaks off", Some(name.clone()), part);
                    let tool = self.toolbox.resolve(&name);
                    self.findings.cut = Some(tool.map_or(name, |tool| tool.name.clone()));
                    self.shown.cut();
                }
                What::Refused { name, why } => {
                    self.drop(&why, Some(name), part);
                    self.mark_meant(opener.gate == Gate::Marked);
                    if !is_refused {
                        self.show(part);
                    }
                }
            }
        }
        let is_invented = !is_refused && RESULTS.iter().any(|tag| after.trim_start().starts_with(tag));
        if is_invented {
            self.drop("the model invents the result of its call", None, after.trim_start());
            return text.len();
        }
        block.end
    }

    /// Says what speaks against a block of calls in what follows it.
    fn doubt(&self, opener: &Opener, block: &block::Block, after: &str) -> Option<&'static str> {
        let is_cut = matches!(block.items.last().map(|item| &item.what), Some(What::Cut { .. }));
        if opener.gate != Gate::Marked && !after.trim().is_empty() {
            return Some("words follow it");
        }
        if opener.gate == Gate::Fence && (block.items.len() != 1 || (!is_cut && !is_fenced(block, after))) {
            return Some("a code fence shows it");
        }
        let closes_thought = after.find("</think>").is_some_and(|end| !after[..end].contains("<think>"));
        if closes_thought {
            return Some("the model only thought of it");
        }
        let next = after.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
        explain::follows(self.place.lead(), next).then_some("it is explained, not meant")
    }
}

/// Says whether the fence around a block is closed.
fn is_fenced(block: &block::Block, after: &str) -> bool {
    block.is_fence_closed && after.trim().is_empty()
}

fn name_of(what: &What) -> String {
    match what {
        What::Call(call) => call.name.clone(),
        What::Refused { name, .. } | What::Cut { name } => name.clone(),
    }
}

/// Returns how many bytes at the end of `text` are a beginning of `mark`.
fn overlap(text: &str, mark: &str) -> usize {
    let lengths = (1..mark.len().min(text.len() + 1)).rev();
    lengths.filter(|length| mark.is_char_boundary(*length)).find(|length| text.ends_with(&mark[..*length])).unwrap_or(0)
}

/// Words on their way to the reader. White space at their end waits for what follows.
#[derive(Debug, Default)]
struct Shown {
    ready: String,
    /// White space that waits.
    spaces: String,
    /// White space since a call was taken out; none when none was since the last words.
    gap: Option<String>,
    has_words: bool,
}

impl Shown {
    fn add(&mut self, text: &str) {
        let words = text.trim_end();
        let (words, spaces) = text.split_at(words.len());
        if words.is_empty() {
            self.gap.as_mut().unwrap_or(&mut self.spaces).push_str(spaces);
            return;
        }
        if let Some(mut gap) = self.gap.take() {
            let start = words.len() - words.trim_start().len();
            gap.push_str(&words[..start]);
            // Line breaks around a call go with it; the indentation of the next line stays.
            let indent = gap.rfind('\n').map_or("", |at| &gap[at + 1..]);
            if !self.has_words {
                self.spaces.clear();
            } else if !self.spaces.contains('\n') {
                self.spaces = "\n".to_owned();
            }
            self.spaces.push_str(indent);
            self.ready.push_str(&self.spaces);
            self.ready.push_str(&words[start..]);
        } else {
            self.ready.push_str(&self.spaces);
            self.ready.push_str(words);
        }
        self.has_words = true;
        self.spaces.clear();
        self.spaces.push_str(spaces);
    }

    /// A call was taken out here.
    fn cut(&mut self) {
        if self.gap.is_none() {
            let end = self.spaces.rfind('\n').map_or(self.spaces.len(), |at| at + 1);
            self.spaces.truncate(end);
        }
        self.gap = Some(String::new());
    }

    /// The message is over.
    fn end(&mut self) {
        if self.gap.is_none() {
            self.ready.push_str(&self.spaces);
        }
        self.spaces.clear();
    }

    fn take(&mut self) -> String {
        std::mem::take(&mut self.ready)
    }
}
