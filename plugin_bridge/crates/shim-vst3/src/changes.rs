//! Parameter changes of one block, in both directions.

use shim_core::{Instance, Processor, parameters};
use vst3::{ComRef, Steinberg::Vst::*, Steinberg::*};

/// Hands every queue's whole polyline to the processor. Offsets are cut to `frames`, which is itself legal (a ramp
/// into the next block) and is not used as an index by anybody.
///
/// # Safety
/// `changes` is null or a live object of the host.
pub unsafe fn receive(changes: *mut IParameterChanges, frames: u32, processor: &mut Processor) {
    // SAFETY: live for this call, as the contract says.
    let Some(changes) = (unsafe { ComRef::from_raw(changes) }) else { return };
    // SAFETY: as above.
    let count = unsafe { changes.getParameterCount() };
    for at in 0..count {
        // SAFETY: as above; the queue lives as long as the list.
        let queue = unsafe { ComRef::from_raw(changes.getParameterData(at)) };
        if let Some(queue) = queue
            && let Some(index) = writable(queue)
        {
            processor.queue(index, points(queue, frames));
        }
    }
}

/// The table index of the queue's parameter; none for one that is unknown or read-only.
fn writable(queue: ComRef<'_, IParamValueQueue>) -> Option<usize> {
    // SAFETY: a `ComRef` is live.
    let id = unsafe { queue.getParameterId() };
    parameters::index_of(id).filter(|index| *index != parameters::STATUS)
}

/// (offset, normalised value) of every point that is a number.
fn points(queue: ComRef<'_, IParamValueQueue>, frames: u32) -> impl Iterator<Item = (u32, f64)> {
    // SAFETY: a `ComRef` is live.
    let count = unsafe { queue.getPointCount() };
    (0..count).filter_map(move |at| {
        let (mut offset, mut value) = (0, 0.0);
        // SAFETY: a `ComRef` is live, both targets are writable.
        let result = unsafe { queue.getPoint(at, &mut offset, &mut value) };
        let offset = u32::try_from(offset).unwrap_or(0).min(frames);
        (result == kResultOk && value.is_finite()).then_some((offset, value))
    })
}

/// Tells the host the value of a parameter that the plugin itself changed. False when the host takes none in this
/// block.
///
/// # Safety
/// `changes` is null or a live object of the host.
pub unsafe fn send(changes: *mut IParameterChanges, instance: &Instance, index: usize) -> bool {
    // SAFETY: live for this call, as the contract says.
    let Some(changes) = (unsafe { ComRef::from_raw(changes) }) else { return false };
    let parameter = &parameters::table()[index];
    let (normalised, mut at) = (parameter.normalise(instance.value(index)), 0);
    // SAFETY: as above; the queue lives as long as the list, the id and `at` for the call.
    let queue = unsafe { ComRef::from_raw(changes.addParameterData(&parameter.id, &mut at)) };
    // SAFETY: as above.
    queue.is_some_and(|queue| unsafe { queue.addPoint(0, normalised, &mut at) } == kResultOk)
}
