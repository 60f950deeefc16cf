//! A host's byte stream.

use vst3::{ComRef, Steinberg::*};

/// Read in pieces of this size; the host may give less at a time.
const PIECE: usize = 64 * 1024;

/// Everything from where the stream stands to its end (hosts may have put their own header before that point).
///
/// None: the stream is longer than `limit` bytes, or gave a count that is not possible.
pub fn read_all(stream: ComRef<'_, IBStream>, limit: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut piece = vec![0_u8; PIECE];
    loop {
        let mut count = 0;
        // SAFETY: `piece` is writable for PIECE bytes and `count` for one integer. The result is not looked at: some
        // hosts call the end of the stream a failure.
        unsafe { stream.read(piece.as_mut_ptr().cast(), PIECE as i32, &mut count) };
        match usize::try_from(count) {
            Ok(0) => return Some(bytes),
            Ok(count) if count <= PIECE && bytes.len() + count <= limit => bytes.extend_from_slice(&piece[..count]),
            _ => return None,
        }
    }
}

/// Writes all of `bytes`; false when the host stops taking them.
pub fn write_all(stream: ComRef<'_, IBStream>, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        let piece = &bytes[..bytes.len().min(PIECE)];
        let mut count = 0;
        // SAFETY: `piece` is readable for its length; IBStream::write only reads through the pointer.
        let result = unsafe { stream.write(piece.as_ptr().cast_mut().cast(), piece.len() as i32, &mut count) };
        match usize::try_from(count) {
            Ok(count) if result == kResultOk && (1..=piece.len()).contains(&count) => bytes = &bytes[count..],
            _ => return false,
        }
    }
    true
}
