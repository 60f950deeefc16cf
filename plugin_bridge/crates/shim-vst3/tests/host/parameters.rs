//! The table, its units and its texts, as the host lists them.

use super::rig::{Rig, mix_id};
use super::state::{load, with};
use serde_json::json;
use shim_core::parameters::{self, Curve};
use vst3::{Steinberg::Vst::*, Steinberg::*};

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
    let names = json!({"snapshots": [null, {"name": "Glass pads"}], "loras": [{"name": "bells"}]});
    let rig = Rig::new();
    assert_eq!(load(&rig, &with(names)), kResultOk);
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
