//! The plugin object: its life cycle, buses, activation and state.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shim_core::{Instance, Notice};
use vst3::Steinberg::Linux::IRunLoop;
use vst3::{Class, ComRef, Steinberg::Vst::*, Steinberg::*};

use crate::block::SIDE_CHAIN;
use crate::news::{Handler, News, Timer};
use crate::processor::Audio;
use crate::{guard, stream, text};

/// Rate and largest block between `setupProcessing` and `setActive`; hosts that skip the former get these.
const DEFAULT_SETUP: (u32, usize) = (48_000, 4096);

/// Far above the largest state there can be (PROTOCOL sections 1 and 6: a document and two embedded sources).
const MAX_STATE: usize = 256 << 20;

/// Not activated.
const NO_LATENCY: u32 = u32::MAX;

pub struct Component {
    instance: Mutex<Option<Arc<Instance>>>,
    pub(crate) setup: Mutex<(u32, usize)>,
    /// Some while active. The audio thread only ever tries this lock; it is free unless the host breaks its contract.
    pub(crate) audio: Mutex<Option<Audio>>,
    /// The transport plays: parameters come through `process`, with their place in the song.
    pub(crate) playing: AtomicBool,
    /// Samples, as the activation in force declared it; `NO_LATENCY` while there is none.
    latency: AtomicU32,
    /// The host activated the side-chain.
    pub(crate) has_side: AtomicBool,
    /// Its speakers: stereo, mono or none.
    pub(crate) side: AtomicU64,
    /// What the host hears edits by.
    pub(crate) handler: Arc<Handler>,
    pub(crate) news: Arc<News>,
    /// Tells the news, where the host's context has a run loop.
    timer: Mutex<Option<Timer>>,
}

// Hosts call from any thread, and the COM layer does not ask for this.
const _: () = {
    const fn is_shared<T: Send + Sync>() {}
    is_shared::<Component>();
};

impl Class for Component {
    type Interfaces = (IComponent, IAudioProcessor, IEditController, IProcessContextRequirements, IUnitInfo);
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Component {
    pub fn new() -> Self {
        let handler = Arc::<Handler>::default();
        Self {
            instance: Mutex::new(None),
            setup: Mutex::new(DEFAULT_SETUP),
            audio: Mutex::new(None),
            playing: AtomicBool::new(false),
            latency: AtomicU32::new(NO_LATENCY),
            has_side: AtomicBool::new(false),
            side: AtomicU64::new(SpeakerArr::kStereo),
            news: Arc::new(News::new(Arc::clone(&handler))),
            handler,
            timer: Mutex::default(),
        }
    }

    /// None before `initialize` and after `terminate`.
    pub(crate) fn instance(&self) -> Option<Arc<Instance>> {
        lock(&self.instance).clone()
    }

    /// What the activation in force declared, else what the next one would.
    pub(crate) fn latency(&self) -> u32 {
        match self.latency.load(Ordering::Relaxed) {
            NO_LATENCY => self.instance().map_or(0, |instance| instance.latency(lock(&self.setup).0)),
            latency => latency,
        }
    }

    /// The speakers of a bus.
    pub(crate) fn arrangement(&self, direction: BusDirection, index: i32) -> SpeakerArrangement {
        let side = direction == BusDirections_::kInput as BusDirection && index == SIDE_CHAIN;
        if side { self.side.load(Ordering::Relaxed) } else { SpeakerArr::kStereo }
    }

    fn new_instance(&self, host: &str) -> Arc<Instance> {
        let (instance, news) = (Instance::new(host), Arc::clone(&self.news));
        instance.set_notifier(Box::new(move |notice| news.post(notice)));
        instance
    }

    fn activate(&self) -> tresult {
        let Some(instance) = self.instance() else { return kNotInitialized };
        let (rate, max_block) = *lock(&self.setup);
        let mut audio = lock(&self.audio);
        if audio.is_some() {
            return kResultOk;
        }
        match Audio::start(instance, Arc::clone(&self.news), rate, max_block) {
            Some(started) => {
                self.latency.store(started.latency(), Ordering::Relaxed);
                *audio = Some(started);
                kResultOk
            }
            None => kResultFalse,
        }
    }

    fn deactivate(&self) {
        self.playing.store(false, Ordering::Relaxed);
        let stopped = lock(&self.audio).take();
        if let Some(stopped) = stopped {
            self.latency.store(NO_LATENCY, Ordering::Relaxed);
            stopped.stop();
        }
    }

    fn load(&self, state: ComRef<'_, IBStream>) -> tresult {
        let Some(instance) = self.instance() else { return kNotInitialized };
        let Some(blob) = stream::read_all(state, MAX_STATE) else { return kResultFalse };
        if instance.load_state(&blob).is_err() {
            return kResultFalse;
        }
        self.news.post(Notice::ValuesChanged);
        kResultOk
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        // A host may release the object while it is active.
        guard::or((), || self.deactivate());
    }
}

impl Component {
    /// The calling thread is the host's main thread.
    ///
    /// # Safety
    /// `context` is null or a live object of the host.
    unsafe fn settle(&self, context: *mut FUnknown) {
        self.news.settle();
        // SAFETY: as the contract says.
        let run_loop = unsafe { ComRef::from_raw(context) }.and_then(|context| context.cast::<IRunLoop>());
        let timer = run_loop.and_then(|run_loop| Timer::start(&self.news, run_loop));
        *lock(&self.timer) = timer;
    }
}

/// # Safety
/// `context` is null or a live object of the host.
unsafe fn host_name(context: *mut FUnknown) -> Option<String> {
    // SAFETY: live for this call, as the contract says.
    let application = unsafe { ComRef::from_raw(context) }?.cast::<IHostApplication>()?;
    let mut name: String128 = [0; 128];
    // SAFETY: `name` is writable; `read` stays inside its 128 units.
    unsafe {
        if application.getName(&mut name) != kResultOk {
            return None;
        }
        text::read(name.as_ptr())
    }
}

impl IPluginBaseTrait for Component {
    unsafe fn initialize(&self, context: *mut FUnknown) -> tresult {
        guard::or(kInternalError, || {
            let mut instance = lock(&self.instance);
            // A host that takes component and controller for two objects initialises twice.
            if instance.is_none() {
                // SAFETY: the host passes null or a live context.
                let name = unsafe { host_name(context) }.unwrap_or_else(|| "VST3".to_owned());
                *instance = Some(self.new_instance(&name));
                drop(instance);
                // SAFETY: as above.
                unsafe { self.settle(context) };
            }
            kResultOk
        })
    }

    unsafe fn terminate(&self) -> tresult {
        guard::or(kInternalError, || {
            self.deactivate();
            let (timer, handler) = (lock(&self.timer).take(), lock(&self.handler).take());
            let instance = lock(&self.instance).take();
            drop((timer, handler, instance));
            kResultOk
        })
    }
}

fn bus_count(media: MediaType, direction: BusDirection) -> i32 {
    let input = direction == BusDirections_::kInput as BusDirection;
    match media == MediaTypes_::kAudio as MediaType {
        true if input => 2,
        true if direction == BusDirections_::kOutput as BusDirection => 1,
        _ => 0,
    }
}

pub(crate) fn is_bus(media: MediaType, direction: BusDirection, index: i32) -> bool {
    (0..bus_count(media, direction)).contains(&index)
}

impl IComponentTrait for Component {
    unsafe fn getControllerClassId(&self, _class: *mut TUID) -> tresult {
        // No separate controller: the host asks this object for IEditController.
        kNotImplemented
    }

    unsafe fn setIoMode(&self, _mode: IoMode) -> tresult {
        kNotImplemented
    }

    unsafe fn getBusCount(&self, media: MediaType, direction: BusDirection) -> i32 {
        bus_count(media, direction)
    }

    unsafe fn getBusInfo(&self, media: MediaType, direction: BusDirection, index: i32, bus: *mut BusInfo) -> tresult {
        // SAFETY: the host passes null or a writable struct.
        let Some(bus) = (unsafe { bus.as_mut() }).filter(|_| is_bus(media, direction, index)) else {
            return kInvalidArgument;
        };
        let input = direction == BusDirections_::kInput as BusDirection;
        bus.mediaType = media;
        bus.direction = direction;
        // One bit for each speaker.
        bus.channelCount = self.arrangement(direction, index).count_ones() as i32;
        let (name, kind, flags) = match (input, index == SIDE_CHAIN) {
            (true, true) => ("Side-chain", BusTypes_::kAux, 0),
            (true, false) => ("Input", BusTypes_::kMain, BusInfo_::BusFlags_::kDefaultActive as u32),
            (false, _) => ("Output", BusTypes_::kMain, BusInfo_::BusFlags_::kDefaultActive as u32),
        };
        text::wide(name, &mut bus.name);
        (bus.busType, bus.flags) = (kind as BusType, flags);
        kResultOk
    }

    unsafe fn getRoutingInfo(&self, _input: *mut RoutingInfo, _output: *mut RoutingInfo) -> tresult {
        kNotImplemented
    }

    unsafe fn activateBus(&self, media: MediaType, direction: BusDirection, index: i32, state: TBool) -> tresult {
        if !is_bus(media, direction, index) {
            return kInvalidArgument;
        }
        if index == SIDE_CHAIN {
            self.has_side.store(state != 0, Ordering::Relaxed);
        }
        kResultOk
    }

    unsafe fn setActive(&self, state: TBool) -> tresult {
        guard::or(kInternalError, || {
            if state != 0 {
                return self.activate();
            }
            self.deactivate();
            kResultOk
        })
    }

    unsafe fn setState(&self, state: *mut IBStream) -> tresult {
        guard::or(kInternalError, || {
            // SAFETY: the host passes null or a live stream.
            let Some(state) = (unsafe { ComRef::from_raw(state) }) else { return kInvalidArgument };
            self.load(state)
        })
    }

    unsafe fn getState(&self, state: *mut IBStream) -> tresult {
        guard::or(kInternalError, || {
            // SAFETY: the host passes null or a live stream.
            let Some(state) = (unsafe { ComRef::from_raw(state) }) else { return kInvalidArgument };
            let Some(instance) = self.instance() else { return kNotInitialized };
            if stream::write_all(state, &instance.save_state()) { kResultOk } else { kResultFalse }
        })
    }
}
