//! Saving and loading the state.

use std::io::{Error, Read, Write};

use clack_extensions::state::PluginStateImpl;
use clack_plugin::prelude::*;
use clack_plugin::stream::{InputStream, OutputStream};

use crate::main_thread::MainThread;

/// Far above the largest state there can be (PROTOCOL sections 1 and 6: a document and two embedded sources).
const MAX_STATE: u64 = 256 << 20;

impl PluginStateImpl for MainThread<'_> {
    fn save(&self, output: &mut OutputStream) -> Result<(), PluginError> {
        output.write_all(&self.shared.instance.save_state())?;
        Ok(())
    }

    fn load(&self, input: &mut InputStream) -> Result<(), PluginError> {
        let mut blob = Vec::new();
        // One byte over the limit tells a long state from one that just fits.
        let size = input.take(MAX_STATE + 1).read_to_end(&mut blob)?;
        if size as u64 > MAX_STATE {
            let text = "the state is longer than 256 MiB; the previous state stays, load another file";
            return Err(Error::other(text).into());
        }
        self.shared.instance.load_state(&blob)?;
        self.told_values();
        Ok(())
    }
}
