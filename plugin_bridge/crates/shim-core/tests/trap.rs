//! The real-time trap (`plugin_bridge/trap`) catches what it is there for, and nothing when nothing is wrong.

use std::{
    env::temp_dir,
    fs,
    path::{Path, PathBuf},
    process::{Command, id},
};

fn compile(source: &str, output: &Path, flags: &[&str]) {
    let source = format!("{}/../../trap/{source}", env!("CARGO_MANIFEST_DIR"));
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-Wall", "-Wextra", "-Werror"])
        .args(flags)
        .arg("-o")
        .arg(output)
        .arg(source)
        .args(["-ldl", "-lpthread"]);
    assert!(cc.status().expect("cc").success());
}

fn folder() -> PathBuf {
    let folder = temp_dir().join(format!("demon-trap-{}", id()));
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_trap_catches_each_forbidden_call_inside_and_none_outside() {
    let folder = folder();
    let (trap, selftest, log) = (folder.join("trap.so"), folder.join("selftest"), folder.join("log"));
    compile("trap.c", &trap, &["-shared", "-fPIC"]);
    compile("selftest.c", &selftest, &[]);
    let output = Command::new(&selftest).env("LD_PRELOAD", &trap).env("DEMON_TRAP_LOG", &log).output().unwrap();
    let (said, report) = (String::from_utf8(output.stdout).unwrap(), fs::read_to_string(&log).unwrap());
    fs::remove_dir_all(&folder).unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    // Where the kernel does not dispatch system calls, only the library's are seen.
    let direct = if report.contains("syscalls watched") { "direct 1 0" } else { "direct 0 0" };
    let expected = ["malloc 1 0", "mutex 1 0", "write 1 0", "futex 1 0", direct, "nothing 0 0"];
    assert_eq!(said.lines().collect::<Vec<_>>(), expected);
    assert!(report.contains("entries 6") && report.contains("caught 1 malloc"), "{report}");
}
