//! What the user does with a knob in the editor, on its way to the host as events of the next block or flush.

use std::sync::{Arc, Mutex, PoisonError};

use clack_extensions::gui::HostGui;
use clack_extensions::params::HostParams;
use clack_plugin::events::event_types::{ParamGestureBeginEvent, ParamGestureEndEvent, ParamValueEvent};
use clack_plugin::prelude::*;
use editor::HostWindow;
use rtrb::{Consumer, Producer, RingBuffer};
use shim_core::{HostGestures, Instance, parameters};

use crate::shared::Notices;

/// Far more than a user can do between two blocks; a host that takes none for longer misses what is beyond, and reads
/// the values when it next asks.
const CAPACITY: usize = 1024;

#[derive(Clone, Copy)]
enum Gesture {
    Begin(usize),
    Value(usize, f64),
    End(usize),
}

/// The way from the editor's thread to the thread that has the host's event list.
pub struct Gestures {
    said: Mutex<Producer<Gesture>>,
    /// Only ever tried: CLAP calls `process` and `flush` one at a time.
    heard: Mutex<Consumer<Gesture>>,
}

impl Default for Gestures {
    fn default() -> Self {
        let (said, heard) = RingBuffer::new(CAPACITY);
        Self { said: Mutex::new(said), heard: Mutex::new(heard) }
    }
}

impl Gestures {
    fn say(&self, gesture: Gesture) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        // Refused by a full ring: see its capacity.
        let _ = said.push(gesture);
    }

    /// Gives the host what the user did. Audio thread or main thread.
    pub fn give(&self, output: &mut OutputEvents) {
        let Ok(mut heard) = self.heard.try_lock() else { return };
        while let Ok(gesture) = heard.peek().copied() {
            if !push(output, gesture) {
                return;
            }
            let _ = heard.pop();
        }
    }
}

fn push(output: &mut OutputEvents, gesture: Gesture) -> bool {
    let id = |index: usize| ClapId::new(parameters::table()[index].id);
    match gesture {
        Gesture::Begin(index) => output.try_push(ParamGestureBeginEvent::new(0, id(index))),
        Gesture::Value(index, plain) => output.try_push(ParamValueEvent::new(0, id(index), Pckn::match_all(), plain)),
        Gesture::End(index) => output.try_push(ParamGestureEndEvent::new(0, id(index))),
    }
    .is_ok()
}

/// The host as the editor sees it.
pub struct Host {
    pub instance: Arc<Instance>,
    pub gestures: Arc<Gestures>,
    pub notices: Arc<Notices>,
    pub params: Option<HostParams>,
    pub gui: Option<HostGui>,
}

impl Host {
    fn say(&self, gesture: Gesture) {
        self.gestures.say(gesture);
        if let (Some(params), Some(host)) = (self.params, self.notices.host().as_ref()) {
            params.request_flush(host);
        }
    }
}

impl HostGestures for Host {
    fn begin(&self, index: usize) {
        self.say(Gesture::Begin(index));
    }

    fn perform(&self, index: usize, plain: f64) {
        // The host does not send a plugin's own changes back to it.
        self.instance.set_value(index, plain);
        self.say(Gesture::Value(index, plain));
    }

    fn end(&self, index: usize) {
        self.say(Gesture::End(index));
    }
}

impl HostWindow for Host {
    fn request_size(&self, width: u32, height: u32) {
        if let (Some(gui), Some(host)) = (self.gui, self.notices.host().as_ref()) {
            // Refused: the page scrolls.
            let _ = gui.request_resize(host, width, height);
        }
    }
}
