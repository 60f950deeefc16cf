//! The main thread: ports, latency, render mode, and what the host has to be told.

use std::sync::atomic::Ordering;

use clack_extensions::audio_ports::{
    AudioPortFlags, AudioPortInfo, AudioPortInfoWriter, AudioPortType, PluginAudioPortsImpl,
};
use clack_extensions::latency::{HostLatency, PluginLatencyImpl};
use clack_extensions::params::{HostParams, ParamRescanFlags};
use clack_extensions::preset_discovery::HostPresetLoad;
use clack_extensions::render::{PluginRenderImpl, RenderMode};
use clack_extensions::state::HostState;
use clack_plugin::prelude::*;

use crate::shared::Shared;

pub struct MainThread<'a> {
    pub shared: &'a Shared<'a>,
    pub host: HostMainThreadHandle<'a>,
    pub presets: Option<HostPresetLoad>,
    params: Option<HostParams>,
    state: Option<HostState>,
    latency: Option<HostLatency>,
    #[cfg(all(feature = "editor", target_os = "linux"))]
    pub gui: crate::gui::Gui,
}

impl<'a> MainThread<'a> {
    pub fn new(host: HostMainThreadHandle<'a>, shared: &'a Shared<'a>) -> Self {
        let (params, state, presets) = (host.get_extension(), host.get_extension(), host.get_extension());
        Self {
            shared,
            host,
            presets,
            params,
            state,
            latency: host.get_extension(),
            #[cfg(all(feature = "editor", target_os = "linux"))]
            gui: crate::gui::Gui::default(),
        }
    }

    /// An activation declares this latency; the one moment when CLAP lets it change.
    pub fn declare(&self, latency: u32) {
        let before = self.shared.latency.swap(latency, Ordering::AcqRel);
        if before != latency
            && let Some(host) = self.latency
        {
            host.changed(&self.host);
        }
    }

    /// Tells the host here and now that values changed; the notice of the same change need not tell it again.
    pub fn told_values(&self) {
        self.shared.notices.values.store(true, Ordering::Release);
        self.rescan();
    }

    /// Has the host read again what changed of the parameters.
    fn rescan(&self) {
        let notices = &self.shared.notices;
        let mut flags = ParamRescanFlags::empty();
        if notices.values.swap(false, Ordering::AcqRel) {
            flags |= ParamRescanFlags::VALUES;
        }
        if notices.names.swap(false, Ordering::AcqRel) {
            flags |= ParamRescanFlags::INFO | ParamRescanFlags::TEXT;
        }
        if let Some(params) = self.params.filter(|_| !flags.is_empty()) {
            params.rescan(&self.host, flags);
        }
    }
}

impl<'a> PluginMainThread<'a, Shared<'a>> for MainThread<'a> {
    fn on_main_thread(&self) {
        let notices = &self.shared.notices;
        if notices.document.swap(false, Ordering::AcqRel)
            && let Some(state) = self.state
        {
            state.mark_dirty(&self.host);
        }
        self.rescan();
        // The new status goes out with the next block, or with the flush asked for here when no blocks come.
        if notices.status.swap(false, Ordering::AcqRel)
            && let Some(params) = self.params
        {
            params.request_flush(&self.host);
        }
    }
}

impl PluginAudioPortsImpl for MainThread<'_> {
    fn count(&self, is_input: bool) -> u32 {
        if is_input { 2 } else { 1 }
    }

    fn get(&self, index: u32, is_input: bool, writer: &mut AudioPortInfoWriter) {
        // Ids are unique per direction only, so one number pairs the two main ports for in-place processing.
        let (main, side) = (ClapId::new(1), ClapId::new(2));
        let (id, name, flags, in_place_pair) = match (index, is_input) {
            (0, true) => (main, "Input", AudioPortFlags::IS_MAIN, Some(main)),
            (0, false) => (main, "Output", AudioPortFlags::IS_MAIN, Some(main)),
            (1, true) => (side, "Side-chain", AudioPortFlags::empty(), None),
            _ => return,
        };
        let (name, port_type) = (name.as_bytes(), Some(AudioPortType::STEREO));
        writer.set(&AudioPortInfo { id, name, channel_count: 2, flags, port_type, in_place_pair });
    }
}

impl PluginLatencyImpl for MainThread<'_> {
    fn get(&self) -> u32 {
        self.shared.latency.load(Ordering::Acquire)
    }
}

impl PluginRenderImpl for MainThread<'_> {
    fn has_hard_realtime_requirement(&self) -> bool {
        false
    }

    fn set(&self, mode: RenderMode) -> Result<(), PluginError> {
        self.shared.offline.store(mode == RenderMode::Offline, Ordering::Release);
        Ok(())
    }
}
