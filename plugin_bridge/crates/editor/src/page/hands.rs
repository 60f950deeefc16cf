//! The parameters that the user holds, and what the host is told about them.

use std::sync::Arc;

use shim_core::{HostGestures, Instance, parameters};

/// At most one parameter is held at a time: there is one pointer, and a key's step is over at once.
pub struct Hands {
    pub instance: Arc<Instance>,
    gestures: Arc<dyn HostGestures>,
    held: Option<Held>,
}

struct Held {
    index: usize,
    /// Between the steps of a stepped parameter, where the pointer is.
    normal: f64,
    plain: f64,
}

impl Hands {
    pub fn new(instance: Arc<Instance>, gestures: Arc<dyn HostGestures>) -> Self {
        Self { instance, gestures, held: None }
    }

    /// What a parameter shows: the user's value while it is held, whatever the host's automation says meanwhile.
    pub fn value(&self, index: usize) -> f64 {
        match &self.held {
            Some(held) if held.index == index => held.plain,
            _ => self.instance.value(index),
        }
    }

    pub fn holds(&self, index: usize) -> bool {
        self.held.as_ref().is_some_and(|held| held.index == index)
    }

    pub fn take(&mut self, index: usize) {
        self.release();
        let plain = self.instance.value(index);
        self.held = Some(Held { index, normal: parameters::table()[index].normalise(plain), plain });
        self.gestures.begin(index);
    }

    /// Moves what is held by a part of its range.
    pub fn move_by(&mut self, part: f64) {
        let Some(held) = &mut self.held else { return };
        held.normal = (held.normal + part).clamp(0.0, 1.0);
        let plain = parameters::table()[held.index].plain(held.normal);
        if plain != held.plain {
            held.plain = plain;
            self.gestures.perform(held.index, plain);
        }
    }

    pub fn release(&mut self) {
        if let Some(held) = self.held.take() {
            self.gestures.end(held.index);
        }
    }

    /// One whole gesture: a key, a typed value, a click.
    pub fn set(&mut self, index: usize, plain: f64) {
        let plain = parameters::table()[index].quantise(plain);
        self.release();
        self.gestures.begin(index);
        self.gestures.perform(index, plain);
        self.gestures.end(index);
    }
}

impl Drop for Hands {
    fn drop(&mut self) {
        // A window that closes, or fails, in the middle of a drag must not leave the host recording it.
        self.release();
    }
}
