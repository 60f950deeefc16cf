//! One entry of the page table: which slot holds a chunk, of which generation and pass.

const SLOT_BITS: u32 = 20;
const GENERATION_BITS: u32 = 24;
const PASS_BITS: u32 = 20;

const fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

/// A table word, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub slot: u32,
    /// The low 24 bits of the generation's number.
    pub generation: u32,
    /// The low 20 bits of the pass's number.
    pub pass: u32,
}

impl Entry {
    pub(crate) fn new(slot: u32, generation: u32, pass: u32) -> Self {
        let low = |value: u32, bits: u32| (u64::from(value) & mask(bits)) as u32;
        Self { slot: low(slot, SLOT_BITS), generation: low(generation, GENERATION_BITS), pass: low(pass, PASS_BITS) }
    }

    /// None for the word 0: nothing was rendered.
    pub(crate) fn unpack(word: u64) -> Option<Self> {
        let slot = (word & mask(SLOT_BITS)) as u32;
        let generation = (word >> SLOT_BITS & mask(GENERATION_BITS)) as u32;
        let pass = (word >> (SLOT_BITS + GENERATION_BITS)) as u32;
        Some(Self { slot: slot.checked_sub(1)?, generation, pass })
    }

    pub(crate) fn pack(self) -> u64 {
        u64::from(self.slot + 1)
            | u64::from(self.generation) << SLOT_BITS
            | u64::from(self.pass) << (SLOT_BITS + GENERATION_BITS)
    }

    /// Whether the entry was rendered in this pass.
    pub(crate) fn is_of(self, pass: u32) -> bool {
        u64::from(self.pass) == u64::from(pass) & mask(PASS_BITS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_entry_survives_its_word(slot in 0u32..(1 << 20) - 1, generation: u32, pass: u32) {
            let entry = Entry::new(slot, generation, pass);
            prop_assert_eq!(Entry::unpack(entry.pack()), Some(entry));
            prop_assert_eq!(entry.slot, slot);
            prop_assert!(entry.is_of(pass));
            prop_assert!(!entry.is_of(pass.wrapping_add(1)));
        }
    }

    #[test]
    fn the_word_0_is_no_entry() {
        assert_eq!(Entry::unpack(0), None);
    }
}
