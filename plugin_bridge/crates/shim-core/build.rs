//! Turns `parameters.toml` into a static table, so that a wrong table fails the build and no host ever parses it, and
//! takes the factory presets in, so that the plugin needs no file beside itself to have them.

use serde::Deserialize;
use std::{collections::HashSet, env, fmt::Write, fs, path::Path};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    main: Vec<String>,
    module: Vec<Module>,
    parameter: Vec<Entry>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Module {
    id: u32,
    name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    id: u32,
    key: String,
    name: String,
    module: String,
    #[serde(default)]
    unit: String,
    min: f64,
    max: f64,
    default: f64,
    steps: Option<u32>,
    curve: String,
    target: String,
    text: String,
    #[serde(default)]
    choices: Vec<String>,
    #[serde(default = "yes")]
    automatable: bool,
    #[serde(default)]
    session: bool,
}

fn yes() -> bool {
    true
}

fn variant(entry: &Entry, field: &str, value: &str, allowed: &[(&str, &'static str)]) -> &'static str {
    let found = allowed.iter().find(|(name, _)| *name == value);
    found.unwrap_or_else(|| panic!("parameters.toml: {}: {field} = {value:?} is not one of {allowed:?}", entry.key)).1
}

fn check(entry: &Entry, ids: &mut HashSet<u32>, keys: &mut HashSet<String>) {
    let key = &entry.key;
    assert!(entry.id != 0 && entry.id <= u16::MAX.into(), "parameters.toml: {key}: id must be 1 to 65535");
    assert!(ids.insert(entry.id), "parameters.toml: {key}: id {} appears twice", entry.id);
    assert!(keys.insert(key.clone()), "parameters.toml: key {key} appears twice");
    assert!(
        entry.min.is_finite() && entry.max.is_finite() && entry.min < entry.max,
        "parameters.toml: {key}: min < max"
    );
    assert!((entry.min..=entry.max).contains(&entry.default), "parameters.toml: {key}: default is outside min to max");
    if let Some(steps) = entry.steps {
        let span = entry.max - entry.min;
        assert!(steps > 0 && span == f64::from(steps), "parameters.toml: {key}: steps must equal max - min");
    }
    let choices = if entry.text == "choice" { entry.steps.map_or(0, |steps| steps as usize + 1) } else { 0 };
    assert!(entry.choices.len() == choices, "parameters.toml: {key}: expected {choices} choices");
}

fn row(entry: &Entry) -> String {
    let curve = [("lane", "Lane"), ("stepped", "Stepped"), ("status", "Status")];
    let target = [("engine", "Engine"), ("output", "Output"), ("shim", "Shim")];
    let text = [
        ("percent", "Percent"),
        ("decibel", "Decibel"),
        ("factor", "Factor"),
        ("integer", "Integer"),
        ("switch", "Switch"),
        ("choice", "Choice"),
        ("prompt", "Prompt"),
    ];
    let Entry { id, key, name, module, unit, min, max, default, steps, choices, automatable, session, .. } = entry;
    format!(
        "Parameter {{ id: {id}, key: {key:?}, name: {name:?}, module: {module:?}, unit: {unit:?}, min: {min:?}, max: {max:?}, \
         default: {default:?}, steps: {steps:?}, curve: Curve::{}, target: Target::{}, text: Text::{}, \
         choices: &{choices:?}, automatable: {automatable}, session: {session} }}",
        variant(entry, "curve", &entry.curve, &curve),
        variant(entry, "target", &entry.target, &target),
        variant(entry, "text", &entry.text, &text),
    )
}

/// The modules, and the table indices of the first page.
fn groups(file: &File) -> String {
    let mut ids = HashSet::new();
    for Module { id, name } in &file.module {
        assert!(
            (1..1000).contains(id) && ids.insert(id),
            "parameters.toml: module {name}: id {id} is taken or not 1 to 999"
        );
        // A host makes a folder of every part of a path.
        assert!(!name.is_empty() && !name.contains('/'), "parameters.toml: module {name:?} is no folder's name");
    }
    for entry in &file.parameter {
        let known = file.module.iter().any(|module| module.name == entry.module);
        assert!(known, "parameters.toml: {}: module {:?} is not listed", entry.key, entry.module);
    }
    let place = |key: &String| file.parameter.iter().position(|entry| entry.key == *key);
    let main: Option<Vec<usize>> = file.main.iter().map(place).collect();
    let main = main.filter(|main| main.len() == 8).expect("parameters.toml: main names eight parameters of the table");
    let modules: String =
        file.module.iter().map(|Module { id, name }| format!("Module {{ id: {id}, name: {name:?} }}, ")).collect();
    format!(
        "static MODULES: [Module; {}] = [{modules}];\npub(crate) static MAIN: [usize; 8] = {main:?};\n",
        file.module.len()
    )
}

/// `presets/*.json` as (file stem, text), by file name.
fn presets() -> String {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../../presets");
    println!("cargo::rerun-if-changed={}", folder.display());
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|it| it == "json") && !path.ends_with("schema.json"));
    files.sort();
    let mut table = format!("static FACTORY: [(&str, &str); {}] = [\n", files.len());
    for file in files {
        let text = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        writeln!(table, "    ({:?}, {text:?}),", file.file_stem().unwrap().to_str().unwrap()).unwrap();
    }
    table.push_str("];\n");
    table
}

fn main() {
    let source = Path::new(&env::var("CARGO_MANIFEST_DIR").unwrap()).join("../../parameters.toml");
    println!("cargo::rerun-if-changed={}", source.display());
    let text = fs::read_to_string(&source).unwrap_or_else(|error| panic!("{}: {error}", source.display()));
    let file: File = toml::from_str(&text).unwrap_or_else(|error| panic!("parameters.toml: {error}"));
    assert!(file.version == 1, "parameters.toml: version {} is not known to this build", file.version);
    let (mut ids, mut keys) = (HashSet::new(), HashSet::new());
    let mut table = format!("static TABLE: [Parameter; {}] = [\n", file.parameter.len());
    for entry in &file.parameter {
        check(entry, &mut ids, &mut keys);
        writeln!(table, "    {},", row(entry)).unwrap();
    }
    table.push_str("];\n");
    table.push_str(&groups(&file));
    for (index, entry) in file.parameter.iter().enumerate() {
        writeln!(
            table,
            "/// Where `{}` is in the table.\npub const {}: usize = {index};",
            entry.key,
            entry.key.to_uppercase()
        )
        .unwrap();
    }
    writeln!(table, "/// How many parameters the table has.\npub const COUNT: usize = {};", file.parameter.len())
        .unwrap();
    let out = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&out).join("parameters.rs"), table).unwrap();
    fs::write(Path::new(&out).join("presets.rs"), presets()).unwrap();
}
