//! Presets that hosts saved, in the files in which VST3 hosts keep a plugin's state (VST 3 preset format). Only the
//! document is read, not the audio behind it; `sidecar/exports.py` writes ours into the same folder.

use crate::state;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    path::Path,
};

const MAGIC: &[u8; 4] = b"VST3";
/// The processor's state; ours is all there is.
const COMPONENT: &[u8; 4] = b"Comp";
/// As many as the format's own reader takes.
const MAX_CHUNKS: u32 = 128;
/// Magic, version, class id: where the place of the list of chunks is written.
const LIST_AT: u64 = 40;

/// The JSON of the document in a file; what is no state of this plugin is refused.
pub(crate) fn document(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    if &take::<4>(&mut file)? != MAGIC {
        return Err(refused());
    }
    file.seek(SeekFrom::Start(LIST_AT))?;
    let list = u64::from_le_bytes(take(&mut file)?);
    file.seek(SeekFrom::Start(list))?;
    let named: [u8; 4] = take(&mut file)?;
    let count = u32::from_le_bytes(take(&mut file)?);
    if &named != b"List" || count > MAX_CHUNKS {
        return Err(refused());
    }
    for _ in 0..count {
        let name: [u8; 4] = take(&mut file)?;
        let (start, _size) = (u64::from_le_bytes(take(&mut file)?), take::<8>(&mut file)?);
        if &name == COMPONENT {
            file.seek(SeekFrom::Start(start))?;
            return state::read_document(&mut file);
        }
    }
    Err(refused())
}

pub(crate) fn take<const N: usize>(file: &mut impl Read) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    file.read_exact(&mut bytes)?;
    Ok(bytes)
}

pub(crate) fn refused() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a state of DEMON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::Document;
    use proptest::prelude::*;
    use std::path::PathBuf;

    fn file(name: &str, bytes: &[u8]) -> PathBuf {
        let path = std::env::temp_dir().join(format!("demon-saved-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn container(component: &[u8]) -> Vec<u8> {
        let head = [MAGIC.as_slice(), &1u32.to_le_bytes(), &[b'0'; 32]].concat();
        let list = (head.len() + 8 + component.len()) as u64;
        let entry =
            |name: &[u8; 4], start: u64, size: u64| [name, &start.to_le_bytes()[..], &size.to_le_bytes()].concat();
        let chunks = [entry(b"Info", 0, 0), entry(COMPONENT, 48, component.len() as u64)].concat();
        [&head, &list.to_le_bytes()[..], component, b"List", &2u32.to_le_bytes(), &chunks].concat()
    }

    #[test]
    fn the_document_is_found_behind_other_chunks_and_before_its_audio() {
        let mut document = Document::default();
        document.json.insert("x".into(), serde_json::json!([1]));
        let path = file("whole", &container(&state::save(&document)));
        let found = super::document(&path).unwrap();
        std::fs::remove_file(path).unwrap();
        assert_eq!(serde_json::from_slice::<serde_json::Value>(&found).unwrap(), serde_json::json!(document.json));
    }

    proptest! {
        #[test]
        fn a_damaged_file_never_takes_the_plugin_along(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let mut bytes = container(&state::save(&Document::default()));
            let length = bytes.len();
            bytes[at % length] = byte;
            bytes.truncate(length - cut % length);
            let path = file("damaged", &bytes);
            let _ = super::document(&path);
            std::fs::remove_file(path).unwrap();
        }
    }
}
