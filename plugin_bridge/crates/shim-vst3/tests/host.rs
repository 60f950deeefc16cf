//! The plugin object as a VST3 host sees it, without a sidecar: it must behave as a wire.

// VST3's enum constants are signed on Windows and unsigned elsewhere.
#![allow(clippy::unnecessary_cast)]

mod rig;

use rig::{Changes, OFFLINE, Rig, Stream, create, factory, playing};
use shim_core::parameters::{self, Curve, MIX, STATUS};
use vst3::{ComWrapper, Steinberg::Vst::*, Steinberg::*};

const FRAMES: usize = 64;

fn ramp(sign: f32) -> Vec<f32> {
    (0..4096).map(|index| sign * index as f32 / 4096.0).collect()
}

fn mix_id() -> ParamID {
    parameters::table()[MIX].id
}

#[test]
fn the_factory_describes_one_effect_and_makes_no_other() {
    let factory = factory();
    // SAFETY: live objects, writable structs (all zeros is a value of each).
    unsafe {
        assert_eq!(factory.countClasses(), 1);
        let mut info: PClassInfoW = std::mem::zeroed();
        assert_eq!(factory.getClassInfoUnicode(0, &mut info), kResultOk);
        assert_eq!(info.cid, shim_vst3::identity::CLASS_ID);
        assert_eq!(String::from_utf16_lossy(&info.name[..6]), "DEMON\0");
        assert_eq!(factory.getClassInfoUnicode(1, &mut info), kInvalidArgument);
        assert_eq!(factory.getClassInfoUnicode(-1, &mut info), kInvalidArgument);
        let mut info: PClassInfo2 = std::mem::zeroed();
        assert_eq!(factory.getClassInfo2(0, &mut info), kResultOk);
        assert_eq!(info.subCategories[..3].iter().map(|c| *c as u8).collect::<Vec<_>>(), b"Fx\0");
        let mut object = std::ptr::null_mut();
        let other = [0; 16];
        assert_eq!(factory.createInstance(other.as_ptr(), IComponent_iid.as_ptr(), &mut object), kNoInterface);
        assert_eq!(factory.createInstance(info.cid.as_ptr(), other.as_ptr(), &mut object), kNoInterface);
        assert!(object.is_null());
    }
}

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
        let stream = ComWrapper::new(Stream::default());
        *stream.bytes.borrow_mut() = looking_ahead(&rig, "0.001");
        let pointer = stream.as_com_ref::<IBStream>().unwrap().as_ptr();
        assert_eq!(rig.component.setState(pointer), kResultOk);
        assert_eq!(rig.processor.getLatencySamples(), 0);
        assert_eq!(rig.component.setActive(0), kResultOk);
        assert_eq!(rig.processor.getLatencySamples(), 48, "what the next activation will declare");
        assert_eq!(rig.setup(96_000.0, 64), kResultOk);
        assert_eq!(rig.component.setActive(1), kResultOk);
        assert_eq!(rig.processor.getLatencySamples(), 96);
    }
    assert!(rig.handler.restarts.borrow().is_empty(), "not from inside setState, where Ardour holds its lock");
}

/// A state whose document asks for this look-ahead, in seconds.
fn looking_ahead(rig: &Rig, seconds: &str) -> Vec<u8> {
    let stream = ComWrapper::new(Stream::default());
    let pointer = stream.as_com_ref::<IBStream>().unwrap().as_ptr();
    // SAFETY: live objects.
    unsafe { assert_eq!(rig.component.getState(pointer), kResultOk) };
    let saved = stream.bytes.borrow();
    let length = u32::from_le_bytes(saved[12..16].try_into().unwrap()) as usize;
    let document = String::from_utf8(saved[16..16 + length].to_vec()).unwrap();
    let document = document.replacen('{', &format!("{{\"look_ahead\":{seconds},"), 1);
    let mut blob = saved[..12].to_vec();
    blob.extend((document.len() as u32).to_le_bytes());
    blob.extend(document.as_bytes());
    blob.extend(0u32.to_le_bytes());
    blob.extend(crc32fast::hash(&blob).to_le_bytes());
    blob
}

#[test]
fn parameters_are_those_of_the_table() {
    use ParameterInfo_::ParameterFlags_::{kCanAutomate, kIsBypass, kIsList, kIsReadOnly};
    let rig = Rig::new();
    // SAFETY: live objects, writable structs.
    unsafe {
        assert_eq!(rig.controller.getParameterCount() as usize, parameters::COUNT);
        let mut info: ParameterInfo = std::mem::zeroed();
        for (index, parameter) in parameters::table().iter().enumerate() {
            assert_eq!(rig.controller.getParameterInfo(index as i32, &mut info), kResultOk);
            assert_eq!(info.id, parameter.id);
            assert_ne!(info.id, 0);
            assert_eq!(info.stepCount as u32, parameter.steps.unwrap_or(0));
            assert_eq!(parameter.plain(info.defaultNormalizedValue), parameter.default);
            let has = |flag| info.flags & flag as i32 != 0;
            assert_eq!(has(kIsBypass as i64), index == parameters::BYPASS);
            assert_eq!(has(kIsReadOnly as i64), parameter.curve == Curve::Status);
            let automated = parameter.curve != Curve::Status && parameter.automatable;
            assert_eq!(has(kCanAutomate as i64), automated, "{}", parameter.key);
            assert_eq!(has(kIsList as i64), !parameter.choices.is_empty());
        }
        assert_eq!(rig.controller.getParameterInfo(parameters::COUNT as i32, &mut info), kInvalidArgument);
        assert_eq!(rig.controller.getParameterInfo(-1, &mut info), kInvalidArgument);
        assert_eq!(rig.controller.setParamNormalized(0, 0.0), kInvalidArgument);
    }
}

#[test]
fn every_parameter_is_in_a_unit_and_every_unit_below_the_root() {
    let rig = Rig::new();
    let units = rig.component.cast::<IUnitInfo>().unwrap();
    // SAFETY: live objects, writable structs.
    unsafe {
        let mut unit: UnitInfo = std::mem::zeroed();
        let mut named = std::collections::HashMap::new();
        for index in 0..units.getUnitCount() {
            assert_eq!(units.getUnitInfo(index, &mut unit), kResultOk);
            assert_eq!(unit.parentUnitId, if index == 0 { kNoParentUnitId } else { kRootUnitId });
            assert_eq!(unit.programListId, kNoProgramListId);
            named.insert(unit.id, read(&unit.name));
        }
        assert_eq!(named.len(), parameters::modules().len() + 1, "ids are unique");
        assert_eq!(units.getUnitInfo(units.getUnitCount(), &mut unit), kInvalidArgument);
        assert_eq!(units.getUnitInfo(-1, &mut unit), kInvalidArgument);
        let mut info: ParameterInfo = std::mem::zeroed();
        for (index, parameter) in parameters::table().iter().enumerate() {
            rig.controller.getParameterInfo(index as i32, &mut info);
            assert_eq!(named[&info.unitId], parameter.module);
        }
        assert_eq!((units.getProgramListCount(), units.getSelectedUnit()), (0, kRootUnitId));
    }
}

fn read(text: &[u16]) -> String {
    String::from_utf16_lossy(text).split('\0').next().unwrap().to_owned()
}

#[test]
fn what_the_project_names_is_shown_by_its_name_and_found_by_it() {
    let named = shim_core::Instance::new("test");
    let names = serde_json::json!({"snapshots": [null, {"name": "Glass pads"}], "loras": [{"name": "bells"}]});
    named.edit(names.as_object().cloned().unwrap()).unwrap();
    let rig = Rig::new();
    assert_eq!(load(&rig, &named.save_state()), kResultOk);
    let of = |key| &parameters::table()[parameters::index_of_key(key).unwrap()];
    let (snapshot, lora) = (of("prompt_snapshot"), parameters::index_of_key("lora_1").unwrap());
    // SAFETY: live objects, writable targets.
    unsafe {
        let mut text: String128 = [1; 128];
        rig.controller.getParamStringByValue(snapshot.id, snapshot.normalise(2.0), &mut text);
        assert_eq!(read(&text), "2: Glass pads");
        let mut back = -1.0;
        let mut typed = "glass pads\0".encode_utf16().collect::<Vec<_>>();
        for text in [text.as_mut_ptr(), typed.as_mut_ptr()] {
            assert_eq!(rig.controller.getParamValueByString(snapshot.id, text, &mut back), kResultOk);
            assert_eq!(snapshot.plain(back), 2.0);
        }
        let mut info: ParameterInfo = std::mem::zeroed();
        rig.controller.getParameterInfo(lora as i32, &mut info);
        assert_eq!((read(&info.title), read(&info.shortTitle)), ("LoRA 1: bells".into(), "LoRA 1".into()));
    }
}

#[test]
fn text_of_every_parameter_reads_back() {
    let rig = Rig::new();
    for parameter in parameters::table() {
        let (mut text, mut back): (String128, f64) = ([1; 128], -1.0);
        let normalised = parameter.normalise(parameter.default);
        // SAFETY: live objects, writable targets.
        unsafe {
            assert_eq!(rig.controller.getParamStringByValue(parameter.id, normalised, &mut text), kResultOk);
            assert_eq!(rig.controller.getParamValueByString(parameter.id, text.as_mut_ptr(), &mut back), kResultOk);
        }
        assert_eq!(back, normalised, "{}", parameter.key);
    }
    let mut wrong = "much\0".encode_utf16().collect::<Vec<_>>();
    // SAFETY: terminated text, writable target.
    let result = unsafe { rig.controller.getParamValueByString(mix_id(), wrong.as_mut_ptr(), &mut 0.0) };
    assert_eq!(result, kResultFalse);
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

fn save(rig: &Rig) -> Vec<u8> {
    let stream = ComWrapper::new(Stream::default());
    // SAFETY: live objects.
    let result = unsafe { rig.component.getState(stream.as_com_ref::<IBStream>().unwrap().as_ptr()) };
    assert_eq!(result, kResultOk);
    stream.bytes.borrow().clone()
}

/// Loads from a stream that stands behind a header of the host's own.
fn load(rig: &Rig, blob: &[u8]) -> tresult {
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
    let named = shim_core::Instance::new("test");
    named.edit(serde_json::json!({"loras": [{"name": "bells"}]}).as_object().cloned().unwrap()).unwrap();
    let rig = Rig::new();
    assert_eq!(load(&rig, &named.save_state()), kResultOk);
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

#[test]
fn the_life_cycle_may_come_in_any_order() {
    let rig = Rig::new().active();
    // SAFETY: live objects.
    unsafe {
        assert_eq!(rig.component.setActive(1), kResultOk);
        assert_eq!(rig.component.terminate(), kResultOk);
        assert_eq!(rig.component.setActive(1), kNotInitialized);
        assert_eq!(rig.component.terminate(), kResultOk);
        assert_eq!(rig.component.initialize(std::ptr::null_mut()), kResultOk);
        assert_eq!(rig.component.initialize(std::ptr::null_mut()), kResultOk);
        assert_eq!(rig.component.setActive(1), kResultOk);
    }
    drop(rig);
    drop(create());
}

#[test]
fn a_setup_that_cannot_be_served_is_refused() {
    let rig = Rig::new();
    for rate in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert_eq!(rig.setup(rate, 64), kResultFalse);
    }
    for largest in [-1, 0, 1, i32::MAX] {
        assert_eq!(rig.setup(44_100.0, largest), kResultOk);
        // SAFETY: a live object.
        unsafe {
            assert_eq!(rig.component.setActive(1), kResultOk);
            rig.component.setActive(0);
        }
    }
    assert_eq!(rig.setup(1e9, 64), kResultOk);
    // SAFETY: a live object.
    unsafe { assert_eq!(rig.component.setActive(1), kResultFalse) };
}
