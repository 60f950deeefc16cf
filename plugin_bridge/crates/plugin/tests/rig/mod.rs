//! A CLAP host around the library that cargo just built.

use std::cell::{Cell, RefCell};
use std::ffi::CStr;
use std::path::PathBuf;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use clack_extensions::latency::{HostLatency, HostLatencyImpl};
use clack_extensions::params::{
    HostParams, HostParamsImplMainThread, HostParamsImplShared, ParamClearFlags, ParamRescanFlags, PluginParams,
};
use clack_extensions::preset_discovery::HostPresetLoadImpl;
use clack_extensions::preset_discovery::prelude::{HostPresetLoad, Location};
use clack_host::events::Pckn;
use clack_host::events::event_types::ParamValueEvent;
use clack_host::events::io::EventBuffer;
use clack_host::extensions::prelude::*;
use clack_host::prelude::*;
use clack_host::process::StartedPluginAudioProcessor;
use clack_host::process::StoppedPluginAudioProcessor;
use shim_core::parameters;

pub type Stereo = [Vec<f32>; 2];

pub struct TestHost;

impl HostHandlers for TestHost {
    type Shared<'a> = Shared;
    type MainThread<'a> = MainThread;
    type AudioProcessor<'a> = ();

    fn declare_extensions(builder: &mut HostExtensions<Self>, _shared: &Shared) {
        builder.register::<HostLatency>().register::<HostParams>().register::<HostPresetLoad>();
    }
}

#[derive(Default)]
pub struct Shared {
    restarts: AtomicU32,
}

impl SharedHandler<'_> for Shared {
    fn request_restart(&self) {
        self.restarts.fetch_add(1, Ordering::Relaxed);
    }
    fn request_process(&self) {}
    fn request_callback(&self) {}
}

impl HostParamsImplShared for Shared {
    fn request_flush(&self) {}
}

#[derive(Default)]
pub struct MainThread {
    rescans: RefCell<Vec<ParamRescanFlags>>,
    latency_changes: Cell<u32>,
    presets: RefCell<Vec<String>>,
}

impl MainThreadHandler<'_> for MainThread {}

impl HostParamsImplMainThread for MainThread {
    fn rescan(&self, flags: ParamRescanFlags) {
        self.rescans.borrow_mut().push(flags);
    }

    fn clear(&self, _parameter: ClapId, _flags: ParamClearFlags) {}
}

impl HostLatencyImpl for MainThread {
    fn changed(&self) {
        self.latency_changes.set(self.latency_changes.get() + 1);
    }
}

impl HostPresetLoadImpl for MainThread {
    fn on_error(&self, _location: Location, _key: Option<&CStr>, os_error: i32, message: Option<&CStr>) {
        let message = message.unwrap_or_default().to_string_lossy();
        self.presets.borrow_mut().push(format!("error {os_error}: {message}"));
    }

    fn loaded(&self, location: Location, key: Option<&CStr>) {
        let named = key.or(location.file_path()).unwrap_or_default().to_string_lossy();
        self.presets.borrow_mut().push(format!("loaded {named}"));
    }
}

/// Where the plugin looks for the user's presets while these tests run.
pub fn preset_folder() -> PathBuf {
    concat!(env!("CARGO_TARGET_TMPDIR"), "/presets").into()
}

/// The library next to this test's own binary; no sidecar is found or started from here.
pub fn entry() -> PluginEntry {
    static QUIET: Once = Once::new();
    // SAFETY: once, before any other thread of this process reads its environment through the library.
    QUIET.call_once(|| unsafe {
        std::env::set_var("DEMON_LAUNCH_FILE", "/nonexistent");
        std::env::set_var("DEMON_PRESET_DIR", preset_folder());
        std::env::set_var("DEMON_RUN_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/run"));
    });
    let here = std::env::current_exe().unwrap();
    let library = format!("{}demon_plugin{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    // SAFETY: the library under test.
    unsafe { PluginEntry::load(here.with_file_name(library)) }.unwrap()
}

pub struct Rig {
    pub instance: PluginInstance<TestHost>,
}

impl Rig {
    pub fn new() -> Self {
        let host = HostInfo::new("rig", "DEMON Bridge", "", "1").unwrap();
        let instance = PluginInstance::new(
            |_| Shared::default(),
            |_| MainThread::default(),
            &entry(),
            c"demon-bridge.demon",
            &host,
        )
        .unwrap();
        Self { instance }
    }

    pub fn activate(&mut self, largest: u32) -> StoppedPluginAudioProcessor<TestHost> {
        let config = PluginAudioConfiguration { sample_rate: 48_000.0, min_frames_count: 1, max_frames_count: largest };
        self.instance.activate(|_, _| (), config).unwrap()
    }

    /// Activates without the host library's bookkeeping, which forbids what a bad host does.
    pub fn activate_raw(&mut self) -> bool {
        self.activate_raw_at(48_000.0)
    }

    pub fn activate_raw_at(&mut self, rate: f64) -> bool {
        let plugin = self.instance.raw_instance();
        // SAFETY: a live plugin, called on its main thread.
        unsafe { plugin.activate.unwrap()(plugin, rate, 1, 64) }
    }

    pub fn set(&mut self, id: ClapId, plain: f64) {
        let params: PluginParams = extension(&mut self.instance);
        let events = [event(0, id, plain)];
        let mut handle = self.instance.inactive_plugin_handle().unwrap();
        params.flush(&mut handle, &InputEvents::from_buffer(&events), &mut OutputEvents::void());
    }

    /// What the plugin said about presets that it was asked to load.
    pub fn presets(&self) -> Vec<String> {
        self.instance.access_handler(|host| host.presets.borrow().clone())
    }

    pub fn latency_changes(&self) -> u32 {
        self.instance.access_handler(|host| host.latency_changes.get())
    }

    pub fn restarts(&self) -> u32 {
        self.instance.access_shared_handler(|host| host.restarts.load(Ordering::Relaxed))
    }

    pub fn rescans(&self) -> Vec<ParamRescanFlags> {
        self.instance.access_handler(|host| host.rescans.borrow().clone())
    }
}

pub fn extension<E: Extension<ExtensionSide = PluginExtensionSide>>(instance: &mut PluginInstance<TestHost>) -> E {
    instance.plugin_handle().get_extension().unwrap()
}

pub fn mix() -> ClapId {
    ClapId::new(parameters::table()[parameters::MIX].id)
}

pub fn event(time: u32, id: ClapId, plain: f64) -> ParamValueEvent {
    ParamValueEvent::new(time, id, Pckn::match_all(), plain)
}

pub fn value(rig: &mut Rig, id: ClapId) -> f64 {
    let params: PluginParams = extension(&mut rig.instance);
    params.get_value(&rig.instance.plugin_handle(), id).unwrap()
}

/// The same noise for the same length (a linear congruential generator; Numerical Recipes' constants).
pub fn noise(frames: usize) -> Stereo {
    let mut seed = 1_u32;
    [(); 2].map(|()| {
        let next = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed as f32 / u32::MAX as f32 - 0.5
        };
        std::iter::repeat_with(next).take(frames).collect()
    })
}

pub fn process(
    processor: &mut StartedPluginAudioProcessor<TestHost>,
    input: &Stereo,
    events: &[ParamValueEvent],
) -> Stereo {
    process_and_listen(processor, input, events).0
}

/// The output, and the parameter values that the plugin sent.
pub fn process_and_listen(
    processor: &mut StartedPluginAudioProcessor<TestHost>,
    input: &Stereo,
    events: &[ParamValueEvent],
) -> (Stereo, Vec<ParamValueEvent>) {
    let mut input = input.clone();
    let mut output = [(); 2].map(|()| vec![f32::NAN; input[0].len()]);
    let (mut ports_in, mut ports_out) = (AudioPorts::with_capacity(2, 1), AudioPorts::with_capacity(2, 1));
    let inputs = ports_in.with_input_buffers([AudioPortBuffer {
        latency: 0,
        channels: AudioPortBufferType::f32_input_only(input.iter_mut().map(InputChannel::variable)),
    }]);
    let mut outputs = ports_out.with_output_buffers([AudioPortBuffer {
        latency: 0,
        channels: AudioPortBufferType::f32_output_only(output.iter_mut().map(Vec::as_mut_slice)),
    }]);
    let mut said = EventBuffer::new();
    processor
        .process(
            &inputs,
            &mut outputs,
            &InputEvents::from_buffer(&events),
            &mut OutputEvents::from_buffer(&mut said),
            None,
            None,
        )
        .unwrap();
    let said = said.iter().filter_map(|event| event.as_event().copied()).collect();
    (output, said)
}
