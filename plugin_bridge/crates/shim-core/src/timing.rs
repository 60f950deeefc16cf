//! What was said of the host's tempo and metre.

use crate::{
    Block,
    record::{Kind, Record},
};

/// Metres as scores have them; what a host says beyond these is no metre.
const METRES: std::ops::RangeInclusive<u32> = 1..=64;

/// The last TEMPO and METRE of a pass, or of the time between two.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Timing {
    tempo: Option<f64>,
    metre: Option<(u32, u32)>,
}

impl Timing {
    /// TEMPO and METRE of the block at `song`, where they are news. A new tempo is also a new place for the bars.
    pub(crate) fn news(&mut self, block: &Block, song: i64, rate: u32) -> [Option<Record>; 2] {
        let tempo = block.tempo.filter(|tempo| tempo.is_finite() && *tempo > 0.0);
        let metre = block.metre.filter(|(upper, lower)| METRES.contains(upper) && METRES.contains(lower));
        let tempo = tempo.filter(|&tempo| self.tempo.replace(tempo) != Some(tempo));
        let moved = tempo.is_some();
        let metre = metre.filter(|&metre| self.metre.replace(metre) != Some(metre) || moved);
        let bar = self.tempo.and_then(|tempo| bar(block, song, f64::from(rate) * 60.0 / tempo, self.metre?));
        let record = |kind, song| Record::new(kind, 0, song);
        [
            tempo.map(|tempo| Record { value: tempo, ..record(Kind::Tempo, song) }),
            metre.zip(bar).map(|((upper, lower), bar)| Record {
                value: f64::from(upper),
                aux: lower,
                ..record(Kind::Metre, bar)
            }),
        ]
    }
}

/// The first sample of the bar that `song` is in. Without a word of the host about bars they are counted from beat 0.
fn bar(block: &Block, song: i64, samples_per_beat: f64, (upper, lower): (u32, u32)) -> Option<i64> {
    let beat = block.beat.filter(|beat| beat.is_finite())?;
    let length = f64::from(upper) * 4.0 / f64::from(lower);
    let said = block.bar.filter(|bar| (0.0..length + 1e-6).contains(&(beat - bar)));
    let start = said.unwrap_or_else(|| (beat / length).floor() * length);
    Some(song - ((beat - start) * samples_per_beat).round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn block(tempo: f64, metre: (u32, u32), beat: f64, bar: Option<f64>) -> Block {
        Block { tempo: Some(tempo), metre: Some(metre), beat: Some(beat), bar, ..Block::default() }
    }

    proptest! {
        #[test]
        fn the_bar_is_the_one_that_the_block_is_in(
            tempo in 20.0f64..400.0, upper in 1u32..16, lower in prop::sample::select(vec![2u32, 4, 8]),
            beat in 0.0f64..1000.0, song in 0i64..1 << 40, said: bool,
        ) {
            let (length, samples) = (f64::from(upper) * 4.0 / f64::from(lower), 48_000.0 * 60.0 / tempo);
            let start = said.then(|| (beat / length).floor() * length);
            let [told, metre] = Timing::default().news(&block(tempo, (upper, lower), beat, start), song, 48_000);
            let (told, metre) = (told.unwrap(), metre.unwrap());
            prop_assert_eq!((told.kind, told.song, told.value), (Kind::Tempo, song, tempo));
            prop_assert_eq!((metre.kind, metre.value, metre.aux), (Kind::Metre, f64::from(upper), lower));
            prop_assert!((-1.0..=length * samples + 1.0).contains(&((song - metre.song) as f64)));
        }
    }

    #[test]
    fn each_is_said_when_it_changes_and_the_bar_again_with_the_tempo() {
        let mut timing = Timing::default();
        let mut said =
            |block: Block| timing.news(&block, 96_000, 48_000).map(|record| record.map(|record| record.song));
        assert_eq!(said(block(120.0, (4, 4), 5.0, Some(4.0))), [Some(96_000), Some(72_000)]);
        assert_eq!(said(block(120.0, (4, 4), 9.0, Some(8.0))), [None, None]);
        assert_eq!(said(block(120.0, (3, 4), 10.0, Some(9.0))), [None, Some(72_000)]);
        assert_eq!(said(block(60.0, (3, 4), 10.0, Some(9.0))), [Some(96_000), Some(48_000)]);
        assert_eq!(said(Block { tempo: Some(60.0), ..Block::default() }), [None, None]);
    }

    #[test]
    fn what_is_no_tempo_or_metre_is_not_passed_on() {
        let wrong =
            [block(f64::NAN, (4, 4), 0.0, None), block(120.0, (0, 4), 0.0, None), block(0.0, (4, 0), 0.0, None)];
        for block in wrong {
            assert_eq!(Timing::default().news(&block, 0, 48_000)[1], None);
        }
        let lost = block(120.0, (4, 4), f64::NAN, Some(0.0));
        assert_eq!(Timing::default().news(&lost, 0, 48_000)[1], None);
    }
}
