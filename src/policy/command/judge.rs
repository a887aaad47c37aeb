//! What may each command of a line do by itself?

use std::path::PathBuf;

use crate::policy::command::arguments::{self, Call};
use crate::policy::command::line::{Line, Simple, assigned};
use crate::policy::command::place::{Place, World, tidy};
use crate::policy::command::scan::{Lead, Word};
use crate::policy::command::table::{Check, Table};
use crate::policy::command::wrapper::{self, Inner};
use crate::policy::command::{MAX_BYTES, Part, Standing, read};

/// Most folders a later command of the line may find itself in.
const MAX_FOLDERS: usize = 8;

/// Judges every command.
pub fn parts(line: &Line, world: &World<'_>, table: &Table) -> Vec<Part> {
    let mut judge = Judge { world, table, folders: vec![world.cwd.to_path_buf()], has_moved: false };
    let mut parts: Vec<Part> = line.commands.iter().map(|command| judge.part(command)).collect();
    for (index, command) in line.commands.iter().enumerate() {
        if let Some(why) = fetched_code(line, index, command, table) {
            parts[index].standing = Standing::Refused(why);
        }
    }
    parts
}

/// Where a command leads its output.
#[derive(Default)]
struct Led {
    writes: Vec<PathBuf>,
    outside: Vec<PathBuf>,
}

struct Judge<'a> {
    world: &'a World<'a>,
    table: &'a Table,
    /// Every folder the next command may run in: nobody knows whether a `cd` succeeds.
    folders: Vec<PathBuf>,
    has_moved: bool,
}

impl Judge<'_> {
    fn part(&mut self, command: &Simple) -> Part {
        let (mut doubt, mut refused, mut led) = (None, None, Led::default());
        for (lead, word) in &command.leads {
            match self.lead(*lead, word, &mut led) {
                Standing::Looks => {}
                Standing::Doubt(why) => drop(doubt.get_or_insert(why)),
                Standing::Refused(why) => drop(refused.get_or_insert(why)),
            }
        }
        for word in &command.assignments {
            if let Some(why) = self.assignment(word) {
                doubt.get_or_insert(why);
            }
        }
        let (layers, n_allowable, standing) = match command.words.is_empty() {
            true if command.assignments.is_empty() => (Vec::new(), 0, Standing::Looks),
            true => (Vec::new(), 0, Standing::Doubt("it sets a variable for what follows".to_owned())),
            false => self.words(&command.words),
        };
        let standing = refused.map_or(standing, Standing::Refused);
        let Led { writes, outside } = led;
        Part {
            range: command.range(),
            layers,
            n_allowable,
            standing,
            doubt,
            writes,
            outside,
            is_own: command.depth == 0,
        }
    }

    fn assignment(&self, word: &Word) -> Option<String> {
        let (name, _) = assigned(&word.text)?;
        match self.table.is_harmless(name) && word.is_literal() {
            true => None,
            false => Some(format!("it sets `{name}`, which may change what runs")),
        }
    }

    fn lead(&self, lead: Lead, word: &Word, led: &mut Led) -> Standing {
        if matches!(lead, Lead::Copy | Lead::HereDocument) {
            return Standing::Looks;
        }
        let mut standing = Standing::Looks;
        if !word.is_literal() {
            standing = Standing::Doubt("where it leads its output or input is known only when it runs".to_owned());
        }
        if lead == Lead::HereText {
            return standing;
        }
        for folder in &self.folders {
            let found = self.world.find(folder, &word.text);
            let (shown, plain) = (found.path.display(), tidy(&folder.join(&word.text)));
            match (lead, found.place) {
                (Lead::To, _) if self.world.is_guarded(&plain) => {
                    return Standing::Refused(format!("it writes `{shown}`, which only you may change"));
                }
                (Lead::To, Place::Secret) if !plain.starts_with(self.world.root) => {
                    return Standing::Refused(format!("it writes `{shown}`, which may hold secrets"));
                }
                (Lead::To, Place::Secret) => {
                    standing = Standing::Doubt(format!("it writes `{shown}`, which may hold secrets"));
                }
                (Lead::To, Place::Listed | Place::Outside) => {
                    standing = Standing::Doubt(format!("it writes outside the workspace: `{shown}`"));
                    led.outside.push(found.path);
                }
                (Lead::To, Place::Inside) => led.writes.push(found.path),
                (_, Place::Secret) => return Standing::Refused(arguments::secret(&found.path)),
                (_, Place::Listed | Place::Outside) => {
                    standing = Standing::Doubt(format!("it reads outside the workspace: `{shown}`"));
                }
                (_, Place::Nowhere | Place::Inside) => {}
            }
        }
        standing
    }

    /// Judges the words of a command, wrappers taken off.
    fn words(&mut self, words: &[Word]) -> (Vec<Vec<Word>>, usize, Standing) {
        let mut layers = vec![words.to_vec()];
        let mut n_allowable = 1;
        let mut doubt: Option<String> = None;
        loop {
            let current = layers.last().cloned().unwrap_or_default();
            let name = self.name(&current);
            let Some(wrapper) = name.as_deref().ok().and_then(|name| self.table.wrapper(name)) else { break };
            match wrapper::take_off(wrapper, &current, self.table) {
                Inner::Command { words, doubt: why } => {
                    if let Some(why) = why.or_else(|| wrapper.sees.then(|| beyond(&current[0].text))) {
                        doubt.get_or_insert(why);
                    } else if doubt.is_none() {
                        n_allowable += 1;
                    }
                    layers.push(words);
                }
                Inner::Lookup => return (layers, n_allowable, doubt.map_or(Standing::Looks, Standing::Doubt)),
                Inner::Nothing(why) => {
                    doubt.get_or_insert(why);
                    break;
                }
            }
        }
        let last = layers.last().cloned().unwrap_or_default();
        let standing = match (self.program(&last), doubt) {
            (refused @ Standing::Refused(_), _) => refused,
            (_, Some(why)) => Standing::Doubt(why),
            (standing, None) => standing,
        };
        let standing = layers.iter().fold(standing, |standing, words| self.stricter(standing, words));
        (layers, n_allowable, standing)
    }

    /// Returns the name of the program the words start.
    fn name(&self, words: &[Word]) -> Result<String, String> {
        let Some(first) = words.first() else { return Err("it names no program".to_owned()) };
        // `[` alone is no pattern.
        if !first.is_literal() {
            return Err("which program it starts is known only when it runs".to_owned());
        }
        let Some(name) = self.table.bare(&first.text) else {
            return Err(format!("it starts a program by its path, `{}`", first.text));
        };
        if self.table.is_builtin(name) && !first.text.contains('/') {
            return Ok(name.to_owned());
        }
        match self.world.disk.program(name) {
            Some(path) if path.starts_with(self.world.root) => {
                Err(format!("`{name}` is found in the workspace itself, at `{}`", path.display()))
            }
            _ => Ok(name.to_owned()),
        }
    }

    fn program(&mut self, words: &[Word]) -> Standing {
        let name = match self.name(words) {
            Ok(name) => name,
            Err(why) => return Standing::Doubt(why),
        };
        if self.table.is_shell(&name) {
            return self.shell(&name, words);
        }
        let Some(schema) = self.table.program(&name) else {
            return Standing::Doubt(format!("`{name}` may do more than look"));
        };
        let call = Call { world: self.world, folders: &self.folders, has_moved: self.has_moved, name: &name };
        let standing = match arguments::judge(&call, schema, &words[1..]) {
            Ok(()) => Standing::Looks,
            Err(standing) => standing,
        };
        if schema.check == Some(Check::Cd) {
            self.go(&words[1..]);
        }
        standing
    }

    /// Follows a `cd`.
    fn go(&mut self, words: &[Word]) {
        let Some(target) = words.iter().find(|word| word.text != "--") else { return };
        let new: Vec<PathBuf> = self.folders.iter().map(|folder| self.world.find(folder, &target.text).path).collect();
        for folder in new {
            if !self.folders.contains(&folder) && self.folders.len() < MAX_FOLDERS {
                self.folders.push(folder);
                self.has_moved = true;
            }
        }
    }

    /// A text behind `-c` is a line of its own.
    fn shell(&self, name: &str, words: &[Word]) -> Standing {
        let doubt = || Standing::Doubt(format!("`{name}` runs what it is given"));
        let at = words.iter().position(|word| word.text.starts_with('-') && word.text.ends_with('c'));
        let Some(text) = at.and_then(|at| words.get(at + 1)) else { return doubt() };
        if text.text.len() > MAX_BYTES {
            return doubt();
        }
        let world = World { cwd: self.folders.last().map_or(self.world.cwd, PathBuf::as_path), ..*self.world };
        let reading = read(&text.text, &world);
        if let Some(why) = reading.parts.iter().find_map(|part| match &part.standing {
            Standing::Refused(why) => Some(why.clone()),
            _ => None,
        }) {
            return Standing::Refused(why);
        }
        // Other shells read some texts differently than bash.
        let is_same_language = match name {
            "bash" => true,
            "sh" | "dash" => !text.text.contains(['$', '&', '{', '<', '~', '\\']),
            _ => false,
        };
        let is_short = words.len() == 3 && matches!(words[1].text.as_str(), "-c" | "-lc");
        let looks = reading.doubt.is_none()
            && !self.has_moved
            && reading
                .parts
                .iter()
                .all(|part| part.standing == Standing::Looks && part.doubt.is_none() && part.writes.is_empty());
        match is_same_language && is_short && text.is_literal() && looks {
            true => Standing::Looks,
            false => doubt(),
        }
    }

    /// Refuses words that reach for what nobody but the user may touch, in commands that are not known to only look.
    fn stricter(&self, standing: Standing, words: &[Word]) -> Standing {
        if !matches!(standing, Standing::Doubt(_)) {
            return standing;
        }
        let name = words.first().and_then(|word| self.table.bare(&word.text)).unwrap_or_default();
        let schema = self.table.program(name);
        if schema
            .and_then(|row| row.check)
            .is_some_and(|check| matches!(check, Check::Echo | Check::Printf | Check::Expr))
        {
            return standing;
        }
        for text in words.iter().skip(1).flat_map(|word| arguments::paths_in(&word.text)) {
            for folder in &self.folders {
                let plain = tidy(&folder.join(text));
                let is_secret = self.world.find(folder, text).place == Place::Secret;
                if is_secret && (!plain.starts_with(self.world.root) || self.table.is_sender(name)) {
                    return Standing::Refused(arguments::secret(&plain));
                }
                // What git writes there is its own business.
                if name != "git" && self.world.is_guarded(&plain) {
                    let shown = plain.display();
                    return Standing::Refused(format!("it reaches for `{shown}`, which only you may touch"));
                }
            }
        }
        standing
    }
}

fn beyond(name: &str) -> String {
    format!("`{name}` changes where, when or as whom the rest runs")
}

/// Says whether the command runs what another one fetches from elsewhere.
fn fetched_code(line: &Line, index: usize, command: &Simple, table: &Table) -> Option<String> {
    let names = |command: &Simple| -> Vec<String> {
        command.words.iter().filter_map(|word| table.bare(&word.text)).map(str::to_owned).collect()
    };
    let runs = |command: &Simple| {
        // Behind wrappers too; options cannot be mistaken for interpreters.
        let names = names(command);
        let n = names.iter().take_while(|name| table.wrapper(name).is_some() || name.starts_with('-')).count();
        names.get(n).is_some_and(|name| table.is_interpreter(name))
    };
    if !runs(command) {
        return None;
    }
    let fetches = |command: &Simple| names(command).first().is_some_and(|name| table.is_fetcher(name));
    let mut before = index;
    let mut is_fed = false;
    while line.commands[before].is_fed && before > 0 {
        before -= 1;
        is_fed |= fetches(&line.commands[before]);
    }
    let inside = line.commands.iter().any(|inner| {
        let mut outer = inner.outer;
        while let Some(at) = outer {
            if at == index {
                return fetches(inner);
            }
            outer = line.commands.get(at).and_then(|command| command.outer);
        }
        false
    });
    (is_fed || inside).then(|| "it runs what it fetches from elsewhere".to_owned())
}
