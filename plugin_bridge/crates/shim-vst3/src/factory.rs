//! The class factory: one class, described in the three generations of class info.

use std::ffi::{c_char, c_void};

use vst3::{Class, ComWrapper, Steinberg::*};

use crate::component::Component;
use crate::{guard, identity, text};

pub struct Factory;

impl Class for Factory {
    type Interfaces = (IPluginFactory3,);
}

impl IPluginFactoryTrait for Factory {
    unsafe fn getFactoryInfo(&self, info: *mut PFactoryInfo) -> tresult {
        // SAFETY: the host passes null or a writable struct.
        let Some(info) = (unsafe { info.as_mut() }) else { return kInvalidArgument };
        text::narrow(identity::VENDOR, &mut info.vendor);
        text::narrow("", &mut info.url);
        text::narrow("", &mut info.email);
        info.flags = PFactoryInfo_::FactoryFlags_::kUnicode as i32;
        kResultOk
    }

    unsafe fn countClasses(&self) -> i32 {
        1
    }

    unsafe fn getClassInfo(&self, index: i32, info: *mut PClassInfo) -> tresult {
        // SAFETY: as above.
        let Some(info) = (unsafe { info.as_mut() }).filter(|_| index == 0) else { return kInvalidArgument };
        info.cid = identity::CLASS_ID;
        info.cardinality = PClassInfo_::ClassCardinality_::kManyInstances as i32;
        text::narrow(identity::CATEGORY, &mut info.category);
        text::narrow(identity::NAME, &mut info.name);
        kResultOk
    }

    unsafe fn createInstance(&self, cid: FIDString, iid: FIDString, object: *mut *mut c_void) -> tresult {
        if cid.is_null() || iid.is_null() || object.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: ids are 16 bytes, `object` is writable.
        let class = unsafe {
            *object = std::ptr::null_mut();
            *cid.cast::<[c_char; 16]>()
        };
        if class != identity::CLASS_ID {
            return kNoInterface;
        }
        guard::or(kInternalError, || {
            let Some(unknown) = ComWrapper::new(Component::new()).to_com_ptr::<FUnknown>() else {
                return kInternalError;
            };
            // SAFETY: `unknown` is a live object; queryInterface adds the caller's reference.
            unsafe { ((*(*unknown.as_ptr()).vtbl).queryInterface)(unknown.as_ptr(), iid.cast(), object) }
        })
    }
}

impl IPluginFactory2Trait for Factory {
    unsafe fn getClassInfo2(&self, index: i32, info: *mut PClassInfo2) -> tresult {
        // SAFETY: as above.
        let Some(info) = (unsafe { info.as_mut() }).filter(|_| index == 0) else { return kInvalidArgument };
        info.cid = identity::CLASS_ID;
        info.cardinality = PClassInfo_::ClassCardinality_::kManyInstances as i32;
        info.classFlags = 0;
        text::narrow(identity::CATEGORY, &mut info.category);
        text::narrow(identity::NAME, &mut info.name);
        text::narrow(identity::SUBCATEGORIES, &mut info.subCategories);
        text::narrow(identity::VENDOR, &mut info.vendor);
        text::narrow(identity::VERSION, &mut info.version);
        text::narrow(identity::SDK_VERSION, &mut info.sdkVersion);
        kResultOk
    }
}

impl IPluginFactory3Trait for Factory {
    unsafe fn getClassInfoUnicode(&self, index: i32, info: *mut PClassInfoW) -> tresult {
        // SAFETY: as above.
        let Some(info) = (unsafe { info.as_mut() }).filter(|_| index == 0) else { return kInvalidArgument };
        info.cid = identity::CLASS_ID;
        info.cardinality = PClassInfo_::ClassCardinality_::kManyInstances as i32;
        info.classFlags = 0;
        text::narrow(identity::CATEGORY, &mut info.category);
        text::wide(identity::NAME, &mut info.name);
        text::narrow(identity::SUBCATEGORIES, &mut info.subCategories);
        text::wide(identity::VENDOR, &mut info.vendor);
        text::wide(identity::VERSION, &mut info.version);
        text::wide(identity::SDK_VERSION, &mut info.sdkVersion);
        kResultOk
    }

    unsafe fn setHostContext(&self, _context: *mut FUnknown) -> tresult {
        kResultOk
    }
}
