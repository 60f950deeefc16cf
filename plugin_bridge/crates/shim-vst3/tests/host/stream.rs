//! Where a state is written and read.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;

use vst3::{Class, Steinberg::*};

/// A stream that gives and takes at most five bytes a call, and calls its end a failure as some hosts do.
#[derive(Default)]
pub struct Stream {
    pub bytes: RefCell<Vec<u8>>,
    pub at: Cell<usize>,
}

const PIECE: usize = 5;

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, buffer: *mut c_void, size: i32, count: *mut i32) -> tresult {
        let bytes = self.bytes.borrow();
        let piece = &bytes[self.at.get()..];
        let piece = &piece[..piece.len().min(size as usize).min(PIECE)];
        self.at.set(self.at.get() + piece.len());
        // SAFETY: the plugin's buffer holds `size` bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(piece.as_ptr(), buffer.cast(), piece.len());
            *count = piece.len() as i32;
        }
        if piece.is_empty() { kResultFalse } else { kResultOk }
    }

    unsafe fn write(&self, buffer: *mut c_void, size: i32, count: *mut i32) -> tresult {
        let piece = (size as usize).min(PIECE);
        // SAFETY: the plugin's buffer holds `size` bytes.
        unsafe {
            self.bytes.borrow_mut().extend_from_slice(std::slice::from_raw_parts(buffer.cast(), piece));
            *count = piece as i32;
        }
        kResultOk
    }

    unsafe fn seek(&self, _position: i64, _mode: i32, _result: *mut i64) -> tresult {
        kNotImplemented
    }

    unsafe fn tell(&self, _position: *mut i64) -> tresult {
        kNotImplemented
    }
}
