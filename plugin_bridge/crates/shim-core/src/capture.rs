//! The input by song position, in the timeline's capture ring, for the sidecar to learn from.

use crate::timeline::{CAPTURE_RECORDS, CAPTURE_SAMPLES, Timeline};
use std::sync::atomic::Ordering;

/// A filled record, to be announced as CAPTURE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filled {
    pub number: u64,
    pub song: i64,
    pub samples: u32,
}

/// Writes contiguous input into records of up to 1024 samples. Audio thread.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    /// The record being filled.
    number: u64,
    song: i64,
    filled: usize,
}

impl Capture {
    /// The number of the record being filled; every lower one was announced.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// Takes as much of the input at `song` as the current record holds; returns how much, and the record if that
    /// completed it. The input must follow the last (`flush` where it does not).
    pub(crate) fn take(
        &mut self,
        timeline: &Timeline,
        pass: u32,
        song: i64,
        left: &[f32],
        right: &[f32],
    ) -> (usize, Option<Filled>) {
        let record = self.record();
        if self.filled == 0 {
            timeline.capture_number(record).store(0, Ordering::Relaxed);
            // A reader that still finds the old number after this fence has copied the old samples.
            std::sync::atomic::fence(Ordering::SeqCst);
            self.song = song;
        }
        let count = left.len().min(right.len()).min(CAPTURE_SAMPLES - self.filled);
        timeline.write_capture(record, self.filled, &left[..count], &right[..count]);
        self.filled += count;
        let full = self.filled == CAPTURE_SAMPLES;
        (count, if full { self.flush(timeline, pass) } else { None })
    }

    /// Completes the record being filled, if it holds anything.
    pub(crate) fn flush(&mut self, timeline: &Timeline, pass: u32) -> Option<Filled> {
        let samples = self.filled as u32;
        if samples == 0 {
            return None;
        }
        let record = self.record();
        timeline.write_capture_header(record, self.song, samples, pass);
        timeline.capture_number(record).store(self.number as i64 + 1, Ordering::Release);
        let filled = Filled { number: self.number, song: self.song, samples };
        self.number += 1;
        self.filled = 0;
        Some(filled)
    }

    fn record(&self) -> usize {
        (self.number % CAPTURE_RECORDS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contiguous_input_fills_records_whatever_its_block_size() {
        let timeline = Timeline::new(8000, 1).unwrap();
        let input: Vec<f32> = (0..2500).map(|i| i as f32).collect();
        for size in [1, 7, 512, 2500] {
            let (mut capture, mut filled, mut song) = (Capture::default(), Vec::new(), -100);
            for block in input.chunks(size) {
                let mut rest = block;
                while !rest.is_empty() {
                    let (count, done) = capture.take(&timeline, 1, song, rest, rest);
                    filled.extend(done);
                    (song, rest) = (song + count as i64, &rest[count..]);
                }
            }
            filled.extend(capture.flush(&timeline, 1));
            let expected = [(0, -100, 1024), (1, 924, 1024), (2, 1948, 452)];
            assert_eq!(filled, expected.map(|(number, song, samples)| Filled { number, song, samples }));
            assert_eq!(timeline.capture_number(2).load(Ordering::Acquire), 3);
            assert_eq!(capture.flush(&timeline, 1), None);
        }
    }
}
