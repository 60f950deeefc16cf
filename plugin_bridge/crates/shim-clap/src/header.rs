//! A transport without an event header, given to the plugin as one that has its header.
//!
//! qtractor (0.9.31) leaves the header of `clap_process.transport` zero. clack refuses every block of such a host, though
//! the field can hold nothing but a transport. So `process` is ours: it completes the header in a copy and goes on to
//! clack's.

use std::ffi::c_char;
use std::mem::size_of;
use std::sync::OnceLock;

use clack_plugin::entry::prelude::PluginFactoryWrapper;
use clack_plugin::factory::{FactoryImplementation, FactoryWrapper};
use clap_sys::events::{CLAP_CORE_EVENT_SPACE_ID, CLAP_EVENT_TRANSPORT, clap_event_header, clap_event_transport};
use clap_sys::factory::plugin_factory::clap_plugin_factory;
use clap_sys::host::clap_host;
use clap_sys::plugin::{clap_plugin, clap_plugin_descriptor};
use clap_sys::process::{CLAP_PROCESS_ERROR, clap_process, clap_process_status};

use crate::entry::Plugins;

type ProcessCall = unsafe extern "C" fn(*const clap_plugin, *const clap_process) -> clap_process_status;

/// clack's `process`, one function for all instances of the one plugin.
static PROCESS: OnceLock<ProcessCall> = OnceLock::new();

/// The plugin factory whose instances take transports as hosts send them.
pub struct Factory(FactoryWrapper<clap_plugin_factory, PluginFactoryWrapper<Plugins>>);

impl Factory {
    const RAW: clap_plugin_factory = clap_plugin_factory {
        get_plugin_count: Some(count),
        get_plugin_descriptor: Some(descriptor),
        create_plugin: Some(create),
    };

    pub fn new(plugins: Plugins) -> Self {
        Self(FactoryWrapper::new(Self::RAW, PluginFactoryWrapper::new(plugins)))
    }
}

// SAFETY: `RAW` implements every function of `clap_plugin_factory` as CLAP asks.
unsafe impl<'a> FactoryImplementation<'a> for Factory {
    type Factory = <PluginFactoryWrapper<Plugins> as FactoryImplementation<'a>>::Factory;
    type Wrapped = PluginFactoryWrapper<Plugins>;

    fn wrapper(&self) -> &FactoryWrapper<clap_plugin_factory, Self::Wrapped> {
        &self.0
    }
}

/// clack's own factory behind ours; none when ours is not one.
///
/// # Safety
/// `factory` is what `Factory` gave the host.
unsafe fn behind(factory: *const clap_plugin_factory) -> Option<&'static clap_plugin_factory> {
    type Ours = FactoryWrapper<clap_plugin_factory, PluginFactoryWrapper<Plugins>>;
    // SAFETY: as the contract says.
    let found = unsafe { Ours::handle(factory, |inner| Ok(inner.as_raw_ptr())) }?;
    // SAFETY: the factory lives in the entry, until the host unloads the file.
    unsafe { found.as_ref() }
}

/// # Safety
/// As [`behind`].
unsafe extern "C" fn count(factory: *const clap_plugin_factory) -> u32 {
    // SAFETY: as the contract says; clack's functions take clack's own factory.
    unsafe { behind(factory).and_then(|inner| Some(inner.get_plugin_count?(inner))).unwrap_or(0) }
}

/// # Safety
/// As [`behind`].
unsafe extern "C" fn descriptor(factory: *const clap_plugin_factory, index: u32) -> *const clap_plugin_descriptor {
    // SAFETY: as in `count`.
    let found = unsafe { behind(factory).and_then(|inner| Some(inner.get_plugin_descriptor?(inner, index))) };
    found.unwrap_or(std::ptr::null())
}

/// # Safety
/// As [`behind`]; `host` and `id` are what CLAP has a host pass to `create_plugin`.
unsafe extern "C" fn create(
    factory: *const clap_plugin_factory,
    host: *const clap_host,
    id: *const c_char,
) -> *const clap_plugin {
    // SAFETY: as in `count`; clack asks of the other pointers what our contract does.
    let made = unsafe { behind(factory).and_then(|inner| Some(inner.create_plugin?(inner, host, id))) };
    let plugin = made.unwrap_or(std::ptr::null()).cast_mut();
    // SAFETY: clack made it on the heap for the host, which has not seen it yet.
    if let Some(plugin) = unsafe { plugin.as_mut() } {
        if let Some(call) = plugin.process {
            PROCESS.get_or_init(|| call);
        }
        plugin.process = Some(process);
    }
    plugin
}

/// Audio thread.
///
/// # Safety
/// `plugin` is one that [`create`] made, and `block` a valid block, its transport null or valid during the call.
unsafe extern "C" fn process(plugin: *const clap_plugin, block: *const clap_process) -> clap_process_status {
    let Some(call) = PROCESS.get() else { return CLAP_PROCESS_ERROR };
    // SAFETY: as the contract says.
    let (host, transport) = unsafe { (&*block, (*block).transport.as_ref()) };
    match transport.filter(|transport| !is_whole(&transport.header)) {
        // SAFETY: the host's arguments, as they came.
        None => unsafe { call(plugin, block) },
        Some(transport) => {
            let transport = clap_event_transport { header: whole(), ..*transport };
            let block = clap_process { transport: &transport, ..*host };
            // SAFETY: a copy of the host's block; only its transport is another, which outlives the call.
            unsafe { call(plugin, &block) }
        }
    }
}

fn is_whole(header: &clap_event_header) -> bool {
    header.space_id == CLAP_CORE_EVENT_SPACE_ID && header.type_ == CLAP_EVENT_TRANSPORT
}

fn whole() -> clap_event_header {
    clap_event_header {
        size: size_of::<clap_event_transport>() as u32,
        time: 0,
        space_id: CLAP_CORE_EVENT_SPACE_ID,
        type_: CLAP_EVENT_TRANSPORT,
        flags: 0,
    }
}
