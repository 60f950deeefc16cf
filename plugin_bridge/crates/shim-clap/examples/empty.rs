//! A CLAP plugin that does nothing but pass its input on, in the same framework: what `demon bench bridge` measures
//! DEMON's blocks against.

use clack_plugin::prelude::*;

pub struct Empty;

impl Plugin for Empty {
    type AudioProcessor<'a> = Wire;
    type Shared<'a> = ();
    type MainThread<'a> = ();
}

impl clack_plugin::entry::DefaultPluginFactory for Empty {
    fn get_descriptor() -> PluginDescriptor {
        PluginDescriptor::new("demon-bridge.empty", "Empty")
    }

    fn new_shared(_host: HostSharedHandle<'_>) -> Result<(), PluginError> {
        Ok(())
    }

    fn new_main_thread<'a>(_host: HostMainThreadHandle<'a>, _shared: &'a ()) -> Result<(), PluginError> {
        Ok(())
    }
}

pub struct Wire;

impl<'a> PluginAudioProcessor<'a, (), ()> for Wire {
    fn activate(
        _host: HostAudioProcessorHandle<'a>,
        _main_thread: &(),
        _shared: &'a (),
        _config: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        Ok(Self)
    }

    fn process(&mut self, _process: Process, mut audio: Audio, _events: Events) -> Result<ProcessStatus, PluginError> {
        for mut port in &mut audio {
            let Some(channels) = port.channels()?.into_f32() else { continue };
            for pair in channels {
                if let ChannelPair::InputOutput(input, output) = pair {
                    output.copy_from_slice(input);
                }
            }
        }
        Ok(ProcessStatus::Continue)
    }
}

clack_plugin::clack_export_entry!(clack_plugin::entry::SinglePluginEntry<Empty>);
