//! What the sidecar is given of the input.

use super::Core;
use crate::{
    capture::{Buses, Filled},
    parameters::{SIDECHAIN, SOURCE_MODE},
    record::{Kind, Record, SIDE_CHAIN},
    timeline::CAPTURE_RECORDS,
};

impl Core {
    /// The input of a block, as far as the sidecar is to have it.
    pub(crate) fn learn(&mut self, song: i64, main: [&[f32]; 2], side: Option<[&[f32]; 2]>) {
        let learns = self.events.at(SOURCE_MODE, 0) < 0.5;
        let side = side.filter(|_| self.events.at(SIDECHAIN, 0) >= 0.5);
        let mut buses: Buses = [learns.then_some(main), side];
        if self.capture.changes(&buses) {
            self.flush_capture();
        }
        self.capture.open(&buses);
        let mut song = song;
        while buses.iter().flatten().flatten().any(|channel| !channel.is_empty()) {
            self.make_room_to_capture();
            let count = self.capture.take(&self.timeline, song, &buses);
            if self.capture.is_full() {
                self.flush_capture();
            } else if count == 0 {
                return;
            }
            song += count as i64;
            buses = buses.map(|bus| bus.map(|channels| channels.map(|channel| &channel[count..])));
        }
    }

    pub(crate) fn flush_capture(&mut self) {
        for filled in self.capture.flush(&self.timeline, self.pass.number).into_iter().flatten() {
            self.announce_capture(filled);
        }
    }

    fn announce_capture(&mut self, filled: Filled) {
        let record = self.pass.record(Kind::Capture, filled.song);
        let flags = if filled.side { SIDE_CHAIN } else { 0 };
        self.send(Record { value: filled.number as f64, aux: filled.samples, flags, ..record });
    }

    /// Offline the oldest record is kept until the sidecar has it; in real time it is overwritten.
    fn make_room_to_capture(&mut self) {
        let (number, offline) = (self.capture.number(), self.block.offline);
        // Before a sidecar knows of the pass nobody would copy the records.
        if !offline || self.pass.given_up || self.pass.stake.connection == 0 {
            return;
        }
        let peer = &self.shared.peer;
        let has_room = || peer.captured() + CAPTURE_RECORDS as u64 >= number;
        let mut watch = (!has_room()).then(|| self.gate.watch());
        while let Some(watch) = watch.as_mut().filter(|_| !has_room()) {
            if let Err(trouble) = watch.pause(self.pass.stake) {
                return self.give_up(trouble);
            }
        }
    }
}
