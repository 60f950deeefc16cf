//! The input by song position, in the timeline's capture ring, for the sidecar to learn from.

use crate::timeline::{CAPTURE_RECORDS, CAPTURE_SAMPLES, Timeline};
use std::sync::atomic::Ordering;

/// The main input and the side-chain, left and right, as far as they are captured.
pub(crate) type Buses<'a> = [Option<[&'a [f32]; 2]>; 2];

/// A filled record, to be announced as CAPTURE.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Filled {
    pub number: u64,
    pub song: i64,
    pub samples: u32,
    /// Of the side-chain.
    pub side: bool,
}

/// Writes contiguous input into records of up to 1024 samples, one for each bus at a time, so that records are filled
/// in the order of their numbers. Audio thread.
#[derive(Debug, Default)]
pub(crate) struct Capture {
    /// The first record being filled.
    number: u64,
    buses: [bool; 2],
    song: i64,
    filled: usize,
}

impl Capture {
    /// The number after those of the records being filled.
    pub(crate) fn number(&self) -> u64 {
        self.number + self.count()
    }

    fn count(&self) -> u64 {
        self.buses.iter().filter(|captured| **captured).count() as u64
    }

    /// Whether the records being filled are of other buses.
    pub(crate) fn changes(&self, buses: &Buses) -> bool {
        self.filled > 0 && self.buses != buses.map(|bus| bus.is_some())
    }

    pub(crate) fn is_full(&self) -> bool {
        self.filled == CAPTURE_SAMPLES
    }

    /// The buses of the next records.
    pub(crate) fn open(&mut self, buses: &Buses) {
        if self.filled == 0 {
            self.buses = buses.map(|bus| bus.is_some());
        }
    }

    /// Takes as much of the input at `song` as the current records hold; returns how much. The input must follow the
    /// last (`flush` where it does not) and be of the buses that were opened.
    pub(crate) fn take(&mut self, timeline: &Timeline, song: i64, buses: &Buses) -> usize {
        if self.filled == 0 {
            for number in self.number..self.number() {
                timeline.capture_number(Self::record(number)).store(0, Ordering::Relaxed);
            }
            // A reader that still finds the old number after this fence has copied the old samples.
            std::sync::atomic::fence(Ordering::SeqCst);
            self.song = song;
        }
        let given = buses.iter().flatten();
        let count = given.clone().flatten().map(|side| side.len()).min().unwrap_or(0);
        let count = count.min(CAPTURE_SAMPLES - self.filled);
        for (number, [left, right]) in (self.number..).zip(given) {
            timeline.write_capture(Self::record(number), self.filled, &left[..count], &right[..count]);
        }
        self.filled += count;
        count
    }

    /// Completes the records being filled, if they hold anything.
    pub(crate) fn flush(&mut self, timeline: &Timeline, pass: u32) -> [Option<Filled>; 2] {
        let (samples, mut number) = (self.filled as u32, self.number);
        self.filled = 0;
        let flushed = [false, true].map(|side| {
            if samples == 0 || !self.buses[usize::from(side)] {
                return None;
            }
            let record = Self::record(number);
            timeline.write_capture_header(record, self.song, samples, pass, side);
            timeline.capture_number(record).store(number as i64 + 1, Ordering::Release);
            let filled = Filled { number, song: self.song, samples, side };
            number += 1;
            Some(filled)
        });
        self.number = number;
        flushed
    }

    fn record(number: u64) -> usize {
        (number % CAPTURE_RECORDS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(timeline: &Timeline, size: usize, has_side: bool) -> Vec<Filled> {
        let input: Vec<f32> = (0..2500).map(|i| i as f32).collect();
        let (mut capture, mut filled, mut song) = (Capture::default(), Vec::new(), -100);
        for block in input.chunks(size) {
            let mut rest = block;
            while !rest.is_empty() {
                let buses = [Some([rest, rest]), has_side.then_some([rest, rest])];
                capture.open(&buses);
                let count = capture.take(timeline, song, &buses);
                if capture.is_full() {
                    filled.extend(capture.flush(timeline, 1).into_iter().flatten());
                }
                (song, rest) = (song + count as i64, &rest[count..]);
            }
        }
        filled.extend(capture.flush(timeline, 1).into_iter().flatten());
        assert_eq!(capture.flush(timeline, 1), [None; 2]);
        filled
    }

    #[test]
    fn contiguous_input_fills_records_whatever_its_block_size() {
        let timeline = Timeline::new(8000, 1).unwrap();
        for size in [1, 7, 512, 2500] {
            let expected = [(0, -100, 1024), (1, 924, 1024), (2, 1948, 452)];
            let expected = expected.map(|(number, song, samples)| Filled { number, song, samples, side: false });
            assert_eq!(fill(&timeline, size, false), expected);
            assert_eq!(timeline.capture_number(2).load(Ordering::Acquire), 3);
        }
    }

    #[test]
    fn both_buses_are_filled_side_by_side_in_the_order_of_their_numbers() {
        let timeline = Timeline::new(8000, 1).unwrap();
        for size in [1, 300, 2500] {
            let filled = fill(&timeline, size, true);
            let found: Vec<_> = filled.iter().map(|part| (part.number, part.song, part.side)).collect();
            let songs = [-100, -100, 924, 924, 1948, 1948];
            assert_eq!(found, std::array::from_fn::<_, 6, _>(|i| (i as u64, songs[i], i % 2 == 1)));
        }
    }
}
