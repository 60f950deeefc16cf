//! What an audio thread owns, from block to block and across activations.

mod learning;

use crate::{
    Block,
    capture::Capture,
    delay::Delay,
    events::Events,
    outbox::Outbox,
    parameters::{self, COUNT},
    pass::{Over, Pass},
    peer::Reach,
    position::{self, Position},
    reader::Reader,
    record::{End, Kind, Reason, Record},
    ring::{Answer, AudioEnds, STANDBY},
    shared::Shared,
    shift::Trail,
    stage::{Cue, Cues, Scribe, Stage, Turn},
    timeline::Timeline,
    timing::Timing,
    wait::{Gate, Stake, Trouble},
};
use std::sync::Arc;

pub(crate) struct Core {
    pub shared: Arc<Shared>,
    pub timeline: Arc<Timeline>,
    pub gate: Gate,
    pub outbox: Outbox,
    pub answers: rtrb::Consumer<Answer>,
    pub position: Position,
    pub pass: Pass,
    pub over: Over,
    pub trail: Trail,
    /// The pass that is heard; 0: none.
    pub heard: u32,
    pub events: Events,
    pub reader: Reader,
    pub scribe: Scribe,
    pub cues: Cues,
    pub delay: Delay,
    pub stage: Stage,
    pub capture: Capture,
    /// Samples that came in since activation.
    pub count: u64,
    /// The last cue about a pass.
    pub told: Turn,
    /// What is heard goes on in the pass that began last until that has something of its own.
    pub joins: bool,
    /// What this thread last read from or wrote to the shared values.
    pub seen: [f64; COUNT],
    pub block: Block,
    pub timing: Timing,
    /// The clock of the output stage while no pass runs.
    pub idle: i64,
    /// The connection and the song position of the last PLACE; none where the next one is news in any case.
    pub placed: Option<(u32, i64)>,
}

impl Core {
    pub(crate) fn new(shared: Arc<Shared>, timeline: Arc<Timeline>, ends: AudioEnds) -> Self {
        let values = std::array::from_fn(|index| shared.value(index));
        let rate = timeline.layout.rate;
        Self {
            gate: Gate::new(shared.clone()),
            outbox: Outbox::new(ends.records),
            answers: ends.answers,
            position: Position::default(),
            pass: Pass::default(),
            over: Over::new(),
            trail: Trail::default(),
            heard: 0,
            events: Events::new(values),
            reader: Reader::new(rate),
            scribe: Scribe::new(rate),
            cues: Cues::new(rate, 0),
            delay: Delay::default(),
            stage: Stage::new(rate),
            capture: Capture::default(),
            count: 0,
            told: Turn::NONE,
            joins: false,
            seen: values,
            block: Block::default(),
            timing: Timing::default(),
            idle: 0,
            placed: None,
            shared,
            timeline,
        }
    }

    /// The rate changed: another timeline, everything tied to the old one begins anew.
    pub(crate) fn replace_timeline(&mut self, timeline: Arc<Timeline>) {
        let rate = timeline.layout.rate;
        (self.reader, self.stage, self.capture) = (Reader::new(rate), Stage::new(rate), Capture::default());
        self.timeline = timeline;
        self.over.clear();
    }

    /// Before an activation: the latency that it declares. Allocates.
    pub(crate) fn prepare(&mut self, latency: u32) {
        let rate = self.timeline.layout.rate;
        if self.delay.latency() != latency {
            (self.delay, self.cues) = (Delay::new(latency), Cues::new(rate, latency));
        }
        self.position.reset();
        self.forget();
    }

    /// What came in and is not yet heard never will be.
    pub(crate) fn forget(&mut self) {
        self.delay.clear();
        self.cues.clear();
        self.scribe = Scribe::new(self.timeline.layout.rate);
        (self.heard, self.told, self.trail) = (0, Turn::NONE, Trail::default());
        self.reader.dry();
    }

    /// Steps that others made since the last block become this block's first events.
    pub(crate) fn adopt_values(&mut self) {
        for index in 0..COUNT {
            let value = self.shared.value(index);
            if value.to_bits() != self.seen[index].to_bits() {
                self.seen[index] = value;
                self.events.step(index, 0, value);
            }
        }
    }

    /// What the host automated becomes everyone's value.
    pub(crate) fn publish_values(&mut self) {
        for index in 0..COUNT {
            let value = self.events.end(index);
            if value.to_bits() != self.seen[index].to_bits() && index != parameters::STATUS {
                self.seen[index] = value;
                self.shared.set_value(index, value);
            }
        }
    }

    pub(crate) fn send(&mut self, record: Record) {
        self.outbox.push(&self.gate, record);
    }

    /// The block's breakpoints, at song positions from `song` on; without those that PASS's own POINTs include.
    pub(crate) fn send_events(&mut self, song: i64, include_first: bool) {
        let number = if self.pass.running { self.pass.number } else { 0 };
        for position in 0..self.events.list().len() {
            let event = self.events.list()[position];
            if include_first || event.offset > 0 {
                let id = parameters::table()[event.index].id;
                let song = song + i64::from(event.offset);
                self.send(Record::breakpoint(event.ramp, id, number, song, event.value));
            }
        }
    }

    /// PASS, and one POINT per parameter.
    pub(crate) fn announce(&mut self, song: i64, reason: Reason, free_run: bool) {
        let peer = &self.shared.peer;
        let connection = if peer.reach() == Reach::Connected { peer.connection() } else { 0 };
        self.over.keep(self.pass);
        self.joins = reason == Reason::Resync && !self.block.offline;
        let stake = Stake { connection, failures: peer.failures() };
        // What a new sidecar renders takes the place of what is still there of the old one.
        let shift = if self.joins { self.pass.shift } else { self.lay(song) };
        self.pass.begin(self.block.offline, stake, shift);
        self.timeline.shifts.set(self.pass.number, shift);
        self.shared.pass_began();
        self.send(self.pass.opening(song, reason, free_run, self.delay.latency()));
        self.timing = Timing::default();
        self.send_timing(song);
        self.send_values(song);
        self.send_events(song, false);
    }

    fn lay(&mut self, song: i64) -> u32 {
        self.trail.begin(&self.timeline.layout, song, self.count, self.delay.latency())
    }

    /// The cue about the pass that the next sample is of, where it is of another than the last.
    pub(crate) fn cue_pass(&mut self) {
        let pass = if self.pass.running { self.pass.number } else { 0 };
        if pass != self.told.pass {
            self.told = Turn { pass, joins: self.joins && pass != 0 };
            self.cues.push(self.count, Cue::Turn(self.told));
        }
    }

    /// TEMPO and METRE, where they are news.
    pub(crate) fn send_timing(&mut self, song: i64) {
        let number = if self.pass.running { self.pass.number } else { 0 };
        for record in self.timing.news(&self.block, song, self.timeline.layout.rate).into_iter().flatten() {
            self.send(Record { pass: number, ..record });
        }
    }

    /// One POINT per parameter that a host may write, as it is at the block's start.
    pub(crate) fn send_values(&mut self, song: i64) {
        let number = if self.pass.running { self.pass.number } else { 0 };
        for index in (0..COUNT).filter(|&index| index != parameters::STATUS) {
            let (id, value) = (parameters::table()[index].id, self.events.at(index, 0));
            self.send(Record::breakpoint(false, id, number, song, value));
        }
    }

    pub(crate) fn hear_answers(&mut self) {
        while let Ok(answer) = self.answers.pop() {
            if answer.pass == STANDBY {
                self.reader.expect(answer);
            } else if self.pass.hear(answer) || self.over.get(answer.pass).is_some_and(|pass| pass.hear(answer)) {
                match answer.pass == self.heard {
                    true => self.reader.answer(answer),
                    false => self.reader.expect(answer),
                }
            }
        }
    }

    /// TEMPO, METRE and PLACE, where the transport stands at a position that this connection was not told of.
    pub(crate) fn tell_place(&mut self) {
        let peer = &self.shared.peer;
        let song = position::said(&self.block).filter(|_| !self.block.offline && peer.reach() == Reach::Connected);
        let place = song.map(|song| (peer.connection(), song));
        let Some((connection, song)) = place else { return };
        if self.placed.is_none_or(|(told, _)| told != connection) {
            self.timing = Timing::default();
        }
        self.send_timing(song);
        if place != self.placed {
            self.placed = place;
            self.send(Record::new(Kind::Place, 0, song));
        }
    }

    pub(crate) fn give_up(&mut self, trouble: Trouble) {
        self.pass.given_up = true;
        if self.heard == self.pass.number {
            self.reader.dry();
        }
        if trouble != Trouble::Absent {
            self.shared.pass_failed(self.pass.number, trouble);
        }
    }

    /// Ends the running pass at `song`; what of it came in is still to be heard, or it is forgotten.
    pub(crate) fn stop(&mut self, song: i64, end: End) {
        if self.pass.running {
            self.flush_capture();
            self.send(Record { aux: end as u32, ..self.pass.record(Kind::Stop, song) });
            self.pass.running = false;
            self.placed = None;
        }
    }
}
