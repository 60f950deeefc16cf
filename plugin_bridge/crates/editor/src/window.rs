//! A window inside the host's, with an X11 connection of its own.

mod carry;
mod clipboard;
mod connection;
mod drop;
mod input;
mod keyboard;

pub use connection::{Error, Window};
pub use input::{Input, Occurrence};
