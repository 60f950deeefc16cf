//! The audio-thread side of one plugin instance.

use crate::{Block, Instance, parameters};
use std::sync::Arc;

/// Renders blocks. Per block: [`begin`](Self::begin), then [`step`](Self::step) or [`queue`](Self::queue) for what
/// the host automated, then [`process`](Self::process) (or [`flush_end`](Self::flush_end) where there is no audio).
pub struct Processor {
    instance: Arc<Instance>,
}

impl Processor {
    pub(crate) fn new(instance: Arc<Instance>) -> Self {
        Self { instance }
    }

    /// Starts a block.
    pub fn begin(&mut self, _block: &Block) {}

    /// From `offset` samples into the block on, parameter `index` holds `plain` (a CLAP event).
    pub fn step(&mut self, index: usize, _offset: u32, plain: f64) {
        self.instance.set_value(index, plain);
    }

    /// A VST3 parameter queue: (offset in samples, normalised value), offsets ascending, up to and including the
    /// block's length.
    pub fn queue(&mut self, index: usize, points: impl Iterator<Item = (u32, f64)>) {
        for (offset, normal) in points {
            self.step(index, offset, parameters::table()[index].plain(normal));
        }
    }

    /// Renders in place: left and right hold the input and receive the output. Both have the block's length.
    pub fn process(&mut self, _audio: [&mut [f32]; 2]) {}

    /// Ends a block that has no audio: the points apply.
    pub fn flush_end(&mut self) {}

    /// The host reset its transport: a running pass ends, the free-running clock goes to 0.
    pub fn reset(&mut self) {}

    /// Samples; always 0, because audio is addressed by song position.
    pub fn latency(&self) -> u32 {
        0
    }
}
