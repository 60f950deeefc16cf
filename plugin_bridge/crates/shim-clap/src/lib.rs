//! The CLAP side of the DEMON plugin.
//!
//! This crate only translates between clack's types and [`shim_core`]; what audio and parameters mean is shim-core's.
#![deny(unsafe_op_in_unsafe_fn)]

mod discovery;
mod entry;
#[cfg(all(feature = "editor", target_os = "linux"))]
mod gestures;
#[cfg(all(feature = "editor", target_os = "linux"))]
mod gui;
mod header;
mod main_thread;
mod pages;
mod params;
mod preset;
mod processor;
mod shared;
mod state;
mod transport;

use clack_extensions::{
    audio_ports::PluginAudioPorts, latency::PluginLatency, params::PluginParams, preset_discovery::PluginPresetLoad,
    remote_controls::PluginRemoteControls, render::PluginRender, state::PluginState, tail::PluginTail,
};
use clack_plugin::prelude::*;

use main_thread::MainThread;
use processor::AudioProcessor;
use shared::Shared;

/// Stable for ever: sessions and presets name the plugin by it.
const ID: &str = "demon-bridge.demon";

pub use entry::DemonEntry as Entry;

pub struct Demon;

impl Plugin for Demon {
    type AudioProcessor<'a> = AudioProcessor<'a>;
    type Shared<'a> = Shared<'a>;
    type MainThread<'a> = MainThread<'a>;

    fn declare_extensions(builder: &mut PluginExtensions<Self>, _shared: Option<&Shared<'_>>) {
        builder
            .register::<PluginAudioPorts>()
            .register::<PluginLatency>()
            .register::<PluginParams>()
            .register::<PluginPresetLoad>()
            .register::<PluginRemoteControls>()
            .register::<PluginRender>()
            .register::<PluginState>()
            .register::<PluginTail>();
        #[cfg(all(feature = "editor", target_os = "linux"))]
        builder.register::<clack_extensions::gui::PluginGui>();
    }
}
