//! The plugin object: its life cycle, buses, activation and state.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use shim_core::{Instance, Notice};
use vst3::{Class, ComRef, Steinberg::Vst::*, Steinberg::*};

use crate::processor::Audio;
use crate::{guard, stream, text};

/// Rate and largest block between `setupProcessing` and `setActive`; hosts that skip the former get these.
const DEFAULT_SETUP: (u32, usize) = (48_000, 4096);

/// Far above the largest state there can be (PROTOCOL sections 1 and 6: a document and two embedded sources).
const MAX_STATE: usize = 256 << 20;

pub struct Component {
    instance: Mutex<Option<Arc<Instance>>>,
    pub(crate) setup: Mutex<(u32, usize)>,
    /// Some while active. The audio thread only ever tries this lock; it is free unless the host breaks its contract.
    pub(crate) audio: Mutex<Option<Audio>>,
    /// The transport plays: parameters come through `process`, with their place in the song.
    pub(crate) playing: AtomicBool,
    pub(crate) latency: AtomicU32,
    /// Values changed other than through the host, which hears of it with the next block: the notice comes on a
    /// thread on which nothing of the host may be called, and inside `setState` Ardour holds the lock that its
    /// `restartComponent` waits for.
    news: Arc<AtomicBool>,
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
        Self {
            instance: Mutex::new(None),
            setup: Mutex::new(DEFAULT_SETUP),
            audio: Mutex::new(None),
            playing: AtomicBool::new(false),
            latency: AtomicU32::new(0),
            news: Arc::default(),
        }
    }

    /// None before `initialize` and after `terminate`.
    pub(crate) fn instance(&self) -> Option<Arc<Instance>> {
        lock(&self.instance).clone()
    }

    fn new_instance(&self, host: &str) -> Arc<Instance> {
        let (instance, news) = (Instance::new(host), Arc::clone(&self.news));
        instance.set_notifier(Box::new(move |notice| {
            if notice == Notice::ValuesChanged {
                news.store(true, Ordering::Release);
            }
        }));
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
            stopped.stop();
        }
    }

    fn load(&self, state: ComRef<'_, IBStream>) -> tresult {
        let Some(instance) = self.instance() else { return kNotInitialized };
        let Some(blob) = stream::read_all(state, MAX_STATE) else { return kResultFalse };
        if instance.load_state(&blob).is_err() {
            return kResultFalse;
        }
        self.news.store(true, Ordering::Release);
        kResultOk
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        // A host may release the object while it is active.
        guard::or((), || self.deactivate());
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
            }
            kResultOk
        })
    }

    unsafe fn terminate(&self) -> tresult {
        guard::or(kInternalError, || {
            self.deactivate();
            let instance = lock(&self.instance).take();
            drop(instance);
            kResultOk
        })
    }
}

fn is_bus(media: MediaType, direction: BusDirection) -> bool {
    media == MediaTypes_::kAudio as MediaType
        && [BusDirections_::kInput as BusDirection, BusDirections_::kOutput as BusDirection].contains(&direction)
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
        i32::from(is_bus(media, direction))
    }

    unsafe fn getBusInfo(&self, media: MediaType, direction: BusDirection, index: i32, bus: *mut BusInfo) -> tresult {
        // SAFETY: the host passes null or a writable struct.
        let Some(bus) = (unsafe { bus.as_mut() }).filter(|_| index == 0 && is_bus(media, direction)) else {
            return kInvalidArgument;
        };
        let input = direction == BusDirections_::kInput as BusDirection;
        bus.mediaType = media;
        bus.direction = direction;
        bus.channelCount = 2;
        text::wide(if input { "Input" } else { "Output" }, &mut bus.name);
        bus.busType = BusTypes_::kMain as BusType;
        bus.flags = BusInfo_::BusFlags_::kDefaultActive as u32;
        kResultOk
    }

    unsafe fn getRoutingInfo(&self, _input: *mut RoutingInfo, _output: *mut RoutingInfo) -> tresult {
        kNotImplemented
    }

    unsafe fn activateBus(&self, media: MediaType, direction: BusDirection, index: i32, _state: TBool) -> tresult {
        if index == 0 && is_bus(media, direction) { kResultOk } else { kInvalidArgument }
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
