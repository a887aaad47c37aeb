//! What got better and what got worse between two results?
//!
//! Pure. Worse is only what is a matter of yes or no: a task that was fixed and is not any more. Numbers are told beside it,
//! because a model that thinks longer is not worse for it.

use crate::strategy::eval::{Ending, Results, TaskResult};

/// What changed between two results.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Tasks that were not fixed and are now, in words.
    pub better: Vec<String>,
    /// Tasks that were fixed and are not any more, in words.
    pub worse: Vec<String>,
    /// Tasks with other numbers, in words.
    pub numbers: Vec<String>,
    /// Tasks that only one of the results tells something about, in words.
    pub alone: Vec<String>,
}

/// Compares task by task, by name.
pub fn compare(before: &Results, now: &Results) -> Comparison {
    let mut told = Comparison::default();
    for task in &now.tasks {
        match before.tasks.iter().find(|old| old.name == task.name) {
            Some(old) if old.ending.is_void() != task.ending.is_void() => {
                told.alone.push(format!("{}: was {}, is {}", task.name, old.ending.word(), task.ending.word()));
            }
            Some(old) if task.ending.is_void() && old.ending.is_void() => {}
            Some(old) => told.task(old, task),
            None => told.alone.push(format!("{}: was not there, is {}", task.name, task.ending.word())),
        }
    }
    let is_gone = |old: &&TaskResult| !now.tasks.iter().any(|task| task.name == old.name);
    let gone = before.tasks.iter().filter(is_gone);
    told.alone.extend(gone.map(|old| format!("{}: was {}, is not there", old.name, old.ending.word())));
    told
}

impl Comparison {
    fn task(&mut self, old: &TaskResult, new: &TaskResult) {
        let changed = || format!("{}: was {}, is {}", new.name, old.ending.word(), new.ending.word());
        match (old.ending == Ending::Fixed, new.ending == Ending::Fixed) {
            (false, true) => self.better.push(changed()),
            (true, false) => self.worse.push(changed()),
            (false, false) if old.ending != new.ending => self.numbers.push(changed()),
            _ => {}
        }
        let pairs = [
            ("rounds", old.counts.rounds, new.counts.rounds),
            ("requests", old.counts.requests, new.counts.requests),
            ("tokens", old.counts.tokens(), new.counts.tokens()),
            ("recovered calls", old.counts.recovered, new.counts.recovered),
            ("edits refused", old.counts.edits_refused, new.counts.edits_refused),
        ];
        let differ = pairs.iter().filter(|(_, old, new)| old != new);
        let words: Vec<String> = differ.map(|(name, old, new)| format!("{name} {old} -> {new}")).collect();
        if !words.is_empty() {
            self.numbers.push(format!("{}: {}", new.name, words.join(", ")));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::strategy::eval::VERSION;
    use crate::strategy::eval::tally::Counts;

    fn results(tasks: &[(&str, Ending, u64)]) -> Results {
        let task = |(name, ending, rounds): &(&str, Ending, u64)| TaskResult {
            name: (*name).to_owned(),
            language: String::new(),
            ending: *ending,
            why: None,
            exit_code: None,
            counts: Counts { rounds: *rounds, ..Counts::default() },
        };
        let tasks = tasks.iter().map(task).collect();
        Results { v: VERSION, mimi: "1".to_owned(), at_ms: 0, model: None, is_scripted: false, tasks }
    }

    #[test]
    fn only_a_task_that_is_lost_is_worse() {
        use Ending::{Fixed, NotFixed, Skipped};
        let before =
            results(&[("a", Fixed, 1), ("b", NotFixed, 3), ("c", Fixed, 1), ("d", Fixed, 1), ("f", Skipped, 0)]);
        let now = results(&[("a", NotFixed, 3), ("b", Fixed, 1), ("c", Fixed, 2), ("e", Fixed, 1), ("f", Skipped, 0)]);
        let told = compare(&before, &now);
        assert_eq!(told.worse, ["a: was fixed, is not fixed"]);
        assert_eq!(told.better, ["b: was not fixed, is fixed"]);
        assert_eq!(told.numbers, ["a: rounds 1 -> 3", "b: rounds 3 -> 1", "c: rounds 1 -> 2"]);
        assert_eq!(told.alone, ["e: was not there, is fixed", "d: was fixed, is not there"]);
        assert_eq!(compare(&now, &now), Comparison::default());
    }
}
