//! What became of the commands that an editor gave.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// What became of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Not answered yet.
    Pending,
    /// Done; what came of it, for people: the path of a file that was written, most often nothing.
    Done(String),
    /// Nothing was changed; what was wrong and what to do, one line.
    Refused(String),
}

/// Commands that are remembered: an editor asks at once, so older ones are of nobody's interest.
const REMEMBERED: usize = 64;

#[derive(Debug, Default)]
pub(crate) struct Outcomes {
    list: Mutex<(u64, VecDeque<(u64, Outcome)>)>,
}

impl Outcomes {
    fn lock(&self) -> MutexGuard<'_, (u64, VecDeque<(u64, Outcome)>)> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new command's number, from 1 on.
    pub(crate) fn open(&self) -> u64 {
        let mut list = self.lock();
        list.0 += 1;
        let number = list.0;
        if list.1.len() == REMEMBERED {
            list.1.pop_front();
        }
        list.1.push_back((number, Outcome::Pending));
        number
    }

    pub(crate) fn close(&self, number: u64, outcome: Outcome) {
        if let Some(entry) = self.lock().1.iter_mut().find(|entry| entry.0 == number) {
            entry.1 = outcome;
        }
    }

    /// None for a number that was never given or is forgotten.
    pub(crate) fn get(&self, number: u64) -> Option<Outcome> {
        self.lock().1.iter().find(|entry| entry.0 == number).map(|entry| entry.1.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_pending_until_it_is_answered_and_forgotten_after_64_others() {
        let outcomes = Outcomes::default();
        let first = outcomes.open();
        assert_eq!(outcomes.get(first), Some(Outcome::Pending));
        outcomes.close(first, Outcome::Refused("no".into()));
        assert_eq!(outcomes.get(first), Some(Outcome::Refused("no".into())));
        for _ in 0..REMEMBERED {
            outcomes.open();
        }
        assert_eq!(outcomes.get(first), None);
        outcomes.close(first, Outcome::Done(String::new()));
        assert_eq!(outcomes.get(0), None);
    }
}
