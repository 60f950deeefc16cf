//! The link's side of the page table: slots that the sidecar filled become audible, the ones they replace go back.

use crate::{message::Published, reclaim::Retired, table::Entry, timeline::Timeline};
use std::sync::{Arc, atomic::Ordering};

pub(crate) struct Shelf {
    pub timeline: Arc<Timeline>,
    retired: Retired,
    /// Slots that this side holds: named in the table, or retired and not yet given back.
    held: Vec<bool>,
}

impl Shelf {
    pub(crate) fn new(timeline: Arc<Timeline>) -> Self {
        let held = vec![false; timeline.layout.slots as usize];
        Self { timeline, retired: Retired::default(), held }
    }

    /// Makes slots audible; returns how many were refused: slots that are out of range, or held by this side already,
    /// or that hold another chunk than they are named for.
    pub(crate) fn publish(&mut self, pass: u32, records: &[Published]) -> usize {
        let Some(shift) = self.timeline.shifts.of(pass) else { return self.give_back(records) };
        let mut replaced = Vec::new();
        let mut refused = 0;
        for record in records {
            if !self.accepts(record) {
                refused += 1;
                continue;
            }
            self.held[record.slot as usize] = true;
            let word = Entry::new(record.slot, record.generation, pass).pack();
            let old = self.timeline.entry(record.chunk, shift).swap(word, Ordering::AcqRel);
            replaced.extend(Entry::unpack(old));
        }
        self.retire(replaced.iter().map(|entry| entry.slot));
        refused
    }

    /// Slots of a pass that nobody hears any more.
    fn give_back(&mut self, records: &[Published]) -> usize {
        let accepted: Vec<u32> =
            records.iter().filter(|record| self.accepts(record)).map(|record| record.slot).collect();
        accepted.iter().for_each(|&slot| self.held[slot as usize] = true);
        self.retire(accepted.iter().copied());
        records.len() - accepted.len()
    }

    fn retire(&mut self, slots: impl ExactSizeIterator<Item = u32>) {
        if slots.len() > 0 {
            let epoch = self.timeline.reclaim.retire();
            slots.for_each(|slot| self.retired.push(slot, epoch));
        }
    }

    fn accepts(&self, record: &Published) -> bool {
        let free = self.held.get(record.slot as usize) == Some(&false);
        free && self.timeline.chunk_of(record.slot) == record.chunk
    }

    /// The slots that the sidecar may write again.
    pub(crate) fn collect(&mut self) -> Vec<u32> {
        let free = self.retired.collect(&self.timeline.reclaim);
        free.iter().for_each(|&slot| self.held[slot as usize] = false);
        free
    }

    /// Whether every slot is either the sidecar's or in the table; a new sidecar takes all that the table does not name.
    pub(crate) fn is_settled(&mut self) -> bool {
        self.collect();
        self.retired.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(timeline: &Timeline, slot: u32, chunk: i64) -> Published {
        timeline.write_slot_for_test(slot, chunk, &[0.0; 2048], &[0.0; 2048]);
        Published { chunk, slot, generation: 1 }
    }

    #[test]
    fn a_replaced_slot_goes_back_once() {
        let timeline = Arc::new(Timeline::new(8000, 1).unwrap());
        let mut shelf = Shelf::new(timeline.clone());
        assert_eq!(shelf.publish(1, &[filled(&timeline, 5, -1)]), 0);
        assert!(shelf.collect().is_empty());
        assert_eq!(shelf.publish(2, &[filled(&timeline, 6, -1)]), 0);
        assert_eq!(shelf.collect(), [5]);
        assert!(shelf.collect().is_empty() && shelf.is_settled());
        assert_eq!(shelf.publish(3, &[filled(&timeline, 5, -1)]), 0);
    }

    #[test]
    fn a_pass_is_laid_where_its_shift_says_and_one_that_nobody_hears_any_more_goes_back_at_once() {
        let timeline = Arc::new(Timeline::new(8000, 1).unwrap());
        let mut shelf = Shelf::new(timeline.clone());
        timeline.shifts.set(1, 10);
        assert_eq!(shelf.publish(1, &[filled(&timeline, 5, -1)]), 0);
        let entry = |number| Entry::unpack(timeline.entry_at(number).load(Ordering::Acquire)).map(|entry| entry.slot);
        assert_eq!((entry(9), shelf.collect()), (Some(5), vec![]));
        timeline.shifts.set(1 + crate::pass::PASSES as u32, 0);
        assert_eq!(shelf.publish(1, &[filled(&timeline, 6, -1)]), 0);
        assert_eq!((entry(9), shelf.collect()), (Some(5), vec![6]));
    }

    #[test]
    fn a_slot_that_is_not_the_sidecars_is_refused() {
        let timeline = Arc::new(Timeline::new(8000, 1).unwrap());
        let mut shelf = Shelf::new(timeline.clone());
        shelf.publish(1, &[filled(&timeline, 5, 3)]);
        let beyond = Published { chunk: 0, slot: timeline.layout.slots, generation: 1 };
        let misnamed = Published { chunk: 9, ..filled(&timeline, 7, 8) };
        assert_eq!(shelf.publish(1, &[filled(&timeline, 5, 4), beyond, misnamed]), 3);
    }
}
