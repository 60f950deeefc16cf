//! The document under an editor's hands: edits on their way to the sidecar, and what can be undone.

use crate::{
    document::{self, Attachment, Document, mentions},
    error::EditError,
    names,
    state::MAX_DOCUMENT,
};
use serde_json::{Map, Value};
use std::collections::VecDeque;

/// Steps that can be undone; each holds the keys that it changed.
const STEPS: usize = 64;
/// Keys that an edit must not touch: the host moves parameters, and what a document is never changes by hand.
const FOREIGN: [&str; 3] = ["parameters", "format", "version"];
/// Objects of which an edit may give some keys only, as the sidecar takes them.
const MERGED: [&str; 3] = ["prompts", "clock", "song"];
/// What an absent key of `song` means.
const SONG: [(&str, &str); 3] = [("key", ""), ("tempo", "follow"), ("metre", "follow")];
/// Keys that change without a person's doing.
const AUTOMATIC: [&str; 6] = ["parameters", "format", "version", "learned", "checkpoint", "engine"];

/// Whole values of some keys, with the audio that they name.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Change {
    pub keys: Map<String, Value>,
    pub attachments: Vec<Attachment>,
}

/// A change and the way back.
#[derive(Clone, Debug)]
struct Edit {
    forth: Change,
    back: Change,
}

impl Edit {
    fn inverse(&self) -> Self {
        Self { forth: self.back.clone(), back: self.forth.clone() }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub document: Document,
    /// Grows with every change of the document.
    pub revision: u64,
    /// What the document's texts and titles were when somebody last asked whether they changed.
    named: Vec<Option<String>>,
    /// By command number: what the sidecar has not answered.
    pending: VecDeque<(u64, Edit)>,
    undo: VecDeque<Edit>,
    redo: Vec<Edit>,
    /// Documents of the sidecar that are due because a person acted.
    acted: u32,
}

impl Draft {
    /// Merges `changes`; what goes to the sidecar, none where nothing changes.
    ///
    /// # Errors
    /// When a key is not an edit's to change, the document is of an older version, or it would grow over its bound.
    pub(crate) fn edit(&mut self, number: u64, changes: Map<String, Value>) -> Result<Option<Change>, EditError> {
        if let Some(key) = changes.keys().find(|key| FOREIGN.contains(&key.as_str())) {
            return Err(EditError(format!("`{key}` is not changed by an edit: leave it out")));
        }
        if self.document.json.get("version").and_then(Value::as_u64) != Some(document::VERSION) {
            let text = "the project is of an older version and its sidecar has not read it yet: wait a moment";
            return Err(EditError(text.into()));
        }
        let whole = changes.into_iter().map(|(key, value)| {
            let value = self.whole(&key, value);
            (key, value)
        });
        let keys: Map<_, _> = whole.filter(|(key, value)| *value != self.held(key)).collect();
        if keys.is_empty() {
            return Ok(None);
        }
        let edit = self.step(Change { keys, attachments: Vec::new() });
        let mut grown = self.document.clone();
        grown.merge(edit.forth.keys.clone(), Vec::new());
        if serde_json::to_vec(&grown.json).map_or(usize::MAX, |json| json.len()) > MAX_DOCUMENT {
            return Err(EditError(format!("the project would grow over {MAX_DOCUMENT} bytes: make it shorter")));
        }
        self.remember(edit.clone());
        Ok(Some(self.apply(number, edit)))
    }

    /// Takes the last step back; none where there is none.
    pub(crate) fn undo(&mut self, number: u64) -> Option<Change> {
        let edit = self.undo.pop_back()?;
        self.redo.push(edit.clone());
        Some(self.apply(number, edit.inverse()))
    }

    /// Takes the last undone step again; none where there is none.
    pub(crate) fn redo(&mut self, number: u64) -> Option<Change> {
        let edit = self.redo.pop()?;
        self.undo.push_back(edit.clone());
        Some(self.apply(number, edit))
    }

    /// Whether there is something to undo, and to redo.
    pub(crate) fn steps(&self) -> (bool, bool) {
        (!self.undo.is_empty(), !self.redo.is_empty())
    }

    /// The sidecar answered a command. Returns whether that changed the document: an edit that it refused is undone.
    pub(crate) fn settle(&mut self, number: u64, accepted: bool) -> bool {
        let Some(at) = self.pending.iter().position(|(pending, _)| *pending == number) else { return false };
        let Some((_, edit)) = self.pending.remove(at).filter(|_| !accepted) else { return false };
        let touches = |other: &Edit| edit.forth.keys.keys().any(|key| other.forth.keys.contains_key(key));
        // What was built on it cannot be told apart from it any more.
        self.undo.retain(|other| !touches(other));
        self.redo.retain(|other| !touches(other));
        self.merge(edit.back);
        true
    }

    /// Everything goes to the sidecar as a whole: the commands that this answers.
    pub(crate) fn cover(&mut self) -> Vec<u64> {
        self.pending.drain(..).map(|(number, _)| number).collect()
    }

    /// The host loaded another state, so that no step leads anywhere any more.
    pub(crate) fn load(&mut self, loaded: Document) {
        (self.undo, self.redo, self.pending, self.acted) = Default::default();
        self.merge(Change { keys: loaded.json, attachments: loaded.attachments });
    }

    /// A preset's document; `values` are the parameters in force.
    pub(crate) fn load_preset(&mut self, mut json: Map<String, Value>, values: Value) {
        json.retain(|key, _| key == "parameters" || !FOREIGN.contains(&key.as_str()));
        let mut edit = self.step(Change { keys: json, attachments: Vec::new() });
        // What the preset left alone may have moved when it is taken back.
        let named = |(key, _): &(String, Value)| edit.forth.keys["parameters"].get(key).is_some();
        let values: Map<_, _> = values.as_object().cloned().unwrap_or_default().into_iter().filter(named).collect();
        edit.back.keys.insert("parameters".into(), values.into());
        self.remember(edit.clone());
        self.merge(edit.forth);
    }

    /// A person's act was done; the document that comes of it can be undone.
    pub(crate) fn acted(&mut self) {
        self.acted += 1;
    }

    /// The sidecar sent its document. Edits that it did not know of stay. Returns whether anything but parameters
    /// changed.
    pub(crate) fn take(&mut self, json: Map<String, Value>, attachments: Vec<Attachment>) -> bool {
        let by_hand = std::mem::take(&mut self.acted) > 0;
        let news = json.iter().filter(|(key, value)| !AUTOMATIC.contains(&key.as_str()) && **value != self.held(key));
        let keys: Map<_, _> = news.map(|(key, value)| (key.clone(), value.clone())).collect();
        if by_hand && !keys.is_empty() {
            let edit = self.step(Change { keys, attachments: attachments.clone() });
            self.remember(edit);
        }
        let before = self.document.clone();
        self.document.merge(json, attachments);
        for (_, edit) in &self.pending {
            self.document.merge(edit.forth.keys.clone(), edit.forth.attachments.clone());
        }
        let changed = self.document.differs_from(&before);
        self.revision += u64::from(changed);
        changed
    }

    /// Whether a parameter's text or title changed since this was last asked.
    pub(crate) fn renamed(&mut self) -> bool {
        let names = names::all(&self.document.json);
        let before = std::mem::replace(&mut self.named, names);
        if before.is_empty() { self.named.iter().any(Option::is_some) } else { before != self.named }
    }

    fn held(&self, key: &str) -> Value {
        let mut held = self.document.json.get(key).cloned().unwrap_or_default();
        if let (Value::Object(song), "song") = (&mut held, key) {
            // Null says something in here, so that the way back from a key that was absent is its default.
            for (key, default) in SONG {
                song.entry(key).or_insert_with(|| default.into());
            }
        }
        held
    }

    /// The value that a key has after an edit.
    fn whole(&self, key: &str, value: Value) -> Value {
        match (self.held(key), value) {
            (Value::Object(mut old), Value::Object(new)) if MERGED.contains(&key) => {
                old.extend(new);
                old.into()
            }
            (_, value) => value,
        }
    }

    /// The change with its way back from here.
    fn step(&self, forth: Change) -> Edit {
        let keys = forth.keys.iter().map(|(key, value)| (key.clone(), back(&self.held(key), value))).collect();
        Edit { back: Change { keys, attachments: self.document.attachments.clone() }, forth }
    }

    fn remember(&mut self, edit: Edit) {
        self.redo.clear();
        if self.undo.len() == STEPS {
            self.undo.pop_front();
        }
        self.undo.push_back(edit);
    }

    fn apply(&mut self, number: u64, edit: Edit) -> Change {
        self.merge(edit.forth.clone());
        let mut sent = edit.forth.clone();
        let keys = &sent.keys;
        sent.attachments.retain(|attachment| keys.values().any(|value| mentions(value, &attachment.name())));
        self.pending.push_back((number, edit));
        sent
    }

    fn merge(&mut self, change: Change) {
        self.document.merge(change.keys, change.attachments);
        self.revision += 1;
    }
}

/// The value that leads from `new` back to `old`; keys that only `new` has are cleared, because the sidecar merges.
fn back(old: &Value, new: &Value) -> Value {
    let (Value::Object(old), Value::Object(new)) = (old, new) else { return old.clone() };
    let cleared = new.keys().filter(|key| !old.contains_key(*key)).map(|key| (key.clone(), Value::Null));
    old.clone().into_iter().chain(cleared).collect()
}

#[cfg(test)]
mod tests;
