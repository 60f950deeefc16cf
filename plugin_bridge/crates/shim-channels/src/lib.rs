//! A host's channel pointers as one in-place stereo pair.
//!
//! Both plugin formats hand over bare pointers that may be null, equal, crossed (left in = right out), or fewer than
//! two. [`Pair::run`] turns every such layout into two disjoint slices that already hold the input, so that the
//! formats' own code never forms an aliased `&mut [f32]`. Nothing here allocates after [`Pair::new`].
#![deny(unsafe_op_in_unsafe_fn)]

use std::ptr;

/// A second input as a stereo pair of its own, because a host may hand over the same memory for it and for the output.
pub struct Side {
    copy: [Box<[f32]>; 2],
}

impl Side {
    /// Room for `frames` samples; allocates.
    pub fn new(frames: usize) -> Self {
        Self { copy: [(); 2].map(|()| vec![0.0; frames].into_boxed_slice()) }
    }

    /// Copies the input; one channel is given to both sides, a null one is silence. None where there is no channel at
    /// all, or the block is longer than the room.
    ///
    /// # Safety
    /// Every pointer that is not null is valid for `frames` samples, which nothing else writes during the call.
    pub unsafe fn read(&mut self, inputs: &[*mut f32], frames: usize) -> Option<[&[f32]; 2]> {
        let source = sources(inputs);
        if source.iter().all(|channel| channel.is_null()) || frames > self.copy[0].len() {
            return None;
        }
        for (from, to) in source.iter().zip(&mut self.copy) {
            // SAFETY: `to` is private memory of at least `frames` samples, `from` is null or valid.
            unsafe { copy_or_silence(*from, to.as_mut_ptr(), frames) };
        }
        let [left, right] = &self.copy;
        Some([&left[..frames], &right[..frames]])
    }
}

/// Two spare channels for blocks whose output is not two separate channels.
pub struct Pair {
    spare: [Box<[f32]>; 2],
}

impl Pair {
    /// Spare channels of `frames` samples; allocates.
    pub fn new(frames: usize) -> Self {
        Self { spare: [(); 2].map(|()| vec![0.0; frames].into_boxed_slice()) }
    }

    /// Copies the input to the output and calls `process` with the output's left and right channel.
    ///
    /// One input channel is given to both sides, a missing one is silence. One output channel gets the mean of both
    /// sides; channels after the second are silenced. Returns false, with the output dry, when the layout needs the
    /// spare channels and the block is longer than they are.
    ///
    /// # Safety
    /// Every pointer that is not null is valid for `frames` samples (outputs for writing), and two of them are either
    /// equal or do not overlap. Nothing else accesses that memory during the call.
    pub unsafe fn run(
        &mut self,
        inputs: &[*mut f32],
        outputs: &[*mut f32],
        frames: usize,
        process: impl FnOnce([&mut [f32]; 2]),
    ) -> bool {
        let source = sources(inputs);
        let target = [0, 1].map(|side| outputs.get(side).copied().unwrap_or(ptr::null_mut()));
        let done = if target.iter().all(|channel| !channel.is_null()) && target[0] != target[1] {
            // SAFETY: both targets are valid for `frames` and differ, so by the contract they do not overlap.
            unsafe {
                gather(source, target, frames);
                process(target.map(|channel| std::slice::from_raw_parts_mut(channel, frames)));
            }
            true
        } else {
            // SAFETY: passed on from the caller.
            unsafe { self.run_spare(source, target, frames, process) }
        };
        for &extra in outputs.iter().skip(2).filter(|extra| !extra.is_null() && !target.contains(extra)) {
            // SAFETY: valid for `frames` writes; every input has been read by now.
            unsafe { ptr::write_bytes(extra, 0, frames) };
        }
        done
    }

    /// # Safety
    /// As [`Pair::run`].
    unsafe fn run_spare(
        &mut self,
        source: [*mut f32; 2],
        target: [*mut f32; 2],
        frames: usize,
        process: impl FnOnce([&mut [f32]; 2]),
    ) -> bool {
        let only = if target[0].is_null() { target[1] } else { target[0] };
        if frames > self.spare[0].len() {
            if !only.is_null() {
                // SAFETY: `only` is valid for `frames`, `source[0]` is null or valid.
                unsafe { copy_or_silence(source[0], only, frames) };
            }
            return false;
        }
        let [left, right] = &mut self.spare;
        let (left, right) = (&mut left[..frames], &mut right[..frames]);
        // SAFETY: the spare channels are private memory of at least `frames` samples, the sources are null or valid.
        unsafe {
            copy_or_silence(source[0], left.as_mut_ptr(), frames);
            copy_or_silence(source[1], right.as_mut_ptr(), frames);
        }
        process([left, right]);
        if !only.is_null() {
            for (index, (left, right)) in left.iter().zip(right.iter()).enumerate() {
                // SAFETY: `only` is valid for `frames` writes and `index < frames`.
                unsafe { only.add(index).write((left + right) * 0.5) };
            }
        }
        true
    }
}

fn sources(inputs: &[*mut f32]) -> [*mut f32; 2] {
    match inputs {
        [] => [ptr::null_mut(); 2],
        [mono] => [*mono; 2],
        [left, right, ..] => [*left, *right],
    }
}

/// Moves two sources onto two targets, in an order that no alias between them can spoil.
///
/// # Safety
/// Targets are valid for `frames` and differ; sources are null or valid; two pointers are equal or do not overlap.
unsafe fn gather(source: [*mut f32; 2], target: [*mut f32; 2], frames: usize) {
    // SAFETY: as the contract says.
    unsafe {
        if source[0] == target[1] && source[1] == target[0] {
            ptr::swap_nonoverlapping(target[0], target[1], frames);
        } else if source[1] == target[0] {
            copy_or_silence(source[1], target[1], frames);
            copy_or_silence(source[0], target[0], frames);
        } else {
            copy_or_silence(source[0], target[0], frames);
            copy_or_silence(source[1], target[1], frames);
        }
    }
}

/// # Safety
/// `target` is valid for `frames` writes, `source` is null or valid for `frames` reads.
unsafe fn copy_or_silence(source: *mut f32, target: *mut f32, frames: usize) {
    // SAFETY: as the contract says; `copy` allows source == target.
    unsafe {
        if source.is_null() {
            ptr::write_bytes(target, 0, frames);
        } else {
            ptr::copy(source, target, frames);
        }
    }
}

#[cfg(test)]
mod tests;
