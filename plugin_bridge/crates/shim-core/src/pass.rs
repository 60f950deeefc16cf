//! One uninterrupted run of the transport, as the audio thread sees it.

use crate::{
    record::{FREE_RUN, Kind, OFFLINE, Reason, Record},
    ring::Answer,
    wait::Stake,
};

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pass {
    /// From 1 on; the last pass's number while none runs.
    pub number: u32,
    pub running: bool,
    pub offline: bool,
    /// Nothing more is waited for: the pass failed, or there is no sidecar.
    pub given_up: bool,
    pub stake: Stake,
    /// Where its chunks lie in the page table.
    pub shift: u32,
    answer: Option<Answer>,
}

impl Pass {
    /// Begins the next pass.
    pub(crate) fn begin(&mut self, offline: bool, stake: Stake, shift: u32) {
        let number = self.number.wrapping_add(1).max(1);
        *self = Self { number, running: true, offline, stake, shift, ..Self::default() };
    }

    pub(crate) fn record(&self, kind: Kind, song: i64) -> Record {
        Record::new(kind, if self.running { self.number } else { 0 }, song)
    }

    /// PASS, with the latency that the plugin declares.
    pub(crate) fn opening(&self, song: i64, reason: Reason, free_run: bool, latency: u32) -> Record {
        Record {
            aux: reason as u32,
            value: f64::from(latency),
            flags: self.flag() | if free_run { FREE_RUN } else { 0 },
            ..self.record(Kind::Pass, song)
        }
    }

    pub(crate) fn block(&self, song: i64, frames: u32) -> Record {
        Record { aux: frames, flags: self.flag(), ..self.record(Kind::Block, song) }
    }

    fn flag(&self) -> u32 {
        if self.offline { OFFLINE } else { 0 }
    }

    /// Takes the answer to this pass; another pass's is none, and neither is one about a timeline that is gone: a pass
    /// that began before this one was connected is announced again.
    pub(crate) fn hear(&mut self, answer: Answer) -> bool {
        let mine = answer.pass == self.number && self.stake.connection != 0;
        if mine {
            self.answer = Some(answer);
        }
        mine
    }

    pub(crate) fn answer(&self) -> Option<Answer> {
        self.answer
    }
}

/// Passes that are told apart: with more on their way from the input to the output, the oldest are dry. As many, however
/// short, have room in the page table beside the longest look-ahead: three entries each of 938 and more.
pub(crate) const PASSES: usize = 128;

/// The passes that are still to be heard, but for the last.
pub(crate) struct Over {
    passes: Box<[Pass; PASSES]>,
}

impl Over {
    /// Allocates.
    pub(crate) fn new() -> Self {
        Self { passes: Box::new([Pass::default(); PASSES]) }
    }

    pub(crate) fn keep(&mut self, pass: Pass) {
        self.passes[pass.number as usize % PASSES] = pass;
    }

    pub(crate) fn get(&mut self, number: u32) -> Option<&mut Pass> {
        Some(&mut self.passes[number as usize % PASSES]).filter(|pass| pass.number == number)
    }

    pub(crate) fn clear(&mut self) {
        self.passes.fill(Pass::default());
    }
}
