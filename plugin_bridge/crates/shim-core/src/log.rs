//! `plugin.log` in the run directory: one line per event, written by link threads, and when a state is loaded.

use crate::launch::make_run_directory;
use std::{
    fs::OpenOptions,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    time::{SystemTime, UNIX_EPOCH},
};

/// One older file of the same size is kept.
const MAX_BYTES: u64 = 1 << 20;

/// Appends a line; a log that cannot be written is not worth a failure.
pub(crate) fn line(instance: &str, text: &str) {
    let _ = append(instance, text);
}

fn append(instance: &str, text: &str) -> std::io::Result<()> {
    let folder = make_run_directory()?;
    let path = folder.join("plugin.log");
    if std::fs::metadata(&path).is_ok_and(|metadata| metadata.len() > MAX_BYTES) {
        std::fs::rename(&path, folder.join("plugin.log.1"))?;
    }
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let text: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    let entry = format!("{}.{:03} {} {}\n", time.as_secs(), time.subsec_millis(), &instance[..8], text);
    OpenOptions::new().append(true).create(true).mode(0o600).open(path)?.write_all(entry.as_bytes())
}
