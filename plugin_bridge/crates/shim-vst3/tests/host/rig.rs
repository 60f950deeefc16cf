//! A VST3 host, as small and as odd as the tests need it.

use std::sync::Once;

use super::application::Application;
use super::handler::ComponentHandler;
use shim_core::parameters;
use vst3::{ComPtr, ComWrapper, Steinberg::Vst::*, Steinberg::*};

pub const OFFLINE: i32 = ProcessModes_::kOffline as i32;

/// The plugin, initialised, and the objects it was given.
pub struct Rig {
    pub component: ComPtr<IComponent>,
    pub processor: ComPtr<IAudioProcessor>,
    pub controller: ComPtr<IEditController>,
    pub handler: ComWrapper<ComponentHandler>,
    pub application: ComWrapper<Application>,
}

pub fn factory() -> ComPtr<IPluginFactory3> {
    static QUIET: Once = Once::new();
    // SAFETY: once, before any other thread of this process reads its environment.
    QUIET.call_once(|| unsafe {
        std::env::set_var("DEMON_LAUNCH_FILE", "/nonexistent");
        std::env::set_var("DEMON_RUN_DIR", concat!(env!("CARGO_TARGET_TMPDIR"), "/run"));
    });
    // SAFETY: the module gives one reference to its factory.
    let factory = unsafe { ComPtr::from_raw(shim_vst3::plugin_factory().cast::<IPluginFactory>()) }.unwrap();
    factory.cast().unwrap()
}

pub fn create() -> ComPtr<IComponent> {
    let mut object = std::ptr::null_mut();
    // SAFETY: ids are 16 bytes, `object` is writable; the reference is ours.
    unsafe {
        let class = shim_vst3::identity::CLASS_ID;
        assert_eq!(factory().createInstance(class.as_ptr(), IComponent_iid.as_ptr(), &mut object), kResultOk);
        ComPtr::from_raw(object.cast()).unwrap()
    }
}

impl Rig {
    pub fn new() -> Self {
        let component = create();
        let (processor, controller) = (component.cast().unwrap(), component.cast::<IEditController>().unwrap());
        let handler = ComWrapper::new(ComponentHandler::default());
        let application = ComWrapper::new(Application::default());
        let context = application.to_com_ptr::<FUnknown>().unwrap();
        // SAFETY: live objects.
        unsafe {
            assert_eq!(component.initialize(context.as_ptr()), kResultOk);
            let handler = handler.as_com_ref::<IComponentHandler>().unwrap();
            assert_eq!(controller.setComponentHandler(handler.as_ptr()), kResultOk);
        }
        Self { component, processor, controller, handler, application }
    }

    pub fn setup(&self, rate: f64, largest: i32) -> tresult {
        let mut setup =
            ProcessSetup { processMode: 0, symbolicSampleSize: 0, maxSamplesPerBlock: largest, sampleRate: rate };
        // SAFETY: a readable struct.
        unsafe { self.processor.setupProcessing(&mut setup) }
    }

    pub fn active(self) -> Self {
        assert_eq!(self.setup(48_000.0, 4096), kResultOk);
        // SAFETY: a live object.
        unsafe {
            assert_eq!(self.component.setActive(1), kResultOk);
            assert_eq!(self.processor.setProcessing(1), kResultOk);
        }
        self
    }

    pub fn value(&self, index: usize) -> f64 {
        let parameter = &parameters::table()[index];
        // SAFETY: a live object.
        parameter.plain(unsafe { self.controller.getParamNormalized(parameter.id) })
    }

    pub fn set(&self, index: usize, normalised: f64) -> tresult {
        // SAFETY: a live object.
        unsafe { self.controller.setParamNormalized(parameters::table()[index].id, normalised) }
    }

    /// One block of the given channels. `prepare` may spoil it.
    pub fn process(
        &self,
        inputs: &[*mut f32],
        outputs: &[*mut f32],
        frames: i32,
        prepare: impl FnOnce(&mut ProcessData),
    ) -> tresult {
        let bus = |channels: &[*mut f32]| {
            // SAFETY: all zeros is a bus without channels.
            let mut bus: AudioBusBuffers = unsafe { std::mem::zeroed() };
            bus.numChannels = channels.len() as i32;
            bus.silenceFlags = 3;
            bus.__field0.channelBuffers32 = channels.as_ptr().cast_mut();
            bus
        };
        let (mut input, mut output) = (bus(inputs), bus(outputs));
        // SAFETY: all zeros is an empty block.
        let mut data: ProcessData = unsafe { std::mem::zeroed() };
        (data.numSamples, data.numInputs, data.numOutputs) = (frames, 1, 1);
        (data.inputs, data.outputs) = (&mut input, &mut output);
        prepare(&mut data);
        // SAFETY: the block and everything in it lives until after the call.
        let result = unsafe { self.processor.process(&mut data) };
        if data.numOutputs > 0 && !data.outputs.is_null() {
            assert_eq!(output.silenceFlags, 0);
        }
        result
    }
}

pub fn playing(position: i64) -> ProcessContext {
    // SAFETY: all zeros is a stopped transport.
    let mut context: ProcessContext = unsafe { std::mem::zeroed() };
    context.state = ProcessContext_::StatesAndFlags_::kPlaying as u32;
    context.sampleRate = 48_000.0;
    context.projectTimeSamples = position;
    context
}

/// A channel of 4096 samples.
pub fn ramp(sign: f32) -> Vec<f32> {
    (0..4096).map(|index| sign * index as f32 / 4096.0).collect()
}

pub fn mix_id() -> ParamID {
    parameters::table()[parameters::MIX].id
}
