//! Offline passes: everything that was promised is waited for, and nothing for ever.

use crate::rig::{RATE, block, input, instance, play, stop, until};
use crate::sidecar::{Script, Sidecar, Told, folder};
use serde_json::json;
use shim_core::{Block, Instance, Notice, Processor, Status, parameters};

#[test]
fn an_offline_pass_waits_for_every_chunk_and_does_not_depend_on_the_block_size() {
    let folder = folder();
    let _sidecar = Sidecar::start(&folder, Script { region: Some((3000, 20_000)), ..Script::default() });
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    let first = play(&mut processor, 30_000, 512, true);
    assert_eq!(first[..3000], input(0, 3000));
    assert!(first[3080..20_000].iter().all(|sample| *sample == 0.5));
    assert_eq!(first[20_080..], input(20_080, 9920));
    for size in [1, 480, 4096] {
        stop(&mut processor);
        assert!(play(&mut processor, 30_000, size, true) == first, "block size {size}");
    }
    assert_eq!(instance.status(), Status::Dry);
    instance.deactivate(processor);
}

#[test]
fn a_bounce_with_a_look_ahead_is_the_same_one_later() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script { region: Some((3000, 20_000)), ..Script::default() });
    let (instance, notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    let expected = play(&mut processor, 30_000, 512, true);
    let other = Instance::new("test");
    other.edit(json!({"look_ahead": 0.125}).as_object().cloned().unwrap()).unwrap();
    instance.load_state(&other.save_state()).unwrap();
    assert_eq!((processor.latency(), instance.latency(RATE)), (0, 1000), "constant while it is active");
    assert!(notices.try_iter().any(|notice| notice == Notice::LatencyChanged));
    instance.deactivate(processor);
    for size in [512, 77] {
        let mut processor = instance.activate(RATE, 4096).unwrap();
        assert_eq!(processor.latency(), 1000);
        let out = play(&mut processor, 31_000, size, true);
        assert!(out[..1000].iter().all(|sample| *sample == 0.0));
        assert!(out[1000..] == expected, "block size {size}");
        instance.deactivate(processor);
    }
    let passes = std::iter::repeat_with(|| sidecar.wait_record(1)).take(3);
    assert_eq!(passes.map(|pass| pass.4).collect::<Vec<_>>(), [0.0, 1000.0, 1000.0]);
}

/// Rounds of a loop, then a stop, all in blocks of at most `size` samples; the left output.
fn loops(processor: &mut Processor, (from, to): (i64, i64), rounds: usize, rest: usize, size: usize) -> Vec<f32> {
    let mut out = Vec::new();
    let mut render = |block: Block, mut left: Vec<f32>| {
        let mut right = left.clone();
        processor.begin(&block);
        processor.process([&mut left, &mut right], None);
        out.extend(left);
    };
    for round in 0..rounds {
        for at in (from..to).step_by(size) {
            let frames = size.min((to - at) as usize);
            render(Block { looping: round > 0 && at == from, ..block(frames, at, true) }, input(at, frames));
        }
    }
    for at in (0..rest).step_by(size) {
        let frames = size.min(rest - at);
        render(Block { frames: frames as u32, offline: true, ..Block::default() }, vec![0.0; frames]);
    }
    out
}

#[test]
fn with_a_look_ahead_every_round_of_a_short_loop_and_what_a_stop_left_are_waited_for_and_heard() {
    let folder = folder();
    let script = Script { renders_late: true, level: 0.0625, ..Script::default() };
    let _sidecar = Sidecar::start(&folder, script);
    let (instance, _notices) = instance();
    instance.edit(json!({"look_ahead": 1.0}).as_object().cloned().unwrap()).unwrap();
    let (rounds, loop_, latency) = (4, (1000, 3100), RATE as usize);
    let mut first = 1;
    for size in [2000, 512, 77] {
        let mut processor = instance.activate(RATE, 4096).unwrap();
        until("it connects", || instance.status() == Status::Dry);
        let out = loops(&mut processor, loop_, rounds, latency + 500, size);
        assert!(out[..latency].iter().all(|sample| *sample == 0.0));
        for (round, heard) in out[latency..][..rounds * 2100].chunks(2100).enumerate() {
            let level = 0.0625 * (first + round) as f32;
            let wrong = heard[80..].iter().find(|sample| **sample != level);
            assert_eq!(wrong, None, "size {size}, round {round}");
        }
        assert!(out[latency + rounds * 2100 + 80..].iter().all(|sample| *sample == 0.0));
        assert_eq!(instance.status(), Status::Dry, "{}", instance.status_text());
        first += rounds;
        instance.deactivate(processor);
    }
}

#[test]
fn the_input_of_a_fast_offline_pass_arrives_complete_though_the_ring_is_shorter() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script { region: None, ..Script::default() });
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    let samples = 700 * 1024 + 100;
    assert_eq!(play(&mut processor, samples, 4096, true), input(0, samples));
    stop(&mut processor);
    let mut heard = Vec::new();
    while heard.len() < samples {
        let (song, part) =
            sidecar.wait(|told| if let Told::Captured(song, part) = told { Some((song, part)) } else { None });
        assert_eq!(song, heard.len() as i64);
        heard.extend(part);
    }
    assert_eq!(heard, input(0, samples));
}

#[test]
fn a_sidecar_that_dies_in_a_bounce_leaves_the_input_and_an_error_that_says_so() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    assert_eq!(play(&mut processor, 4096, 512, true), [0.5; 4096]);
    drop(sidecar);
    let mut at = 4096;
    until("the pass goes dry", || {
        let (mut left, mut right) = (input(at, 512), input(at, 512));
        processor.begin(&block(512, at, true));
        processor.process([&mut left, &mut right], None);
        at += 512;
        left == input(at - 512, 512)
    });
    until("the user sees it", || instance.status() == Status::Failed);
    assert!(instance.status_text().contains("bounce again"), "{}", instance.status_text());
    let _replacement = Sidecar::start(&folder, Script::default());
    assert_eq!(play(&mut processor, 4096, 512, true), [0.5; 4096], "the next pass renders again");
}

#[test]
fn a_silent_sidecar_ends_the_wait_at_the_cap() {
    let folder = folder();
    let _sidecar = Sidecar::start(&folder, Script { is_silent: true, ..Script::default() });
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    assert_eq!(play(&mut processor, 8192, 512, true), input(0, 8192));
    until("the user sees it", || instance.status() == Status::Failed);
}

#[test]
fn nobody_waits_without_a_sidecar_or_with_the_bypass_on() {
    let folder = folder();
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    assert_eq!(play(&mut processor, 8192, 512, true), input(0, 8192));
    until("the user sees it", || instance.status() == Status::Offline);
    assert!(instance.status_text().contains("demon plugin install"), "{}", instance.status_text());
    stop(&mut processor);
    let sidecar = Sidecar::start(&folder, Script { is_silent: true, ..Script::default() });
    instance.set_value(parameters::BYPASS, 1.0);
    until("it connects", || instance.status() == Status::Dry);
    assert_eq!(play(&mut processor, 8192, 512, true), input(0, 8192));
    assert_eq!(instance.status(), Status::Dry);
    drop(sidecar);
}
