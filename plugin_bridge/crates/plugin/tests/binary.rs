//! The shared object as the linker left it, and the bundle's description of it.

use std::process::Command;

/// What a tool of binutils, which comes with the linker, says about the library next to this test's own binary.
fn tool(program: &str, arguments: &[&str]) -> String {
    let library = std::env::current_exe().unwrap().with_file_name("libdemon_plugin.so");
    let output = Command::new(program).args(arguments).arg(library).output().unwrap();
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[cfg(target_os = "linux")]
fn nothing_is_exported_but_the_entry_points() {
    let mut names = tool("nm", &["-D", "--defined-only"])
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap().to_owned())
        .collect::<Vec<_>>();
    names.sort();
    assert_eq!(names, ["GetPluginFactory", "ModuleEntry", "ModuleExit", "clap_entry"]);
}

#[test]
#[cfg(target_os = "linux")]
fn the_library_stays_mapped_after_dlclose() {
    assert!(tool("readelf", &["-d"]).lines().any(|line| line.contains("FLAGS_1") && line.contains("NODELETE")));
}

#[test]
fn the_module_info_names_the_class_that_the_factory_makes() {
    let info = include_str!("../moduleinfo.json");
    let class = shim_vst3::identity::CLASS_ID.iter().map(|byte| format!("{:02X}", *byte as u8)).collect::<String>();
    for (field, expected) in [
        ("CID", class.as_str()),
        ("Name", shim_vst3::identity::NAME),
        ("Vendor", shim_vst3::identity::VENDOR),
        ("Version", env!("CARGO_PKG_VERSION")),
        ("Category", shim_vst3::identity::CATEGORY),
        ("SDKVersion", shim_vst3::identity::SDK_VERSION),
    ] {
        let line = format!("\"{field}\": \"{expected}\"");
        assert!(info.contains(&line), "moduleinfo.json lacks {line}");
    }
}
