//! The CLAP side of the DEMON plugin.
//!
//! This crate only translates between clack's types and [`shim_core`]; what audio and parameters mean is shim-core's.
#![deny(unsafe_op_in_unsafe_fn)]

mod main_thread;
mod params;
mod processor;
mod shared;
mod state;
mod transport;

use clack_extensions::{
    audio_ports::PluginAudioPorts, latency::PluginLatency, params::PluginParams, render::PluginRender,
    state::PluginState, tail::PluginTail,
};
use clack_plugin::entry::{DefaultPluginFactory, SinglePluginEntry};
use clack_plugin::plugin::features::{AUDIO_EFFECT, STEREO};
use clack_plugin::prelude::*;

use main_thread::MainThread;
use processor::AudioProcessor;
use shared::Shared;

/// Stable for ever: sessions and presets name the plugin by it.
const ID: &str = "demon-bridge.demon";

/// What `clap_entry` initialises.
pub type Entry = SinglePluginEntry<Demon>;

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
            .register::<PluginRender>()
            .register::<PluginState>()
            .register::<PluginTail>();
    }
}

impl DefaultPluginFactory for Demon {
    fn get_descriptor() -> PluginDescriptor {
        PluginDescriptor::new(ID, "DEMON")
            .with_vendor("DEMON Bridge")
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_description("Re-generates a track with ACE-Step v1.5, in time with the song.")
            .with_features([AUDIO_EFFECT, STEREO])
    }

    fn new_shared(host: HostSharedHandle<'_>) -> Result<Shared<'_>, PluginError> {
        Ok(Shared::new(host))
    }

    fn new_main_thread<'a>(
        host: HostMainThreadHandle<'a>,
        shared: &'a Shared<'a>,
    ) -> Result<MainThread<'a>, PluginError> {
        Ok(MainThread::new(host, shared))
    }
}
