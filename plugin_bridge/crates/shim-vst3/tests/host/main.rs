//! The plugin object as a VST3 host sees it, without a sidecar: it must behave as a wire.

// VST3's enum constants are signed on Windows and unsigned elsewhere.
#![allow(clippy::unnecessary_cast)]

mod application;
mod audio;
mod changes;
mod handler;
mod life;
mod parameters;
mod rig;
mod state;
mod stream;
mod values;
