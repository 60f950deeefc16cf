//! Where the run file, the launch file, the logs (PROTOCOL section 1) and the user's presets are.

use std::{env, path::PathBuf};

fn variable(name: &str) -> Option<PathBuf> {
    env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// A user folder: the variable of the XDG base directory specification, else its default below the home folder.
fn user(variable_name: &str, default: &str) -> Option<PathBuf> {
    let set = variable(variable_name).filter(|path| path.is_absolute());
    set.or_else(|| Some(env::home_dir()?.join(default)))
}

/// The run directory; none where there is no home.
pub(crate) fn run_directory() -> Option<PathBuf> {
    variable("DEMON_RUN_DIR")
        .or_else(|| Some(variable("XDG_RUNTIME_DIR").filter(|path| path.is_absolute())?.join("demon-bridge")))
        .or_else(|| Some(user("XDG_CACHE_HOME", ".cache")?.join("demon-bridge/run")))
}

/// The launch file; none where there is no home.
pub(crate) fn launch_file() -> Option<PathBuf> {
    variable("DEMON_LAUNCH_FILE").or_else(|| Some(user("XDG_CONFIG_HOME", ".config")?.join("demon-bridge/launch.json")))
}

/// The user's presets; none where there is no home.
pub(crate) fn preset_folder() -> Option<PathBuf> {
    variable("DEMON_PRESET_DIR").or_else(|| Some(user("XDG_DATA_HOME", ".local/share")?.join("demon-bridge/presets")))
}

/// Where VST3 hosts keep the presets of this plugin (VST 3 preset locations, the user's own).
pub(crate) fn saved_folder() -> Option<PathBuf> {
    Some(env::home_dir()?.join(".vst3/presets/DEMON Bridge/DEMON"))
}

/// A file of this user that only this user may write, of at most `bound` bytes.
///
/// # Errors
/// In words, with the path.
pub(crate) fn read_own(path: &std::path::Path, bound: u64) -> Result<Vec<u8>, String> {
    use std::{io::Read, os::unix::fs::MetadataExt};
    let say = |error: std::io::Error| format!("{}: {error}", path.display());
    let file = std::fs::File::open(path).map_err(say)?;
    let metadata = file.metadata().map_err(say)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() || metadata.mode() & 0o002 != 0 {
        return Err(format!("{}: others may write it: remove it", path.display()));
    }
    let mut bytes = Vec::new();
    file.take(bound + 1).read_to_end(&mut bytes).map_err(say)?;
    if bytes.len() as u64 > bound {
        return Err(format!("{}: longer than {bound} bytes: remove it", path.display()));
    }
    Ok(bytes)
}
