//! The passes, as the output stage asks for them.

use crate::{
    pass::{Over, Pass},
    reader::Reader,
    reclaim::Pin,
    shared::Shared,
    stage::{Passes, Turn},
    table::Entry,
    timeline::Timeline,
    wait::{Gate, Trouble},
};
use std::sync::atomic::Ordering;

pub(super) struct Hearing<'a> {
    pub timeline: &'a Timeline,
    pub gate: &'a Gate,
    pub shared: &'a Shared,
    /// The latest pass.
    pub pass: &'a mut Pass,
    pub over: &'a mut Over,
    /// The number of the pass that is heard; 0: none.
    pub heard: &'a mut u32,
    /// The block that comes in is offline; the rest of a bounce may come out in real time, where nothing waits.
    pub waits: bool,
}

impl Hearing<'_> {
    fn heard(&mut self) -> Option<&mut Pass> {
        match *self.heard {
            0 => None,
            number if number == self.pass.number => Some(self.pass),
            number => self.over.get(number),
        }
    }
}

impl Passes for Hearing<'_> {
    fn turn(&mut self, turn: Turn, reader: &mut Reader) {
        *self.heard = turn.pass;
        let Some(pass) = self.heard() else { return reader.dry() };
        if !turn.joins {
            reader.begin_pass(pass.offline.then_some(pass.number), pass.shift);
        }
        if let Some(answer) = pass.answer() {
            reader.answer(answer);
        }
        if pass.given_up {
            reader.dry();
        }
    }

    fn is_ready(&mut self, chunk: i64, pins: [Pin; 2]) -> bool {
        let (timeline, gate, shared, waits) = (self.timeline, self.gate, self.shared, self.waits);
        let Some(pass) = self.heard() else { return false };
        if !pass.offline {
            return true;
        }
        let (number, shift) = (pass.number, pass.shift);
        let done = || is_rendered(timeline, chunk, number, shift);
        if !waits || pass.given_up {
            return !pass.given_up && done();
        }
        let wait = gate.until(timeline, pins, pass.stake, done);
        if let Err(trouble) = wait {
            pass.given_up = true;
            if trouble != Trouble::Absent {
                shared.pass_failed(number, trouble);
            }
        }
        wait.is_ok()
    }
}

/// Whether a pass's own rendering of the chunk is there.
fn is_rendered(timeline: &Timeline, chunk: i64, pass: u32, shift: u32) -> bool {
    let entry = Entry::unpack(timeline.entry(chunk, shift).load(Ordering::Acquire));
    entry.is_some_and(|entry| {
        entry.is_of(pass) && entry.slot < timeline.layout.slots && timeline.chunk_of(entry.slot) == chunk
    })
}
