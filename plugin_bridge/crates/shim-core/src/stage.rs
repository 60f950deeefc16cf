//! The output stage (docs/architecture.md): bypass, mix and gain, stepped per frame, over the wet signal.

use crate::{
    events::Events,
    parameters::{BYPASS, MIX, OUTPUT_GAIN},
    reader::Reader,
    reclaim::Pin,
    timeline::Timeline,
};

/// Frames a second: the model's latent rate.
const FRAME_RATE: i64 = 25;

/// What a frame's output is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Settings {
    bypassed: bool,
    mix: f32,
    gain: f32,
}

impl Settings {
    fn at(events: &Events, offset: u32) -> Self {
        if events.at(BYPASS, offset) >= 0.5 {
            return Self { bypassed: true, mix: 0.0, gain: 1.0 };
        }
        let gain = 10f64.powf(events.at(OUTPUT_GAIN, offset) / 20.0) as f32;
        Self { bypassed: false, mix: events.at(MIX, offset) as f32, gain }
    }
}

/// Where a block lies and how it joins the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Span {
    /// Song position of the first sample.
    pub song: i64,
    /// The first sample of a pass.
    pub begins: bool,
    /// A frame that is bypassed throughout is not looked up, so that nothing waits for it.
    pub offline: bool,
}

pub(crate) struct Stage {
    rate: i64,
    ramp: i64,
    /// Song samples of the current frame, half open.
    frame: (i64, i64),
    from: Settings,
    to: Settings,
    /// (mix, gain) of the last sample.
    now: (f32, f32),
    /// The song position that continues the last block.
    next: Option<i64>,
}

/// The first sample of a frame.
fn frame_start(frame: i64, rate: i64) -> i64 {
    -(-frame * rate).div_euclid(FRAME_RATE)
}

impl Stage {
    pub(crate) fn new(rate: u32) -> Self {
        let neutral = Settings { bypassed: false, mix: 1.0, gain: 1.0 };
        let rate = i64::from(rate);
        Self { rate, ramp: rate / 100, frame: (0, 0), from: neutral, to: neutral, now: (1.0, 1.0), next: None }
    }

    /// Whether the samples before `offset` in a block at `offset` were bypassed and settled.
    pub(crate) fn is_bypassed(&self) -> bool {
        self.from.bypassed && self.to.bypassed
    }

    /// Renders one block in place.
    pub(crate) fn render(
        &mut self,
        span: Span,
        events: &Events,
        reader: &mut Reader,
        timeline: &Timeline,
        audio: [&mut [f32]; 2],
        ready: &mut impl FnMut(i64, [Pin; 2]) -> bool,
    ) {
        let [left, right] = audio;
        let frames = left.len().min(right.len());
        let mut at = 0;
        while at < frames {
            let song = span.song + at as i64;
            self.locate(song, at == 0 && span.begins, events, at as u32);
            let room = self.frame.1.abs_diff(song).min((frames - at) as u64) as usize;
            let skipped = span.offline && self.is_bypassed();
            let length = if skipped {
                reader.skip();
                room
            } else {
                reader.enter(timeline, song, room, ready)
            };
            for (i, (l, r)) in left[at..at + length].iter_mut().zip(&mut right[at..at + length]).enumerate() {
                let dry = [*l, *r];
                let wet = if skipped { dry } else { reader.next(timeline, dry) };
                [*l, *r] = self.mixed(song + i as i64, dry, wet);
            }
            at += length;
        }
        self.next = Some(span.song + frames as i64);
    }

    /// Enters the frame of `song` where it is not the current one.
    fn locate(&mut self, song: i64, begins: bool, events: &Events, offset: u32) {
        let continues = !begins && (offset > 0 || self.next == Some(song));
        if continues && (self.frame.0..self.frame.1).contains(&song) {
            return;
        }
        let frame = (song * FRAME_RATE).div_euclid(self.rate);
        // A frame entered in its middle (a stopped transport's clock) ramps from there.
        let start = if begins || continues { frame_start(frame, self.rate) } else { song };
        self.frame = (start, frame_start(frame + 1, self.rate));
        let to = Settings::at(events, offset);
        self.from =
            if begins { to } else { Settings { bypassed: self.to.bypassed, mix: self.now.0, gain: self.now.1 } };
        self.to = to;
    }

    fn mixed(&mut self, song: i64, dry: [f32; 2], wet: [f32; 2]) -> [f32; 2] {
        let (from, to) = (self.from, self.to);
        let done = song - self.frame.0 + 1;
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
