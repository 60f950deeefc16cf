//! What every format of the plugin shares: rings, the shared timeline, the link to the sidecar, parameters, state
//! and the output stage. Knows no plugin API.

mod block;
mod error;
mod instance;
pub mod parameters;
mod processor;
mod status;

pub use block::Block;
pub use error::{ActivateError, StateError};
pub use instance::{Instance, Notice};
pub use processor::Processor;
pub use status::Status;
