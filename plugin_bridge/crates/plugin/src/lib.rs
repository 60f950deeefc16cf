//! The shared object that hosts load: VST3 and CLAP in one, nothing exported but their entry points.
#![deny(unsafe_op_in_unsafe_fn)]

use std::ffi::c_void;

clack_plugin::clack_export_entry!(shim_clap::Entry);

/// VST3: the class factory, with one reference for the caller.
#[unsafe(no_mangle)]
pub extern "system" fn GetPluginFactory() -> *mut c_void {
    shim_vst3::plugin_factory()
}

/// VST3 on Linux: called once after loading.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
pub extern "system" fn ModuleEntry(_library: *mut c_void) -> bool {
    true
}

/// VST3 on Linux: called once before unloading.
#[cfg(target_os = "linux")]
#[unsafe(no_mangle)]
pub extern "system" fn ModuleExit() -> bool {
    true
}

/// VST3 on Windows.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub extern "system" fn InitDll() -> bool {
    true
}

/// VST3 on Windows.
#[cfg(target_os = "windows")]
#[unsafe(no_mangle)]
pub extern "system" fn ExitDll() -> bool {
    true
}

/// VST3 on macOS.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "system" fn bundleEntry(_bundle: *mut c_void) -> bool {
    true
}

/// VST3 on macOS.
#[cfg(target_os = "macos")]
#[unsafe(no_mangle)]
pub extern "system" fn bundleExit() -> bool {
    true
}
