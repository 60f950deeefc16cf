//! Loudness match: brings the rendered signal to the loudness of the input, as ITU-R BS.1770 weighs both.

/// Mean square, both channels together, at -70 LUFS: below it a frame is silence (BS.1770, absolute gate).
const SILENCE: f64 = 1.172_465_304_582_296_4e-7;
/// A frame 10 LU below the input's own average does not count (BS.1770, relative gate).
const GATE: f64 = 0.1;
/// What is left of the averages after a frame that does not count, so that the gate opens to quieter music in the end.
const LEAK: f64 = 0.98;
/// Frames that are heard before anything is changed: 0.4 s, a block of BS.1770.
const FIRST: u32 = 10;
/// Frames that the averages hold: 3 s, the short-term loudness of EBU Tech 3341.
const HELD: u32 = 75;
/// Bounds of the gain, 12 dB each way.
const BOUNDS: (f64, f64) = (0.25, 4.0);
/// The share of the way to the matching gain that is made in one frame.
const PACE: f64 = 0.25;
/// A filter's state below this is silence; left alone it would reach denormal numbers, which are slow.
const TINY: f64 = 1e-30;

/// One second-order section, transposed direct form II.
#[derive(Clone, Copy, Debug)]
struct Section {
    b: [f64; 3],
    a: [f64; 2],
}

/// The K weighting at any rate: the analogue filters that BS.1770-4 gives at 48 kHz, by the bilinear transform.
fn weighting(rate: u32) -> [Section; 2] {
    let shelf = {
        let (frequency, q) = (1_681.974_450_955_533, 0.707_175_236_955_419_6);
        // 3.999843853973347 dB, and that to the power of 0.4996667741545416.
        let (high, band) = (1.584_864_701_130_855_6, 1.258_720_930_232_561_7);
        let k = (std::f64::consts::PI * frequency / f64::from(rate)).tan();
        let norm = 1.0 + k / q + k * k;
        let b = [high + band * k / q + k * k, 2.0 * (k * k - high), high - band * k / q + k * k];
        Section { b: b.map(|b| b / norm), a: [2.0 * (k * k - 1.0) / norm, (1.0 - k / q + k * k) / norm] }
    };
    let (frequency, q) = (38.135_470_876_024_44, 0.500_327_037_323_877_3);
    let k = (std::f64::consts::PI * frequency / f64::from(rate)).tan();
    let norm = 1.0 + k / q + k * k;
    let high_pass = Section { b: [1.0, -2.0, 1.0], a: [2.0 * (k * k - 1.0) / norm, (1.0 - k / q + k * k) / norm] };
    [shelf, high_pass]
}

/// The energy of one channel.
#[derive(Clone, Copy, Debug, Default)]
struct Meter {
    state: [[f64; 2]; 2],
    energy: f64,
}

impl Meter {
    fn hear(&mut self, weighting: &[Section; 2], sample: f32) {
        let mut value = if sample.is_finite() { f64::from(sample) } else { 0.0 };
        for (section, state) in weighting.iter().zip(&mut self.state) {
            let out = section.b[0] * value + state[0];
            state[0] = section.b[1] * value - section.a[0] * out + state[1];
            state[1] = section.b[2] * value - section.a[1] * out;
            value = out;
        }
        self.energy += value * value;
    }

    fn take(&mut self) -> f64 {
        for value in self.state.as_flattened_mut() {
            *value = if value.abs() < TINY { 0.0 } else { *value };
        }
        std::mem::take(&mut self.energy)
    }
}

pub(crate) struct Loudness {
    weighting: [Section; 2],
    /// Left and right, of the input and of the rendered signal.
    meters: [[Meter; 2]; 2],
    samples: u32,
    /// Frames that counted, at most `HELD`.
    frames: u32,
    /// Mean squares of the input and of the rendered signal.
    means: [f64; 2],
    /// The gain at the last frame's end, and at this one's.
    gains: [f32; 2],
    exact: f64,
}

impl Loudness {
    pub(crate) fn new(rate: u32) -> Self {
        Self {
            weighting: weighting(rate),
            meters: [[Meter::default(); 2]; 2],
            samples: 0,
            frames: 0,
            means: [0.0; 2],
            gains: [1.0; 2],
            exact: 1.0,
        }
    }

    /// Nothing was heard before the next sample.
    pub(crate) fn reset(&mut self) {
        *self = Self { weighting: self.weighting, ..Self::new(1) };
    }

    /// A frame begins: what the last one taught becomes the gain that this one moves to.
    pub(crate) fn enter(&mut self) {
        let energies = self.meters.each_mut().map(|[left, right]| left.take() + right.take());
        if self.samples > 0 {
            let count = f64::from(self.samples);
            self.learn(energies.map(|energy| energy / count));
        }
        self.samples = 0;
        self.gains = [self.gains[1], self.exact as f32];
    }

    fn learn(&mut self, [dry, wet]: [f64; 2]) {
        if dry > SILENCE && wet > SILENCE && dry > self.means[0] * GATE {
            self.frames = (self.frames + 1).min(HELD);
            let share = 1.0 / f64::from(self.frames);
            self.means[0] += (dry - self.means[0]) * share;
            self.means[1] += (wet - self.means[1]) * share;
        } else {
            self.means = self.means.map(|mean| mean * LEAK);
        }
        if self.frames >= FIRST && self.means[1] > 0.0 {
            let target = (self.means[0] / self.means[1]).sqrt().clamp(BOUNDS.0, BOUNDS.1);
            self.exact += (target - self.exact) * PACE;
        }
    }

    /// The gain of the `done`-th sample of a frame of `length` samples, counted from 1.
    pub(crate) fn next(&mut self, done: i64, length: i64, dry: [f32; 2], wet: [f32; 2]) -> f32 {
        for (meters, pair) in self.meters.iter_mut().zip([dry, wet]) {
            for (meter, sample) in meters.iter_mut().zip(pair) {
                meter.hear(&self.weighting, sample);
            }
        }
        self.samples += 1;
        let [from, to] = self.gains;
        from + (to - from) * (done as f32 / length as f32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weighting_at_48_khz_is_the_one_that_the_recommendation_prints() {
        let [shelf, high_pass] = weighting(48_000);
        let printed = [
            (shelf.b, [1.535_124_859_586_97, -2.691_696_189_406_38, 1.198_392_810_852_85]),
            ([1.0, shelf.a[0], shelf.a[1]], [1.0, -1.690_659_293_182_41, 0.732_480_774_215_85]),
            ([1.0, high_pass.a[0], high_pass.a[1]], [1.0, -1.990_047_454_833_98, 0.990_072_250_366_21]),
        ];
        for (found, expected) in printed {
            assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-11), "{found:?}");
        }
    }
}
