//! The output stage (docs/architecture.md): bypass, mix and gain, stepped per frame, over the wet signal.

mod cue;

use crate::{reader::Reader, reclaim::Pin, timeline::Timeline};
pub(crate) use cue::{Cue, Cues, Scribe, Span, Turn};
use cue::{Frame, Settings};

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
}

impl Stage {
    pub(crate) fn new(rate: u32) -> Self {
        let (from, now) = (Settings::NEUTRAL, (1.0, 1.0));
        let frame = Frame { song: 0, start: 0, begins: false, offline: false, settings: from };
        Self { ramp: i64::from(rate) / 100, frame, from, now, song: 0 }
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
                reader.enter(timeline, self.song, room, &mut |chunk, pins| passes.is_ready(chunk, pins))
            };
            for (l, r) in left[done..done + length].iter_mut().zip(&mut right[done..done + length]) {
                let dry = [*l, *r];
                let wet = if skipped { dry } else { reader.next(timeline, dry) };
                [*l, *r] = self.mixed(dry, wet);
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
            }
        }
    }

    fn mixed(&mut self, dry: [f32; 2], wet: [f32; 2]) -> [f32; 2] {
        let (from, to) = (self.from, self.frame.settings);
        let done = self.song - self.frame.start + 1;
        self.now = if done <= self.ramp && from != to {
            let along = done as f32 / self.ramp as f32;
            (from.mix + (to.mix - from.mix) * along, from.gain + (to.gain - from.gain) * along)
        } else {
            (to.mix, to.gain)
        };
        let (mix, gain) = self.now;
        std::array::from_fn(|channel| {
            let out = (dry[channel] + (wet[channel] - dry[channel]) * mix) * gain;
            if out.is_finite() { out } else { dry[channel] }
        })
    }
}

#[cfg(test)]
mod tests;
