//! The editor's commands on their way: which message of this connection answers which of them.

use crate::{Notice, Outcome, shared::Shared};
use std::collections::HashMap;

/// What a message id of this connection stands for.
enum Command {
    Edit(u64),
    Act(u64),
    Watch,
    /// The whole document, with every edit that it included.
    State(Vec<u64>),
}

#[derive(Default)]
pub(super) struct Asked(HashMap<u64, Command>);

impl Asked {
    pub(super) fn edit(&mut self, id: u64, number: u64) {
        self.0.insert(id, Command::Edit(number));
    }

    pub(super) fn act(&mut self, id: u64, number: u64) {
        self.0.insert(id, Command::Act(number));
    }

    pub(super) fn watch(&mut self, id: u64) {
        self.0.insert(id, Command::Watch);
    }

    pub(super) fn state(&mut self, id: u64, numbers: Vec<u64>) {
        self.0.insert(id, Command::State(numbers));
    }

    /// The sidecar did it. False: no command of the editor has this id.
    pub(super) fn applied(&mut self, shared: &Shared, id: u64, text: &str) -> bool {
        let done = || Outcome::Done(text.to_owned());
        match self.0.remove(&id) {
            Some(Command::Edit(number)) => {
                shared.draft().settle(number, true);
                shared.outcomes.close(number, done());
            }
            Some(Command::Act(number)) => {
                shared.draft().acted();
                shared.outcomes.close(number, done());
            }
            Some(Command::State(numbers)) => {
                numbers.into_iter().for_each(|number| shared.outcomes.close(number, done()));
                return false;
            }
            Some(Command::Watch) => {}
            None => return false,
        }
        true
    }

    /// The sidecar refused it: an edit is taken back. False as in [`Asked::applied`].
    pub(super) fn failed(&mut self, shared: &Shared, id: u64, text: &str) -> bool {
        let refused = || Outcome::Refused(text.to_owned());
        match self.0.remove(&id) {
            Some(Command::Edit(number)) => {
                let reverted = shared.draft().settle(number, false);
                shared.outcomes.close(number, refused());
                if reverted {
                    shared.tell_names();
                    shared.notify(Notice::DocumentChanged);
                }
            }
            Some(Command::Act(number)) => shared.outcomes.close(number, refused()),
            Some(Command::State(numbers)) => {
                numbers.into_iter().for_each(|number| shared.outcomes.close(number, refused()));
                return false;
            }
            Some(Command::Watch) => {}
            None => return false,
        }
        true
    }

    /// The connection is gone: acts are lost, edits go with the document to the next sidecar.
    pub(super) fn abandon(&mut self, shared: &Shared) {
        let lost = "the connection to the sidecar broke: try again when it is back";
        for command in self.0.drain().map(|(_, command)| command) {
            if let Command::Act(number) = command {
                shared.outcomes.close(number, Outcome::Refused(lost.into()));
            }
        }
    }
}
