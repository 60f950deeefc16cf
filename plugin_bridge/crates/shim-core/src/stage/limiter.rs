//! The true-peak limiter: -1 dBTP without a sample of delay, because the rendered signal can be read ahead of the song.
//!
//! The peak of every sample's neighbourhood is taken from the timeline itself, so it depends on the song position alone.
//! Of the input nothing is known ahead: where it is heard, samples are held under the ceiling as they come.

use crate::{reader::Reader, timeline::Timeline};

/// -1.1 dB: under -1 dBTP by what a gain that moves within the measuring filter adds (0.06 dB with full-scale noise).
const CEILING: f64 = 0.881_048_873_008_014;
const TAPS: usize = 12;
/// The interpolating filter of ITU-R BS.1770-4, annex 2: four phases.
pub(super) const FILTER: [[f64; TAPS]; 4] = [
    [
        0.001_708_984_375,
        0.010_986_328_125,
        -0.019_653_320_312_5,
        0.033_203_125,
        -0.059_448_242_187_5,
        0.137_329_101_562_5,
        0.972_167_968_75,
        -0.102_294_921_875,
        0.047_607_421_875,
        -0.026_611_328_125,
        0.014_892_578_125,
        -0.008_300_781_25,
    ],
    [
        -0.029_174_804_687_5,
        0.029_296_875,
        -0.051_757_812_5,
        0.089_111_328_125,
        -0.166_503_906_25,
        0.465_087_890_625,
        0.779_785_156_25,
        -0.200_317_382_812_5,
        0.101_562_5,
        -0.058_227_539_062_5,
        0.033_081_054_687_5,
        -0.018_920_898_437_5,
    ],
    [
        -0.018_920_898_437_5,
        0.033_081_054_687_5,
        -0.058_227_539_062_5,
        0.101_562_5,
        -0.200_317_382_812_5,
        0.779_785_156_25,
        0.465_087_890_625,
        -0.166_503_906_25,
        0.089_111_328_125,
        -0.051_757_812_5,
        0.029_296_875,
        -0.029_174_804_687_5,
    ],
    [
        -0.008_300_781_25,
        0.014_892_578_125,
        -0.026_611_328_125,
        0.047_607_421_875,
        -0.102_294_921_875,
        0.972_167_968_75,
        0.137_329_101_562_5,
        -0.059_448_242_187_5,
        0.033_203_125,
        -0.019_653_320_312_5,
        0.010_986_328_125,
        0.001_708_984_375,
    ],
];
/// The filter is longest half a window ahead of the sample that it is centred on.
const HALF: usize = TAPS / 2;
/// Samples over which a reduction is drawn in, a power of two: 1.3 ms at 48 kHz, too short to hear as a fade.
const ATTACK: usize = 64;
/// Peaks that one sample's gain looks at: from those it is still part of to those that the attack prepares for.
const SPAN: usize = HALF + ATTACK + HALF;
/// Samples of the song that are read before the first.
pub(crate) const BEHIND: usize = TAPS - 1;
/// Samples ahead of the song that are read.
pub(crate) const AHEAD: usize = SPAN - HALF - 1 + HALF;
/// Time constant of the release.
const RELEASE_SECONDS: f64 = 0.1;
/// A reduction below this (0.00001 dB) is none.
const NONE: f64 = 1e-6;

/// What the peaks were read from.
type Seen = ([u64; 2], Option<(i64, i64)>);

pub(crate) struct Limiter {
    /// The share of what is left of a reduction that goes in one sample.
    release: f64,
    /// The rendered signal's last samples, oldest first.
    taps: [[f64; TAPS]; 2],
    peaks: [f64; SPAN],
    newest: usize,
    gain: f64,
    /// The gain, averaged over 1, 2, 4, ... 32 samples, of the last 64.
    averages: [[f64; ATTACK]; ATTACK.ilog2() as usize],
    count: usize,
    seen: Option<Seen>,
    song: i64,
}

impl Limiter {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            release: 1.0 - (-1.0 / (RELEASE_SECONDS * f64::from(rate))).exp(),
            taps: [[0.0; TAPS]; 2],
            peaks: [0.0; SPAN],
            newest: 0,
            gain: 1.0,
            averages: [[1.0; ATTACK]; ATTACK.ilog2() as usize],
            count: 0,
            seen: None,
            song: 0,
        }
    }

    /// Nothing was limited before the next sample.
    pub(crate) fn reset(&mut self) {
        (self.gain, self.count, self.seen) = (1.0, 0, None);
        self.averages = [[1.0; ATTACK]; ATTACK.ilog2() as usize];
    }

    /// Reads the peaks around `song` anew where the timeline there is not what it was, or the song did not run on.
    pub(crate) fn look(&mut self, reader: &Reader, timeline: &Timeline, song: i64) {
        let seen = reader.glance(timeline, song, song + AHEAD as i64);
        if self.seen == Some(seen) && self.song == song {
            return;
        }
        (self.seen, self.song) = (Some(seen), song);
        for position in song - (TAPS as i64 - 1)..song + AHEAD as i64 {
            self.read(reader.peek(timeline, position));
        }
    }

    fn read(&mut self, sample: [f32; 2]) {
        let mut peak = 0.0f64;
        for (taps, sample) in self.taps.iter_mut().zip(sample) {
            taps.copy_within(1.., 0);
            taps[TAPS - 1] = if sample.is_finite() { f64::from(sample) } else { 0.0 };
            peak = peak.max(taps[TAPS - 1 - HALF].abs());
            for phase in &FILTER {
                // In the filter's order, newest sample first, as the twin adds.
                let value = phase.iter().zip(taps.iter().rev()).fold(0.0, |sum, (weight, tap)| sum + weight * tap);
                peak = peak.max(value.abs());
            }
        }
        self.newest = (self.newest + 1) % SPAN;
        self.peaks[self.newest] = peak;
    }

    /// The gain of the next sample. `scale`: what the rendered signal is multiplied by on its way to `out`.
    pub(crate) fn next(&mut self, reader: &Reader, timeline: &Timeline, scale: f64, out: [f32; 2]) -> f64 {
        self.read(reader.peek(timeline, self.song + AHEAD as i64));
        self.song += 1;
        let rendered = self.peaks.iter().fold(0.0f64, |peak, next| peak.max(*next)) * scale;
        let sample = f64::from(out[0].abs().max(out[1].abs()));
        let peak = if sample.is_finite() { rendered.max(sample) } else { rendered };
        let most = if peak > CEILING { CEILING / peak } else { 1.0 };
        let released = self.gain + (1.0 - self.gain) * self.release;
        let released = if 1.0 - released < NONE { 1.0 } else { released };
        self.gain = most.min(released);
        self.average().min(most)
    }

    /// The mean of the last 64 gains, always added in the same order.
    fn average(&mut self) -> f64 {
        let (mut mean, at) = (self.gain, self.count % ATTACK);
        for (level, history) in self.averages.iter_mut().enumerate() {
            history[at] = mean;
            mean = (mean + history[(at + ATTACK - (1 << level)) % ATTACK]) * 0.5;
        }
        self.count += 1;
        mean
    }
}
