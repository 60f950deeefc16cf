//! What the host hears from the controller; the unit tests of `news` use it too.

use std::cell::{Cell, RefCell};

use vst3::{Class, Steinberg::Vst::*, Steinberg::*};

#[derive(Default)]
pub struct ComponentHandler {
    /// The flags of every restart that was asked for.
    pub restarts: RefCell<Vec<i32>>,
    /// How often the project was called dirty.
    pub dirty: Cell<u32>,
}

impl Class for ComponentHandler {
    type Interfaces = (IComponentHandler, IComponentHandler2);
}

impl IComponentHandlerTrait for ComponentHandler {
    unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn performEdit(&self, _id: ParamID, _value: ParamValue) -> tresult {
        kResultOk
    }
    unsafe fn endEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn restartComponent(&self, flags: i32) -> tresult {
        self.restarts.borrow_mut().push(flags);
        kResultOk
    }
}

impl IComponentHandler2Trait for ComponentHandler {
    unsafe fn setDirty(&self, _state: TBool) -> tresult {
        self.dirty.set(self.dirty.get() + 1);
        kResultOk
    }
    unsafe fn requestOpenEditor(&self, _name: FIDString) -> tresult {
        kNotImplemented
    }
    unsafe fn startGroupEdit(&self) -> tresult {
        kNotImplemented
    }
    unsafe fn finishGroupEdit(&self) -> tresult {
        kNotImplemented
    }
}
