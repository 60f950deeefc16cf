//! Ports, latency and the side-chain of the built shared object in a CLAP host, without a sidecar.

#[allow(dead_code, reason = "each test binary uses its part of the rig")]
mod rig;

use std::io::Cursor;

use clack_extensions::audio_ports::{AudioPortFlags, AudioPortInfoBuffer, PluginAudioPorts};
use clack_extensions::latency::PluginLatency;
use clack_extensions::state::PluginState;
use clack_extensions::tail::{PluginTail, TailLength};
use clack_host::prelude::*;
use rig::{Rig, Stereo, event, extension, noise};
use serde_json::json;
use shim_core::{Instance, parameters};

#[test]
fn there_is_a_stereo_port_each_way_and_a_second_input_that_nobody_has_to_connect() {
    let mut rig = Rig::new();
    let ports: PluginAudioPorts = extension(&mut rig.instance);
    let handle = rig.instance.plugin_handle();
    for is_input in [true, false] {
        let mut buffer = AudioPortInfoBuffer::new();
        let info = ports.get(&handle, 0, is_input, &mut buffer).unwrap();
        assert_eq!((info.channel_count, info.flags), (2, AudioPortFlags::IS_MAIN));
        assert!(info.in_place_pair.is_some());
    }
    assert_eq!((ports.count(&handle, true), ports.count(&handle, false)), (2, 1));
    let mut buffer = AudioPortInfoBuffer::new();
    let side = ports.get(&handle, 1, true, &mut buffer).unwrap();
    assert_eq!((side.name, side.channel_count, side.flags), (&b"Side-chain"[..], 2, AudioPortFlags::empty()));
    assert!(side.in_place_pair.is_none());
    assert!(ports.get(&handle, 2, true, &mut AudioPortInfoBuffer::new()).is_none());
    assert!(ports.get(&handle, 1, false, &mut AudioPortInfoBuffer::new()).is_none());
    let tail: PluginTail = extension(&mut rig.instance);
    let mut processor = rig.activate(64);
    assert_eq!(tail.get(&processor.plugin_handle()), TailLength::Infinite);
}

/// Loads a project that asks for this look-ahead.
fn look_ahead(rig: &mut Rig, seconds: f64) {
    let project = Instance::new("test");
    project.edit(json!({"look_ahead": seconds}).as_object().cloned().unwrap()).unwrap();
    let state: PluginState = extension(&mut rig.instance);
    state.load(&rig.instance.plugin_handle(), &mut Cursor::new(project.save_state())).unwrap();
}

fn latency(rig: &mut Rig) -> u32 {
    let latency: PluginLatency = extension(&mut rig.instance);
    latency.get(&rig.instance.plugin_handle())
}

#[test]
fn a_look_ahead_is_declared_at_activation_and_a_change_asks_for_another_one() {
    let mut rig = Rig::new();
    let processor = rig.activate(64);
    assert_eq!((latency(&mut rig), rig.latency_changes(), rig.restarts()), (0, 0, 0));
    look_ahead(&mut rig, 0.001);
    assert_eq!((latency(&mut rig), rig.restarts()), (0, 1), "constant while it is active");
    rig.instance.deactivate(processor);
    let mut processor = rig.activate(64).start_processing().unwrap();
    assert_eq!((latency(&mut rig), rig.latency_changes()), (48, 1));
    let input = noise(64);
    let first = rig::process(&mut processor, &input, &[]);
    assert_eq!((&first[0][..48], &first[1][48..]), (&[0.0; 48][..], &input[1][..16]));
    let second = rig::process(&mut processor, &noise(48), &[]);
    assert_eq!(second[0], input[0][16..]);
}

/// A block with a second input; the main output must be the main input.
fn with_side(side: &mut [Vec<f32>], frames: usize) {
    let mut rig = Rig::new();
    let mut processor = rig.activate(64).start_processing().unwrap();
    let (mut input, mut output): (Stereo, Stereo) = (noise(frames), [(); 2].map(|()| vec![f32::NAN; frames]));
    let (mut ports_in, mut ports_out) = (AudioPorts::with_capacity(4, 2), AudioPorts::with_capacity(2, 1));
    let dry = input.clone();
    let inputs = ports_in.with_input_buffers([
        AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                input.iter_mut().map(|channel| InputChannel::variable(&mut channel[..])).collect::<Vec<_>>(),
            ),
        },
        AudioPortBuffer {
            latency: 0,
            channels: AudioPortBufferType::f32_input_only(
                side.iter_mut().map(|channel| InputChannel::variable(&mut channel[..])).collect::<Vec<_>>(),
            ),
        },
    ]);
    let mut outputs = ports_out.with_output_buffers([AudioPortBuffer {
        latency: 0,
        channels: AudioPortBufferType::f32_output_only(output.iter_mut().map(Vec::as_mut_slice)),
    }]);
    let id = ClapId::new(parameters::table()[parameters::SIDECHAIN].id);
    let events = [event(0, id, 1.0)];
    processor
        .process(&inputs, &mut outputs, &InputEvents::from_buffer(&events), &mut OutputEvents::void(), None, None)
        .unwrap();
    assert_eq!(output, dry);
}

#[test]
fn a_side_chain_of_any_width_leaves_the_main_signal_alone() {
    for channels in 0..=3 {
        with_side(&mut vec![vec![0.5; 64]; channels], 64);
    }
}
