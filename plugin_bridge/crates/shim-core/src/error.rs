//! Why an instance refused.

use std::{error::Error, fmt};

/// Why [`crate::Instance::activate`] refused.
#[derive(Debug)]
pub enum ActivateError {
    /// The previous processor was not given back.
    Active,
    /// Hz; outside what the bridge serves.
    Rate(u32),
    /// The shared timeline could not be made.
    Timeline(std::io::Error),
    /// The thread that talks to the sidecar could not be started.
    Link(std::io::Error),
}

impl fmt::Display for ActivateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Active => write!(f, "the instance is active already: deactivate it first"),
            Self::Rate(rate) => write!(f, "sample rate {rate} Hz is not served: use 8000 to 384000 Hz"),
            Self::Timeline(error) => write!(f, "the shared timeline could not be made ({error}): free some memory"),
            Self::Link(error) => write!(f, "the link thread could not be started ({error}): close other programs"),
        }
    }
}

impl Error for ActivateError {}

/// Why a state blob was refused. The state before it is untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateError(pub String);

impl fmt::Display for StateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the state was refused: {}; the previous state stays, load another file", self.0)
    }
}

impl Error for StateError {}

/// Why [`crate::Instance::edit`] or [`crate::Instance::act`] refused at once: what is wrong and what to do. Nothing was
/// changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditError(pub String);

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for EditError {}

/// Why a preset was refused. The state before it is untouched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresetError {
    text: String,
    /// The number of the system's error; 0 where the system refused nothing.
    pub os_error: i32,
}

impl PresetError {
    pub(crate) fn new(preset: &str, text: impl fmt::Display) -> Self {
        Self { text: format!("preset {preset} was refused: {text}; correct it, or load another one"), os_error: 0 }
    }

    pub(crate) fn io(preset: &str, error: &std::io::Error) -> Self {
        Self { os_error: error.raw_os_error().unwrap_or(0), ..Self::new(preset, error) }
    }
}

impl fmt::Display for PresetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Error for PresetError {}
