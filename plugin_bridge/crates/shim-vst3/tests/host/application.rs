//! The host's context: its name, and a run loop that turns when a test says so.

use std::cell::RefCell;
use std::ffi::c_void;

use vst3::Steinberg::Linux::*;
use vst3::{Class, ComPtr, ComRef, Steinberg::Vst::*, Steinberg::*};

/// The host's own objects, all thread-bound: the tests call from one thread.
#[derive(Default)]
pub struct Application {
    timers: RefCell<Vec<ComPtr<ITimerHandler>>>,
}

impl Class for Application {
    type Interfaces = (IHostApplication, IRunLoop);
}

impl Application {
    /// One turn of the run loop; how many timers it has.
    pub fn turn(&self) -> usize {
        let timers = self.timers.borrow().clone();
        // SAFETY: counted, so alive.
        timers.iter().for_each(|timer| unsafe { timer.onTimer() });
        timers.len()
    }
}

impl IRunLoopTrait for Application {
    unsafe fn registerEventHandler(&self, _handler: *mut IEventHandler, _fd: FileDescriptor) -> tresult {
        kNotImplemented
    }
    unsafe fn unregisterEventHandler(&self, _handler: *mut IEventHandler) -> tresult {
        kNotImplemented
    }
    unsafe fn registerTimer(&self, handler: *mut ITimerHandler, _milliseconds: TimerInterval) -> tresult {
        // SAFETY: the plugin passes a live object.
        let timer = unsafe { ComRef::from_raw(handler) }.unwrap().to_com_ptr();
        self.timers.borrow_mut().push(timer);
        kResultOk
    }
    unsafe fn unregisterTimer(&self, handler: *mut ITimerHandler) -> tresult {
        self.timers.borrow_mut().retain(|timer| timer.as_ptr() != handler);
        kResultOk
    }
}

impl IHostApplicationTrait for Application {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        // SAFETY: the plugin passes a writable buffer.
        let name = unsafe { &mut *name };
        // No terminator: the plugin has to stop at the buffer's end.
        name.fill(u16::from(b'h'));
        kResultOk
    }

    unsafe fn createInstance(&self, _class: *mut TUID, _iid: *mut TUID, _object: *mut *mut c_void) -> tresult {
        kNotImplemented
    }
}
