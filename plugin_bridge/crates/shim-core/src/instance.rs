//! The main-thread side of one plugin instance.

use crate::{ActivateError, Processor, StateError, Status, parameters};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

/// What changed, told to the format layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something worth saving changed: tell the host that the project is dirty.
    DocumentChanged,
    /// [`Instance::status`] has another value.
    StatusChanged,
    /// Parameter values changed other than through the host: tell it to read them again.
    ValuesChanged,
}

type Notifier = Box<dyn Fn(Notice) + Send + Sync>;

/// One plugin instance. Every method may be called on any thread but the audio thread.
pub struct Instance {
    values: [AtomicU64; parameters::COUNT],
    notifier: Mutex<Option<Notifier>>,
}

impl Instance {
    /// Cheap: starts nothing. `host` is the host's name, for the sidecar's list.
    pub fn new(_host: &str) -> Arc<Self> {
        let values = std::array::from_fn(|index| AtomicU64::new(parameters::table()[index].default.to_bits()));
        Arc::new(Self { values, notifier: Mutex::new(None) })
    }

    /// Makes the audio-thread side. `rate` in Hz, 8000 to 384000. The timeline is made anew only when the rate changed.
    ///
    /// # Errors
    /// [`ActivateError`] when active already, at an unserved rate, or when memory or a thread is refused.
    pub fn activate(self: &Arc<Self>, rate: u32, _max_block: usize) -> Result<Processor, ActivateError> {
        if !(8000..=384_000).contains(&rate) {
            return Err(ActivateError::Rate(rate));
        }
        Ok(Processor::new(self.clone()))
    }

    /// Takes the audio-thread side back; a running pass ends. Timeline and link stay.
    pub fn deactivate(&self, processor: Processor) {
        drop(processor);
    }

    /// The plain value of a parameter, by table index.
    pub fn value(&self, index: usize) -> f64 {
        f64::from_bits(self.values[index].load(Ordering::Relaxed))
    }

    /// Sets a plain value outside `process`; quantised. The running processor hears it at its next block.
    pub fn set_value(&self, index: usize, plain: f64) {
        let plain = parameters::table()[index].quantise(plain);
        self.values[index].store(plain.to_bits(), Ordering::Relaxed);
    }

    /// The blob a host saves (PROTOCOL section 6). Never waits for the sidecar.
    pub fn save_state(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Loads what [`Instance::save_state`] gave, as a whole or not at all. Never waits for the sidecar.
    ///
    /// # Errors
    /// [`StateError`] when the blob is short, long, unknown, over a bound or fails its checksum.
    pub fn load_state(&self, _blob: &[u8]) -> Result<(), StateError> {
        Ok(())
    }

    /// Who hears of changes; called on the link thread or inside [`Instance::load_state`].
    pub fn set_notifier(&self, notifier: Notifier) {
        *self.notifier.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(notifier);
    }

    pub fn status(&self) -> Status {
        Status::Offline
    }

    /// The status in words: what is wrong and what to do next. One line.
    pub fn status_text(&self) -> String {
        String::new()
    }
}
