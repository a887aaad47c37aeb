//! Whatever order calls, the user, undo and redo come in: does every undo restore the bytes, and is nothing of the user's lost?
//!
//! Sequences are made of numbered seeds, so that a failing one can be run again. What must hold is told from looks at the tree
//! alone, by who touched a path when, and knows nothing of how paths are put back.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use mimi::checkpoint::keeper::Keeper;
use mimi::checkpoint::node::Delta;
use mimi::checkpoint::step::{About, Cause};

use super::{Place, command};

const NAMES: &[&str] = &["a", "b", "d", "d/x", "d/y", "d/e", "d/e/z", "f", "f/g"];

/// Numbers that look random and are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn name(&mut self) -> &'static str {
        NAMES[self.roll(NAMES.len() as u64) as usize]
    }
}

/// What is at a path: kind and content, and permissions where they mean anything.
type Item = (String, u32);
type Tree = BTreeMap<String, Item>;

fn look(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut folders = vec![root.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let meta = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(root).unwrap().display().to_string();
            let mode = meta.permissions().mode() & 0o777;
            let item = if meta.is_symlink() {
                (format!("-> {}", path.read_link().unwrap().display()), 0)
            } else if meta.is_dir() {
                folders.push(path);
                ("folder".to_owned(), mode)
            } else {
                (std::fs::read_to_string(&path).unwrap(), mode)
            };
            tree.insert(name, item);
        }
    }
    tree
}

fn changed(before: &Tree, after: &Tree) -> BTreeSet<String> {
    before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name)).cloned().collect()
}

/// Does one thing to the files, as a command or a person would. Some do nothing, where something is in the way.
fn act(root: &Path, dice: &mut Dice, words: &str) {
    let path = root.join(dice.name());
    let made_way = path.parent().is_some_and(|parent| std::fs::create_dir_all(parent).is_ok());
    match dice.roll(10) {
        0..4 => drop(made_way.then(|| std::fs::write(&path, words))),
        4 => drop(std::fs::remove_file(&path)),
        5 => drop(std::fs::remove_dir_all(&path)),
        6 => drop(std::fs::create_dir_all(&path)),
        7 => drop(std::fs::rename(&path, root.join(dice.name()))),
        8 => {
            let mode = [0o600, 0o644, 0o755][dice.roll(3) as usize];
            if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            }
        }
        _ => drop(std::os::unix::fs::symlink(words, &path)),
    }
}

/// What a turn did: who takes it back must put these paths back.
#[derive(Default)]
struct Turn {
    deltas: Vec<Delta>,
    /// What each path was before the turn first changed it, and when that was.
    first: BTreeMap<String, (usize, Option<Item>)>,
    /// When the turn last changed each path, and what it was then.
    last: BTreeMap<String, (usize, Option<Item>)>,
}

struct Undone {
    turn: Turn,
    deltas: Vec<Delta>,
    at: usize,
    before: Tree,
}

struct World {
    place: Place,
    keeper: Keeper,
    dice: Dice,
    now: usize,
    turns: Vec<Turn>,
    undone: Vec<Undone>,
    /// When the user touched which path, and what it was then.
    touches: Vec<(usize, String, Option<Item>)>,
    history: Vec<String>,
    n_undos: usize,
    n_whole: usize,
}

impl World {
    fn new(seed: u64) -> Self {
        let place = Place::new();
        let keeper = place.keeper("s");
        let dice = Dice(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let (turns, undone, touches, history) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        Self { place, keeper, dice, now: 0, turns, undone, touches, history, n_undos: 0, n_whole: 0 }
    }

    fn root(&self) -> std::path::PathBuf {
        self.place.path("")
    }

    fn look(&self) -> Tree {
        look(&self.root())
    }

    fn play(&mut self) {
        for _ in 0..3 {
            self.user();
        }
        for _ in 0..12 {
            self.now += 1;
            match self.dice.roll(10) {
                0..4 => self.call(),
                4 => self.turns.push(Turn::default()),
                5..7 => self.user(),
                7..9 => self.undo(),
                _ => self.redo(),
            }
        }
        while !self.turns.is_empty() {
            self.now += 1;
            self.undo();
        }
    }

    fn user(&mut self) {
        let (before, words) = (self.look(), format!("user {}", self.now));
        act(&self.root(), &mut self.dice, &words);
        let after = self.look();
        for name in changed(&before, &after) {
            self.history.push(format!("{}: user {name}", self.now));
            self.touches.push((self.now, name.clone(), after.get(&name).cloned()));
        }
    }

    fn call(&mut self) {
        self.undone.clear();
        let before = self.look();
        let deltas = if self.dice.roll(3) == 0 { self.edit() } else { self.command() };
        let after = self.look();
        if self.turns.is_empty() {
            self.turns.push(Turn::default());
        }
        let turn = self.turns.last_mut().unwrap();
        self.history.push(format!("{}: deltas {deltas:?}", self.now));
        turn.deltas.extend(deltas);
        for name in changed(&before, &after) {
            self.history.push(format!("{}: call {name}", self.now));
            turn.first.entry(name.clone()).or_insert((self.now, before.get(&name).cloned()));
            turn.last.insert(name.clone(), (self.now, after.get(&name).cloned()));
        }
    }

    /// A call of a tool that names its file.
    fn edit(&mut self) -> Vec<Delta> {
        let path = self.root().join(["a", "b", "d/x"][self.dice.roll(3) as usize]);
        if path.symlink_metadata().is_ok_and(|meta| !meta.is_file()) || !path.parent().unwrap().is_dir() {
            return Vec::new();
        }
        let kept = self.keeper.store().keep(&path).unwrap();
        std::fs::write(&path, format!("edit {}", self.now)).unwrap();
        let change = kept.change(&path).unwrap().unwrap();
        self.keeper.note_edit(About { cause: Cause::Edit, ..command(1) }, std::slice::from_ref(&change)).unwrap();
        vec![change.into()]
    }

    fn command(&mut self) -> Vec<Delta> {
        let open = self.keeper.begin(command(1)).unwrap();
        for n in 0..=self.dice.roll(4) {
            let words = format!("command {} {n}", self.now);
            act(&self.root(), &mut self.dice, &words);
        }
        if self.dice.roll(8) > 0 {
            let step = self.keeper.end(open).unwrap();
            step.iter().for_each(|step| self.keeper.settle(&step.id));
            return step.map(|step| step.deltas).unwrap_or_default();
        }
        // Killed before anybody looked.
        self.keeper = self.place.keeper("s");
        let mut found = self.keeper.unsettled();
        found.iter().for_each(|found| self.keeper.settle(&found.step.id));
        found.pop().map(|found| found.step.deltas).unwrap_or_default()
    }

    fn take_back(&self, deltas: &[Delta]) -> Vec<Delta> {
        let (step, _) = self.keeper.take_back(About { cause: Cause::Undo, ..command(1) }, deltas).unwrap();
        self.keeper.settle(&step.id);
        step.deltas
    }

    fn undo(&mut self) {
        let Some(turn) = self.turns.pop() else { return };
        let before = self.look();
        let deltas = self.take_back(&turn.deltas);
        let after = self.look();
        self.history.push(format!("{}: undo", self.now));
        self.n_undos += 1;
        for name in changed(&before, &after) {
            // A folder the user removed comes back with a file in it that a call had removed before.
            let is_above = turn.first.keys().any(|own| own.starts_with(&format!("{name}/")));
            let is_needed = is_above && !before.contains_key(&name);
            assert!(is_needed || turn.first.contains_key(&name), "`{name}` is none of the turn's: {self}");
        }
        for (name, (since, first)) in &turn.first {
            self.check((name, first.as_ref()), *since, &turn.last[name], (&before, &after));
        }
        let whole = turn.first.iter().all(|(name, (_, first))| after.get(name) == first.as_ref());
        self.n_whole += usize::from(whole);
        self.undone.push(Undone { turn, deltas, at: self.now, before });
    }

    /// Checks what became of one path of a turn.
    fn check(
        &self,
        (name, first): (&str, Option<&Item>),
        since: usize,
        (last, left): &(usize, Option<Item>),
        (before, after): (&Tree, &Tree),
    ) {
        let (was, is) = (before.get(name), after.get(name));
        let touched: Vec<_> =
            self.touches.iter().filter(|touch| touch.0 > since && is_related(&touch.1, name)).collect();
        let Some((at, _, theirs)) = touched.iter().rfind(|touch| touch.1 == name) else {
            if touched.is_empty() {
                assert_eq!(is, first, "`{name}` is not as it was before the turn: {self}");
            }
            return;
        };
        let content = |item: Option<&Item>| item.map(|item| item.0.clone());
        // Somebody who writes just what the call wrote cannot be told from it.
        let is_told = content(was) != content(left.as_ref());
        if at > last && is_told && content(was) == content(theirs.as_ref()) {
            // Theirs: either its content is untouched, or only its permissions are theirs and these stay.
            let is_untouched = content(is) == content(was);
            let keeps_mode = is.zip(was).is_some_and(|(is, was)| is.1 == was.1)
                && self.touches.iter().filter(|touch| touch.1 == name && touch.0 > since).count() == 1
                && content(is) == content(first);
            assert!(is_untouched || keeps_mode, "`{name}` of the user was {was:?}, is {is:?}: {self}");
        } else if at <= last && touched.len() == 1 {
            let is_back = content(is) == content(theirs.as_ref()) || content(is) == content(first);
            assert!(is_back, "`{name}` was {theirs:?} by the user, is {is:?}: {self}");
        }
    }

    fn redo(&mut self) {
        let Some(Undone { turn, deltas, at, before }) = self.undone.pop() else { return };
        let now = self.look();
        self.take_back(&deltas);
        self.history.push(format!("{}: redo", self.now));
        let after = self.look();
        let touched: Vec<&String> = self.touches.iter().filter(|touch| touch.0 > at).map(|touch| &touch.1).collect();
        for name in before.keys().chain(after.keys()).chain(now.keys()) {
            if !touched.iter().any(|touched| is_related(touched, name)) {
                assert_eq!(after.get(name), before.get(name), "`{name}` is not as before the undo: {self}");
            } else if touched.contains(&name) && now.get(name) != after.get(name) {
                let (now, after) = (now.get(name), after.get(name));
                assert_eq!(now.map(|item| &item.1), after.map(|item| &item.1), "`{name}` was the user's: {self}");
            }
        }
        self.turns.push(turn);
    }
}

impl std::fmt::Display for World {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{:#?}", self.history)
    }
}

fn is_related(a: &str, b: &str) -> bool {
    let is_below = |a: &str, b: &str| a.strip_prefix(b).is_some_and(|rest| rest.starts_with('/'));
    a == b || is_below(a, b) || is_below(b, a)
}

/// Plays sequences; of the undos at least some must have had something to do.
fn play(seeds: std::ops::Range<u64>) {
    let (mut n_undos, mut n_whole) = (0, 0);
    for seed in seeds.clone() {
        let mut world = World::new(seed);
        let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.play()));
        assert!(played.is_ok(), "the sequence of seed {seed} failed, as said above");
        n_undos += world.n_undos;
        n_whole += world.n_whole;
    }
    println!("{} sequences, {n_undos} undos, {n_whole} of them whole", seeds.count());
    assert!(n_whole * 2 > n_undos, "{n_whole} of {n_undos}");
}

#[test]
fn nothing_is_lost_in_the_first_500_sequences() {
    play(0..500);
}

#[test]
fn nothing_is_lost_in_the_second_500_sequences() {
    play(500..1000);
}

#[test]
fn nothing_is_lost_in_the_third_500_sequences() {
    play(1000..1500);
}

#[test]
fn nothing_is_lost_in_the_fourth_500_sequences() {
    play(1500..2000);
}
