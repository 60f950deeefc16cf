//! Where in the page table the chunks of a pass lie (PROTOCOL section 4).
//!
//! Without a look-ahead chunk c has entry c, whichever pass rendered it. With one, several passes may be on their way to
//! the output at once, perhaps over the same song positions: they are shifted to lie one behind the other.

use crate::{
    pass::PASSES,
    stage::{AHEAD, BEHIND},
    timeline::{CHUNK, Layout},
};
use std::{
    cmp::Ordering::{Equal, Greater, Less},
    sync::atomic::{AtomicU64, Ordering},
};

/// The shifts of the latest passes. Written by the audio thread, read by the link.
pub(crate) struct Shifts {
    words: Box<[AtomicU64; PASSES]>,
}

impl Shifts {
    /// Allocates.
    pub(crate) fn new() -> Self {
        Self { words: Box::new(std::array::from_fn(|_| AtomicU64::new(0))) }
    }

    /// Before the pass is announced, so that it is there before the first chunk.
    pub(crate) fn set(&self, pass: u32, shift: u32) {
        self.words[pass as usize % PASSES].store(u64::from(pass) << 32 | u64::from(shift), Ordering::Release);
    }

    /// The shift of a pass, 0 of a standby; none where so many passes began after it that it is not heard any more.
    pub(crate) fn of(&self, pass: u32) -> Option<u32> {
        let word = self.words[pass as usize % PASSES].load(Ordering::Acquire);
        match ((word >> 32) as u32).cmp(&pass) {
            Equal => Some(word as u32),
            Less => Some(0),
            Greater => None,
        }
    }
}

/// Lays the passes of one processor into the table as they come in.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Trail {
    /// Of the latest pass; here entries are counted on beyond the table's end.
    shift: i64,
    /// The entry after the last that the latest pass can have.
    end: i64,
    /// The input sample after its last; none where nothing is to be heard any more.
    until: Option<u64>,
}

impl Trail {
    /// A pass begins with song sample `song`, which is input sample `at`; its shift. There is none where all before it
    /// is heard by then: so what was rendered at these positions earlier is heard where this pass has nothing yet.
    pub(crate) fn begin(&mut self, layout: &Layout, song: i64, at: u64, latency: u32) -> u32 {
        let alone = self.until.is_none_or(|until| at >= until + u64::from(latency));
        self.shift = if alone { 0 } else { self.end - first_chunk(song) };
        self.shift.rem_euclid(i64::from(layout.entries)) as u32
    }

    /// The latest pass came in up to song sample `song`, which is input sample `at`.
    pub(crate) fn reach(&mut self, song: i64, at: u64) {
        self.end = self.shift + last_chunk(song) + 1;
        self.until = Some(at);
    }
}

/// The first chunk of a pass that begins at a song sample: the limiter reads behind it, too.
fn first_chunk(song: i64) -> i64 {
    song.saturating_sub(BEHIND as i64).div_euclid(CHUNK as i64)
}

/// The last chunk of a pass that ends before a song sample: the limiter reads ahead of it.
fn last_chunk(song: i64) -> i64 {
    song.saturating_add(AHEAD as i64 - 1).div_euclid(CHUNK as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_pass_has_its_shift_until_so_many_came_after_it_and_a_standby_has_none() {
        let shifts = Shifts::new();
        shifts.set(5, 77);
        assert_eq!((shifts.of(5), shifts.of(6), shifts.of((1 << 20) - 1)), (Some(77), Some(0), Some(0)));
        shifts.set(5 + PASSES as u32, 9);
        assert_eq!((shifts.of(5), shifts.of(5 + PASSES as u32)), (None, Some(9)));
    }

    /// Whether two runs of table entries have none in common: (first, last), counted on.
    fn are_apart(a: (i64, i64), b: (i64, i64), entries: i64) -> bool {
        (b.0 - a.0).rem_euclid(entries) > a.1 - a.0 && (a.0 - b.0).rem_euclid(entries) > b.1 - b.0
    }

    proptest! {
        #[test]
        fn passes_on_their_way_to_the_output_share_no_entry(
            rate in prop::sample::select(vec![16_000u32, 48_000, 192_000]),
            seconds in 1u32..=30,
            passes in prop::collection::vec((-1i64 << 40..1 << 40, 1i64..60_000, 0u64..60_000), 1..PASSES),
            near: bool,
        ) {
            let (layout, latency) = (Layout::new(rate), seconds * rate);
            let (mut trail, mut at) = (Trail::default(), 0u64);
            // (first and last sample of the song, shift, input sample after the last)
            let mut before: Vec<(i64, i64, i64, u64)> = Vec::new();
            for (song, samples, idle) in passes {
                let song = if near { song % 100_000 } else { song };
                let shift = i64::from(trail.begin(&layout, song, at, latency));
                let mine = (first_chunk(song) + shift, last_chunk(song + samples) + shift);
                for &(first, last, shift, until) in &before {
                    let heard = at as i64 - i64::from(latency) - until as i64 + 1 + last;
                    if heard <= last {
                        let rest = (first_chunk(first.max(heard)) + shift, last_chunk(last + 1) + shift);
                        prop_assert!(are_apart(rest, mine, i64::from(layout.entries)));
                    }
                }
                at += samples as u64;
                trail.reach(song + samples, at);
                before.push((song, song + samples - 1, shift, at));
                at += idle;
            }
        }
    }
}
