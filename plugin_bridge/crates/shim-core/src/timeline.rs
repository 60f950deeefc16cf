//! The shared timeline file (PROTOCOL section 4): a sealed memory file that the sidecar writes and this process reads.

use crate::{reclaim::Reclaim, shift::Shifts};
use memfd::{FileSeal, Memfd, MemfdOptions};
use memmap2::{MmapOptions, MmapRaw};
use std::{
    io,
    os::fd::AsRawFd,
    sync::atomic::{AtomicI64, AtomicU64, Ordering},
};

pub(crate) const CHUNK: usize = 2048;
pub(crate) const CAPTURE_RECORDS: usize = 512;
pub(crate) const CAPTURE_SAMPLES: usize = 1024;

/// "DMNTLN\0" "1".
const MAGIC: u64 = 0x3100_4E4C_544E_4D44;
const VERSION: u32 = 1;
const CHANNELS: u32 = 2;
const HEADER_BYTES: u64 = 4096;
const SLOT_HEADER_BYTES: u64 = 64;
const SLOT_STRIDE: u64 = (CHANNELS as usize * CHUNK * 4) as u64;
const CAPTURE_HEADER_BYTES: u64 = 64;
const CAPTURE_STRIDE: u64 = CAPTURE_HEADER_BYTES + (CHANNELS as usize * CAPTURE_SAMPLES * 4) as u64;
/// Slots must start on a page, so that neither side's map splits one; 4 KiB is the smallest page served.
const PAGE: u64 = 4096;

/// Seconds of song that stay playable: half the model's 240 s, because each second is 375 KiB per instance at 48 kHz.
const SECONDS: u64 = 120;
/// Seconds of song that can be in the making or on their way back while everything is heard: ten windows of 0.4 s and
/// as much again for what a fade or a block still reads.
const SPARE_SECONDS: u64 = 8;

/// Where everything lies; derived from the rate alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub rate: u32,
    pub entries: u32,
    pub slots: u32,
    pub table: u64,
    pub slot_headers: u64,
    pub slot_data: u64,
    pub capture: u64,
    pub bytes: u64,
}

impl Layout {
    pub(crate) fn new(rate: u32) -> Self {
        let chunks = |seconds: u64| (seconds * u64::from(rate)).div_ceil(CHUNK as u64) as u32;
        let entries = chunks(SECONDS);
        let slots = entries + chunks(SPARE_SECONDS);
        let page = |offset: u64| offset.next_multiple_of(PAGE);
        let table = HEADER_BYTES;
        let slot_headers = page(table + u64::from(entries) * 8);
        let slot_data = page(slot_headers + u64::from(slots) * SLOT_HEADER_BYTES);
        let capture = slot_data + u64::from(slots) * SLOT_STRIDE;
        let bytes = page(capture + CAPTURE_RECORDS as u64 * CAPTURE_STRIDE);
        Self { rate, entries, slots, table, slot_headers, slot_data, capture, bytes }
    }

    /// The first 0x70 bytes of the file but for the magic.
    fn header(&self, epoch: u32) -> [u8; 0x70] {
        let pair = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        let words = [
            0,
            pair(VERSION, HEADER_BYTES as u32),
            self.bytes,
            pair(self.rate, CHANNELS),
            pair(CHUNK as u32, self.entries),
            pair(self.slots, epoch),
            self.table,
            self.slot_headers,
            self.slot_data,
            self.capture,
            pair(CAPTURE_RECORDS as u32, CAPTURE_SAMPLES as u32),
            SLOT_STRIDE,
            CAPTURE_STRIDE,
        ];
        let mut header = [0; 0x70];
        for (place, word) in header.chunks_exact_mut(8).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        header
    }
}

/// The mapped file. Its memory is shared with another process, so it is only reached through raw pointers and atomics.
pub(crate) struct Timeline {
    pub layout: Layout,
    pub epoch: u32,
    pub reclaim: Reclaim,
    pub shifts: Shifts,
    file: Memfd,
    map: MmapRaw,
}

impl Timeline {
    /// # Errors
    /// When the system refuses the memory.
    pub(crate) fn new(rate: u32, epoch: u32) -> io::Result<Self> {
        let layout = Layout::new(rate);
        let file = MemfdOptions::default().allow_sealing(true).create("demon-timeline").map_err(io::Error::other)?;
        // Allocated now, so that no page is missing when the audio thread touches it.
        rustix::fs::fallocate(file.as_file(), rustix::fs::FallocateFlags::empty(), 0, layout.bytes)?;
        file.add_seals(&[FileSeal::SealShrink, FileSeal::SealGrow]).map_err(io::Error::other)?;
        let map = MmapOptions::new().len(layout.bytes as usize).populate().map_raw(file.as_file())?;
        let timeline = Self { layout, epoch, reclaim: Reclaim::new(), shifts: Shifts::new(), file, map };
        timeline.write_header();
        Ok(timeline)
    }

    /// The number of the file descriptor in this process.
    pub(crate) fn fd(&self) -> u32 {
        self.file.as_raw_fd() as u32
    }

    fn write_header(&self) {
        let header = self.layout.header(self.epoch);
        // SAFETY: the file is longer than its header, freshly made, and no one else knows it yet.
        unsafe { std::ptr::copy_nonoverlapping(header.as_ptr(), self.map.as_mut_ptr(), header.len()) };
        self.word(0).store(MAGIC.to_le(), Ordering::Release);
    }

    fn word(&self, offset: u64) -> &AtomicU64 {
        assert!(offset + 8 <= self.layout.bytes && offset.is_multiple_of(8));
        // SAFETY: in bounds and aligned (asserted; the map is page aligned); words reached this way are only touched
        // atomically in this process.
        unsafe { AtomicU64::from_ptr(self.map.as_mut_ptr().add(offset as usize).cast()) }
    }

    /// The table entry of a chunk in a pass of this shift: entry `(chunk + shift) mod entries`, Euclidean.
    pub(crate) fn entry(&self, chunk: i64, shift: u32) -> &AtomicU64 {
        self.entry_at((chunk + i64::from(shift)).rem_euclid(i64::from(self.layout.entries)) as u32)
    }

    /// A table entry by its number.
    pub(crate) fn entry_at(&self, number: u32) -> &AtomicU64 {
        debug_assert!(number < self.layout.entries);
        self.word(self.layout.table + u64::from(number) * 8)
    }

    /// The chunk that the sidecar wrote into a slot.
    pub(crate) fn chunk_of(&self, slot: u32) -> i64 {
        self.word(self.layout.slot_headers + u64::from(slot) * SLOT_HEADER_BYTES).load(Ordering::Acquire) as i64
    }

    /// One sample of a slot, both channels.
    pub(crate) fn sample(&self, slot: u32, index: usize) -> [f32; 2] {
        debug_assert!(slot < self.layout.slots && index < CHUNK);
        let base = self.layout.slot_data as usize + slot as usize * SLOT_STRIDE as usize;
        // SAFETY: `lookup` and the publisher admit slots below `slots` only and callers index within the chunk, so both
        // reads are in bounds and aligned. The sidecar writes the slot only before it is named in the table and after
        // it was freed (`reclaim`); volatile, because the memory is another process's too.
        unsafe {
            let left = self.map.as_ptr().add(base).cast::<f32>().add(index);
            [left.read_volatile(), left.add(CHUNK).read_volatile()]
        }
    }

    /// The number word (number + 1) of a capture record.
    pub(crate) fn capture_number(&self, record: usize) -> &AtomicI64 {
        let offset = self.capture_offset(record);
        // SAFETY: in bounds and 8-aligned by the layout; only the audio thread of this process touches it, atomically.
        unsafe { AtomicI64::from_ptr(self.map.as_mut_ptr().add(offset).cast()) }
    }

    /// Writes a capture record's header behind its number: song position, samples, pass, bus.
    pub(crate) fn write_capture_header(&self, record: usize, song: i64, samples: u32, pass: u32, side: bool) {
        let mut header = [0u8; CAPTURE_HEADER_BYTES as usize - 8];
        header[0..8].copy_from_slice(&song.to_le_bytes());
        header[8..12].copy_from_slice(&samples.to_le_bytes());
        header[12..16].copy_from_slice(&pass.to_le_bytes());
        header[16..20].copy_from_slice(&u32::from(side).to_le_bytes());
        let offset = self.capture_offset(record) + 8;
        // SAFETY: in bounds by the layout; only the audio thread writes here, and a reader checks the number after.
        unsafe { std::ptr::copy_nonoverlapping(header.as_ptr(), self.map.as_mut_ptr().add(offset), header.len()) };
    }

    /// Copies samples into a capture record, from sample `at` on.
    pub(crate) fn write_capture(&self, record: usize, at: usize, left: &[f32], right: &[f32]) {
        assert!(left.len() == right.len() && at + left.len() <= CAPTURE_SAMPLES);
        let base = self.capture_offset(record) + CAPTURE_HEADER_BYTES as usize;
        // SAFETY: in bounds (asserted), aligned by the layout; only the audio thread writes here, and a reader checks
        // the record's number before and after.
        unsafe {
            let to = self.map.as_mut_ptr().add(base).cast::<f32>().add(at);
            std::ptr::copy_nonoverlapping(left.as_ptr(), to, left.len());
            std::ptr::copy_nonoverlapping(right.as_ptr(), to.add(CAPTURE_SAMPLES), right.len());
        }
    }

    fn capture_offset(&self, record: usize) -> usize {
        assert!(record < CAPTURE_RECORDS);
        self.layout.capture as usize + record * CAPTURE_STRIDE as usize
    }
}

#[cfg(test)]
impl Timeline {
    /// What the sidecar does with a slot that it owns.
    pub(crate) fn write_slot_for_test(&self, slot: u32, chunk: i64, left: &[f32; CHUNK], right: &[f32; CHUNK]) {
        let header = self.layout.slot_headers + u64::from(slot) * SLOT_HEADER_BYTES;
        self.word(header).store(chunk as u64, Ordering::Release);
        let base = self.layout.slot_data as usize + slot as usize * SLOT_STRIDE as usize;
        // SAFETY: in bounds by the layout; the test owns the slot.
        unsafe {
            let to = self.map.as_mut_ptr().add(base).cast::<f32>();
            std::ptr::copy_nonoverlapping(left.as_ptr(), to, CHUNK);
            std::ptr::copy_nonoverlapping(right.as_ptr(), to.add(CHUNK), CHUNK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_do_not_overlap_and_slots_start_on_pages() {
        for rate in [8000, 44_100, 48_000, 96_000, 192_000, 384_000] {
            let layout = Layout::new(rate);
            assert!(layout.table + u64::from(layout.entries) * 8 <= layout.slot_headers);
            assert!(layout.slot_headers + u64::from(layout.slots) * SLOT_HEADER_BYTES <= layout.slot_data);
            assert!(layout.slot_data.is_multiple_of(PAGE) && layout.bytes.is_multiple_of(PAGE));
            assert_eq!(layout.capture, layout.slot_data + u64::from(layout.slots) * SLOT_STRIDE);
            assert!(layout.capture + CAPTURE_RECORDS as u64 * CAPTURE_STRIDE <= layout.bytes);
            assert!(layout.slots < (1 << 20) - 1, "a table entry has 20 bits for a slot");
        }
    }

    #[test]
    fn the_header_is_what_the_protocol_says_and_the_file_is_sealed() {
        let timeline = Timeline::new(48_000, 7).unwrap();
        let word = |offset: u64| timeline.word(offset).load(Ordering::Acquire);
        assert_eq!(&word(0).to_le_bytes(), b"DMNTLN\x001");
        assert_eq!((word(0x08), word(0x10)), (1 | 4096 << 32, timeline.layout.bytes));
        assert_eq!((word(0x18), word(0x20) as u32), (48_000 | 2 << 32, 2048));
        assert_eq!(word(0x28), u64::from(timeline.layout.slots) | 7 << 32);
        assert_eq!((word(0x50), word(0x58), word(0x60)), (512 | 1024 << 32, 16_384, 8256));
        assert!(timeline.file.as_file().set_len(4096).is_err());
    }
}
