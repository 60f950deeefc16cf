//! The plugin's window.
//!
//! One page of egui, drawn by the CPU, on a thread and an X11 connection of its own: neither the audio thread nor the
//! host's main thread ever waits for it, and the shared object needs no graphics library. It knows an
//! [`Instance`](shim_core::Instance) and [`HostGestures`](shim_core::HostGestures), and no plugin API.
#![cfg(target_os = "linux")]
#![forbid(unsafe_code)]

mod editor;
mod page;
mod raster;
mod thread;
mod window;

pub use editor::{Editor, HostWindow, MIN_SIZE, SIZE, size};
