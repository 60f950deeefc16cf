//! Parameter groups as VST3 units, below the root. There are no program lists: presets are files.

use shim_core::parameters::{self, Parameter};
use vst3::{Steinberg::Vst::*, Steinberg::*};

use crate::component::Component;
use crate::{guard, text};

/// The unit of a parameter.
pub fn of(parameter: &Parameter) -> UnitID {
    let module = parameters::modules().iter().find(|module| module.name == parameter.module);
    module.map_or(kRootUnitId, |module| module.id as UnitID)
}

impl IUnitInfoTrait for Component {
    unsafe fn getUnitCount(&self) -> i32 {
        parameters::modules().len() as i32 + 1
    }

    unsafe fn getUnitInfo(&self, index: i32, info: *mut UnitInfo) -> tresult {
        guard::or(kInternalError, || {
            let unit = match index {
                0 => Some((kRootUnitId, kNoParentUnitId, "DEMON")),
                _ => {
                    let module = usize::try_from(index - 1).ok().and_then(|index| parameters::modules().get(index));
                    module.map(|module| (module.id as UnitID, kRootUnitId, module.name))
                }
            };
            // SAFETY: null or writable.
            let (Some((id, parent, name)), Some(info)) = (unit, unsafe { info.as_mut() }) else {
                return kInvalidArgument;
            };
            (info.id, info.parentUnitId, info.programListId) = (id, parent, kNoProgramListId);
            text::wide(name, &mut info.name);
            kResultOk
        })
    }

    unsafe fn getProgramListCount(&self) -> i32 {
        0
    }

    unsafe fn getProgramListInfo(&self, _index: i32, _info: *mut ProgramListInfo) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramName(&self, _list: ProgramListID, _program: i32, _name: *mut String128) -> tresult {
        kInvalidArgument
    }

    unsafe fn getProgramInfo(
        &self,
        _list: ProgramListID,
        _program: i32,
        _attribute: vst3::Steinberg::Vst::CString,
        _value: *mut String128,
    ) -> tresult {
        kInvalidArgument
    }

    unsafe fn hasProgramPitchNames(&self, _list: ProgramListID, _program: i32) -> tresult {
        kResultFalse
    }

    unsafe fn getProgramPitchName(
        &self,
        _list: ProgramListID,
        _program: i32,
        _pitch: i16,
        _name: *mut String128,
    ) -> tresult {
        kInvalidArgument
    }

    unsafe fn getSelectedUnit(&self) -> UnitID {
        kRootUnitId
    }

    unsafe fn selectUnit(&self, _unit: UnitID) -> tresult {
        // The editor shows all of them.
        kResultFalse
    }

    unsafe fn getUnitByBus(
        &self,
        _media: MediaType,
        _direction: BusDirection,
        _bus: i32,
        _channel: i32,
        unit: *mut UnitID,
    ) -> tresult {
        // SAFETY: null or writable.
        let Some(unit) = (unsafe { unit.as_mut() }) else { return kInvalidArgument };
        // Every unit acts on the same signal.
        *unit = kRootUnitId;
        kResultOk
    }

    unsafe fn setUnitProgramData(&self, _list: i32, _program: i32, _data: *mut IBStream) -> tresult {
        kInvalidArgument
    }
}
