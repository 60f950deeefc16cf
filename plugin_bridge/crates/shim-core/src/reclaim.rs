//! When a slot that left the table may be written again: once the audio thread can neither be reading it nor fade
//! from it.
//!
//! The audio thread publishes, on entry to a block, the epoch it saw, and on exit the slots it may still need. The link
//! takes a slot out of the table, then advances the epoch, and frees the slot when the reader is outside, or entered
//! after that, and has not pinned it. A full fence on each side makes one of the two see the other: either the reader
//! loads the new entry, or the link sees the reader inside.

#[cfg(all(test, feature = "loom"))]
use loom::sync::atomic::{AtomicU64, Ordering, fence};
#[cfg(not(all(test, feature = "loom")))]
use std::sync::atomic::{AtomicU64, Ordering, fence};

const OUTSIDE: u64 = u64::MAX;

/// A slot that the next block may still read; none is 0 on the wire.
pub(crate) type Pin = Option<u32>;

/// What reader and link share.
#[derive(Debug)]
pub(crate) struct Reclaim {
    epoch: AtomicU64,
    reader: AtomicU64,
    pins: AtomicU64,
}

fn pack(pins: [Pin; 2]) -> u64 {
    let word = |pin: Pin| pin.map_or(0, |slot| u64::from(slot) + 1);
    word(pins[0]) | word(pins[1]) << 32
}

impl Reclaim {
    pub(crate) fn new() -> Self {
        Self { epoch: AtomicU64::new(0), reader: AtomicU64::new(OUTSIDE), pins: AtomicU64::new(0) }
    }

    /// Audio thread: before the first look at the table in a block.
    pub(crate) fn enter(&self) {
        self.reader.store(self.epoch.load(Ordering::Acquire), Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// Audio thread: after the last look; `pins` stay readable until the next `leave`.
    pub(crate) fn leave(&self, pins: [Pin; 2]) {
        self.pins.store(pack(pins), Ordering::Release);
        self.reader.store(OUTSIDE, Ordering::Release);
    }

    /// Link: the epoch of what was taken out of the table before this call.
    pub(crate) fn retire(&self) -> u64 {
        self.epoch.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Link: whether a slot retired at `epoch` may be written again.
    pub(crate) fn is_free(&self, slot: u32, epoch: u64) -> bool {
        // The reader first, then the pins: a reader seen outside, or entered later, has its pins published, and it
        // can only keep a pin, never take a new one on a slot that the table no longer names.
        fence(Ordering::SeqCst);
        let reader = self.reader.load(Ordering::Acquire);
        let pins = self.pins.load(Ordering::Acquire);
        let pinned = [pins as u32, (pins >> 32) as u32].contains(&(slot + 1));
        (reader == OUTSIDE || reader >= epoch) && !pinned
    }
}

/// Slots on their way back to the sidecar, oldest first. Link side.
#[derive(Debug, Default)]
pub(crate) struct Retired(Vec<(u32, u64)>);

impl Retired {
    pub(crate) fn push(&mut self, slot: u32, epoch: u64) {
        self.0.push((slot, epoch));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Takes out what may be written again.
    pub(crate) fn collect(&mut self, reclaim: &Reclaim) -> Vec<u32> {
        let mut free = Vec::new();
        self.0.retain(|&(slot, epoch)| {
            let is_free = reclaim.is_free(slot, epoch);
            if is_free {
                free.push(slot);
            }
            !is_free
        });
        free
    }
}

#[cfg(all(test, not(feature = "loom")))]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_kept_while_a_block_that_may_have_seen_it_runs() {
        let (reclaim, mut retired) = (Reclaim::new(), Retired::default());
        reclaim.enter();
        retired.push(7, reclaim.retire());
        assert!(retired.collect(&reclaim).is_empty());
        reclaim.leave([None, None]);
        assert_eq!(retired.collect(&reclaim), [7]);
    }

    #[test]
    fn a_pinned_slot_is_kept_until_a_block_lets_it_go() {
        let (reclaim, mut retired) = (Reclaim::new(), Retired::default());
        for pins in [[Some(3), None], [None, Some(3)]] {
            reclaim.leave(pins);
            retired.push(3, reclaim.retire());
            assert!(retired.collect(&reclaim).is_empty());
            reclaim.leave([Some(4), None]);
            assert_eq!(retired.collect(&reclaim), [3]);
        }
    }

    #[test]
    fn a_block_entered_after_the_retirement_does_not_hold_the_slot() {
        let (reclaim, mut retired) = (Reclaim::new(), Retired::default());
        retired.push(0, reclaim.retire());
        reclaim.enter();
        assert_eq!(retired.collect(&reclaim), [0]);
    }
}

#[cfg(all(test, feature = "loom"))]
mod model {
    use super::*;
    use loom::{cell::UnsafeCell, sync::Arc, thread};

    struct World {
        reclaim: Reclaim,
        table: AtomicU64,
        slots: [UnsafeCell<u32>; 2],
    }

    /// One block of the reader: looks its slot up, reads it, reads what it fades from, and keeps the current slot
    /// pinned. `loom` fails the model when a read overlaps a write.
    fn block(world: &World, source: &mut Pin) {
        world.reclaim.enter();
        let slot = world.table.load(Ordering::Acquire) as u32;
        let fading = source.filter(|&old| old != slot);
        for slot in [Some(slot), fading].into_iter().flatten() {
            // SAFETY: the rule under test; loom checks it.
            world.slots[slot as usize].with(|value| unsafe { assert_ne!(*value, 0) });
        }
        *source = Some(slot);
        world.reclaim.leave([*source, fading]);
    }

    #[test]
    fn a_freed_slot_is_never_read() {
        loom::model(|| {
            let world = Arc::new(World {
                reclaim: Reclaim::new(),
                table: AtomicU64::new(0),
                slots: [UnsafeCell::new(1), UnsafeCell::new(2)],
            });
            let link = {
                let world = world.clone();
                thread::spawn(move || {
                    world.table.swap(1, Ordering::AcqRel);
                    let epoch = world.reclaim.retire();
                    if world.reclaim.is_free(0, epoch) {
                        // SAFETY: the rule under test; loom checks it.
                        world.slots[0].with_mut(|value| unsafe { *value = 3 });
                    }
                })
            };
            let mut source = None;
            block(&world, &mut source);
            block(&world, &mut source);
            link.join().unwrap();
        });
    }
}
