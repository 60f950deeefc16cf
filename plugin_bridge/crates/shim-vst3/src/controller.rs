//! The parameter side: what the host lists, shows and sets.

use std::sync::atomic::Ordering;
#[cfg(all(feature = "editor", target_os = "linux"))]
use std::{ffi::CStr, sync::Arc};

use shim_core::parameters::{self, Curve, Parameter};
use vst3::{ComRef, Steinberg::Vst::*, Steinberg::*};

use crate::component::{Component, lock};
#[cfg(all(feature = "editor", target_os = "linux"))]
use crate::view::View;
use crate::{guard, text, units};

fn parameter(id: ParamID) -> Option<(usize, &'static Parameter)> {
    let index = parameters::index_of(id)?;
    Some((index, &parameters::table()[index]))
}

fn flags(parameter: &Parameter) -> i32 {
    use ParameterInfo_::ParameterFlags_::{kCanAutomate, kIsBypass, kIsList, kIsReadOnly};
    let mut flags = match parameter.curve {
        Curve::Status => kIsReadOnly,
        _ if parameter.automatable => kCanAutomate,
        _ => 0,
    };
    if parameter.id == parameters::table()[parameters::BYPASS].id {
        flags |= kIsBypass;
    }
    if !parameter.choices.is_empty() {
        flags |= kIsList;
    }
    flags as i32
}

impl Component {
    fn title(&self, index: usize, parameter: &Parameter) -> String {
        self.instance().map_or_else(|| parameter.name.to_owned(), |instance| instance.title(index))
    }

    fn set_value(&self, id: ParamID, normalised: f64) -> tresult {
        let Some((index, parameter)) = parameter(id).filter(|_| normalised.is_finite()) else {
            return kInvalidArgument;
        };
        let Some(instance) = self.instance() else { return kNotInitialized };
        // While the song plays, the same change comes through `process` with its place in it, and this call is an echo
        // that may arrive blocks later. At rest it may be the only word before the host saves the state.
        if parameter.curve != Curve::Status && !self.playing.load(Ordering::Relaxed) {
            instance.set_value(index, parameter.plain(normalised.clamp(0.0, 1.0)));
        }
        kResultOk
    }
}

impl IEditControllerTrait for Component {
    // The controller's state is the component's: hosts pass it here a second time, and it is in force already.
    unsafe fn setComponentState(&self, _state: *mut IBStream) -> tresult {
        kResultOk
    }

    unsafe fn setState(&self, _state: *mut IBStream) -> tresult {
        kResultOk
    }

    unsafe fn getState(&self, _state: *mut IBStream) -> tresult {
        kResultOk
    }

    unsafe fn getParameterCount(&self) -> i32 {
        guard::or(0, || parameters::table().len() as i32)
    }

    unsafe fn getParameterInfo(&self, index: i32, info: *mut ParameterInfo) -> tresult {
        guard::or(kInternalError, || {
            let parameter = usize::try_from(index).ok().and_then(|index| parameters::table().get(index));
            // SAFETY: null or writable.
            let (Some(parameter), Some(info)) = (parameter, unsafe { info.as_mut() }) else { return kInvalidArgument };
            info.id = parameter.id;
            text::wide(&self.title(index as usize, parameter), &mut info.title);
            text::wide(parameter.name, &mut info.shortTitle);
            text::wide(parameter.unit, &mut info.units);
            info.stepCount = parameter.steps.unwrap_or(0) as i32;
            info.defaultNormalizedValue = parameter.normalise(parameter.default);
            info.unitId = units::of(parameter);
            info.flags = flags(parameter);
            kResultOk
        })
    }

    unsafe fn getParamStringByValue(&self, id: ParamID, normalised: ParamValue, string: *mut String128) -> tresult {
        guard::or(kInternalError, || {
            // SAFETY: null or writable.
            let (Some((index, parameter)), Some(string)) = (parameter(id), unsafe { string.as_mut() }) else {
                return kInvalidArgument;
            };
            let plain = parameter.plain(normalised);
            let named = self.instance().map(|instance| instance.display(index, plain));
            text::wide(&named.unwrap_or_else(|| parameter.display(plain)), string);
            // Hosts ask for texts as they draw, on their main thread.
            self.news.tell_dirty();
            kResultOk
        })
    }

    unsafe fn getParamValueByString(&self, id: ParamID, string: *mut TChar, normalised: *mut ParamValue) -> tresult {
        guard::or(kInternalError, || {
            // SAFETY: null or terminated text; null or writable.
            let (string, normalised) = unsafe { (text::read(string), normalised.as_mut()) };
            let (Some((index, parameter)), Some(string), Some(normalised)) = (parameter(id), string, normalised) else {
                return kInvalidArgument;
            };
            let plain = match self.instance() {
                Some(instance) => instance.parse(index, &string),
                None => parameter.parse(&string),
            };
            let Some(plain) = plain else { return kResultFalse };
            *normalised = parameter.normalise(plain);
            kResultOk
        })
    }

    unsafe fn normalizedParamToPlain(&self, id: ParamID, normalised: ParamValue) -> ParamValue {
        guard::or(0.0, || parameter(id).map_or(0.0, |(_, parameter)| parameter.plain(normalised)))
    }

    unsafe fn plainParamToNormalized(&self, id: ParamID, plain: ParamValue) -> ParamValue {
        guard::or(0.0, || parameter(id).map_or(0.0, |(_, parameter)| parameter.normalise(parameter.quantise(plain))))
    }

    unsafe fn getParamNormalized(&self, id: ParamID) -> ParamValue {
        guard::or(0.0, || {
            let Some((index, parameter)) = parameter(id) else { return 0.0 };
            let plain = self.instance().map_or(parameter.default, |instance| instance.value(index));
            parameter.normalise(plain)
        })
    }

    unsafe fn setParamNormalized(&self, id: ParamID, normalised: ParamValue) -> tresult {
        guard::or(kInternalError, || {
            let result = self.set_value(id, normalised);
            self.news.tell_dirty();
            result
        })
    }

    unsafe fn setComponentHandler(&self, handler: *mut IComponentHandler) -> tresult {
        guard::or(kInternalError, || {
            // SAFETY: null or a live object of the host.
            let handler = unsafe { ComRef::from_raw(handler) }.map(|handler| handler.to_com_ptr());
            // The one before is let go of outside the lock.
            let before = std::mem::replace(&mut *lock(&self.handler), handler);
            drop(before);
            kResultOk
        })
    }

    #[cfg(all(feature = "editor", target_os = "linux"))]
    unsafe fn createView(&self, name: FIDString) -> *mut IPlugView {
        guard::or(std::ptr::null_mut(), || {
            // SAFETY: null or terminated text.
            let named = !name.is_null() && unsafe { CStr::from_ptr(name) == CStr::from_ptr(ViewType::kEditor) };
            match self.instance().filter(|_| named) {
                Some(instance) => View::create(instance, Arc::clone(&self.handler), Arc::clone(&self.news)),
                None => std::ptr::null_mut(),
            }
        })
    }

    #[cfg(not(all(feature = "editor", target_os = "linux")))]
    unsafe fn createView(&self, _name: FIDString) -> *mut IPlugView {
        std::ptr::null_mut()
    }
}
