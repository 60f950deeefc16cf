//! What the audio thread knows of the sidecar. Written by the link, read anywhere; atomics only.

use std::{
    sync::atomic::{AtomicU8, AtomicU32, AtomicU64, Ordering},
    time::Instant,
};

/// How far the link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Reach {
    /// The link has not looked yet.
    Undecided = 0,
    /// No sidecar runs and none can be started.
    Absent = 1,
    /// A sidecar is being started or connected.
    Starting = 2,
    /// The sidecar has mapped the timeline.
    Connected = 3,
}

#[derive(Debug)]
pub(crate) struct Peer {
    base: Instant,
    reach: AtomicU8,
    /// Epochs of the newest timeline and of the one that the sidecar has mapped. Until they agree nothing is connected
    /// that the audio thread could use.
    newest: AtomicU32,
    mapped: AtomicU32,
    /// Grows with every connection; 0 before the first.
    connection: AtomicU32,
    /// Milliseconds since `base`: the last message, and the last one that was not a heartbeat.
    heard: AtomicU64,
    progress: AtomicU64,
    /// How often the sidecar said that it failed.
    failures: AtomicU32,
    /// Every capture record with a lower number was copied.
    captured: AtomicU64,
}

impl Peer {
    pub(crate) fn new() -> Self {
        Self {
            base: Instant::now(),
            reach: AtomicU8::new(Reach::Undecided as u8),
            newest: AtomicU32::new(0),
            mapped: AtomicU32::new(0),
            connection: AtomicU32::new(0),
            heard: AtomicU64::new(0),
            progress: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            captured: AtomicU64::new(0),
        }
    }

    /// Milliseconds on the clock of `heard` and `progress`.
    pub(crate) fn now(&self) -> u64 {
        self.base.elapsed().as_millis() as u64
    }

    pub(crate) fn reach(&self) -> Reach {
        match self.reach.load(Ordering::Acquire) {
            0 => Reach::Undecided,
            1 => Reach::Absent,
            2 => Reach::Starting,
            _ if self.newest.load(Ordering::Acquire) != self.mapped.load(Ordering::Acquire) => Reach::Starting,
            _ => Reach::Connected,
        }
    }

    pub(crate) fn set_reach(&self, reach: Reach) {
        self.reach.store(reach as u8, Ordering::Release);
    }

    pub(crate) fn connection(&self) -> u32 {
        self.connection.load(Ordering::Acquire)
    }

    /// The main thread made a timeline, which the sidecar does not know yet.
    pub(crate) fn expect(&self, epoch: u32) {
        self.newest.store(epoch, Ordering::Release);
    }

    /// A sidecar took the timeline; a pass announced on another connection must be announced again.
    pub(crate) fn connected(&self, epoch: u32) {
        self.touch(true);
        self.connection.fetch_add(1, Ordering::AcqRel);
        self.mapped.store(epoch, Ordering::Release);
        self.set_reach(Reach::Connected);
    }

    /// A message came; `progress` unless it was a heartbeat.
    pub(crate) fn touch(&self, progress: bool) {
        let now = self.now();
        self.heard.store(now, Ordering::Release);
        if progress {
            self.progress.store(now, Ordering::Release);
        }
    }

    pub(crate) fn heard(&self) -> u64 {
        self.heard.load(Ordering::Acquire)
    }

    pub(crate) fn progress(&self) -> u64 {
        self.progress.load(Ordering::Acquire)
    }

    pub(crate) fn failures(&self) -> u32 {
        self.failures.load(Ordering::Acquire)
    }

    pub(crate) fn fail(&self) {
        self.failures.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn captured(&self) -> u64 {
        self.captured.load(Ordering::Acquire)
    }

    pub(crate) fn set_captured(&self, count: u64) {
        self.captured.fetch_max(count, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::{Peer, Reach};

    #[test]
    fn a_new_timeline_is_not_connected_before_the_sidecar_has_mapped_it() {
        let peer = Peer::new();
        peer.expect(1);
        peer.connected(1);
        assert_eq!(peer.reach(), Reach::Connected);
        peer.expect(2);
        assert_eq!(peer.reach(), Reach::Starting);
        peer.connected(1);
        assert_eq!(peer.reach(), Reach::Starting);
        peer.connected(2);
        assert_eq!(peer.reach(), Reach::Connected);
    }
}
