//! What an editor asks of an instance. Nothing here waits for the sidecar; answers are looked up later.

use crate::{
    EditError, Instance, Look, Notice, Outcome, Scene, document,
    draft::{Change, Draft},
    link::{Act, Command},
    message::MAX_HEAD,
    names,
    state::{MAX_ATTACHMENT, MAX_ATTACHMENTS},
};
use serde_json::{Map, Value};
use std::sync::Arc;

/// An attachment's name in a message (PROTOCOL section 2).
const MAX_NAME: usize = 256;

impl Instance {
    /// The state document with the values in force.
    pub fn document(&self) -> Map<String, Value> {
        self.shared.draft().document.with_values(&self.shared).json
    }

    /// Grows whenever [`Instance::document`] changed in more than parameters: worth reading again.
    pub fn revision(&self) -> u64 {
        self.shared.draft().revision
    }

    /// Changes keys of the document: absent keys stay, null clears, of `prompts`, `clock` and `song` the keys inside
    /// likewise. In force and saved at once, without a sidecar too; [`Instance::outcome`] of the number that is
    /// returned tells whether the sidecar took it. One that it refuses is taken back.
    ///
    /// # Errors
    /// [`EditError`] for a key that is no edit's, a document over 8 MiB, or one of an older version that the sidecar
    /// has not read yet.
    pub fn edit(&self, changes: Map<String, Value>) -> Result<u64, EditError> {
        let number = self.shared.outcomes.open();
        let change = self.shared.draft().edit(number, changes);
        let change = change.inspect_err(|error| self.shared.outcomes.close(number, Outcome::Refused(error.0.clone())));
        self.follow(number, change?);
        Ok(number)
    }

    /// Takes the last edit, act or preset back, of at most 64; false where there is none.
    pub fn undo(&self) -> bool {
        self.travel(Draft::undo)
    }

    /// Takes back the last [`Instance::undo`]; false where there is none.
    pub fn redo(&self) -> bool {
        self.travel(Draft::redo)
    }

    /// Whether [`Instance::undo`] and [`Instance::redo`] would do something.
    pub fn steps(&self) -> (bool, bool) {
        self.shared.draft().steps()
    }

    /// Has the sidecar do something with this instance (the verbs are PROTOCOL section 2's), with named bytes; returns
    /// the number to ask [`Instance::outcome`] about.
    ///
    /// # Errors
    /// [`EditError`] for more than 14 attachments, or one over its bound of 64 MiB or with a name over 256 bytes.
    pub fn act(
        &self,
        verb: &str,
        arguments: Map<String, Value>,
        attachments: Vec<(String, Arc<[u8]>)>,
    ) -> Result<u64, EditError> {
        check(verb, &attachments)?;
        let number = self.shared.outcomes.open();
        let act = Act { number, verb: verb.to_owned(), arguments, attachments };
        if !self.send(Command::Act(act)) {
            let text = "the plugin is not active: switch it on in the host, then try again";
            self.shared.outcomes.close(number, Outcome::Refused(text.into()));
        }
        Ok(number)
    }

    /// What became of an edit or act; none for a number that was never given or is older than the last 64.
    pub fn outcome(&self, number: u64) -> Option<Outcome> {
        self.shared.outcomes.get(number)
    }

    /// How the project has the editor.
    pub fn look(&self) -> Look {
        self.shared.look()
    }

    /// Saved with the project from now on; does not mark it changed.
    pub fn set_look(&self, look: Look) {
        self.shared.set_look(look);
    }

    /// Whether the sidecar is to say what it does: [`Instance::scene`].
    pub fn watch(&self, on: bool) {
        self.shared.set_watched(on);
        self.send(Command::Watch);
    }

    /// The last scene, at most 0.1 s old while something changes; none without a sidecar, or while nobody watches.
    pub fn scene(&self) -> Option<Arc<Scene>> {
        self.shared.scene()
    }

    /// A plain value as a user reads it, with names of the document where it has them; without the unit.
    pub fn display(&self, index: usize, plain: f64) -> String {
        names::display(&self.shared.draft().document.json, index, plain)
    }

    /// What a user typed, with or without the unit, names included; none if it is no value.
    pub fn parse(&self, index: usize, text: &str) -> Option<f64> {
        names::parse(&self.shared.draft().document.json, index, text)
    }

    /// The parameter's name, with the name of what the document puts into its slot.
    pub fn title(&self, index: usize) -> String {
        names::title(&self.shared.draft().document.json, index)
    }

    fn travel(&self, step: impl FnOnce(&mut Draft, u64) -> Option<Change>) -> bool {
        let number = self.shared.outcomes.open();
        let change = step(&mut self.shared.draft(), number);
        let moved = change.is_some();
        // A preset's parameters go back with the rest of it.
        let values = change.as_ref().and_then(|change| document::values(&change.keys).ok()).unwrap_or_default();
        for &(index, value) in &values {
            self.shared.set_value(index, value);
        }
        self.follow(number, change);
        if !values.is_empty() {
            self.shared.notify(Notice::ValuesChanged);
        }
        moved
    }

    fn follow(&self, number: u64, change: Option<Change>) {
        let Some(change) = change else { return self.shared.outcomes.close(number, Outcome::Done(String::new())) };
        self.send(Command::Edit(number, change));
        self.shared.tell_names();
        self.shared.notify(Notice::DocumentChanged);
    }
}

fn check(verb: &str, attachments: &[(String, Arc<[u8]>)]) -> Result<(), EditError> {
    let refused = |text: String| Err(EditError(text));
    if attachments.len() > MAX_ATTACHMENTS {
        return refused(format!("{verb}: {} attachments, send at most {MAX_ATTACHMENTS}", attachments.len()));
    }
    if verb.len() > MAX_NAME || attachments.iter().any(|(name, _)| name.len() > MAX_NAME) {
        return refused(format!("{verb}: a name is over {MAX_NAME} bytes: use a shorter one"));
    }
    match attachments.iter().find(|(_, bytes)| bytes.len() > MAX_ATTACHMENT) {
        Some((name, _)) => refused(format!("{name} is over {} MiB: use a shorter one", MAX_ATTACHMENT >> 20)),
        None => Ok(()),
    }
}

const _: () = assert!(MAX_ATTACHMENTS * MAX_NAME < MAX_HEAD, "an act's head fits its bound");
