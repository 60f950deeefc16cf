//! A VST3 host, as small and as odd as the tests need it.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::sync::Once;

use shim_core::parameters;
use vst3::Steinberg::Linux::*;
use vst3::{Class, ComPtr, ComRef, ComWrapper, Steinberg::Vst::*, Steinberg::*};

pub const OFFLINE: i32 = ProcessModes_::kOffline as i32;

/// The host's own objects, all thread-bound: the tests call from one thread.
#[derive(Default)]
pub struct Application {
    timers: RefCell<Vec<ComPtr<ITimerHandler>>>,
}

impl Class for Application {
    type Interfaces = (IHostApplication, IRunLoop);
}

impl Application {
    /// One turn of the run loop; how many timers it has.
    pub fn turn(&self) -> usize {
        let timers = self.timers.borrow().clone();
        // SAFETY: counted, so alive.
        timers.iter().for_each(|timer| unsafe { timer.onTimer() });
        timers.len()
    }
}

impl IRunLoopTrait for Application {
    unsafe fn registerEventHandler(&self, _handler: *mut IEventHandler, _fd: FileDescriptor) -> tresult {
        kNotImplemented
    }
    unsafe fn unregisterEventHandler(&self, _handler: *mut IEventHandler) -> tresult {
        kNotImplemented
    }
    unsafe fn registerTimer(&self, handler: *mut ITimerHandler, _milliseconds: TimerInterval) -> tresult {
        // SAFETY: the plugin passes a live object.
        let timer = unsafe { ComRef::from_raw(handler) }.unwrap().to_com_ptr();
        self.timers.borrow_mut().push(timer);
        kResultOk
    }
    unsafe fn unregisterTimer(&self, handler: *mut ITimerHandler) -> tresult {
        self.timers.borrow_mut().retain(|timer| timer.as_ptr() != handler);
        kResultOk
    }
}

impl IHostApplicationTrait for Application {
    unsafe fn getName(&self, name: *mut String128) -> tresult {
        // SAFETY: the plugin passes a writable buffer.
        let name = unsafe { &mut *name };
        // No terminator: the plugin has to stop at the buffer's end.
        name.fill(u16::from(b'h'));
        kResultOk
    }

    unsafe fn createInstance(&self, _class: *mut TUID, _iid: *mut TUID, _object: *mut *mut c_void) -> tresult {
        kNotImplemented
    }
}

#[derive(Default)]
pub struct Handler {
    pub restarts: RefCell<Vec<i32>>,
}

impl Class for Handler {
    type Interfaces = (IComponentHandler,);
}

impl IComponentHandlerTrait for Handler {
    unsafe fn beginEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn performEdit(&self, _id: ParamID, _value: ParamValue) -> tresult {
        kResultOk
    }
    unsafe fn endEdit(&self, _id: ParamID) -> tresult {
        kResultOk
    }
    unsafe fn restartComponent(&self, flags: i32) -> tresult {
        self.restarts.borrow_mut().push(flags);
        kResultOk
    }
}

/// A stream that gives and takes at most five bytes a call, and calls its end a failure as some hosts do.
#[derive(Default)]
pub struct Stream {
    pub bytes: RefCell<Vec<u8>>,
    pub at: Cell<usize>,
}

const PIECE: usize = 5;

impl Class for Stream {
    type Interfaces = (IBStream,);
}

impl IBStreamTrait for Stream {
    unsafe fn read(&self, buffer: *mut c_void, size: i32, count: *mut i32) -> tresult {
        let bytes = self.bytes.borrow();
        let piece = &bytes[self.at.get()..];
        let piece = &piece[..piece.len().min(size as usize).min(PIECE)];
        self.at.set(self.at.get() + piece.len());
        // SAFETY: the plugin's buffer holds `size` bytes.
        unsafe {
            std::ptr::copy_nonoverlapping(piece.as_ptr(), buffer.cast(), piece.len());
            *count = piece.len() as i32;
        }
        if piece.is_empty() { kResultFalse } else { kResultOk }
    }

    unsafe fn write(&self, buffer: *mut c_void, size: i32, count: *mut i32) -> tresult {
        let piece = (size as usize).min(PIECE);
        // SAFETY: the plugin's buffer holds `size` bytes.
        unsafe {
            self.bytes.borrow_mut().extend_from_slice(std::slice::from_raw_parts(buffer.cast(), piece));
            *count = piece as i32;
        }
        kResultOk
    }

    unsafe fn seek(&self, _position: i64, _mode: i32, _result: *mut i64) -> tresult {
        kNotImplemented
    }

    unsafe fn tell(&self, _position: *mut i64) -> tresult {
        kNotImplemented
    }
}

pub struct Queue {
    id: ParamID,
    points: RefCell<Vec<(i32, f64)>>,
}

impl Class for Queue {
    type Interfaces = (IParamValueQueue,);
}

impl IParamValueQueueTrait for Queue {
    unsafe fn getParameterId(&self) -> ParamID {
        self.id
    }
    unsafe fn getPointCount(&self) -> i32 {
        self.points.borrow().len() as i32
    }
    unsafe fn getPoint(&self, index: i32, offset: *mut i32, value: *mut f64) -> tresult {
        let (at, plain) = self.points.borrow()[index as usize];
        // SAFETY: the plugin passes two writable targets.
        unsafe {
            *offset = at;
            *value = plain;
        }
        kResultOk
    }
    unsafe fn addPoint(&self, offset: i32, value: f64, _index: *mut i32) -> tresult {
        self.points.borrow_mut().push((offset, value));
        kResultOk
    }
}

/// One block's changes, in either direction. A queue whose id is 0 is given out as null.
#[derive(Default)]
pub struct Changes(RefCell<Vec<ComWrapper<Queue>>>);

impl Class for Changes {
    type Interfaces = (IParameterChanges,);
}

impl Changes {
    pub fn of(queues: &[(ParamID, &[(i32, f64)])]) -> Self {
        let made =
            queues.iter().map(|&(id, points)| ComWrapper::new(Queue { id, points: RefCell::new(points.to_vec()) }));
        Self(RefCell::new(made.collect()))
    }

    pub fn points(&self) -> Vec<(ParamID, i32, f64)> {
        let queues = self.0.borrow();
        let points = queues
            .iter()
            .flat_map(|queue| queue.points.borrow().iter().map(|p| (queue.id, p.0, p.1)).collect::<Vec<_>>());
        points.collect()
    }
}

impl IParameterChangesTrait for Changes {
    unsafe fn getParameterCount(&self) -> i32 {
        self.0.borrow().len() as i32
    }
    unsafe fn getParameterData(&self, index: i32) -> *mut IParamValueQueue {
        let queue = &self.0.borrow()[index as usize];
        let pointer = queue.as_com_ref::<IParamValueQueue>().unwrap().as_ptr();
        if queue.id == 0 { std::ptr::null_mut() } else { pointer }
    }
    unsafe fn addParameterData(&self, id: *const ParamID, index: *mut i32) -> *mut IParamValueQueue {
        // SAFETY: the plugin passes a readable id and a writable index.
        let queue = unsafe {
            *index = self.0.borrow().len() as i32;
            ComWrapper::new(Queue { id: *id, points: RefCell::default() })
        };
        let pointer = queue.as_com_ref::<IParamValueQueue>().unwrap().as_ptr();
        self.0.borrow_mut().push(queue);
        pointer
    }
}

/// The plugin, initialised, and the objects it was given.
pub struct Rig {
    pub component: ComPtr<IComponent>,
    pub processor: ComPtr<IAudioProcessor>,
    pub controller: ComPtr<IEditController>,
    pub handler: ComWrapper<Handler>,
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
        let handler = ComWrapper::new(Handler::default());
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
