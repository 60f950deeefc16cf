use super::*;
use crate::timeline::CHUNK;
use std::sync::atomic::Ordering;

const RATE: u32 = 8000;
const RAMP: usize = 80;

fn show(timeline: &Timeline, slot: u32, chunk: i64, level: f32, pass: u32) {
    timeline.write_slot_for_test(slot, chunk, &[level; CHUNK], &[-level; CHUNK]);
    timeline.entry(chunk, 0).store(Entry::new(slot, slot, pass).pack(), Ordering::Release);
}

fn live(timeline: &Timeline) -> (Reader, i64) {
    show(timeline, 0, 0, 1.0, 1);
    let mut reader = Reader::new(RATE);
    reader.begin_pass(None, 0);
    reader.answer(Answer { pass: 1, start: 0, end: 1 << 40, wet: true });
    (reader, 0)
}

/// Reads `count` samples over an input of 0; left channel.
fn read(reader: &mut Reader, timeline: &Timeline, song: &mut i64, count: usize) -> Vec<f32> {
    let mut out = Vec::new();
    while out.len() < count {
        let length = reader.enter(timeline, *song, count - out.len(), &mut |_, _| true);
        out.extend((0..length).map(|_| reader.next(timeline, [0.0; 2])[0]));
        *song += length as i64;
    }
    out
}

fn largest_step(samples: &[f32]) -> f32 {
    samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max)
}

#[test]
fn a_chunk_replaced_under_the_playhead_crosses_from_old_to_new_and_pins_the_old() {
    let timeline = Timeline::new(RATE, 1).unwrap();
    let (mut reader, mut song) = live(&timeline);
    read(&mut reader, &timeline, &mut song, 100);
    assert_eq!(reader.pins(), [Some(0), None]);
    show(&timeline, 1, 0, 3.0, 1);
    let out = read(&mut reader, &timeline, &mut song, 40);
    assert_eq!(reader.pins(), [Some(1), Some(0)]);
    assert_eq!(out[0], 1.0 + 2.0 / RAMP as f32);
    let out = read(&mut reader, &timeline, &mut song, 100);
    assert_eq!((out[39], reader.pins()), (3.0, [Some(1), None]));
}

#[test]
fn nothing_clicks_when_chunks_change_while_others_still_fade() {
    let timeline = Timeline::new(RATE, 1).unwrap();
    let (mut reader, mut song) = live(&timeline);
    let mut out = read(&mut reader, &timeline, &mut song, 2000);
    for (slot, level) in [(1, 2.0), (2, -1.0), (3, 0.5)] {
        show(&timeline, slot, 0, level, 1);
        out.extend(read(&mut reader, &timeline, &mut song, 15));
    }
    show(&timeline, 4, 1, 0.5, 1);
    out.extend(read(&mut reader, &timeline, &mut song, 500));
    timeline.entry(1, 0).store(0, Ordering::Release);
    out.extend(read(&mut reader, &timeline, &mut song, 500));
    assert!(largest_step(&out) <= 4.0 / RAMP as f32, "{}", largest_step(&out));
    assert_eq!(out.last(), Some(&0.0));
}

#[test]
fn the_chunk_of_an_older_pass_joins_without_a_click() {
    let timeline = Timeline::new(RATE, 1).unwrap();
    show(&timeline, 5, 1, -1.0, 7);
    let (mut reader, mut song) = live(&timeline);
    let out = read(&mut reader, &timeline, &mut song, 4000);
    assert!(largest_step(&out) <= 2.5 / RAMP as f32);
    assert_eq!(out.last(), Some(&-1.0));
}

#[test]
fn what_was_rendered_keeps_playing_in_the_next_live_pass_but_not_offline() {
    let timeline = Timeline::new(RATE, 1).unwrap();
    let (mut reader, mut song) = live(&timeline);
    read(&mut reader, &timeline, &mut song, 100);
    reader.dry();
    reader.begin_pass(None, 0);
    song = 0;
    assert_eq!(read(&mut reader, &timeline, &mut song, 1), [1.0]);
    reader.begin_pass(Some(2), 0);
    song = 0;
    assert_eq!(read(&mut reader, &timeline, &mut song, 1), [0.0]);
    reader.answer(Answer { pass: 2, start: 0, end: 4096, wet: true });
    assert_eq!(read(&mut reader, &timeline, &mut song, 200)[199], 0.0);
}

#[test]
fn a_slot_that_holds_another_chunk_is_not_heard() {
    let timeline = Timeline::new(RATE, 1).unwrap();
    let (mut reader, _) = live(&timeline);
    let mut song = i64::from(timeline.layout.entries) * CHUNK as i64;
    assert_eq!(read(&mut reader, &timeline, &mut song, 1), [0.0]);
}
