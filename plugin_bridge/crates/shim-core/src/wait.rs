//! Waiting for the sidecar, offline only, and never without an end.

use crate::{peer::Reach, reclaim::Pin, shared::Shared, timeline::Timeline};
use std::{sync::Arc, time::Duration};

/// Why a wait ended without what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Trouble {
    /// There is no sidecar to wait for; not a failure.
    Absent = 0,
    /// The sidecar died or was replaced.
    Died = 1,
    /// It lives, but says nothing.
    Silent = 2,
    /// It was started and did not connect.
    Unstarted = 3,
    /// It answers, but nothing comes of it.
    Stuck = 4,
    /// It said that it failed.
    Refused = 5,
}

impl Trouble {
    pub(crate) fn from_code(code: u8) -> Self {
        match code {
            0 => Self::Absent,
            1 => Self::Died,
            2 => Self::Silent,
            3 => Self::Unstarted,
            4 => Self::Stuck,
            _ => Self::Refused,
        }
    }

    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Absent => "no sidecar is installed: run `demon plugin install`",
            Self::Died => "the sidecar ended during the bounce: the rest is the input; bounce again",
            Self::Silent => "the sidecar stopped answering during the bounce: the rest is the input; bounce again",
            Self::Unstarted => "the sidecar did not start in time: run `demon doctor`, then bounce again",
            Self::Stuck => "the sidecar answers but renders nothing: the rest is the input; see sidecar.log",
            Self::Refused => "the sidecar could not render this pass: the rest is the input; see its message",
        }
    }
}

/// PROTOCOL section 5: 20 s without any answer.
const SILENCE_MS: u64 = 20_000;
/// A sidecar imports torch and loads its checkpoint before it listens: about 10 s, more on a cold disk.
const START_MS: u64 = 60_000;
/// Heartbeats alone keep a wait alive this many times as long; a large model on a CPU takes minutes for one window.
const STUCK_FACTOR: u64 = 15;
/// How often a wait looks up although nobody rang.
const GLANCE: Duration = Duration::from_millis(20);

/// The bounds of every wait of one processor.
#[derive(Clone)]
pub(crate) struct Gate {
    shared: Arc<Shared>,
    silence: u64,
    start: u64,
}

/// One wait in progress.
pub(crate) struct Watch<'a> {
    gate: &'a Gate,
    since: u64,
    rings: u64,
}

/// The pass that a wait is for.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Stake {
    /// The connection that the pass was announced on; 0 while there was none.
    pub connection: u32,
    /// The peer's failures when it began.
    pub failures: u32,
}

impl Gate {
    /// `DEMON_OFFLINE_CAP_MS` replaces both caps, so that a test can watch one being reached.
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        let cap = std::env::var("DEMON_OFFLINE_CAP_MS").ok().and_then(|text| text.parse().ok());
        Self { shared, silence: cap.unwrap_or(SILENCE_MS), start: cap.unwrap_or(START_MS) }
    }

    /// Wakes the link. A system call: offline only.
    pub(crate) fn wake(&self) {
        self.shared.wake.notify_one();
    }

    pub(crate) fn watch(&self) -> Watch<'_> {
        self.wake();
        Watch { gate: self, since: self.shared.peer.now(), rings: 0 }
    }

    /// Waits until `done` holds, letting go of everything but `pins` meanwhile.
    pub(crate) fn until(
        &self,
        timeline: &Timeline,
        pins: [Pin; 2],
        stake: Stake,
        mut done: impl FnMut() -> bool,
    ) -> Result<(), Trouble> {
        if done() {
            return Ok(());
        }
        timeline.reclaim.leave(pins);
        let mut watch = self.watch();
        let result = loop {
            if done() {
                break Ok(());
            }
            if let Err(trouble) = watch.pause(stake) {
                break Err(trouble);
            }
        };
        timeline.reclaim.enter();
        result
    }
}

impl Watch<'_> {
    /// Sleeps until something may have changed.
    ///
    /// # Errors
    /// When there is nothing left to wait for.
    pub(crate) fn pause(&mut self, stake: Stake) -> Result<(), Trouble> {
        let shared = &self.gate.shared;
        shared.waiting(true);
        let verdict = self.check(stake);
        if verdict.is_ok() {
            self.rings = shared.bell.wait(self.rings, GLANCE);
        }
        shared.waiting(false);
        verdict
    }

    fn check(&self, stake: Stake) -> Result<(), Trouble> {
        let (gate, peer) = (self.gate, &self.gate.shared.peer);
        let now = peer.now();
        let passed = |mark: u64| now.saturating_sub(mark.max(self.since));
        match peer.reach() {
            reach if reach != Reach::Connected && stake.connection != 0 => Err(Trouble::Died),
            Reach::Absent => Err(Trouble::Absent),
            Reach::Undecided | Reach::Starting if passed(0) > gate.start => Err(Trouble::Unstarted),
            Reach::Undecided | Reach::Starting => Ok(()),
            Reach::Connected if stake.connection != 0 && stake.connection != peer.connection() => Err(Trouble::Died),
            Reach::Connected if stake.failures != peer.failures() => Err(Trouble::Refused),
            Reach::Connected if passed(peer.heard()) > gate.silence => Err(Trouble::Silent),
            Reach::Connected if passed(peer.progress()) > gate.silence * STUCK_FACTOR => Err(Trouble::Stuck),
            Reach::Connected => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(cap: u64) -> Gate {
        Gate { shared: Arc::new(Shared::new("test")), silence: cap, start: cap }
    }

    fn wait(gate: &Gate, stake: Stake) -> Trouble {
        let mut watch = gate.watch();
        loop {
            if let Err(trouble) = watch.pause(stake) {
                return trouble;
            }
        }
    }

    #[test]
    fn nobody_waits_for_a_sidecar_that_cannot_be_started() {
        let gate = gate(60_000);
        gate.shared.peer.set_reach(Reach::Absent);
        assert_eq!(wait(&gate, Stake::default()), Trouble::Absent);
    }

    #[test]
    fn a_sidecar_that_never_connects_ends_the_wait() {
        let gate = gate(1);
        gate.shared.peer.set_reach(Reach::Starting);
        assert_eq!(wait(&gate, Stake::default()), Trouble::Unstarted);
    }

    #[test]
    fn a_lost_or_replaced_connection_ends_the_wait_at_once() {
        let gate = gate(60_000);
        gate.shared.peer.connected(0);
        let stake = Stake { connection: gate.shared.peer.connection(), failures: 0 };
        gate.shared.peer.set_reach(Reach::Starting);
        assert_eq!(wait(&gate, stake), Trouble::Died);
        gate.shared.peer.connected(0);
        assert_eq!(wait(&gate, stake), Trouble::Died);
    }

    #[test]
    fn a_silent_sidecar_ends_the_wait_and_so_does_one_that_only_beats() {
        let silent = gate(1);
        silent.shared.peer.connected(0);
        assert_eq!(wait(&silent, Stake::default()), Trouble::Silent);
        let beating = gate(20);
        beating.shared.peer.connected(0);
        let mut watch = beating.watch();
        let trouble = loop {
            beating.shared.peer.touch(false);
            if let Err(trouble) = watch.pause(Stake::default()) {
                break trouble;
            }
        };
        assert!(matches!(trouble, Trouble::Stuck | Trouble::Silent), "{trouble:?}");
    }

    #[test]
    fn a_failure_that_the_sidecar_reports_ends_the_wait() {
        let gate = gate(60_000);
        gate.shared.peer.connected(0);
        gate.shared.peer.fail();
        assert_eq!(wait(&gate, Stake::default()), Trouble::Refused);
    }
}
