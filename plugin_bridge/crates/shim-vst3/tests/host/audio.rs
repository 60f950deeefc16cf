//! Buses, layouts and latency.

use super::rig::{OFFLINE, Rig, ramp};
use super::state::{load, with};
use serde_json::json;
use vst3::{Steinberg::Vst::*, Steinberg::*};

const FRAMES: usize = 64;

#[test]
fn only_stereo_in_and_out_is_arranged() {
    let rig = Rig::new();
    let arrange = |mut input, mut output| {
        // SAFETY: one arrangement each way, as the counts say.
        unsafe { rig.processor.setBusArrangements(&mut input, 1, &mut output, 1) }
    };
    assert_eq!(arrange(SpeakerArr::kStereo, SpeakerArr::kStereo), kResultTrue);
    assert_eq!(arrange(SpeakerArr::kMono, SpeakerArr::kStereo), kResultFalse);
    assert_eq!(arrange(SpeakerArr::k51, SpeakerArr::k51), kResultFalse);
    // SAFETY: live objects.
    unsafe {
        assert_eq!(rig.processor.setBusArrangements(std::ptr::null_mut(), 0, std::ptr::null_mut(), 0), kResultFalse);
        assert_eq!(rig.processor.canProcessSampleSize(0), kResultTrue);
        assert_eq!(rig.processor.canProcessSampleSize(1), kResultFalse);
        assert_eq!((rig.processor.getLatencySamples(), rig.processor.getTailSamples()), (0, kInfiniteTail));
    }
}

#[test]
fn a_second_input_is_there_for_hosts_that_know_side_chains_and_in_no_others_way() {
    let rig = Rig::new();
    let (input, output) = (BusDirections_::kInput as BusDirection, BusDirections_::kOutput as BusDirection);
    let audio = MediaTypes_::kAudio as MediaType;
    // SAFETY: live objects, writable targets, arrangements as the counts say.
    unsafe {
        let component = &rig.component;
        assert_eq!((component.getBusCount(audio, input), component.getBusCount(audio, output)), (2, 1));
        assert_eq!(component.getBusCount(MediaTypes_::kEvent as MediaType, input), 0);
        let mut bus: BusInfo = std::mem::zeroed();
        assert_eq!(component.getBusInfo(audio, input, 1, &mut bus), kResultOk);
        assert_eq!((bus.busType as u32, bus.channelCount, bus.flags), (BusTypes_::kAux as u32, 2, 0));
        assert_eq!(component.getBusInfo(audio, output, 1, &mut bus), kInvalidArgument);
        assert_eq!(component.activateBus(audio, input, 1, 1), kResultOk);
        assert_eq!(component.activateBus(audio, input, 2, 1), kInvalidArgument);
        let arrange = |side| {
            let (mut inputs, mut outputs) = ([SpeakerArr::kStereo, side], [SpeakerArr::kStereo]);
            rig.processor.setBusArrangements(inputs.as_mut_ptr(), 2, outputs.as_mut_ptr(), 1)
        };
        for (side, channels) in [(SpeakerArr::kMono, 1), (SpeakerArr::kEmpty, 0), (SpeakerArr::kStereo, 2)] {
            assert_eq!(arrange(side), kResultTrue);
            let mut found = 9;
            assert_eq!(rig.processor.getBusArrangement(input, 1, &mut found), kResultOk);
            component.getBusInfo(audio, input, 1, &mut bus);
            assert_eq!((found, bus.channelCount), (side, channels));
        }
        assert_eq!(arrange(SpeakerArr::k51), kResultFalse);
    }
}

#[test]
fn a_side_chain_of_any_layout_leaves_the_main_signal_alone() {
    let rig = Rig::new().active();
    let (mut left, mut right, mut side) = (ramp(1.0), ramp(-1.0), ramp(0.5));
    let null = std::ptr::null_mut();
    for mut channels in [vec![side.as_mut_ptr(); 2], vec![side.as_mut_ptr()], vec![null, null], vec![]] {
        for active in [0, 1] {
            // SAFETY: a live object.
            unsafe { rig.component.activateBus(0, 0, 1, active) };
            let (mut a, mut b) = (vec![f32::NAN; FRAMES], vec![f32::NAN; FRAMES]);
            let (inputs, outputs) = ([left.as_mut_ptr(), right.as_mut_ptr()], [a.as_mut_ptr(), b.as_mut_ptr()]);
            rig.process(&inputs, &outputs, FRAMES as i32, |data| {
                // SAFETY: all zeros is a bus without channels; the block's first bus is copied.
                let mut buses: [AudioBusBuffers; 2] = unsafe { [std::ptr::read(data.inputs), std::mem::zeroed()] };
                buses[1].numChannels = channels.len() as i32;
                buses[1].__field0.channelBuffers32 = channels.as_mut_ptr();
                (data.numInputs, data.inputs) = (2, Box::leak(Box::new(buses)).as_mut_ptr());
            });
            assert_eq!((&a[..], &b[..]), (&left[..FRAMES], &right[..FRAMES]));
        }
    }
}

#[test]
fn a_look_ahead_is_declared_at_activation_and_constant_until_the_next() {
    let rig = Rig::new();
    assert_eq!(rig.setup(48_000.0, 64), kResultOk);
    // SAFETY: live objects.
    unsafe {
        assert_eq!(rig.component.setActive(1), kResultOk);
        assert_eq!(load(&rig, &with(json!({"look_ahead": 0.001}))), kResultOk);
        assert_eq!(rig.processor.getLatencySamples(), 0);
        assert_eq!(rig.component.setActive(0), kResultOk);
        assert_eq!(rig.processor.getLatencySamples(), 48, "what the next activation will declare");
        assert_eq!(rig.setup(96_000.0, 64), kResultOk);
        assert_eq!(rig.component.setActive(1), kResultOk);
        assert_eq!(rig.processor.getLatencySamples(), 96);
    }
    assert!(rig.handler.restarts.borrow().is_empty(), "not from inside setState, where Ardour holds its lock");
}

#[test]
fn blocks_pass_dry_before_during_and_after_activation() {
    let (mut left, mut right) = (ramp(1.0), ramp(-1.0));
    let (mut a, mut b) = (vec![f32::NAN; 4096], vec![f32::NAN; 4096]);
    let rig = Rig::new();
    let mut pass = |rig: &Rig| {
        for (frames, mode) in [(1, 0), (64, OFFLINE), (4096, 0), (4096, OFFLINE), (0, 0)] {
            a.fill(f32::NAN);
            let (inputs, outputs) = ([left.as_mut_ptr(), right.as_mut_ptr()], [a.as_mut_ptr(), b.as_mut_ptr()]);
            assert_eq!(rig.process(&inputs, &outputs, frames, |data| data.processMode = mode), kResultOk);
            let frames = frames as usize;
            assert_eq!((&a[..frames], &b[..frames]), (&left[..frames], &right[..frames]));
            assert!(a[frames..].iter().all(|sample| sample.is_nan()));
        }
    };
    pass(&rig);
    let rig = rig.active();
    pass(&rig);
    // SAFETY: a live object.
    unsafe { assert_eq!(rig.component.setActive(0), kResultOk) };
    pass(&rig);
}

#[test]
fn odd_layouts_are_served_and_crash_nothing() {
    let rig = Rig::new().active();
    let (mut left, mut out) = (ramp(1.0), vec![f32::NAN; 4096]);
    let null = std::ptr::null_mut();
    let (input, output) = (left.as_mut_ptr(), out.as_mut_ptr());
    assert_eq!(rig.process(&[input], &[output], 64, |_| ()), kResultOk);
    assert_eq!(out[..FRAMES], left[..FRAMES]);
    for (inputs, outputs) in
        [(vec![null, null], vec![null, null]), (vec![], vec![]), (vec![input, null], vec![output, null])]
    {
        assert_eq!(rig.process(&inputs, &outputs, 64, |_| ()), kResultOk);
    }
    assert_eq!(rig.process(&[input, input], &[output, output], -1, |_| ()), kResultOk);
    assert_eq!(rig.process(&[], &[], 64, |data| (data.numInputs, data.numOutputs) = (0, 0)), kResultOk);
    assert_eq!(rig.process(&[], &[], 64, |data| (data.inputs, data.outputs) = (null.cast(), null.cast())), kResultOk);
    // SAFETY: null is what is tested.
    unsafe { assert_eq!(rig.processor.process(null.cast()), kInvalidArgument) };
}
