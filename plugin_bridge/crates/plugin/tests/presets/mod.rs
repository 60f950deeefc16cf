//! The host's preset browser: what it is told, and what loading from it does.

use std::ffi::{CStr, CString};
use std::fs;

use crate::rig::{self, Rig, extension, mix, value};
use clack_extensions::preset_discovery::prelude::*;
use clack_host::prelude::*;
use shim_core::parameters;

/// What a host indexes, and what it is told about each preset: `key: value` lines.
#[derive(Default)]
struct Browser {
    types: Vec<CString>,
    locations: Vec<(Flags, Option<CString>)>,
}

impl IndexerImpl for Browser {
    fn declare_filetype(&mut self, found: FileType) -> Result<(), HostError> {
        self.types.push(found.file_extension.unwrap_or_default().to_owned());
        Ok(())
    }

    fn declare_location(&mut self, found: LocationInfo) -> Result<(), HostError> {
        self.locations.push((found.flags, found.location.file_path().map(CStr::to_owned)));
        Ok(())
    }

    fn declare_soundpack(&mut self, _soundpack: Soundpack) -> Result<(), HostError> {
        Ok(())
    }
}

#[derive(Default)]
struct Cards(Vec<Vec<String>>);

impl Cards {
    fn add(&mut self, what: &str, said: &CStr) {
        self.0.last_mut().unwrap().push(format!("{what}: {}", said.to_str().unwrap()));
    }
}

impl MetadataReceiverImpl for Cards {
    fn on_error(&mut self, _code: i32, message: Option<&CStr>) {
        self.0.push(vec!["error".into(), message.unwrap_or_default().to_str().unwrap().into()]);
    }

    fn begin_preset(&mut self, name: Option<&CStr>, key: Option<&CStr>) -> Result<(), HostError> {
        self.0.push(Vec::new());
        self.add("name", name.unwrap());
        self.add("key", key.unwrap_or_default());
        Ok(())
    }

    fn add_plugin_id(&mut self, id: UniversalPluginId) {
        self.add("plugin", id.id);
    }

    fn set_soundpack_id(&mut self, _id: &CStr) {}
    fn set_flags(&mut self, _flags: Flags) {}

    fn add_creator(&mut self, creator: &CStr) {
        self.add("creator", creator);
    }

    fn set_description(&mut self, description: &CStr) {
        self.add("description", description);
    }

    fn set_timestamps(&mut self, _created: Option<Timestamp>, _changed: Option<Timestamp>) {}

    fn add_feature(&mut self, feature: &CStr) {
        self.add("feature", feature);
    }

    fn add_extra_info(&mut self, key: &CStr, value: &CStr) {
        self.add(key.to_str().unwrap(), value);
    }
}

fn browse() -> Provider<Browser> {
    let host = HostInfo::new("browser", "DEMON Bridge", "", "1").unwrap();
    Provider::instantiate(Browser::default(), &rig::entry(), c"demon-bridge.demon.presets", &host).unwrap()
}

fn load(rig: &mut Rig, location: Location, key: Option<&CStr>) -> bool {
    let presets: PluginPresetLoad = extension(&mut rig.instance);
    presets.load_from_location(&rig.instance.plugin_handle(), location, key).is_ok()
}

fn by_key(rig: &mut Rig, key: &str) -> f64 {
    let index = parameters::index_of_key(key).unwrap();
    value(rig, ClapId::new(parameters::table()[index].id))
}

/// A file of the user's, and its path as a host hands it over.
fn user_preset(file: &str, text: &str) -> CString {
    let path = rig::preset_folder().join(file);
    fs::create_dir_all(rig::preset_folder()).unwrap();
    fs::write(&path, text).unwrap();
    CString::new(path.to_str().unwrap()).unwrap()
}

fn document(header: &str, rest: &str) -> String {
    let example = include_str!("../../../../../presets/warehouse.json");
    let version = example.lines().find(|line| line.contains("\"version\"")).unwrap();
    format!("{{\"format\": \"demon-state\",\n{version}\n\"preset\": {header}{rest}}}")
}

#[test]
fn the_factory_presets_are_listed_from_the_plugin_itself_with_what_they_say() {
    let mut cards = Cards::default();
    browse().get_metadata(Location::Plugin, &mut cards);
    let card = cards.0.iter().find(|card| card[0] == "name: Warehouse").unwrap();
    for said in ["key: warehouse", "plugin: demon-bridge.demon", "creator: DEMON Bridge", "feature: techno"] {
        assert!(card.iter().any(|line| line == said), "{said}: {card:?}");
    }
    assert!(card.iter().any(|line| line.starts_with("description: Keeps the groove")));
    assert_eq!(cards.0.len(), shim_core::preset::factory().len());
}

#[test]
fn the_users_folder_is_indexed_and_each_file_in_it_described() {
    let header =
        r#"{"name": "Mine", "author": "Me", "tags": ["dub"], "description": "d", "lanes": ["denoise", "mix"]}"#;
    let path = user_preset("mine.json", &document(header, ""));
    let mut provider = browse();
    assert_eq!(provider.indexer().types, [c"json".to_owned()]);
    let folder = CString::new(rig::preset_folder().to_str().unwrap()).unwrap();
    let expected = [(Flags::IS_FACTORY_CONTENT, None), (Flags::IS_USER_CONTENT, Some(folder))];
    assert_eq!(provider.indexer().locations, expected);
    let mut cards = Cards::default();
    provider.get_metadata(Location::File { path: &path }, &mut cards);
    let lines = ["name: Mine", "key: ", "plugin: demon-bridge.demon", "creator: Me", "description: d", "feature: dub"];
    assert_eq!(cards.0, [[lines.as_slice(), &["lanes: Denoise, Mix"]].concat()]);
}

#[test]
fn a_file_that_is_no_preset_is_reported_and_nothing_else() {
    for (file, text) in [("broken.txt", "{"), ("nameless.txt", &document("{}", ""))] {
        let path = user_preset(file, text);
        let mut cards = Cards::default();
        browse().get_metadata(Location::File { path: &path }, &mut cards);
        assert_eq!((cards.0.len(), cards.0[0][0].as_str()), (1, "error"));
        assert!(cards.0[0][1].contains(file), "{cards:?}", cards = cards.0);
    }
    let mut cards = Cards::default();
    browse().get_metadata(Location::File { path: c"/nonexistent/x.json" }, &mut cards);
    assert_eq!(cards.0[0][0], "error");
}

#[test]
fn loading_puts_the_whole_sound_in_force_tells_the_host_and_leaves_what_is_the_sessions() {
    let mut rig = Rig::new();
    rig.set(mix(), 0.25);
    let index = parameters::index_of_key("output_gain").unwrap();
    rig.set(ClapId::new(parameters::table()[index].id), 6.0);
    assert!(load(&mut rig, Location::Plugin, Some(c"warehouse")));
    assert_eq!((by_key(&mut rig, "mix"), by_key(&mut rig, "output_gain")), (1.0, 6.0));
    let quantised = parameters::table()[parameters::DENOISE].quantise(0.6);
    assert_eq!(by_key(&mut rig, "denoise"), quantised);
    assert_eq!(rig.presets(), ["loaded warehouse"]);
    assert!(!rig.rescans().is_empty());
}

#[test]
fn a_users_preset_is_loaded_by_its_path() {
    let header = r#"{"name": "Half"}"#;
    let path = user_preset("half.json", &document(header, r#", "parameters": {"mix": 0.5}"#));
    let mut rig = Rig::new();
    assert!(load(&mut rig, Location::File { path: &path }, None));
    assert_eq!(by_key(&mut rig, "mix"), 0.5);
    assert_eq!(rig.presets(), [format!("loaded {}", path.to_str().unwrap())]);
}

#[test]
fn a_preset_that_cannot_be_loaded_changes_nothing_and_the_host_hears_why() {
    let mut rig = Rig::new();
    rig.set(mix(), 0.25);
    let wrong = document(r#"{"name": "Wrong"}"#, r#", "parameters": {"mix": 1, "denoise": "much"}"#);
    let path = user_preset("wrong.txt", &wrong);
    assert!(!load(&mut rig, Location::File { path: &path }, None));
    assert!(!load(&mut rig, Location::File { path: c"/nonexistent/x.json" }, None));
    assert!(!load(&mut rig, Location::Plugin, Some(c"no such")));
    assert!(!load(&mut rig, Location::Plugin, None));
    assert_eq!((by_key(&mut rig, "mix"), rig.rescans()), (0.25, vec![]));
    let said = rig.presets();
    assert!(said[0].starts_with("error 0:") && said[0].contains("denoise"), "{said:?}");
    assert!(said[1].starts_with("error 2:") && said[2].contains("no such"), "{said:?}");
}
