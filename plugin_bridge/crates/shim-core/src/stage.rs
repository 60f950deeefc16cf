//! The output stage (docs/architecture.md): bypass, mix, gain, loudness match and limiter, stepped per frame, over the
//! wet signal.

mod cue;
mod limiter;
mod loudness;

use crate::{reader::Reader, reclaim::Pin, timeline::Timeline};
pub(crate) use cue::{Cue, Cues, Scribe, Span, Turn};
use cue::{Frame, Settings};
use limiter::Limiter;
pub(crate) use limiter::{AHEAD, BEHIND};
use loudness::Loudness;

/// Who knows the passes whose audio is wet.
pub(crate) trait Passes {
    /// Another pass, or none, is heard from the next sample on.
    fn turn(&mut self, turn: Turn, reader: &mut Reader);

    /// Whether the chunk may be looked up; offline this waits, letting go of everything but the pins.
    fn is_ready(&mut self, chunk: i64, pins: [Pin; 2]) -> bool;
}

pub(crate) struct Stage {
    ramp: i64,
    frame: Frame,
    from: Settings,
    /// (mix, gain) of the last sample.
    now: (f32, f32),
    /// Song position of the next sample.
    song: i64,
    limiter: Limiter,
    loudness: Loudness,
}

/// One processor of the chain that can be absent.
#[derive(Clone, Copy, PartialEq)]
enum Share {
    Absent,
    Full,
    /// On its way out.
    Part(f32),
}

impl Stage {
    pub(crate) fn new(rate: u32) -> Self {
        let (from, now) = (Settings::NEUTRAL, (1.0, 1.0));
        let frame = Frame { song: 0, start: 0, end: 0, begins: false, offline: false, settings: from };
        let (limiter, loudness) = (Limiter::new(rate), Loudness::new(rate));
        Self { ramp: i64::from(rate) / 100, frame, from, now, song: 0, limiter, loudness }
    }

    /// Renders samples in place, which came in at input sample `at` and after.
    pub(crate) fn render(
        &mut self,
        at: u64,
        cues: &mut Cues,
        reader: &mut Reader,
        timeline: &Timeline,
        audio: [&mut [f32]; 2],
        passes: &mut impl Passes,
    ) {
        let [left, right] = audio;
        let (mut done, frames) = (0, left.len().min(right.len()));
        while done < frames {
            let now = at + done as u64;
            while let Some(cue) = cues.take(now) {
                self.follow(cue, reader, passes);
            }
            let room = cues.until_next(now).min(frames - done);
            let skipped = self.frame.offline && self.from.bypassed && self.frame.settings.bypassed;
            let length = if skipped {
                reader.skip();
                room
            } else {
                self.enter(reader, timeline, room, &mut |chunk, pins| passes.is_ready(chunk, pins))
            };
            for (l, r) in left[done..done + length].iter_mut().zip(&mut right[done..done + length]) {
                let dry = [*l, *r];
                let wet = if skipped { dry } else { reader.next(timeline, dry) };
                [*l, *r] = self.mixed(reader, timeline, dry, wet);
                self.song += 1;
            }
            done += length;
        }
    }

    fn follow(&mut self, cue: Cue, reader: &mut Reader, passes: &mut impl Passes) {
        match cue {
            Cue::Turn(turn) => passes.turn(turn, reader),
            Cue::Frame(frame) => {
                let before = Settings { mix: self.now.0, gain: self.now.1, ..self.frame.settings };
                self.from = if frame.begins { frame.settings } else { before };
                (self.frame, self.song) = (frame, frame.song);
                if frame.settings.limited && (frame.begins || !before.limited) {
                    self.limiter.reset();
                }
                if frame.settings.matched && (frame.begins || !before.matched) {
                    self.loudness.reset();
                }
                self.loudness.enter();
            }
        }
    }

    /// How many samples from here on are of one slot; what the limiter reads ahead is there then.
    fn enter(
        &mut self,
        reader: &mut Reader,
        timeline: &Timeline,
        room: usize,
        ready: &mut impl FnMut(i64, [Pin; 2]) -> bool,
    ) -> usize {
        let length = reader.enter(timeline, self.song, room, ready);
        if self.share(|settings| settings.limited) != Share::Absent {
            reader.await_ahead(self.song + (length + AHEAD) as i64 - 1, ready);
            self.limiter.look(reader, timeline, self.song);
        }
        length
    }

    /// What is switched on acts at once, and what is switched off goes in one ramp.
    fn share(&self, is_on: impl Fn(&Settings) -> bool) -> Share {
        let done = self.song - self.frame.start + 1;
        match (is_on(&self.from), is_on(&self.frame.settings)) {
            (_, true) => Share::Full,
            (true, false) if done <= self.ramp => Share::Part(1.0 - done as f32 / self.ramp as f32),
            _ => Share::Absent,
        }
    }

    fn mixed(&mut self, reader: &Reader, timeline: &Timeline, dry: [f32; 2], wet: [f32; 2]) -> [f32; 2] {
        let (from, to) = (self.from, self.frame.settings);
        let done = self.song - self.frame.start + 1;
        self.now = if done <= self.ramp && (from.mix, from.gain) != (to.mix, to.gain) {
            let along = done as f32 / self.ramp as f32;
            (from.mix + (to.mix - from.mix) * along, from.gain + (to.gain - from.gain) * along)
        } else {
            (to.mix, to.gain)
        };
        let (mix, gain) = self.now;
        let level = self.level(dry, wet);
        let out = std::array::from_fn(|channel| {
            let wet = wet[channel] * level;
            let out = (dry[channel] + (wet - dry[channel]) * mix) * gain;
            if out.is_finite() { out } else { dry[channel] }
        });
        self.limited(reader, timeline, f64::from(mix) * f64::from(gain) * f64::from(level), out)
    }

    /// What the loudness match multiplies the rendered signal by.
    fn level(&mut self, dry: [f32; 2], wet: [f32; 2]) -> f32 {
        let share = self.share(|settings| settings.matched);
        if share == Share::Absent {
            return 1.0;
        }
        let Frame { start, end, .. } = self.frame;
        let level = self.loudness.next(self.song - start + 1, end - start, dry, wet);
        if let Share::Part(share) = share { 1.0 + (level - 1.0) * share } else { level }
    }

    fn limited(&mut self, reader: &Reader, timeline: &Timeline, scale: f64, out: [f32; 2]) -> [f32; 2] {
        let share = self.share(|settings| settings.limited);
        if share == Share::Absent {
            return out;
        }
        let gain = self.limiter.next(reader, timeline, scale, out);
        let gain = if let Share::Part(share) = share { 1.0 + (gain - 1.0) * f64::from(share) } else { gain };
        out.map(|sample| (f64::from(sample) * gain) as f32)
    }
}

#[cfg(test)]
mod tests;
