//! A transport that stands, and what was rendered ahead of the pass that play begins.

use super::*;

fn stands(position: i64) -> Block {
    Block { frames: 64, position: Some(position), ..Block::default() }
}

#[test]
fn a_transport_that_stands_says_where_once_per_position_stop_and_connection() {
    let (mut processor, mut link, shared) = processor();
    let mut places = |processor: &mut Processor, block| {
        run(processor, block, |_| {});
        let records = sent(&mut link).into_iter().filter(|record| record.kind == Kind::Place);
        records.map(|record| (record.pass, record.song)).collect::<Vec<_>>()
    };
    assert_eq!(places(&mut processor, stands(7)), [], "nobody listens");
    connect(&shared);
    assert_eq!(places(&mut processor, stands(7)), [(0, 7)]);
    assert_eq!(places(&mut processor, stands(7)), []);
    assert_eq!(places(&mut processor, stands(-9)), [(0, -9)]);
    assert_eq!(places(&mut processor, Block { offline: true, ..stands(3) }), []);
    assert_eq!(places(&mut processor, Block { position: None, ..stands(0) }), []);
    assert_eq!(places(&mut processor, at(-9, 64)), []);
    assert_eq!(places(&mut processor, stands(-9)), [(0, -9)]);
    connect(&shared);
    assert_eq!(places(&mut processor, stands(-9)), [(0, -9)]);
}

#[test]
fn a_place_follows_the_stop_that_it_is_after_and_free_run_has_none() {
    let (mut processor, mut link, shared) = processor();
    connect(&shared);
    run(&mut processor, at(0, 64), |_| {});
    sent(&mut link);
    run(&mut processor, stands(0), |processor| processor.step(MIX, 0, 0.5));
    assert_eq!(kinds(&sent(&mut link)), [Kind::Capture, Kind::Stop, Kind::Point, Kind::Place]);
    run(&mut processor, stands(0), |processor| processor.step(FREE_RUN, 0, 1.0));
    assert!(sent(&mut link).iter().all(|record| record.kind != Kind::Place));
}

#[test]
fn a_live_pass_is_wet_from_its_first_sample_where_a_standby_was_and_a_bounce_does_not_take_it() {
    let (mut processor, mut link, shared) = processor();
    connect(&shared);
    let core = processor.core.as_mut().unwrap();
    let timeline = core.timeline.clone();
    timeline.write_slot_for_test(0, 0, &[0.5; 2048], &[0.5; 2048]);
    let entry = crate::table::Entry::new(0, 1, u32::MAX).pack();
    timeline.entry(0, 0).store(entry, std::sync::atomic::Ordering::Release);
    core.events.step(SOURCE_MODE, 0, 2.0);
    run(&mut processor, stands(0), |_| {});
    let wet = |pass| Answer { pass, start: 0, end: 8000, wet: true };
    link.answers.push(wet(crate::ring::STANDBY)).unwrap();
    let (mut left, mut right) = (vec![0.25; 64], vec![0.25; 64]);
    processor.begin(&at(0, 64));
    processor.process([&mut left, &mut right], None);
    assert_eq!((left[0], right[63]), (0.5, 0.5));
    run(&mut processor, stands(0), |_| {});
    shared.peer.set_reach(Reach::Absent);
    left.fill(0.25);
    processor.begin(&Block { offline: true, ..at(0, 64) });
    processor.process([&mut left, &mut right], None);
    assert_eq!(left[0], 0.25, "the standby is not the bounce's own");
}

#[test]
fn a_transport_that_stands_tells_the_tempo_of_the_place_before_it() {
    let (mut processor, mut link, shared) = processor();
    connect(&shared);
    let standing = |tempo| Block { tempo: Some(tempo), ..stands(96_000) };
    run(&mut processor, standing(90.0), |_| ());
    let records = sent(&mut link);
    assert_eq!(kinds(&records), [Kind::Tempo, Kind::Place]);
    assert_eq!((records[0].pass, records[0].value), (0, 90.0));
    run(&mut processor, standing(90.0), |_| ());
    assert_eq!(sent(&mut link), []);
    run(&mut processor, standing(91.0), |_| ());
    assert_eq!(kinds(&sent(&mut link)), [Kind::Tempo]);
    connect(&shared);
    run(&mut processor, standing(91.0), |_| ());
    assert_eq!(kinds(&sent(&mut link)), [Kind::Tempo, Kind::Place], "a new sidecar knows of neither");
}
