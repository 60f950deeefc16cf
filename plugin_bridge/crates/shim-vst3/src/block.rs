//! What a `ProcessData` says: the block, and the channels of its buses.

use shim_core::Block;
use vst3::Steinberg::Vst::*;

/// Samples in this block; 0 makes it a parameter flush, as a block without any output bus is.
pub fn frames(data: &ProcessData) -> u32 {
    let audible = data.numOutputs > 0
        && !data.outputs.is_null()
        && data.symbolicSampleSize == SymbolicSampleSizes_::kSample32 as i32;
    if audible { u32::try_from(data.numSamples).unwrap_or(0) } else { 0 }
}

/// The block's length, transport and place in the song.
///
/// # Safety
/// `data` is what the host passed to `process`.
pub unsafe fn block(data: &ProcessData) -> Block {
    use ProcessContext_::StatesAndFlags_::{kBarPositionValid, kProjectTimeMusicValid, kTimeSigValid};
    // SAFETY: null or valid for this call.
    let context = unsafe { data.processContext.as_ref() };
    let flag = |bit: u32| context.is_some_and(|context| context.state & bit != 0);
    let valid = |told: bool| context.filter(|_| told);
    Block {
        frames: frames(data),
        playing: flag(ProcessContext_::StatesAndFlags_::kPlaying as u32),
        // Only here do all hosts tell the truth: Ardour and minihost never repeat `setupProcessing` for a bounce.
        offline: data.processMode == ProcessModes_::kOffline as i32,
        position: context.map(|context| context.projectTimeSamples),
        looping: flag(ProcessContext_::StatesAndFlags_::kCycleActive as u32),
        tempo: context
            .filter(|_| flag(ProcessContext_::StatesAndFlags_::kTempoValid as u32))
            .map(|context| context.tempo)
            .filter(|tempo| tempo.is_finite() && *tempo > 0.0),
        metre: valid(flag(kTimeSigValid as u32)).and_then(metre),
        beat: valid(flag(kProjectTimeMusicValid as u32)).map(|context| context.projectTimeMusic),
        bar: valid(flag(kBarPositionValid as u32)).map(|context| context.barPositionMusic),
    }
}

/// None where the host gives a metre that no score has.
fn metre(context: &ProcessContext) -> Option<(u32, u32)> {
    Some((u32::try_from(context.timeSigNumerator).ok()?, u32::try_from(context.timeSigDenominator).ok()?))
}

/// The input bus of the side-chain.
pub const SIDE_CHAIN: i32 = 1;

/// The channel pointers of a bus.
///
/// # Safety
/// `buses` is null or holds `count` buses of 32-bit channels.
pub unsafe fn channels<'a>(buses: *mut AudioBusBuffers, count: i32, index: i32) -> &'a [*mut f32] {
    if count <= index || buses.is_null() {
        return &[];
    }
    // SAFETY: there are more than `index` buses; both members of the union are one pointer wide.
    let (pointers, channels) = unsafe {
        let bus = buses.add(index as usize);
        ((*bus).__field0.channelBuffers32, (*bus).numChannels)
    };
    match usize::try_from(channels) {
        // SAFETY: a bus with channels has an array of that many pointers.
        Ok(channels) if channels > 0 && !pointers.is_null() => unsafe {
            std::slice::from_raw_parts(pointers, channels)
        },
        _ => &[],
    }
}
