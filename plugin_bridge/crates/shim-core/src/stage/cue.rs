//! What the output stage is told, at the input, for when the same sample comes out.

use crate::{
    events::Events,
    parameters::{BYPASS, LOUDNESS_MATCH, MIX, OUTPUT_GAIN, TRUE_PEAK},
};
use std::collections::VecDeque;

/// Frames a second: the model's latent rate.
const FRAME_RATE: i64 = 25;
/// Cues beyond one a frame: a host that jumps more often than this within its look-ahead is heard dry there.
const SPARE: usize = 4096;

/// What a frame's output is made with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Settings {
    pub bypassed: bool,
    pub mix: f32,
    pub gain: f32,
    /// Held under the true-peak ceiling.
    pub limited: bool,
    /// Brought to the input's loudness.
    pub matched: bool,
}

impl Settings {
    pub(crate) const NEUTRAL: Self = Self { bypassed: false, mix: 1.0, gain: 1.0, limited: false, matched: false };

    fn at(events: &Events, offset: u32, offline: bool) -> Self {
        if events.at(BYPASS, offset) >= 0.5 {
            return Self { bypassed: true, mix: 0.0, ..Self::NEUTRAL };
        }
        let gain = 10f64.powf(events.at(OUTPUT_GAIN, offset) / 20.0) as f32;
        // Off, Live, Always.
        let limited = events.at(TRUE_PEAK, offset) >= if offline { 1.5 } else { 0.5 };
        let matched = events.at(LOUDNESS_MATCH, offset) >= 0.5;
        Self { bypassed: false, mix: events.at(MIX, offset) as f32, gain, limited, matched }
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

/// Whose audio is wet from a sample on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Turn {
    /// The pass; 0: none runs.
    pub pass: u32,
    /// What was heard before goes on until this pass has something of its own.
    pub joins: bool,
}

impl Turn {
    pub(crate) const NONE: Self = Self { pass: 0, joins: false };
}

/// A frame of song is entered, or what follows does not continue what was before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Frame {
    /// Song position of the sample.
    pub song: i64,
    /// Where its ramps begin.
    pub start: i64,
    /// Song position of the next frame.
    pub end: i64,
    pub begins: bool,
    pub offline: bool,
    pub settings: Settings,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Cue {
    Turn(Turn),
    Frame(Frame),
}

/// The cues between input and output, by input sample.
pub(crate) struct Cues {
    list: VecDeque<(u64, Cue)>,
    room: usize,
}

impl Cues {
    /// Room for every frame within `latency` samples. Allocates.
    pub(crate) fn new(rate: u32, latency: u32) -> Self {
        let frames = u64::from(latency) * FRAME_RATE as u64 / u64::from(rate.max(1));
        // Without a look-ahead every cue is taken before the next is written, but for a turn and the frame after it.
        let room = if latency == 0 { 2 } else { frames as usize + SPARE };
        Self { list: VecDeque::with_capacity(room), room }
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
    }

    pub(crate) fn push(&mut self, at: u64, cue: Cue) {
        if self.list.len() < self.room {
            self.list.push_back((at, cue));
        } else if let Some(last) = self.list.back_mut() {
            last.1 = Cue::Turn(Turn::NONE);
        }
    }

    /// The next cue that is due at input sample `at`.
    pub(crate) fn take(&mut self, at: u64) -> Option<Cue> {
        let due = self.list.front().is_some_and(|(from, _)| *from <= at);
        if due { self.list.pop_front().map(|(_, cue)| cue) } else { None }
    }

    /// How many samples from `at` on no cue is due in.
    pub(crate) fn until_next(&self, at: u64) -> usize {
        self.list.front().map_or(usize::MAX, |(next, _)| usize::try_from(next.saturating_sub(at)).unwrap_or(usize::MAX))
    }
}

/// Writes the cues as the input comes in. Where a cue lies depends on song positions alone, never on blocks.
#[derive(Debug)]
pub(crate) struct Scribe {
    rate: i64,
    /// Song samples of the current frame, half open.
    frame: (i64, i64),
    /// The song position that continues the last block.
    next: Option<i64>,
    /// Whether the last two frames are bypassed.
    bypassed: [bool; 2],
}

/// The first sample of a frame.
fn frame_start(frame: i64, rate: i64) -> i64 {
    -(-frame * rate).div_euclid(FRAME_RATE)
}

impl Scribe {
    pub(crate) fn new(rate: u32) -> Self {
        Self { rate: i64::from(rate), frame: (0, 0), next: None, bypassed: [false; 2] }
    }

    /// Whether what came in last was bypassed and settled.
    pub(crate) fn is_bypassed(&self) -> bool {
        self.bypassed == [true; 2]
    }

    /// The cue of sample `offset` of a block of `frames`, where it has one, and how many samples there are until the
    /// next could be.
    pub(crate) fn write(&mut self, span: Span, offset: usize, frames: usize, events: &Events) -> (Option<Cue>, usize) {
        let song = span.song + offset as i64;
        let cue = self.enter(song, offset, span, events);
        let count = self.frame.1.abs_diff(song).min((frames - offset) as u64) as usize;
        self.next = Some(song + count as i64);
        (cue, count)
    }

    fn enter(&mut self, song: i64, offset: usize, span: Span, events: &Events) -> Option<Cue> {
        let begins = span.begins && offset == 0;
        let continues = !begins && self.next == Some(song);
        if continues && (self.frame.0..self.frame.1).contains(&song) {
            return None;
        }
        let frame = (song * FRAME_RATE).div_euclid(self.rate);
        // A frame entered in its middle (a stopped transport's clock) ramps from there.
        let start = if begins || continues { frame_start(frame, self.rate) } else { song };
        self.frame = (start, frame_start(frame + 1, self.rate));
        let settings = Settings::at(events, offset as u32, span.offline);
        self.bypassed = [if begins { settings.bypassed } else { self.bypassed[1] }, settings.bypassed];
        Some(Cue::Frame(Frame { song, start, end: self.frame.1, begins, offline: span.offline, settings }))
    }
}
