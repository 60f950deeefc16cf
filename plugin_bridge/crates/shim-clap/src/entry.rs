//! What `clap_entry` hands out: the factory of the plugin, and that of its presets.

use std::ffi::CStr;

use clack_extensions::preset_discovery::factory::PresetDiscoveryFactoryWrapper;
use clack_plugin::entry::prelude::*;
use clack_plugin::plugin::features::{AUDIO_EFFECT, STEREO};

use crate::discovery::Discovery;
use crate::header::Factory;
use crate::main_thread::MainThread;
use crate::shared::Shared;
use crate::{Demon, ID};

/// What `clap_entry` initialises.
pub struct DemonEntry {
    plugins: Factory,
    presets: PresetDiscoveryFactoryWrapper<Discovery>,
}

impl Entry for DemonEntry {
    fn new(_path: Option<&CStr>) -> Result<Self, EntryLoadError> {
        let (plugins, presets) = (Plugins::new(), Discovery::new());
        Ok(Self { plugins: Factory::new(plugins), presets: PresetDiscoveryFactoryWrapper::new(presets) })
    }

    fn declare_factories<'a>(&'a self, builder: &mut EntryFactories<'a>) {
        builder.register_factory(&self.plugins).register_factory(&self.presets);
    }
}

/// The one plugin of this file.
pub struct Plugins(PluginDescriptor);

impl Plugins {
    fn new() -> Self {
        let descriptor = PluginDescriptor::new(ID, "DEMON")
            .with_vendor("DEMON Bridge")
            .with_version(env!("CARGO_PKG_VERSION"))
            .with_description("Re-generates a track with ACE-Step v1.5, in time with the song.")
            .with_features([AUDIO_EFFECT, STEREO]);
        Self(descriptor)
    }
}

impl PluginFactoryImpl for Plugins {
    fn plugin_count(&self) -> u32 {
        1
    }

    fn plugin_descriptor(&self, index: u32) -> Option<&PluginDescriptor> {
        (index == 0).then_some(&self.0)
    }

    fn create_plugin<'a>(&'a self, host: HostInfo<'a>, id: &CStr) -> Option<PluginInstance<'a>> {
        (self.0.id() == Some(id)).then(|| {
            let shared = |host| Ok(Shared::new(host));
            PluginInstance::new::<Demon>(host, &self.0, shared, |host, shared| Ok(MainThread::new(host, shared)))
        })
    }
}
