//! The host's preset browser: which presets there are, and where.

use std::ffi::{CStr, CString, OsStr};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use clack_extensions::preset_discovery::prelude::*;
use clack_plugin::prelude::*;
use shim_core::parameters;
use shim_core::preset::{self, Preset};

use crate::ID;

/// Stable for ever: hosts index what they found by it.
const PROVIDER: &str = "demon-bridge.demon.presets";

pub struct Discovery(ProviderDescriptor);

impl Discovery {
    pub fn new() -> Self {
        Self(ProviderDescriptor::new(PROVIDER, "DEMON").with_vendor("DEMON Bridge"))
    }
}

impl PresetDiscoveryFactoryImpl for Discovery {
    fn provider_count(&self) -> u32 {
        1
    }

    fn provider_descriptor(&self, index: u32) -> Option<&ProviderDescriptor> {
        (index == 0).then_some(&self.0)
    }

    fn create_provider<'a>(&'a self, host: IndexerInfo<'a>, id: &CStr) -> Option<ProviderInstance<'a>> {
        (self.0.id() == Some(id)).then(|| ProviderInstance::new(host, &self.0, declare))
    }
}

fn declare(mut indexer: Indexer<'_>) -> Result<Provider, PluginError> {
    let description = Some(c"A preset of DEMON");
    indexer.declare_filetype(FileType { name: c"DEMON preset", description, file_extension: Some(c"json") })?;
    indexer.declare_location(LocationInfo {
        name: c"Factory",
        flags: Flags::IS_FACTORY_CONTENT,
        location: Location::Plugin,
    })?;
    // A host would report a folder that is not there as an error of ours.
    if let Some(folder) = preset::folder().filter(|folder| folder.is_dir()) {
        let path = CString::new(folder.into_os_string().into_vec())?;
        indexer.declare_location(LocationInfo {
            name: c"User",
            flags: Flags::IS_USER_CONTENT,
            location: Location::File { path: &path },
        })?;
    }
    Ok(Provider)
}

struct Provider;

impl ProviderImpl<'_> for Provider {
    fn get_metadata(&mut self, location: Location, receiver: &mut MetadataReceiver) -> Result<(), PluginError> {
        match location {
            Location::Plugin => preset::factory()
                .iter()
                .try_for_each(|preset| describe(preset, Some(key(preset)), Flags::IS_FACTORY_CONTENT, receiver)),
            Location::File { path } => describe(&read(path)?, None, Flags::IS_USER_CONTENT, receiver),
        }
    }
}

/// The file that a host names.
pub fn read(path: &CStr) -> Result<Preset, shim_core::PresetError> {
    Preset::read(Path::new(OsStr::from_bytes(path.to_bytes())))
}

/// What tells factory presets apart inside the plugin's file.
pub fn key(preset: &Preset) -> &str {
    preset.id.trim_start_matches("factory/")
}

/// Text of a file has no place for what ends text in C.
fn text(text: &str) -> CString {
    CString::new(text.replace('\0', " ")).unwrap_or_default()
}

fn describe(
    preset: &Preset,
    key: Option<&str>,
    flags: Flags,
    receiver: &mut MetadataReceiver,
) -> Result<(), PluginError> {
    let (key, id) = (key.map(text), text(ID));
    receiver
        .begin_preset(Some(&text(&preset.name)), key.as_deref())?
        .add_plugin_id(UniversalPluginId::clap(&id))
        .set_flags(flags)
        .add_creator(&text(&preset.author))
        .set_description(&text(&preset.description));
    for tag in &preset.tags {
        receiver.add_feature(&text(tag));
    }
    let lanes = preset.lanes.iter().filter_map(|key| parameters::index_of_key(key));
    let lanes: Vec<&str> = lanes.map(|index| parameters::table()[index].name).collect();
    if !lanes.is_empty() {
        receiver.add_extra_info(c"lanes", &text(&lanes.join(", ")));
    }
    Ok(())
}
