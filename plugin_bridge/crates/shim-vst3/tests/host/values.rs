//! Values between host and plugin, with blocks and without.

use super::changes::Changes;
use super::rig::{Rig, mix_id, playing, ramp};
use shim_core::parameters::{self, MIX, STATUS};
use vst3::{ComWrapper, Steinberg::Vst::*, Steinberg::*};

#[test]
fn a_queue_reaches_the_parameter_with_audio_and_without() {
    let rig = Rig::new().active();
    let (mut left, mut right) = (ramp(1.0), ramp(-1.0));
    let channels = [left.as_mut_ptr(), right.as_mut_ptr()];
    let send = |frames, points: &[(i32, f64)]| {
        let changes = ComWrapper::new(Changes::of(&[(0, &[]), (9, &[(0, 0.1)]), (mix_id(), points)]));
        let pointer = changes.as_com_ref::<IParameterChanges>().unwrap().as_ptr();
        assert_eq!(rig.process(&channels, &channels, frames, |data| data.inputParameterChanges = pointer), kResultOk);
        rig.value(MIX)
    };
    assert_eq!(send(64, &[(0, 0.0), (10, 0.25)]), 0.25);
    assert_eq!(send(0, &[(0, 0.5)]), 0.5);
    assert_eq!(send(64, &[(-5, 0.75), (63, f64::NAN), (63, f64::INFINITY)]), 0.75);
    assert_eq!(send(64, &[]), 0.75);
    // A ramp's end may lie at the block's end; what it comes to there holds for the next block.
    send(64, &[(0, 0.0), (64, 1.0)]);
    assert_eq!(send(64, &[(0, 1.0)]), 1.0);
}

#[test]
fn the_controller_sets_at_rest_and_only_echoes_while_the_song_plays() {
    let rig = Rig::new();
    assert_eq!(rig.set(MIX, 0.25), kResultOk);
    assert_eq!(rig.value(MIX), 0.25);
    let rig = rig.active();
    assert_eq!(rig.set(MIX, f64::NAN), kInvalidArgument);
    assert_eq!(rig.set(MIX, 7.0), kResultOk);
    assert_eq!(rig.value(MIX), 1.0);
    let mut context = playing(0);
    rig.process(&[], &[], 64, |data| data.processContext = &mut context);
    assert_eq!(rig.set(MIX, 0.5), kResultOk);
    assert_eq!(rig.value(MIX), 1.0);
    let status = rig.value(STATUS);
    rig.set(STATUS, if status == 5.0 { 0.0 } else { 1.0 });
    assert_eq!(rig.value(STATUS), status);
    // SAFETY: a live object.
    unsafe { rig.processor.setProcessing(0) };
    rig.set(MIX, 0.5);
    assert_eq!(rig.value(MIX), 0.5);
}

#[test]
fn the_status_is_sent_when_it_changed_and_not_again() {
    let rig = Rig::new().active();
    let changes = ComWrapper::new(Changes::default());
    let pointer = changes.as_com_ref::<IParameterChanges>().unwrap().as_ptr();
    for _ in 0..3 {
        rig.process(&[], &[], 64, |data| data.outputParameterChanges = pointer);
    }
    let points = changes.points();
    let status = &parameters::table()[STATUS];
    assert_eq!(points.last(), Some(&(status.id, 0, status.normalise(rig.value(STATUS)))));
    assert!(points.windows(2).all(|pair| pair[0].2 != pair[1].2), "{points:?}");
}
