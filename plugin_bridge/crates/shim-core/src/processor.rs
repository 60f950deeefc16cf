//! The audio-thread side of one plugin instance.

mod hearing;

use crate::{
    Block,
    core::Core,
    parameters::{BYPASS, FREE_RUN},
    peer::Reach,
    position::Place,
    record::{End, Reason},
    stage::Span,
    timeline::Timeline,
    trap,
};
use hearing::Hearing;
use std::sync::{Arc, Mutex, PoisonError};

/// Where a processor leaves what it owns when it goes.
pub(crate) type Parked = Arc<Mutex<Option<Box<Core>>>>;

/// Renders blocks. Per block: [`begin`](Self::begin), then [`step`](Self::step) or [`queue`](Self::queue) for what
/// the host automated, then [`process`](Self::process) (or [`flush_end`](Self::flush_end) where there is no audio).
///
/// In real time none of these allocates, locks, makes a system call, waits or panics.
pub struct Processor {
    core: Option<Box<Core>>,
    parked: Parked,
}

impl Processor {
    pub(crate) fn new(mut core: Box<Core>, parked: Parked, latency: u32) -> Self {
        core.prepare(latency);
        Self { core: Some(core), parked }
    }

    /// Starts a block.
    pub fn begin(&mut self, block: &Block) {
        if let Some(core) = &mut self.core {
            let _watched = trap::watch(!block.offline);
            core.block = *block;
            core.events.begin(block.frames);
            core.adopt_values();
        }
    }

    /// From `offset` samples into the block on, parameter `index` holds `plain` (a CLAP event).
    pub fn step(&mut self, index: usize, offset: u32, plain: f64) {
        if let Some(core) = &mut self.core {
            let _watched = trap::watch(!core.block.offline);
            core.events.step(index, offset, plain);
        }
    }

    /// A VST3 parameter queue: (offset in samples, normalised value), offsets ascending, up to and including the
    /// block's length.
    pub fn queue(&mut self, index: usize, points: impl Iterator<Item = (u32, f64)>) {
        if let Some(core) = &mut self.core {
            let _watched = trap::watch(!core.block.offline);
            core.events.queue(index, points);
        }
    }

    /// Renders in place: left and right hold the input and receive the output. Any length; 0 is a `flush_end`. `side`
    /// is the side-chain's left and right, as long, where one is connected.
    pub fn process(&mut self, audio: [&mut [f32]; 2], side: Option<[&[f32]; 2]>) {
        let Some(core) = &mut self.core else { return };
        let frames = audio[0].len().min(audio[1].len());
        if frames == 0 {
            return self.flush_end();
        }
        let _watched = trap::watch(!core.block.offline);
        core.block.frames = frames as u32;
        core.render(audio, side);
    }

    /// Ends a block that has no audio: the points apply.
    pub fn flush_end(&mut self) {
        if let Some(core) = &mut self.core {
            let _watched = trap::watch(!core.block.offline);
            let song = core.position.next().unwrap_or(0);
            core.outbox.offline = false;
            core.events.truncate(0);
            core.send_events(song, true);
            core.publish_values();
        }
    }

    /// The host reset its transport: a running pass ends, the free-running clock goes to 0.
    pub fn reset(&mut self) {
        if let Some(core) = &mut self.core {
            core.outbox.offline = false;
            core.stop(core.position.next().unwrap_or(0), End::Forgotten);
            core.position.reset();
            core.forget();
        }
    }

    /// Samples, constant from activation to deactivation: the look-ahead; 0 without one, because audio is addressed by
    /// song position.
    pub fn latency(&self) -> u32 {
        self.core.as_ref().map_or(0, |core| core.delay.latency())
    }
}

impl Drop for Processor {
    fn drop(&mut self) {
        self.reset();
        if let Some(mut core) = self.core.take() {
            core.reader.skip();
            core.timeline.reclaim.leave([None, None]);
            *self.parked.lock().unwrap_or_else(PoisonError::into_inner) = Some(core);
        }
    }
}

impl Core {
    fn render(&mut self, audio: [&mut [f32]; 2], side: Option<[&[f32]; 2]>) {
        let block = self.block;
        self.events.truncate(block.frames);
        self.outbox.offline = block.offline;
        self.hear_answers();
        let stopped_at = self.position.next().unwrap_or(0);
        let free_run = self.events.at(FREE_RUN, 0) >= 0.5;
        match self.position.advance(&block, free_run) {
            Some(place) => self.play(place, free_run, audio, side),
            None => self.idle(stopped_at, audio),
        }
        self.publish_values();
    }

    fn idle(&mut self, stopped_at: i64, audio: [&mut [f32]; 2]) {
        self.stop(stopped_at, End::Heard);
        if self.outbox.recovers(0) {
            self.send_values(0);
            self.placed = None;
        }
        self.send_events(0, true);
        self.tell_place();
        let span = Span { song: self.idle, begins: false, offline: self.block.offline };
        self.idle = self.idle.wrapping_add(i64::from(self.block.frames)) & i64::from(u32::MAX);
        self.output(span, audio);
    }

    fn play(&mut self, place: Place, free_run: bool, audio: [&mut [f32]; 2], side: Option<[&[f32]; 2]>) {
        let song = place.song;
        let again = self.outbox.recovers(song) || self.must_resync();
        match place.begins {
            Some(reason) => {
                self.flush_capture();
                self.announce(song, reason, free_run);
            }
            None if again => self.announce(song, Reason::Resync, free_run),
            None => {
                self.send_timing(song);
                self.send_events(song, true);
            }
        }
        self.await_answer(place, free_run);
        self.learn(song, [&*audio[0], &*audio[1]], side);
        self.send(self.pass.block(song, self.block.frames));
        self.hear_answers();
        if self.block.offline {
            self.gate.wake();
        }
        self.output(Span { song, begins: place.begins.is_some(), offline: self.pass.offline }, audio);
        self.trail.reach(song.saturating_add(i64::from(self.block.frames)), self.count);
    }

    /// A new sidecar must be told of the running pass; an offline pass that failed stays dry instead.
    fn must_resync(&self) -> bool {
        let peer = &self.shared.peer;
        let is_new = peer.reach() == Reach::Connected && peer.connection() != self.pass.stake.connection;
        is_new && self.pass.running && !self.pass.given_up
    }

    /// Offline, waits for what the sidecar says about the pass. A sidecar that only now connects is told anew.
    fn await_answer(&mut self, place: Place, free_run: bool) {
        self.hear_answers();
        if !self.block.offline || self.is_bypassed(place.begins.is_some()) {
            return;
        }
        let gate = self.gate.clone();
        let mut watch = gate.watch();
        while self.pass.answer().is_none() && !self.pass.given_up {
            if self.pass.stake.connection == 0 && self.must_resync() {
                self.announce(place.song, place.begins.unwrap_or(Reason::Resync), free_run);
            }
            if let Err(trouble) = watch.pause(self.pass.stake) {
                self.give_up(trouble);
            }
            self.hear_answers();
        }
    }

    /// Whether the whole block is the input as it is.
    fn is_bypassed(&self, begins: bool) -> bool {
        let events = self.events.list().iter();
        let turned_off = events.filter(|event| event.index == BYPASS).any(|event| event.value < 0.5);
        self.events.at(BYPASS, 0) >= 0.5 && !turned_off && (begins || self.scribe.is_bypassed())
    }

    /// What came in a look-ahead ago, through the output stage.
    fn output(&mut self, span: Span, audio: [&mut [f32]; 2]) {
        let timeline = self.timeline.clone();
        let [left, right] = audio;
        let frames = left.len().min(right.len());
        let mut done = 0;
        self.cue_pass();
        timeline.reclaim.enter();
        while done < frames {
            let (cue, count) = self.scribe.write(span, done, frames, &self.events);
            if let Some(cue) = cue {
                self.cues.push(self.count, cue);
            }
            let part = done..done + count;
            self.pass_on(&timeline, [&mut left[part.clone()], &mut right[part]]);
            done += count;
        }
        timeline.reclaim.leave(self.reader.pins());
    }

    fn pass_on(&mut self, timeline: &Timeline, audio: [&mut [f32]; 2]) {
        let [left, right] = audio;
        self.delay.exchange([&mut *left, &mut *right]);
        let (first, latency) = (self.count, u64::from(self.delay.latency()));
        self.count += left.len() as u64;
        // Before anything that came in comes out there is silence.
        let silent = latency.saturating_sub(first).min(left.len() as u64);
        let at = (first + silent).saturating_sub(latency);
        let audio = [&mut left[silent as usize..], &mut right[silent as usize..]];
        let Self { gate, shared, pass, over, heard, block, .. } = self;
        let mut passes = Hearing { timeline, gate, shared, pass, over, heard, waits: block.offline };
        self.stage.render(at, &mut self.cues, &mut self.reader, timeline, audio, &mut passes);
    }
}

const _: () = {
    const fn is_send<T: Send>() {}
    is_send::<Processor>();
    is_send::<Arc<crate::shared::Shared>>();
};

#[cfg(test)]
mod tests;
