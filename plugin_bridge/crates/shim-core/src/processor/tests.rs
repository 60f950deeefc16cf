mod look_ahead;
mod standing;

use super::*;
use crate::{
    parameters::{COUNT, DENOISE, MIX, SIDECHAIN, SOURCE_MODE, STATUS, table},
    record::{Kind, Record},
    ring::{Answer, LinkEnds, rings},
    shared::Shared,
    timeline::Timeline,
};

const RATE: u32 = 8000;
/// One POINT for each parameter that a host may write.
const POINTS: usize = COUNT - 1;

fn processor() -> (Processor, LinkEnds, Arc<Shared>) {
    processor_with(0)
}

fn processor_with(latency: u32) -> (Processor, LinkEnds, Arc<Shared>) {
    let (audio, link) = rings();
    let shared = Arc::new(Shared::new("test"));
    let core = Core::new(shared.clone(), Arc::new(Timeline::new(RATE, 1).unwrap()), audio);
    (Processor::new(Box::new(core), Parked::default(), latency), link, shared)
}

fn at(position: i64, frames: u32) -> Block {
    Block { frames, playing: true, position: Some(position), ..Block::default() }
}

fn run(processor: &mut Processor, block: Block, automate: impl FnOnce(&mut Processor)) {
    let (mut left, mut right) = (vec![0.25; block.frames as usize], vec![-0.25; block.frames as usize]);
    processor.begin(&block);
    automate(processor);
    processor.process([&mut left, &mut right], None);
}

fn connect(shared: &Shared) {
    shared.peer.expect(1);
    shared.peer.connected(1);
}

fn sent(link: &mut LinkEnds) -> Vec<Record> {
    std::iter::from_fn(|| link.records.pop().ok()).collect()
}

fn kinds(records: &[Record]) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = records.iter().map(|record| record.kind).collect();
    kinds.dedup();
    kinds
}

#[test]
fn a_pass_opens_with_every_value_and_each_block_ends_with_its_cover() {
    let (mut processor, mut link, _) = processor();
    run(&mut processor, at(-100, 64), |processor| processor.step(DENOISE, 0, 0.5));
    let records = sent(&mut link);
    assert_eq!(kinds(&records), [Kind::Pass, Kind::Point, Kind::Block]);
    assert_eq!(records.len(), 1 + POINTS + 1);
    assert!(records.iter().all(|record| (record.pass, record.song) == (1, -100)));
    let denoise = records.iter().find(|record| u32::from(record.parameter) == table()[DENOISE].id);
    assert_eq!(denoise.unwrap().value, 0.5, "a point at the first sample is in the pass's opening values");
    run(&mut processor, at(-36, 64), |processor| processor.queue(MIX, [(32, 0.5), (64, 0.25)].into_iter()));
    let records: Vec<_> = sent(&mut link).iter().map(|record| (record.kind, record.song, record.value)).collect();
    let mix = [(Kind::Point, -36, 1.0), (Kind::Ramp, -4, 0.5), (Kind::Ramp, 28, 0.25)];
    assert_eq!(records, [&mix[..], &[(Kind::Block, -36, 0.0)]].concat());
}

#[test]
fn a_step_at_the_blocks_end_is_the_next_blocks_first_value() {
    let (mut processor, mut link, shared) = processor();
    run(&mut processor, at(0, 64), |_| ());
    sent(&mut link);
    run(&mut processor, at(64, 64), |processor| processor.step(MIX, 64, 0.5));
    run(&mut processor, at(128, 64), |_| ());
    let records: Vec<_> = sent(&mut link).iter().map(|record| (record.kind, record.song, record.value)).collect();
    assert_eq!(records, [(Kind::Point, 128, 0.5), (Kind::Block, 64, 0.0), (Kind::Block, 128, 0.0)]);
    assert_eq!(shared.value(MIX), 0.5);
}

#[test]
fn tempo_and_metre_come_before_a_passs_first_point_and_where_they_change() {
    let (mut processor, mut link, _) = processor();
    let timed = |position: i64, tempo, beat| {
        let (metre, bar) = (Some((3, 4)), Some(0.0));
        Block { tempo: Some(tempo), metre, beat: Some(beat), bar, ..at(position, 64) }
    };
    // RATE samples a second: at 60 beats a minute a beat is RATE samples.
    let beat = i64::from(RATE);
    run(&mut processor, timed(beat, 60.0, 1.0), |_| ());
    let records = sent(&mut link);
    assert_eq!(kinds(&records), [Kind::Pass, Kind::Tempo, Kind::Metre, Kind::Point, Kind::Block]);
    assert_eq!((records[1].song, records[1].value), (beat, 60.0));
    assert_eq!((records[2].song, records[2].value, records[2].aux), (0, 3.0, 4));
    run(&mut processor, timed(beat + 64, 60.0, 1.0), |processor| processor.step(MIX, 3, 0.5));
    assert_eq!(kinds(&sent(&mut link)), [Kind::Point, Kind::Block]);
    run(&mut processor, timed(beat + 128, 120.0, 1.0), |processor| processor.step(MIX, 3, 0.25));
    let records = sent(&mut link);
    assert_eq!(kinds(&records), [Kind::Tempo, Kind::Metre, Kind::Point, Kind::Block]);
    assert_eq!(records[1].song, beat + 128 - beat / 2);
}

#[test]
fn a_stop_sends_what_was_captured_and_ends_the_pass() {
    let (mut processor, mut link, _) = processor();
    run(&mut processor, at(0, 1500), |_| {});
    assert_eq!(sent(&mut link).iter().filter(|record| record.kind == Kind::Capture).count(), 1);
    run(&mut processor, Block { frames: 64, ..Block::default() }, |_| {});
    let records = sent(&mut link);
    assert_eq!(kinds(&records), [Kind::Capture, Kind::Stop]);
    assert_eq!((records[0].value, records[0].song, records[0].aux), (1.0, 1024, 476));
    assert_eq!((records[1].song, records[1].pass), (1500, 1));
    run(&mut processor, at(0, 64), |_| {});
    assert_eq!(sent(&mut link)[0].pass, 2);
}

#[test]
fn only_a_plugin_that_learns_captures() {
    let (mut processor, mut link, _) = processor();
    run(&mut processor, at(0, 2048), |processor| processor.step(SOURCE_MODE, 0, 2.0));
    assert!(sent(&mut link).iter().all(|record| record.kind != Kind::Capture));
}

#[test]
fn values_set_outside_the_audio_thread_are_heard_at_the_next_block_and_automation_is_seen_outside() {
    let (mut processor, mut link, shared) = processor();
    run(&mut processor, at(0, 64), |processor| processor.step(MIX, 10, 0.5));
    assert_eq!(shared.value(MIX), 0.5);
    sent(&mut link);
    shared.set_value(MIX, 0.75);
    run(&mut processor, at(64, 64), |_| {});
    let records = sent(&mut link);
    assert_eq!((records[0].kind, records[0].song, records[0].value), (Kind::Point, 64, 0.75));
    shared.set_value(STATUS, 3.0);
    run(&mut processor, at(128, 64), |processor| processor.step(STATUS, 0, 1.0));
    assert_eq!(kinds(&sent(&mut link)), [Kind::Block], "the status is nobody's automation");
    assert_eq!(shared.value(STATUS), 3.0);
}

#[test]
fn a_flush_changes_values_without_moving_the_song() {
    let (mut processor, mut link, shared) = processor();
    processor.begin(&Block::default());
    processor.step(MIX, 0, 0.5);
    processor.flush_end();
    let records = sent(&mut link);
    assert_eq!((records.len(), records[0].pass, records[0].value), (1, 0, 0.5));
    assert_eq!(shared.value(MIX), 0.5);
    run(&mut processor, at(7, 0), |_| {});
    assert!(sent(&mut link).is_empty());
}

#[test]
fn free_run_plays_for_a_host_that_never_does_from_the_block_that_switches_it_on() {
    let (mut processor, mut link, _) = processor();
    let stopped = Block { frames: 64, position: Some(0), ..Block::default() };
    run(&mut processor, stopped, |_| {});
    assert!(sent(&mut link).is_empty());
    run(&mut processor, stopped, |processor| processor.queue(FREE_RUN, [(0, 1.0)].into_iter()));
    let records = sent(&mut link);
    assert_eq!((records[0].kind, records[0].song, records[0].flags), (Kind::Pass, 64, crate::record::FREE_RUN));
    processor.reset();
    sent(&mut link);
    run(&mut processor, stopped, |_| {});
    assert_eq!(sent(&mut link)[0].song, 0);
}

#[test]
fn what_an_overflow_lost_is_told_again_once_there_is_room() {
    let (mut processor, mut link, _) = processor();
    for block in 0..20_000 {
        run(&mut processor, at(block, 1), |_| {});
    }
    let records = sent(&mut link);
    assert!(records.iter().all(|record| record.kind != Kind::Lost));
    let covered = records.iter().rev().find(|record| record.kind == Kind::Block).unwrap().song;
    assert!(covered < 19_000, "the ring did not overflow");
    run(&mut processor, at(20_000, 1), |processor| processor.step(DENOISE, 0, 0.25));
    let records = sent(&mut link);
    assert_eq!(kinds(&records), [Kind::Lost, Kind::Pass, Kind::Point, Kind::Block]);
    assert_eq!((records[1].aux, records[1].pass, records[1].song), (Reason::Resync as u32, 2, 20_000));
    assert!(records.iter().any(|record| u32::from(record.parameter) == table()[DENOISE].id && record.value == 0.25));
}

#[test]
fn an_overflow_outside_a_pass_is_mended_with_every_value() {
    let (mut processor, mut link, _) = processor();
    let stopped = Block { frames: 8, ..Block::default() };
    for _ in 0..3000 {
        run(&mut processor, stopped, |processor| (0..8).for_each(|i| processor.step(MIX, i, f64::from(i) / 8.0)));
    }
    sent(&mut link);
    run(&mut processor, stopped, |_| {});
    let records = sent(&mut link);
    assert_eq!((records[0].kind, records.len()), (Kind::Lost, 1 + POINTS));
}

#[test]
fn a_processor_that_is_dropped_ends_its_pass_and_leaves_its_parts() {
    let (mut processor, mut link, _) = processor();
    let parked = processor.parked.clone();
    run(&mut processor, at(0, 64), |_| {});
    drop(processor);
    assert_eq!(sent(&mut link).last().unwrap().kind, Kind::Stop);
    assert!(parked.lock().unwrap().is_some());
}

#[test]
fn positions_at_the_ends_of_the_number_range_are_rendered_dry() {
    for position in [i64::MIN, i64::MIN + 1, -1 << 53, 1 << 53, i64::MAX - 1, i64::MAX] {
        for latency in [0, 77] {
            let (mut processor, _link, _) = processor_with(latency);
            for _ in 0..3 {
                let (mut left, mut right) = ([0.25; 512], [0.25; 512]);
                processor.begin(&at(position, 512));
                processor.process([&mut left, &mut right], None);
                assert!(left.iter().skip(77).all(|sample| *sample == 0.25), "{position}");
            }
        }
    }
}

#[test]
fn the_side_chain_is_captured_beside_the_input_while_it_is_asked_for() {
    let (mut processor, mut link, _) = processor();
    let mut captured = |frames: u32, sidechain: f64, mode: f64, has_side: bool| {
        let side = vec![0.5; frames as usize];
        let (mut left, mut right) = (vec![0.25; frames as usize], vec![0.25; frames as usize]);
        processor.begin(&at(0, frames));
        processor.step(SIDECHAIN, 0, sidechain);
        processor.step(SOURCE_MODE, 0, mode);
        processor.process([&mut left, &mut right], has_side.then_some([&side[..], &side[..]]));
        run(&mut processor, Block { frames: 8, ..Block::default() }, |_| {});
        let records = sent(&mut link).into_iter().filter(|record| record.kind == Kind::Capture);
        records.map(|record| (record.flags, record.song, record.aux)).collect::<Vec<_>>()
    };
    let (main, side) = (0, crate::record::SIDE_CHAIN);
    assert_eq!(captured(1100, 0.0, 0.0, true), [(main, 0, 1024), (main, 1024, 76)]);
    assert_eq!(captured(1100, 1.0, 0.0, true), [(main, 0, 1024), (side, 0, 1024), (main, 1024, 76), (side, 1024, 76)]);
    assert_eq!(captured(100, 2.0, 1.0, true), [(side, 0, 100)]);
    assert_eq!(captured(100, 2.0, 1.0, false), []);
}
