//! Text in the fixed, NUL-terminated buffers of VST3.

use std::ffi::c_char;

/// Longest text that is read from the host, in UTF-16 units: the size of VST3's String128.
const LONGEST: usize = 128;

/// Writes `text` as Latin characters, cut to the buffer; characters outside ASCII become `?`.
pub fn narrow(text: &str, buffer: &mut [c_char]) {
    buffer.fill(0);
    let room = buffer.len().saturating_sub(1);
    for (target, character) in buffer[..room].iter_mut().zip(text.chars()) {
        *target = if character.is_ascii() { character as u8 as c_char } else { b'?' as c_char };
    }
}

/// Writes `text` as UTF-16, cut to the buffer at a whole character.
pub fn wide(text: &str, buffer: &mut [u16]) {
    buffer.fill(0);
    let room = buffer.len().saturating_sub(1);
    let mut at = 0;
    for character in text.chars() {
        let end = at + character.len_utf16();
        if end > room {
            return;
        }
        character.encode_utf16(&mut buffer[at..end]);
        at = end;
    }
}

/// Reads NUL-terminated UTF-16 of at most 128 units.
///
/// # Safety
/// `text` is null or readable up to its terminator or 128 units, whichever comes first.
pub unsafe fn read(text: *const u16) -> Option<String> {
    if text.is_null() {
        return None;
    }
    let units = (0..LONGEST)
        // SAFETY: the terminator has not been met before `index`, so this unit is readable.
        .map(|index| unsafe { text.add(index).read() })
        .take_while(|unit| *unit != 0)
        .collect::<Vec<_>>();
    String::from_utf16(&units).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_text_is_cut_at_a_whole_character() {
        let mut buffer = [1; 4];
        wide("ab\u{1F600}", &mut buffer);
        assert_eq!(buffer, [u16::from(b'a'), u16::from(b'b'), 0, 0]);
    }

    #[test]
    fn wide_text_reads_back() {
        let mut buffer = [1; 128];
        wide("Grün %", &mut buffer);
        // SAFETY: the buffer is terminated.
        assert_eq!(unsafe { read(buffer.as_ptr()) }.as_deref(), Some("Grün %"));
    }

    #[test]
    fn narrow_text_stays_terminated() {
        let mut buffer = [1; 3];
        narrow("héllo", &mut buffer);
        assert_eq!(buffer, [b'h' as c_char, b'?' as c_char, 0]);
    }

    #[test]
    fn text_without_an_end_is_cut() {
        // SAFETY: 128 units are readable.
        assert_eq!(unsafe { read([u16::from(b'x'); 128].as_ptr()) }.map(|text| text.len()), Some(128));
    }
}
