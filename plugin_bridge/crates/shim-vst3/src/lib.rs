//! The VST3 side of the DEMON plugin.
//!
//! One class is component, processor and edit controller in one, so that all three see the same
//! [`shim_core::Instance`]. This crate only translates; what audio and parameters mean is shim-core's.
#![deny(unsafe_op_in_unsafe_fn)]
// VST3's enum constants are signed on Windows and unsigned elsewhere.
#![allow(clippy::unnecessary_cast)]

mod block;
mod changes;
mod component;
mod controller;
mod factory;
mod guard;
pub mod identity;
mod news;
#[cfg(all(feature = "editor", target_os = "linux"))]
mod posts;
mod processor;
mod stream;
mod text;
mod units;
#[cfg(all(feature = "editor", target_os = "linux"))]
mod view;

use std::ffi::c_void;

use vst3::{ComWrapper, Steinberg::IPluginFactory};

/// The module's factory with one reference for the caller: what `GetPluginFactory` returns.
pub fn plugin_factory() -> *mut c_void {
    guard::or(std::ptr::null_mut(), || {
        ComWrapper::new(factory::Factory)
            .to_com_ptr::<IPluginFactory>()
            .map_or(std::ptr::null_mut(), |factory| factory.into_raw().cast())
    })
}
