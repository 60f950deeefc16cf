//! The audio side: setup, transport, and one block at a time.

use std::ptr;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, TryLockError};

use shim_channels::{Pair, Side};
use shim_core::{Block, Instance, Processor, parameters};
use vst3::{Steinberg::Vst::*, Steinberg::*};

use crate::block::{SIDE_CHAIN, block, channels, frames};
use crate::component::{Component, lock};
use crate::news::News;
use crate::{changes, guard};

/// Longest block for which odd channel layouts get their spare channels; far above any host's, so that an absurd
/// `maxSamplesPerBlock` cannot exhaust memory.
const MAX_SPARE: usize = 1 << 16;

/// What exists only while the plugin is active.
pub struct Audio {
    instance: Arc<Instance>,
    processor: Processor,
    pair: Pair,
    side: Side,
    news: Arc<News>,
    reported: Option<f64>,
}

impl Audio {
    pub fn start(instance: Arc<Instance>, news: Arc<News>, rate: u32, max_block: usize) -> Option<Self> {
        let processor = instance.activate(rate, max_block).ok()?;
        let spare = max_block.min(MAX_SPARE);
        let (pair, side) = (Pair::new(spare), Side::new(spare));
        Some(Self { instance, processor, pair, side, news, reported: None })
    }

    pub fn stop(self) {
        self.instance.deactivate(self.processor);
    }

    pub fn latency(&self) -> u32 {
        self.processor.latency()
    }

    /// # Safety
    /// `data` is what the host passed to `process`, and `block` describes it.
    unsafe fn render(&mut self, block: &Block, data: &ProcessData, has_side: bool) {
        self.processor.begin(block);
        // SAFETY: null or live for this call.
        unsafe { changes::receive(data.inputParameterChanges, block.frames, &mut self.processor) };
        if block.frames == 0 {
            self.processor.flush_end();
        } else {
            // SAFETY: the host's buffers are valid for `numSamples`, which `frames` is.
            unsafe { self.audio(data, block.frames as usize, has_side) };
        }
        // SAFETY: null or live for this call.
        unsafe { self.report(data.outputParameterChanges) };
    }

    /// # Safety
    /// As [`Audio::render`]; `frames` is at most `numSamples`.
    unsafe fn audio(&mut self, data: &ProcessData, frames: usize, has_side: bool) {
        // SAFETY: as the contract says.
        let (inputs, outputs) =
            unsafe { (channels(data.inputs, data.numInputs, 0), channels(data.outputs, data.numOutputs, 0)) };
        let processor = &mut self.processor;
        let side = match has_side {
            // SAFETY: as the contract says; the host's channels are null or valid for `frames`.
            true => unsafe { self.side.read(channels(data.inputs, data.numInputs, SIDE_CHAIN), frames) },
            false => None,
        };
        // SAFETY: the host's channels are null or valid for `frames`; VST3 buffers are equal or apart.
        let done = unsafe { self.pair.run(inputs, outputs, frames, |pair| processor.process(pair, side)) };
        if !done {
            self.processor.flush_end();
        }
    }

    /// # Safety
    /// `changes` is null or live.
    unsafe fn report(&mut self, changes: *mut IParameterChanges) {
        let instance = &self.instance;
        let status = instance.value(parameters::STATUS);
        // SAFETY: as the contract says.
        if self.reported != Some(status) && unsafe { changes::send(changes, instance, parameters::STATUS) } {
            self.reported = Some(status);
        }
        if changes.is_null() || !self.news.take_values() {
            return;
        }
        for index in (0..parameters::COUNT).filter(|index| *index != parameters::STATUS) {
            // SAFETY: as the contract says.
            unsafe { changes::send(changes, instance, index) };
        }
    }
}

/// Input to output, for blocks that come while the plugin cannot process: inactive, or being (de)activated.
///
/// # Safety
/// As [`Audio::render`].
unsafe fn pass(data: &ProcessData) {
    let frames = frames(data) as usize;
    if frames > 0 {
        // SAFETY: as the contract says; a `Pair` without spare channels owns no memory.
        unsafe {
            let (inputs, outputs) =
                (channels(data.inputs, data.numInputs, 0), channels(data.outputs, data.numOutputs, 0));
            Pair::new(0).run(inputs, outputs, frames, |_| ());
        }
    }
}

impl Component {
    fn try_audio(&self) -> Option<MutexGuard<'_, Option<Audio>>> {
        match self.audio.try_lock() {
            Ok(audio) => Some(audio),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl IAudioProcessorTrait for Component {
    unsafe fn setBusArrangements(
        &self,
        inputs: *mut SpeakerArrangement,
        input_count: i32,
        outputs: *mut SpeakerArrangement,
        output_count: i32,
    ) -> tresult {
        // A host that knows no side-chain names one input.
        if !(1..=2).contains(&input_count) || output_count != 1 || inputs.is_null() || outputs.is_null() {
            return kResultFalse;
        }
        // SAFETY: as many arrangements as the counts say.
        let (inputs, output) = unsafe { (std::slice::from_raw_parts(inputs, input_count as usize), *outputs) };
        let side = inputs.get(SIDE_CHAIN as usize).copied();
        let fits = side.is_none_or(|side| [SpeakerArr::kStereo, SpeakerArr::kMono, SpeakerArr::kEmpty].contains(&side));
        if [inputs[0], output] != [SpeakerArr::kStereo; 2] || !fits {
            return kResultFalse;
        }
        if let Some(side) = side {
            self.side.store(side, Ordering::Relaxed);
        }
        kResultTrue
    }

    unsafe fn getBusArrangement(
        &self,
        direction: BusDirection,
        index: i32,
        arrangement: *mut SpeakerArrangement,
    ) -> tresult {
        let known = crate::component::is_bus(MediaTypes_::kAudio as MediaType, direction, index);
        if !known || arrangement.is_null() {
            return kInvalidArgument;
        }
        // SAFETY: writable, checked for null.
        unsafe { *arrangement = self.arrangement(direction, index) };
        kResultOk
    }

    unsafe fn canProcessSampleSize(&self, size: i32) -> tresult {
        if size == SymbolicSampleSizes_::kSample32 as i32 { kResultTrue } else { kResultFalse }
    }

    unsafe fn getLatencySamples(&self) -> u32 {
        guard::or(0, || self.latency())
    }

    unsafe fn setupProcessing(&self, setup: *mut ProcessSetup) -> tresult {
        // SAFETY: null or readable.
        let Some(setup) = (unsafe { setup.as_ref() }) else { return kInvalidArgument };
        let rate_fits =
            setup.sampleRate.is_finite() && setup.sampleRate >= 1.0 && setup.sampleRate <= f64::from(u32::MAX);
        if setup.symbolicSampleSize != SymbolicSampleSizes_::kSample32 as i32 || !rate_fits {
            return kResultFalse;
        }
        // Allocation waits for setActive: REAPER changes bus arrangements after this call.
        let max_block = usize::try_from(setup.maxSamplesPerBlock).unwrap_or(0).max(1);
        guard::or(kInternalError, || {
            *lock(&self.setup) = (setup.sampleRate.round() as u32, max_block);
            kResultOk
        })
    }

    unsafe fn setProcessing(&self, state: TBool) -> tresult {
        guard::or(kInternalError, || {
            // Starting changes nothing, activation did it all. Only tried: Ardour calls this from inside setActive.
            if state != 0 {
                return kResultOk;
            }
            self.playing.store(false, Ordering::Relaxed);
            if let Some(mut audio) = self.try_audio()
                && let Some(audio) = audio.as_mut()
            {
                audio.processor.reset();
            }
            kResultOk
        })
    }

    unsafe fn process(&self, data: *mut ProcessData) -> tresult {
        // SAFETY: null or valid for this call.
        let Some(data) = (unsafe { data.as_ref() }) else { return kInvalidArgument };
        guard::or(kResultFalse, || {
            let mut audio = self.try_audio();
            match audio.as_deref_mut().and_then(Option::as_mut) {
                // SAFETY: `data` is the host's.
                Some(audio) => unsafe {
                    let block = block(data);
                    self.playing.store(block.playing, Ordering::Relaxed);
                    audio.render(&block, data, self.has_side.load(Ordering::Relaxed));
                },
                // SAFETY: as above.
                None => unsafe { pass(data) },
            }
            if data.numOutputs > 0 && !data.outputs.is_null() {
                // SAFETY: the first of at least one bus.
                unsafe { ptr::addr_of_mut!((*data.outputs).silenceFlags).write(0) };
            }
            kResultOk
        })
    }

    unsafe fn getTailSamples(&self) -> u32 {
        // The song goes on after the input ends.
        kInfiniteTail
    }
}

impl IProcessContextRequirementsTrait for Component {
    unsafe fn getProcessContextRequirements(&self) -> u32 {
        use IProcessContextRequirements_::Flags_::{
            kNeedBarPositionMusic, kNeedCycleMusic, kNeedProjectTimeMusic, kNeedTempo, kNeedTimeSignature,
            kNeedTransportState,
        };
        let transport = kNeedTransportState | kNeedCycleMusic;
        (transport | kNeedTempo | kNeedTimeSignature | kNeedProjectTimeMusic | kNeedBarPositionMusic) as u32
    }
}
