//! What a look-ahead makes of passes: when they come out, and that all of each does.

use super::*;
use crate::{
    parameters::{BYPASS, LOUDNESS_MATCH, OUTPUT_GAIN, TRUE_PEAK},
    stage::BEHIND,
    table::Entry,
    timeline::CHUNK,
};
use proptest::prelude::*;
use std::sync::atomic::Ordering;

/// Block sizes, and what happens before a block: (index, offset in it, normal value), or a jump or stop of the transport.
#[derive(Clone, Debug)]
enum Act {
    Step(usize, u32, f64),
    Jump(i64, bool),
    Stop(u32),
}

fn any_act() -> impl Strategy<Value = Act> {
    let index = prop::sample::select(vec![BYPASS, MIX, OUTPUT_GAIN, TRUE_PEAK, LOUDNESS_MATCH]);
    prop_oneof![
        4 => (index, 0u32..700, 0.0f64..=1.0).prop_map(|(index, offset, normal)| Act::Step(index, offset, normal)),
        1 => (-500i64..3500, any::<bool>()).prop_map(|(to, looping)| Act::Jump(to, looping)),
        1 => (1u32..700).prop_map(Act::Stop),
    ]
}

/// What the link does for each pass that was announced: the chunks that it is heard in lie where its shift says.
fn publish(link: &mut LinkEnds, timeline: &Timeline) {
    for pass in sent(link).into_iter().filter(|record| record.kind == Kind::Pass) {
        let shift = timeline.shifts.of(pass.pass).unwrap();
        let first = (pass.song - BEHIND as i64).div_euclid(CHUNK as i64);
        for chunk in (0..2).filter(|&chunk| chunk >= first) {
            let entry = Entry::new(chunk as u32, 1, 1).pack();
            timeline.entry(chunk, shift).store(entry, Ordering::Release);
        }
    }
}

/// Left outputs of a live run over a song that was rendered before, then of as many stopped samples as the latency.
fn heard(latency: u32, blocks: &[(u32, Act)]) -> Vec<u32> {
    let (mut processor, mut link, shared) = processor_with(latency);
    connect(&shared);
    let timeline = processor.core.as_ref().unwrap().timeline.clone();
    for chunk in 0..2 {
        let audio = std::array::from_fn(|i| (i as f32 + 2048.0 * chunk as f32 + 1.0) / 8192.0);
        timeline.write_slot_for_test(chunk as u32, chunk, &audio, &audio);
        timeline.entry(chunk, 0).store(Entry::new(chunk as u32, 1, 1).pack(), Ordering::Release);
    }
    link.answers.push(Answer { pass: crate::ring::STANDBY, start: 300, end: 3000, wet: true }).unwrap();
    let (mut song, mut seed, mut out) = (0, 1u32, Vec::new());
    let mut render = |processor: &mut Processor, block: Block, step: Option<(usize, u32, f64)>| {
        let mut left: Vec<f32> = (0..block.frames)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed as f32 / u32::MAX as f32 - 0.5
            })
            .collect();
        let mut right = left.clone();
        processor.begin(&block);
        if let Some((index, offset, normal)) = step {
            processor.step(index, offset, table()[index].plain(normal));
        }
        processor.process([&mut left, &mut right], None);
        assert_eq!(
            left.iter().map(|x| x.to_bits()).collect::<Vec<_>>(),
            right.iter().map(|x| x.to_bits()).collect::<Vec<_>>()
        );
        out.extend(left.iter().map(|sample| sample.to_bits()));
    };
    for (frames, act) in blocks {
        let (mut looping, mut step) = (false, None);
        match *act {
            Act::Step(index, offset, normal) => step = Some((index, offset.min(*frames), normal)),
            Act::Jump(to, is_loop) => (song, looping) = (to, is_loop),
            Act::Stop(frames) => render(&mut processor, Block { frames, ..Block::default() }, None),
        }
        render(&mut processor, Block { looping, ..at(song, *frames) }, step);
        song += i64::from(*frames);
        publish(&mut link, &timeline);
    }
    let rest = Block { frames: latency.max(1), ..Block::default() };
    render(&mut processor, rest, None);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Of every round of a loop, after every jump and stop: what comes out is what would have come out without a
    /// look-ahead, for the song position that came in then.
    #[test]
    fn a_look_ahead_changes_when_it_is_heard_and_nothing_else(
        latency in 64u32..3000, blocks in prop::collection::vec((1u32..700, any_act()), 1..16),
    ) {
        // What begins with a block comes out after it, so that it can be published between them.
        let blocks: Vec<_> = blocks.into_iter().map(|(frames, act)| (frames.min(latency), act)).collect();
        let now = heard(0, &blocks);
        let later = heard(latency, &blocks);
        let latency = latency as usize;
        prop_assert!(later[..latency].iter().all(|sample| *sample == 0), "silence before anything came in");
        prop_assert_eq!(&later[latency..], &now[..now.len() - 1]);
    }
}

#[test]
fn a_pass_says_which_latency_the_plugin_declares_and_a_reset_forgets_what_came_in() {
    let (mut processor, mut link, _) = processor_with(100);
    assert_eq!(processor.latency(), 100);
    run(&mut processor, at(0, 64), |_| {});
    assert_eq!(sent(&mut link)[0].value, 100.0);
    processor.reset();
    let (mut left, mut right) = ([0.25; 128], [0.25; 128]);
    processor.begin(&at(0, 128));
    processor.process([&mut left, &mut right], None);
    assert!(left[..100].iter().all(|sample| *sample == 0.0) && left[100..].iter().all(|sample| *sample == 0.25));
}

#[test]
fn a_host_that_jumps_in_every_sample_is_dry_in_the_end_and_nothing_grows() {
    let (mut processor, mut link, _) = processor_with(6000);
    for block in 0..9000 {
        run(&mut processor, at(block * 7 % 1000, 1), |_| {});
        sent(&mut link);
    }
    let (mut left, mut right) = (vec![0.25; 7000], vec![0.25; 7000]);
    processor.begin(&at(0, 7000));
    processor.process([&mut left, &mut right], None);
    assert!(left.iter().all(|sample| *sample == 0.25));
}
