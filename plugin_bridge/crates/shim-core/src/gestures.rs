//! How an editor moves parameters in the host.

/// What each plugin format does with a knob that the user holds. Called on the editor's own thread, and never waits:
/// [`begin`](Self::begin), any number of [`perform`](Self::perform), [`end`](Self::end), for each parameter that is
/// held. The host then records it, and the instance's value follows.
pub trait HostGestures: Send + Sync {
    /// The user took hold of parameter `index` of the table.
    fn begin(&self, index: usize);
    /// The user moved it to `plain`.
    fn perform(&self, index: usize, plain: f64);
    /// The user let go.
    fn end(&self, index: usize);
}
