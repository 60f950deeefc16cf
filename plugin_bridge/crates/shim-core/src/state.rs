//! The blob that a host saves (PROTOCOL section 6).

use crate::{
    document::{self, Attachment, Document},
    error::StateError,
};
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"DEMONST1";
const VERSION: u32 = 1;
/// PROTOCOL section 2: 8 MiB for a document, 64 MiB for one attachment, 16 frames of which two are the head's.
pub(crate) const MAX_DOCUMENT: usize = 8 << 20;
pub(crate) const MAX_ATTACHMENT: usize = 64 << 20;
pub(crate) const MAX_ATTACHMENTS: usize = 14;
/// Source audio beyond this is found in the content store by its hash (docs/architecture.md).
const MAX_EMBEDDED: usize = 48 << 20;

/// The blob of a document; attachments that would exceed 48 MiB together are left to the content store.
pub(crate) fn save(document: &Document) -> Vec<u8> {
    let json = serde_json::to_vec(&document.json).unwrap_or_default();
    let mut embedded = 0;
    let fits = |attachment: &&Attachment| {
        let fits = embedded + attachment.bytes.len() <= MAX_EMBEDDED;
        embedded += if fits { attachment.bytes.len() } else { 0 };
        fits
    };
    let attachments: Vec<&Attachment> = document.attachments.iter().filter(fits).take(MAX_ATTACHMENTS).collect();
    let mut blob = Vec::with_capacity(json.len() + embedded + 64 * (attachments.len() + 1));
    blob.extend_from_slice(MAGIC);
    blob.extend_from_slice(&VERSION.to_le_bytes());
    blob.extend_from_slice(&(json.len() as u32).to_le_bytes());
    blob.extend_from_slice(&json);
    blob.extend_from_slice(&(attachments.len() as u32).to_le_bytes());
    for attachment in attachments {
        blob.extend_from_slice(&attachment.hash);
        blob.extend_from_slice(&(attachment.bytes.len() as u64).to_le_bytes());
        blob.extend_from_slice(&attachment.bytes);
    }
    blob.extend_from_slice(&crc32fast::hash(&blob).to_le_bytes());
    blob
}

/// Reads a blob as a whole.
///
/// # Errors
/// When it is short, long, unknown, over a bound, fails its checksum, or holds a document that is refused.
pub(crate) fn load(blob: &[u8]) -> Result<Document, StateError> {
    let mut rest = Rest(blob);
    if rest.take(MAGIC.len())? != MAGIC {
        return Err(StateError("it is not a DEMON state".into()));
    }
    let version = rest.u32()?;
    if version != VERSION {
        return Err(StateError(format!("its version is {version}, this plugin reads {VERSION}: update the plugin")));
    }
    let (body, sum) = blob.split_at(blob.len() - 4);
    if crc32fast::hash(body).to_le_bytes() != sum {
        return Err(StateError("its checksum is wrong, so it is damaged".into()));
    }
    let length = bounded(u64::from(rest.u32()?), MAX_DOCUMENT, "document")?;
    let (json, notes) = document::parse(rest.take(length)?)?;
    let count = rest.u32()? as usize;
    if count > MAX_ATTACHMENTS {
        return Err(StateError(format!("it has {count} attachments, at most {MAX_ATTACHMENTS} are read")));
    }
    let attachments = (0..count).map(|_| rest.attachment()).collect::<Result<_, _>>()?;
    rest.end()?;
    Ok(Document { json, attachments, notes })
}

/// The document's JSON at the start of a blob, without what follows and without its checksum: for lists of states.
pub(crate) fn read_document(blob: &mut impl std::io::Read) -> std::io::Result<Vec<u8>> {
    use crate::saved::{refused, take};
    if &take::<8>(blob)? != MAGIC || u32::from_le_bytes(take(blob)?) != VERSION {
        return Err(refused());
    }
    let length = u32::from_le_bytes(take(blob)?) as usize;
    if length > MAX_DOCUMENT {
        return Err(refused());
    }
    let mut json = vec![0; length];
    blob.read_exact(&mut json)?;
    Ok(json)
}

fn bounded(length: u64, bound: usize, what: &str) -> Result<usize, StateError> {
    let fits = usize::try_from(length).ok().filter(|&length| length <= bound);
    fits.ok_or_else(|| StateError(format!("its {what} is {length} bytes, at most {bound} are read")))
}

/// What is left to read.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], StateError> {
        // The checksum is not part of what is read.
        if self.0.len() < count.saturating_add(4) {
            return Err(StateError("it is cut short".into()));
        }
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        Ok(taken)
    }

    fn u32(&mut self) -> Result<u32, StateError> {
        Ok(u32::from_le_bytes(self.take(4)?.try_into().unwrap_or_default()))
    }

    fn attachment(&mut self) -> Result<Attachment, StateError> {
        let hash: [u8; 32] = self.take(32)?.try_into().unwrap_or_default();
        let length = u64::from_le_bytes(self.take(8)?.try_into().unwrap_or_default());
        let length = bounded(length, MAX_ATTACHMENT, "attachment")?;
        Ok(Attachment { hash, bytes: Arc::from(self.take(length)?) })
    }

    fn end(&self) -> Result<(), StateError> {
        if self.0.len() == 4 { Ok(()) } else { Err(StateError("it is longer than it says".into())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn document(key: &str, attachments: &[Vec<u8>]) -> Document {
        let json = json!({"format": "demon-state", "version": 2, "x": {key: [1, 2.5]}, "parameters": {"mix": 0.5}});
        let attachment = |(i, bytes): (usize, &Vec<u8>)| Attachment { hash: [i as u8; 32], bytes: bytes[..].into() };
        let attachments = attachments.iter().enumerate().map(attachment).collect();
        Document { json: json.as_object().cloned().unwrap(), attachments, notes: vec![] }
    }

    proptest! {
        #[test]
        fn what_is_saved_is_loaded(
            key in ".{0,20}", attachments in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4),
        ) {
            let document = document(&key, &attachments);
            prop_assert_eq!(load(&save(&document)).unwrap(), document);
        }

        #[test]
        fn a_cut_blob_is_refused(cut in 0usize..10_000) {
            let blob = save(&document("k", &[vec![7; 100]]));
            prop_assert!(load(&blob[..cut % blob.len()]).is_err());
        }

        #[test]
        fn a_flipped_bit_is_refused(bit in 0usize..100_000) {
            let mut blob = save(&document("k", &[vec![7; 100]]));
            let bit = bit % (blob.len() * 8);
            blob[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(load(&blob).is_err());
        }

        #[test]
        fn noise_is_refused(noise in prop::collection::vec(any::<u8>(), 0..500)) {
            prop_assert!(load(&noise).is_err());
        }

        #[test]
        fn a_length_that_lies_is_refused_though_the_checksum_is_right(at in 12usize..400, word: u64) {
            let mut blob = save(&document("k", &[vec![7; 100]]));
            let original = blob.clone();
            let end = blob.len() - 4;
            let at = at % (end - 8);
            blob[at..at + 8].copy_from_slice(&word.to_le_bytes());
            let sum = crc32fast::hash(&blob[..end]).to_le_bytes();
            blob[end..].copy_from_slice(&sum);
            if let Ok(document) = load(&blob) {
                prop_assert_eq!(save(&document).len(), original.len());
            }
        }
    }

    #[test]
    fn a_longer_blob_is_refused() {
        let mut blob = save(&document("k", &[]));
        blob.push(0);
        assert!(load(&blob).is_err());
    }
}
