//! The audio thread's way to the link. In real time a full ring loses records and says so later; offline it waits.

use crate::{
    record::{Kind, Record},
    wait::{Gate, Stake},
};

/// Room that a recovery needs at once: LOST, PASS and one POINT per parameter, and some to go on with.
const RECOVERY: usize = 1024;

pub(crate) struct Outbox {
    ring: rtrb::Producer<Record>,
    lost: bool,
    /// Whether the current block may wait.
    pub offline: bool,
}

impl Outbox {
    pub(crate) fn new(ring: rtrb::Producer<Record>) -> Self {
        Self { ring, lost: false, offline: false }
    }

    /// Sends a record. After an overflow everything is dropped until `recovers`, because what follows a gap would be
    /// taken for what was lost.
    pub(crate) fn push(&mut self, gate: &Gate, record: Record) {
        if self.lost {
            return;
        }
        if self.ring.is_full() && self.offline {
            let mut watch = gate.watch();
            while self.ring.is_full() && watch.pause(Stake::default()).is_ok() {
                gate.wake();
            }
        }
        self.lost = self.ring.push(record).is_err();
    }

    /// Whether records were lost and there is room again; LOST was sent then, and the running pass must be told anew.
    pub(crate) fn recovers(&mut self, song: i64) -> bool {
        if !self.lost || self.ring.slots() < RECOVERY {
            return false;
        }
        self.lost = self.ring.push(Record::new(Kind::Lost, 0, song)).is_err();
        !self.lost
    }
}
