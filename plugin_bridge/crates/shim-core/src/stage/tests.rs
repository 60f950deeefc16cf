mod processors;

use super::*;
use crate::{
    events::Events,
    parameters::{BYPASS, COUNT, LOUDNESS_MATCH, MIX, OUTPUT_GAIN, TRUE_PEAK, table},
    ring::Answer,
    table::Entry,
    timeline::CHUNK,
};
use proptest::{collection::vec, prelude::*};
use std::sync::atomic::Ordering;

const RATE: u32 = 8000;
const FRAME: i64 = 320;
const RAMP: usize = 80;

/// A step of a parameter at a song position.
type Step = (usize, i64, f64);

struct Song {
    timeline: Timeline,
    start: i64,
    region: (i64, i64),
    dry: Vec<[f32; 2]>,
}

fn noise(seed: u64) -> impl FnMut() -> f32 {
    let mut state = seed | 1;
    move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1u32 << 23) as f32 - 1.0
    }
}

fn song(seed: u64, start: i64, samples: usize, region: (i64, i64)) -> Song {
    let (timeline, mut next) = (Timeline::new(RATE, 1).unwrap(), noise(seed));
    let chunks = start.div_euclid(CHUNK as i64)..=(start + samples as i64).div_euclid(CHUNK as i64);
    for (slot, chunk) in chunks.enumerate() {
        let channel = |next: &mut dyn FnMut() -> f32| std::array::from_fn(|_| next());
        timeline.write_slot_for_test(slot as u32, chunk, &channel(&mut next), &channel(&mut next));
        timeline.entry(chunk, 0).store(Entry::new(slot as u32, 1, 1).pack(), Ordering::Release);
    }
    let dry = (0..samples).map(|_| [next(), next()]).collect();
    Song { timeline, start, region, dry }
}

impl Song {
    /// Renders the whole song anew, both channels alike: sample by song position, and noise.
    fn fill(&mut self, mut sample: impl FnMut(usize, f32) -> f32) {
        let mut next = noise(99);
        let samples = self.dry.len() + CHUNK;
        for chunk in 0..=samples / CHUNK {
            let audio = std::array::from_fn(|i| sample(chunk * CHUNK + i, next()));
            self.timeline.write_slot_for_test(chunk as u32, chunk as i64, &audio, &audio);
            self.timeline.entry(chunk as i64, 0).store(Entry::new(chunk as u32, 1, 1).pack(), Ordering::Release);
        }
    }
}

fn defaults() -> [f64; COUNT] {
    std::array::from_fn(|index| table()[index].default)
}

/// One pass, rendered by someone else.
struct Rendered(Answer);

impl Passes for Rendered {
    fn turn(&mut self, turn: Turn, reader: &mut Reader) {
        reader.begin_pass((turn.pass == 1).then_some(1), 0);
        reader.answer(self.0);
    }

    fn is_ready(&mut self, _chunk: i64, _pins: [Pin; 2]) -> bool {
        true
    }
}

/// Renders the song in blocks of these sizes, again and again.
fn render(song: &Song, steps: &[Step], sizes: &[usize], offline: bool) -> Vec<[u32; 2]> {
    let (mut stage, mut reader, mut events) = (Stage::new(RATE), Reader::new(RATE), Events::new(defaults()));
    let (mut scribe, mut cues) = (Scribe::new(RATE), Cues::new(RATE, 0));
    let mut passes = Rendered(Answer { pass: 1, start: song.region.0, end: song.region.1, wet: true });
    cues.push(0, Cue::Turn(Turn { pass: if offline { 1 } else { 2 }, joins: false }));
    let (mut out, mut at, mut sizes) = (Vec::new(), 0, sizes.iter().cycle());
    while at < song.dry.len() {
        let block = &song.dry[at..song.dry.len().min(at + sizes.next().unwrap())];
        let first = song.start + at as i64;
        events.begin(block.len() as u32);
        for &(index, position, value) in steps {
            if (first..first + block.len() as i64).contains(&position) {
                events.step(index, (position - first) as u32, value);
            }
        }
        let (mut left, mut right): (Vec<f32>, Vec<f32>) = block.iter().map(|pair| (pair[0], pair[1])).unzip();
        let span = Span { song: first, begins: at == 0, offline };
        let mut done = 0;
        while done < block.len() {
            let (cue, count) = scribe.write(span, done, block.len(), &events);
            cue.into_iter().for_each(|cue| cues.push((at + done) as u64, cue));
            let part = [&mut left[done..done + count], &mut right[done..done + count]];
            stage.render((at + done) as u64, &mut cues, &mut reader, &song.timeline, part, &mut passes);
            done += count;
        }
        out.extend(left.iter().zip(&right).map(|(l, r)| [l.to_bits(), r.to_bits()]));
        at += block.len();
    }
    out
}

type Seed = (u64, i64, usize, (i64, i64));

fn any_song() -> impl Strategy<Value = Seed> {
    (any::<u64>(), -3000i64..3000, 1usize..9000, (-4000i64..6000, 0i64..9000))
        .prop_map(|(seed, start, samples, (from, length))| (seed, start, samples, (from, from + length)))
}

fn any_steps() -> impl Strategy<Value = Vec<Step>> {
    let index = prop::sample::select(vec![BYPASS, MIX, OUTPUT_GAIN, TRUE_PEAK, LOUDNESS_MATCH]);
    let step =
        (index, -3000i64..9000, 0.0f64..=1.0).prop_map(|(index, at, normal)| (index, at, table()[index].plain(normal)));
    vec(step, 0..12).prop_map(|mut steps: Vec<Step>| {
        steps.sort_by_key(|step| step.1);
        steps
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_same_song_in_any_blocks_gives_the_same_bits(
        seed in any_song(), steps in any_steps(), sizes in vec(1usize..3000, 1..8), offline: bool,
    ) {
        let song = song(seed.0, seed.1, seed.2, seed.3);
        let whole = render(&song, &steps, &[usize::MAX], offline);
        prop_assert_eq!(&whole, &render(&song, &steps, &sizes, offline));
        prop_assert_eq!(&whole, &render(&song, &steps, &[64, 1, 480], offline));
    }

    #[test]
    fn mix_and_gain_are_smoothed_live_as_they_are_offline(
        seed in any_song(), steps in any_steps(), live in vec(1usize..3000, 1..8), offline in vec(1usize..3000, 1..8),
    ) {
        let song = song(seed.0, seed.1, seed.2, seed.3);
        let steps: Vec<Step> = steps.into_iter().filter(|step| [MIX, OUTPUT_GAIN].contains(&step.0)).collect();
        prop_assert_eq!(render(&song, &steps, &live, false), render(&song, &steps, &offline, true));
    }
}

/// The wet signal by the formulas of docs/architecture.md, for a song without bypass.
fn expected_wet(song: &Song, at: usize) -> [f32; 2] {
    let slot_sample = |at: usize| {
        let position = song.start + at as i64;
        let first = song.start.div_euclid(CHUNK as i64);
        let slot = (position.div_euclid(CHUNK as i64) - first) as u32;
        song.timeline.sample(slot, position.rem_euclid(CHUNK as i64) as usize)
    };
    let (start, end) = ((song.region.0 - song.start).max(0) as usize, (song.region.1 - song.start) as usize);
    let (dry, ramp) = (song.dry[at], RAMP as f32);
    if at < start {
        dry
    } else if at < end {
        let wet = slot_sample(at);
        let weight = (at - start + 1) as f32 / ramp;
        let crosses = start > 0 && at < start + RAMP;
        std::array::from_fn(|c| if crosses { dry[c] + (wet[c] - dry[c]) * weight } else { wet[c] })
    } else if at < end + RAMP {
        let (last, weight) = (slot_sample(end - 1), 1.0 - (at - end + 1) as f32 / ramp);
        std::array::from_fn(|c| dry[c] + (last[c] - song.dry[end - 1][c]) * weight)
    } else {
        dry
    }
}

#[test]
fn wet_appears_and_vanishes_as_the_document_says() {
    for (start, region) in [(0, (500, 6000)), (700, (0, 5003))] {
        let song = song(3, start, 8000, region);
        let out = render(&song, &[], &[512], true);
        for (at, out) in out.iter().enumerate() {
            let (dry, wet) = (song.dry[at], expected_wet(&song, at));
            let expected: [u32; 2] = std::array::from_fn(|c| (dry[c] + (wet[c] - dry[c])).to_bits());
            assert_eq!(*out, expected, "sample {at} of the pass from {start}");
        }
    }
}

#[test]
fn a_step_of_mix_begins_at_the_first_sample_of_the_next_frame_and_takes_ten_milliseconds() {
    let song = song(5, 0, 4000, (0, 4000));
    let at = |position| (render(&song, &[(MIX, position, 0.0)], &[100], true), position);
    let full = render(&song, &[], &[100], true);
    for (out, position) in [at(2 * FRAME), at(FRAME + 1)] {
        let first = 2 * FRAME as usize;
        assert_eq!(out[..first], full[..first], "a step at {position} changed an earlier frame");
        assert_ne!(out[first], full[first]);
        let dry = |i: usize| song.dry[i].map(f32::to_bits);
        assert!((first + RAMP - 1..4000).all(|i| out[i] == dry(i)), "a step at {position} is not over after the ramp");
        assert!((first..first + RAMP - 1).any(|i| out[i] != dry(i)));
    }
}

#[test]
fn output_that_is_not_finite_is_the_input() {
    let mut song = song(7, 0, 1000, (0, 1000));
    song.timeline.write_slot_for_test(0, 0, &[f32::NAN; CHUNK], &[f32::INFINITY; CHUNK]);
    song.region = (0, 700);
    let out = render(&song, &[], &[64], true);
    assert!(out.iter().zip(&song.dry).all(|(out, dry)| *out == dry.map(f32::to_bits)));
}

#[test]
fn bypass_is_the_input_bit_for_bit_and_what_follows_starts_at_once() {
    let song = song(9, 0, 4 * FRAME as usize, (0, 9000));
    let out = render(&song, &[(OUTPUT_GAIN, 0, -6.0), (BYPASS, 0, 1.0), (BYPASS, 2 * FRAME, 0.0)], &[64], true);
    let frame = FRAME as usize;
    assert!((0..2 * frame).all(|i| out[i] == song.dry[i].map(f32::to_bits)));
    let gain = 10f64.powf(-6.0 / 20.0) as f32;
    let wet = |i: usize| song.timeline.sample(0, i);
    let settled = |i: usize| -> [u32; 2] {
        std::array::from_fn(|c| ((song.dry[i][c] + (wet(i)[c] - song.dry[i][c])) * gain).to_bits())
    };
    assert!((2 * frame + RAMP..3 * frame).all(|i| out[i] == settled(i)));
}

/// -1 dBTP by the filter of BS.1770-4 annex 2, over both channels.
fn floats(out: &[[u32; 2]]) -> Vec<[f32; 2]> {
    out.iter().map(|pair| pair.map(f32::from_bits)).collect()
}

#[test]
fn bypass_of_a_tone_never_steps_further_than_the_tone_and_the_ramp_do() {
    let mut song = song(5, 0, 30 * FRAME as usize, (0, 1 << 20));
    let tone = |at: usize, level: f32| level * (at as f32 * 0.05).sin();
    song.fill(|at, _| tone(at, -0.8));
    song.dry = (0..song.dry.len()).map(|at| [tone(at, 0.8); 2]).collect();
    let steps =
        [(BYPASS, 3 * FRAME, 1.0), (BYPASS, 9 * FRAME, 0.0), (BYPASS, 9 * FRAME + 5, 1.0), (BYPASS, 15 * FRAME, 0.0)];
    let on = [(OUTPUT_GAIN, 0, 6.0), (TRUE_PEAK, 0, 2.0), (LOUDNESS_MATCH, 0, 1.0)];
    for steps in [steps.to_vec(), [&on[..], &steps[..]].concat()] {
        let out = floats(&render(&song, &steps, &[128], false));
        let largest = out.windows(2).map(|pair| (pair[1][0] - pair[0][0]).abs()).fold(0.0, f32::max);
        // The tone's own step at twice its level, and a ramp of 80 samples over both signals' distance.
        assert!(largest < 2.0 * 0.8 * 0.05 + 2.0 * 2.0 * 0.8 / RAMP as f32, "{largest}");
    }
}
