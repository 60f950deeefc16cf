//! The audio thread.

use std::sync::atomic::Ordering;

use clack_extensions::params::PluginAudioProcessorParams;
use clack_extensions::tail::{PluginTailImpl, TailLength};
use clack_plugin::events::event_types::TransportEvent;
use clack_plugin::prelude::*;
use clap_sys::audio_buffer::clap_audio_buffer;
use shim_channels::{Pair, Side};
use shim_core::{Block, Processor, parameters};

use crate::main_thread::MainThread;
use crate::shared::Shared;
use crate::{params, transport};

/// Longest block for which odd channel layouts get their spare channels; far above any host's, so that an absurd
/// `max_frames_count` cannot exhaust memory.
const MAX_SPARE: u32 = 1 << 16;

/// What exists only while the plugin is active.
pub struct AudioProcessor<'a> {
    shared: &'a Shared<'a>,
    processor: Processor,
    pair: Pair,
    side: Side,
    rate: f64,
    /// The block before, for a flush, which tells nothing of the transport.
    last: Block,
    reported: Option<f64>,
}

impl<'a> PluginAudioProcessor<'a, Shared<'a>, MainThread<'a>> for AudioProcessor<'a> {
    fn activate(
        _host: HostAudioProcessorHandle<'a>,
        main_thread: &MainThread<'a>,
        shared: &'a Shared<'a>,
        config: PluginAudioConfiguration,
    ) -> Result<Self, PluginError> {
        // A rate that is no number becomes 0, which activation refuses.
        let rate = config.sample_rate.round() as u32;
        let processor = shared.instance.activate(rate, config.max_frames_count as usize)?;
        main_thread.declare(processor.latency());
        let spare = config.max_frames_count.min(MAX_SPARE) as usize;
        let (pair, side) = (Pair::new(spare), Side::new(spare));
        Ok(Self { shared, processor, pair, side, rate: config.sample_rate, last: Block::default(), reported: None })
    }

    fn process(&mut self, process: Process, mut audio: Audio, events: Events) -> Result<ProcessStatus, PluginError> {
        let frames = audio.frames_count();
        self.last = self.block(process.transport, frames);
        self.processor.begin(&self.last);
        self.step(events.input);
        self.audio(&mut audio, frames as usize);
        #[cfg(all(feature = "editor", target_os = "linux"))]
        self.shared.gestures.give(events.output);
        self.report_status(events.output);
        // Never asleep: what is heard depends on the song, not on the input.
        Ok(ProcessStatus::Continue)
    }

    fn deactivate(self, _main_thread: &MainThread<'a>) {
        self.shared.instance.deactivate(self.processor);
    }

    fn reset(&mut self) {
        self.processor.reset();
    }

    fn stop_processing(&mut self) {
        self.processor.reset();
    }
}

impl AudioProcessor<'_> {
    fn block(&self, transport: Option<&TransportEvent>, frames: u32) -> Block {
        transport::block(transport, frames, self.shared.offline.load(Ordering::Acquire), self.rate)
    }

    /// An event after the block's end, which CLAP forbids, counts at its end.
    fn step(&mut self, events: &InputEvents) {
        for event in events {
            if let Some((index, plain)) = params::change(event) {
                self.processor.step(index, event.header().time().min(self.last.frames), plain);
            }
        }
    }

    fn audio(&mut self, audio: &mut Audio, frames: usize) {
        let (inputs, outputs) = audio.raw_buffers();
        // SAFETY: clack passes the host's buffers on as they came: arrays of `channel_count` pointers, or null.
        let (input, output) = unsafe { (channels(inputs.first()), channels(outputs.first())) };
        let processor = &mut self.processor;
        if frames == 0 || output.is_empty() {
            processor.flush_end();
            return;
        }
        // SAFETY: as above; CLAP channels are valid for `frames`.
        let side = unsafe { self.side.read(channels(inputs.get(1)), frames) };
        // SAFETY: CLAP channels are valid for `frames`, and in-place pairs are equal, never partly overlapping.
        let done = unsafe { self.pair.run(input, output, frames, |pair| processor.process(pair, side)) };
        if !done {
            processor.flush_end();
        }
        outputs[0].constant_mask = 0;
    }

    fn report_status(&mut self, output: &mut OutputEvents) {
        let value = self.shared.instance.value(parameters::STATUS);
        if self.reported != Some(value) && output.try_push(params::status_event(value)).is_ok() {
            self.reported = Some(value);
        }
    }
}

impl PluginAudioProcessorParams for AudioProcessor<'_> {
    fn flush(&mut self, input: &InputEvents, output: &mut OutputEvents) {
        // An empty block where the last one ended, so that a pass goes on and no position jumps.
        let passed = if self.last.playing { i64::from(self.last.frames) } else { 0 };
        self.last = Block { frames: 0, position: self.last.position.map(|position| position + passed), ..self.last };
        self.processor.begin(&self.last);
        self.step(input);
        self.processor.flush_end();
        #[cfg(all(feature = "editor", target_os = "linux"))]
        self.shared.gestures.give(output);
        self.report_status(output);
    }
}

impl PluginTailImpl for AudioProcessor<'_> {
    fn get(&self) -> TailLength {
        // The song goes on after the input ends.
        TailLength::Infinite
    }
}

/// The channel pointers of a port.
///
/// # Safety
/// `port` is the host's, with `channel_count` pointers in each array that is not null.
unsafe fn channels(port: Option<&clap_audio_buffer>) -> &[*mut f32] {
    match port {
        // SAFETY: as the contract says.
        Some(port) if port.channel_count > 0 && !port.data32.is_null() => unsafe {
            std::slice::from_raw_parts(port.data32.cast(), port.channel_count as usize)
        },
        _ => &[],
    }
}
