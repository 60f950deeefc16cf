//! What every format of the plugin shares: rings, the shared timeline, the link to the sidecar, parameters, state
//! and the output stage. Knows no plugin API.

mod bell;
mod block;
mod capture;
mod core;
mod document;
mod echo;
mod error;
mod events;
#[cfg(test)]
mod golden;
mod instance;
mod launch;
mod link;
mod log;
mod message;
mod migrate;
mod outbox;
pub mod parameters;
mod pass;
mod paths;
mod peer;
mod position;
pub mod preset;
mod processor;
mod reader;
mod reclaim;
mod record;
mod ring;
mod runfile;
mod shared;
mod shelf;
mod stage;
mod state;
mod status;
mod table;
mod timeline;
mod trap;
mod wait;

pub use block::Block;
pub use error::{ActivateError, PresetError, StateError};
pub use instance::{Instance, Notice};
pub use processor::Processor;
pub use status::Status;
