//! An instance against a sidecar over the real transport and the real shared file.

mod bounce;
mod connection;
mod editing;
mod peer;
mod rig;
mod sidecar;
