//! The look-ahead's delay line: the input comes out again as many samples later as the plugin declared.

/// Both channels of the last `latency` samples. Audio thread, but for [`Delay::new`].
#[derive(Debug, Default)]
pub(crate) struct Delay {
    ring: [Box<[f32]>; 2],
    at: usize,
    /// Samples that came in since the last `clear`, as far as they are still here.
    filled: usize,
}

impl Delay {
    /// Allocates, and touches every page, so that none is missing when the audio thread comes to it.
    pub(crate) fn new(latency: u32) -> Self {
        let touched = || vec![f32::MIN_POSITIVE; latency as usize].into_boxed_slice();
        Self { ring: [touched(), touched()], at: 0, filled: 0 }
    }

    /// Samples; at most 30 s.
    pub(crate) fn latency(&self) -> u32 {
        self.ring[0].len() as u32
    }

    /// What came in is forgotten; silence comes out until the ring is full again.
    pub(crate) fn clear(&mut self) {
        (self.at, self.filled) = (0, 0);
    }

    /// The input goes in, and in its place comes what went in `latency` samples before.
    pub(crate) fn exchange(&mut self, audio: [&mut [f32]; 2]) {
        let latency = self.ring[0].len();
        if latency == 0 {
            return;
        }
        let [mut left, mut right] = audio;
        while !left.is_empty() {
            let room = if self.filled < latency { latency - self.filled } else { latency };
            let count = left.len().min(latency - self.at).min(room);
            for (ring, side) in self.ring.iter_mut().zip([&mut left, &mut right]) {
                let (now, rest) = std::mem::take(side).split_at_mut(count);
                ring[self.at..self.at + count].swap_with_slice(now);
                if self.filled < latency {
                    now.fill(0.0);
                }
                *side = rest;
            }
            self.at = (self.at + count) % latency;
            self.filled = (self.filled + count).min(latency);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out_so_much_later_after_silence_in_any_blocks(
            latency in 0u32..50, sizes in prop::collection::vec(1usize..70, 1..30), cleared in 0usize..30,
        ) {
            let (mut delay, mut count, mut since) = (Delay::new(latency), 1.0f32, 0);
            for (number, size) in sizes.into_iter().enumerate() {
                if number == cleared {
                    delay.clear();
                    since = count as usize - 1;
                }
                let input: Vec<f32> = (0..size).map(|i| count + i as f32).collect();
                let (mut left, mut right) = (input.clone(), input.iter().map(|sample| -sample).collect::<Vec<_>>());
                delay.exchange([&mut left, &mut right]);
                for (i, sample) in input.iter().enumerate() {
                    let was = sample - latency as f32;
                    let expected = if was > since as f32 { was } else { 0.0 };
                    prop_assert_eq!((left[i], right[i]), (expected, if expected == 0.0 { 0.0 } else { -expected }));
                }
                count += size as f32;
            }
        }
    }
}
