//! Saving and loading.

use super::changes::Changes;
use super::rig::{Rig, mix_id};
use super::stream::Stream;
use serde_json::{Value, json};
use shim_core::Instance;
use shim_core::parameters::MIX;
use vst3::{ComWrapper, Steinberg::Vst::*, Steinberg::*};

fn save(rig: &Rig) -> Vec<u8> {
    let stream = ComWrapper::new(Stream::default());
    // SAFETY: live objects.
    let result = unsafe { rig.component.getState(stream.as_com_ref::<IBStream>().unwrap().as_ptr()) };
    assert_eq!(result, kResultOk);
    stream.bytes.borrow().clone()
}

/// The state of a project whose document says this.
pub fn with(patch: Value) -> Vec<u8> {
    let other = Instance::new("test");
    other.edit(patch.as_object().cloned().unwrap()).unwrap();
    other.save_state()
}

/// Loads from a stream that stands behind a header of the host's own.
pub fn load(rig: &Rig, blob: &[u8]) -> tresult {
    let stream = ComWrapper::new(Stream::default());
    stream.bytes.borrow_mut().extend([b"header", blob].concat());
    stream.at.set(6);
    // SAFETY: live objects.
    unsafe { rig.component.setState(stream.as_com_ref::<IBStream>().unwrap().as_ptr()) }
}

#[test]
fn state_goes_round() {
    let first = Rig::new();
    first.set(MIX, 0.25);
    let blob = save(&first);
    for second in [Rig::new(), Rig::new().active()] {
        assert_eq!(load(&second, &blob), kResultOk);
        assert_eq!(second.value(MIX), 0.25);
        assert!(second.handler.restarts.borrow().is_empty(), "called the host from inside its own setState");
        assert_eq!(save(&second), blob);
    }
}

#[test]
fn loaded_values_go_to_the_host_with_the_next_block_and_once() {
    let first = Rig::new();
    first.set(MIX, 0.25);
    let rig = Rig::new().active();
    assert_eq!(load(&rig, &save(&first)), kResultOk);
    let said = |rig: &Rig| {
        let changes = ComWrapper::new(Changes::default());
        let pointer = changes.as_com_ref::<IParameterChanges>().unwrap().as_ptr();
        rig.process(&[], &[], 0, |data| data.outputParameterChanges = pointer);
        changes.points().into_iter().filter(|point| point.0 == mix_id()).collect::<Vec<_>>()
    };
    rig.process(&[], &[], 0, |_| ());
    assert_eq!(said(&rig), [(mix_id(), 0, 0.25)]);
    assert_eq!(said(&rig), []);
}

#[test]
fn what_no_block_carries_goes_to_the_host_from_its_run_loop() {
    let rig = Rig::new();
    assert_eq!(load(&rig, &with(json!({"loras": [{"name": "bells"}]}))), kResultOk);
    assert!(rig.handler.restarts.borrow().is_empty(), "called the host from inside its own setState");
    for _ in 0..2 {
        assert_eq!(rig.application.turn(), 1);
    }
    let told = RestartFlags_::kParamValuesChanged | RestartFlags_::kParamTitlesChanged;
    assert_eq!(*rig.handler.restarts.borrow(), [told as i32]);
    // SAFETY: a live object.
    unsafe { assert_eq!(rig.component.terminate(), kResultOk) };
    assert_eq!(rig.application.turn(), 0, "a timer outlived the plugin");
}

#[test]
fn a_wrong_state_is_refused_and_the_old_one_stays() {
    let rig = Rig::new();
    rig.set(MIX, 0.25);
    let blob = save(&rig);
    rig.set(MIX, 0.5);
    for wrong in [&blob[..blob.len() - 1], &blob[..9], b"", b"not a state"] {
        assert_eq!(load(&rig, wrong), kResultFalse);
        assert_eq!(rig.value(MIX), 0.5);
    }
    assert!(rig.handler.restarts.borrow().is_empty());
    // SAFETY: null is what is tested.
    unsafe { assert_eq!(rig.component.setState(std::ptr::null_mut()), kInvalidArgument) };
}

#[test]
fn what_the_host_tells_the_controller_of_the_state_changes_nothing() {
    let rig = Rig::new();
    rig.set(MIX, 0.25);
    let blob = save(&rig);
    rig.set(MIX, 0.5);
    let stream = ComWrapper::new(Stream::default());
    stream.bytes.borrow_mut().extend(blob);
    let pointer = stream.as_com_ref::<IBStream>().unwrap().as_ptr();
    // SAFETY: live objects.
    unsafe {
        assert_eq!(rig.controller.setComponentState(pointer), kResultOk);
        assert_eq!(rig.controller.setState(pointer), kResultOk);
        assert_eq!(rig.controller.getState(pointer), kResultOk);
    }
    assert_eq!(rig.value(MIX), 0.5);
}
