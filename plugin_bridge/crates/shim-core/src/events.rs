//! What a host automated in one block: breakpoints per parameter, in the block's own sample offsets.

use crate::parameters::{self, COUNT, Curve, Parameter};

/// More than one breakpoint per sample of a 4096-sample block; beyond it the newest replaces its parameter's last.
const CAPACITY: usize = 8192;

/// A breakpoint: the parameter steps, or moves linearly from its preceding breakpoint, to `value` at `offset`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Event {
    pub index: usize,
    /// 0 to the block's length, inclusive.
    pub offset: u32,
    pub ramp: bool,
    /// Plain, quantised.
    pub value: f64,
}

/// The breakpoints of one block, and what was in force when it began.
pub(crate) struct Events {
    list: Vec<Event>,
    start: [f64; COUNT],
    end: [f64; COUNT],
    frames: u32,
}

impl Events {
    pub(crate) fn new(values: [f64; COUNT]) -> Self {
        Self { list: Vec::with_capacity(CAPACITY), start: values, end: values, frames: 0 }
    }

    /// A new block of this many samples; what the last one ended with is in force.
    pub(crate) fn begin(&mut self, frames: u32) {
        self.list.clear();
        self.start = self.end;
        self.frames = frames;
    }

    /// The block turned out to have this many samples.
    pub(crate) fn truncate(&mut self, frames: u32) {
        if frames < self.frames {
            self.list.iter_mut().for_each(|event| event.offset = event.offset.min(frames));
        }
        self.frames = frames;
    }

    pub(crate) fn list(&self) -> &[Event] {
        &self.list
    }

    /// What is in force after the block.
    pub(crate) fn end(&self, index: usize) -> f64 {
        self.end[index]
    }

    /// A step, as CLAP sends it.
    pub(crate) fn step(&mut self, index: usize, offset: u32, plain: f64) {
        let Some(parameter) = writable(index) else { return };
        self.push(index, offset.min(self.frames), false, parameter.quantise(plain));
    }

    /// A VST3 queue (PROTOCOL section 3): (offset, normalised value), offsets ascending.
    pub(crate) fn queue(&mut self, index: usize, points: impl Iterator<Item = (u32, f64)>) {
        let Some(parameter) = writable(index) else { return };
        let mut anchored = false;
        for (offset, normal) in points {
            let value = parameter.plain(normal);
            let offset = offset.min(self.frames);
            let ramp = is_ramp(parameter, offset, value, self.end[index]);
            if ramp && !anchored {
                self.push(index, 0, false, self.end[index]);
            }
            self.push(index, offset, ramp, value);
            anchored = true;
        }
    }

    fn push(&mut self, index: usize, offset: u32, ramp: bool, value: f64) {
        self.end[index] = value;
        let event = Event { index, offset, ramp, value };
        if self.list.len() < CAPACITY {
            self.list.push(event);
        } else if let Some(last) = self.list.iter_mut().rev().find(|last| last.index == index) {
            *last = event;
        }
    }

    /// The polyline's value at a sample of the block.
    pub(crate) fn at(&self, index: usize, offset: u32) -> f64 {
        let (mut from, mut value) = (0, self.start[index]);
        for event in self.list.iter().filter(|event| event.index == index) {
            if event.offset > offset {
                let along = f64::from(offset - from) / f64::from(event.offset - from);
                return if event.ramp { value + (event.value - value) * along } else { value };
            }
            (from, value) = (event.offset, event.value);
        }
        value
    }
}

/// What a host may write.
fn writable(index: usize) -> Option<&'static Parameter> {
    parameters::table().get(index).filter(|parameter| parameter.curve != Curve::Status)
}

/// A switch or a choice has nothing between its steps, so it steps.
fn is_ramp(parameter: &Parameter, offset: u32, value: f64, in_force: f64) -> bool {
    parameter.steps.is_none() && offset != 0 && value != in_force
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parameters::{BYPASS, DENOISE, MIX};
    use proptest::prelude::*;

    fn events(frames: u32) -> Events {
        let mut events = Events::new(std::array::from_fn(|index| parameters::table()[index].default));
        events.begin(frames);
        events
    }

    fn list(events: &Events) -> Vec<(u32, bool, f64)> {
        events.list().iter().map(|event| (event.offset, event.ramp, event.value)).collect()
    }

    #[test]
    fn a_point_at_offset_0_is_a_step() {
        let mut events = events(512);
        events.queue(DENOISE, [(0, 0.5)].into_iter());
        assert_eq!(list(&events), [(0, false, 0.5)]);
    }

    #[test]
    fn a_later_point_is_a_ramp_from_the_value_in_force_at_the_blocks_start() {
        let mut events = events(512);
        events.queue(DENOISE, [(100, 0.25), (512, 1.0)].into_iter());
        assert_eq!(list(&events), [(0, false, 0.75), (100, true, 0.25), (512, true, 1.0)]);
        assert_eq!(events.at(DENOISE, 50), 0.5);
        assert_eq!(events.at(DENOISE, 306), 0.625);
        events.begin(64);
        assert_eq!(events.at(DENOISE, 0), 1.0);
    }

    #[test]
    fn a_point_that_repeats_the_value_in_force_is_a_step_and_anchors_the_next_ramp() {
        let mut events = events(512);
        events.queue(DENOISE, [(100, 0.75), (200, 0.0)].into_iter());
        assert_eq!(list(&events), [(100, false, 0.75), (200, true, 0.0)]);
    }

    #[test]
    fn a_switch_steps_where_its_point_is() {
        let mut events = events(512);
        events.queue(BYPASS, [(100, 1.0)].into_iter());
        assert_eq!(list(&events), [(100, false, 1.0)]);
    }

    #[test]
    fn an_offset_past_the_block_is_the_blocks_end() {
        let mut events = events(8);
        events.step(MIX, u32::MAX, 0.5);
        assert_eq!(list(&events), [(8, false, 0.5)]);
        assert_eq!(events.at(MIX, 7), 1.0);
    }

    #[test]
    fn more_points_than_fit_keep_the_newest() {
        let mut events = events(20_000);
        for offset in 0..20_000 {
            events.step(MIX, offset, f64::from(offset % 2));
        }
        events.step(BYPASS, 20_000, 1.0);
        assert_eq!((events.end(MIX), events.end(BYPASS)), (1.0, 1.0));
        assert_eq!(events.list().len(), CAPACITY);
    }

    proptest! {
        #[test]
        fn any_queue_becomes_ascending_breakpoints_that_end_on_its_last_point(
            frames in 1u32..4096, points in prop::collection::vec((0u32..=4200, 0.0f64..=1.0), 0..20),
        ) {
            let mut points = points;
            points.sort_by_key(|point| point.0);
            let mut events = events(frames);
            events.queue(DENOISE, points.iter().copied());
            prop_assert!(events.list().windows(2).all(|pair| pair[0].offset <= pair[1].offset));
            prop_assert!(events.list().iter().all(|event| event.offset <= frames));
            prop_assert!(events.list().first().is_none_or(|event| !event.ramp));
            let last = points.last().map_or(0.75, |point| parameters::table()[DENOISE].plain(point.1));
            prop_assert_eq!(events.end(DENOISE), last);
            prop_assert_eq!(events.at(DENOISE, frames), last);
        }
    }
}
