//! Pages for control surfaces.

use clack_extensions::remote_controls::{PluginRemoteControlsImpl, RemoteControlsPage, RemoteControlsPageWriter};
use clack_plugin::utils::ClapId;
use shim_core::pages::{KNOBS, pages};
use shim_core::parameters;

use crate::main_thread::MainThread;

impl PluginRemoteControlsImpl for MainThread<'_> {
    fn count(&self) -> u32 {
        pages().len() as u32
    }

    fn get(&self, index: u32, writer: &mut RemoteControlsPageWriter) {
        let Some(page) = pages().into_iter().nth(index as usize) else { return };
        let mut param_ids = [None; KNOBS];
        for (knob, &index) in param_ids.iter_mut().zip(&page.parameters) {
            *knob = Some(ClapId::new(parameters::table()[index].id));
        }
        writer.set(&RemoteControlsPage {
            section_name: page.section.as_bytes(),
            page_id: ClapId::new(page.id),
            page_name: page.name.as_bytes(),
            param_ids,
            is_for_preset: false,
        });
    }
}
