//! An instance in a host that plays, and waiting for what it does.

use shim_core::{Block, Instance, Notice, Processor};
use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

pub const RATE: u32 = 8000;

pub fn block(frames: usize, position: i64, offline: bool) -> Block {
    Block { frames: frames as u32, playing: true, offline, position: Some(position), ..Block::default() }
}

pub fn input(position: i64, frames: usize) -> Vec<f32> {
    (position..position + frames as i64).map(|sample| (sample % 1009) as f32 / 4096.0).collect()
}

/// Plays `samples` from 0 in blocks; the left output.
pub fn play(processor: &mut Processor, samples: usize, size: usize, offline: bool) -> Vec<f32> {
    let mut out = Vec::new();
    while out.len() < samples {
        let (at, frames) = (out.len() as i64, size.min(samples - out.len()));
        let (mut left, mut right) = (input(at, frames), input(at, frames));
        processor.begin(&block(frames, at, offline));
        processor.process([&mut left, &mut right], None);
        out.extend(left);
    }
    out
}

pub fn stop(processor: &mut Processor) {
    processor.begin(&Block { frames: 16, ..Block::default() });
    processor.process([&mut [0.0; 16], &mut [0.0; 16]], None);
}

pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..4000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{what} did not come true");
}

pub fn instance() -> (Arc<Instance>, mpsc::Receiver<Notice>) {
    let instance = Instance::new("test");
    let (send, notices) = mpsc::channel();
    instance.set_notifier(Box::new(move |notice| {
        let _ = send.send(notice);
    }));
    (instance, notices)
}
