//! Where in the song a block is: the shim's own sample counter, corrected by the host.

use crate::{Block, record::Reason};

/// Where a block starts, and whether a pass begins with it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Place {
    /// Song position of the block's first sample.
    pub song: i64,
    /// Set where this block begins a pass.
    pub begins: Option<Reason>,
}

/// The song clock of one processor.
#[derive(Debug, Default)]
pub(crate) struct Position {
    running: bool,
    free_run: bool,
    offline: bool,
    /// The position after the last block.
    expected: i64,
    /// What the host said in the last block.
    said: Option<i64>,
    /// Samples since activation or reset, for hosts that never play.
    since_reset: i64,
}

impl Position {
    /// Moves past one block of at least one sample; none while the transport stands.
    pub(crate) fn advance(&mut self, block: &Block, free_run: bool) -> Option<Place> {
        let place = if free_run { Some(self.own_clock(block)) } else { self.host_clock(block) };
        self.since_reset = self.since_reset.saturating_add(i64::from(block.frames));
        self.said = said(block);
        self.running = place.is_some();
        self.free_run = free_run;
        self.offline = block.offline;
        if let Some(place) = place {
            self.expected = place.song.saturating_add(i64::from(block.frames));
        }
        place
    }

    /// The position after the last block, while a pass runs.
    pub(crate) fn next(&self) -> Option<i64> {
        self.running.then_some(self.expected)
    }

    /// The free-running clock goes to 0 and no pass runs.
    pub(crate) fn reset(&mut self) {
        *self = Self::default();
    }

    fn continues(&self, block: &Block, free_run: bool) -> bool {
        self.running && self.free_run == free_run && self.offline == block.offline
    }

    fn own_clock(&self, block: &Block) -> Place {
        let begins = match self.continues(block, true) {
            true => None,
            false if self.running => Some(Reason::Locate),
            false => Some(Reason::Play),
        };
        Place { song: self.since_reset, begins }
    }

    fn host_clock(&self, block: &Block) -> Option<Place> {
        if !block.playing {
            return None;
        }
        let said = said(block);
        if !self.running {
            return Some(Place { song: said.unwrap_or(0), begins: Some(Reason::Play) });
        }
        // A host that splits its block at parameter events repeats the position of the whole block for each piece.
        let song = said.filter(|_| said != self.said || self.free_run).unwrap_or(self.expected);
        let jumped = song != self.expected;
        let begins = match (jumped, self.continues(block, false)) {
            (false, true) => None,
            (true, true) if block.looping && song < self.expected => Some(Reason::Loop),
            _ => Some(Reason::Locate),
        };
        Some(Place { song, begins })
    }
}

/// The host's position, within the range in which float64 (the lanes' type) tells samples apart.
pub(crate) fn said(block: &Block) -> Option<i64> {
    block.position.map(|song| song.clamp(-(1 << 52), 1 << 52))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn playing(frames: u32, position: i64) -> Block {
        Block { frames, playing: true, position: Some(position), ..Block::default() }
    }

    #[test]
    fn a_stopped_transport_has_no_place() {
        let mut position = Position::default();
        assert_eq!(position.advance(&Block { frames: 64, position: Some(7), ..Block::default() }, false), None);
        assert_eq!(position.next(), None);
    }

    #[test]
    fn negative_time_is_legal() {
        let mut position = Position::default();
        let place = position.advance(&playing(512, -768), false).unwrap();
        assert_eq!(place, Place { song: -768, begins: Some(Reason::Play) });
        assert_eq!(position.advance(&playing(512, -256), false).unwrap().begins, None);
    }

    #[test]
    fn a_jump_backwards_in_a_loop_is_a_loop_and_otherwise_a_locate() {
        for (looping, reason) in [(true, Reason::Loop), (false, Reason::Locate)] {
            let mut position = Position::default();
            position.advance(&playing(512, 4096), false);
            let place = position.advance(&Block { looping, ..playing(512, 0) }, false).unwrap();
            assert_eq!(place, Place { song: 0, begins: Some(reason) });
        }
    }

    #[test]
    fn free_run_counts_from_the_reset_and_never_stops() {
        let mut position = Position::default();
        let block = Block { frames: 100, position: Some(0), ..Block::default() };
        assert_eq!(position.advance(&block, true), Some(Place { song: 0, begins: Some(Reason::Play) }));
        assert_eq!(position.advance(&block, true), Some(Place { song: 100, begins: None }));
        position.reset();
        assert_eq!(position.advance(&block, true), Some(Place { song: 0, begins: Some(Reason::Play) }));
    }

    #[test]
    fn changing_between_live_and_offline_begins_a_pass() {
        let mut position = Position::default();
        position.advance(&playing(64, 0), false);
        let place = position.advance(&Block { offline: true, ..playing(64, 64) }, false).unwrap();
        assert_eq!(place, Place { song: 64, begins: Some(Reason::Locate) });
    }

    proptest! {
        #[test]
        fn pieces_of_a_block_that_repeat_its_position_run_on(
            start in -100_000i64..100_000, blocks in prop::collection::vec(prop::collection::vec(1u32..400, 1..6), 1..8),
        ) {
            let (mut position, mut song) = (Position::default(), start);
            for (number, pieces) in blocks.iter().enumerate() {
                let said = song;
                for (piece, &frames) in pieces.iter().enumerate() {
                    let place = position.advance(&playing(frames, said), false).unwrap();
                    prop_assert_eq!(place.song, song);
                    prop_assert_eq!(place.begins.is_some(), number == 0 && piece == 0);
                    song += i64::from(frames);
                }
            }
        }

        #[test]
        fn any_other_position_is_followed(start in -1000i64..1000, frames in 1u32..999, to in -5000i64..5000) {
            prop_assume!(to != start && to != start + i64::from(frames));
            let mut position = Position::default();
            position.advance(&playing(frames, start), false);
            let place = position.advance(&playing(64, to), false).unwrap();
            prop_assert_eq!(place, Place { song: to, begins: Some(Reason::Locate) });
            prop_assert_eq!(position.next(), Some(to + 64));
        }

        #[test]
        fn a_host_without_a_position_counts_on(frames in prop::collection::vec(1u32..999, 1..20)) {
            let (mut position, mut song) = (Position::default(), 0);
            for frames in frames {
                let block = Block { frames, playing: true, ..Block::default() };
                prop_assert_eq!(position.advance(&block, false).unwrap().song, song);
                song += i64::from(frames);
            }
        }
    }
}
