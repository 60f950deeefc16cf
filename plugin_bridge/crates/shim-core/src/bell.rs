//! How the link wakes an audio thread that waits offline. Nothing in real time touches it.

use std::{
    sync::{Condvar, Mutex, PoisonError},
    time::Duration,
};

#[derive(Debug, Default)]
pub(crate) struct Bell {
    rings: Mutex<u64>,
    condition: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.condition.notify_all();
    }

    /// Waits until the bell has rung since it had rung `heard` times, at most for `limit`; returns how often it has.
    pub(crate) fn wait(&self, heard: u64, limit: Duration) -> u64 {
        let rings = self.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.condition.wait_timeout_while(rings, limit, |rings| *rings == heard);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}
