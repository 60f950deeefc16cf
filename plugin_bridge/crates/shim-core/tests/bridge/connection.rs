//! States and documents, sidecars that come and go, and what the user is told of them.

use crate::rig::{RATE, block, input, instance, play, stop, until};
use crate::sidecar::{Script, Sidecar, Told, folder};
use serde_json::json;
use shim_core::{Notice, Status, parameters};
use std::time::Duration;

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
