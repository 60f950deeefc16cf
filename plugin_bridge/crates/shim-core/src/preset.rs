//! Presets (docs/presets.md): the factory's, compiled in, and the user's, one JSON file each in a folder of the user's.

use crate::{
    document,
    error::PresetError,
    parameters::{self, Curve},
    paths, saved,
};
use serde_json::{Map, Value, json};
use std::{
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::OnceLock,
};

include!(concat!(env!("OUT_DIR"), "/presets.rs"));

/// A preset names no audio, so this is some hundred times what one needs.
const MAX_FILE: u64 = 1 << 20;
/// More files than a person can look through; keeps a strange folder from holding a host's scan up.
const MAX_FILES: usize = 4096;
/// What a preset never carries into a project: its header, and audio.
const LEFT_OUT: [&str; 6] = ["preset", "learned", "file", "timbre", "structure", "takes"];

/// What of a whole state is a sound, as `sidecar/preset.py` keeps it.
const SOUND: [&str; 7] = ["format", "version", "parameters", "prompts", "snapshots", "loras", "seed"];

/// One preset, read and checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Preset {
    /// `factory/<file stem>`, `user/<file stem>` or, saved by a host, `host/<file stem>`.
    pub id: String,
    pub name: String,
    pub author: String,
    pub tags: Vec<String>,
    pub description: String,
    /// Keys of the parameters that it invites to draw.
    pub lanes: Vec<String>,
    json: Map<String, Value>,
}

/// The presets that ship with the plugin, by file name.
pub fn factory() -> &'static [Preset] {
    static PARSED: OnceLock<Vec<Preset>> = OnceLock::new();
    let parse = |&(stem, text): &(&str, &str)| Preset::parse(format!("factory/{stem}"), text.as_bytes()).ok();
    PARSED.get_or_init(|| FACTORY.iter().filter_map(parse).collect())
}

/// Where the user's presets are; none where there is no home. The folder need not exist.
pub fn folder() -> Option<PathBuf> {
    paths::preset_folder()
}

/// The user's presets by file name, then those that hosts saved. A file that is no preset is left out; [`Preset::read`]
/// says why.
pub fn user() -> Vec<Preset> {
    let mut found: Vec<Preset> = files(folder(), "json").iter().filter_map(|path| Preset::read(path).ok()).collect();
    let saved = files(paths::saved_folder(), "vstpreset");
    let saved: Vec<Preset> = saved.iter().filter_map(|path| Preset::saved(path)).collect();
    // What DEMON itself wrote there carries the names of these.
    let known = |new: &Preset| found.iter().chain(factory()).any(|old| file_name(&old.name) == new.name);
    let news: Vec<Preset> = saved.into_iter().filter(|new| !known(new)).collect();
    found.extend(news);
    found
}

fn files(folder: Option<PathBuf>, extension: &str) -> Vec<PathBuf> {
    let entries = folder.and_then(|folder| std::fs::read_dir(folder).ok());
    let mut files: Vec<PathBuf> = entries.into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == extension));
    files.sort();
    files.truncate(MAX_FILES);
    files
}

/// A preset's name as `sidecar/library.py` makes a file's stem of it.
fn file_name(name: &str) -> String {
    let unsafe_ = |mark: char| mark.is_ascii_control() || "\\*?/:<>|\"".contains(mark);
    let safe: String = name.trim().chars().map(|mark| if unsafe_(mark) { '_' } else { mark }).collect();
    safe.trim_start_matches('.').trim_end_matches(['.', ' ']).to_owned()
}

/// The preset of an id, of the factory or of the user.
pub fn find(id: &str) -> Option<Preset> {
    factory().iter().find(|preset| preset.id == id).cloned().or_else(|| user().into_iter().find(|it| it.id == id))
}

impl Preset {
    /// One file of the user's, at most 1 MiB.
    ///
    /// # Errors
    /// [`PresetError`] when it cannot be read or is no preset.
    pub fn read(path: &Path) -> Result<Self, PresetError> {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let said = |text: String| PresetError::new(&name, text);
        let mut bytes = Vec::new();
        let file = File::open(path).map_err(|error| PresetError::io(&name, &error))?;
        file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| PresetError::io(&name, &error))?;
        if bytes.len() as u64 > MAX_FILE {
            return Err(said(format!("it is longer than {MAX_FILE} bytes")));
        }
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        Self::parse(format!("user/{stem}"), &bytes).map_err(said)
    }

    fn parse(id: String, bytes: &[u8]) -> Result<Self, String> {
        let (mut json, _) = document::parse(bytes).map_err(|error| error.0)?;
        let header = json.get("preset").cloned().unwrap_or_default();
        let text = |key: &str| header.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let texts = |key: &str| {
            let list = header.get(key).and_then(Value::as_array).into_iter().flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let name = text("name");
        if name.is_empty() {
            return Err("it has no `preset` object with a `name`".into());
        }
        json.retain(|key, _| !LEFT_OUT.contains(&key.as_str()));
        let (author, description) = (text("author"), text("description"));
        Ok(Self { id, name, author, tags: texts("tags"), description, lanes: texts("lanes"), json })
    }

    /// The sound of a state that a host saved; none where the file holds none. Its audio and what is the session's stay
    /// in the file: the host that loads it gets them, a preset does not.
    fn saved(path: &Path) -> Option<Self> {
        let (mut json, _) = document::parse(&saved::document(path).ok()?).ok()?;
        json.retain(|key, _| SOUND.contains(&key.as_str()));
        if let Some(named) = json.get_mut("parameters").and_then(Value::as_object_mut) {
            named.retain(|key, value| {
                let of_the_sound = |at: usize| !parameters::table()[at].session;
                // Without a source there is none to keep.
                parameters::index_of_key(key).is_some_and(of_the_sound)
                    || (key == "source_mode" && *value == json!(2.0))
            });
        }
        let name = path.file_stem()?.to_str()?.to_owned();
        let (author, description) = (String::new(), "Saved by a host".to_owned());
        Some(Self { id: format!("host/{name}"), name, author, tags: vec![], description, lanes: vec![], json })
    }

    /// The document that loading it puts in force: what it names, and the defaults of the parameters of a sound that it
    /// does not name (`session` in parameters.toml says which are no part of a sound). LoRA strengths go with `loras`.
    pub(crate) fn document(&self) -> Map<String, Value> {
        let mut json = self.json.clone();
        let names_loras = json.contains_key("loras");
        if let Some(named) = json.entry("parameters").or_insert_with(|| json!({})).as_object_mut() {
            for parameter in parameters::table() {
                let kept = parameter.session || parameter.curve == Curve::Status;
                if !kept && (names_loras || parameter.module != "LoRA") {
                    named.entry(parameter.key).or_insert_with(|| json!(parameter.default));
                }
            }
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Preset, String> {
        Preset::parse("user/x".into(), text.as_bytes())
    }

    fn preset(json: Value) -> Preset {
        let mut whole = json!({"format": document::FORMAT, "version": document::VERSION, "preset": {"name": "x"}});
        whole.as_object_mut().unwrap().extend(json.as_object().cloned().unwrap());
        parse(&whole.to_string()).unwrap()
    }

    #[test]
    fn every_factory_preset_is_read_and_has_a_name_of_its_own() {
        assert_eq!(factory().len(), FACTORY.len());
        let mut names: Vec<&str> = factory().iter().map(|preset| preset.name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FACTORY.len());
        assert!(factory().iter().all(|preset| find(&preset.id).as_ref() == Some(preset)));
    }

    #[test]
    fn what_a_preset_does_not_name_is_the_default_of_the_sound_and_the_session_keeps_its_own() {
        let document = preset(json!({"parameters": {"dcw": 1, "output_gain": 3}})).document();
        let named = document["parameters"].as_object().unwrap();
        assert_eq!((&named["dcw"], &named["output_gain"], &named["mix"]), (&json!(1), &json!(3), &json!(1.0)));
        for kept in ["bypass", "source_mode", "freeze", "status", "lora_1"] {
            assert!(!named.contains_key(kept), "{kept}");
        }
        let document = preset(json!({"loras": []})).document();
        assert_eq!(document["parameters"]["lora_1"], json!(1.0));
    }

    #[test]
    fn a_preset_carries_no_audio_and_keeps_what_it_does_not_know() {
        let source = json!({"hash": "sha256:00"});
        let document = preset(json!({"learned": source, "file": source, "takes": [source], "later": 7})).document();
        assert!(LEFT_OUT.iter().all(|key| !document.contains_key(*key)));
        assert_eq!(document["later"], json!(7));
    }

    #[test]
    fn a_state_that_a_host_saved_is_a_preset_without_its_audio_and_what_is_the_sessions() {
        let path = std::env::temp_dir().join(format!("demon-{}.vstpreset", std::process::id()));
        let whole = json!({
            "format": document::FORMAT, "version": document::VERSION, "seed": 9, "checkpoint": "c", "learned": {"hash": "x"},
            "parameters": {"dcw": 1.0, "bypass": 1.0, "source_mode": 2.0},
        });
        let state = document::Document { json: whole.as_object().cloned().unwrap(), ..document::Document::default() };
        let blob = crate::state::save(&state);
        let head = [b"VST3\x01\0\0\0".as_slice(), &[b'0'; 32], &(48 + blob.len() as u64).to_le_bytes()].concat();
        let list =
            [b"List\x01\0\0\0Comp".as_slice(), &48u64.to_le_bytes(), &(blob.len() as u64).to_le_bytes()].concat();
        std::fs::write(&path, [head, blob, list].concat()).unwrap();
        let found = Preset::saved(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        let document = found.document();
        assert_eq!((&document["seed"], &document["parameters"]["dcw"]), (&json!(9), &json!(1.0)));
        assert!(!document.contains_key("checkpoint") && !document.contains_key("learned"));
        assert!(document["parameters"].get("bypass").is_none());
        assert_eq!(document["parameters"]["source_mode"], json!(2.0));
    }

    #[test]
    fn a_name_is_the_same_file_in_both_languages() {
        for (name, stem) in
            [("a/b", "a_b"), (" What: ever ", "What_ ever"), ("..x. ", "x"), ("Fill Station", "Fill Station")]
        {
            assert_eq!(file_name(name), stem);
        }
    }

    proptest! {
        #[test]
        fn bytes_that_are_no_preset_are_refused(noise in prop::collection::vec(any::<u8>(), 0..300)) {
            prop_assert!(Preset::parse("user/x".into(), &noise).is_err());
        }
    }

    #[test]
    fn a_document_without_a_name_is_refused() {
        assert!(parse(r#"{"format": "demon-state", "preset": {}}"#).is_err());
        assert!(parse(r#"{"format": "demon-state", "preset": {"name": "x"}, "parameters": {"mix": "1"}}"#).is_err());
    }
}
