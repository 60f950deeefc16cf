//! What every format of the plugin shares: rings, the shared timeline, the link to the sidecar, parameters, state
//! and the output stage. Knows no plugin API.

mod bell;
mod block;
mod capture;
mod core;
mod delay;
mod document;
mod draft;
mod echo;
mod editing;
mod error;
mod events;
mod gestures;
#[cfg(test)]
mod golden;
mod instance;
mod launch;
mod link;
mod log;
mod message;
mod migrate;
mod names;
mod outbox;
mod outcome;
pub mod pages;
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
mod scene;
mod shared;
mod shelf;
mod stage;
mod state;
mod status;
mod table;
mod timeline;
mod timing;
mod trap;
mod wait;

pub use block::Block;
pub use error::{ActivateError, EditError, PresetError, StateError};
pub use gestures::HostGestures;
pub use instance::{Instance, Notice};
pub use outcome::Outcome;
pub use processor::Processor;
pub use scene::{Missing, Scene, SceneHead};
pub use status::Status;
