//! Loading a preset that the host's browser names.

use std::ffi::{CStr, CString};

use clack_extensions::preset_discovery::prelude::*;
use clack_plugin::prelude::*;
use shim_core::{PresetError, preset};

use crate::discovery;
use crate::main_thread::MainThread;

impl MainThread<'_> {
    fn load_preset(&self, location: Location, key: Option<&CStr>) -> Result<(), Refused> {
        let instance = &self.shared.instance;
        match location {
            Location::File { path } => instance.load_preset(&discovery::read(path)?)?,
            Location::Plugin => {
                let wanted = key.map(CStr::to_string_lossy).unwrap_or_default();
                let found = preset::factory().iter().find(|preset| discovery::key(preset) == wanted);
                instance.load_preset(found.ok_or_else(|| Refused::unknown(&wanted))?)?;
            }
        }
        Ok(())
    }
}

/// What the host is told.
#[derive(Debug)]
struct Refused {
    text: String,
    os_error: i32,
}

impl Refused {
    fn unknown(key: &str) -> Self {
        Self { text: format!("there is no factory preset {key:?}: scan the plugin's presets again"), os_error: 0 }
    }
}

impl From<PresetError> for Refused {
    fn from(error: PresetError) -> Self {
        Self { text: error.to_string(), os_error: error.os_error }
    }
}

impl PluginPresetLoadImpl for MainThread<'_> {
    fn load_from_location(&self, location: Location, load_key: Option<&CStr>) -> Result<(), PluginError> {
        if let Err(error) = self.load_preset(location, load_key) {
            let text = CString::new(error.text.replace('\0', " ")).unwrap_or_default();
            if let Some(host) = self.presets {
                host.on_error(&self.host, location, load_key, error.os_error, Some(&text));
            }
            return Err(std::io::Error::other(error.text).into());
        }
        self.told_values();
        if let Some(host) = self.presets {
            host.loaded(&self.host, location, load_key);
        }
        Ok(())
    }
}
