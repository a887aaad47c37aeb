//! Which call does this piece of a tool call belong to, when servers number them each in their own way?
//!
//! Servers leave the index out, send one index for several calls, repeat the id on every piece or send it once. This
//! file gives each call its position in order of appearance. Pure; it must not keep the arguments themselves.

/// How the wire names the place of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// The `index` the server sent.
    Index(u64),
    /// No index: the position within the array of this one chunk.
    Position(usize),
}

/// What a piece says besides its place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Clue<'a> {
    /// The id, when there is one that is not empty.
    pub id: Option<&'a str>,
    /// The name, when there is one that is not empty.
    pub name: Option<&'a str>,
    /// The arguments' text.
    pub arguments: &'a str,
}

#[derive(Debug, Default)]
struct Call {
    id: Option<String>,
    name: String,
    shape: Shape,
}

/// The calls of one answer as far as they are known.
#[derive(Debug, Default)]
pub struct Calls {
    calls: Vec<Call>,
    slots: Vec<(Slot, usize)>,
}

impl Calls {
    /// Says whether no call was seen yet.
    pub fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    /// Returns the position of the call that a piece belongs to, opening a new one where needed.
    pub fn place(&mut self, slot: Slot, clue: Clue<'_>) -> usize {
        let at = match self.known(slot, clue) {
            Some(at) => at,
            None => {
                self.calls.push(Call::default());
                self.calls.len() - 1
            }
        };
        self.slots.retain(|(known, _)| *known != slot);
        self.slots.push((slot, at));
        let call = &mut self.calls[at];
        if call.id.is_none() {
            call.id = clue.id.map(str::to_owned);
        }
        if let Some(name) = clue.name {
            grow_name(&mut call.name, name);
        }
        call.shape.push(clue.arguments);
        at
    }

    fn known(&self, slot: Slot, clue: Clue<'_>) -> Option<usize> {
        let unnumbered = matches!(slot, Slot::Position(_));
        if let Some(id) = clue.id.filter(|_| unnumbered)
            && let Some(at) = self.calls.iter().position(|call| call.id.as_deref() == Some(id))
        {
            return Some(at);
        }
        let at = self.slots.iter().find(|(known, _)| *known == slot).map(|(_, at)| *at)?;
        let call = &self.calls[at];
        let other_id = clue.id.is_some() && call.id.is_some() && clue.id != call.id.as_deref();
        // Whole calls without ids, one per chunk: a name after complete arguments begins the next call.
        let next_whole =
            clue.id.is_none() && call.shape.is_whole() && clue.name.is_some_and(|name| unnumbered || name != call.name);
        (!other_id && !next_whole).then_some(at)
    }
}

/// Adds a piece of a name: servers send it whole, repeat it on every piece, let it grow, or split it.
pub fn grow_name(name: &mut String, piece: &str) {
    if piece.starts_with(name.as_str()) {
        piece.clone_into(name);
    } else {
        name.push_str(piece);
    }
}

/// Follows the nesting of JSON text to see when an object is closed.
#[derive(Debug, Default)]
struct Shape {
    depth: usize,
    in_string: bool,
    escaped: bool,
    closed: bool,
}

impl Shape {
    fn is_whole(&self) -> bool {
        self.closed && self.depth == 0
    }

    fn push(&mut self, text: &str) {
        for byte in text.bytes() {
            if self.in_string {
                self.in_string = self.escaped || byte != b'"';
                self.escaped = !self.escaped && byte == b'\\';
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    self.closed = true;
                }
                _ => {}
            }
        }
    }
}
