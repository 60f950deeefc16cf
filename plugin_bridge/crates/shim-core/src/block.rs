//! What a host says about one block.

/// One block as the host describes it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Block {
    /// Samples per channel; may be 0.
    pub frames: u32,
    /// Whether the transport plays.
    pub playing: bool,
    /// Whether this block is rendered faster or slower than real time (taken for this block only).
    pub offline: bool,
    /// The song position of the first sample, in samples; may be negative. None where the host has no clock.
    pub position: Option<i64>,
    /// Whether the transport loops.
    pub looping: bool,
    /// Beats per minute, where the host says.
    pub tempo: Option<f64>,
    /// Numerator and denominator of the metre, where the host says.
    pub metre: Option<(u32, u32)>,
    /// The song position of the first sample, and of the bar that it is in, in quarter notes, where the host says.
    pub beat: Option<f64>,
    pub bar: Option<f64>,
}
