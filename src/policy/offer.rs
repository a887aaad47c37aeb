//! Which rule can the user agree to for always?
//!
//! Only one that says what it covers: a plain command of one program, or one file. Never for what runs whatever it is given
//! (interpreters, wrappers, package managers, `git` alone, scripts of the project), nor where a rule asks on purpose.

use crate::policy::command::scan::Word;
use crate::policy::command::table::Table;
use crate::policy::command::{Part, Standing};
use crate::policy::rules::{self, Force, Line, Where};
use crate::policy::words::Spot;
use crate::policy::{Decision, Policy};
use crate::protocol::op::Offer;
use crate::protocol::tool::Action;

impl Policy {
    /// Returns the rule that would allow what these actions ask about, if it may be agreed to for always.
    pub fn offer(&self, actions: &[Action]) -> Option<Offer> {
        let asks = |action: &&Action| matches!(self.decide(std::slice::from_ref(*action)), Decision::Ask { .. });
        let mut asking = actions.iter().filter(asks);
        let (Some(action), None) = (asking.next(), asking.next()) else { return None };
        let exact = |rule: String| Offer { rule, also: String::new() };
        match action {
            Action::Execute { command, cwd } => {
                let folder = rules::folder(cwd.as_ref(), &self.ground.root);
                let reading = self.read(command, folder);
                let line = Line { text: command, reading: &reading, spot: Spot { cwd: folder.to_path_buf() } };
                if self.stated(Force::Ask, self.place()).any(|stated| stated.rule.speaks_of(&line, action)) {
                    return None;
                }
                match (&reading.doubt, reading.parts.as_slice()) {
                    (None, [part]) => command_offer(command, part),
                    _ => None,
                }
            }
            _ if self.stated(Force::Ask, Where::Host).any(|stated| stated.rule.covers(action)) => None,
            Action::Read { .. } => Some(exact(rules::relative_rule(action, &self.ground.root))),
            Action::Write { path } => {
                let may = path.starts_with(&self.ground.root) && !self.names.is_protected(self.below_root(path));
                may.then(|| exact(rules::relative_rule(action, &self.ground.root)))
            }
            Action::Commit { .. } => Some(Offer { rule: action.rule(), also: "every commit of mimi here".to_owned() }),
        }
    }
}

fn command_offer(command: &str, part: &Part) -> Option<Offer> {
    let table = Table::get()?;
    let ([words], None, true) = (part.layers.as_slice(), &part.doubt, part.writes.is_empty()) else { return None };
    if !matches!(part.standing, Standing::Doubt(_)) || !words.iter().all(Word::is_literal) {
        return None;
    }
    let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
    let name = *texts.first()?;
    let sub_command = texts.get(1).copied().filter(|word| !word.starts_with('-'));
    if name.contains('/') || !table.may_be_kept(name, sub_command) {
        return None;
    }
    match sub_command.filter(|word| table.is_widened(name, word) && rules::is_plain(command)) {
        Some(word) => {
            let also = format!("`{name} {word}` with any other words behind it");
            Some(Offer { rule: format!("shell:{name} {word} *"), also })
        }
        None => Some(Offer { rule: rules::exact_command(command), also: String::new() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Ground;
    use crate::protocol::op::Mode;

    #[test]
    fn always_is_offered_for_what_can_be_named_and_for_nothing_that_runs_what_it_is_given() {
        let ground = Ground::new("/w".into(), "/home/me".into());
        let ask = rules::stated(&["shell:deploy *".to_owned()], Force::Ask, "test", &ground.root).unwrap();
        let policy = Policy::new(Mode::Ask, ground, ask).unwrap();
        let table = [
            ("make", Some("shell:make")),
            ("make test", Some("shell:make test")),
            ("cargo test --lib", Some("shell:cargo test *")),
            ("cargo test 'a b'", Some("shell:cargo test 'a b'")),
            ("git commit -m x", Some("shell:git commit -m x")),
            ("rm *", None),
            ("ls", None),
            ("make $X", None),
            ("X=1 make", None),
            ("make; make", None),
            ("make > x", None),
            ("(make)", None),
            ("python3 x.py", None),
            ("bash x.sh", None),
            ("node x", None),
            ("perl5.36 -e 1", None),
            ("timeout 5 make", None),
            ("sudo make", None),
            ("xargs make", None),
            ("env make", None),
            ("npm test", None),
            ("pip install x", None),
            ("cargo install x", None),
            ("git", None),
            ("git -c a=b status", None),
            ("./x.sh", None),
            ("deploy now", None),
            ("cat .env", None),
            ("ssh host x", None),
            ("npx x", None),
        ];
        for (command, expected) in table {
            let action = Action::Execute { command: command.to_owned(), cwd: None };
            let offer = policy.offer(&[action]);
            assert_eq!(offer.as_ref().map(|offer| offer.rule.as_str()), expected, "{command}");
        }
        let write = |path: &str| Action::Write { path: path.into() };
        assert_eq!(policy.offer(&[Action::Read { path: "/w/a".into() }, write("/w/a")]).unwrap().rule, "write:a");
        assert_eq!(policy.offer(&[write("/w/a"), write("/w/b")]), None);
        assert_eq!((policy.offer(&[write("/w/.github/a")]), policy.offer(&[write("/tmp/a")])), (None, None));
    }
}
