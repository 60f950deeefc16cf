//! An instance against a sidecar over the real transport and the real shared file.

mod editing;
mod peer;
mod sidecar;

use serde_json::json;
use shim_core::{Block, Instance, Notice, Processor, Status, parameters};
use sidecar::{Script, Sidecar, Told, folder};
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

const RATE: u32 = 8000;

fn block(frames: usize, position: i64, offline: bool) -> Block {
    Block { frames: frames as u32, playing: true, offline, position: Some(position), ..Block::default() }
}

fn input(position: i64, frames: usize) -> Vec<f32> {
    (position..position + frames as i64).map(|sample| (sample % 1009) as f32 / 4096.0).collect()
}

/// Plays `samples` from 0 in blocks; the left output.
fn play(processor: &mut Processor, samples: usize, size: usize, offline: bool) -> Vec<f32> {
    let mut out = Vec::new();
    while out.len() < samples {
        let (at, frames) = (out.len() as i64, size.min(samples - out.len()));
        let (mut left, mut right) = (input(at, frames), input(at, frames));
        processor.begin(&block(frames, at, offline));
        processor.process([&mut left, &mut right], None);
        out.extend(left);
    }
    out
}

fn stop(processor: &mut Processor) {
    processor.begin(&Block { frames: 16, ..Block::default() });
    processor.process([&mut [0.0; 16], &mut [0.0; 16]], None);
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{what} did not come true");
}

fn instance() -> (Arc<Instance>, mpsc::Receiver<Notice>) {
    let instance = Instance::new("test");
    let (send, notices) = mpsc::channel();
    instance.set_notifier(Box::new(move |notice| {
        let _ = send.send(notice);
    }));
    (instance, notices)
}

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

#[test]
fn a_state_is_sent_before_the_pass_that_follows_it_and_documents_are_saved() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    until("it connects", || instance.status() == Status::Dry);
    sidecar.wait_message("state");
    sidecar.document(
        json!({"format": "demon-state", "version": 2, "later": 7, "parameters": {"denoise": 0.5, "mix": 0.5}}),
    );
    let mut wanted = vec![Notice::DocumentChanged, Notice::ValuesChanged];
    while !wanted.is_empty() {
        let notice = notices.recv_timeout(Duration::from_secs(20)).unwrap();
        wanted.retain(|wanted| *wanted != notice);
    }
    assert_eq!(instance.value(parameters::DENOISE), 0.5);
    assert_eq!(instance.value(parameters::MIX), 1.0, "the sidecar did not say that somebody set it");
    let blob = instance.save_state();
    instance.set_value(parameters::DENOISE, 0.25);
    assert!(instance.load_state(&blob[..blob.len() - 1]).is_err());
    assert_eq!(instance.value(parameters::DENOISE), 0.25, "a refused state changes nothing");
    instance.load_state(&blob).unwrap();
    assert_eq!(instance.value(parameters::DENOISE), 0.5);
    play(&mut processor, 64, 64, false);
    let (_, frames) = sidecar.wait(|told| match told {
        Told::Message(head, frames) if head["t"] == "state" => Some((head, frames)),
        Told::Record(record) if record.0 == 1 => panic!("the pass came first"),
        _ => None,
    });
    let document: serde_json::Value = serde_json::from_slice(&frames[0]).unwrap();
    assert_eq!((&document["later"], &document["parameters"]["denoise"]), (&7.into(), &0.5.into()));
    sidecar.wait_record(1);
}

#[test]
fn a_value_that_somebody_sets_and_sets_back_is_taken_both_times() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script::default());
    let (instance, _notices) = instance();
    let processor = instance.activate(RATE, 4096).unwrap();
    until("it connects", || instance.status() == Status::Dry);
    sidecar.wait_message("state");
    let before = instance.value(parameters::DENOISE);
    for value in [0.5, before, 0.5] {
        sidecar.document(json!({"format": "demon-state", "version": 2, "parameters": {"denoise": value}}));
        until("the value is taken", || instance.value(parameters::DENOISE) == value);
    }
    instance.deactivate(processor);
}

#[test]
fn a_new_sidecar_is_told_of_the_running_pass_and_what_was_rendered_keeps_playing() {
    let folder = folder();
    let first = Sidecar::start(&folder, Script { region: Some((0, 4096)), ..Script::default() });
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    until("it connects", || instance.status() == Status::Dry);
    assert_eq!(play(&mut processor, 4096, 512, true), [0.5; 4096]);
    stop(&mut processor);
    drop(first);
    until("it is gone", || instance.status() == Status::Offline);
    assert_eq!(play(&mut processor, 2048, 512, false), [0.5; 2048], "live, without a sidecar");
    let script = Script { region: Some((0, 4096)), publish_after: 1, level: -0.25, ..Script::default() };
    let second = Sidecar::start(&folder, script);
    until("it connects", || instance.status() == Status::Dry);
    let (mut left, mut right) = (input(2048, 512), input(2048, 512));
    processor.begin(&block(512, 2048, false));
    processor.process([&mut left, &mut right], None);
    assert_eq!(left, [0.5; 512]);
    second.wait_message("timeline");
    let pass = second.wait_record(1);
    assert_eq!((pass.3, pass.5), (2048, 3), "a PASS, resync, where the playhead is");
    let mut at = 2048;
    until("the new rendering is heard", || {
        let mut left = [0.0; 16];
        at += 16;
        processor.begin(&block(16, at.min(3000), false));
        processor.process([&mut left, &mut [0.0; 16]], None);
        left[15] == -0.25
    });
}

#[test]
fn slots_come_back_so_that_passes_can_go_on_for_ever() {
    let folder = folder();
    let sidecar = Sidecar::start(&folder, Script { region: Some((0, 2048)), ..Script::default() });
    let (instance, _notices) = instance();
    let mut processor = instance.activate(RATE, 4096).unwrap();
    let mut given_back = 0;
    for _ in 0..600 {
        play(&mut processor, 64, 64, true);
        stop(&mut processor);
    }
    while given_back < 500 {
        given_back += sidecar.wait_message("free").0["count"].as_u64().unwrap();
    }
}

#[test]
fn a_refusal_is_shown_to_the_user() {
    let folder = folder();
    let _sidecar = Sidecar::start(&folder, Script { refuses: Some("bad_protocol"), ..Script::default() });
    let (instance, _notices) = instance();
    let processor = instance.activate(RATE, 4096).unwrap();
    until("the user sees it", || instance.status() == Status::Failed);
    assert_eq!(instance.status_text(), "No. Leave.");
    assert!(instance.activate(RATE, 4096).is_err(), "active already");
    instance.deactivate(processor);
}
